// Whole matrices, per model in `parameters`: W, [UNITS, SLOT]; its hidden rows
// turned, [SLOT, HIDDEN], so that invocations side by side load what lies side by
// side on the way forward, too; b_ih and b_hh. The lists of a topology are a bit a
// place of W, [UNITS, SLOT / 32 rounded up], 1 = there is a weight.

/// Place of the weight from a unit, or the one, to an output.
fn readout_place(model: Model, output: u32, unit: u32) -> u32 {
  return model.parameter_offset + (HIDDEN + output) * SLOT + unit;
}

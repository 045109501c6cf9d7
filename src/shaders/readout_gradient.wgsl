// Gradient of the read-out's parameters, of all models:
// G_fc = Σ_t Σ_b dy_t[b]ᵀ h_t[b] and its bias's, over the scored steps.
//
// Mapping: workgroup (x, y, z) = (tile of columns, 0, model); an invocation sums
// four columns of all outputs, in a fixed order. Workgroup memory: none.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
/// Per model [steps + 1, BATCH, WIDTH], in vectors of four.
@group(0) @binding(1) var<storage, read> state: array<vec4f>;
/// Per model [steps, BATCH]: gradient by y.
@group(0) @binding(2) var<storage, read> output_delta: array<vec4f>;
/// [models, PANEL_UNITS, WIDTH], in vectors of four; rows of units from HIDDEN on are written.
@group(0) @binding(3) var<storage, read_write> gradient: array<vec4f>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let m = group.z + batch.first_model;
  let model = models[m];
  let column = group.x * LANES + lane.x;
  let source_column = min(column, HIDDEN / 4u - 1u);
  var sums = array<vec4f, OUTPUTS>();
  var bias = vec4f(0.0);
  for (var t = model.first_scored; t < model.steps; t += 1u) {
    for (var b = 0u; b < batch.size; b += 1u) {
      let h = state[model.state_offset / 4u + ((t + 1u) * BATCH + b) * (WIDTH / 4u) + source_column];
      let dy = output_delta[model.output_offset + t * BATCH + b];
      bias += dy;
      for (var o = 0u; o < OUTPUTS; o += 1u) {
        sums[o] = fma(vec4f(dy[o]), h, sums[o]);
      }
    }
  }
  let bias_column = HIDDEN + INPUTS;
  let readout = (m * PANEL_UNITS + HIDDEN - time.first_unit) * (WIDTH / 4u);
  for (var o = 0u; o < OUTPUTS; o += 1u) {
    if (column < HIDDEN / 4u) {
      gradient[readout + o * (WIDTH / 4u) + column] = sums[o];
    } else if (column == bias_column / 4u) {
      var only_bias = vec4f(0.0);
      only_bias[bias_column % 4u] = bias[o];
      gradient[readout + o * (WIDTH / 4u) + column] = only_bias;
    }
  }
}

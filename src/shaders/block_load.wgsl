// Copies the inputs of a batch into the state: slot t gets x_{t+1} and the row of
// ones that multiplies the biases, for t = 0 … T. The hidden rows are untouched;
// those of slot 0 are h_0 and stay 0 from the buffer's creation on.
//
// Mapping: workgroup (x, y, z) = (tile of vectors of four trials, t, model); an
// invocation copies the inputs of four trials. Workgroup memory: none.
//
// Where the batch ends within a vector, its last trial fills the vector up:
// nothing scores it there, but a trial of zeros could overflow where none of the
// batch does, and 0 · ∞ would reach the gradient.
//
// Sizes of the block layout: block_layout.wgsl.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
/// Per model [trials, steps, INPUTS], trials in the order of the batches.
@group(0) @binding(1) var<storage, read> inputs: array<f32>;
/// Per model [steps + 1, SLOT, BATCH], in vectors of four trials.
@group(0) @binding(2) var<storage, read_write> state: array<vec4f>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let m = group.z + batch.first_model;
  let model = models[m];
  let vector = group.x * LANES + lane.x;
  let t = group.y;
  if (vector >= (batch.size + 3u) / 4u || t > model.steps) {
    return;
  }
  let row = model.state_offset / 4u + (t * SLOT + HIDDEN) * (BATCH / 4u) + vector;
  for (var i = 0u; i < INPUTS; i += 1u) {
    var x = vec4f(0.0);
    for (var j = 0u; j < 4u; j += 1u) {
      let trial = min(vector * 4u + j, batch.size - 1u);
      if (t < model.steps) {
        x[j] = inputs[model.input_offset + ((batch.start + trial) * model.steps + t) * INPUTS + i];
      }
    }
    state[row + i * (BATCH / 4u)] = x;
  }
  state[row + INPUTS * (BATCH / 4u)] = vec4f(1.0);
  // The rows that fill the last block: their weights are 0, but 0 · NaN is not.
  for (var i = INPUTS + 1u; i < SLOT - HIDDEN; i += 1u) {
    state[row + i * (BATCH / 4u)] = vec4f(0.0);
  }
}

// Copies the inputs of a batch into the state rows: s_t gets x_{t+1} and the 1
// that multiplies the biases, for t = 0 … T − 1. The hidden part is untouched.
//
// Mapping: workgroup (x, y, z) = (tile of batch rows, t, model); an invocation
// copies the inputs of one row. Workgroup memory: none.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
/// Per model [trials, steps, INPUTS], trials in the order of the batches.
@group(0) @binding(1) var<storage, read> inputs: array<f32>;
/// Per model [steps + 1, BATCH, WIDTH].
@group(0) @binding(2) var<storage, read_write> state: array<f32>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let m = group.z + batch.first_model;
  let model = models[m];
  let row = group.x * LANES + lane.x;
  let t = group.y;
  if (row >= batch.size || t >= model.steps) {
    return;
  }
  let source = model.input_offset + ((batch.start + row) * model.steps + t) * INPUTS;
  let target_row = model.state_offset + (t * BATCH + row) * WIDTH + HIDDEN;
  for (var i = 0u; i < INPUTS; i += 1u) {
    state[target_row + i] = inputs[source + i];
  }
  state[target_row + INPUTS] = 1.0;
}

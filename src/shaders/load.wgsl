// Copies the inputs of a batch into the state: slot t gets x_{t+1} and the row of
// ones that multiplies the biases, for all t that are bound. All else is left as it
// is.
//
// Mapping: workgroup (x, y, z) = (some of the rows and vectors, slot, model); an
// invocation copies a vector of four trials. Workgroup memory: none.

/// Per model and batch [steps, INPUTS, trials of the batch], in vectors of four.
@group(0) @binding(1) var<storage, read> inputs: array<vec4f>;
@group(0) @binding(2) var<storage, read_write> state: array<vec4f>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let model = models[group.z + batch.first_model];
  let t = time.first + group.y;
  let vectors = batch_vectors();
  let item = group.x * LANES + lane.x;
  let row = item / vectors;
  let vector = item % vectors;
  if (t > model.steps || row > INPUTS) {
    return;
  }
  var value = vec4f(1.0);
  if (row < INPUTS) {
    let source = (batch.start * model.steps + t * vectors) * INPUTS + row * vectors + vector;
    value = vec4f(0.0);
    if (t < model.steps) {
      value = inputs[model.input_offset + source];
    }
  }
  state[state_row(model, t, HIDDEN + row) + vector] = value;
}

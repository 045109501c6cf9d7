// Adds the losses and right answers of a batch's steps and tiles, in their order,
// and enters them into the history.
//
// Mapping: an invocation a model. Workgroup memory: none.

/// Per model [steps, tiles]: sum of losses, number of right answers.
@group(0) @binding(1) var<storage, read> step_sums: array<vec2f>;
/// [models, BATCHES]: 1 / number of scored entries.
@group(0) @binding(2) var<storage, read> inverse_scored: array<f32>;
/// [slots, models]: mean loss, number of right answers.
@group(0) @binding(3) var<storage, read_write> history: array<vec2f>;

/// Vectors of trials whose losses the read-out adds up in one place.
const SUM_VECTORS = 1u;

@compute @workgroup_size(LANES)
fn main(@builtin(global_invocation_id) invocation: vec3u) {
  let m = invocation.x + batch.first_model;
  if (m >= batch.models) {
    return;
  }
  let model = models[m];
  let tiles = (VECTORS + SUM_VECTORS - 1u) / SUM_VECTORS;
  let used = (batch_vectors() + SUM_VECTORS - 1u) / SUM_VECTORS;
  var total = vec2f(0.0);
  for (var step = model.first_scored; step < model.steps; step += 1u) {
    for (var tile = 0u; tile < used; tile += 1u) {
      total += step_sums[model.sum_offset + step * tiles + tile];
    }
  }
  let inverse = inverse_scored[m * BATCHES + batch.number];
  history[batch.history_slot * batch.models + m] = vec2f(total.x * inverse, total.y);
}

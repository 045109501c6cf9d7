// Adds the losses and right answers of a batch's steps and tiles, in their order,
// and enters them into the history.
//
// Mapping: an invocation a model. Workgroup memory: none.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
/// [models, STEPS, LOSS_TILES]: sum of losses, number of right answers.
@group(0) @binding(1) var<storage, read> step_sums: array<vec2f>;
/// [models, BATCHES]: 1 / number of scored entries.
@group(0) @binding(2) var<storage, read> inverse_scored: array<f32>;
/// [slots, models]: mean loss, number of right answers.
@group(0) @binding(3) var<storage, read_write> history: array<vec2f>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

/// Tiles of the largest batch.
const LOSS_TILES = (BATCH + LOSS_TRIALS - 1u) / LOSS_TRIALS;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) invocation: vec3u) {
  let m = invocation.x + batch.first_model;
  if (m >= MODELS) {
    return;
  }
  let model = models[m];
  var total = vec2f(0.0);
  let tiles = (batch.size + LOSS_TRIALS - 1u) / LOSS_TRIALS;
  for (var step = model.first_scored; step < model.steps; step += 1u) {
    for (var tile = 0u; tile < tiles; tile += 1u) {
      total += step_sums[(m * STEPS + step) * LOSS_TILES + tile];
    }
  }
  let inverse = inverse_scored[m * BATCHES + batch.number];
  history[batch.history_slot * MODELS + m] = vec2f(total.x * inverse, total.y);
}

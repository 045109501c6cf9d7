// What all kernels share: sizes (replaced by the host), tables, uniforms, and how
// states and deltas lie. The host puts this text before that of a kernel; a value
// that it does not replace is as it stands here.
//
// Trials lie side by side, in vectors of four. The last trial of a batch fills its
// last vector up: nothing scores it there, but zeros could overflow where no trial
// of the batch does, and 0 · ∞ would reach the gradient.
//
//   state, per model [T + 1, SLOT, trials]: slot t is [h_t | x_{t+1} | 1 | 0…],
//     what step t + 1 sums up; h_0 = 0
//   delta, per model [T + 1, UNITS, trials]: slot t is [delta_{t+1} | dy_t | 0…],
//     what delta_t is summed up from; delta_{T+1} = dy_0 = 0
//
// Where all slots are more than can be bound at once, a stretch of time steps has
// buffers of its own, and a dispatch for itself: they hold its slots and the one
// before, whose hidden units the host copies from its neighbour.
//
// With W = [W_hh | W_ih | b_ih + b_hh] above [W_fc | 0 | b_fc], one matrix of
// UNITS × SLOT, all three products have the same form (product.wgsl, gradient.wgsl).

/// Invocations of a workgroup.
const LANES = 64u;
/// Of these, how many lie side by side along the trials; a divisor of LANES.
const TRIAL_LANES = 4u;
/// Hidden units, padded to a multiple of 4.
const HIDDEN = 4u;
/// Rows of a state slot, and of a delta slot, padded as the format of weights wants.
const SLOT = 16u;
const UNITS = 16u;
/// Vectors of four trials of the largest batch.
const VECTORS = 1u;
/// Inputs I.
const INPUTS = 2u;
/// Outputs O, 1 to 4.
const OUTPUTS = 1u;
/// Batches of an epoch, training and validation.
const BATCHES = 2u;
/// Counts of what is unrolled: numbers of an update, of a pair, of a vector.
const NUMBERS = 16u;
const PAIR = 2u;
const VECTOR = 4u;

/// Offsets of state, delta, inputs and targets count vectors, all others numbers.
struct Model {
  steps: u32,
  /// Steps before the first that is scored.
  first_scored: u32,
  activation: u32,
  optimizer: u32,
  learning_rate: f32,
  train_recurrent: u32,
  state_offset: u32,
  delta_offset: u32,
  input_offset: u32,
  target_offset: u32,
  sum_offset: u32,
  parameter_offset: u32,
  bias_offset: u32,
  moment_offset: u32,
  /// Parts of its lists.
  mask_at: u32,
  rows_at: u32,
  columns_at: u32,
  blocks_at: u32,
  back_at: u32,
  chunks_at: u32,
  chunks: u32,
  row_pairs_at: u32,
  column_pairs_at: u32,
  readout_block: u32,
}

struct Batch {
  /// Vectors of trials of the batches before.
  start: u32,
  /// Trials.
  size: u32,
  number: u32,
  history_slot: u32,
  /// 1: outputs of all steps are wanted, and gradients instead of an update.
  probe: u32,
  first_model: u32,
  models: u32,
  /// What the host computes for the optimizers.
  // for NUMBER in NUMBERS
  update_NUMBER: f32,
  // end
}

struct Time {
  /// Number of a time step, from 1.
  step: u32,
  /// First and last slot that is bound: 0 and T, or the slot before a stretch and its last one.
  first: u32,
  last: u32,
}

@group(0) @binding(0) var<storage, read> models: array<Model>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

/// Vectors of trials of the batch.
fn batch_vectors() -> u32 {
  return (batch.size + 3u) / 4u;
}

/// First vector of a row of state slot t.
fn state_row(model: Model, t: u32, row: u32) -> u32 {
  return model.state_offset + ((t - time.first) * SLOT + row) * VECTORS;
}

/// First vector of a row of delta slot t.
fn delta_row(model: Model, t: u32, row: u32) -> u32 {
  return model.delta_offset + ((t - time.first) * UNITS + row) * VECTORS;
}

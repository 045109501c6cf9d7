// What all kernels share: sizes (replaced by the host), tables and uniforms.
// The host puts this text before that of a kernel; the values here make every
// kernel valid on its own.

/// Invocations of a workgroup.
const LANES = 8u;
/// Of these, how many lie along the columns of a product; a divisor of LANES.
const COLUMN_LANES = 8u;
/// Tile of an invocation: rows, and vectors of four columns.
const ROWS = 1u;
const VECS = 1u;
/// Names of a row and a vector in the blocks that are unrolled.
const ROW = 0u;
const VEC = 0u;
/// Hidden units, padded to a multiple of 4.
const HIDDEN = 4u;
/// Length of a state row: HIDDEN + inputs + 1, padded to a multiple of 4.
const WIDTH = 8u;
/// Rows of the largest batch.
const BATCH = 1u;
/// Inputs I.
const INPUTS = 2u;
/// Outputs O, 1 to 4.
const OUTPUTS = 1u;
/// Rows of a model's parameter matrix: HIDDEN recurrent units, then the outputs.
const UNITS = 5u;
/// Rows of the gradient that are held at once: all UNITS, or a panel of them.
const PANEL_UNITS = 5u;
/// 1: a second, turned copy of the recurrent parameters is kept.
const TURNED = 0u;
/// Words of the bit mask of one parameter row.
const MASK_WORDS = 1u;
/// Time steps of the longest trial of the ensemble.
const STEPS = 1u;
/// Batches of an epoch, training and validation.
const BATCHES = 2u;
/// Models of the ensemble.
const MODELS = 1u;
/// Trials whose losses are added up in one place.
const LOSS_TRIALS = 1u;
/// 0: mean squared error. 1: negative log-likelihood after a log-softmax.
const LOSS = 0u;

struct Model {
  steps: u32,
  first_scored: u32,
  activation: u32,
  optimizer: u32,
  learning_rate: f32,
  state_offset: u32,
  delta_offset: u32,
  output_offset: u32,
  input_offset: u32,
  target_offset: u32,
  train_recurrent: u32,
  parameter_offset: u32,
  moment_offset: u32,
  bias_offset: u32,
  rows_at: u32,
  columns_at: u32,
  blocks_at: u32,
  back_at: u32,
  chunks_at: u32,
  chunks: u32,
  readout_block: u32,
}

struct Batch {
  start: u32,
  size: u32,
  number: u32,
  history_slot: u32,
  adam_step_scale: f32,
  adam_root_scale: f32,
  /// 1: outputs of all steps are wanted, and gradients instead of an update.
  probe: u32,
  first_model: u32,
}

struct Time {
  /// Of a time step: its number, from 1.
  step: u32,
  /// Of a panel of the gradient: its first row among the UNITS of the whole.
  first_unit: u32,
}


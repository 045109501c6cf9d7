// What the kernels on blocks share: how connections and states lie. Stands after
// layout.wgsl and before a kernel's own text.
//
// W_hh, W_ih, the biases and the read-out are one matrix as in the dense layout:
// rows are the HIDDEN recurrent units, then the outputs; columns are the HIDDEN
// units, the inputs, and the one that multiplies the biases. It is cut into
// blocks of BLOCK × BLOCK entries, and those without a connection are left out.
// Units, inputs and outputs are each padded to whole blocks. The state of a step
// is [SLOT, BATCH], a row a column of the matrix, so that the trials of a batch
// lie side by side.
//
// `lists`, per topology, in words from the places on that a model's entry gives:
//   rows     [rows + 1]           first block of each row of blocks
//   columns  [COLUMN_BLOCKS + 1]  first entry in `back` of each hidden column
//   blocks   [blocks]     column of each, row by row; with BLOCK > 1 the column
//                         times 2¹⁶ plus a bit an entry, 1 = it is there
//   back     [.., 2]      by column: row and number of each block among hidden units
//   chunks   [chunks, 2]  row and first block of each chunk of the gradient
// A hidden row ends with its INPUT_BLOCKS blocks of inputs and the one; a row of
// outputs has all hidden columns, then the block that holds the one.
// `parameters`, per model: the blocks' entries, [blocks, BLOCK, BLOCK], then
// b_ih and b_hh of each unit, [HIDDEN, 2].

/// Entries along a side of a block: 4, or 1 where connections are few and lie alone.
const BLOCK = 4u;
/// Rows of a state slot: hidden units, inputs and the one, in whole blocks.
const SLOT = 8u;
/// Columns of blocks that are hidden units; as many rows are, and those of outputs follow.
const COLUMN_BLOCKS = 1u;
/// Columns of blocks that are inputs and the one: every hidden row ends with them.
const INPUT_BLOCKS = 1u;
/// Rows of outputs, in whole blocks.
const OUTPUT_ROWS = 4u;
/// Blocks of a chunk of the gradient.
const CHUNK = 1u;
/// Invocations that lie side by side along the trials; a divisor of LANES.
const TRIAL_LANES = 8u;
/// Names of a row and a column of a block, and of a block of a chunk, in what is unrolled.
const I = 0u;
const J = 0u;
const ENTRY = 0u;

fn block_column(word: u32) -> u32 {
  return select(word >> 16u, word, BLOCK == 1u);
}

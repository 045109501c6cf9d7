// Only the blocks of W that hold a connection: BLOCK × BLOCK entries each, 4 × 4, or
// 1 × 1 where connections are few and lie alone. Rows of blocks are those of hidden
// units, then those of outputs; columns those of hidden units, then of the inputs
// and the one.
//
// `parameters`, per model: the blocks, [blocks, BLOCK, BLOCK], then b_ih and b_hh.
// `lists`, per topology, in words from the places on that a model's entry gives:
//   rows     [rows + 1]           first block of each row of blocks
//   columns  [COLUMN_BLOCKS + 1]  first entry in `back` of each hidden column
//   blocks   [blocks]     column of each, row by row; with BLOCK > 1 the column
//                         times 2¹⁶ plus a bit an entry, 1 = it is there;
//                         with BLOCK 1 the highest bit, 1 = it is not
//   back     [.., 2]      by column: row and number of each block
//   chunks   [chunks, 2]  row and first block of each chunk of the gradient
//   pairs    [PAIRS, 2]   rows, and the same of columns, the longest with the
//                         shortest, so that all have about as much to do
// A hidden row begins with the blocks of inputs and the one, a column with those of
// outputs: all that the first step on the way needs. Both are filled up to a
// multiple of AHEAD with blocks that hold nothing. A row of outputs has all hidden
// columns, then the block that holds the one.

/// Entries along a side of a block.
const BLOCK = 4u;
/// Blocks whose weights are loaded at once.
const AHEAD = 1u;
/// Blocks of what the first step needs, filled up: inputs and the one, or outputs.
const INPUT_BLOCKS = 1u;
const OUTPUT_BLOCKS = 1u;
/// Columns of blocks that are hidden units; as many rows are.
const COLUMN_BLOCKS = 1u;
/// Pairs of them.
const PAIRS = (COLUMN_BLOCKS + 1u) / 2u;

fn block_column(word: u32) -> u32 {
  return select(word >> 16u, word & 0x7fffffffu, BLOCK == 1u);
}

/// Whether there is a weight, from the word of its block.
fn is_weight(word: u32, within: u32) -> bool {
  return select(((word >> within) & 1u) == 1u, word < 0x80000000u, BLOCK == 1u);
}

/// Place of the weight from a unit, or the one, to an output.
fn readout_place(model: Model, output: u32, unit: u32) -> u32 {
  let column = min(unit / BLOCK, COLUMN_BLOCKS);
  let number = model.readout_block + output / BLOCK * (COLUMN_BLOCKS + 1u) + column;
  return model.parameter_offset + (number * BLOCK + output % BLOCK) * BLOCK + unit % BLOCK;
}

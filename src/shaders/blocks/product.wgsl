// Time steps of all models on the blocks that exist, forward or backward
// (product.wgsl). Cost follows the blocks, not H².
//
// Mapping: workgroup (x, y, z) = (some pairs of rows of blocks, tile of trials, model);
// rows are columns on the way back. Of its invocations TRIAL_LANES lie side by side
// along the trials; each sums the BLOCK units of two rows, a long one and a short
// one, for one vector of trials, AHEAD blocks at once. With TILED all steps are run, all
// rows are in one workgroup, and the slot that is summed up from is in workgroup
// memory; without, one step.
// Workgroup memory: TILE_ROWS · TRIAL_LANES · 16 bytes.
//
// Why so (on an H200, H = 220, 120 models, a fourth of the blocks): steps in the
// workgroup, 32 trials and two blocks ahead do the work of 52 TFLOP/s on a whole
// matrix; a dispatch a step and a block at a time did less than half of it.

@group(0) @binding(4) var<storage, read> lists: array<u32>;

/// 1: all steps in a workgroup.
const TILED = 0u;
/// Rows of a slot that are kept in workgroup memory: all, or a block's.
const TILE_ROWS = 4u;

var<workgroup> tile: array<array<array<vec4f, TRIAL_LANES>, BLOCK>, TILE_ROWS / BLOCK>;

/// Four trials of the slot that is summed up from, which begins at vector `at`.
fn source(at: u32, block: u32, row: u32, trials: u32) -> vec4f {
  if (TILED == 1u) {
    return tile[block][row][trials];
  }
  return slots[at + (block * BLOCK + row) * VECTORS];
}

/// A row of a block.
fn weights_at(place: u32) -> vec4f {
  if (BLOCK == 1u) {
    return vec4f(parameters[place / 4u][place % 4u]);
  }
  return parameters[place / 4u];
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let model = models[group.z + batch.first_model];
  let trials = lane.x % TRIAL_LANES;
  let pair = min(group.x * (LANES / TRIAL_LANES) + lane.x / TRIAL_LANES, PAIRS - 1u);
  let is_own = group.x * (LANES / TRIAL_LANES) + lane.x / TRIAL_LANES < PAIRS;
  let first_vector = group.y * TRIAL_LANES;
  let vectors = batch_vectors();
  let vector = min(first_vector + trials, vectors - 1u);
  let is_there = is_own && first_vector + trials < vectors;
  let pairs_at = select(model.row_pairs_at, model.column_pairs_at, BACKWARD == 1u) + 2u * pair;
  let ends_at = select(model.rows_at, model.columns_at, BACKWARD == 1u);
  // for PART in PAIR
  let row_PART = lists[pairs_at + PART];
  let begin_PART = lists[ends_at + min(row_PART, COLUMN_BLOCKS - 1u)];
  // The last pair may lack its second row.
  let row_end_PART = select(begin_PART, lists[ends_at + min(row_PART, COLUMN_BLOCKS - 1u) + 1u], row_PART < COLUMN_BLOCKS);
  // end
  let steps = select(select(0u, 1u, time.step <= model.steps), model.steps, TILED == 1u);
  if (TILED == 1u) {
    for (var i = lane.x; i < TILE_ROWS * TRIAL_LANES; i += LANES) {
      let r = i / TRIAL_LANES;
      tile[r / BLOCK][r % BLOCK][i % TRIAL_LANES] = vec4f(0.0);
    }
  }
  for (var step = 1u; step <= steps; step += 1u) {
    let t = select(time.step, select(step, model.steps + 1u - step, BACKWARD == 1u), TILED == 1u);
    let from_slot = source_slot(t);
    if (TILED == 1u) {
      workgroupBarrier();
      // The rows that are not hidden units': inputs and the one, or dy.
      for (var i = lane.x; i < (TILE_ROWS - HIDDEN) * TRIAL_LANES; i += LANES) {
        let r = HIDDEN + i / TRIAL_LANES;
        let v = min(first_vector + i % TRIAL_LANES, vectors - 1u);
        tile[r / BLOCK][r % BLOCK][i % TRIAL_LANES] = slots[slot_row(model, from_slot, r) + v];
      }
      workgroupBarrier();
    }
    let at = slot_row(model, from_slot, 0u) + vector;
    // The first step has no hidden units to sum up.
    let is_first = t == select(1u, model.steps, BACKWARD == 1u);
    let extra = select(INPUT_BLOCKS, OUTPUT_BLOCKS, BACKWARD == 1u);
    // for PART in PAIR
    // for TO in BLOCK
    var sum_PART_TO = vec4f(0.0);
    // end
    let end_PART = select(row_end_PART, min(row_end_PART, begin_PART + extra), is_first);
    for (var entry = begin_PART; entry < end_PART; entry += AHEAD) {
      // for NEXT in AHEAD
      var block_NEXT = 0u;
      var number_NEXT = entry + NEXT;
      if (BACKWARD == 1u) {
        block_NEXT = lists[model.back_at + 2u * (entry + NEXT)];
        number_NEXT = lists[model.back_at + 2u * (entry + NEXT) + 1u];
      } else {
        block_NEXT = block_column(lists[model.blocks_at + entry + NEXT]);
      }
      // for FROM in BLOCK
      let w_NEXT_FROM = weights_at(model.parameter_offset + (number_NEXT * BLOCK + FROM) * BLOCK);
      // end
      // end
      // for NEXT in AHEAD, FROM in BLOCK
      let s_NEXT_FROM = source(at, block_NEXT, FROM, trials);
      // end
      // for NEXT in AHEAD, FROM in BLOCK, TO in BLOCK
      sum_PART_TO = fma(vec4f(select(w_NEXT_TO[FROM], w_NEXT_FROM[TO], BACKWARD == 1u)), s_NEXT_FROM, sum_PART_TO);
      // end
    }
    // end
    if (TILED == 1u) {
      workgroupBarrier();
    }
    // for PART in PAIR
    if (is_there && row_PART < COLUMN_BLOCKS) {
      // for TO in BLOCK
      let unit_TO = row_PART * BLOCK + TO;
      sum_PART_TO = outcome(model, t, unit_TO, vector, sum_PART_TO);
      slots[outcome_row(model, t, unit_TO) + vector] = sum_PART_TO;
      if (TILED == 1u) {
        tile[row_PART][TO][trials] = sum_PART_TO;
      }
      // end
    }
    // end
  }
}

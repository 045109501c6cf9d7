// Gradient of all parameters that exist, and the update with it: for each
// block G = Σ_t delta slot t · (state slot t)ᵀ of its rows and columns.
//
// Mapping: workgroup (x, y, z) = (chunk of CHUNK blocks of one row, more of them,
// model). An invocation takes every LANES-th vector of four trials and sums all
// entries of the chunk in registers; then the invocations' sums are added in a fixed
// order, an entry an invocation (ENTRIES ≤ LANES). Workgroup memory:
// ENTRIES · (LANES + 1) · 4 bytes.

/// Blocks of a chunk.
const CHUNK = 1u;
/// Chunks along x; more of them lie along y.
const CHUNKS_ALONG = 32768u;
const ENTRIES = CHUNK * BLOCK * BLOCK;
/// Time steps that are summed up in registers.
const STRETCH = 1u;
/// 0 where a dispatch has no more than one stretch, and so no loop over them, 1 where it may.
const LOOPS = 1u;

/// [ENTRIES, LANES]; the one place more keeps invocations to different memory banks.
var<workgroup> partial: array<array<f32, LANES + 1u>, ENTRIES>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let model = models[group.z + batch.first_model];
  let chunk = group.x + group.y * CHUNKS_ALONG;
  if (chunk >= model.chunks) {
    return;
  }
  let row = lists[model.chunks_at + 2u * chunk];
  let first = lists[model.chunks_at + 2u * chunk + 1u];
  let row_begin = lists[model.rows_at + row];
  let end = min(first + CHUNK, lists[model.rows_at + row + 1u]);
  let is_output = row >= COLUMN_BLOCKS;
  // for NEXT in CHUNK
  let column_NEXT = block_column(lists[model.blocks_at + min(first + NEXT, end - 1u)]) * BLOCK;
  // end
  // The entry whose sums this invocation adds.
  let number = min(first + lane.x / (BLOCK * BLOCK), end - 1u);
  let within = lane.x % (BLOCK * BLOCK);
  let word = lists[model.blocks_at + number];
  let is_own = lane.x < (end - first) * BLOCK * BLOCK && is_weight(word, within);
  let place = number * BLOCK * BLOCK + within;
  var g = gradient_before(place);
  // h_0 = 0: chunks without inputs, with which a row begins, start with slot 1.
  let start = begin_slot(select(select(1u, 0u, first < row_begin + INPUT_BLOCKS), model.first_scored + 1u, is_output));
  let stop = end_slot(model.steps + select(0u, 1u, is_output));
  // A stretch at a time, whether or not it is a dispatch's all: so adapters agree.
  var stretch = (max(start, 1u) - 1u) / STRETCH;
  // for LOOP in LOOPS
  for (; stretch * STRETCH + min(stretch, 1u) < stop; stretch += 1u) {
  // end
    // for NEXT in CHUNK, I in BLOCK, J in BLOCK
    var sum_NEXT_I_J = 0.0;
    // end
    let until = min(stop, (stretch + 1u) * STRETCH + 1u);
    for (var t = max(start, select(stretch * STRETCH + 1u, 0u, stretch == 0u)); t < until; t += 1u) {
      let d = delta_row(model, t, row * BLOCK);
      let s = state_row(model, t, 0u);
      for (var vector = lane.x; vector < batch_vectors(); vector += LANES) {
        // for I in BLOCK
        let d_I = delta[d + I * VECTORS + vector];
        // end
        // for NEXT in CHUNK, J in BLOCK
        let s_NEXT_J = state[s + (column_NEXT + J) * VECTORS + vector];
        // end
        // for NEXT in CHUNK, I in BLOCK, J in BLOCK
        sum_NEXT_I_J += dot(d_I, s_NEXT_J);
        // end
      }
    }
    // for NEXT in CHUNK, I in BLOCK, J in BLOCK
    partial[(NEXT * BLOCK + I) * BLOCK + J][lane.x] = sum_NEXT_I_J;
    // end
    workgroupBarrier();
    if (is_own) {
      for (var other = 0u; other < LANES; other += 1u) {
        g += partial[lane.x][other];
      }
    }
  // for LOOP in LOOPS
    workgroupBarrier();
  }
  // end
  if (is_own) {
    let unit = row * BLOCK + within / BLOCK;
    let column = block_column(word) * BLOCK + within % BLOCK;
    let before = parameters[model.parameter_offset + place];
    learn(model, Weight(unit, column, place), g, before, moments[model.moment_offset + place]);
  }
}

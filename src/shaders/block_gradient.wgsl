// Gradient of all parameters that exist, and the optimizer's step with it: for
// each block G = Σ_t Σ_b delta_t[b]ᵀ s[b], where the receiver is a hidden unit
// and s the state that it summed up at step t, or the receiver is an output, delta
// dy, and s the state at step t. A probe writes G down instead of the step.
//
// Mapping: workgroup (x, y, z) = (chunk of CHUNK blocks of one row, more of them,
// model). An invocation takes every LANES-th vector of four trials, and sums all
// entries of the chunk in registers; then the invocations' sums are added in a
// fixed order, a row of a block an invocation.
// Workgroup memory: CHUNK · BLOCK · (LANES + 1) · 16 bytes.
//
// Sizes and lists: block_layout.wgsl, update(): update.wgsl.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
@group(0) @binding(1) var<storage, read> lists: array<u32>;
/// Per model [steps + 1, SLOT, BATCH], in vectors of four trials.
@group(0) @binding(2) var<storage, read> state: array<vec4f>;
/// Per model [steps, HIDDEN + OUTPUT_ROWS, BATCH], in vectors of four trials; the rows of outputs hold dy.
@group(0) @binding(3) var<storage, read> delta: array<vec4f>;
/// Per model [blocks, BLOCK, BLOCK], then b_ih and b_hh, [HIDDEN, 2]. Numbers, not vectors, as in all that
/// follow: neighbours belong to different invocations, and a write to a part of a vector may write all of it.
@group(0) @binding(4) var<storage, read_write> parameters: array<f32>;
/// Per model [blocks, BLOCK, BLOCK].
@group(0) @binding(5) var<storage, read_write> first_moment: array<f32>;
/// Per model [blocks, BLOCK, BLOCK].
@group(0) @binding(6) var<storage, read_write> second_moment: array<f32>;
/// Of the model that is probed, [blocks, BLOCK, BLOCK].
@group(0) @binding(7) var<storage, read_write> gradient: array<f32>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

/// Chunks along x; more of them lie along y.
const CHUNKS_ALONG = 32768u;
/// Rows of the blocks of a chunk.
const CHUNK_ROWS = CHUNK * BLOCK;
/// [CHUNK_ROWS, LANES]; the one place more keeps invocations to different memory banks.
var<workgroup> partial: array<vec4f, CHUNK_ROWS * (LANES + 1u)>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let m = group.z + batch.first_model;
  let model = models[m];
  let chunk = group.x + group.y * CHUNKS_ALONG;
  if (chunk >= model.chunks) {
    return;
  }
  let row = lists[model.chunks_at + 2u * chunk];
  let first = lists[model.chunks_at + 2u * chunk + 1u];
  let row_end = lists[model.rows_at + row + 1u];
  let is_output = row >= COLUMN_BLOCKS;
  let end = min(first + CHUNK, row_end);
  let has_inputs = !is_output && end + INPUT_BLOCKS > row_end;
  let vectors = (batch.size + 3u) / 4u;
  // for ENTRY in CHUNK
  let column_ENTRY = block_column(lists[model.blocks_at + min(first + ENTRY, end - 1u)]) * (BLOCK * BATCH / 4u);
  // for I in BLOCK
  // for J in BLOCK
  var sum_ENTRY_I_J = vec4f(0.0);
  // end
  // end
  // end
  // h_0 = 0, so weights from hidden units alone begin with the second step.
  let hidden_start = select(2u, 1u, has_inputs);
  let start = select(hidden_start, model.first_scored + 1u, is_output);
  for (var t = start; t <= model.steps; t += 1u) {
    let deltas = model.delta_offset / 4u + ((t - 1u) * (HIDDEN + OUTPUT_ROWS) + row * BLOCK) * (BATCH / 4u);
    let slot = select(t - 1u, t, is_output);
    let states = model.state_offset / 4u + slot * SLOT * (BATCH / 4u);
    for (var vector = lane.x; vector < vectors; vector += LANES) {
      // for I in BLOCK
      let d_I = delta[deltas + I * (BATCH / 4u) + vector];
      // end
      // for ENTRY in CHUNK
      // for J in BLOCK
      let s_ENTRY_J = state[states + column_ENTRY + J * (BATCH / 4u) + vector];
      // for I in BLOCK
      sum_ENTRY_I_J = fma(d_I, s_ENTRY_J, sum_ENTRY_I_J);
      // end
      // end
      // end
    }
  }
  // for ENTRY in CHUNK
  // for I in BLOCK
  var row_ENTRY_I = vec4f(0.0);
  // for J in BLOCK
  row_ENTRY_I[J] = dot(sum_ENTRY_I_J, vec4f(1.0));
  // end
  partial[(ENTRY * BLOCK + I) * (LANES + 1u) + lane.x] = row_ENTRY_I;
  // end
  // end
  workgroupBarrier();
  for (var n = lane.x; n < (end - first) * BLOCK; n += LANES) {
    var g = vec4f(0.0);
    for (var other = 0u; other < LANES; other += 1u) {
      g += partial[n * (LANES + 1u) + other];
    }
    let number = first + n / BLOCK;
    let word = lists[model.blocks_at + number];
    let bits = select((word >> (n % BLOCK * BLOCK)) & 15u, 1u, BLOCK == 1u);
    let place = (number * BLOCK + n % BLOCK) * BLOCK;
    if (bits == 0u) {
      continue;
    }
    let exists = vec4<bool>((bits & 1u) != 0u, (bits & 2u) != 0u, (bits & 4u) != 0u, (bits & 8u) != 0u);
    g = select(vec4f(0.0), g, exists);
    if (batch.probe == 1u) {
      // for J in BLOCK
      gradient[place + J] = g[J];
      // end
      continue;
    }
    let column = block_column(word);
    if (model.train_recurrent == 0u && !is_output && column < COLUMN_BLOCKS) {
      continue;
    }
    let at = model.parameter_offset + place;
    let moment = model.moment_offset + place;
    var first_before = vec4f(0.0);
    if (model.optimizer == ADAM) {
      // for J in BLOCK
      first_before[J] = first_moment[moment + J];
      // end
    }
    var second_before = vec4f(0.0);
    if (model.optimizer != SGD) {
      // for J in BLOCK
      second_before[J] = second_moment[moment + J];
      // end
    }
    let step = update(g, first_before, second_before, model.optimizer, model.learning_rate);
    let change = select(vec4f(0.0), step.change, exists);
    if (model.optimizer == ADAM) {
      // for J in BLOCK
      first_moment[moment + J] = step.first_moment[J];
      // end
    }
    if (model.optimizer != SGD) {
      // for J in BLOCK
      second_moment[moment + J] = step.second_moment[J];
      // end
    }
    // for J in BLOCK
    parameters[at + J] -= change[J];
    // end
    let bias = HIDDEN + INPUTS;
    if (!is_output && column == bias / BLOCK) {
      // The entry is the sum of both biases, which have the same gradient.
      let pair = model.bias_offset + 2u * (row * BLOCK + n % BLOCK);
      let input_bias = parameters[pair] - change[bias % BLOCK];
      let hidden_bias = parameters[pair + 1u] - change[bias % BLOCK];
      parameters[pair] = input_bias;
      parameters[pair + 1u] = hidden_bias;
      parameters[at + bias % BLOCK] = input_bias + hidden_bias;
    }
  }
}

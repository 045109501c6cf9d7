// One time step of all models on the blocks that exist: h_t = act(W_hh h_{t-1} +
// W_ih x_t + b_ih + b_hh). Cost follows the blocks, not H².
//
// Mapping: workgroup (x, y, z) = (some rows of blocks, tile of trials, model). Of
// its LANES invocations TRIAL_LANES lie side by side along the trials, the others
// along the rows of blocks. An invocation sums the BLOCK units of its row for VECS
// vectors of four trials, block by block. Sums are stored as they are and
// activated in a second sweep, as in forward_step.wgsl. Workgroup memory: none.
//
// Sizes and lists: block_layout.wgsl, weights_at(): block_weights.wgsl,
// activate(): activation.wgsl.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
@group(0) @binding(1) var<storage, read> lists: array<u32>;
/// Per model [steps + 1, SLOT, BATCH], in vectors of four trials.
@group(0) @binding(2) var<storage, read_write> state: array<vec4f>;
/// Per model [blocks, BLOCK, BLOCK], in vectors of four.
@group(0) @binding(3) var<storage, read> parameters: array<vec4f>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let m = group.z + batch.first_model;
  let model = models[m];
  let row = group.x * (LANES / TRIAL_LANES) + lane.x / TRIAL_LANES;
  let vectors = (batch.size + 3u) / 4u;
  let first_vector = group.y * (TRIAL_LANES * VECS) + lane.x % TRIAL_LANES;
  if (time.step > model.steps || row >= COLUMN_BLOCKS || first_vector >= vectors) {
    return;
  }
  let before = model.state_offset / 4u + (time.step - 1u) * SLOT * (BATCH / 4u);
  let after = before + (SLOT + row * BLOCK) * (BATCH / 4u);
  // Beyond the batch an invocation takes its own first vector once more: another's
  // it would write while that one finishes it.
  // for VEC in VECS
  let vector_VEC = select(first_vector, first_vector + VEC * TRIAL_LANES, first_vector + VEC * TRIAL_LANES < vectors);
  // end
  // for I in BLOCK
  // for VEC in VECS
  var sum_I_VEC = vec4f(0.0);
  // end
  // end
  let end = lists[model.rows_at + row + 1u];
  // h_0 = 0: the first step has its inputs alone.
  let begin = select(lists[model.rows_at + row], end - INPUT_BLOCKS, time.step == 1u);
  for (var number = begin; number < end; number += 1u) {
    let source = before + block_column(lists[model.blocks_at + number]) * (BLOCK * BATCH / 4u);
    let place = model.parameter_offset + number * (BLOCK * BLOCK);
    // for J in BLOCK
    // for VEC in VECS
    let x_J_VEC = state[source + J * (BATCH / 4u) + vector_VEC];
    // end
    // end
    // for I in BLOCK
    let w_I = weights_at(place + I * BLOCK);
    // One sum after the other, so that each is taken from memory but once.
    // for VEC in VECS
    // for J in BLOCK
    sum_I_VEC = fma(vec4f(w_I[J]), x_J_VEC, sum_I_VEC);
    // end
    // end
    // end
  }
  // for I in BLOCK
  // for VEC in VECS
  state[after + I * (BATCH / 4u) + vector_VEC] = sum_I_VEC;
  // end
  // end
  // One loop with a bound that no compiler knows, lest it be unrolled.
  let mine = min(VECS, (vectors - first_vector + TRIAL_LANES - 1u) / TRIAL_LANES);
  for (var n = 0u; n < mine * BLOCK; n += 1u) {
    let at = after + n % BLOCK * (BATCH / 4u) + first_vector + n / BLOCK * TRIAL_LANES;
    state[at] = activate(state[at], model.activation);
  }
}

// One time step of backpropagation through time, of all models, on the blocks
// that exist: delta_t = act'(h_t) ⊙ (W_hhᵀ delta_{t+1} + W_fcᵀ dy_t),
// delta_{T+1} = 0.
//
// Mapping: as block_forward.wgsl, with columns of blocks instead of rows.
// Workgroup memory: none.
//
// Sizes and lists: block_layout.wgsl, weights_at(): block_weights.wgsl, through():
// activation.wgsl.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
@group(0) @binding(1) var<storage, read> lists: array<u32>;
/// Per model [steps + 1, SLOT, BATCH], in vectors of four trials.
@group(0) @binding(2) var<storage, read> state: array<vec4f>;
/// Per model [steps, HIDDEN + OUTPUT_ROWS, BATCH], in vectors of four trials; the rows of outputs hold dy.
@group(0) @binding(3) var<storage, read_write> delta: array<vec4f>;
/// Per model [blocks, BLOCK, BLOCK], in vectors of four.
@group(0) @binding(4) var<storage, read> parameters: array<vec4f>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let m = group.z + batch.first_model;
  let model = models[m];
  // Steps are counted from 1; delta of step t stands at t − 1.
  let t = time.step;
  let column = group.x * (LANES / TRIAL_LANES) + lane.x / TRIAL_LANES;
  let vectors = (batch.size + 3u) / 4u;
  let first_vector = group.y * (TRIAL_LANES * VECS) + lane.x % TRIAL_LANES;
  if (t > model.steps || column >= COLUMN_BLOCKS || first_vector >= vectors) {
    return;
  }
  let here = model.delta_offset / 4u + (t - 1u) * (HIDDEN + OUTPUT_ROWS) * (BATCH / 4u);
  let after = here + (HIDDEN + OUTPUT_ROWS) * (BATCH / 4u);
  // Beyond the batch an invocation takes its own first vector once more: another's
  // it would write while that one finishes it.
  // for VEC in VECS
  let vector_VEC = select(first_vector, first_vector + VEC * TRIAL_LANES, first_vector + VEC * TRIAL_LANES < vectors);
  // end
  // for J in BLOCK
  // for VEC in VECS
  var sum_J_VEC = vec4f(0.0);
  // end
  // end
  let recurrent = select(
    lists[model.columns_at + column + 1u] - lists[model.columns_at + column],
    0u,
    t == model.steps,
  );
  let first = model.back_at + 2u * lists[model.columns_at + column];
  // The blocks among hidden units, then those of the read-out.
  let all = recurrent + select(0u, OUTPUT_ROWS / BLOCK, t > model.first_scored);
  for (var n = 0u; n < all; n += 1u) {
    let output = n - recurrent;
    let is_output = n >= recurrent;
    let entry = select(first + 2u * n, model.back_at, is_output);
    let number = select(
      lists[entry + 1u],
      model.readout_block + output * (COLUMN_BLOCKS + 1u) + column,
      is_output,
    );
    let receiver = select(after + lists[entry] * (BLOCK * BATCH / 4u), here + (HIDDEN + output * BLOCK) * (BATCH / 4u), is_output);
    let place = model.parameter_offset + number * (BLOCK * BLOCK);
    // for I in BLOCK
    let w_I = weights_at(place + I * BLOCK);
    // for VEC in VECS
    let d_I_VEC = delta[receiver + I * (BATCH / 4u) + vector_VEC];
    // end
    // end
    // for J in BLOCK
    // for VEC in VECS
    // for I in BLOCK
    sum_J_VEC = fma(vec4f(w_I[J]), d_I_VEC, sum_J_VEC);
    // end
    // end
    // end
  }
  let target_row = here + column * (BLOCK * BATCH / 4u);
  // for J in BLOCK
  // for VEC in VECS
  delta[target_row + J * (BATCH / 4u) + vector_VEC] = sum_J_VEC;
  // end
  // end
  let states = model.state_offset / 4u + (t * SLOT + column * BLOCK) * (BATCH / 4u);
  // One loop with a bound that no compiler knows, lest it be unrolled.
  let mine = min(VECS, (vectors - first_vector + TRIAL_LANES - 1u) / TRIAL_LANES);
  for (var n = 0u; n < mine * BLOCK; n += 1u) {
    let at = n % BLOCK * (BATCH / 4u) + first_vector + n / BLOCK * TRIAL_LANES;
    delta[target_row + at] = through(delta[target_row + at], state[states + at], model.activation);
  }
}

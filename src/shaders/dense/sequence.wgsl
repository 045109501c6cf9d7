// All time steps of all models, forward or backward (product.wgsl), where the slots of
// some trials fit workgroup memory.
//
// Mapping: workgroup (x, y, z) = (0, tile of trials, model). It keeps the slot that
// is summed up from, of its 4 · TRIAL_LANES trials, in workgroup memory over all
// steps. An invocation sums VECS vectors of four units, GROUPS apart, for one
// vector of trials; TRIAL_LANES invocations side by side load the same weights.
// Workgroup memory: ROWS · TRIAL_LANES · 16 bytes.
//
// Why so (on an H200, H = 220, batch 128, 120 models): AHEAD = 16 rows of weights are
// loaded before the first is used, as latency is the limit: 29 TFLOP/s, 23 with 8.
// Tiles of 16 trials, 26 with 32: many small workgroups, so that those of models
// with most steps do not run alone at the end. Inner indices of the tile are
// constants: compilers clamp all others.

/// Rows of a slot: SLOT, or UNITS backward.
const ROWS = 16u;
/// Vectors of four units of an invocation, and invocations along the units.
const VECS = 1u;
const GROUPS = 1u;
/// Rows loaded at once; a divisor of ROWS.
const AHEAD = 16u;

var<workgroup> tile: array<array<array<vec4f, TRIAL_LANES>, AHEAD>, ROWS / AHEAD>;

/// Keeps what a unit has come to at step t, for the next one to sum up.
fn finish(model: Model, t: u32, unit: u32, trials: u32, vector: u32, sum: vec4f) {
  // Beyond the batch the last vector of trials stands in.
  let value = outcome(model, t, unit, min(vector, batch_vectors() - 1u), sum);
  tile[unit / AHEAD][unit % AHEAD][trials] = value;
  if (vector < batch_vectors()) {
    slots[outcome_row(model, t, unit) + vector] = value;
  }
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let model = models[group.z + batch.first_model];
  let trials = lane.x % TRIAL_LANES;
  let first = lane.x / TRIAL_LANES;
  let first_vector = group.y * TRIAL_LANES;
  // Backward W is read as it lies, forward its turned copy.
  let stride = select(HIDDEN / 4u, SLOT / 4u, BACKWARD == 1u);
  let weights = (model.parameter_offset + select(UNITS * SLOT, 0u, BACKWARD == 1u)) / 4u + first;
  for (var i = lane.x; i < ROWS * TRIAL_LANES; i += LANES) {
    let row = i / TRIAL_LANES;
    tile[row / AHEAD][row % AHEAD][i % TRIAL_LANES] = vec4f(0.0);
  }
  workgroupBarrier();
  for (var step = 1u; step <= model.steps; step += 1u) {
    let t = select(step, model.steps + 1u - step, BACKWARD == 1u);
    // The rows that are not hidden units': inputs and the one, or dy.
    for (var i = lane.x; i < (ROWS - HIDDEN) * TRIAL_LANES; i += LANES) {
      let row = HIDDEN + i / TRIAL_LANES;
      let vector = min(first_vector + i % TRIAL_LANES, batch_vectors() - 1u);
      tile[row / AHEAD][row % AHEAD][i % TRIAL_LANES] = slots[slot_row(model, source_slot(t), row) + vector];
    }
    workgroupBarrier();
    // for VEC in VECS, U in VECTOR
    var sum_VEC_U = vec4f(0.0);
    // end
    // The first step has no hidden units to sum up.
    for (var r = select(0u, HIDDEN / AHEAD, step == 1u); r < ROWS / AHEAD; r += 1u) {
      // for K in AHEAD
      let s_K = tile[r][K][trials];
      // for VEC in VECS
      let w_K_VEC = parameters[weights + (r * AHEAD + K) * stride + VEC * GROUPS];
      // end
      // end
      // for K in AHEAD, VEC in VECS, U in VECTOR
      sum_VEC_U = fma(vec4f(w_K_VEC[U]), s_K, sum_VEC_U);
      // end
    }
    workgroupBarrier();
    // for VEC in VECS
    if (first + VEC * GROUPS < HIDDEN / 4u) {
      // for U in VECTOR
      finish(model, t, (first + VEC * GROUPS) * 4u + U, trials, first_vector + trials, sum_VEC_U);
      // end
    }
    // end
  }
}

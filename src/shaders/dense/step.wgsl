// One time step of all models, forward or backward (product.wgsl), for networks whose
// slots do not fit workgroup memory: a tiled product.
//
// Mapping: workgroup (x, y, z) = (tile of units, tile of trials, model). Some rows
// of both factors, a stage, are in workgroup memory; an invocation sums 2 vectors
// of units × 2 of trials. The next stage is loaded into registers while this one
// is multiplied. Workgroup memory: STAGE · (TRIAL_LANES + UNIT_LANES) · 32 bytes.

/// Rows of a slot: SLOT, or UNITS backward.
const ROWS = 16u;
/// Rows of a stage; a divisor of ROWS.
const STAGE = 8u;
/// Vectors of a tile, of units and of trials: two an invocation.
const UNIT_LANES = LANES / TRIAL_LANES;
const UNIT_TILE = 2u * UNIT_LANES;
const TRIAL_TILE = 2u * TRIAL_LANES;
/// Loads of an invocation for a stage, of weights and of slots.
const WEIGHT_LOADS = 1u;
const SLOT_LOADS = 1u;

var<workgroup> left: array<array<vec4f, UNIT_TILE>, STAGE>;
var<workgroup> right: array<array<vec4f, TRIAL_TILE>, STAGE>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let model = models[group.z + batch.first_model];
  let t = time.step;
  if (t > model.steps) {
    return;
  }
  let trials = lane.x % TRIAL_LANES;
  let units = lane.x / TRIAL_LANES;
  let first_unit = group.x * UNIT_TILE;
  let first_vector = group.y * TRIAL_TILE;
  let vectors = batch_vectors();
  let stride = select(HIDDEN / 4u, SLOT / 4u, BACKWARD == 1u);
  let weights = (model.parameter_offset + select(UNITS * SLOT, 0u, BACKWARD == 1u)) / 4u;
  // for VEC in PAIR, S in PAIR, U in VECTOR
  var sum_VEC_S_U = vec4f(0.0);
  // end
  // for LOAD in WEIGHT_LOADS
  let weight_LOAD = lane.x + LOAD * LANES;
  var next_w_LOAD = vec4f(0.0);
  // end
  // for LOAD in SLOT_LOADS
  let slot_LOAD = lane.x + LOAD * LANES;
  var next_s_LOAD = vec4f(0.0);
  // end
  // The first step has no hidden units to sum up. One turn more than stages: the first only loads.
  let begin = select(0u, HIDDEN / STAGE, t == select(1u, model.steps, BACKWARD == 1u));
  for (var next = begin; next <= ROWS / STAGE; next += 1u) {
    if (next > begin) {
      workgroupBarrier();
      // for LOAD in WEIGHT_LOADS
      left[weight_LOAD / UNIT_TILE][weight_LOAD % UNIT_TILE] = next_w_LOAD;
      // end
      // for LOAD in SLOT_LOADS
      if (slot_LOAD < STAGE * TRIAL_TILE) {
        right[slot_LOAD / TRIAL_TILE][slot_LOAD % TRIAL_TILE] = next_s_LOAD;
      }
      // end
      workgroupBarrier();
    }
    if (next < ROWS / STAGE) {
      // for LOAD in WEIGHT_LOADS
      next_w_LOAD = parameters[weights + (next * STAGE + weight_LOAD / UNIT_TILE) * stride + min(first_unit + weight_LOAD % UNIT_TILE, HIDDEN / 4u - 1u)];
      // end
      // for LOAD in SLOT_LOADS
      next_s_LOAD = slots[slot_row(model, source_slot(t), min(next * STAGE + slot_LOAD / TRIAL_TILE, ROWS - 1u)) + min(first_vector + slot_LOAD % TRIAL_TILE, vectors - 1u)];
      // end
    }
    if (next > begin) {
      // for K in STAGE
      // for VEC in PAIR
      let w_K_VEC = left[K][units + VEC * UNIT_LANES];
      let s_K_VEC = right[K][trials + VEC * TRIAL_LANES];
      // end
      // for VEC in PAIR, S in PAIR, U in VECTOR
      sum_VEC_S_U = fma(vec4f(w_K_VEC[U]), s_K_S, sum_VEC_S_U);
      // end
      // end
    }
  }
  // for VEC in PAIR, S in PAIR
  let unit_VEC_S = (first_unit + units + VEC * UNIT_LANES) * 4u;
  let vector_VEC_S = first_vector + trials + S * TRIAL_LANES;
  if (unit_VEC_S < HIDDEN && vector_VEC_S < vectors) {
    // for U in VECTOR
    slots[outcome_row(model, t, unit_VEC_S + U) + vector_VEC_S] = outcome(model, t, unit_VEC_S + U, vector_VEC_S, sum_VEC_S_U);
    // end
  }
  // end
}

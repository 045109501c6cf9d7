// Gradient of all parameters of all models, one product over all steps and trials,
// and the update with it: G = Σ_t delta slot t · (state slot t)ᵀ.
//
// Mapping: workgroup (x, y, z) = (tile of columns, tile of units, model). Of both
// factors a stage, 16 trials, is in workgroup memory. An invocation sums
// TM × TN entries, GM units and GN columns apart, in a fixed order.
// Workgroup memory: (TM · GM + TN · GN) · (STAGE + 1) · 16 bytes.
//
// Why so (on an H200, H = 220, batch 128, 120 models): the next stage is loaded into
// registers while this one is multiplied: 32 TFLOP/s, 27 if not. 7 × 7 sums of
// 16 × 16 invocations: 29 with 8 × 8 invocations, 26 with 8 × 8 sums. A row of a
// stage is one vector longer than need be, against conflicts of memory banks.
// Products along trials need no turned copy, which would give 23.

/// Entries of an invocation, and invocations, along the units and the columns.
const TM = 1u;
const TN = 1u;
const GM = 8u;
const GN = 8u;
/// Vectors of trials of a stage.
const STAGE = 4u;
/// Loads of an invocation for a stage.
const LEFT_LOADS = 1u;
const RIGHT_LOADS = 1u;

var<workgroup> left: array<array<vec4f, STAGE + 1u>, TM * GM>;
var<workgroup> right: array<array<vec4f, STAGE + 1u>, TN * GN>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let model = models[group.z + batch.first_model];
  let first_unit = group.y * (TM * GM);
  let first_column = group.x * (TN * GN);
  let own_unit = lane.x / GN;
  let own_column = lane.x % GN;
  let vectors = batch_vectors();
  let stages_each = (vectors + STAGE - 1u) / STAGE;
  // h_0 = 0: tiles of hidden columns alone begin with slot 1. delta_{T+1} = 0: those of hidden units alone end before slot T.
  let begin = begin_slot(select(0u, 1u, first_column + TN * GN <= HIDDEN));
  let end = end_slot(model.steps + select(1u, 0u, first_unit + TM * GM <= HIDDEN));
  // for I in TM, J in TN
  var sum_I_J = gradient_before(min(first_unit + own_unit + I * GM, UNITS - 1u) * SLOT + min(first_column + own_column + J * GN, SLOT - 1u));
  // end
  // for LOAD in LEFT_LOADS
  let unit_LOAD = min(first_unit + (lane.x + LOAD * LANES) / STAGE, UNITS - 1u) * VECTORS;
  var next_d_LOAD = vec4f(0.0);
  // end
  // for LOAD in RIGHT_LOADS
  let column_LOAD = min(first_column + (lane.x + LOAD * LANES) / STAGE, SLOT - 1u) * VECTORS;
  var next_s_LOAD = vec4f(0.0);
  // end
  // Each invocation loads the same vector of all its rows, as STAGE divides LANES.
  let own_vector = lane.x % STAGE;
  var t = begin;
  var vector = 0u;
  // What an earlier batch has left beyond the end of this one counts for nothing, be it NaN.
  var is_there = false;
  // One turn more than stages: the first only loads. What it loads is not looked at before the next turn, or it would be waited for.
  for (var next = begin * stages_each; next <= end * stages_each; next += 1u) {
    if (next > begin * stages_each) {
      workgroupBarrier();
      // for LOAD in LEFT_LOADS
      if (lane.x + LOAD * LANES < TM * GM * STAGE) {
        left[(lane.x + LOAD * LANES) / STAGE][own_vector] = select(vec4f(0.0), next_d_LOAD, is_there);
      }
      // end
      // for LOAD in RIGHT_LOADS
      if (lane.x + LOAD * LANES < TN * GN * STAGE) {
        right[(lane.x + LOAD * LANES) / STAGE][own_vector] = select(vec4f(0.0), next_s_LOAD, is_there);
      }
      // end
      workgroupBarrier();
    }
    if (next < end * stages_each) {
      is_there = vector + own_vector < vectors;
      let d = delta_row(model, t, 0u) + min(vector + own_vector, vectors - 1u);
      let s = state_row(model, t, 0u) + min(vector + own_vector, vectors - 1u);
      // for LOAD in LEFT_LOADS
      next_d_LOAD = delta[d + unit_LOAD];
      // end
      // for LOAD in RIGHT_LOADS
      next_s_LOAD = state[s + column_LOAD];
      // end
      vector += STAGE;
      if (vector >= vectors) {
        vector = 0u;
        t += 1u;
      }
    }
    if (next > begin * stages_each) {
      // for Q in STAGE
      // for I in TM
      let d_Q_I = left[own_unit + I * GM][Q];
      // end
      // for J in TN
      let s_Q_J = right[own_column + J * GN][Q];
      // end
      // for I in TM, J in TN
      sum_I_J = fma(d_Q_I.x, s_Q_J.x, fma(d_Q_I.y, s_Q_J.y, fma(d_Q_I.z, s_Q_J.z, fma(d_Q_I.w, s_Q_J.w, sum_I_J))));
      // end
      // end
    }
  }
  var sums = array<f32, TM * TN>();
  // for I in TM, J in TN
  sums[I * TN + J] = sum_I_J;
  // end
  let mask_words = (SLOT + 31u) / 32u;
  var words = array<u32, TN>();
  var before = array<f32, TN>();
  var moments_before = array<vec2f, TN>();
  for (var i = 0u; i < TM; i += 1u) {
    let unit = first_unit + own_unit + i * GM;
    if (unit >= UNITS) {
      break;
    }
    // for J in TN
    let column_J = min(first_column + own_column + J * GN, SLOT - 1u);
    let word_J = lists[model.mask_at + unit * mask_words + column_J / 32u];
    let before_J = parameters[model.parameter_offset + unit * SLOT + column_J];
    let moments_J = moments[model.moment_offset + unit * SLOT + column_J];
    // end
    // for J in TN
    words[J] = word_J;
    before[J] = before_J;
    moments_before[J] = moments_J;
    // end
    for (var j = 0u; j < TN; j += 1u) {
      let column = first_column + own_column + j * GN;
      if (column >= SLOT || ((words[j] >> (column % 32u)) & 1u) == 0u) {
        continue;
      }
      let weight = Weight(unit, column, unit * SLOT + column);
      let value = learn(model, weight, sums[i * TN + j], before[j], moments_before[j]);
      if (unit < HIDDEN) {
        parameters[model.parameter_offset + UNITS * SLOT + column * HIDDEN + unit] = value;
      }
    }
  }
}

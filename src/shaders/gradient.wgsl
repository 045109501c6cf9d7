// Gradient of the recurrent parameters, [W_hh | W_ih | b], of all models, as one
// product over all steps and batch rows: G = Σ_t Σ_b delta_t[b]ᵀ s_{t-1}[b].
//
// Mapping: workgroup (x, y, z) = (tile of columns, tile of units, model); the
// deltas' addresses are the same for the whole workgroup, its LANES invocations
// span the columns; each computes 4 · TILE_UNITS units × VECS vectors of four
// columns. The sum over steps and rows runs in a fixed order. Workgroup memory:
// none. Unrolled by the host as forward_step.wgsl is.

const TILE_UNITS = 1u;
const UNIT = 0u;

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
/// Per model [steps + 1, BATCH, WIDTH], in vectors of four.
@group(0) @binding(1) var<storage, read> state: array<vec4f>;
/// Per model [steps, BATCH, HIDDEN], in vectors of four.
@group(0) @binding(2) var<storage, read> delta: array<vec4f>;
/// [models, UNITS, WIDTH], in vectors of four; rows below HIDDEN are written.
@group(0) @binding(3) var<storage, read_write> gradient: array<vec4f>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let m = group.z + batch.first_model;
  let model = models[m];
  let first_unit = group.y * TILE_UNITS;
  let first_column = group.x * (LANES * VECS) + lane.x;
  // for VEC in VECS
  let column_VEC = min(first_column + VEC * LANES, WIDTH / 4u - 1u);
  // end
  // for UNIT in TILE_UNITS
  let unit_UNIT = min(first_unit + UNIT, HIDDEN / 4u - 1u);
  // for VEC in VECS
  var x_UNIT_VEC = vec4f(0.0);
  var y_UNIT_VEC = vec4f(0.0);
  var z_UNIT_VEC = vec4f(0.0);
  var w_UNIT_VEC = vec4f(0.0);
  // end
  // end
  // h_0 = 0: tiles of hidden columns alone begin with the second step.
  let hidden_alone = (group.x + 1u) * (LANES * VECS) <= HIDDEN / 4u;
  for (var t = select(0u, 1u, hidden_alone); t < model.steps; t += 1u) {
    let deltas = model.delta_offset / 4u + t * BATCH * (HIDDEN / 4u);
    let sources = model.state_offset / 4u + t * BATCH * (WIDTH / 4u);
    for (var b = 0u; b < batch.size; b += 1u) {
      // for VEC in VECS
      let source_VEC = state[sources + b * (WIDTH / 4u) + column_VEC];
      // end
      // for UNIT in TILE_UNITS
      let delta_UNIT = delta[deltas + b * (HIDDEN / 4u) + unit_UNIT];
      // for VEC in VECS
      x_UNIT_VEC = fma(vec4f(delta_UNIT.x), source_VEC, x_UNIT_VEC);
      y_UNIT_VEC = fma(vec4f(delta_UNIT.y), source_VEC, y_UNIT_VEC);
      z_UNIT_VEC = fma(vec4f(delta_UNIT.z), source_VEC, z_UNIT_VEC);
      w_UNIT_VEC = fma(vec4f(delta_UNIT.w), source_VEC, w_UNIT_VEC);
      // end
      // end
    }
  }
  let target_rows = m * (UNITS * WIDTH / 4u);
  // Units beyond the last are the last once more, so need no guard.
  // for VEC in VECS
  if (first_column + VEC * LANES < WIDTH / 4u) {
    let target_VEC = target_rows + column_VEC;
    // for UNIT in TILE_UNITS
    gradient[target_VEC + unit_UNIT * WIDTH] = x_UNIT_VEC;
    gradient[target_VEC + unit_UNIT * WIDTH + WIDTH / 4u] = y_UNIT_VEC;
    gradient[target_VEC + unit_UNIT * WIDTH + 2u * (WIDTH / 4u)] = z_UNIT_VEC;
    gradient[target_VEC + unit_UNIT * WIDTH + 3u * (WIDTH / 4u)] = w_UNIT_VEC;
    // end
  }
  // end
}

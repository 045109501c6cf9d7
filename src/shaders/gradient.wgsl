// Gradient of the recurrent parameters, [W_hh | W_ih | b], of all models, as one
// product over all steps and batch rows: G = Σ_t Σ_b delta_t[b]ᵀ s_{t-1}[b].
//
// Mapping: workgroup (x, y, z) = (tile of columns, tile of units, model). Of its
// LANES invocations COLUMN_LANES lie side by side along the columns, the others
// along the units; each sums 4 · ROWS units × VECS vectors of four columns in
// registers, over steps and rows in a fixed order. Unrolled by the host as
// forward_step.wgsl is. Workgroup memory: none.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
/// Per model [steps + 1, BATCH, WIDTH], in vectors of four.
@group(0) @binding(1) var<storage, read> state: array<vec4f>;
/// Per model [steps, BATCH, HIDDEN], in vectors of four.
@group(0) @binding(2) var<storage, read> delta: array<vec4f>;
/// [models, PANEL_UNITS, WIDTH], in vectors of four; rows of units below HIDDEN are written.
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
  // Units are counted in fours from here on.
  let panel = time.first_unit / 4u;
  let panel_end = min(panel + (PANEL_UNITS + 3u) / 4u, HIDDEN / 4u);
  let first_unit = panel + (group.y * (LANES / COLUMN_LANES) + lane.x / COLUMN_LANES) * ROWS;
  if (first_unit >= panel_end) {
    return;
  }
  let first_column = group.x * (COLUMN_LANES * VECS) + lane.x % COLUMN_LANES;
  // for VEC in VECS
  let column_VEC = min(first_column + VEC * COLUMN_LANES, WIDTH / 4u - 1u);
  // end
  // for ROW in ROWS
  let unit_ROW = min(first_unit + ROW, panel_end - 1u);
  // for VEC in VECS
  var x_ROW_VEC = vec4f(0.0);
  var y_ROW_VEC = vec4f(0.0);
  var z_ROW_VEC = vec4f(0.0);
  var w_ROW_VEC = vec4f(0.0);
  // end
  // end
  // h_0 = 0: tiles of hidden columns alone begin with the second step.
  let hidden_alone = (group.x + 1u) * (COLUMN_LANES * VECS) <= HIDDEN / 4u;
  for (var t = select(0u, 1u, hidden_alone); t < model.steps; t += 1u) {
    let deltas = model.delta_offset / 4u + t * BATCH * (HIDDEN / 4u);
    let sources = model.state_offset / 4u + t * BATCH * (WIDTH / 4u);
    for (var b = 0u; b < batch.size; b += 1u) {
      // for VEC in VECS
      let source_VEC = state[sources + b * (WIDTH / 4u) + column_VEC];
      // end
      // for ROW in ROWS
      let delta_ROW = delta[deltas + b * (HIDDEN / 4u) + unit_ROW];
      // for VEC in VECS
      x_ROW_VEC = fma(vec4f(delta_ROW.x), source_VEC, x_ROW_VEC);
      y_ROW_VEC = fma(vec4f(delta_ROW.y), source_VEC, y_ROW_VEC);
      z_ROW_VEC = fma(vec4f(delta_ROW.z), source_VEC, z_ROW_VEC);
      w_ROW_VEC = fma(vec4f(delta_ROW.w), source_VEC, w_ROW_VEC);
      // end
      // end
    }
  }
  let target_rows = m * (PANEL_UNITS * WIDTH / 4u);
  // Units beyond the last are the last once more, so need no guard.
  // for VEC in VECS
  if (first_column + VEC * COLUMN_LANES < WIDTH / 4u) {
    let target_VEC = target_rows + column_VEC;
    // for ROW in ROWS
    gradient[target_VEC + (unit_ROW - panel) * WIDTH] = x_ROW_VEC;
    gradient[target_VEC + (unit_ROW - panel) * WIDTH + WIDTH / 4u] = y_ROW_VEC;
    gradient[target_VEC + (unit_ROW - panel) * WIDTH + 2u * (WIDTH / 4u)] = z_ROW_VEC;
    gradient[target_VEC + (unit_ROW - panel) * WIDTH + 3u * (WIDTH / 4u)] = w_ROW_VEC;
    // end
  }
  // end
}

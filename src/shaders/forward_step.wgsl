// One time step of all models: h_t = act(W_hh h_{t-1} + W_ih x_t + b_ih + b_hh).
//
// The state row of a trial at step t is s_t = [h_t | x_{t+1} | 1 | 0…], so that
// the whole sum is one product of s_{t-1} with the augmented weights
// [W_hh | W_ih | b_ih + b_hh].
//
// Mapping: workgroup (x, y, z) = (tile of target units, tile of batch rows,
// model). Of its LANES invocations COLUMN_LANES lie side by side along the units,
// the others along the rows; each sums ROWS batch rows × VECS vectors of four
// units in registers, four terms a turn of the loop. Sums are stored as they are and activated in
// a second sweep over the tile: so the activation is compiled once, not for
// every sum, which takes software adapters many times as long.
// Workgroup memory: none.
//
// Constants and structs: layout.wgsl, activate(): activation.wgsl. The blocks between "for … in" and "end"
// are unrolled by the host (src/gpu/expand_shader.ts); as it stands the file is
// the kernel of one row and one vector.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
/// Per model [steps + 1, BATCH, WIDTH], in vectors of four.
@group(0) @binding(1) var<storage, read_write> state: array<vec4f>;
/// [models, UNITS, WIDTH], in vectors of four columns.
@group(0) @binding(2) var<storage, read> parameters: array<vec4f>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let m = group.z + batch.first_model;
  let model = models[m];
  if (time.step > model.steps) {
    return;
  }
  let first_row = (group.y * (LANES / COLUMN_LANES) + lane.x / COLUMN_LANES) * ROWS;
  if (first_row >= batch.size) {
    return;
  }
  let first_column = group.x * (COLUMN_LANES * VECS) + lane.x % COLUMN_LANES;
  let before = model.state_offset / 4u + (time.step - 1u) * BATCH * (WIDTH / 4u);
  let after = before + BATCH * (WIDTH / 4u);
  let weights = m * (UNITS * WIDTH / 4u);
  // for VEC in VECS
  let unit_VEC = weights + min(first_column + VEC * COLUMN_LANES, HIDDEN / 4u - 1u) * WIDTH;
  // end
  // for ROW in ROWS
  let row_ROW = before + min(first_row + ROW, batch.size - 1u) * (WIDTH / 4u);
  // for VEC in VECS
  var sum_ROW_VEC = vec4f(0.0);
  // end
  // end
  // h_0 = 0: the first step has its inputs alone.
  for (var k = select(0u, HIDDEN / 4u, time.step == 1u); k < WIDTH / 4u; k += 1u) {
    // for VEC in VECS
    let x_VEC = parameters[unit_VEC + k];
    let y_VEC = parameters[unit_VEC + k + WIDTH / 4u];
    let z_VEC = parameters[unit_VEC + k + 2u * (WIDTH / 4u)];
    let w_VEC = parameters[unit_VEC + k + 3u * (WIDTH / 4u)];
    // end
    // for ROW in ROWS
    let s_ROW = state[row_ROW + k];
    // for VEC in VECS
    sum_ROW_VEC += vec4f(dot(s_ROW, x_VEC), dot(s_ROW, y_VEC), dot(s_ROW, z_VEC), dot(s_ROW, w_VEC));
    // end
    // end
  }
  // Rows beyond the batch are its last row once more, so need no guard.
  // for VEC in VECS
  if (first_column + VEC * COLUMN_LANES < HIDDEN / 4u) {
    let target_VEC = BATCH * (WIDTH / 4u) + first_column + VEC * COLUMN_LANES;
    // for ROW in ROWS
    state[row_ROW + target_VEC] = sum_ROW_VEC;
    // end
  }
  // end
  // One loop with a bound that no compiler knows, lest it be unrolled.
  let rows_here = min(ROWS, batch.size - first_row);
  for (var i = 0u; i < rows_here * VECS; i += 1u) {
    let row = first_row + i / VECS;
    let column = first_column + (i % VECS) * COLUMN_LANES;
    if (column < HIDDEN / 4u) {
      let at = after + row * (WIDTH / 4u) + column;
      state[at] = activate(state[at], model.activation);
    }
  }
}

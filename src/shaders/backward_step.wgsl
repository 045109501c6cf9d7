// One time step of backpropagation through time, of all models:
// delta_t = act'(h_t) ⊙ (W_hhᵀ delta_{t+1} + W_fcᵀ dy_t), delta_{T+1} = 0.
//
// Mapping: workgroup (x, y, z) = (tile of source units, tile of batch rows,
// model), tiles, sweeps and unrolling as in forward_step.wgsl.
// Workgroup memory: none.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
/// Per model [steps + 1, BATCH, WIDTH], in vectors of four.
@group(0) @binding(1) var<storage, read> state: array<vec4f>;
/// Per model [steps, BATCH, HIDDEN], in vectors of four.
@group(0) @binding(2) var<storage, read_write> delta: array<vec4f>;
/// [models, UNITS, WIDTH], in vectors of four source units.
@group(0) @binding(3) var<storage, read> parameters: array<vec4f>;
/// Per model [steps, BATCH]: gradient by y.
@group(0) @binding(4) var<storage, read> output_delta: array<vec4f>;
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
  if (t > model.steps) {
    return;
  }
  let first_row = (group.y * (LANES / COLUMN_LANES) + lane.x / COLUMN_LANES) * ROWS;
  if (first_row >= batch.size) {
    return;
  }
  let first_column = group.x * (COLUMN_LANES * VECS) + lane.x % COLUMN_LANES;
  let here = model.delta_offset / 4u + (t - 1u) * BATCH * (HIDDEN / 4u);
  let after = here + BATCH * (HIDDEN / 4u);
  let weights = m * (UNITS * WIDTH / 4u);
  // for VEC in VECS
  let column_VEC = weights + min(first_column + VEC * COLUMN_LANES, HIDDEN / 4u - 1u);
  // end
  // for ROW in ROWS
  let row_ROW = min(first_row + ROW, batch.size - 1u) * (HIDDEN / 4u);
  // for VEC in VECS
  var sum_ROW_VEC = vec4f(0.0);
  // end
  // end
  for (var r = select(0u, HIDDEN / 4u, t == model.steps); r < HIDDEN / 4u; r += 1u) {
    // for VEC in VECS
    let x_VEC = parameters[column_VEC + r * WIDTH];
    let y_VEC = parameters[column_VEC + r * WIDTH + WIDTH / 4u];
    let z_VEC = parameters[column_VEC + r * WIDTH + 2u * (WIDTH / 4u)];
    let w_VEC = parameters[column_VEC + r * WIDTH + 3u * (WIDTH / 4u)];
    // end
    // for ROW in ROWS
    let d_ROW = delta[after + row_ROW + r];
    // for VEC in VECS
    sum_ROW_VEC += (d_ROW.x * x_VEC + d_ROW.y * y_VEC) + (d_ROW.z * z_VEC + d_ROW.w * w_VEC);
    // end
    // end
  }
  // Rows beyond the batch are its last row once more, so need no guard.
  // for VEC in VECS
  if (first_column + VEC * COLUMN_LANES < HIDDEN / 4u) {
    let target_VEC = first_column + VEC * COLUMN_LANES;
    // for ROW in ROWS
    delta[here + row_ROW + target_VEC] = sum_ROW_VEC;
    // end
  }
  // end
  let readout = weights + HIDDEN * (WIDTH / 4u);
  let scored = t > model.first_scored;
  // One loop with a bound that no compiler knows, lest it be unrolled.
  let rows_here = min(ROWS, batch.size - first_row);
  for (var i = 0u; i < rows_here * VECS; i += 1u) {
    let row = first_row + i / VECS;
    let column = first_column + (i % VECS) * COLUMN_LANES;
    if (column < HIDDEN / 4u) {
      let at = here + row * (HIDDEN / 4u) + column;
      var sum = delta[at];
      if (scored) {
        let dy = output_delta[model.output_offset + (t - 1u) * BATCH + row];
        for (var o = 0u; o < OUTPUTS; o += 1u) {
          sum = fma(vec4f(dy[o]), parameters[readout + o * (WIDTH / 4u) + column], sum);
        }
      }
      let h = state[model.state_offset / 4u + (t * BATCH + row) * (WIDTH / 4u) + column];
      delta[at] = through(sum, h, model.activation);
    }
  }
}

// One time step of backpropagation through time, of all models:
// delta_t = act'(h_t) ⊙ (W_hhᵀ delta_{t+1} + W_fcᵀ dy_t), delta_{T+1} = 0.
//
// Mapping: workgroup (x, y, z) = (tile of units, tile of batch rows, model), as
// in forward_step.wgsl: the deltas' addresses are the same for the whole
// workgroup, its LANES invocations span the units. Workgroup memory: none.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
/// Per model [steps + 1, BATCH, WIDTH], in vectors of four.
@group(0) @binding(1) var<storage, read> state: array<vec4f>;
/// Per model [steps, BATCH, HIDDEN].
@group(0) @binding(2) var<storage, read_write> delta: array<f32>;
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
  let first_row = group.y * ROWS;
  let first_column = group.x * (LANES * VECS) + lane.x;
  let here = model.delta_offset + (t - 1u) * BATCH * HIDDEN;
  let after = here + BATCH * HIDDEN;
  let weights = m * (UNITS * WIDTH / 4u);
  // for VEC in VECS
  let column_VEC = weights + min(first_column + VEC * LANES, HIDDEN / 4u - 1u);
  // end
  // for ROW in ROWS
  let row_ROW = after + min(first_row + ROW, batch.size - 1u) * HIDDEN;
  // for VEC in VECS
  var sum_ROW_VEC = vec4f(0.0);
  // end
  // end
  for (var r = select(0u, HIDDEN, t == model.steps); r < HIDDEN; r += 1u) {
    // for VEC in VECS
    let weight_VEC = parameters[column_VEC + r * (WIDTH / 4u)];
    // end
    // for ROW in ROWS
    let later_ROW = vec4f(delta[row_ROW + r]);
    // for VEC in VECS
    sum_ROW_VEC = fma(later_ROW, weight_VEC, sum_ROW_VEC);
    // end
    // end
  }
  // The sums are stored as they are, and finished in a loop that is emitted once:
  // unrolled, the rest takes some drivers half a minute to compile.
  // for VEC in VECS
  let place_VEC = here + first_row * HIDDEN + (first_column + VEC * LANES) * 4u;
  let inside_VEC = first_column + VEC * LANES < HIDDEN / 4u;
  // end
  // for ROW in ROWS
  // for VEC in VECS
  if (inside_VEC && first_row + ROW < batch.size) {
    delta[place_VEC + ROW * HIDDEN] = sum_ROW_VEC.x;
    delta[place_VEC + ROW * HIDDEN + 1u] = sum_ROW_VEC.y;
    delta[place_VEC + ROW * HIDDEN + 2u] = sum_ROW_VEC.z;
    delta[place_VEC + ROW * HIDDEN + 3u] = sum_ROW_VEC.w;
  }
  // end
  // end
  let readout = weights + HIDDEN * (WIDTH / 4u);
  for (var i = 0u; i < ROWS * VECS; i += 1u) {
    let row = first_row + i / VECS;
    let column = first_column + (i % VECS) * LANES;
    if (row < batch.size && column < HIDDEN / 4u) {
      let at = here + row * HIDDEN + column * 4u;
      var sum = vec4f(delta[at], delta[at + 1u], delta[at + 2u], delta[at + 3u]);
      if (t > model.first_scored) {
        let dy = output_delta[model.output_offset + (t - 1u) * BATCH + row];
        for (var o = 0u; o < OUTPUTS; o += 1u) {
          sum = fma(vec4f(dy[o]), parameters[readout + o * (WIDTH / 4u) + column], sum);
        }
      }
      let h = state[model.state_offset / 4u + (t * BATCH + row) * (WIDTH / 4u) + column];
      let slope = select(1.0 - h * h, select(vec4f(0.0), vec4f(1.0), h > vec4f(0.0)), model.activation == 1u);
      // A product with NaN must stay NaN, so the slope multiplies and does not select.
      let result = sum * slope;
      delta[at] = result.x;
      delta[at + 1u] = result.y;
      delta[at + 2u] = result.z;
      delta[at + 3u] = result.w;
    }
  }
}

// Backpropagation through all time steps of all models:
// delta_t = act'(h_t) ⊙ (W_hhᵀ delta_{t+1} + W_fcᵀ dy_t), delta_{T+1} = 0,
// t = T … 1, for networks whose deltas fit workgroup memory. What
// backward_step.wgsl does with a dispatch a step.
//
// Mapping: workgroup (x, y, z) = (0, tile of batch rows, model). It keeps the
// deltas of its TILE_ROWS trials in workgroup memory over all steps; invocations
// lie as in forward_sequence.wgsl.
// Workgroup memory: TILE_ROWS · HIDDEN · 4 bytes.

/// Trials of a workgroup: ROWS times the invocations that lie along the rows.
const TILE_ROWS = 1u;

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

/// [TILE_ROWS, HIDDEN], in vectors of four.
var<workgroup> tile: array<vec4f, TILE_ROWS * HIDDEN / 4u>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let m = group.z + batch.first_model;
  let model = models[m];
  let first_row = group.y * TILE_ROWS;
  let unit = lane.x % (HIDDEN / 4u);
  let own_row = lane.x / (HIDDEN / 4u) * ROWS;
  let works = own_row < TILE_ROWS;
  let weights = m * (UNITS * WIDTH / 4u) + unit;
  let readout = weights + HIDDEN * (WIDTH / 4u);
  // for ROW in ROWS
  let tile_ROW = min(own_row + ROW, TILE_ROWS - 1u) * (HIDDEN / 4u);
  let trial_ROW = min(first_row + own_row + ROW, batch.size - 1u);
  // end
  for (var t = model.steps; t >= 1u; t -= 1u) {
    workgroupBarrier();
    // for ROW in ROWS
    var sum_ROW = vec4f(0.0);
    // end
    for (var r = select(0u, HIDDEN / 4u, t == model.steps); r < HIDDEN / 4u; r += 1u) {
      let x = parameters[weights + r * WIDTH];
      let y = parameters[weights + r * WIDTH + WIDTH / 4u];
      let z = parameters[weights + r * WIDTH + 2u * (WIDTH / 4u)];
      let w = parameters[weights + r * WIDTH + 3u * (WIDTH / 4u)];
      // for ROW in ROWS
      let d_ROW = tile[tile_ROW + r];
      sum_ROW += (d_ROW.x * x + d_ROW.y * y) + (d_ROW.z * z + d_ROW.w * w);
      // end
    }
    workgroupBarrier();
    if (works) {
      let here = model.delta_offset / 4u + (t - 1u) * BATCH * (HIDDEN / 4u) + unit;
      let states = model.state_offset / 4u + t * BATCH * (WIDTH / 4u) + unit;
      // for ROW in ROWS
      if (t > model.first_scored) {
        let dy = output_delta[model.output_offset + (t - 1u) * BATCH + trial_ROW];
        for (var o = 0u; o < OUTPUTS; o += 1u) {
          sum_ROW = fma(vec4f(dy[o]), parameters[readout + o * (WIDTH / 4u)], sum_ROW);
        }
      }
      let h_ROW = state[states + trial_ROW * (WIDTH / 4u)];
      let delta_ROW = through(sum_ROW, h_ROW, model.activation);
      tile[tile_ROW + unit] = delta_ROW;
      if (first_row + own_row + ROW < batch.size) {
        delta[here + trial_ROW * (HIDDEN / 4u)] = delta_ROW;
      }
      // end
    }
  }
}

// All time steps of all models: h_t = act(W_hh h_{t-1} + W_ih x_t + b_ih + b_hh),
// t = 1 … T, for networks whose states fit workgroup memory. What forward_step.wgsl
// does with a dispatch a step, without the trips to global memory in between.
//
// Mapping: workgroup (x, y, z) = (0, tile of batch rows, model). It keeps the
// state rows [h_{t-1} | x_t | 1 | 0…] of its TILE_ROWS trials in workgroup memory
// over all steps. An invocation sums ROWS trials × one vector of four units;
// HIDDEN / 4 invocations lie side by side along the units.
// Workgroup memory: TILE_ROWS · WIDTH · 4 bytes.
//
// Constants and structs: layout.wgsl, activate(): activation.wgsl; unrolled by the host as forward_step.wgsl is.

/// Trials of a workgroup: ROWS times the invocations that lie along the rows.
const TILE_ROWS = 1u;

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
/// Per model [steps + 1, BATCH, WIDTH], in vectors of four.
@group(0) @binding(1) var<storage, read_write> state: array<vec4f>;
/// [models, WIDTH, HIDDEN], in vectors of four units: the recurrent rows of the parameters, turned, so that invocations side by side load what lies side by side.
@group(0) @binding(2) var<storage, read> turned: array<vec4f>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

/// [TILE_ROWS, WIDTH], in vectors of four.
var<workgroup> tile: array<vec4f, TILE_ROWS * WIDTH / 4u>;

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
  // Some invocations may be left over; they help to copy inputs and else wait.
  let works = own_row < TILE_ROWS;
  let weights = m * (WIDTH * HIDDEN / 4u) + unit;
  let states = model.state_offset / 4u;
  // for ROW in ROWS
  let tile_ROW = min(own_row + ROW, TILE_ROWS - 1u) * (WIDTH / 4u);
  // end
  for (var t = 1u; t <= model.steps; t += 1u) {
    for (var i = lane.x; i < TILE_ROWS * (WIDTH - HIDDEN) / 4u; i += LANES) {
      let row = i / ((WIDTH - HIDDEN) / 4u);
      let column = HIDDEN / 4u + i % ((WIDTH - HIDDEN) / 4u);
      let trial = (t - 1u) * BATCH + min(first_row + row, batch.size - 1u);
      tile[row * (WIDTH / 4u) + column] = state[states + trial * (WIDTH / 4u) + column];
    }
    workgroupBarrier();
    // for ROW in ROWS
    var sum_ROW = vec4f(0.0);
    // end
    // h_0 = 0: the first step has its inputs alone.
    for (var k = select(0u, HIDDEN / 4u, t == 1u); k < WIDTH / 4u; k += 1u) {
      let x = turned[weights + k * HIDDEN];
      let y = turned[weights + k * HIDDEN + HIDDEN / 4u];
      let z = turned[weights + k * HIDDEN + 2u * (HIDDEN / 4u)];
      let w = turned[weights + k * HIDDEN + 3u * (HIDDEN / 4u)];
      // for ROW in ROWS
      let s_ROW = tile[tile_ROW + k];
      sum_ROW += (s_ROW.x * x + s_ROW.y * y) + (s_ROW.z * z + s_ROW.w * w);
      // end
    }
    workgroupBarrier();
    if (works) {
      let after = states + (t * BATCH + first_row + own_row) * (WIDTH / 4u) + unit;
      // for ROW in ROWS
      let h_ROW = activate(sum_ROW, model.activation);
      tile[tile_ROW + unit] = h_ROW;
      if (first_row + own_row + ROW < batch.size) {
        state[after + ROW * (WIDTH / 4u)] = h_ROW;
      }
      // end
    }
  }
}

// One time step of all models: h_t = act(W_hh h_{t-1} + W_ih x_t + b_ih + b_hh).
//
// The state row of a trial at step t is s_t = [h_t | x_{t+1} | 1 | 0…], so that
// the whole sum is one product of s_{t-1} with the augmented weights
// [W_hh | W_ih | b_ih + b_hh], kept transposed (source, target) for this kernel.
//
// Mapping: workgroup (x, y, z) = (tile of target units, tile of batch rows,
// model). The LANES invocations span target units; each computes ROWS batch
// rows × VECS vectors of four units, `VECS * LANES * 4` units a workgroup.
// State addresses are the same for the whole workgroup (one load, broadcast);
// weights are read once a workgroup and used for ROWS rows.
// Workgroup memory: none.
//
// Constants and structs: layout.wgsl. The blocks between "for … in" and "end" are unrolled by the host
// (src/gpu/expand_shader.ts); as it stands the file is the kernel of one row
// and one vector.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
/// Per model [steps + 1, BATCH, WIDTH].
@group(0) @binding(1) var<storage, read_write> state: array<f32>;
/// [models, WIDTH, HIDDEN], in vectors of four target units.
@group(0) @binding(2) var<storage, read> weights: array<vec4f>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

/// tanh within a few units of the last place: drivers' own is often good to
/// 1e-4 only. A quotient of polynomials in x², fitted to tanh(x) / x on
/// |x| < 8.7, where tanh is 1 in single precision.
fn precise_tanh(argument: vec4f) -> vec4f {
  let x = clamp(argument, vec4f(-8.7), vec4f(8.7));
  let u = x * x;
  let above = ((((-1.29025762e-11 * u + 3.15099797e-8) * u + 2.83871853e-5) * u + 3.88702371e-3) * u +
    0.136948059) * u + 1.0;
  let below = (((1.31404705e-6 * u + 3.97167906e-4) * u + 2.73141662e-2) * u + 0.470281384) * u + 1.0;
  return x * (above / below);
}

fn activate(x: vec4f, activation: u32) -> vec4f {
  if (activation == 0u) {
    // NaN stays NaN, as it must: a plain max would hide it.
    return select(precise_tanh(x), x, x != x);
  }
  return select(max(x, vec4f(0.0)), x, x != x);
}

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
  let first_row = group.y * ROWS;
  let first_column = group.x * (LANES * VECS) + lane.x;
  let before = model.state_offset + (time.step - 1u) * BATCH * WIDTH;
  let after = before + BATCH * WIDTH;
  let weights_of_model = m * (WIDTH * HIDDEN / 4u);
  // for VEC in VECS
  let column_VEC = weights_of_model + min(first_column + VEC * LANES, HIDDEN / 4u - 1u);
  // end
  // for ROW in ROWS
  let row_ROW = before + min(first_row + ROW, batch.size - 1u) * WIDTH;
  // for VEC in VECS
  var sum_ROW_VEC = vec4f(0.0);
  // end
  // end
  // h_0 = 0: the first step has its inputs alone.
  for (var k = select(0u, HIDDEN, time.step == 1u); k < USED; k += 1u) {
    // for VEC in VECS
    let weight_VEC = weights[column_VEC + k * (HIDDEN / 4u)];
    // end
    // for ROW in ROWS
    let source_ROW = vec4f(state[row_ROW + k]);
    // for VEC in VECS
    sum_ROW_VEC = fma(source_ROW, weight_VEC, sum_ROW_VEC);
    // end
    // end
  }
  // The sums are stored as they are, and finished in a loop that is emitted once:
  // unrolled, the rest takes some drivers half a minute to compile.
  // for VEC in VECS
  let place_VEC = after + first_row * WIDTH + (first_column + VEC * LANES) * 4u;
  let inside_VEC = first_column + VEC * LANES < HIDDEN / 4u;
  // end
  // for ROW in ROWS
  // for VEC in VECS
  if (inside_VEC && first_row + ROW < batch.size) {
    state[place_VEC + ROW * WIDTH] = sum_ROW_VEC.x;
    state[place_VEC + ROW * WIDTH + 1u] = sum_ROW_VEC.y;
    state[place_VEC + ROW * WIDTH + 2u] = sum_ROW_VEC.z;
    state[place_VEC + ROW * WIDTH + 3u] = sum_ROW_VEC.w;
  }
  // end
  // end
  for (var i = 0u; i < ROWS * VECS; i += 1u) {
    let row = first_row + i / VECS;
    let column = first_column + (i % VECS) * LANES;
    if (row < batch.size && column < HIDDEN / 4u) {
      let at = after + row * WIDTH + column * 4u;
      let sum = vec4f(state[at], state[at + 1u], state[at + 2u], state[at + 3u]);
      let h = activate(sum, model.activation);
      state[at] = h.x;
      state[at + 1u] = h.y;
      state[at + 2u] = h.z;
      state[at + 3u] = h.w;
    }
  }
}

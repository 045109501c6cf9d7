// One optimizer step of all models; where the mask has a 0 (no connection, frozen,
// padding) nothing changes. Both biases of the recurrent layer have the same
// gradient and so the same moments: these are kept once, the biases twice, and the
// parameter matrix holds their sum.
//
// update() and the formulas: update.wgsl.
//
// Mapping: workgroup (x, y, z) = (tile of columns, unit of the panel, model); an invocation
// updates four columns. Workgroup memory: none.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
/// [models, PANEL_UNITS, WIDTH], in vectors of four.
@group(0) @binding(1) var<storage, read> gradient: array<vec4f>;
/// [models, UNITS, MASK_WORDS]: a bit a column, 1 = trained.
@group(0) @binding(2) var<storage, read> trained: array<u32>;
/// [models, UNITS, WIDTH], in vectors of four.
@group(0) @binding(3) var<storage, read_write> parameters: array<vec4f>;
/// [models, UNITS, WIDTH], in vectors of four.
@group(0) @binding(4) var<storage, read_write> first_moment: array<vec4f>;
/// [models, UNITS, WIDTH], in vectors of four.
@group(0) @binding(5) var<storage, read_write> second_moment: array<vec4f>;
/// [models, HIDDEN]: b_ih and b_hh.
@group(0) @binding(6) var<storage, read_write> biases: array<vec2f>;
/// [models, WIDTH, HIDDEN]: the recurrent rows of the parameters, turned, with TURNED 1.
@group(0) @binding(7) var<storage, read_write> turned: array<f32>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let m = group.z + batch.first_model;
  let column = group.x * LANES + lane.x;
  let unit = time.first_unit + group.y;
  if (column >= WIDTH / 4u) {
    return;
  }
  let row = m * UNITS + unit;
  let word = trained[row * MASK_WORDS + column / 8u] >> ((column % 8u) * 4u);
  let bits = word & 15u;
  if (bits == 0u) {
    return;
  }
  let mask = vec4<bool>((bits & 1u) != 0u, (bits & 2u) != 0u, (bits & 4u) != 0u, (bits & 8u) != 0u);
  let model = models[m];
  let at = row * (WIDTH / 4u) + column;
  let g = select(vec4f(0.0), gradient[(m * PANEL_UNITS + group.y) * (WIDTH / 4u) + column], mask);
  var first = vec4f(0.0);
  if (model.optimizer == ADAM) {
    first = first_moment[at];
  }
  var second = vec4f(0.0);
  if (model.optimizer != SGD) {
    second = second_moment[at];
  }
  let step = update(g, first, second, model.optimizer, model.learning_rate);
  if (model.optimizer == ADAM) {
    first_moment[at] = step.first_moment;
  }
  if (model.optimizer != SGD) {
    second_moment[at] = step.second_moment;
  }
  let change = select(vec4f(0.0), step.change, mask);
  var p = parameters[at] - change;
  let bias_column = HIDDEN + INPUTS;
  if (unit < HIDDEN && column == bias_column / 4u) {
    let both = biases[m * HIDDEN + unit] - vec2f(change[bias_column % 4u]);
    biases[m * HIDDEN + unit] = both;
    p[bias_column % 4u] = both.x + both.y;
  }
  parameters[at] = p;
  if (TURNED == 1u && unit < HIDDEN) {
    let turned_at = (m * WIDTH + column * 4u) * HIDDEN + unit;
    for (var j = 0u; j < 4u; j += 1u) {
      turned[turned_at + j * HIDDEN] = p[j];
    }
  }
}

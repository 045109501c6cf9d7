// Read-out, loss and the loss's gradient by the read-out, of all scored steps:
// y_t = W_fc h_t + b_fc, mean squared error or the negative log-likelihood of a
// log-softmax over OUTPUTS classes; the mean is over the batch's scored entries.
//
// Mapping: workgroup (x, y, z) = (time step, tile of trials, model). TRIAL_LANES
// invocations lie side by side along the trials, four trials each; the others
// share the units among them. Partial sums are added in a fixed order.
// Workgroup memory: LANES · OUTPUTS · 16 + TRIAL_LANES · 8 bytes.
//
// readout_place(): dense/places.wgsl or blocks/lists.wgsl.

@group(0) @binding(1) var<storage, read> state: array<vec4f>;
@group(0) @binding(2) var<storage, read> parameters: array<f32>;
/// Per model and batch [steps, trials of the batch], in vectors of four; 0 = not scored.
@group(0) @binding(3) var<storage, read> targets: array<vec4f>;
/// [models, BATCHES]: 1 / number of scored entries.
@group(0) @binding(4) var<storage, read> inverse_scored: array<f32>;
@group(0) @binding(5) var<storage, read_write> delta: array<vec4f>;
/// Of the model that is probed, [steps, OUTPUTS, trials], in vectors of four: y, after the log-softmax where there is one.
@group(0) @binding(6) var<storage, read_write> outputs: array<vec4f>;
/// Per model [steps, tiles]: sum of losses, number of right answers.
@group(0) @binding(7) var<storage, read_write> step_sums: array<vec2f>;

/// 0: mean squared error. 1: negative log-likelihood after a log-softmax.
const LOSS = 0u;

/// [LANES, OUTPUTS]: y so far of an invocation's units.
var<workgroup> partial: array<vec4f, LANES * OUTPUTS>;
/// [TRIAL_LANES]: loss and right answers.
var<workgroup> sums: array<vec2f, TRIAL_LANES>;

/// ln(1 + x) for x ≥ 0, of a small x too: 2 artanh(x / (2 + x)) as its series.
fn log_of_one_and(x: vec4f) -> vec4f {
  let f = x / (2.0 + x);
  let u = f * f;
  let series = fma(fma(fma(fma(vec4f(1.0 / 9.0), u, vec4f(1.0 / 7.0)), u, vec4f(0.2)), u, vec4f(1.0 / 3.0)), u, vec4f(1.0));
  return select(log(1.0 + x), 2.0 * f * series, x < vec4f(0.5));
}

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let m = group.z + batch.first_model;
  let model = models[m];
  let t = time.first + 1u + group.x;
  if (t > model.steps || (batch.probe == 0u && t <= model.first_scored)) {
    return;
  }
  let vectors = batch_vectors();
  let share = lane.x / TRIAL_LANES;
  let vector = group.y * TRIAL_LANES + lane.x % TRIAL_LANES;
  let source = state_row(model, t, 0u) + min(vector, vectors - 1u);
  var y = array<vec4f, 4>();
  for (var unit = share; unit < HIDDEN; unit += LANES / TRIAL_LANES) {
    let h = state[source + unit * VECTORS];
    for (var o = 0u; o < OUTPUTS; o += 1u) {
      y[o] = fma(vec4f(parameters[readout_place(model, o, unit)]), h, y[o]);
    }
  }
  for (var o = 0u; o < OUTPUTS; o += 1u) {
    partial[lane.x * OUTPUTS + o] = y[o];
  }
  workgroupBarrier();
  var mine = vec2f(0.0);
  if (share == 0u && vector < vectors) {
    for (var o = 0u; o < OUTPUTS; o += 1u) {
      y[o] += vec4f(parameters[readout_place(model, o, HIDDEN + INPUTS)]);
    }
    for (var other = 1u; other < LANES / TRIAL_LANES; other += 1u) {
      for (var o = 0u; o < OUTPUTS; o += 1u) {
        y[o] += partial[(other * TRIAL_LANES + lane.x) * OUTPUTS + o];
      }
    }
    let wanted = targets[model.target_offset + batch.start * model.steps + (t - 1u) * vectors + vector];
    let scored = wanted != vec4f(0.0);
    let inverse = inverse_scored[m * BATCHES + batch.number];
    var dy = array<vec4f, 4>();
    if (LOSS == 0u) {
      // Not scored, not there: no product with 0, which would keep NaN.
      let error = select(vec4f(0.0), y[0] - wanted, scored);
      mine.x = dot(error, error);
      dy[0] = 2.0 * error * inverse;
    } else {
      var largest = y[0];
      var answer = vec4f(0.0);
      for (var o = 1u; o < OUTPUTS; o += 1u) {
        answer = select(answer, vec4f(f32(o)), y[o] > largest);
        largest = select(largest, y[o], y[o] > largest);
      }
      // Of a sure answer the largest is nearly all: what the others add is kept apart, as are
      // the logarithms' differences, or loss and gradient would have no true digit.
      var others = vec4f(0.0);
      for (var o = 0u; o < OUTPUTS; o += 1u) {
        others += select(exp(y[o] - largest), vec4f(0.0), answer == vec4f(f32(o)));
      }
      let log_total = log_of_one_and(others);
      var wrong = vec4f(0.0);
      for (var o = 0u; o < OUTPUTS; o += 1u) {
        y[o] = (y[o] - largest) - log_total;
        wrong += select(exp(y[o]), vec4f(0.0), wanted == vec4f(f32(o)));
      }
      for (var o = 0u; o < OUTPUTS; o += 1u) {
        let is_right = wanted == vec4f(f32(o));
        let of_right = select(exp(y[o]) - 1.0, -wrong, y[o] > vec4f(-0.7));
        dy[o] = select(vec4f(0.0), select(exp(y[o]), of_right, is_right) * inverse, scored);
        // Class 0 is what is not scored.
        if (o > 0u) {
          mine.x -= dot(select(vec4f(0.0), y[o], is_right), vec4f(1.0));
        }
      }
      mine.y = dot(select(vec4f(0.0), vec4f(1.0), scored & (answer == wanted)), vec4f(1.0));
    }
    for (var o = 0u; o < OUTPUTS; o += 1u) {
      delta[delta_row(model, t, HIDDEN + o) + vector] = dy[o];
      if (batch.probe == 1u) {
        outputs[((t - 1u) * OUTPUTS + o) * VECTORS + vector] = y[o];
      }
    }
  }
  if (share == 0u) {
    sums[lane.x] = mine;
  }
  workgroupBarrier();
  if (lane.x == 0u) {
    var total = vec2f(0.0);
    for (var other = 0u; other < TRIAL_LANES; other += 1u) {
      total += sums[other];
    }
    let tiles = (VECTORS + TRIAL_LANES - 1u) / TRIAL_LANES;
    step_sums[model.sum_offset + (t - 1u) * tiles + group.y] = total;
  }
}

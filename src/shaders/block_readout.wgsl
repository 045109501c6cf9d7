// Read-out, loss and the loss's gradient by the read-out, of all scored steps, as
// readout.wgsl has them, where trials lie side by side:
// y_t = W_fc h_t + b_fc, mean squared error or the negative log-likelihood of a
// log-softmax over OUTPUTS classes; the mean is over the batch's scored entries.
//
// Mapping: workgroup (x, y, z) = (step t − 1, 0, model). TRIAL_LANES invocations
// lie side by side along the trials, four trials each; the others share the units
// among them. Partial sums are added in a fixed order.
// Workgroup memory: LANES · 64 bytes.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
/// Per model [steps + 1, SLOT, BATCH], in vectors of four trials.
@group(0) @binding(1) var<storage, read> state: array<vec4f>;
/// Per model [blocks, BLOCK, BLOCK], in vectors of four.
@group(0) @binding(2) var<storage, read> parameters: array<vec4f>;
/// Per model [trials, steps]; 0 = not scored.
@group(0) @binding(3) var<storage, read> targets: array<f32>;
/// [models, BATCHES]: 1 / number of scored entries.
@group(0) @binding(4) var<storage, read> inverse_scored: array<f32>;
/// Per model [steps, HIDDEN + OUTPUT_ROWS, BATCH], in vectors of four trials: the rows of outputs get dy.
@group(0) @binding(5) var<storage, read_write> delta: array<vec4f>;
/// Of the model that is probed, [steps, OUTPUT_ROWS, BATCH], in vectors of four trials: y, after the log-softmax where there is one.
@group(0) @binding(6) var<storage, read_write> outputs: array<vec4f>;
/// [models, STEPS]: sum of losses, number of right answers.
@group(0) @binding(7) var<storage, read_write> step_sums: array<vec2f>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

/// [LANES, 4]: y so far of an invocation's units. At the end [TRIAL_LANES]: loss and
/// right answers; with 256 invocations there is no room for these beside it, where
/// an adapter grants no more than 16 KiB.
var<workgroup> partial: array<vec4f, LANES * 4u>;

@compute @workgroup_size(LANES)
fn main(
  @builtin(workgroup_id) group: vec3u,
  @builtin(local_invocation_id) lane: vec3u,
) {
  let m = group.z + batch.first_model;
  let model = models[m];
  let step = group.x;
  let wanted = step < model.steps && (batch.probe == 1u || step >= model.first_scored);
  if (!wanted) {
    return;
  }
  let vectors = (batch.size + 3u) / 4u;
  let share = lane.x / TRIAL_LANES;
  let states = model.state_offset / 4u + (step + 1u) * SLOT * (BATCH / 4u);
  let weights = model.parameter_offset + model.readout_block * (BLOCK * BLOCK);
  let inverse = inverse_scored[m * BATCHES + batch.number];
  var mine = vec2f(0.0);
  for (var start = 0u; start < vectors; start += TRIAL_LANES) {
    let vector = start + lane.x % TRIAL_LANES;
    let source = states + min(vector, vectors - 1u);
    var y = array<vec4f, 4>();
    // The hidden units, then the row of ones, which multiplies the bias.
    for (var n = share; n <= HIDDEN; n += LANES / TRIAL_LANES) {
      let unit = select(n, HIDDEN + INPUTS, n == HIDDEN);
      let h = state[source + unit * (BATCH / 4u)];
      for (var o = 0u; o < OUTPUTS; o += 1u) {
        let number = o / BLOCK * (COLUMN_BLOCKS + 1u) + n / BLOCK;
        let place = weights + number * (BLOCK * BLOCK) + o % BLOCK * BLOCK + unit % BLOCK;
        y[o] = fma(vec4f(parameters[place / 4u][place % 4u]), h, y[o]);
      }
    }
    for (var o = 0u; o < OUTPUTS; o += 1u) {
      partial[lane.x * 4u + o] = y[o];
    }
    workgroupBarrier();
    if (share == 0u && vector < vectors) {
      for (var other = 1u; other < LANES / TRIAL_LANES; other += 1u) {
        for (var o = 0u; o < OUTPUTS; o += 1u) {
          y[o] += partial[(other * TRIAL_LANES + lane.x) * 4u + o];
        }
      }
      var wanted_value = vec4f(0.0);
      for (var j = 0u; j < 4u; j += 1u) {
        let trial = vector * 4u + j;
        if (trial < batch.size) {
          wanted_value[j] = targets[model.target_offset + (batch.start + trial) * model.steps + step];
        }
      }
      let scored = select(vec4f(0.0), vec4f(1.0), wanted_value != vec4f(0.0));
      var dy = array<vec4f, 4>();
      if (LOSS == 0u) {
        // Not scored, not there: no product with 0, which would keep NaN.
        let error = select(vec4f(0.0), y[0] - wanted_value, scored > vec4f(0.0));
        mine.x += dot(error, error);
        dy[0] = 2.0 * error * inverse;
      } else {
        var largest = y[0];
        var answer = vec4f(0.0);
        for (var o = 1u; o < OUTPUTS; o += 1u) {
          answer = select(answer, vec4f(f32(o)), y[o] > largest);
          largest = select(largest, y[o], y[o] > largest);
        }
        var total = vec4f(0.0);
        for (var o = 0u; o < OUTPUTS; o += 1u) {
          total += exp(y[o] - largest);
        }
        let log_total = largest + log(total);
        for (var o = 0u; o < OUTPUTS; o += 1u) {
          y[o] -= log_total;
          let is_right = select(vec4f(0.0), vec4f(1.0), wanted_value == vec4f(f32(o)));
          dy[o] = select(vec4f(0.0), (exp(y[o]) - is_right) * inverse, scored > vec4f(0.0));
          // Class 0 is what is not scored.
          if (o > 0u) {
            mine.x -= dot(select(vec4f(0.0), y[o], is_right > vec4f(0.0)), vec4f(1.0));
          }
        }
        let is_hit = select(vec4f(0.0), vec4f(1.0), answer == wanted_value);
        mine.y += dot(is_hit, scored);
      }
      let row = model.delta_offset / 4u + (step * (HIDDEN + OUTPUT_ROWS) + HIDDEN) * (BATCH / 4u) + vector;
      for (var o = 0u; o < OUTPUT_ROWS; o += 1u) {
        delta[row + o * (BATCH / 4u)] = dy[o];
        if (batch.probe == 1u) {
          outputs[(step * OUTPUT_ROWS + o) * (BATCH / 4u) + vector] = y[o];
        }
      }
    }
    workgroupBarrier();
  }
  if (share == 0u) {
    partial[lane.x] = vec4f(mine, 0.0, 0.0);
  }
  workgroupBarrier();
  if (lane.x == 0u) {
    var total = vec2f(0.0);
    for (var other = 0u; other < TRIAL_LANES; other += 1u) {
      total += partial[other].xy;
    }
    step_sums[m * STEPS + step] = total;
  }
}

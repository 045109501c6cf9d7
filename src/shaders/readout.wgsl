// Read-out, loss and the loss's gradient by the read-out, of all scored steps:
// y_t = W_fc h_t + b_fc, mean squared error or the negative log-likelihood of a
// log-softmax over OUTPUTS classes; the mean is over the batch's scored entries.
//
// Mapping: workgroup (x, y, z) = (step t − 1, 0, model); its 64 invocations take
// every 64th batch row. Sums of a step are added in a fixed order.
// Workgroup memory: 512 bytes.

/// [models]
@group(0) @binding(0) var<storage, read> models: array<Model>;
/// Per model [steps + 1, BATCH, WIDTH], in vectors of four.
@group(0) @binding(1) var<storage, read> state: array<vec4f>;
/// [models, UNITS, WIDTH], in vectors of four; rows from HIDDEN on are [W_fc | 0 | b_fc].
@group(0) @binding(2) var<storage, read> parameters: array<vec4f>;
/// Per model [trials, steps]; 0 = not scored.
@group(0) @binding(3) var<storage, read> targets: array<f32>;
/// [models, BATCHES]: 1 / number of scored entries.
@group(0) @binding(4) var<storage, read> inverse_scored: array<f32>;
/// Per model [steps, BATCH]: gradient by y, 0 where not scored.
@group(0) @binding(5) var<storage, read_write> output_delta: array<vec4f>;
/// Of the model that is probed, [steps, BATCH]: y, after the log-softmax where there is one.
@group(0) @binding(6) var<storage, read_write> outputs: array<vec4f>;
/// [models, STEPS]: sum of losses, number of right answers.
@group(0) @binding(7) var<storage, read_write> step_sums: array<vec2f>;
@group(1) @binding(0) var<uniform> batch: Batch;
@group(1) @binding(1) var<uniform> time: Time;

const READOUT_LANES = 64u;
var<workgroup> sums: array<vec2f, READOUT_LANES>;

@compute @workgroup_size(READOUT_LANES)
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
  let readout = (m * UNITS + HIDDEN) * (WIDTH / 4u);
  let inverse = inverse_scored[m * BATCHES + batch.number];
  var mine = vec2f(0.0);
  for (var row = lane.x; row < batch.size; row += READOUT_LANES) {
    let h = model.state_offset / 4u + ((step + 1u) * BATCH + row) * (WIDTH / 4u);
    var y = vec4f(0.0);
    for (var o = 0u; o < OUTPUTS; o += 1u) {
      let bias = HIDDEN + INPUTS;
      y[o] = parameters[readout + o * (WIDTH / 4u) + bias / 4u][bias % 4u];
    }
    for (var k = 0u; k < HIDDEN / 4u; k += 1u) {
      let value = state[h + k];
      for (var o = 0u; o < OUTPUTS; o += 1u) {
        y[o] += dot(value, parameters[readout + o * (WIDTH / 4u) + k]);
      }
    }
    let wanted_value = targets[model.target_offset + (batch.start + row) * model.steps + step];
    var delta = vec4f(0.0);
    if (LOSS == 0u) {
      if (wanted_value != 0.0) {
        let error = y.x - wanted_value;
        mine.x += error * error;
        delta.x = 2.0 * error * inverse;
      }
    } else {
      var largest = y.x;
      var answer = 0u;
      for (var o = 1u; o < OUTPUTS; o += 1u) {
        if (y[o] > largest) {
          largest = y[o];
          answer = o;
        }
      }
      var total = 0.0;
      for (var o = 0u; o < OUTPUTS; o += 1u) {
        total += exp(y[o] - largest);
      }
      y = y - vec4f(largest + log(total));
      if (wanted_value != 0.0) {
        let right = u32(wanted_value);
        for (var o = 0u; o < OUTPUTS; o += 1u) {
          delta[o] = (exp(y[o]) - select(0.0, 1.0, o == right)) * inverse;
        }
        mine.x -= y[right];
        mine.y += select(0.0, 1.0, answer == right);
      }
    }
    let at = model.output_offset + step * BATCH + row;
    output_delta[at] = delta;
    if (batch.probe == 1u) {
      outputs[step * BATCH + row] = y;
    }
  }
  sums[lane.x] = mine;
  workgroupBarrier();
  for (var half = READOUT_LANES / 2u; half > 0u; half /= 2u) {
    if (lane.x < half) {
      sums[lane.x] += sums[lane.x + half];
    }
    workgroupBarrier();
  }
  if (lane.x == 0u) {
    step_sums[m * STEPS + step] = sums[0];
  }
}

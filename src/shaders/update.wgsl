// One step of the optimizers, with PyTorch's defaults and formulas; the host puts
// this text before the kernels that sum up a gradient, whose epilogue it is: no
// gradient array exists but that of a probe.
//   Adam     m += (1 − 0.9)(g − m);  v = 0.999 v + 0.001 g²
//            p −= lr / (1 − 0.9ᵏ) · m / (√v / √(1 − 0.999ᵏ) + 1e-8)
//   RMSprop  v = 0.99 v + 0.01 g²;  p −= lr · g / (√v + 1e-8)
//   SGD      p −= lr · g
// The factors with powers come from the host in double precision, as they cancel.
//
// Both biases of the recurrent layer have the same gradient and so the same
// moments: these are kept once, the biases twice, and the matrix holds their sum.
//
// Sources: https://pytorch.org/docs/stable/generated/torch.optim.Adam.html,
// .RMSprop.html, .SGD.html.

@group(0) @binding(1) var<storage, read> lists: array<u32>;
@group(0) @binding(2) var<storage, read> state: array<vec4f>;
@group(0) @binding(3) var<storage, read> delta: array<vec4f>;
/// Per model what its format says, then b_ih and b_hh, [HIDDEN, 2]. Numbers, not vectors, as in all that
/// follow: neighbours belong to different invocations, and a write to a part of a vector may write all of it.
@group(0) @binding(4) var<storage, read_write> parameters: array<f32>;
/// Per model, a pair for each place of its matrix: m and v.
@group(0) @binding(5) var<storage, read_write> moments: array<vec2f>;
/// Of the model that is probed, a number for each place of its matrix.
@group(0) @binding(6) var<storage, read_write> gradient: array<f32>;

/// Numbers of the optimizers in the table of models.
const ADAM = 0u;
const RMSPROP = 1u;

/// Where a weight lies: its unit and column of W, and its place.
struct Weight {
  unit: u32,
  column: u32,
  place: u32,
}

/// Makes the step of a weight, or writes its gradient down. Its value and moments were read before, by several at once:
/// a read after a write waits for it, as the compiler cannot know that they are of different weights. Returns the new value.
fn learn(model: Model, weight: Weight, g: f32, before: f32, moments_before: vec2f) -> f32 {
  let place = weight.place;
  if (batch.probe == 1u) {
    gradient[place] = g;
    return before;
  }
  if (model.train_recurrent == 0u && weight.unit < HIDDEN && weight.column < HIDDEN) {
    return before;
  }
  let rate = model.learning_rate;
  var change = rate * g;
  if (model.optimizer <= RMSPROP) {
    var both = moments_before;
    if (model.optimizer == ADAM) {
      both.x += 0.1 * (g - both.x);
      both.y = 0.999 * both.y + 0.001 * g * g;
      change = (rate * batch.adam_step_scale) * both.x / (sqrt(both.y) * batch.adam_root_scale + 1e-8);
    } else {
      both.y = 0.99 * both.y + 0.01 * g * g;
      change = rate * g / (sqrt(both.y) + 1e-8);
    }
    moments[model.moment_offset + place] = both;
  }
  var value = before - change;
  if (weight.unit < HIDDEN && weight.column == HIDDEN + INPUTS) {
    let pair = model.bias_offset + 2u * weight.unit;
    let input_bias = parameters[pair] - change;
    let hidden_bias = parameters[pair + 1u] - change;
    parameters[pair] = input_bias;
    parameters[pair + 1u] = hidden_bias;
    value = input_bias + hidden_bias;
  }
  parameters[model.parameter_offset + place] = value;
  return value;
}

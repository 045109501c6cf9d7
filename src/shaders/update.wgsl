// An update of the parameters; the host puts this text before the kernels that sum
// up a gradient, whose epilogue it is: no gradient array exists but that of a probe.
// It writes `updated` too: a branch for each optimizer, whose formulas are in
// src/rnn/optimizers.ts.
//
// Where a stretch of time steps has a dispatch for itself, the gradient so far is
// handed on from one to the next.
//
// Both biases of the recurrent layer have the same gradient and so the same
// moments: these are kept once, the biases twice, and the matrix holds their sum.

@group(0) @binding(1) var<storage, read> lists: array<u32>;
@group(0) @binding(2) var<storage, read> state: array<vec4f>;
@group(0) @binding(3) var<storage, read> delta: array<vec4f>;
/// Per model what its format says, then b_ih and b_hh, [HIDDEN, 2]. Numbers, not vectors, as in all that
/// follow: neighbours belong to different invocations, and a write to a part of a vector may write all of it.
@group(0) @binding(4) var<storage, read_write> parameters: array<f32>;
/// Per model, a pair for each place of its matrix: m and v.
@group(0) @binding(5) var<storage, read_write> moments: array<vec2f>;
/// Of the model that is probed, or whose stretches follow each other, a number for each place of its matrix.
@group(0) @binding(6) var<storage, read_write> gradient: array<f32>;

/// 1: a dispatch is for a stretch of time steps.
const RANGED = 0u;

/// A weight after an update, what the optimizer keeps, and whether it keeps anything.
struct Updated {
  weight: f32,
  moments: vec2f,
  keeps: bool,
}

/// Where a weight lies: its unit and column of W, and its place.
struct Weight {
  unit: u32,
  column: u32,
  place: u32,
}

/// The first slot whose product a dispatch adds, of those from `first` on: the slot before a stretch is its neighbour's.
fn begin_slot(first: u32) -> u32 {
  return select(max(first, time.first + 1u), first, time.first == 0u);
}

/// The slot where it ends, of those before `end`.
fn end_slot(end: u32) -> u32 {
  return min(end, time.last + 1u);
}

/// The gradient of the stretches before.
fn gradient_before(place: u32) -> f32 {
  if (RANGED == 1u && time.first > 0u) {
    return gradient[place];
  }
  return 0.0;
}

/// Updates a weight, or writes its gradient down. Its value and moments were read before, by several at once:
/// a read after a write waits for it, as the compiler cannot know that they are of different weights. Returns the new value.
fn learn(model: Model, weight: Weight, g: f32, before: f32, moments_before: vec2f) -> f32 {
  let place = weight.place;
  if (batch.probe == 1u || (RANGED == 1u && time.last < model.steps)) {
    gradient[place] = g;
    return before;
  }
  if (model.train_recurrent == 0u && weight.unit < HIDDEN && weight.column < HIDDEN) {
    return before;
  }
  let after = updated(model, before, g, moments_before);
  if (after.keeps) {
    moments[model.moment_offset + place] = after.moments;
  }
  var value = after.weight;
  if (weight.unit < HIDDEN && weight.column == HIDDEN + INPUTS) {
    let pair = model.bias_offset + 2u * weight.unit;
    let input_bias = updated(model, parameters[pair], g, moments_before).weight;
    let hidden_bias = updated(model, parameters[pair + 1u], g, moments_before).weight;
    parameters[pair] = input_bias;
    parameters[pair + 1u] = hidden_bias;
    value = input_bias + hidden_bias;
  }
  parameters[model.parameter_offset + place] = value;
  return value;
}

// The nonlinearities, for the kernels that go forward, and their slopes, for
// those that go back; the host puts this text before theirs.

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
  // NaN stays NaN, as it must: clamp and max would hide it.
  if (activation == 0u) {
    return select(precise_tanh(x), x, x != x);
  }
  return select(max(x, vec4f(0.0)), x, x != x);
}

/// act'(x) from h = act(x). A product with NaN must stay NaN, so the slope is to be
/// multiplied with and not to select by.
fn slope(h: vec4f, activation: u32) -> vec4f {
  let relu_slope = select(vec4f(0.0), vec4f(1.0), h > vec4f(0.0));
  return select(1.0 - h * h, relu_slope, activation == 1u);
}

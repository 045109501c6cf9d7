// The nonlinearities, for the kernels that go forward, and the way back through
// them, for those that go back; the host puts this text before theirs.

/// By the bits: compilers take an inequality of x with itself for false where it is
/// NaN, and clamp, min and max may drop it, so that a network that diverged
/// would look well trained.
fn is_nan(x: vec4f) -> vec4<bool> {
  return (bitcast<vec4u>(x) & vec4u(0x7fffffffu)) > vec4u(0x7f800000u);
}

/// e^y within 2 units of the last place, for y from −87 to 88: y = k ln 2 + r, and
/// e^r = 1 + r + r² S(r).
fn power_of_e(y: vec4f) -> vec4f {
  let k = floor(fma(y, vec4f(1.442695), vec4f(0.5)));
  // ln 2 in two parts, of which k times the first is exact. The minimum changes nothing, but
  // keeps compilers (Mesa's) from adding the two parts first, which costs up to 60 units.
  let near = min(fma(k, vec4f(-0.693359375), y), vec4f(1.0));
  let r = fma(k, vec4f(0.00021219444), near);
  let s4 = fma(vec4f(0.0013951719), r, vec4f(0.0083695985));
  let power = 1.0 + fma(r * r, fma(fma(fma(s4, r, vec4f(0.041666187)), r, vec4f(0.16666512)), r, vec4f(0.5)), r);
  return bitcast<vec4f>(bitcast<vec4u>(power) + (bitcast<vec4u>(vec4i(k)) << vec4u(23u)));
}

fn precise_exp(x: vec4f) -> vec4f {
  return power_of_e(clamp(x, vec4f(-87.0), vec4f(88.0)));
}

/// tanh within 2 units of the last place, and never beyond 1; drivers' own is often
/// good to 1e-4 only, and a slope of 1 − h² must not be negative.
/// |x| < 0.625: x + x³ R(x²). Above: 1 − 2 / (e^2x + 1). R and S are minimax polynomials
/// in single precision.
fn precise_tanh(x: vec4f) -> vec4f {
  let a = abs(x);
  let u = a * a;
  let r4 = fma(vec4f(-0.0055286484), u, vec4f(0.020483334));
  let series = fma(fma(fma(r4, u, vec4f(-0.053692974)), u, vec4f(0.13330899)), u, vec4f(-0.33333263));
  let small = fma(a * u, series, a);
  // From 9.01 on tanh is 1 in single precision.
  let e = power_of_e(2.0 * min(a, vec4f(9.1)));
  let t = select(1.0 - 2.0 / (e + 1.0), small, a < vec4f(0.625));
  return bitcast<vec4f>(bitcast<vec4u>(t) | (bitcast<vec4u>(x) & vec4u(0x80000000u)));
}

/// The host writes activated and passed_back: a branch for each nonlinearity. NaN stays
/// NaN whatever they do.
fn activate(x: vec4f, activation: u32) -> vec4f {
  return select(activated(x, activation), x, is_nan(x));
}

/// The gradient before the nonlinearity, from the one after it and from h.
fn through(gradient: vec4f, h: vec4f, activation: u32) -> vec4f {
  return select(passed_back(gradient, h, activation), h, is_nan(h));
}

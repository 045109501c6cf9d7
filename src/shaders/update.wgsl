// One step of the optimizers, with PyTorch's defaults and formulas; the host puts
// this text before the kernels that make one.
//   Adam     m += (1 − 0.9)(g − m);  v = 0.999 v + 0.001 g²
//            p −= lr / (1 − 0.9ᵏ) · m / (√v / √(1 − 0.999ᵏ) + 1e-8)
//   RMSprop  v = 0.99 v + 0.01 g²;  p −= lr · g / (√v + 1e-8)
//   SGD      p −= lr · g
// The factors with powers come from the host in double precision, as they cancel.
//
// Sources: https://pytorch.org/docs/stable/generated/torch.optim.Adam.html,
// .RMSprop.html, .SGD.html.

/// Numbers of the optimizers in the table of models.
const ADAM = 0u;
const RMSPROP = 1u;
const SGD = 2u;

/// What a step makes of four parameters: their change, to be taken off, and moments.
struct Update {
  change: vec4f,
  first_moment: vec4f,
  second_moment: vec4f,
}

fn update(g: vec4f, first_moment: vec4f, second_moment: vec4f, optimizer: u32, learning_rate: f32) -> Update {
  if (optimizer == ADAM) {
    let m = first_moment + 0.1 * (g - first_moment);
    let v = 0.999 * second_moment + 0.001 * g * g;
    let change = (learning_rate * batch.adam_step_scale) * m / (sqrt(v) * batch.adam_root_scale + 1e-8);
    return Update(change, m, v);
  }
  if (optimizer == RMSPROP) {
    let v = 0.99 * second_moment + 0.01 * g * g;
    return Update(learning_rate * g / (sqrt(v) + 1e-8), first_moment, v);
  }
  return Update(learning_rate * g, first_moment, second_moment);
}

// Loads weights, for the kernels that go through blocks; the host puts this text
// before theirs. `parameters` is each kernel's own, in vectors of four.

/// A row of a block: BLOCK weights.
fn weights_at(place: u32) -> vec4f {
  if (BLOCK == 1u) {
    return vec4f(parameters[place / 4u][place % 4u]);
  }
  return parameters[place / 4u];
}

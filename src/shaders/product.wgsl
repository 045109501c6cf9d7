// What the products of a time step share; the host puts this text before theirs.
//   forward   h_t = act((W · state slot t − 1)[hidden])
//   backward  delta_t = act'(h_t) ⊙ (Wᵀ · delta slot t)[hidden]

/// The slots that are summed up from and written: state, or delta backward.
@group(0) @binding(1) var<storage, read_write> slots: array<vec4f>;
@group(0) @binding(2) var<storage, read> parameters: array<vec4f>;
/// Backward alone: h_t.
@group(0) @binding(3) var<storage, read> state: array<vec4f>;

/// 0: forward through time. 1: back.
const BACKWARD = 0u;

/// The slot that step t sums up from.
fn source_slot(t: u32) -> u32 {
  return select(t - 1u, t, BACKWARD == 1u);
}

/// First vector of a row of slot t.
fn slot_row(model: Model, t: u32, row: u32) -> u32 {
  if (BACKWARD == 1u) {
    return delta_row(model, t, row);
  }
  return state_row(model, t, row);
}

/// First vector of the row that a unit's outcome of step t goes to.
fn outcome_row(model: Model, t: u32, unit: u32) -> u32 {
  return slot_row(model, select(t, t - 1u, BACKWARD == 1u), unit);
}

/// What the sum of a unit comes to at step t, for a vector of trials.
fn outcome(model: Model, t: u32, unit: u32, vector: u32, sum: vec4f) -> vec4f {
  if (BACKWARD == 1u) {
    return through(sum, state[state_row(model, t, unit) + vector], model.activation);
  }
  return activate(sum, model.activation);
}

/**
 * A trained model on inputs of one's own: hidden states over time, and outputs.
 *
 * @module
 */

import type { Model } from "../engine/ensemble.ts";
import type { Trials } from "../tasks/task.ts";
import { byTrial, gatherBatch } from "./batch.ts";
import { createNetwork, forward } from "./elman.ts";
import { inDoubles } from "./model.ts";

/** Trials that are computed at once, so that memory stays small beside the result. */
const TRIALS_AT_ONCE = 128;

/** What a model does on some trials. */
export interface Activity {
  /** B, the number of trials. */
  readonly trialCount: number;
  /** T, the time steps of a trial. */
  readonly steps: number;
  /** H, the neurons. */
  readonly hiddenSize: number;
  /** O, the outputs. */
  readonly outputSize: number;
  /** h, [B, T, H], row-major: element `(trial * T + t) * H + neuron`. */
  readonly hidden: Float64Array;
  /** y, [B, T, O], row-major; log-probabilities of the classes where the loss is "nll". */
  readonly output: Float64Array;
}

/**
 * Runs a model on any inputs, in double precision on the host, whichever engine
 * trained it:
 *
 *     h_t = act(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh), h_0 = 0, y_t = W_fc h_t + b_fc
 *
 * followed by a log-softmax where the loss is "nll". Time and memory follow the
 * connections.
 *
 * @param model E.g. of `readModel()`, or of what `train()` returns.
 * @param trials `inputs` is [trialCount, steps, inputSize], row-major; the trials that a task generates will do.
 * @throws {RangeError} If the inputs have another size than the model's.
 *
 * @example
 * ```ts
 * import { simulate } from "@biornn/biornn";
 *
 * const { hidden } = simulate({
 *   hiddenSize: 1,
 *   inputSize: 1,
 *   outputSize: 1,
 *   activation: "relu",
 *   loss: "mse",
 *   connections: {
 *     receivers: 1,
 *     senders: 1,
 *     start: Uint32Array.of(0, 1),
 *     sender: Uint32Array.of(0),
 *   },
 *   parameters: {
 *     weightIh: Float32Array.of(1),
 *     weightHh: Float32Array.of(0.5),
 *     biasIh: Float32Array.of(0),
 *     biasHh: Float32Array.of(0),
 *     weightFc: Float32Array.of(1),
 *     biasFc: Float32Array.of(0),
 *   },
 * }, { trialCount: 1, steps: 3, inputSize: 1, inputs: Float32Array.of(1, 0, 0) });
 * hidden; // [1, 0.5, 0.25]
 * ```
 */
export function simulate(
  model: Model,
  trials: Pick<Trials, "trialCount" | "steps" | "inputSize" | "inputs">,
): Activity {
  const { hiddenSize, outputSize, parameters } = model;
  const { trialCount, steps, inputSize, inputs } = trials;
  if (
    inputSize !== model.inputSize ||
    inputs.length !== trialCount * steps * inputSize
  ) {
    throw new RangeError(
      `Cannot simulate the model: it takes ${model.inputSize} numbers a time step, and the inputs of ${trialCount} trials of ${steps} time steps are ${inputs.length} numbers, ${inputSize} a step`,
    );
  }
  const network = createNetwork({ ...model, trainRecurrent: false });
  const doubles = inDoubles(parameters);
  const hidden = new Float64Array(trialCount * steps * hiddenSize);
  const output = new Float64Array(trialCount * steps * outputSize);
  const all = { ...trials, targets: new Float32Array(trialCount * steps) };
  for (let first = 0; first < trialCount; first += TRIALS_AT_ONCE) {
    const length = Math.min(TRIALS_AT_ONCE, trialCount - first);
    const numbers = Uint32Array.from({ length }, (_, i) => first + i);
    const batch = gatherBatch(all, numbers);
    const activity = forward(network, doubles, batch);
    hidden.set(byTrial(activity.hidden, batch), first * steps * hiddenSize);
    output.set(byTrial(activity.output, batch), first * steps * outputSize);
  }
  return { trialCount, steps, hiddenSize, outputSize, hidden, output };
}

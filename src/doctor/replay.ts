/**
 * Replays a reference case on an engine and measures how far it is off.
 *
 * @module
 */

import { createEnsemble } from "../engine/create_ensemble.ts";
import type {
  BatchProbe,
  Engine,
  EnsembleSpec,
  EpochHistory,
  ModelState,
} from "../engine/ensemble.ts";
import {
  type FloatArray,
  PARAMETER_NAMES,
  type Parameters,
} from "../rnn/parameters.ts";
import type { ExpectedTraining } from "./expected_training.ts";
import type { GoldenCase } from "./golden_case.ts";
import { TENSOR_KEYS } from "./tensor_fields.ts";
import { type CheckName, tolerancesOf } from "./tolerances.ts";

/** The worst error of one kind. */
export interface Check {
  readonly name: CheckName;
  /** 0 is perfect; NaN or Infinity where a value is not finite. */
  readonly error: number;
  readonly limit: number;
  readonly ok: boolean;
  /** Where the worst error lies, e.g. "W_hh" or "epoch 3, train loss"; "" where there is none. */
  readonly where: string;
}

/** How a replay went. */
export interface CaseReport {
  readonly name: string;
  readonly checks: readonly Check[];
  readonly ok: boolean;
}

/** An error and where it lies. */
type Measured = readonly [error: number, where: string];

/**
 * Trains the case's model on an engine, from the same start on the same data,
 * and compares with PyTorch's float64 run:
 *
 * - output [B, T, O] and last hidden state [B, H] of the first batch: largest
 *   difference;
 * - losses of every batch and epoch: largest |x − x*| / |x*|;
 * - accuracies: largest difference, in %;
 * - gradients of the first batch: per tensor ‖g − g*‖ / ‖g*‖;
 * - weights after one step and after all epochs: largest difference;
 * - optimizer moments after all epochs: per tensor ‖m − m*‖ / ‖m*‖;
 * - weights of a frozen W_hh that have changed: their number.
 *
 * @throws {RangeError} If the model does not fit the engine's device.
 *
 * @example
 * ```ts
 * import { readGoldenCase } from "./src/doctor/golden_case.ts";
 * import { replayCase } from "./src/doctor/replay.ts";
 * import { createReferenceEngine } from "./src/reference/engine.ts";
 *
 * const name = "tests/golden/train_seq_mem_tanh_sgd.json";
 * const golden = readGoldenCase(await Deno.readTextFile(name), { name });
 * const report = await replayCase(golden!, createReferenceEngine());
 * report.ok; // true
 * ```
 */
export async function replayCase(
  { name, ensemble: spec, expected }: GoldenCase,
  engine: Engine,
): Promise<CaseReport> {
  const epochs = expected.epochs.length;
  const whole = await trainOnce(engine, { spec, epochs });
  const oneStep = await trainOnce(engine, { spec: firstStep(spec), epochs: 1 });
  const measured = measure(expected, { spec, whole, oneStep: oneStep.state });
  const limits = tolerancesOf(engine, epochs);
  const checks = (Object.keys(measured) as CheckName[]).map((check) => {
    const [error, where] = measured[check];
    const limit = limits[check];
    return { name: check, error, limit, ok: error <= limit, where };
  });
  return { name, checks, ok: checks.every(({ ok }) => ok) };
}

interface Training {
  readonly probe: BatchProbe;
  readonly history: EpochHistory;
  readonly state: ModelState;
}

async function trainOnce(
  engine: Engine,
  { spec, epochs }: { readonly spec: EnsembleSpec; readonly epochs: number },
): Promise<Training> {
  const ensemble = await createEnsemble(engine, spec);
  try {
    const probe = await ensemble.probe(0, 0);
    const history = await ensemble.train(epochs);
    const [state] = await ensemble.state(0);
    return { probe, history, state: state! };
  } finally {
    ensemble.destroy();
  }
}

/** The same model with its first training batch alone: an epoch is one step. */
function firstStep(spec: EnsembleSpec): EnsembleSpec {
  return {
    ...spec,
    runs: spec.runs.map((run) => ({
      ...run,
      trials: {
        ...run.trials,
        trainBatches: run.trials.trainBatches.slice(0, 1),
      },
    })),
  };
}

function measure(
  expected: ExpectedTraining,
  { spec, whole, oneStep }: {
    readonly spec: EnsembleSpec;
    readonly whole: Training;
    readonly oneStep: ModelState;
  },
): Record<CheckName, Measured> {
  const { probe, history, state } = whole;
  const { firstBatch } = expected;
  return {
    "output": [largestDifference(probe.output, firstBatch.output), ""],
    "hidden state": [
      largestDifference(probe.hiddenLast, firstBatch.hiddenLast),
      "",
    ],
    "losses": worst([
      [relativeError(probe.loss, firstBatch.loss), "first batch"],
      ...lossErrors(history, expected),
    ]),
    "accuracies": worst([
      [difference(probe.accuracy, firstBatch.accuracy), "first batch"],
      ...accuracyErrors(history, expected),
    ]),
    "gradients": worstTensor(relativeNorm, probe.gradient, firstBatch.gradient),
    "weights after one step": worstTensor(
      largestDifference,
      oneStep.parameters,
      expected.weightsAfterOneStep,
    ),
    "weights after all epochs": worstTensor(
      largestDifference,
      state.parameters,
      expected.weightsAfterAllEpochs,
    ),
    "moments": worst([
      worstTensor(relativeNorm, state.firstMoment, expected.firstMoment),
      worstTensor(relativeNorm, state.secondMoment, expected.secondMoment),
    ]),
    "frozen weights": worst([
      [changedWhileFrozen(oneStep.parameters, spec), "after one step"],
      [changedWhileFrozen(state.parameters, spec), "after all epochs"],
    ]),
  };
}

function lossErrors(
  history: EpochHistory,
  { epochs }: ExpectedTraining,
): Measured[] {
  const { trainLoss, validateLoss, trainBatchLoss, validateBatchLoss } =
    history;
  return epochs.flatMap((epoch, i) => {
    const at = `epoch ${i + 1}`;
    const batches = (
      found: Float64Array,
      { losses, part }: { losses: readonly number[]; part: string },
    ) =>
      losses.map((loss, b): Measured => [
        relativeError(found[i * losses.length + b], loss),
        `${at}, ${part} batch ${b + 1}`,
      ]);
    return [
      [relativeError(trainLoss[i], epoch.trainLoss), `${at}, train loss`],
      [
        relativeError(validateLoss[i], epoch.validateLoss),
        `${at}, validate loss`,
      ],
      ...batches(trainBatchLoss, {
        losses: epoch.trainBatchLosses,
        part: "train",
      }),
      ...batches(validateBatchLoss, {
        losses: epoch.validateBatchLosses,
        part: "validate",
      }),
    ] as Measured[];
  });
}

function accuracyErrors(
  { trainAccuracy, validateAccuracy }: EpochHistory,
  { epochs }: ExpectedTraining,
): Measured[] {
  return epochs.flatMap((epoch, i): Measured[] => [
    [difference(trainAccuracy?.[i], epoch.trainAccuracy), `epoch ${i + 1}`],
    [
      difference(validateAccuracy?.[i], epoch.validateAccuracy),
      `epoch ${i + 1}`,
    ],
  ]);
}

function changedWhileFrozen(
  { weightHh }: Parameters,
  spec: EnsembleSpec,
): number {
  const { trainRecurrent, initial } = spec.runs[0]!;
  if (trainRecurrent) return 0;
  return initial.weightHh.reduce(
    (count, weight, i) => count + (weight === weightHh[i] ? 0 : 1),
    0,
  );
}

/** The worst of some errors; a NaN is worse than any number. */
function worst(errors: readonly Measured[]): Measured {
  return errors.reduce<Measured>(
    (a, b) => b[0] > a[0] || Number.isNaN(b[0]) ? b : a,
    [0, ""],
  );
}

function worstTensor(
  error: (found: FloatArray, expected: FloatArray) => number,
  found: Parameters,
  expected: Parameters,
): Measured {
  return worst(
    PARAMETER_NAMES.map((name) => [
      error(found[name], expected[name]),
      TENSOR_KEYS[name],
    ]),
  );
}

function difference(
  found: number | undefined,
  expected: number | undefined,
): number {
  return found === expected ? 0 : Math.abs((found ?? NaN) - (expected ?? NaN));
}

function relativeError(found: number | undefined, expected: number): number {
  return found === expected
    ? 0
    : Math.abs((found ?? NaN) - expected) / Math.abs(expected);
}

function largestDifference(found: FloatArray, expected: FloatArray): number {
  if (found.length !== expected.length) return NaN;
  let largest = 0;
  for (let i = 0; i < expected.length; i++) {
    // Math.max passes a NaN on.
    largest = Math.max(largest, Math.abs(found[i]! - expected[i]!));
  }
  return largest;
}

function relativeNorm(found: FloatArray, expected: FloatArray): number {
  if (found.length !== expected.length) return NaN;
  let error = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    error += (found[i]! - expected[i]!) ** 2;
    norm += expected[i]! ** 2;
  }
  return error === 0 ? 0 : Math.sqrt(error / norm);
}

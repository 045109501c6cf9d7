/**
 * Replays a reference case on an engine and measures how far it is off.
 *
 * @module
 */

import { createEnsemble } from "../engine/create_ensemble.ts";
import type { Engine, EnsembleSpec } from "../engine/ensemble.ts";
import { PARAMETER_NAMES, type Parameters } from "../rnn/parameters.ts";
import { type GoldenCase, TENSOR_KEYS, type Training } from "./golden_case.ts";

/**
 * How far an engine may be from PyTorch in the same precision, at least.
 *
 * Single precision: PyTorch's own float32 run of most cases is off its float64
 * run by 2.8e-7 in the first output, 1.1e-7 in gradients, 4.4e-7 in losses,
 * 4.5e-7 in weights and 7.2e-7 in moments. Another device sums in another
 * order, and WGSL lets it round exp and log more coarsely than a CPU does: about
 * ten times as much is allowed, and ten times the distance between PyTorch's
 * two runs of the case where that is more. Double precision: two computations
 * differ by 2e-14 at most, after 100 epochs.
 */
const TOLERANCES = {
  "output": { float32: 2e-6, float64: 1e-12 },
  "hidden state": { float32: 2e-6, float64: 1e-12 },
  "losses": { float32: 1e-5, float64: 1e-12 },
  // Counts: only the mean over the batches may be rounded otherwise.
  "accuracies": { float32: 1e-9, float64: 1e-9 },
  "gradients": { float32: 1e-5, float64: 1e-12 },
  "weights after one update": { float32: 5e-6, float64: 1e-12 },
  "weights after all epochs": { float32: 5e-6, float64: 1e-12 },
  "moments": { float32: 1e-5, float64: 1e-12 },
  "frozen weights": { float32: 0, float64: 0 },
} as const;

/** What is compared. */
export type CheckName = keyof typeof TOLERANCES;

/** The worst error of one kind. */
export interface Check {
  readonly name: CheckName;
  /** 0 is perfect; NaN or Infinity where one value is finite and the other is not. */
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
 * and compares with PyTorch's run in the engine's precision:
 *
 * - output [B, T, O] and last hidden state [B, H] of the first batch, weights
 *   after one update and after all epochs: per tensor max |x − x*| / max(1, |x*|…);
 * - losses of every batch and epoch: largest |x − x*| / |x*|;
 * - accuracies: largest difference, in %;
 * - gradients of the first batch, and the optimizer's moments after all epochs:
 *   per tensor ‖x − x*‖ / ‖x*‖;
 * - weights of a frozen W_hh that have changed: their number.
 *
 * Where PyTorch's run diverges, losses must be finite and not at the same
 * batches, and tensors hold numbers that are not finite where PyTorch's do;
 * which entries of a tensor they have reached is left open.
 *
 * @throws {RangeError} If the model does not fit the engine's device.
 *
 * @example
 * ```ts
 * import { ownCases } from "./src/doctor/cases.ts";
 * import { replayCase } from "./src/doctor/replay.ts";
 * import { createReferenceEngine } from "./src/reference/engine.ts";
 *
 * const [golden] = ownCases();
 * const report = await replayCase(golden!, createReferenceEngine());
 * report.ok; // true
 * ```
 */
export async function replayCase(
  { name, ensemble: spec, expected }: GoldenCase,
  engine: Engine,
): Promise<CaseReport> {
  const precision = engine.kind === "reference" ? "float64" : "float32";
  const epochs = expected[precision].epochs.length;
  const found = await train(engine, { spec, epochs });
  const measured = {
    ...compare(found, expected[precision]),
    "frozen weights": changedWhileFrozen(found, spec),
  };
  const own = compare(expected.float32, expected.float64);
  const checks = (Object.keys(TOLERANCES) as CheckName[]).map((check) => {
    const [error, where] = measured[check];
    const least = TOLERANCES[check][precision];
    const spread = precision === "float64" || check === "frozen weights" ||
        check === "accuracies"
      ? 0
      : own[check][0];
    const limit = Number.isFinite(spread)
      ? Math.max(least, 10 * spread)
      : least;
    return { name: check, error, limit, ok: error <= limit, where };
  });
  return { name, checks, ok: checks.every(({ ok }) => ok) };
}

/** A whole training, and one of the first update alone. */
async function train(
  engine: Engine,
  { spec, epochs }: { readonly spec: EnsembleSpec; readonly epochs: number },
): Promise<Training> {
  const ensemble = await createEnsemble(engine, spec);
  const first = await createEnsemble(engine, firstUpdate(spec));
  try {
    const firstBatch = await ensemble.probe(0, 0);
    const history = await ensemble.train(epochs);
    const [state] = await ensemble.state(0);
    await first.train(1);
    const [afterOne] = await first.state(0);
    const { trainBatches, validateBatches } = spec.runs[0]!.trials;
    const part = (losses: Float64Array, batches: number, epoch: number) =>
      losses.subarray(epoch * batches, (epoch + 1) * batches);
    return {
      firstBatch,
      weightsAfterOneUpdate: afterOne!.parameters,
      weightsAfterAllEpochs: state!.parameters,
      firstMoment: state!.firstMoment,
      secondMoment: state!.secondMoment,
      epochs: Array.from({ length: epochs }, (_, i) => ({
        trainLoss: history.trainLoss[i]!,
        validateLoss: history.validateLoss[i]!,
        trainAccuracy: history.trainAccuracy?.[i],
        validateAccuracy: history.validateAccuracy?.[i],
        trainBatchLosses: part(
          history.trainBatchLoss,
          trainBatches.length,
          i,
        ),
        validateBatchLosses: part(
          history.validateBatchLoss,
          validateBatches.length,
          i,
        ),
      })),
    };
  } finally {
    ensemble.destroy();
    first.destroy();
  }
}

/** The same model with its first training batch alone: an epoch is one update. */
function firstUpdate(spec: EnsembleSpec): EnsembleSpec {
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

function compare(
  found: Training,
  expected: Training,
): Record<Exclude<CheckName, "frozen weights">, Measured> {
  const [first, wanted] = [found.firstBatch, expected.firstBatch];
  const tensors = (
    error: typeof largestError,
    a: Parameters,
    b: Parameters,
  ) =>
    worst(PARAMETER_NAMES.map((name): Measured => [
      error(a[name], b[name]),
      TENSOR_KEYS[name],
    ]));
  return {
    "output": [largestError(first.output, wanted.output), ""],
    "hidden state": [largestError(first.hiddenLast, wanted.hiddenLast), ""],
    "losses": worst([
      [relativeError(first.loss, wanted.loss), "first batch"],
      ...expected.epochs.flatMap((epoch, i) =>
        lossErrors(found.epochs[i], epoch).map(([error, where]): Measured => [
          error,
          `epoch ${i + 1}, ${where}`,
        ])
      ),
    ]),
    "accuracies": worst([
      [difference(first.accuracy, wanted.accuracy), "first batch"],
      ...expected.epochs.flatMap((epoch, i): Measured[] => {
        const own = found.epochs[i];
        // Of numbers that are none, no class is the most probable.
        return [
          [
            Number.isFinite(epoch.trainLoss)
              ? difference(own?.trainAccuracy, epoch.trainAccuracy)
              : 0,
            `epoch ${i + 1}`,
          ],
          [
            Number.isFinite(epoch.validateLoss)
              ? difference(own?.validateAccuracy, epoch.validateAccuracy)
              : 0,
            `epoch ${i + 1}`,
          ],
        ];
      }),
    ]),
    "gradients": tensors(relativeNorm, first.gradient, wanted.gradient),
    "weights after one update": tensors(
      largestError,
      found.weightsAfterOneUpdate,
      expected.weightsAfterOneUpdate,
    ),
    "weights after all epochs": tensors(
      largestError,
      found.weightsAfterAllEpochs,
      expected.weightsAfterAllEpochs,
    ),
    "moments": worst([
      tensors(relativeNorm, found.firstMoment, expected.firstMoment),
      tensors(relativeNorm, found.secondMoment, expected.secondMoment),
    ]),
  };
}

type Epoch = Training["epochs"][number];

function lossErrors(found: Epoch | undefined, expected: Epoch): Measured[] {
  const each = (
    key: "trainBatchLosses" | "validateBatchLosses",
    part: string,
  ) =>
    Array.from(expected[key], (loss, b): Measured => [
      relativeError(found?.[key][b], loss),
      `${part} batch ${b + 1}`,
    ]);
  return [
    [relativeError(found?.trainLoss, expected.trainLoss), "train loss"],
    [
      relativeError(found?.validateLoss, expected.validateLoss),
      "validate loss",
    ],
    ...each("trainBatchLosses", "train"),
    ...each("validateBatchLosses", "validate"),
  ];
}

function changedWhileFrozen(found: Training, spec: EnsembleSpec): Measured {
  const { trainRecurrent, initial } = spec.runs[0]!;
  const changed = ({ weightHh }: Parameters) =>
    trainRecurrent
      ? 0
      : initial.weightHh.filter((weight, i) => weight !== weightHh[i]).length;
  return worst([
    [changed(found.weightsAfterOneUpdate), "after one update"],
    [changed(found.weightsAfterAllEpochs), "after all epochs"],
  ]);
}

/** The worst of some errors; a NaN is worse than any number. */
function worst(errors: readonly Measured[]): Measured {
  return errors.reduce<Measured>(
    (a, b) => b[0] > a[0] || Number.isNaN(b[0]) ? b : a,
    [0, ""],
  );
}

function difference(found = NaN, expected = NaN): number {
  return Object.is(found, expected) ? 0 : Math.abs(found - expected);
}

/** 0 where neither is finite, Infinity or NaN where one is. */
function relativeError(found = NaN, expected: number): number {
  if (!Number.isFinite(expected)) return Number.isFinite(found) ? Infinity : 0;
  return found === expected
    ? 0
    : Math.abs(found - expected) / Math.abs(expected);
}

/** Whether two tensors agree that there is a number in them that is not finite; undefined where there is none in either. */
function agreeOnFailure(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
): boolean | undefined {
  const fails = (values: ArrayLike<number>) =>
    !Array.prototype.every.call(values, Number.isFinite);
  return fails(expected) ? fails(found) : fails(found) ? false : undefined;
}

function largestError(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
): number {
  if (found.length !== expected.length) return NaN;
  const failure = agreeOnFailure(found, expected);
  if (failure !== undefined) return failure ? 0 : NaN;
  let error = 0;
  let scale = 1;
  for (let i = 0; i < expected.length; i++) {
    error = Math.max(error, Math.abs(found[i]! - expected[i]!));
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return error / scale;
}

function relativeNorm(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
): number {
  if (found.length !== expected.length) return NaN;
  const failure = agreeOnFailure(found, expected);
  if (failure !== undefined) return failure ? 0 : NaN;
  // Math.hypot neither overflows nor underflows where squares would.
  let error = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    error = Math.hypot(error, found[i]! - expected[i]!);
    norm = Math.hypot(norm, expected[i]!);
  }
  return error === 0 ? 0 : error / norm;
}

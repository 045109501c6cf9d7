/**
 * Replays a reference case on an engine, measures how far it is off, and says so.
 *
 * @module
 */

import { createEnsemble } from "../engine/create_ensemble.ts";
import type { Engine, EnsembleSpec } from "../engine/ensemble.ts";
import { PARAMETER_NAMES, type Parameters } from "../rnn/parameters.ts";
import {
  type GoldenCase,
  momentsOf,
  type Numbers,
  scoresOf,
  TENSOR_KEYS,
  type Training,
} from "./golden_case.ts";

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
  "accuracies": { float32: 1e-11, float64: 1e-11 },
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
  /** 0 is perfect; NaN where one value is finite and the other is not. */
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
 *   after one update and after all epochs, accuracies:
 *   max |x − x*| / max(1, max |x*|) of each;
 * - losses of every batch and epoch, gradients of the first batch, the
 *   optimizer's moments after all epochs: ‖x − x*‖ / ‖x*‖ of each;
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
 * import { ownCases } from "./src/doctor/golden_case.ts";
 * import { replayCase } from "./src/doctor/replay.ts";
 * import { createReferenceEngine } from "./src/reference/engine.ts";
 *
 * const [golden] = ownCases();
 * const report = await replayCase(golden!, createReferenceEngine());
 * report.ok; // true
 * ```
 */
export async function replayCase(
  golden: GoldenCase,
  engine: Engine,
): Promise<CaseReport> {
  const precision = engine.kind === "reference" ? "float64" : "float32";
  const { float32, float64 } = golden.expected;
  const found = await train(engine, golden);
  const expected = golden.expected[precision];
  const checks = (Object.keys(TOLERANCES) as CheckName[]).map((name): Check => {
    const least = TOLERANCES[name][precision];
    if (name === "frozen weights") {
      const [error, where] = changedWhileFrozen(found, golden.ensemble);
      return { name, error, limit: least, ok: error === 0, where };
    }
    const [error, where] = compare(name, { found, expected });
    const [own] = compare(name, { found: float32, expected: float64 });
    const limit = precision === "float32" && Number.isFinite(own)
      ? Math.max(least, 10 * own)
      : least;
    return { name, error, limit, ok: error <= limit, where };
  });
  return { name: golden.name, checks, ok: checks.every(({ ok }) => ok) };
}

/** A whole training, and one of the first update alone. */
async function train(
  engine: Engine,
  { ensemble: spec, epochs }: GoldenCase,
): Promise<Training> {
  const ensemble = await createEnsemble(engine, spec);
  const first = await createEnsemble(engine, firstUpdate(spec));
  try {
    const probe = await ensemble.probe(0, 0);
    const history = await ensemble.train(epochs);
    const [state] = await ensemble.state(0);
    await first.train(1);
    const [afterOne] = await first.state(0);
    const { trainBatchLoss, validateBatchLoss } = history;
    const batchesOf = (losses: Float64Array, epoch: number) => {
      const batches = losses.length / epochs;
      return losses.subarray(epoch * batches, (epoch + 1) * batches);
    };
    return {
      "output": { "": probe.output },
      "hidden state": { "": probe.hiddenLast },
      ...scoresOf(
        probe,
        Array.from({ length: epochs }, (_, i) => ({
          train: {
            loss: history.trainLoss[i] ?? NaN,
            accuracy: history.trainAccuracy?.[i],
            batches: batchesOf(trainBatchLoss, i),
          },
          validate: {
            loss: history.validateLoss[i] ?? NaN,
            accuracy: history.validateAccuracy?.[i],
            batches: batchesOf(validateBatchLoss, i),
          },
        })),
      ),
      "gradients": byKey(probe.gradient),
      "weights after one update": byKey(afterOne!.parameters),
      "weights after all epochs": byKey(state!.parameters),
      "moments": momentsOf(
        byKey(state!.firstMoment),
        byKey(state!.secondMoment),
      ),
    };
  } finally {
    ensemble.destroy();
    first.destroy();
  }
}

function byKey(parameters: Parameters): Numbers {
  return Object.fromEntries(
    PARAMETER_NAMES.map((name) => [TENSOR_KEYS[name], parameters[name]]),
  );
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

/** The checks that ask how far numbers are off in relation to themselves. */
const RELATIVE: readonly CheckName[] = ["losses", "gradients", "moments"];

function compare(
  name: keyof Training,
  { found, expected }: {
    readonly found: Training;
    readonly expected: Training;
  },
): Measured {
  const error = RELATIVE.includes(name) ? relativeError : largestError;
  return worst(
    Object.entries(expected[name]).map(([where, values]): Measured => {
      const own = found[name][where];
      if (own?.length !== values.length) return [NaN, where];
      if (!isFinite(values) || !isFinite(own)) {
        return [isFinite(values) === isFinite(own) ? 0 : NaN, where];
      }
      return [error(own, values), where];
    }),
  );
}

function isFinite(values: ArrayLike<number>): boolean {
  return Array.prototype.every.call(values, Number.isFinite);
}

/** max |x − x*| / max(1, max |x*|) */
function largestError(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
): number {
  let error = 0;
  let scale = 1;
  for (let i = 0; i < expected.length; i++) {
    error = Math.max(error, Math.abs(found[i]! - expected[i]!));
    scale = Math.max(scale, Math.abs(expected[i]!));
  }
  return error / scale;
}

/** ‖x − x*‖ / ‖x*‖ */
function relativeError(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
): number {
  // Math.hypot neither overflows nor underflows where squares would.
  let error = 0;
  let norm = 0;
  for (let i = 0; i < expected.length; i++) {
    error = Math.hypot(error, found[i]! - expected[i]!);
    norm = Math.hypot(norm, expected[i]!);
  }
  return error === 0 ? 0 : error / norm;
}

function changedWhileFrozen(found: Training, spec: EnsembleSpec): Measured {
  const { trainRecurrent, initial } = spec.runs[0]!;
  const changed = ({ W_hh }: Numbers) =>
    trainRecurrent
      ? 0
      : initial.weightHh.filter((weight, i) => weight !== W_hh![i]).length;
  return worst([
    [changed(found["weights after one update"]), "after one update"],
    [changed(found["weights after all epochs"]), "after all epochs"],
  ]);
}

/** The worst of some errors; a NaN is worse than any number. */
function worst(errors: readonly Measured[]): Measured {
  return errors.reduce<Measured>(
    (a, b) => b[0] > a[0] || Number.isNaN(b[0]) ? b : a,
    [0, ""],
  );
}

/** The heading of the lines of {@linkcode describeReport}. */
export function reportHeading(nameWidth: number): string {
  return columns("case", {
    nameWidth,
    values: ["losses", "gradients", "weights"],
    verdict: "",
  });
}

/** A case's name, its worst errors of losses, gradients and weights, and "ok" or what is off. */
export function describeReport(
  report: CaseReport,
  { nameWidth }: { readonly nameWidth: number },
): string {
  const errorOf = (...names: readonly Check["name"][]) =>
    report.checks.filter(({ name }) => names.includes(name))
      .map(({ error }) => error)
      .reduce((a, b) => Math.max(a, b));
  return columns(report.name, {
    nameWidth,
    values: [
      errorOf("losses"),
      errorOf("gradients"),
      errorOf("weights after one update", "weights after all epochs"),
    ].map((error) => error.toExponential(1)),
    verdict: report.ok
      ? "ok"
      : `OFF: ${
        report.checks.filter(({ ok }) => !ok).map(describeCheck).join("; ")
      }`,
  });
}

function describeCheck({ name, where, error, limit }: Check): string {
  return `${name}${where === "" ? "" : ` (${where})`} ${
    error.toExponential(1)
  }, allowed ${limit}`;
}

function columns(
  name: string,
  { nameWidth, values, verdict }: {
    readonly nameWidth: number;
    readonly values: readonly string[];
    readonly verdict: string;
  },
): string {
  return [
    name.padEnd(nameWidth),
    ...values.map((value) => value.padEnd(9)),
    verdict,
  ].join("  ").trimEnd();
}

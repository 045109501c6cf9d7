/**
 * Replays a reference case on an engine, measures how far it is off, and says so.
 *
 * @module
 */

import { createEnsemble } from "../engine/create_ensemble.ts";
import type { Engine, ModelRun } from "../engine/ensemble.ts";
import { type GoldenCase, type Training, trainingOf } from "./golden_case.ts";

const WEIGHTS = { float32: 5e-6, float64: 1e-12, error: largestError };

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
  "output": { float32: 2e-6, float64: 1e-12, error: largestError },
  "hidden state": { float32: 2e-6, float64: 1e-12, error: largestError },
  "losses": { float32: 1e-5, float64: 1e-12, error: relativeError },
  // Counts: only the mean over the batches may be rounded otherwise.
  "accuracies": { float32: 1e-11, float64: 1e-11, error: largestError },
  "gradients": { float32: 1e-5, float64: 1e-12, error: relativeError },
  "weights after one update": WEIGHTS,
  "weights after all epochs": WEIGHTS,
  "moments": { float32: 1e-5, float64: 1e-12, error: relativeError },
} satisfies Record<keyof Training, unknown>;

/** What is compared. */
export type CheckName = keyof Training | "frozen weights";

/** The worst error of one kind: 0 is perfect; NaN where one value is finite and the other is not. */
interface Check {
  readonly name: CheckName;
  readonly error: number;
  readonly limit: number;
  readonly ok: boolean;
  /** Where the worst error lies, e.g. "W_hh" or "epoch 3, train loss"; "" where there is none. */
  readonly where: string;
}

interface CaseReport {
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
 */
export async function replayCase(
  golden: GoldenCase,
  engine: Engine,
): Promise<CaseReport> {
  const precision = engine.kind === "reference" ? "float64" : "float32";
  const { ensemble, expected, name } = golden;
  const found = await train(engine, golden);
  const checks = Object.entries(TOLERANCES).map(([key, tolerance]): Check => {
    const name = key as keyof Training;
    const [error, where] = compare(name, found, expected[precision]);
    const [own] = compare(name, expected.float32, expected.float64);
    const least = tolerance[precision];
    const limit = precision === "float32" && Number.isFinite(own)
      ? Math.max(least, 10 * own)
      : least;
    return { name, error, limit, ok: error <= limit, where };
  });
  const [error, where] = changedWhileFrozen(found, ensemble.runs[0]!);
  const ok = error === 0;
  checks.push({ name: "frozen weights", error, limit: 0, ok, where });
  return { name, checks, ok: checks.every(({ ok }) => ok) };
}

/** A whole training, and one of the first update alone: its one batch is an epoch. */
async function train(
  engine: Engine,
  { ensemble: spec, epochs }: GoldenCase,
): Promise<Training> {
  const [run] = spec.runs as [ModelRun];
  const trainBatches = run.trials.trainBatches.slice(0, 1);
  const update = { ...run, trials: { ...run.trials, trainBatches } };
  const ensemble = await createEnsemble(engine, spec);
  const first = await createEnsemble(engine, { ...spec, runs: [update] });
  try {
    const probe = await ensemble.probe(0, 0);
    const history = await ensemble.train(epochs);
    const [state] = await ensemble.state(0);
    await first.train(1);
    const [afterOne] = await first.state(0);
    const outcome = { probe, history, afterOne: afterOne!, state: state! };
    return trainingOf(outcome, epochs);
  } finally {
    ensemble.destroy();
    first.destroy();
  }
}

function compare(
  name: keyof Training,
  found: Training,
  expected: Training,
): Measured {
  const { error } = TOLERANCES[name];
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

function changedWhileFrozen(
  found: Training,
  { trainRecurrent, initial }: ModelRun,
): Measured {
  if (trainRecurrent) return [0, ""];
  return worst((["one update", "all epochs"] as const).map((when) => {
    const { W_hh } = found[`weights after ${when}`];
    const changed = initial.weightHh.filter((w, i) => w !== W_hh![i]);
    return [changed.length, `after ${when}`];
  }));
}

/** The worst of some errors; a NaN is worse than any number. */
function worst(errors: readonly Measured[]): Measured {
  return errors.reduce<Measured>(
    (a, b) => b[0] > a[0] || Number.isNaN(b[0]) ? b : a,
    [0, ""],
  );
}

/** What a line shows the worst errors of. */
const KINDS = ["losses", "gradients", "weights"];

/** The heading of the lines of {@linkcode describeReport}. */
export function reportHeading(nameWidth: number): string {
  return columns("case", nameWidth, KINDS);
}

/** A case's name, its worst errors of losses, gradients and weights, and "ok" or what is off. */
export function describeReport(
  { name, checks, ok }: CaseReport,
  { nameWidth }: { readonly nameWidth: number },
): string {
  const shown = (error: number) => error.toExponential(1);
  const worst = KINDS.map((kind) =>
    checks.reduce(
      (worst, { name, error }) =>
        name.startsWith(kind) ? Math.max(worst, error) : worst,
      0,
    )
  );
  const off = checks.filter(({ ok }) => !ok).map((check) => {
    const { name, where, error, limit } = check;
    const place = where === "" ? "" : ` (${where})`;
    return `${name}${place} ${shown(error)}, allowed ${limit}`;
  });
  const verdict = ok ? "ok" : `OFF: ${off.join("; ")}`;
  return columns(name, nameWidth, worst.map(shown), verdict);
}

function columns(
  name: string,
  nameWidth: number,
  values: readonly string[],
  verdict = "",
): string {
  const padded = values.map((value) => value.padEnd(9));
  return [name.padEnd(nameWidth), ...padded, verdict].join("  ").trimEnd();
}

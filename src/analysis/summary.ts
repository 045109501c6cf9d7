/**
 * A run in four numbers: its lowest validation loss, when it was reached, when
 * it was nearly reached, and the accuracy at the end; and what experiments are
 * compared by.
 *
 * Epochs are numbered from 0, as in the names of model files: the last of 500
 * is 499.
 *
 * @module
 */

import type {
  CombinationResult,
  Curves,
  ResultsFolder,
} from "../results/results_folder.ts";

/** What a loss curve comes down to. */
export interface LossSummary {
  /** The lowest loss. */
  readonly minLoss: number;
  /** The first epoch that has it. */
  readonly minLossEpoch: number;
  /** The first epoch within 1 % of the curve's range above it; undefined where all losses are equal. */
  readonly epoch99: number | undefined;
  /**
   * Whether the curve still falls at its end: it comes within that 1 % in the
   * last tenth of its epochs only, so that with more epochs `epoch99` would be later.
   */
  readonly stillFalling: boolean;
}

/** A run's numbers. */
export interface RunSummary {
  /** Number of the combination. */
  readonly combination: number;
  readonly iteration: number;
  /** Undefined where the run diverged. */
  readonly loss: LossSummary | undefined;
  /** Validation accuracy of the last epoch in %; undefined where there is none. */
  readonly finalAccuracy: number | undefined;
  /** What tells its network from others; undefined where that is not known. */
  readonly network: string | undefined;
}

/** What to leave out. */
export interface SummaryOptions {
  /** Epochs left out at the beginning, unless there are no others; default 1, as in the original's figures. */
  readonly start?: number;
  /** Epochs after which curves are cut, where experiments differ in length; default all. */
  readonly epochs?: number;
}

/** Share of the range, in %, within which a loss counts as lowest. */
const NEAR = 1;
/** Share of a curve in which it must not come so near for the first time. */
const TAIL = 0.1;

/**
 * Summarizes one loss curve.
 *
 * @param losses One value an epoch.
 * @returns undefined where a loss is NaN or infinite: the run diverged.
 *
 * @example
 * ```ts
 * import { summarizeLoss } from "./src/analysis/summary.ts";
 *
 * summarizeLoss(Float64Array.of(9, 1, 0.1, 0.105));
 * // { minLoss: 0.1, minLossEpoch: 2, epoch99: 2, stillFalling: false }
 * ```
 */
export function summarizeLoss(
  losses: Float64Array,
  { start = 1 }: SummaryOptions = {},
): LossSummary | undefined {
  const first = losses.length > start ? start : 0;
  const kept = losses.subarray(first);
  if (kept.length === 0 || !kept.every(Number.isFinite)) return undefined;
  const min = kept.reduce((least, loss) => Math.min(least, loss), Infinity);
  const max = kept.reduce((most, loss) => Math.max(most, loss), -Infinity);
  const minLossEpoch = first + kept.indexOf(min);
  if (min === max) {
    return {
      minLoss: min,
      minLossEpoch,
      epoch99: undefined,
      stillFalling: false,
    };
  }
  // In this order, so that rounding falls as in the original program.
  const near = kept.findIndex((loss) =>
    (loss - min) / (max - min) * 100 <= NEAR
  );
  const tail = Math.max(1, Math.floor(TAIL * kept.length));
  return {
    minLoss: min,
    minLossEpoch,
    epoch99: first + near,
    stillFalling: near >= kept.length - tail,
  };
}

/** One iteration's values. */
export function curveOf(curves: Curves, iteration: number): Float64Array {
  const { epochs, values } = curves;
  return values.subarray(iteration * epochs, (iteration + 1) * epochs);
}

/**
 * Summarizes every run of a results folder. A run diverged where a validation
 * loss is NaN or infinite, or where the experiment's record says so.
 *
 * @returns A summary a run, and a sentence for each combination with runs that diverged or never changed.
 *
 * @example
 * ```ts no-eval
 * import { readResultsFolder } from "@biornn/biornn";
 * import { summarizeResults } from "./src/analysis/summary.ts";
 *
 * const { runs } = summarizeResults(await readResultsFolder("results/bio"));
 * runs[0]?.loss?.minLoss; // of combination 0, iteration 0
 * ```
 */
export function summarizeResults(
  results: ResultsFolder,
  options: SummaryOptions = {},
): { runs: RunSummary[]; warnings: string[] } {
  const runs: RunSummary[] = [];
  const warnings: string[] = [];
  const { epochs: most = Infinity } = options;
  for (const combination of results.combinations) {
    const { validateLoss, index, title } = combination;
    const recorded = new Set(
      results.experiment?.failures.flatMap((failure) =>
        failure.combination === index && failure.epoch < most
          ? failure.iteration
          : []
      ),
    );
    const diverged: string[] = [];
    const constant: number[] = [];
    for (let i = 0; i < validateLoss.iterations; i++) {
      const losses = curveOf(validateLoss, i).subarray(0, most);
      const loss = recorded.has(i) ? undefined : summarizeLoss(losses, options);
      if (loss === undefined) {
        const epoch = losses.findIndex((value) => !Number.isFinite(value));
        diverged.push(epoch < 0 ? `${i}` : `${i} from epoch ${epoch} on`);
      } else if (loss.epoch99 === undefined && losses.length > 2) {
        constant.push(i);
      }
      runs.push({
        combination: index,
        iteration: i,
        loss,
        finalAccuracy: loss && finalAccuracyOf(combination, i, most),
        network: combination.networks?.[i],
      });
    }
    const name = `${results.path}: combination ${index} ${title}: `;
    if (diverged.length > 0) {
      warnings.push(
        `${name}${
          diverged.length === validateLoss.iterations
            ? "all iterations diverged"
            : `iteration ${diverged.join(", ")} diverged`
        } (NaN or infinite); diverged runs count as the worst in the tests`,
      );
    }
    if (constant.length > 0) {
      warnings.push(
        `${name}the validation loss of iteration ${
          constant.join(", ")
        } never changes, so that no epoch stands out`,
      );
    }
  }
  return { runs, warnings };
}

function finalAccuracyOf(
  { validateMetrics }: CombinationResult,
  iteration: number,
  most: number,
): number | undefined {
  if (validateMetrics === undefined) return undefined;
  const accuracy = curveOf(validateMetrics, iteration).subarray(0, most).at(-1);
  // Means of percentages differ in the last digits where in exact arithmetic they are equal.
  return accuracy !== undefined && Number.isFinite(accuracy)
    ? Math.round(accuracy * 1e9) / 1e9
    : undefined;
}

/** A number that each run has. */
export type Measure = "minLoss" | "epoch99" | "finalAccuracy";

/** A measure in words and numbers. */
export interface MeasureInfo {
  /** E.g. "minimum validation loss". */
  readonly name: string;
  readonly unit: "" | "epochs" | "%";
  readonly better: "lower" | "higher";
  /** The run's value; undefined where it has none. */
  readonly valueOf: (run: RunSummary) => number | undefined;
}

/** The measures. */
export const MEASURES: Readonly<Record<Measure, MeasureInfo>> = {
  minLoss: {
    name: "minimum validation loss",
    unit: "",
    better: "lower",
    valueOf: (run) => run.loss?.minLoss,
  },
  epoch99: {
    name: "first epoch within 1 % of the minimum validation loss",
    unit: "epochs",
    better: "lower",
    valueOf: (run) => run.loss?.epoch99,
  },
  finalAccuracy: {
    name: "final validation accuracy",
    unit: "%",
    better: "higher",
    valueOf: (run) => run.finalAccuracy,
  },
};

/** A scale that spans more than this is logarithmic. */
const LOG_RANGE = 30;

/**
 * Whether numbers are drawn and compared on a logarithmic scale: all are
 * positive, and the highest is more than {@linkcode LOG_RANGE} times the lowest.
 *
 * @param values Those that are not finite count for nothing.
 */
export function spansDecades(values: Iterable<number>): boolean {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    low = Math.min(low, value);
    high = Math.max(high, value);
  }
  return low > 0 && high > LOG_RANGE * low;
}

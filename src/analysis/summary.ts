/**
 * A run in four numbers: its lowest validation loss, when it was reached, when
 * it was nearly reached, and the accuracy at the end.
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
  /** The first epoch that has it, counted from 0 after the epochs left out. */
  readonly minLossEpoch: number;
  /** The first epoch within 1 % of the curve's range above it, counted likewise. */
  readonly epoch99: number;
}

/** Why a curve has no summary. */
export type NoSummary = "constant" | "not a number";

/** A run's numbers; undefined where its loss curve has no summary. */
export interface RunSummary {
  /** Number of the combination. */
  readonly combination: number;
  readonly iteration: number;
  readonly loss: LossSummary | undefined;
  /** Validation accuracy of the last epoch in %; undefined where there is none. */
  readonly finalAccuracy: number | undefined;
}

/** What to leave out. */
export interface SummaryOptions {
  /** Epochs left out at the beginning; default 1, as in the original's figures. */
  readonly start?: number;
}

/** Share of the range, in %, within which a loss counts as lowest. */
const NEAR = 1;

/**
 * Summarizes one loss curve.
 *
 * @param losses One value an epoch.
 * @returns The summary, or why there is none: a loss is NaN or infinite, or all are equal, so that no epoch stands out.
 *
 * @example
 * ```ts
 * import { summarizeLoss } from "./src/analysis/summary.ts";
 *
 * summarizeLoss(Float64Array.of(9, 1, 0.1, 0.105)); // { minLoss: 0.1, minLossEpoch: 1, epoch99: 1 }
 * ```
 */
export function summarizeLoss(
  losses: Float64Array,
  { start = 1 }: SummaryOptions = {},
): LossSummary | NoSummary {
  const kept = losses.subarray(start);
  let min = Infinity;
  let max = -Infinity;
  let minLossEpoch = 0;
  for (const [epoch, loss] of kept.entries()) {
    if (!Number.isFinite(loss)) return "not a number";
    if (loss < min) {
      min = loss;
      minLossEpoch = epoch;
    }
    if (loss > max) max = loss;
  }
  if (!(min < max)) return "constant";
  // In this order, so that rounding falls as in the original program.
  const epoch99 = kept.findIndex((loss) =>
    (loss - min) / (max - min) * 100 <= NEAR
  );
  return { minLoss: min, minLossEpoch, epoch99 };
}

/** One iteration's values. */
export function curveOf(curves: Curves, iteration: number): Float64Array {
  const { epochs, values } = curves;
  return values.subarray(iteration * epochs, (iteration + 1) * epochs);
}

/**
 * Summarizes every run of a results folder.
 *
 * @returns A summary a run, and a sentence for each run whose curve has none.
 *
 * @example
 * ```ts no-eval
 * import { readResultsFolder } from "./src/results/results_folder.ts";
 * import { summarizeResults } from "./src/analysis/summary.ts";
 *
 * const { runs } = summarizeResults(await readResultsFolder("results/bio"));
 * runs[0]?.loss?.minLoss; // of combination 0, iteration 0
 * ```
 */
export function summarizeResults(
  results: ResultsFolder,
  { start = 1 }: SummaryOptions = {},
): { runs: RunSummary[]; warnings: string[] } {
  const runs: RunSummary[] = [];
  const warnings: string[] = [];
  for (const combination of results.combinations) {
    const { validateLoss, index, title } = combination;
    for (let i = 0; i < validateLoss.iterations; i++) {
      const loss = summarizeLoss(curveOf(validateLoss, i), { start });
      if (typeof loss === "string") {
        const problem = describeProblem(loss, {
          losses: curveOf(validateLoss, i),
          start,
        });
        warnings.push(
          `${results.path}: the validation loss of combination ${index} ${title}, iteration ${i}, ${problem}; the run is left out of the statistics`,
        );
      }
      runs.push({
        combination: index,
        iteration: i,
        loss: typeof loss === "string" ? undefined : loss,
        finalAccuracy: typeof loss === "string"
          ? undefined
          : finalAccuracyOf(combination, i),
      });
    }
  }
  return { runs, warnings };
}

function describeProblem(
  problem: NoSummary,
  { losses, start }: {
    readonly losses: Float64Array;
    readonly start: number;
  },
): string {
  const { length } = losses;
  // One epoch cannot change, which is no fault of the run.
  if (length <= start || (problem === "constant" && length === start + 1)) {
    return `has ${length} ${length === 1 ? "epoch" : "epochs"} only`;
  }
  return problem === "constant"
    ? "is constant"
    : `is not a number from epoch ${firstBad(losses)} on`;
}

function firstBad(losses: Float64Array): number {
  return losses.findIndex((loss) => !Number.isFinite(loss));
}

function finalAccuracyOf(
  { validateMetrics }: CombinationResult,
  iteration: number,
): number | undefined {
  if (validateMetrics === undefined) return undefined;
  const accuracy = curveOf(validateMetrics, iteration).at(-1);
  return accuracy !== undefined && Number.isFinite(accuracy)
    ? accuracy
    : undefined;
}

/** A number that each run has. */
export type Measure = "minLoss" | "epoch99" | "finalAccuracy";

/** How far apart two means may be and still count as equivalent. */
export interface Margin {
  /** A share of the other label's mean, or a difference in the measure's own unit. */
  readonly kind: "relative" | "absolute";
  readonly value: number;
}

/** A measure in words and numbers. */
export interface MeasureInfo {
  /** E.g. "minimum validation loss". */
  readonly name: string;
  readonly unit: "" | "epochs" | "%";
  readonly better: "lower" | "higher";
  /** Default margin of equivalence. */
  readonly margin: Margin;
  /** The run's value; undefined where it has none. */
  readonly valueOf: (run: RunSummary) => number | undefined;
}

/**
 * The measures. There is no margin that is right for every study; these are
 * half of what Schuirmann (1987) and regulators allow drugs to differ by (20 %
 * of the reference mean), and 5 percentage points for accuracies, whose
 * scale has an end. Choose your own where you know which difference matters.
 */
export const MEASURES: Readonly<Record<Measure, MeasureInfo>> = {
  minLoss: {
    name: "minimum validation loss",
    unit: "",
    better: "lower",
    margin: { kind: "relative", value: 0.1 },
    valueOf: (run) => run.loss?.minLoss,
  },
  epoch99: {
    name: "first epoch within 1 % of the minimum validation loss",
    unit: "epochs",
    better: "lower",
    margin: { kind: "relative", value: 0.1 },
    valueOf: (run) => run.loss?.epoch99,
  },
  finalAccuracy: {
    name: "final validation accuracy",
    unit: "%",
    better: "higher",
    margin: { kind: "absolute", value: 5 },
    valueOf: (run) => run.finalAccuracy,
  },
};

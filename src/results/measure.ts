/**
 * What experiments are compared by.
 *
 * @module
 */

import type { RunSummary } from "./summary.ts";

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

/**
 * What comes out of comparing two experiments.
 *
 * @module
 */

import type { MatchedCombination } from "./match.ts";
import type { Margin, Measure } from "./summary.ts";
import type { Description } from "./effect_sizes.ts";

/** One label's runs in short. */
export interface ComparedGroup extends Description {
  readonly label: string;
}

/** A comparison before its p values are corrected and put into words. */
export interface ComparedRuns {
  readonly measure: Measure;
  /** Undefined for the row over all combinations. */
  readonly combination: MatchedCombination | undefined;
  /** How many combinations the row is about. */
  readonly combinations: number;
  readonly reference: ComparedGroup;
  readonly other: ComparedGroup;
  /** Whether run i of one label had the same trials as run i of the other; both groups hold complete pairs only. */
  readonly paired: boolean;
  readonly test: "Wilcoxon signed-rank" | "Mann-Whitney U";
  readonly method: "exact" | "asymptotic";
  /** The smaller rank sum, or U of the reference; NaN where there was nothing to test. */
  readonly statistic: number;
  /** Two-sided; NaN likewise. */
  readonly p: number;
  /** The smallest p that so few runs can give. */
  readonly smallestP: number;
  /** 1 where the reference tends to be larger, −1 where the other does. */
  readonly direction: number;
  /** Cliff's delta, above 0 where the reference is larger, and its 95 % bootstrap interval. */
  readonly delta: number;
  readonly deltaInterval: readonly [low: number, high: number];
  /** Mean of the reference less mean of the other. */
  readonly difference: number;
  /** Means that differ by less count as equivalent; NaN where it could not be told. */
  readonly margin: number;
  /** How the margin was chosen. */
  readonly marginRule: Margin;
  /** Of the two one-sided tests; NaN where they could not be made. */
  readonly equivalenceP: number;
  /** Of the one test that the reference is not worse by the margin; NaN likewise. */
  readonly notWorseP: number;
}

/** One row of the statistics. */
export interface Comparison extends ComparedRuns {
  /** Corrected over the combinations, by Holm; undefined for the row over all. */
  readonly pHolm: number | undefined;
  /** What the corrected p cannot fall below, with so many runs and combinations. */
  readonly smallestPHolm: number | undefined;
  /** As `pHolm`, for the equivalence. */
  readonly equivalencePHolm: number | undefined;
  readonly notWorsePHolm: number | undefined;
  /** What the row says, in plain English. */
  readonly sentence: string;
}

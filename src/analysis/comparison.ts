/**
 * What comes out of comparing two experiments.
 *
 * @module
 */

import type { Baseline } from "./baseline.ts";
import type { Description, Effect } from "./effect_sizes.ts";
import type { MatchedCombination } from "./match.ts";
import type { Measure } from "./summary.ts";

/** One label's runs in short. Mean, sd and median are of the runs that have a value, in combinations that were learned. */
export interface ComparedGroup extends Description {
  /** Name of the experiment. */
  readonly label: string;
  /** Mean over the combinations of their medians; the geometric one where the scale is logarithmic. */
  readonly typical: number;
  /** All runs. */
  readonly runs: number;
  /** Of these, those that diverged. */
  readonly failed: number;
  /** Different networks that they are on; undefined where that is not known. */
  readonly networks: number | undefined;
  /** Those that beat the baseline; undefined where the task's is not known. */
  readonly learned: number | undefined;
  /** Of the combinations that were learned, those whose loss still falls at the last epoch. */
  readonly stillFalling: number;
}

/** In what the equivalence of two labels is measured. */
export type MarginUnit =
  /** Shares of what the better label learned: the way from the baseline to its loss, on the scale of the figures. */
  | "learned"
  /** Shares of the points between chance and 100 %: of 50, where there are two classes. */
  | "points"
  /** Shares of the other label's mean. */
  | "mean"
  /** Ratios of losses, where no baseline is known. */
  | "ratio";

/** What is corrected for the number of tests. */
export interface Corrected {
  /** Of the test of a difference; two-sided; NaN where there was nothing to test. */
  readonly p: number;
  /** Of the two one-sided tests of equivalence; NaN likewise. */
  readonly equivalenceP: number;
  /** Of the one test that the reference is not worse by the margin; NaN likewise. */
  readonly notWorseP: number;
  /** Of the exact test that one label diverges more often; NaN where no run did. */
  readonly failureP: number;
}

/** A comparison before its p values are corrected and put into words. */
export interface ComparedRuns extends Corrected {
  /** What is compared. */
  readonly measure: Measure;
  /** Undefined for the row over all combinations. */
  readonly combination: MatchedCombination | undefined;
  /** Combinations that the row is about: those of which a run of either label beat the baseline. */
  readonly combinations: number;
  /** Titles of those that no run of either label learned. */
  readonly notLearned: readonly MatchedCombination[];
  /** Combinations in which the reference tends to be lower, and higher. */
  readonly lower: number;
  /** In how many combinations it is higher. */
  readonly higher: number;
  /** The label that others are compared with. */
  readonly reference: ComparedGroup;
  /** The label that is compared. */
  readonly other: ComparedGroup;
  /** Pairs of runs that were compared; undefined for independent groups. */
  readonly pairs: number | undefined;
  /** Whether pairs were made by the places of runs alone, not by their trials. */
  readonly byPlace: boolean;
  /**
   * What was tested in place of runs, as these share networks: networks of each
   * label, or of pairs twice the number of their groups. Undefined where each run
   * counts for itself.
   */
  readonly units: readonly [reference: number, other: number] | undefined;
  /** The test of a difference. */
  readonly test: "Wilcoxon signed-rank" | "Mann-Whitney U";
  /** How its p value was found. */
  readonly method: "exact" | "asymptotic";
  /** The smaller rank sum, or U of the reference; of several combinations their mean effect. NaN where there was nothing to test. */
  readonly statistic: number;
  /** The smallest p that so few runs can give. */
  readonly smallestP: number;
  /** 1 where the reference tends to be larger, −1 where the other does. */
  readonly direction: number;
  /** Whether no run differs from what it is compared with. */
  readonly equal: boolean;
  /** Above 0 where the reference is larger; of several combinations the mean. */
  readonly effectName: "rank-biserial correlation" | "Cliff's delta";
  /** How large the difference is. */
  readonly effect: Effect;
  /** Reference by other, of geometric means; undefined where the scale is not logarithmic. */
  readonly ratio: number | undefined;
  /** Mean of the reference less mean of the other in units of the margin, and its 90 % interval; NaN where there are too few runs. */
  readonly difference: number;
  /** Its 90 % interval. */
  readonly differenceInterval: readonly [low: number, high: number];
  /** What the margin is a share of. */
  readonly marginUnit: MarginUnit;
  /** Percentage points between chance and 100 %. */
  readonly points: number;
  /** Combinations whose own difference is larger than the margin; as long as there is one, nothing is equivalent over all. */
  readonly outside: number;
  /** Differences below this share count as equivalent. */
  readonly margin: number;
  /** What a network that has learnt nothing reaches. */
  readonly baseline: Baseline | undefined;
}

/** One row of the statistics. */
export interface Comparison extends ComparedRuns {
  /** p values after Holm's correction over combinations, measures and labels; of rows over all combinations, over measures and labels. */
  readonly holm: Corrected;
  /** What the corrected p cannot fall below, with so many runs and tests. */
  readonly smallestPHolm: number;
  /** What the row says, in plain English. */
  readonly sentence: string;
}

/**
 * What comes out of comparing two experiments, and what it says in a few
 * sentences of plain English that claim no more than the numbers do: to find no
 * difference is not to find equivalence, a handful of runs may not be able to
 * show either, and of networks that learned nothing there is nothing to say.
 *
 * @module
 */

import { plural } from "../text/words.ts";
import type { MatchedCombination } from "./match.ts";
import type { Description, Effect } from "./rank_tests.ts";
import { type Baseline, type Measure, MEASURES } from "./summary.ts";

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

/** Level of the tests. */
export const ALPHA = 0.05;

/** Three digits are enough to read; `statistics.csv` has them all. */
export function short(value: number): string {
  if (Number.isNaN(value)) return "–";
  const text = String(Number(value.toPrecision(3)));
  return text.replace("-", "−").replace("Infinity", "∞");
}

/** A p value in a table. */
export function tableP(p: number): string {
  if (Number.isNaN(p)) return "–";
  return p < 0.001 ? "< 0.001" : String(Number(p.toPrecision(2)));
}

/** A p value as it stands in a sentence, `p = 0.03`, and whether it is a corrected one. */
function shortP(p: number, before = p): string {
  const text = tableP(p);
  if (Number.isNaN(p)) return text;
  return `p ${text.startsWith("<") ? "" : "= "}${text}${
    before === p ? "" : " after Holm's correction"
  }`;
}

type Row = Omit<Comparison, "sentence">;

/** Most titles of combinations that a sentence lists. */
const MOST_TITLES = 4;

/** The sentences. */
export function describeComparison(row: Row): string {
  const { name } = MEASURES[row.measure];
  const { reference, other, baseline, combinations } = row;
  const claim = baseline !== undefined && combinations === 0
    ? `none of ${reference.label}'s ${reference.runs} and ${other.label}'s ${
      plural(other.runs, "run")
    } beat ${baseline.label}; of networks that learned nothing, nothing is claimed`
    : claimOf(row);
  return [
    `${name[0]!.toUpperCase()}${name.slice(1)}, ${scopeOf(row)}: ${claim}`,
    networksInWords(row),
    failuresInWords(row),
    censoredInWords(row),
    learningInWords(row),
  ].filter((one) => one !== "").map((one) => `${one}.`).join(" ");
}

function scopeOf({ combination, combinations, notLearned }: Row): string {
  if (combination !== undefined) return combination.title;
  const all = combinations + notLearned.length;
  if (all === 1) return "over the one combination";
  return notLearned.length === 0 || combinations === 0
    ? `over all ${all} combinations`
    : `over the ${combinations} of ${all} combinations that were learned`;
}

function claimOf(row: Row): string {
  const { reference, other, pairs, byPlace } = row;
  const empty = [reference, other].filter(({ n, failed }) => n + failed === 0);
  if (empty.length > 0) {
    return `${
      empty.map(({ label }) => label).join(" and ")
    } has no run with a value, so nothing can be compared`;
  }
  const { unit } = MEASURES[row.measure];
  const value = ({ label, typical }: ComparedGroup) =>
    `${label} ${short(typical)}${unit === "" ? "" : ` ${unit}`}`;
  const kind = row.combinations > 1
    ? "means of the combinations' medians"
    : "medians";
  const runs = pairs === undefined
    ? `${reference.n} and ${plural(other.n, "run")}`
    : `${plural(pairs, "pair")} of runs${byPlace ? "" : " on the same trials"}`;
  return [
    `${value(reference)} and ${value(other)} (${kind}; ${runs})`,
    differenceInWords(row),
    equivalenceInWords(row),
  ].filter((part) => part !== "").join("; ");
}

function testInWords(row: Row): string {
  const { effect, holm, p, units } = row;
  const strata = row.combination === undefined && row.combinations > 1 &&
    units === undefined;
  const interval = Number.isNaN(effect.low)
    ? ""
    : `, 95 % interval ${short(effect.low)} to ${short(effect.high)}`;
  const corrected = shortP(holm.p) === shortP(p)
    ? shortP(p)
    : `${shortP(holm.p, p)}, ${shortP(p)} before it`;
  return `${row.test}${strata ? " within combinations" : ""}${
    units === undefined ? "" : ` of ${unitsInWords(row, units)}`
  }, ${corrected}; ${strata ? "mean " : ""}${row.effectName} ${
    short(effect.estimate)
  }${interval}`;
}

/** E.g. `6 networks`, or of two labels with samples `6 and 8 networks`. */
function unitsInWords(
  { pairs, reference, other }: Row,
  [x, y]: NonNullable<Row["units"]>,
): string {
  if (pairs === undefined) return `${x} and ${plural(y, "network")}`;
  return x === reference.networks || x === other.networks
    ? plural(x, "network")
    : `${plural(x, "group")} of runs that share networks`;
}

function differenceInWords(row: Row): string {
  const { holm, reference, other, smallestPHolm, lower, higher } = row;
  const { label } = reference;
  const things = row.units === undefined ? "runs" : "networks";
  if (Number.isNaN(row.p)) return `these are too few ${things} to test`;
  if (row.equal) return "all values are equal";
  const test = testInWords(row);
  const signs = row.combination === undefined && lower > 0 && higher > 0
    ? `lower in ${plural(lower, "combination")}, higher in ${higher}`
    : "";
  const opposite = signs === "" ? "" : `, ${signs}`;
  if (smallestPHolm >= ALPHA && holm.p >= smallestPHolm) {
    return `these are too few ${things} to show a difference, as p cannot fall below ${
      short(smallestPHolm)
    }${opposite} (${test})`;
  }
  if (!(holm.p < ALPHA)) {
    return signs === ""
      ? `no evidence of a difference (${test})`
      : `no evidence of one difference over all: ${label} is ${signs} (${test})`;
  }
  const direction = row.direction < 0 ? "lower" : "higher";
  const better = direction === MEASURES[row.measure].better;
  // Of survivors alone it would mislead.
  const ratio = row.ratio === undefined || reference.failed + other.failed > 0
    ? ""
    : `, ${short(row.ratio)} times ${other.label}'s`;
  return `${label} tends to be ${direction}${ratio}${opposite}, ${
    isEquivalent(row)
      ? "but the difference is negligible"
      : `which is ${better ? "better" : "worse"}`
  } (${test})`;
}

/** Whether equivalence is shown. */
export function isEquivalent({ holm }: Pick<Row, "holm">): boolean {
  return holm.equivalenceP < ALPHA;
}

function marginInWords(
  { margin, marginUnit, points, measure, other, baseline }: Row,
): string {
  const percent = `${short(margin * 100)} %`;
  switch (marginUnit) {
    case "learned":
      return `${percent} of what the better one learned beyond ${baseline?.label}`;
    case "points":
      return `${short(margin * points)} percentage points`;
    case "mean":
      return `${percent} of ${other.label}'s mean`;
    case "ratio":
      return `${percent} of ${other.label}'s ${MEASURES[measure].name}`;
  }
}

function equivalenceInWords(row: Row): string {
  const { holm, differenceInterval: [low, high], outside, margin } = row;
  if (Number.isNaN(holm.equivalenceP)) return "";
  const [scale, unit] = row.marginUnit === "points"
    ? [row.points, "points"]
    : [100, "%"];
  const interval = row.marginUnit === "ratio"
    ? `ratio ${short(Math.exp(low))} to ${short(Math.exp(high))}`
    : `${short(low * scale)} to ${short(high * scale)} ${unit}`;
  const test = `TOST, ${shortP(holm.equivalenceP, row.equivalenceP)}${
    Number.isNaN(low) ? "" : `; 90 % interval ${interval}`
  }`;
  const within = marginInWords(row);
  if (isEquivalent(row)) {
    return `the means are equivalent within ${within} (${test})`;
  }
  if (holm.notWorseP < ALPHA) {
    return `${row.reference.label} is not worse by more than ${within} (one-sided t test, ${
      shortP(holm.notWorseP)
    }), though equivalence is not shown (${test})`;
  }
  const why = row.combination === undefined && outside > 0 &&
      low > -margin && high < margin
    ? `, as ${plural(outside, "combination")} differ${
      outside === 1 ? "s" : ""
    } by more`
    : "";
  return `equivalence within ${within} is not shown${why} (${test})`;
}

/** E.g. `3 of bio's 40 and 0 of rand's 40 runs`. */
function counted(
  groups: readonly ComparedGroup[],
  key: "failed" | "learned",
): string {
  const parts = groups.map((group) =>
    `${group[key] ?? 0} of ${group.label}'s ${group.runs}`
  );
  const noun = groups.at(-1)!.runs === 1 ? "run" : "runs";
  return `${parts.join(" and ")} ${noun}`;
}

/** How many networks there were, and what that means for the claim. */
function networksInWords(row: Row): string {
  if (
    row.combinations === 0 ||
    (row.combination !== undefined && row.units === undefined)
  ) return "";
  const known = [row.reference, row.other].filter(({ networks, runs }) =>
    networks !== undefined && runs > 1
  );
  const single = known.filter(({ networks }) => networks === 1);
  const parts = known.filter((one) => !single.includes(one)).map((
    { label, networks, runs },
  ) =>
    networks === runs
      ? `${label}'s ${runs} runs are on networks of their own`
      : `${label}'s ${runs} runs are on ${networks} networks, each of which counts once`
  );
  if (single.length > 0) {
    const [each, these] = single.length === 2
      ? [" each", "these"]
      : ["", "this one"];
    parts.push(
      `${
        single.map(({ label, runs }) => `${label}'s ${runs}`).join(" and ")
      } runs are on one network${each}, so that what is said holds for ${these}`,
    );
  }
  return parts.join("; ");
}

function failuresInWords(row: Row): string {
  const { reference, other, failureP, holm } = row;
  const groups = [reference, other];
  const failed = groups.filter((group) => group.failed > 0);
  if (failed.length === 0) return "";
  const none = groups.filter((group) => group.failed === 0)
    .map(({ label }) => `, none of ${label}'s`).join("");
  const test = Number.isNaN(failureP)
    ? "not tested, as runs share networks"
    : `${row.pairs === undefined ? "Fisher's" : "McNemar's"} exact test, ${
      shortP(holm.failureP, failureP)
    }`;
  return `${
    counted(failed, "failed")
  } diverged${none} (${test}); they count as the worst`;
}

function censoredInWords({ measure, combinations, reference, other }: Row) {
  return measure !== "epoch99" || combinations === 0 ||
      reference.stillFalling + other.stillFalling === 0
    ? ""
    : `The loss still falls at the last epoch in ${reference.stillFalling} of ${reference.label}'s and ${other.stillFalling} of ${other.label}'s runs, which are taken for as late as can be (censored)`;
}

function learningInWords(row: Row): string {
  const { baseline, reference, other, notLearned, combination } = row;
  if (
    baseline === undefined || reference.learned === undefined ||
    row.combinations === 0
  ) return "";
  const beat = `${
    counted([reference, other], "learned")
  } beat ${baseline.label}`;
  if (combination !== undefined || notLearned.length === 0) return beat;
  const titles = notLearned.slice(0, MOST_TITLES).map(({ title }) => title);
  const more = notLearned.length - titles.length;
  return `${beat}; none did in ${titles.join(", ")}${
    more > 0 ? ` and ${more} more` : ""
  }, which ${notLearned.length === 1 ? "stands" : "stand"} outside the claim`;
}

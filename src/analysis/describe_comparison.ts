/**
 * Puts a comparison into a few sentences of plain English that claim no more
 * than the numbers do: to find no difference is not to find equivalence, a
 * handful of runs may not be able to show either, and of networks that learned
 * nothing there is nothing to say.
 *
 * @module
 */

import { plural } from "../text/words.ts";
import type { ComparedGroup, Comparison } from "./comparison.ts";
import { MEASURES } from "./summary.ts";

/** Level of the tests. */
export const ALPHA = 0.05;

/** Three digits are enough to read; `statistics.csv` has them all. */
export function short(value: number): string {
  if (Number.isNaN(value)) return "–";
  const text = String(Number(value.toPrecision(3)));
  return text.replace("-", "−").replace("Infinity", "∞");
}

/** A p value as it stands in a sentence: `p = 0.03`. */
function shortP(p: number): string {
  if (Number.isNaN(p)) return "–";
  return p < 0.001 ? "p < 0.001" : `p = ${Number(p.toPrecision(2))}`;
}

type Row = Omit<Comparison, "sentence">;

/** Most titles of combinations that a sentence lists. */
const MOST_TITLES = 4;

/** The sentences. */
export function describeComparison(row: Row): string {
  const { name } = MEASURES[row.measure];
  const subject = `${name[0]!.toUpperCase()}${name.slice(1)}, ${scopeOf(row)}`;
  const sentences = [
    row.baseline !== undefined && row.combinations === 0
      ? `${subject}: none of ${row.reference.label}'s ${row.reference.runs} and ${row.other.label}'s ${
        plural(row.other.runs, "run")
      } beat ${row.baseline.label}; of networks that learned nothing, nothing is claimed`
      : `${subject}: ${claimOf(row)}`,
    networksInWords(row),
    failuresInWords(row),
    censoredInWords(row),
    learningInWords(row),
  ];
  return sentences.flatMap((one) => one === undefined ? [] : [`${one}.`])
    .join(" ");
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
  const empty = [row.reference, row.other].filter(({ n, failed }) =>
    n === 0 && failed === 0
  );
  if (empty.length > 0) {
    return `${
      empty.map(({ label }) => label).join(" and ")
    } has no run with a value, so nothing can be compared`;
  }
  const values = `${groupInWords(row.reference, row)} and ${
    groupInWords(row.other, row)
  } (${
    row.combinations > 1 ? "means of the combinations' medians" : "medians"
  }; ${
    row.pairs === undefined
      ? `${row.reference.n} and ${plural(row.other.n, "run")}`
      : `${plural(row.pairs, "pair")} of runs${
        row.byPlace ? "" : " on the same trials"
      }`
  })`;
  const parts = [values, differenceInWords(row), equivalenceInWords(row)];
  return parts.filter((part) => part !== "").join("; ");
}

function groupInWords({ label, typical }: ComparedGroup, row: Row): string {
  const { unit } = MEASURES[row.measure];
  return `${label} ${short(typical)}${unit === "" ? "" : ` ${unit}`}`;
}

/** E.g. `, in 2 combinations lower and in 2 higher`. */
function signsInWords({ combination, lower, higher }: Row): string {
  return combination === undefined && lower > 0 && higher > 0
    ? `, lower in ${plural(lower, "combination")}, higher in ${higher}`
    : "";
}

/** What a test was, with its p and its effect. */
function testInWords(row: Row): string {
  const { effect, holm, p } = row;
  const strata = row.combination === undefined && row.combinations > 1 &&
    row.units === undefined;
  const interval = Number.isNaN(effect.low)
    ? ""
    : `, 95 % interval ${short(effect.low)} to ${short(effect.high)}`;
  const corrected = shortP(holm.p) !== shortP(p)
    ? `${shortP(holm.p)} after Holm's correction, ${shortP(p)} before it`
    : shortP(p);
  return `${row.test}${strata ? " within combinations" : ""}${
    row.units === undefined ? "" : ` of ${unitsInWords(row)}`
  }, ${corrected}; ${strata ? "mean " : ""}${row.effectName} ${
    short(effect.estimate)
  }${interval}`;
}

/** E.g. `6 networks`, or of two labels with samples `6 and 8 networks`. */
function unitsInWords(
  { units = [0, 0], pairs, reference, other }: Row,
): string {
  const [x, y] = units;
  if (pairs === undefined) return `${x} and ${plural(y, "network")}`;
  return x === reference.networks || x === other.networks
    ? plural(x, "network")
    : `${plural(x, "group")} of runs that share networks`;
}

function differenceInWords(row: Row): string {
  const { holm, p, reference, other, smallestPHolm } = row;
  const things = row.units === undefined ? "runs" : "networks";
  if (Number.isNaN(p)) return `these are too few ${things} to test`;
  const { label } = reference;
  if (row.equal) return "all values are equal";
  const test = testInWords(row);
  if (smallestPHolm >= ALPHA && holm.p >= smallestPHolm) {
    return `these are too few ${things} to show a difference, as p cannot fall below ${
      short(smallestPHolm)
    }${signsInWords(row)} (${test})`;
  }
  if (!(holm.p < ALPHA)) {
    return signsInWords(row) === ""
      ? `no evidence of a difference (${test})`
      : `no evidence of one difference over all: ${label} is${
        signsInWords(row).slice(1)
      } (${test})`;
  }
  const direction = row.direction < 0 ? "lower" : "higher";
  const better = direction === MEASURES[row.measure].better;
  // Of survivors alone it would mislead.
  const ratio = row.ratio === undefined || reference.failed + other.failed > 0
    ? ""
    : `, ${short(row.ratio)} times ${other.label}'s`;
  return `${label} tends to be ${direction}${ratio}${signsInWords(row)}, ${
    isEquivalent(row)
      ? "but the difference is negligible"
      : `which is ${better ? "better" : "worse"}`
  } (${test})`;
}

/** Whether equivalence is shown. */
export function isEquivalent({ holm }: Pick<Row, "holm">): boolean {
  return holm.equivalenceP < ALPHA;
}

/** The margin in words. */
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
  const { holm, differenceInterval: [low, high], marginUnit } = row;
  if (Number.isNaN(holm.equivalenceP)) return "";
  const scale = marginUnit === "points" ? row.points : 100;
  const unit = marginUnit === "points" ? "points" : "%";
  const interval = marginUnit === "ratio"
    ? `ratio ${short(Math.exp(low))} to ${short(Math.exp(high))}`
    : `${short(low * scale)} to ${short(high * scale)} ${unit}`;
  const test = `TOST, ${shortP(holm.equivalenceP)}${
    holm.equivalenceP === row.equivalenceP ? "" : " after Holm's correction"
  }; 90 % interval ${interval}`;
  const within = marginInWords(row);
  if (isEquivalent(row)) {
    return `the means are equivalent within ${within} (${test})`;
  }
  if (holm.notWorseP < ALPHA) {
    return `${row.reference.label} is not worse by more than ${within} (one-sided t test, ${
      shortP(holm.notWorseP)
    }), though equivalence is not shown (${test})`;
  }
  const why = row.combination === undefined && row.outside > 0 &&
      low > -row.margin && high < row.margin
    ? `, as ${plural(row.outside, "combination")} differ${
      row.outside === 1 ? "s" : ""
    } by more`
    : "";
  return `equivalence within ${within} is not shown${why} (${test})`;
}

/** E.g. `3 of bio's 40 and 0 of rand's 40 runs`. */
function counted(
  groups: readonly ComparedGroup[],
  countOf: (group: ComparedGroup) => number,
): string {
  const parts = groups.map((group) =>
    `${countOf(group)} of ${group.label}'s ${group.runs}`
  );
  const noun = groups.at(-1)!.runs === 1 ? "run" : "runs";
  return `${parts.join(" and ")} ${noun}`;
}

/** How many networks there were, and what that means for the claim. */
function networksInWords(row: Row): string | undefined {
  if (
    row.combinations === 0 ||
    (row.combination !== undefined && row.units === undefined)
  ) return undefined;
  const known = [row.reference, row.other].filter(({ networks, runs }) =>
    networks !== undefined && runs > 1
  );
  const single = known.filter(({ networks }) => networks === 1);
  const sampled = known.filter(({ networks }) => networks !== 1);
  const parts = [
    ...sampled.map(({ label, networks, runs }) =>
      networks === runs
        ? `${label}'s ${runs} runs are on networks of their own`
        : `${label}'s ${runs} runs are on ${networks} networks, each of which counts once`
    ),
    ...(single.length === 0 ? [] : [
      `${
        single.map(({ label, runs }) => `${label}'s ${runs}`).join(" and ")
      } runs are on one network${
        single.length === 2 ? " each" : ""
      }, so that what is said holds for ${
        single.length === 2 ? "these" : "this one"
      }`,
    ]),
  ];
  return parts.length === 0 ? undefined : parts.join("; ");
}

function failuresInWords(row: Row): string | undefined {
  const { reference, other, failureP } = row;
  if (reference.failed + other.failed === 0) return undefined;
  const failed = [reference, other].filter((group) => group.failed > 0);
  return `${counted(failed, (group) => group.failed)} diverged${
    failed.length === 2
      ? ""
      : `, none of ${(failed[0] === reference ? other : reference).label}'s`
  } (${
    Number.isNaN(failureP)
      ? "not tested, as runs share networks"
      : `${row.pairs === undefined ? "Fisher's" : "McNemar's"} exact test, ${
        shortP(row.holm.failureP)
      }${row.holm.failureP === failureP ? "" : " after Holm's correction"}`
  }); they count as the worst`;
}

function censoredInWords(row: Row): string | undefined {
  const { reference, other } = row;
  if (
    row.measure !== "epoch99" || row.combinations === 0 ||
    reference.stillFalling + other.stillFalling === 0
  ) return undefined;
  return `The loss still falls at the last epoch in ${reference.stillFalling} of ${reference.label}'s and ${other.stillFalling} of ${other.label}'s runs, which are taken for as late as can be (censored)`;
}

function learningInWords(row: Row): string | undefined {
  const { baseline, reference, other, notLearned } = row;
  if (baseline === undefined || reference.learned === undefined) {
    return undefined;
  }
  if (row.combinations === 0) return undefined;
  const beat = `${
    counted([reference, other], (group) => group.learned ?? 0)
  } beat ${baseline.label}`;
  if (row.combination !== undefined || notLearned.length === 0) return beat;
  const titles = notLearned.slice(0, MOST_TITLES).map(({ title }) => title);
  const more = notLearned.length - titles.length;
  return `${beat}; none did in ${titles.join(", ")}${
    more > 0 ? ` and ${more} more` : ""
  }, which ${notLearned.length === 1 ? "stands" : "stand"} outside the claim`;
}

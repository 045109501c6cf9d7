/**
 * Puts a comparison into one sentence of plain English that claims no more
 * than the numbers do: to find no difference is not to find equivalence, and a
 * handful of runs may not be able to show either.
 *
 * @module
 */

import type { ComparedGroup, Comparison } from "./comparison.ts";
import { MEASURES } from "./summary.ts";

/** Level of the tests. */
export const ALPHA = 0.05;

/** Three digits are enough to read; `statistics.csv` has them all. */
function short(value: number): string {
  return String(Number(value.toPrecision(3)));
}

function shortP(p: number): string {
  return p < 0.001 ? "p < 0.001" : `p = ${Number(p.toPrecision(2))}`;
}

/** The sentence. */
export function describeComparison(
  row: Omit<Comparison, "sentence">,
): string {
  const { reference, other } = row;
  const name = MEASURES[row.measure].name;
  const subject = `${name[0]?.toUpperCase()}${name.slice(1)}, ${
    row.combination === undefined
      ? row.combinations === 1
        ? "over the one combination"
        : `over all ${row.combinations} combinations`
      : row.combination.title
  }`;
  const empty = [reference, other].filter(({ n }) => n === 0);
  if (empty.length > 0) {
    return `${subject}: ${
      empty.map(({ label }) => label).join(" and ")
    } has no ${
      row.paired ? "pair of runs" : "run"
    } with a value, so nothing can be compared.`;
  }
  const unit = MEASURES[row.measure].unit;
  const groups = `${groupInWords(reference, unit)} and ${
    groupInWords(other, unit)
  } (${
    row.paired
      ? `${count(reference.n, "pair")} of runs on the same trials`
      : `${reference.n} and ${count(other.n, "run")}`
  })`;
  return `${subject}: ${groups}; ${differenceInWords(row)}${
    equivalenceInWords(row)
  }.`;
}

function groupInWords(
  { label, mean, sd }: ComparedGroup,
  unit: string,
): string {
  const spread = Number.isNaN(sd) ? "" : ` (sd ${short(sd)})`;
  return `${label} ${short(mean)}${unit === "" ? "" : ` ${unit}`}${spread}`;
}

function count(n: number, noun: string): string {
  return `${n} ${noun}${n === 1 ? "" : "s"}`;
}

function differenceInWords(row: Omit<Comparison, "sentence">): string {
  const { p, pHolm, smallestP, reference, other } = row;
  if (Number.isNaN(p)) return "these are too few runs to test";
  if (reference.sd === 0 && other.sd === 0 && row.difference === 0) {
    return "all values are equal";
  }
  const effect = `Cliff's delta ${short(row.delta)}, 95 % interval ${
    short(row.deltaInterval[0])
  } to ${short(row.deltaInterval[1])}`;
  const corrected = pHolm ?? p;
  const smallest = row.smallestPHolm ?? smallestP;
  const test = `${row.test}, ${shortP(corrected)}${
    pHolm === undefined ? "" : " after Holm's correction"
  }${pHolm === undefined || pHolm === p ? "" : `, ${shortP(p)} before it`}`;
  if (smallest >= ALPHA && corrected >= smallest) {
    return `these are too few runs to show a difference, as p${
      pHolm === undefined ? "" : " after Holm's correction"
    } cannot fall below ${short(smallest)} (${test}; ${effect})`;
  }
  if (!(corrected < ALPHA)) {
    return `no evidence of a difference (${test}; ${effect})`;
  }
  const direction = row.direction < 0 ? "lower" : "higher";
  const better = MEASURES[row.measure].better;
  return `${reference.label} tends to be ${direction}, which is ${
    direction === better ? "better" : "worse"
  } (${test}; ${effect})`;
}

function equivalenceInWords(row: Omit<Comparison, "sentence">): string {
  const { equivalenceP, equivalencePHolm, margin, marginRule, other } = row;
  if (Number.isNaN(equivalenceP)) return "";
  const unit = MEASURES[row.measure].unit;
  const within = marginRule.kind === "relative"
    ? `${short(marginRule.value * 100)} % of ${other.label}'s mean (${
      short(margin)
    }${unit === "" ? "" : ` ${unit}`})`
    : `${short(margin)}${
      unit === "%" ? " percentage points" : unit === "" ? "" : ` ${unit}`
    }`;
  const p = equivalencePHolm ?? equivalenceP;
  const notWorseP = row.notWorsePHolm ?? row.notWorseP;
  const correction = row.pHolm === undefined ? "" : " after Holm's correction";
  const test = `TOST, ${shortP(p)}${correction}`;
  if (p < ALPHA) return `; the means are equivalent within ${within} (${test})`;
  if (notWorseP < ALPHA) {
    return `; ${row.reference.label} is not worse by more than ${within} (one-sided t test, ${
      shortP(notWorseP)
    }${correction}), though equivalence within that margin is not shown (${test})`;
  }
  return `; equivalence of the means within ${within} is not shown (${test})`;
}

/**
 * Compares experiments by statistical tests, e.g. a biological topology with
 * random ones: is there a difference, how large is it, or are they equivalent?
 *
 * Rows "over all" pool the runs of all combinations that both experiments
 * have. Where runs are not paired, what combinations differ by then counts as
 * spread, so that such a test is cautious: it finds fewer differences, and
 * fewer equivalences.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { createStream, type RandomStream } from "../random/stream.ts";
import type { ComparedRuns, Comparison } from "./comparison.ts";
import { describeComparison } from "./describe_comparison.ts";
import {
  haveSameTrials,
  matchCombinations,
  type MatchedCombination,
} from "./match.ts";
import {
  type Margin,
  type Measure,
  MEASURES,
  type RunSummary,
  summarizeResults,
} from "./summary.ts";
import type { ResultsFolder } from "../results/results_folder.ts";
import {
  cliffsDelta,
  cliffsDeltaInterval,
  describeNumbers,
  type Groups,
} from "./effect_sizes.ts";
import { testEquivalence } from "./equivalence.ts";
import {
  holmCorrection,
  mannWhitneyU,
  smallestMannWhitneyP,
  smallestWilcoxonP,
  wilcoxonSignedRank,
} from "./rank_tests.ts";

/** An experiment and what it is called in figures and tables. */
export interface LabelledResults {
  readonly label: string;
  readonly results: ResultsFolder;
}

/** How to compare. */
export interface CompareOptions {
  /** The label that each other one is compared with; default the first. */
  readonly reference?: string;
  /** Default all that there are values for. */
  readonly measures?: readonly Measure[];
  /** Epochs left out at the beginning of curves; default 1. */
  readonly start?: number;
  /** Margins of equivalence other than those of `MEASURES`. */
  readonly margins?: Readonly<Partial<Record<Measure, Margin>>>;
  /** Seed of the bootstrap; default 0. */
  readonly seed?: number;
}

/** Fewest values of a group that are tested. */
const FEWEST = 2;

/**
 * Compares one label with each other one: a row for each measure and
 * combination that both have, and one over all of these.
 *
 * @returns The rows, by measure and label, those over all first; warnings name runs and combinations left out.
 * @throws {InputError} If labels are not all different, or the reference is none of them.
 *
 * @example
 * ```ts no-eval
 * import { compareLabels } from "./src/analysis/compare.ts";
 * import { readResultsFolder } from "./src/results/results_folder.ts";
 *
 * const { rows } = compareLabels([
 *   { label: "bio", results: await readResultsFolder("results/bio") },
 *   { label: "rand", results: await readResultsFolder("results/rand") },
 * ]);
 * rows[0]?.sentence;
 * ```
 */
export function compareLabels(
  folders: readonly LabelledResults[],
  options: CompareOptions = {},
): { rows: Comparison[]; warnings: string[] } {
  const labels = folders.map(({ label }) => label);
  const twice = labels.find((label, i) => labels.indexOf(label) < i);
  if (twice !== undefined) {
    throw new InputError(
      `Cannot compare results: the label "${twice}" is given twice`,
    );
  }
  const reference = options.reference === undefined
    ? 0
    : labels.indexOf(options.reference);
  if (reference < 0) {
    throw new InputError(
      `Cannot compare results with "${options.reference}": the labels are ${
        labels.map((label) => `"${label}"`).join(", ")
      }`,
    );
  }
  const matched = matchCombinations(folders.map(({ results }) => results));
  const warnings = [...matched.warnings];
  const runs = folders.map(({ results }) => {
    const summary = summarizeResults(results, {
      ...(options.start === undefined ? {} : { start: options.start }),
    });
    warnings.push(...summary.warnings);
    return summary.runs;
  });
  const measures = options.measures ??
    (Object.keys(MEASURES) as Measure[]).filter((measure) =>
      runs.flat().some((run) => MEASURES[measure].valueOf(run) !== undefined)
    );
  const rows: Comparison[] = [];
  for (const measure of measures) {
    for (const other of folders.keys()) {
      if (other === reference) continue;
      rows.push(...comparePair({
        measure,
        a: side(folders, runs, reference),
        b: side(folders, runs, other),
        combinations: matched.combinations,
        margin: options.margins?.[measure] ?? MEASURES[measure].margin,
        stream: createStream({
          seed: options.seed ?? 0,
          purpose: "bootstrap",
          combination: other,
          iteration: Object.keys(MEASURES).indexOf(measure),
        }),
      }));
    }
  }
  return { rows, warnings };
}

/** One of the two labels that are compared. */
interface Side extends LabelledResults {
  /** Place among the folders. */
  readonly folder: number;
  readonly runs: readonly RunSummary[];
}

function side(
  folders: readonly LabelledResults[],
  runs: readonly (readonly RunSummary[])[],
  folder: number,
): Side {
  return {
    ...(folders[folder] as LabelledResults),
    folder,
    runs: runs[folder] as readonly RunSummary[],
  };
}

interface PairOptions {
  readonly measure: Measure;
  readonly a: Side;
  readonly b: Side;
  readonly combinations: readonly MatchedCombination[];
  readonly margin: Margin;
  readonly stream: RandomStream;
}

/** Values of both labels, of one combination or of several. */
interface Sample extends Groups {
  readonly combination: MatchedCombination | undefined;
  readonly combinations: number;
  readonly paired: boolean;
}

function comparePair(options: PairOptions): Comparison[] {
  const { combinations, a, b } = options;
  const sameTrials = haveSameTrials(a.results.experiment, b.results.experiment);
  const samples: Sample[] = [];
  for (const combination of combinations) {
    const first = combination.members[a.folder];
    const second = combination.members[b.folder];
    if (first === undefined || second === undefined) continue;
    const paired = sameTrials && first.index === second.index;
    const x = valuesOf(a, first.index, options.measure);
    const y = valuesOf(b, second.index, options.measure);
    samples.push({
      ...(paired ? completePairs(x, y) : { x: defined(x), y: defined(y) }),
      combination,
      combinations: 1,
      paired,
    });
  }
  if (samples.length === 0) return [];
  const all: Sample = {
    combination: undefined,
    combinations: samples.length,
    paired: samples.every(({ paired }) => paired),
    x: samples.flatMap(({ x }) => x),
    y: samples.flatMap(({ y }) => y),
  };
  const over = compareSample(all, options);
  const single = samples.map((sample) => compareSample(sample, options));
  return [toRow(over), ...correct(single)];
}

/** Corrects the p values of combinations for their number. */
function correct(runs: readonly ComparedRuns[]): Comparison[] {
  const pHolm = holmCorrection(runs.map(({ p }) => p));
  const equivalencePHolm = holmCorrection(
    runs.map(({ equivalenceP }) => equivalenceP),
  );
  const notWorsePHolm = holmCorrection(runs.map(({ notWorseP }) => notWorseP));
  const tested = runs.filter(({ p }) => !Number.isNaN(p));
  const smallest = tested.length *
    Math.min(...tested.map(({ smallestP }) => smallestP));
  return runs.map((row, i) =>
    toRow(row, {
      pHolm: pHolm[i],
      equivalencePHolm: equivalencePHolm[i],
      notWorsePHolm: notWorsePHolm[i],
      smallestPHolm: Math.min(1, Math.max(row.smallestP, smallest)),
    })
  );
}

type Corrected = Pick<
  Comparison,
  "pHolm" | "smallestPHolm" | "equivalencePHolm" | "notWorsePHolm"
>;

function toRow(
  runs: ComparedRuns,
  corrected: Corrected = {
    pHolm: undefined,
    smallestPHolm: undefined,
    equivalencePHolm: undefined,
    notWorsePHolm: undefined,
  },
): Comparison {
  const row = { ...runs, ...corrected };
  return { ...row, sentence: describeComparison(row) };
}

/** A value for each iteration of a combination. */
function valuesOf(
  { runs }: Side,
  combination: number,
  measure: Measure,
): (number | undefined)[] {
  const values: (number | undefined)[] = [];
  for (const run of runs) {
    if (run.combination !== combination) continue;
    values[run.iteration] = MEASURES[measure].valueOf(run);
  }
  return values;
}

function defined(values: readonly (number | undefined)[]): number[] {
  return values.filter((value) => value !== undefined);
}

function completePairs(
  x: readonly (number | undefined)[],
  y: readonly (number | undefined)[],
): Groups {
  const pairs = x.flatMap((value, i) => {
    const partner = y[i];
    return value === undefined || partner === undefined
      ? []
      : [{ x: value, y: partner }];
  });
  return { x: pairs.map((pair) => pair.x), y: pairs.map((pair) => pair.y) };
}

function compareSample(
  { x, y, combination, combinations, paired }: Sample,
  { measure, a, b, margin: marginRule, stream }: PairOptions,
): ComparedRuns {
  const reference = { label: a.label, ...describeNumbers(x) };
  const other = { label: b.label, ...describeNumbers(y) };
  const testable = Math.min(x.length, y.length) >= FEWEST;
  const result = !testable
    ? undefined
    : paired
    ? wilcoxonSignedRank(x.map((value, i) => value - (y[i] as number)))
    : mannWhitneyU({ x, y });
  const margin = marginRule.kind === "absolute"
    ? marginRule.value
    : marginRule.value * Math.abs(other.mean);
  const equivalence = testable && margin > 0
    ? testEquivalence({ x, y }, { margin, paired })
    : undefined;
  const notWorseP = MEASURES[measure].better === "lower"
    ? equivalence?.notHigherP
    : equivalence?.notLowerP;
  return {
    measure,
    combination,
    combinations,
    reference,
    other,
    paired,
    test: paired ? "Wilcoxon signed-rank" : "Mann-Whitney U",
    method: result?.method ?? "exact",
    statistic: result?.statistic ?? NaN,
    p: result?.p ?? NaN,
    smallestP: paired
      ? smallestWilcoxonP(x.length)
      : smallestMannWhitneyP(x.length, y.length),
    direction: result?.direction ?? 0,
    delta: cliffsDelta({ x, y }),
    deltaInterval: cliffsDeltaInterval({ x, y }, { stream, paired }),
    difference: reference.mean - other.mean,
    margin: margin > 0 ? margin : NaN,
    marginRule,
    equivalenceP: equivalence?.p ?? NaN,
    notWorseP: notWorseP ?? NaN,
  };
}

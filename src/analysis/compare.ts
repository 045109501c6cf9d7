/**
 * Compares experiments by statistical tests, e.g. a biological topology with
 * random ones: is there a difference, how large is it, or are they equivalent?
 *
 * Combinations of the grid are strata: what is said over all of them is the
 * mean of what each says, never a comparison of numbers of different ones.
 * Combinations that no run learned stand outside; runs that diverged count as
 * the worst.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import type { ResultsFolder } from "../results/results_folder.ts";
import {
  baselineOf,
  type Measure,
  MEASURES,
  type RunSummary,
  spansDecades,
  summarizeResults,
  taskFacts,
} from "./summary.ts";
import {
  type ComparedGroup,
  type ComparedRuns,
  type Comparison,
  type Corrected,
  describeComparison,
} from "./comparison.ts";
import {
  type Both,
  both,
  checkConditions,
  type Counted,
  countNetworks,
  countUnits,
  FEWEST,
  gather,
  groupsOf,
  haveSameTrials,
  type LabelledResults,
  matchCombinations,
  type MatchedCombination,
  meanPerUnit,
  runsOf,
  shareUnits,
  type Stratum,
  type StratumRun,
} from "./match.ts";
import { compareMeans } from "./means.ts";
import {
  cliffsDelta,
  describeNumbers,
  type Groups,
  meanEffect,
  meanOf,
  rank,
  rankBiserial,
  stratifiedRankSum,
  stratifiedSignedRank,
} from "./rank_tests.ts";
import {
  failureTest,
  holmCorrection,
  pairedFailureTest,
  smallestRankSumP,
  smallestSignedRankP,
  sumOf,
} from "./distributions.ts";

/** How to compare. */
export interface CompareOptions {
  /** The label that each other one is compared with; default the first. */
  readonly reference?: string;
  /** Whether every label is compared with every other one; default false. */
  readonly allPairs?: boolean | undefined;
  /** Default all that there are values for. */
  readonly measures?: readonly Measure[];
  /**
   * Margin of equivalence, as a share: of what the better label learned, of
   * the points between chance and 100 % accuracy (50 of two classes), of the
   * other's mean epoch.
   * Default 0.1.
   */
  readonly margin?: number | undefined;
}

/**
 * The default margin: half of the 20 % that Schuirmann (1987) and regulators
 * allow drugs to differ by. None is right for every study.
 */
export const MARGIN = 0.1;

/**
 * Compares one label with each other one: a row for each measure and
 * combination that both have, and one over all of these.
 *
 * @returns The rows, by measure and label, those over all first; warnings name what was left out and what experiments differ in. Results of different tasks have no rows.
 * @throws {InputError} If labels are not all different, the reference is none of them, or the margin is not above 0.
 *
 * @example
 * ```ts no-eval
 * import { compareLabels, readResultsFolder } from "@biornn/biornn";
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
  const { margin = MARGIN } = options;
  if (!(margin > 0) || !Number.isFinite(margin)) {
    throw new InputError(
      `Cannot compare results: the margin must be above 0, found ${margin}`,
    );
  }
  const pairs = pairsOf(folders.map(({ label }) => label), options);
  const results = folders.map((folder) => folder.results);
  const { combinations, warnings } = matchCombinations(results);
  const conditions = checkConditions(folders);
  const summaries = results.map((one) =>
    summarizeResults(one, { epochs: conditions.commonEpochs })
  );
  warnings.push(
    ...conditions.warnings,
    ...summaries.flatMap((one) => one.warnings),
  );
  if (!conditions.sameTask) return { rows: [], warnings };
  const runs = summaries.flatMap((one) => one.runs);
  // Where every run diverged there is no number, but that is to be said.
  const measures = options.measures ??
    (Object.keys(MEASURES) as Measure[]).filter((measure) =>
      measure === "minLoss" ||
      runs.some((run) => run[measure] !== undefined)
    );
  const log = spansDecades(runs.flatMap(({ minLoss }) => minLoss ?? []));
  const compared = pairs.map((pair) => ({
    labels: both(pair, (place) => folders[place]!.label),
    strata: combinations.flatMap((combination) =>
      stratumOf(combination, pair, results, summaries) ?? []
    ),
  }));
  const rows = measures.flatMap((measure) => {
    const question = { measure, margin, log: log && measure === "minLoss" };
    return compared.flatMap(({ labels, strata }) => {
      const row = (some: typeof strata, combination?: MatchedCombination) => ({
        ...compareStrata(some, labels, question),
        combination,
      });
      return strata.length === 0
        ? []
        : [row(strata), ...strata.map((one) => row([one], one.combination))];
    });
  });
  const isOver = ({ combination }: ComparedRuns) => combination === undefined;
  const over = correctRows(rows.filter(isOver));
  const single = correctRows(rows.filter((row) => !isOver(row)));
  return {
    rows: rows.map((row) => (isOver(row) ? over : single).shift()!),
    warnings,
  };
}

function pairsOf(
  labels: readonly string[],
  { reference, allPairs = false }: CompareOptions,
): [number, number][] {
  const twice = labels.find((label, i) => labels.indexOf(label) < i);
  if (twice !== undefined) {
    throw new InputError(
      `Cannot compare results: the label "${twice}" is given twice`,
    );
  }
  const first = reference === undefined ? 0 : labels.indexOf(reference);
  if (first < 0) {
    throw new InputError(
      `Cannot compare results with "${reference}": the labels are ${
        labels.map((label) => `"${label}"`).join(", ")
      }`,
    );
  }
  const order = [...new Set([first, ...labels.keys()])];
  return order.slice(0, allPairs ? order.length : 1).flatMap((a, i) =>
    order.slice(i + 1).map((b): [number, number] => [a, b])
  );
}

/** The runs of two labels in a combination that both have. */
function stratumOf(
  combination: MatchedCombination,
  pair: Both<number>,
  results: readonly ResultsFolder[],
  summaries: readonly { readonly runs: readonly RunSummary[] }[],
): Stratum<StratumRun> | undefined {
  const { members, parameters } = combination;
  const [first, second] = both(pair, (place) => members[place]);
  if (first === undefined || second === undefined) return undefined;
  const [a, b] = both(pair, (place) => results[place]!);
  const paired = first.index === second.index &&
    haveSameTrials(a.experiment, b.experiment);
  const facts = taskFacts([a, b], parameters);
  const baseline = baselineOf(facts, "loss");
  const points = 100 - (baselineOf(facts, "accuracy")?.value ?? 50);
  const beat = ({ minLoss = Infinity }: RunSummary) =>
    baseline !== undefined && minLoss < baseline.beaten;
  const all = both(
    [first, second],
    ({ index }, side) =>
      summaries[pair[side]]!.runs
        .filter((run) => run.combination === index)
        .map((run) => ({ ...run, beat: beat(run) })),
  );
  const length = Math.min(...all.map((own) => own.length));
  const runs = paired ? both(all, (own) => own.slice(0, length)) : all;
  const learned = baseline === undefined ||
    runs.flat().some((run) => run.beat);
  return { combination, paired, runs, baseline, points, learned };
}

interface Question {
  readonly measure: Measure;
  readonly margin: number;
  /** Whether losses are compared on a logarithmic scale. */
  readonly log: boolean;
}

/**
 * What a run counts as in tests by ranks: its value, the worst there is where
 * it diverged. A loss that still falls at the end reaches its last percent at
 * no known epoch, so the last epoch stands for it, which is a tie with all
 * others like it.
 */
function rankedValue(
  run: RunSummary,
  { measure, log }: Question,
): number | undefined {
  if (hasFailed(run)) {
    return MEASURES[measure].better === "lower" ? Infinity : -Infinity;
  }
  const value = run[measure];
  return value === undefined ? undefined : log ? Math.log(value) : value;
}

/** A number of which rounding leaves no trace. */
function rounded(value: number): number {
  return Number.isFinite(value) ? Math.round(value * 1e9) / 1e9 : value;
}

type Scores = Both<readonly Counted[]>;

/**
 * The signed rank of each pair's difference, as a share of all ranks: the same
 * tests come out of them, and they have a mean where runs diverged.
 *
 * @returns The same for both labels.
 */
function signedScores([x, y]: Scores): Scores {
  // Two runs that both diverged are equal.
  const differences = x.map(({ value }, i) =>
    value === y[i]!.value ? 0 : rounded(value - y[i]!.value)
  );
  const { ranks } = rank(differences.map(Math.abs));
  const zeros = differences.filter((one) => one === 0).length;
  const n = differences.length - zeros;
  const total = Math.max(1, n * (n + 1) / 2);
  const scores = x.map(({ unit }, i) => ({
    value: Math.sign(differences[i]!) * (ranks[i]! - zeros) / total,
    unit,
  }));
  return [scores, scores];
}

/** The rank of each number among those of both labels, from 0 to 1. */
function rankScores(groups: Scores): Scores {
  const { ranks } = rank(groups.flat().map(({ value }) => value));
  return both(groups, (own, side) =>
    own.map(({ unit }, i) => ({
      value: ranks[side * groups[0].length + i]! / (ranks.length + 1),
      unit,
    })));
}

/** How pairs of runs are compared, and independent groups. */
const PAIRS = {
  test: "Wilcoxon signed-rank",
  effectName: "rank-biserial correlation",
  scoresOf: signedScores,
  effectOf: ([x]: Groups) => rankBiserial(x),
  testOf: (strata: readonly Groups[]) =>
    stratifiedSignedRank(strata.map(([x]) => x)),
  smallestP: (sizes: readonly Both<number>[]) =>
    smallestSignedRankP(sumOf(sizes, ([pairs]) => pairs)),
  isEqual: ([x, y]: Scores) => x.every(({ value }, i) => value === y[i]!.value),
} as const;
const GROUPS = {
  test: "Mann-Whitney U",
  effectName: "Cliff's delta",
  scoresOf: rankScores,
  effectOf: cliffsDelta,
  testOf: stratifiedRankSum,
  smallestP: smallestRankSumP,
  isEqual: ([x, y]: Scores) =>
    [...x, ...y].every(({ value }) => value === x[0]!.value),
} as const;

function compareStrata(
  given: readonly Stratum<StratumRun>[],
  labels: Both<string>,
  question: Question,
): Omit<ComparedRuns, "combination"> {
  const all = countUnits(given);
  const strata = all.filter(({ learned }) => learned);
  const paired = all.every((one) => one.paired);
  const design = paired ? PAIRS : GROUPS;
  const ranked = strata.map((stratum) =>
    groupsOf(stratum, (run) => rankedValue(run, question))
  ).filter((groups) => groups.every((own) => own.length > 0));
  const scores = ranked.map(design.scoresOf);
  const perUnit = (own: Scores) =>
    both(own, (numbers) => meanPerUnit(numbers).map(rounded));
  const within = scores.map(perUnit);
  const tested = shareUnits(strata) ? [perUnit(gather(scores))] : within;
  const sizes = tested.map((groups) => both(groups, ({ length }) => length));
  const isTestable = sizes.length > 1 ||
    sizes.some((size) => Math.min(...size) >= FEWEST);
  const effects = within.map(design.effectOf);
  const numbers = both(gather(ranked), ({ length }) => length);
  const units = both(gather(tested), ({ length }) => length);
  const groups = both(
    labels,
    (label, side) => describeGroup(label, side, all, question),
  );
  return {
    measure: question.measure,
    combinations: strata.length,
    notLearned: all.filter(({ learned }) => !learned).map(
      ({ combination }) => combination,
    ),
    lower: effects.filter(({ estimate }) => estimate < 0).length,
    higher: effects.filter(({ estimate }) => estimate > 0).length,
    reference: groups[0],
    other: groups[1],
    pairs: paired ? numbers[0] : undefined,
    byPlace: paired && !given.every((one) => one.paired),
    units: units.every((n, side) => n === numbers[side]) ? undefined : units,
    test: design.test,
    ...design.testOf(isTestable ? tested : []),
    smallestP: design.smallestP(sizes),
    equal: ranked.length > 0 && ranked.every(design.isEqual),
    effectName: design.effectName,
    effect: meanEffect(tested.map(design.effectOf)),
    failureP: failureP(all, paired),
    baseline: all[0]!.baseline,
    margin: question.margin,
    ...compareMeans(strata, { ...question, paired }),
  };
}

function describeGroup(
  label: string,
  side: 0 | 1,
  all: readonly Stratum[],
  { measure, log }: Question,
): ComparedGroup {
  const runs = runsOf(all)[side];
  // What nobody learned is described, but nothing is claimed of it.
  const described = all.some(({ learned }) => learned)
    ? all.filter(({ learned }) => learned)
    : all;
  const values = described.map((stratum) =>
    stratum.runs[side].flatMap((run) => run[measure] ?? [])
  );
  const medians = values.filter((own) => own.length > 0)
    .map((own) => describeNumbers(own).median);
  return {
    label,
    networks: countNetworks(runs),
    ...describeNumbers(values.flat()),
    typical: log ? Math.exp(meanOf(medians.map(Math.log))) : meanOf(medians),
    runs: runs.length,
    failed: runs.filter(hasFailed).length,
    learned: all.some(({ baseline }) => baseline !== undefined)
      ? runs.filter(({ beat }) => beat).length
      : undefined,
    stillFalling: described.flatMap((stratum) => stratum.runs[side])
      .filter((run) => run.stillFalling).length,
  };
}

function hasFailed({ minLoss }: RunSummary): boolean {
  return minLoss === undefined;
}

function failureP(strata: readonly Stratum[], paired: boolean): number {
  const all = runsOf(strata);
  if (!all.flat().some(hasFailed)) return NaN;
  if (!paired) {
    // Runs that share a network do not fail independently.
    const isShared = all.some((runs) =>
      new Set(runs.map(({ unit }) => unit)).size < runs.length
    );
    return isShared ? NaN : failureTest(
      strata.map(({ runs }) => [
        both(runs, (own) => own.length),
        both(runs, (own) => own.filter(hasFailed).length),
      ]),
    );
  }
  const more = new Map<string, number>();
  for (const [i, run] of all[0].entries()) {
    const one = Number(hasFailed(run)) - Number(hasFailed(all[1][i]!));
    more.set(run.unit, (more.get(run.unit) ?? 0) + one);
  }
  const units = [...more.values()];
  return pairedFailureTest(
    units.filter((one) => one > 0).length,
    units.filter((one) => one < 0).length,
  );
}

const CORRECTED = ["p", "equivalenceP", "notWorseP", "failureP"] as const;

/** Corrects the p values of rows for their number, and puts them into words. */
export function correctRows(rows: readonly ComparedRuns[]): Comparison[] {
  const holm = CORRECTED.map((key) =>
    holmCorrection(rows.map((row) => row[key]))
  );
  const tested = rows.filter(({ p }) => !Number.isNaN(p));
  const smallest = tested.length *
    Math.min(...tested.map(({ smallestP }) => smallestP));
  return rows.map((compared, i) => {
    const row = {
      ...compared,
      holm: Object.fromEntries(
        CORRECTED.map((key, k) => [key, holm[k]![i]!]),
      ) as unknown as Corrected,
      smallestPHolm: Math.min(1, Math.max(compared.smallestP, smallest)),
    };
    return { ...row, sentence: describeComparison(row) };
  });
}

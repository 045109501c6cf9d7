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
import {
  type Baseline,
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
  checkConditions,
  type Counted,
  countNetworks,
  countUnits,
  FEWEST,
  groupsOf,
  haveSameTrials,
  type LabelledResults,
  matchCombinations,
  type MatchedCombination,
  meanPerUnit,
  shareUnits,
  SIDES,
  type Stratum,
} from "./match.ts";
import { compareMeans } from "./means.ts";
import {
  cliffsDelta,
  describeNumbers,
  type Groups,
  meanEffect,
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
  const matched = matchCombinations(folders.map(({ results }) => results));
  const conditions = checkConditions(folders);
  const warnings = [...matched.warnings, ...conditions.warnings];
  const sides = folders.map((folder, i): Side => {
    const summary = summarizeResults(folder.results, {
      epochs: conditions.commonEpochs,
    });
    warnings.push(...summary.warnings);
    return { ...folder, folder: i, runs: summary.runs };
  });
  if (!conditions.sameTask) return { rows: [], warnings };
  const runs = sides.flatMap((side) => side.runs);
  // Where every run diverged there is no number, but that is to be said.
  const measures = options.measures ??
    (Object.keys(MEASURES) as Measure[]).filter((measure) =>
      measure === "minLoss" ||
      runs.some((run) => MEASURES[measure].valueOf(run) !== undefined)
    );
  const log = spansDecades(runs.flatMap(({ loss }) => loss?.minLoss ?? []));
  const compared = measures.flatMap((measure) =>
    pairs.map(([a, b]) =>
      comparePair({
        measure,
        a: sides[a]!,
        b: sides[b]!,
        combinations: matched.combinations,
        margin,
        log: log && measure === "minLoss",
      })
    )
  );
  const over = correctRows(compared.flatMap((one) => one.over ?? []));
  const single = correctRows(compared.flatMap((one) => one.single));
  const rows = compared.flatMap((one) => [
    ...(one.over === undefined ? [] : [over.shift()!]),
    ...one.single.map(() => single.shift()!),
  ]);
  return { rows, warnings };
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
  const order = [
    first,
    ...[...labels.keys()].filter((i) => i !== first),
  ];
  return order.flatMap((a, i) =>
    i > 0 && !allPairs
      ? []
      : order.slice(i + 1).map((b): [number, number] => [a, b])
  );
}

/** One of the two labels that are compared. */
interface Side extends LabelledResults {
  /** Place among the folders. */
  readonly folder: number;
  readonly runs: readonly RunSummary[];
}

interface PairOptions {
  readonly measure: Measure;
  readonly a: Side;
  readonly b: Side;
  readonly combinations: readonly MatchedCombination[];
  readonly margin: number;
  /** Whether losses are compared on a logarithmic scale. */
  readonly log: boolean;
}

function comparePair(options: PairOptions): {
  over: ComparedRuns | undefined;
  single: ComparedRuns[];
} {
  const { combinations, a, b } = options;
  const sameTrials = haveSameTrials(a.results.experiment, b.results.experiment);
  const strata = combinations.flatMap((combination): Stratum<RunSummary>[] => {
    const first = combination.members[a.folder];
    const second = combination.members[b.folder];
    if (first === undefined || second === undefined) return [];
    const paired = sameTrials && first.index === second.index;
    let x = a.runs.filter((run) => run.combination === first.index);
    let y = b.runs.filter((run) => run.combination === second.index);
    if (paired) {
      const both = Math.min(x.length, y.length);
      [x, y] = [x.slice(0, both), y.slice(0, both)];
    }
    const facts = taskFacts([a.results, b.results], combination.parameters);
    const baseline = baselineOf(facts, "loss");
    const learned = baseline === undefined ||
      [...x, ...y].some((run) => beats(run, baseline));
    const chance = baselineOf(facts, "accuracy")?.value ?? 50;
    const points = 100 - chance;
    return [{ combination, paired, x, y, baseline, points, learned }];
  });
  if (strata.length === 0) return { over: undefined, single: [] };
  const single = strata.map((stratum) => ({
    ...compareStrata([stratum], options),
    combination: stratum.combination,
  }));
  const over = { ...compareStrata(strata, options), combination: undefined };
  return { over, single };
}

function beats({ loss }: RunSummary, { beaten }: Baseline): boolean {
  return loss !== undefined && loss.minLoss < beaten;
}

/**
 * What a run counts as in tests by ranks: its value, the worst there is where
 * it diverged. A loss that still falls at the end reaches its last percent at
 * no known epoch, so the last epoch stands for it, which is a tie with all
 * others like it.
 */
function rankedValue(
  run: RunSummary,
  { measure, log }: Pick<PairOptions, "measure" | "log">,
): number | undefined {
  const { better, valueOf } = MEASURES[measure];
  if (run.loss === undefined) return better === "lower" ? Infinity : -Infinity;
  const value = valueOf(run);
  return value === undefined ? undefined : log ? Math.log(value) : value;
}

/** A number of which rounding leaves no trace. */
function rounded(value: number): number {
  return Number.isFinite(value) ? Math.round(value * 1e9) / 1e9 : value;
}

interface Scores {
  readonly x: readonly Counted[];
  /** Empty where pairs are compared. */
  readonly y: readonly Counted[];
}

/**
 * The signed rank of each pair's difference, as a share of all ranks: the same
 * tests come out of them, and they have a mean where runs diverged.
 */
function signedScores({ x, y }: Scores): Scores {
  // Two runs that both diverged are equal.
  const differences = x.map(({ value }, i) =>
    value === y[i]!.value ? 0 : rounded(value - y[i]!.value)
  );
  const { ranks } = rank(differences.map(Math.abs));
  const zeros = differences.filter((one) => one === 0).length;
  const n = differences.length - zeros;
  const scores = differences.map((difference, i) => ({
    value: difference === 0
      ? 0
      : Math.sign(difference) * (ranks[i]! - zeros) / (n * (n + 1) / 2),
    unit: x[i]!.unit,
  }));
  return { x: scores, y: [] };
}

/** The rank of each number among those of both labels, from 0 to 1. */
function rankScores({ x, y }: Scores): Scores {
  const { ranks } = rank([...x, ...y].map(({ value }) => value));
  const scored = (counted: readonly Counted[], from: number) =>
    counted.map(({ unit }, i) => ({
      value: ranks[from + i]! / (ranks.length + 1),
      unit,
    }));
  return { x: scored(x, 0), y: scored(y, x.length) };
}

function scorePerUnit({ x, y }: Scores): Groups {
  return {
    x: meanPerUnit(x).map(rounded),
    y: meanPerUnit(y).map(rounded),
  };
}

function compareStrata(
  given: readonly Stratum<RunSummary>[],
  options: PairOptions,
): Omit<ComparedRuns, "combination"> {
  const { measure, a, b, margin } = options;
  const { strata: all, byPlace } = countUnits(given);
  const strata = all.filter(({ learned }) => learned);
  const paired = all.every((one) => one.paired);
  // What nobody learned is described, but nothing is claimed of it.
  const described = strata.length > 0 ? strata : all;
  const group = (side: "x" | "y") =>
    describeGroup((side === "x" ? a : b).label, {
      ...options,
      all: all.flatMap((stratum) => stratum[side]),
      described: described.map((stratum) => stratum[side]),
      learned: all.every(({ baseline }) => baseline === undefined)
        ? undefined
        : all.flatMap(({ baseline, [side]: runs }) =>
          baseline === undefined
            ? []
            : runs.filter((run) => beats(run, baseline))
        ).length,
    });
  const ranked = strata.map((stratum) =>
    groupsOf(stratum, (run) => rankedValue(run, options))
  ).filter(({ x, y }) => x.length > 0 && y.length > 0);
  const scores = ranked.map(paired ? signedScores : rankScores);
  const within = scores.map(scorePerUnit);
  const tested = shareUnits(strata)
    ? [scorePerUnit({
      x: scores.flatMap(({ x }) => x),
      y: scores.flatMap(({ y }) => y),
    })]
    : within;
  const effectsOf = (groups: readonly Groups[]) =>
    groups.map(({ x, y }) => paired ? rankBiserial(x) : cliffsDelta({ x, y }));
  const sizes = tested.map(({ x, y }) =>
    [x.length, paired ? x.length : y.length] as const
  );
  const [first] = sizes;
  const testable = sizes.length > 1 ||
    (first !== undefined && Math.min(...first) >= FEWEST);
  const result = !testable
    ? undefined
    : paired
    ? stratifiedSignedRank(tested.map(({ x }) => x))
    : stratifiedRankSum(tested);
  const effects = effectsOf(within);
  const pairs = ranked.reduce((sum, { x }) => sum + x.length, 0);
  const units = [0, 1].map((side) =>
    sizes.reduce((sum, own) => sum + own[side]!, 0)
  ) as [number, number];
  const counted = units[0] === pairs &&
    (paired || units[1] === ranked.reduce((sum, { y }) => sum + y.length, 0));
  return {
    measure,
    combinations: strata.length,
    notLearned: all.filter(({ learned }) => !learned).map(
      ({ combination }) => combination,
    ),
    lower: effects.filter(({ estimate }) => estimate < 0).length,
    higher: effects.filter(({ estimate }) => estimate > 0).length,
    reference: group("x"),
    other: group("y"),
    pairs: paired ? pairs : undefined,
    byPlace,
    units: counted ? undefined : units,
    test: paired ? "Wilcoxon signed-rank" : "Mann-Whitney U",
    method: result?.method ?? "exact",
    statistic: result?.statistic ?? NaN,
    p: result?.p ?? NaN,
    smallestP: paired ? smallestSignedRankP(units[0]) : smallestRankSumP(sizes),
    direction: result?.direction ?? 0,
    equal: ranked.length > 0 &&
      ranked.every(({ x, y }) =>
        paired
          ? x.every(({ value }, i) => value === y[i]!.value)
          : [...x, ...y].every(({ value }) => value === x[0]!.value)
      ),
    effectName: paired ? "rank-biserial correlation" : "Cliff's delta",
    effect: meanEffect(effectsOf(tested)),
    failureP: failureP(all, paired),
    baseline: all[0]!.baseline,
    margin,
    ...compareMeans(strata, { ...options, paired }),
  };
}

function describeGroup(
  label: string,
  { measure, log, all, described, learned }:
    & Pick<PairOptions, "measure" | "log">
    & {
      readonly all: readonly RunSummary[];
      /** A list a combination. */
      readonly described: readonly (readonly RunSummary[])[];
      readonly learned: number | undefined;
    },
): ComparedGroup {
  const values = described.map((runs) =>
    runs.flatMap((run) => MEASURES[measure].valueOf(run) ?? [])
  );
  const medians = values.filter(({ length }) => length > 0).map((own) =>
    describeNumbers(own).median
  );
  return {
    label,
    networks: countNetworks(all),
    ...describeNumbers(values.flat()),
    typical: log
      ? Math.exp(describeNumbers(medians.map(Math.log)).mean)
      : describeNumbers(medians).mean,
    runs: all.length,
    failed: all.filter(({ loss }) => loss === undefined).length,
    learned,
    stillFalling:
      described.flat().filter(({ loss }) => loss?.stillFalling).length,
  };
}

function failureP(strata: readonly Stratum[], paired: boolean): number {
  const failed = (run: RunSummary) => run.loss === undefined;
  if (!strata.some(({ x, y }) => [...x, ...y].some(failed))) return NaN;
  if (!paired) {
    // Runs that share a network do not fail independently.
    if (isCollapsed(strata)) return NaN;
    return failureTest(strata.map(({ x, y }) => ({
      runs: [x.length, y.length],
      failed: [x.filter(failed).length, y.filter(failed).length],
    })));
  }
  const more = new Map<string, number>();
  for (const { x, y } of strata) {
    for (const [i, run] of x.entries()) {
      const one = Number(failed(run)) - Number(failed(y[i]!));
      more.set(run.unit, (more.get(run.unit) ?? 0) + one);
    }
  }
  const all = [...more.values()];
  return pairedFailureTest(
    all.filter((one) => one > 0).length,
    all.filter((one) => one < 0).length,
  );
}

function isCollapsed(strata: readonly Stratum[]): boolean {
  return SIDES.some((side) => {
    const units = strata.flatMap((own) => own[side].map(({ unit }) => unit));
    return new Set(units).size < units.length;
  });
}

const CORRECTED = ["p", "equivalenceP", "notWorseP", "failureP"] as const;

/** Corrects the p values of rows for their number, and puts them into words. */
export function correctRows(rows: readonly ComparedRuns[]): Comparison[] {
  const holm = Object.fromEntries(
    CORRECTED.map((key) => [key, holmCorrection(rows.map((row) => row[key]))]),
  ) as Record<keyof Corrected, number[]>;
  const tested = rows.filter(({ p }) => !Number.isNaN(p));
  const smallest = tested.length *
    Math.min(...tested.map(({ smallestP }) => smallestP));
  return rows.map((compared, i) => {
    const row = {
      ...compared,
      holm: Object.fromEntries(
        CORRECTED.map((key) => [key, holm[key][i]!]),
      ) as unknown as Corrected,
      smallestPHolm: Math.min(1, Math.max(compared.smallestP, smallest)),
    };
    return { ...row, sentence: describeComparison(row) };
  });
}

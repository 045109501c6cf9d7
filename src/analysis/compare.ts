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
import { type Baseline, baselineOf, taskFacts } from "./baseline.ts";
import type {
  ComparedGroup,
  ComparedRuns,
  Comparison,
  Corrected,
} from "./comparison.ts";
import {
  compareMeans,
  FEWEST,
  groupsOf,
  type Stratum,
} from "./compare_means.ts";
import { describeComparison } from "./describe_comparison.ts";
import {
  cliffsDelta,
  describeNumbers,
  meanEffect,
  rankBiserial,
} from "./effect_sizes.ts";
import {
  checkConditions,
  haveSameTrials,
  type LabelledResults,
  matchCombinations,
  type MatchedCombination,
} from "./match.ts";
import {
  failureTest,
  holmCorrection,
  pairedFailureTest,
} from "./failure_tests.ts";
import {
  smallestRankSumP,
  smallestSignedRankP,
  stratifiedRankSum,
  stratifiedSignedRank,
} from "./rank_tests.ts";
import {
  type Measure,
  MEASURES,
  type RunSummary,
  spansDecades,
  summarizeResults,
} from "./summary.ts";

export type { LabelledResults };

/** How to compare. */
export interface CompareOptions {
  /** The label that each other one is compared with; default the first. */
  readonly reference?: string;
  /** Whether every label is compared with every other one; default false. */
  readonly allPairs?: boolean;
  /** Default all that there are values for. */
  readonly measures?: readonly Measure[];
  /** Epochs left out at the beginning of curves; default 1. */
  readonly start?: number;
  /**
   * Margin of equivalence, as a share: of what the better label learned, of
   * the points between chance and 100 % accuracy (50 of two classes), of the
   * other's mean epoch.
   * Default 0.1.
   */
  readonly margin?: number;
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
  const { margin = MARGIN, start } = options;
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
      ...(start === undefined ? {} : { start }),
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
  const over = correct(compared.flatMap((one) => one.over ?? []));
  const single = correct(compared.flatMap((one) => one.single));
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
  const strata = combinations.flatMap((combination): Stratum[] => {
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

/** x − y, of which rounding leaves no trace; two runs that both diverged are equal. */
function differenceOf(x: number, y: number): number {
  if (x === y) return 0;
  const difference = x - y;
  return Number.isFinite(difference)
    ? Math.round(difference * 1e9) / 1e9
    : difference;
}

function compareStrata(
  all: readonly Stratum[],
  options: PairOptions,
): Omit<ComparedRuns, "combination"> {
  const { measure, a, b, margin } = options;
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
  const differences = ranked.map(({ x, y }) =>
    paired ? x.map((value, i) => differenceOf(value, y[i]!)) : []
  );
  const effects = paired
    ? differences.map(rankBiserial)
    : ranked.map(cliffsDelta);
  const testable = ranked.length > 0 &&
    (ranked.length > 1 ||
      Math.min(ranked[0]!.x.length, ranked[0]!.y.length) >= FEWEST);
  const result = !testable
    ? undefined
    : paired
    ? stratifiedSignedRank(differences)
    : stratifiedRankSum(ranked);
  const pairs = ranked.reduce((sum, { x }) => sum + x.length, 0);
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
    test: paired ? "Wilcoxon signed-rank" : "Mann-Whitney U",
    method: result?.method ?? "exact",
    statistic: result?.statistic ?? NaN,
    p: result?.p ?? NaN,
    smallestP: paired
      ? smallestSignedRankP(pairs)
      : smallestRankSumP(ranked.map(({ x, y }) => [x.length, y.length])),
    direction: result?.direction ?? 0,
    equal: ranked.length > 0 &&
      ranked.every(({ x, y }) =>
        paired
          ? x.every((value, i) => value === y[i])
          : [...x, ...y].every((value) => value === x[0])
      ),
    effectName: paired ? "rank-biserial correlation" : "Cliff's delta",
    effect: meanEffect(effects),
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
    return failureTest(strata.map(({ x, y }) => ({
      runs: [x.length, y.length],
      failed: [x.filter(failed).length, y.filter(failed).length],
    })));
  }
  let [onlyX, onlyY] = [0, 0];
  for (const { x, y } of strata) {
    for (const [i, run] of x.entries()) {
      if (failed(run) && !failed(y[i]!)) onlyX++;
      if (!failed(run) && failed(y[i]!)) onlyY++;
    }
  }
  return pairedFailureTest(onlyX, onlyY);
}

const CORRECTED = ["p", "equivalenceP", "notWorseP", "failureP"] as const;

/** Corrects the p values of rows for their number. */
function correct(rows: readonly ComparedRuns[]): Comparison[] {
  const holm = Object.fromEntries(
    CORRECTED.map((key) => [key, holmCorrection(rows.map((row) => row[key]))]),
  ) as Record<keyof Corrected, number[]>;
  const tested = rows.filter(({ p }) => !Number.isNaN(p));
  const smallest = tested.length *
    Math.min(...tested.map(({ smallestP }) => smallestP));
  return rows.map((compared, i) => {
    const row = {
      ...compared,
      holm: {
        p: holm.p[i]!,
        equivalenceP: holm.equivalenceP[i]!,
        notWorseP: holm.notWorseP[i]!,
        failureP: holm.failureP[i]!,
      },
      smallestPHolm: Math.min(1, Math.max(compared.smallestP, smallest)),
    };
    return { ...row, sentence: describeComparison(row) };
  });
}

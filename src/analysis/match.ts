/**
 * Finds what belongs together in several results folders: combinations with
 * the same parameters, runs on the same trials, runs on the same networks.
 *
 * @module
 */

import type { ExperimentRecord, Plain } from "../results/experiment_record.ts";
import type {
  CombinationResult,
  ResultsFolder,
} from "../results/results_folder.ts";
import { meanOf } from "./rank_tests.ts";
import type { Baseline, RunSummary } from "./summary.ts";

/** A combination that at least one folder has. */
export interface MatchedCombination {
  /** E.g. `lr 1e-4 · tanh · Adam · length 3`. */
  readonly title: string;
  /** Value by key of the grid. */
  readonly parameters: Readonly<Record<string, Plain>>;
  /** For each folder its combination, or undefined. */
  readonly members: readonly (CombinationResult | undefined)[];
}

/** What a key is called in figures and sentences, where its own name would be long. */
const WORDS: Readonly<Record<string, string>> = {
  pattern_length: "length",
  n_back: "n-back",
  learning_rate: "lr",
};

/** A key of the grid in words: `trial length` for `trial_length`. */
export function keyInWords(key: string): string {
  return Object.hasOwn(WORDS, key) ? WORDS[key]! : key.replaceAll("_", " ");
}

/** A number in words: `1e-4`, `0.01`, `3`. */
function numberInWords(value: number): string {
  const size = Math.abs(value);
  return size !== 0 && (size < 0.01 || size >= 1e6)
    ? value.toExponential().replace("e+", "e")
    : String(value);
}

/**
 * A combination of hyper-parameters in words: names alone, numbers with their
 * key.
 *
 * @param keys Those that are said; default all.
 */
export function combinationName(
  parameters: Readonly<Record<string, Plain>>,
  keys: readonly string[] = Object.keys(parameters),
): string {
  if (keys.length === 0) return "the one combination";
  return keys.flatMap((key) => {
    const value = parameters[key];
    if (value === undefined) return [];
    if (typeof value === "string") return value;
    const words = typeof value === "number" ? numberInWords(value) : value;
    return `${keyInWords(key)} ${words}`;
  }).join(" · ");
}

/** Names that were not known, see `inferGridKeys()`. */
const UNKNOWN_KEY = /^parameter [0-9]+$/;

function isKnown(keys: readonly string[]): boolean {
  return !keys.some((key) => UNKNOWN_KEY.test(key));
}

/**
 * Matches combinations by their parameters, whatever their numbers and the
 * order of their keys. Names that a folder of the original program does not
 * tell are taken from the folder that does.
 *
 * @returns The combinations in the order of the first folder, then of the second and so on; a sentence for each
 * folder that lacks some.
 */
export function matchCombinations(
  folders: readonly ResultsFolder[],
): { combinations: MatchedCombination[]; warnings: string[] } {
  const known = folders.flatMap((folder) =>
    folder.combinations.map(({ parameters }) => Object.keys(parameters))
  ).filter(isKnown);
  const warnings: string[] = [];
  const matched = new Map<
    string,
    MatchedCombination & { members: (CombinationResult | undefined)[] }
  >();
  for (const [f, folder] of folders.entries()) {
    for (const combination of folder.combinations) {
      const parameters = nameParameters(combination.parameters, known);
      const key = inOrder(parameters);
      const group = matched.get(key) ?? {
        title: combinationName(parameters),
        parameters,
        members: folders.map(() => undefined),
      };
      matched.set(key, group);
      const before = group.members[f];
      if (before !== undefined) {
        warnings.push(
          `${folder.path}: combination ${combination.index} has the parameters of combination ${before.index}, ${combination.title}; its runs are left out`,
        );
      } else group.members[f] = combination;
    }
  }
  const combinations = [...matched.values()];
  for (const [f, { path }] of folders.entries()) {
    const missing = combinations.filter((one) => one.members[f] === undefined);
    if (missing.length === 0) continue;
    warnings.push(
      `${path}: ${missing.length} of ${combinations.length} combinations are in other folders only: ${
        missing.map(({ title }) => title).join(", ")
      }`,
    );
  }
  return { combinations, warnings };
}

/** Replaces unknown names by those that a list with the same names elsewhere has at their places. */
function nameParameters(
  parameters: Readonly<Record<string, Plain>>,
  known: readonly (readonly string[])[],
): Readonly<Record<string, Plain>> {
  const own = Object.keys(parameters);
  if (isKnown(own)) return parameters;
  const names = known.find((keys) =>
    keys.length === own.length &&
    own.every((key, i) => UNKNOWN_KEY.test(key) || key === keys[i])
  );
  return names === undefined ? parameters : Object.fromEntries(
    Object.values(parameters).map((value, i) => [names[i]!, value]),
  );
}

/** The same text for the same values, whatever the order of their keys. */
function inOrder(values: Readonly<Record<string, Plain>>): string {
  return JSON.stringify(
    Object.entries(values).sort(([a], [b]) => a < b ? -1 : 1),
  );
}

/**
 * Whether run (combination, iteration) of one experiment has the same trials
 * as that of the other, so that they can be compared in pairs: both are
 * experiments of this program with the same seed, task and pictures. Their
 * combinations must have the same numbers too, as trials are drawn by number.
 */
export function haveSameTrials(
  a: ExperimentRecord | undefined,
  b: ExperimentRecord | undefined,
): boolean {
  return a !== undefined && b !== undefined &&
    sameUpToPictures(a, b) && picturesOf(a) === picturesOf(b) &&
    picturesOf(a) !== "unknown";
}

function sameUpToPictures(a: ExperimentRecord, b: ExperimentRecord): boolean {
  return a.seed === b.seed && a.task.name === b.task.name &&
    inOrder(a.task.parameters) === inOrder(b.task.parameters);
}

/** What tells pictures apart; a file by its name alone may have been another one. */
function picturesOf({ stimuli }: ExperimentRecord): string {
  if (stimuli === undefined) return "none";
  return stimuli.sha256 ?? (stimuli.synthetic ? stimuli.source : "unknown");
}

/** What a comparison must not be silent about, by the words it is named with. */
const CONDITIONS: readonly (readonly [
  name: string,
  of: (record: ExperimentRecord) => Plain | undefined,
])[] = [
  ["seed", ({ seed }) => seed],
  ["batch size", ({ batchSize }) => batchSize],
  ["trials", ({ task }) => task.parameters.nr_of_trials],
  ["share of training trials", ({ task }) => task.parameters.train_size],
  ["initial weights", ({ init }) => init],
  ["pictures", ({ stimuli }) => stimuli?.sha256 ?? stimuli?.source],
];

/** From this ratio of spectral radii on starts are told to be apart: the radius decides much of what a network learns, whatever its topology. */
const APART = 1.1;

/** An experiment and what it is called in figures and tables. */
export interface LabelledResults {
  /** Its name in legends and tables. */
  readonly label: string;
  /** What it holds. */
  readonly results: ResultsFolder;
}

/**
 * What experiments differ in besides their topology, a sentence each: a
 * difference of their numbers may come from there.
 *
 * @returns The sentences, the number of epochs that all have, and whether all are of one task.
 */
export function checkConditions(folders: readonly LabelledResults[]): {
  warnings: string[];
  commonEpochs: number;
  sameTask: boolean;
} {
  const warnings: string[] = [];
  const recorded = folders.flatMap(({ label, results: { experiment } }) =>
    experiment === undefined ? [] : [{ label, experiment }]
  );
  /** What each record says, by label, without what it doesn't say. */
  const each = <V>(of: (record: ExperimentRecord) => V | undefined) =>
    recorded.flatMap(({ label, experiment }) => {
      const value = of(experiment);
      return value === undefined ? [] : [[label, value] as const];
    });
  const list = (values: readonly (readonly [string, unknown])[], of = " ") =>
    values.map(([label, value]) => `${label}${of}${value}`).join(", ");
  const differ = (values: readonly (readonly [string, unknown])[]) =>
    new Set(values.map(([, value]) => value)).size > 1;

  const tasks = each(({ task }) => task.name);
  const sameTask = !differ(tasks);
  if (!sameTask) {
    warnings.push(
      `the results are of different tasks, so that their numbers are not compared: ${
        list(tasks, " of ")
      }`,
    );
  }
  const epochs = folders.map(({ label, results }) =>
    [
      label,
      results.combinations.map(({ validateLoss }) => validateLoss.epochs),
    ] as const
  );
  const all = epochs.flatMap(([, own]) => own);
  const commonEpochs = Math.min(...all);
  if (all.some((length) => length !== commonEpochs)) {
    warnings.push(
      `the experiments differ in epochs (${
        list(epochs.map(([label, own]) => [label, Math.max(0, ...own)]))
      }): the statistics compare their first ${commonEpochs} epochs`,
    );
  }
  const differing = CONDITIONS.flatMap(([name, of]) => {
    const values = each((record) => of(record) ?? "none");
    return differ(values) ? [`${name} (${list(values)})`] : [];
  });
  if (differing.length > 0 && sameTask) {
    warnings.push(
      `the experiments differ in ${
        differing.join(", ")
      }: a difference of their numbers may come from there`,
    );
  }
  const radii = each(({ networkStates }) =>
    networkStates?.initial.spectralRadius
  );
  const sizes = radii.map(([, radius]) => radius);
  if (Math.max(...sizes) > APART * Math.min(...sizes)) {
    warnings.push(
      `the networks began apart: before training their spectral radius was ${
        radii.map(([label, radius]) =>
          `${Number(radius.toPrecision(3))} in ${label}`
        ).join(", ")
      }, on average; what differs may come from there and not from topology. [net] match = spectral_radius lets a null model begin where the biological network does`,
    );
  }
  const [first, ...others] = recorded;
  const unknown = others.filter(({ experiment }) =>
    sameUpToPictures(first!.experiment, experiment) &&
    [first!.experiment, experiment].some((one) => picturesOf(one) === "unknown")
  );
  if (unknown.length > 0) {
    warnings.push(
      `the records of ${
        [first!, ...unknown].map(({ label }) => label).join(", ")
      } do not all have the checksum of their pictures, so that runs are not compared in pairs`,
    );
  }
  return { warnings, commonEpochs, sameTask };
}

/** Fewest values of a group that are tested. */
export const FEWEST = 2;

/** Something of the reference, and the same of the label that is compared with it. */
export type Both<T> = readonly [reference: T, other: T];

/** The same of each of the two. */
export function both<T, U>(
  [x, y]: Both<T>,
  of: (one: T, side: 0 | 1) => U,
): [U, U] {
  return [of(x, 0), of(y, 1)];
}

/** What many pairs of lists hold, as one pair. */
export function gather<T>(pairs: readonly Both<readonly T[]>[]): [T[], T[]] {
  return [pairs.flatMap(([x]) => x), pairs.flatMap(([, y]) => y)];
}

/** A run, and whether it is known to have beaten the baseline. */
export type StratumRun = RunSummary & { readonly beat: boolean };

/** A run, and the unit that it is part of: the runs that share a random network, or itself. */
type CountedRun = StratumRun & { readonly unit: string };

/** The runs of both labels in one combination. */
export interface Stratum<Run extends StratumRun = CountedRun> {
  readonly combination: MatchedCombination;
  /** Whether run i of one label belongs to run i of the other. */
  readonly paired: boolean;
  readonly runs: Both<readonly Run[]>;
  readonly baseline: Baseline | undefined;
  /** Percentage points between chance and 100 %. */
  readonly points: number;
  /** Whether a run of either label beat the baseline. */
  readonly learned: boolean;
}

/** The runs of each label in all combinations. */
export function runsOf<Run extends StratumRun>(
  strata: readonly Stratum<Run>[],
): [Run[], Run[]] {
  return gather(strata.map(({ runs }) => runs));
}

/** How many networks runs are on; undefined where that is not known. */
export function countNetworks(
  runs: readonly RunSummary[],
): number | undefined {
  const networks = new Set(runs.map(({ network }) => network));
  return networks.has(undefined) ? undefined : networks.size;
}

/**
 * Says which runs count as one. Runs on the same sample of a null model, or on
 * the same of several instantiations of a connectome, tell of that network:
 * what is asked is whether others like it differ, so that the network is the
 * unit. Where all runs of a label are on one network, it is that network
 * which is asked about, and its runs are the units.
 *
 * Compared in pairs, runs are of one unit that share a network of either label.
 * Where one label has one network and the other has samples, runs are paired
 * by their places, if not by their trials: their differences from the one
 * network are what varies from sample to sample. To rank its many runs among
 * few samples, which vary more, would find differences where there are none.
 */
export function countUnits(
  strata: readonly Stratum<StratumRun>[],
): Stratum[] {
  const samples = both(runsOf(strata), (runs) => {
    const count = countNetworks(runs) ?? 1;
    return { several: count > 1, shared: count > 1 && count < runs.length };
  });
  const byPlace = !strata.every(({ paired }) => paired) &&
    samples.some(({ shared }, side) => shared && !samples[1 - side]!.several);
  const joined = new Map<string, string>();
  const unitOf = (key: string): string => {
    const above = joined.get(key);
    return above === undefined ? key : unitOf(above);
  };
  const keyed = strata.map((stratum, s) => {
    const paired = byPlace || stratum.paired;
    const length = Math.min(...stratum.runs.map((runs) => runs.length));
    const runs = both(
      stratum.runs,
      (own, side) =>
        own.slice(0, paired ? length : own.length).map((run, i) => ({
          ...run,
          unit: samples[side].several
            ? `${side} ${run.network}`
            : `${paired ? "" : side} ${s} ${i}`,
        })),
    );
    if (paired) {
      for (const [i, { unit }] of runs[0].entries()) {
        const [one, other] = [unitOf(unit), unitOf(runs[1][i]!.unit)];
        if (one !== other) joined.set(other, one);
      }
    }
    return { ...stratum, paired, runs };
  });
  return keyed.map((stratum) => ({
    ...stratum,
    runs: both(
      stratum.runs,
      (own) => own.map((run) => ({ ...run, unit: unitOf(run.unit) })),
    ),
  }));
}

/** A number of a run, or of a pair of runs. */
export interface Counted {
  readonly value: number;
  readonly unit: string;
}

/** The mean of each unit, in the order in which they come. */
export function meanPerUnit(numbers: readonly Counted[]): number[] {
  return Map.groupBy(numbers, ({ unit }) => unit).values()
    .map((own) => meanOf(own.map(({ value }) => value))).toArray();
}

/** Whether runs of different combinations are of one unit, so that these are no independent strata. */
export function shareUnits(strata: readonly Stratum[]): boolean {
  const units = strata.flatMap(({ runs }) => [
    ...new Set(runs.flat().map(({ unit }) => unit)),
  ]);
  return new Set(units).size < units.length;
}

/** Values of both labels, of complete pairs where there are pairs. */
export function groupsOf(
  { paired, runs }: Stratum,
  valueOf: (run: RunSummary) => number | undefined,
): [Counted[], Counted[]] {
  const values = both(runs, (own) => own.map(valueOf));
  return both(runs, (own, side) =>
    own.flatMap(({ unit }, i) => {
      const value = values[side][i];
      return value === undefined ||
          (paired && values[1 - side]![i] === undefined)
        ? []
        : [{ value, unit }];
    }));
}

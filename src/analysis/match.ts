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
  const words = keys.flatMap((key) => {
    const value = parameters[key];
    if (value === undefined) return [];
    return [
      typeof value === "string"
        ? value
        : `${keyInWords(key)} ${
          typeof value === "number" ? numberInWords(value) : value
        }`,
    ];
  });
  return words.length === 0 && keys.length === 0
    ? "the one combination"
    : words.join(" · ");
}

/** Names that were not known, see `inferGridKeys()`. */
const UNKNOWN_KEY = /^parameter [0-9]+$/;

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
  const known = folders.flatMap(keyListsOf).filter((keys) =>
    !keys.some((key) => UNKNOWN_KEY.test(key))
  );
  const warnings: string[] = [];
  const matched = new Map<string, {
    title: string;
    parameters: Readonly<Record<string, Plain>>;
    members: (CombinationResult | undefined)[];
  }>();
  for (const [f, folder] of folders.entries()) {
    for (const combination of folder.combinations) {
      const parameters = nameParameters(combination.parameters, known);
      const key = JSON.stringify(
        Object.entries(parameters).sort(([a], [b]) => a < b ? -1 : 1),
      );
      const group = matched.get(key) ??
        {
          title: combinationName(parameters),
          parameters,
          members: folders.map(() => undefined),
        };
      const before = group.members[f];
      if (before !== undefined) {
        warnings.push(
          `${folder.path}: combination ${combination.index} has the parameters of combination ${before.index}, ${combination.title}; its runs are left out`,
        );
      }
      group.members[f] ??= combination;
      matched.set(key, group);
    }
  }
  const combinations = [...matched.values()];
  warnings.push(...folders.flatMap(({ path }, f) => {
    const missing = combinations.filter(({ members }) =>
      members[f] === undefined
    );
    return missing.length === 0 ? [] : [
      `${path}: ${missing.length} of ${combinations.length} combinations are in other folders only: ${
        missing.map(({ title }) => title).join(", ")
      }`,
    ];
  }));
  return { combinations, warnings };
}

/** The different lists of keys that a folder's combinations have. */
function keyListsOf({ combinations }: ResultsFolder): string[][] {
  const lists = new Map<string, string[]>();
  for (const { parameters } of combinations) {
    const keys = Object.keys(parameters);
    lists.set(JSON.stringify(keys), keys);
  }
  return [...lists.values()];
}

/** Replaces unknown names by those that a list with the same names elsewhere has at their places. */
function nameParameters(
  parameters: Readonly<Record<string, Plain>>,
  known: readonly (readonly string[])[],
): Readonly<Record<string, Plain>> {
  const entries = Object.entries(parameters);
  if (!entries.some(([key]) => UNKNOWN_KEY.test(key))) return parameters;
  const names = known.find((keys) =>
    keys.length === entries.length &&
    entries.every(([key], i) => UNKNOWN_KEY.test(key) || key === keys[i])
  );
  return names === undefined ? parameters : Object.fromEntries(
    entries.map(([, value], i) => [names[i] as string, value]),
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
    sorted(a.task.parameters) === sorted(b.task.parameters);
}

function sorted(values: Readonly<Record<string, Plain>>): string {
  return JSON.stringify(
    Object.entries(values).sort(([x], [y]) => x < y ? -1 : 1),
  );
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

/** From this ratio on starts are told to be apart. */
const APART = 1.1;

/**
 * That networks began with different spectral radii, as a sentence: the radius
 * decides much of what a recurrent network learns, whatever its topology.
 */
function startsApart(
  recorded: readonly {
    readonly label: string;
    readonly experiment: ExperimentRecord;
  }[],
): string | undefined {
  const known = recorded.flatMap(({ label, experiment }) => {
    const radius = experiment.networkStates?.initial.spectralRadius;
    return radius === undefined ? [] : [[label, radius] as const];
  });
  const radii = known.map(([, radius]) => radius);
  if (!(Math.max(...radii) > APART * Math.min(...radii))) return undefined;
  return `the networks began apart: before training their spectral radius was ${
    known.map(([label, radius]) =>
      `${Number(radius.toPrecision(3))} in ${label}`
    )
      .join(", ")
  }, on average; what differs may come from there and not from topology. [net] match = spectral_radius lets a null model begin where the biological network does`;
}

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
  const tasks = new Set(recorded.map(({ experiment }) => experiment.task.name));
  const list = (
    entries: readonly (readonly [label: string, value: unknown])[],
  ) => entries.map(([label, value]) => `${label} ${value}`).join(", ");
  if (tasks.size > 1) {
    warnings.push(
      `the results are of different tasks, so that their numbers are not compared: ${
        recorded.map(({ label, experiment }) =>
          `${label} of ${experiment.task.name}`
        ).join(", ")
      }`,
    );
  }
  const epochs = folders.map(({ label, results }) =>
    [
      label,
      Math.max(
        0,
        ...results.combinations.map(({ validateLoss }) => validateLoss.epochs),
      ),
    ] as const
  );
  const shortest = folders.flatMap(({ results }) =>
    results.combinations.map(({ validateLoss }) => validateLoss.epochs)
  );
  const commonEpochs = Math.min(...shortest);
  if (shortest.some((length) => length !== commonEpochs)) {
    warnings.push(
      `the experiments differ in epochs (${
        list(epochs)
      }): the statistics compare their first ${commonEpochs} epochs`,
    );
  }
  const differing = CONDITIONS.flatMap(([name, of]) => {
    const values = recorded.map(({ label, experiment }) =>
      [label, of(experiment) ?? "none"] as const
    );
    return new Set(values.map(([, value]) => value)).size < 2
      ? []
      : [`${name} (${list(values)})`];
  });
  if (differing.length > 0 && tasks.size < 2) {
    warnings.push(
      `the experiments differ in ${
        differing.join(", ")
      }: a difference of their numbers may come from there`,
    );
  }
  const apart = startsApart(recorded);
  if (apart !== undefined) warnings.push(apart);
  const [first, ...others] = recorded;
  const unknown = first === undefined
    ? []
    : others.filter(({ experiment }) =>
      sameUpToPictures(first.experiment, experiment) &&
      (picturesOf(first.experiment) === "unknown" ||
        picturesOf(experiment) === "unknown")
    );
  if (first !== undefined && unknown.length > 0) {
    warnings.push(
      `the records of ${
        [first, ...unknown].map(({ label }) => label).join(", ")
      } do not all have the checksum of their pictures, so that runs are not compared in pairs`,
    );
  }
  return { warnings, commonEpochs, sameTask: tasks.size < 2 };
}

/** Fewest values of a group that are tested. */
export const FEWEST = 2;

/** A run, and the unit that it is part of: the runs that share a random network, or itself. */
type CountedRun = RunSummary & { readonly unit: string };

/** The runs of both labels in one combination. */
export interface Stratum<Run extends RunSummary = CountedRun> {
  readonly combination: MatchedCombination;
  /** Whether run i of one label belongs to run i of the other. */
  readonly paired: boolean;
  readonly x: readonly Run[];
  readonly y: readonly Run[];
  readonly baseline: Baseline | undefined;
  /** Percentage points between chance and 100 %. */
  readonly points: number;
  /** Whether a run of either label beat the baseline. */
  readonly learned: boolean;
}

export const SIDES = ["x", "y"] as const;

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
  strata: readonly Stratum<RunSummary>[],
): { readonly strata: readonly Stratum[]; readonly byPlace: boolean } {
  const [x, y] = SIDES.map((side) => {
    const runs = strata.flatMap((stratum) => stratum[side]);
    const count = countNetworks(runs) ?? 1;
    return { sampled: count > 1, repeated: count > 1 && count < runs.length };
  }) as [Sampling, Sampling];
  const byPlace = !strata.every(({ paired }) => paired) &&
    ((x.repeated && !y.sampled) || (y.repeated && !x.sampled));
  const units = new Map<string, string>();
  const unitOf = (key: string): string => {
    const above = units.get(key);
    return above === undefined ? key : unitOf(above);
  };
  const keyed = strata.map((stratum, s) => {
    const paired = byPlace || stratum.paired;
    const length = paired
      ? Math.min(stratum.x.length, stratum.y.length)
      : Infinity;
    const keysOf = (side: "x" | "y") =>
      stratum[side].slice(0, length).map(({ network }, i) =>
        (side === "x" ? x : y).sampled
          ? `${side} ${network}`
          : `${paired ? "" : side} ${s} ${i}`
      );
    const keys = { x: keysOf("x"), y: keysOf("y") };
    if (paired) {
      for (const [i, key] of keys.x.entries()) {
        const [one, other] = [unitOf(key), unitOf(keys.y[i]!)];
        if (one !== other) units.set(other, one);
      }
    }
    return { ...stratum, paired, keys };
  });
  return {
    byPlace,
    strata: keyed.map(({ keys, ...stratum }) => ({
      ...stratum,
      x: keys.x.map((key, i) => ({ ...stratum.x[i]!, unit: unitOf(key) })),
      y: keys.y.map((key, i) => ({ ...stratum.y[i]!, unit: unitOf(key) })),
    })),
  };
}

interface Sampling {
  /** Whether a label's runs are on several networks. */
  readonly sampled: boolean;
  /** Whether of these some have several runs. */
  readonly repeated: boolean;
}

/** A number of a run, or of a pair of runs. */
export interface Counted {
  readonly value: number;
  readonly unit: string;
}

/** The mean of each unit, in the order in which they come. */
export function meanPerUnit(numbers: readonly Counted[]): number[] {
  const units = Map.groupBy(numbers, ({ unit }) => unit);
  return Array.from(
    units.values(),
    (own) => own.reduce((sum, { value }) => sum + value, 0) / own.length,
  );
}

/** Whether runs of different combinations are of one unit, so that these are no independent strata. */
export function shareUnits(strata: readonly Stratum[]): boolean {
  const own = strata.map(({ x, y }) =>
    new Set([...x, ...y].map(({ unit }) => unit))
  );
  const all = new Set(own.flatMap((units) => [...units]));
  return all.size < own.reduce((sum, { size }) => sum + size, 0);
}

/** Values of both labels, of complete pairs where there are pairs. */
export function groupsOf(
  { paired, x, y }: Stratum,
  valueOf: (run: RunSummary) => number | undefined,
): { x: Counted[]; y: Counted[] } {
  const counted = (runs: readonly CountedRun[], others: typeof runs) =>
    runs.flatMap((run, i) => {
      const value = valueOf(run);
      return value === undefined ||
          (paired && valueOf(others[i]!) === undefined)
        ? []
        : [{ value, unit: run.unit }];
    });
  return { x: counted(x, y), y: counted(y, x) };
}

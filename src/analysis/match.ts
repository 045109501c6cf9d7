/**
 * Finds what belongs together in several results folders: combinations with
 * the same parameters, and runs on the same trials.
 *
 * @module
 */

import type { ExperimentRecord, Plain } from "../results/experiment_record.ts";
import type {
  CombinationResult,
  ResultsFolder,
} from "../results/results_folder.ts";

/** A combination that at least one folder has. */
export interface MatchedCombination {
  /** As in the first folder that has it. */
  readonly title: string;
  readonly parameters: Readonly<Record<string, Plain>>;
  /** For each folder its combination, or undefined. */
  readonly members: readonly (CombinationResult | undefined)[];
}

/** Names that were not known, see `grid_keys.ts`. */
const UNKNOWN_KEY = /^parameter [0-9]+$/;

/**
 * Matches combinations by their parameters, whatever their numbers and the
 * order of their keys. Names that a folder of the original program does not
 * tell are taken from the folder that does.
 *
 * @returns The combinations in the order of the first folder, then of the second and so on; a sentence for each
 * folder that lacks some.
 *
 * @example
 * ```ts no-eval
 * import { matchCombinations } from "./src/analysis/match.ts";
 * import { readResultsFolder } from "./src/results/results_folder.ts";
 *
 * const folders = [await readResultsFolder("bio"), await readResultsFolder("rand")];
 * const { combinations } = matchCombinations(folders);
 * const [bio, rand] = combinations[0]?.members ?? [];
 * ```
 */
export function matchCombinations(
  folders: readonly ResultsFolder[],
): { combinations: MatchedCombination[]; warnings: string[] } {
  const known = folders.flatMap(keyListsOf).filter((keys) =>
    !keys.some((key) => UNKNOWN_KEY.test(key))
  );
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
          title: combination.title,
          parameters,
          members: folders.map(() => undefined),
        };
      // A grid that lists a value twice has equal combinations; the first one stands for them.
      group.members[f] ??= combination;
      matched.set(key, group);
    }
  }
  const combinations = [...matched.values()];
  const warnings = folders.flatMap(({ path }, f) => {
    const missing = combinations.filter(({ members }) =>
      members[f] === undefined
    );
    return missing.length === 0 ? [] : [
      `${path}: ${missing.length} of ${combinations.length} combinations are in other folders only: ${
        missing.map(({ title }) => title).join(", ")
      }`,
    ];
  });
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
 * experiments of this program with the same seed, task, pictures and numbers of
 * iterations and epochs. Their combinations must have the same numbers too, as
 * trials are drawn by number.
 *
 * @example
 * ```ts
 * import { haveSameTrials } from "./src/analysis/match.ts";
 *
 * haveSameTrials(undefined, undefined); // false: folders of the original program
 * ```
 */
export function haveSameTrials(
  a: ExperimentRecord | undefined,
  b: ExperimentRecord | undefined,
): boolean {
  return a !== undefined && b !== undefined && trialsOf(a) === trialsOf(b);
}

function trialsOf(record: ExperimentRecord): string {
  const { seed, task, stimuli, iterations, epochs } = record;
  const parameters = Object.entries(task.parameters).sort(([x], [y]) =>
    x < y ? -1 : 1
  );
  return JSON.stringify([
    seed,
    task.name,
    parameters,
    stimuli?.source,
    iterations,
    epochs,
  ]);
}

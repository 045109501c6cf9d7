/**
 * The experiments of A. Goulas, F. Damicelli and C. C. Hilgetag, Neural
 * Networks 142, 608–618 (2021), https://doi.org/10.1016/j.neunet.2021.07.011:
 * three species, three tasks and the ways to build networks make its cells, of
 * each of which the biological network and random ones are the arms.
 *
 * @module
 */

import { dirname, join } from "../files/path.ts";
import { InputError } from "../files/input_error.ts";
import { textOf } from "./config.ts";
import type { Experiment } from "./experiment.ts";
import { type ExperimentOverrides, readArms } from "./read.ts";

/** Connectomes, and how many regions they have; the last stands in where none can be had. */
export const SPECIES = {
  macaque: ["Macaque_Normalized", 29],
  marmoset: ["Marmoset_Normalized", 55],
  human: ["Human_Betzel_Normalized", 57],
  synthetic: ["Synthetic_Macaque_29", 29],
} as const;

/** The tasks, a config each. */
export const PAPER_TASKS = ["seq_mem", "nback_mem", "pic_latent_mem"] as const;

/** How networks are built: how weights are split, and whether initial weights have the rank order of the connectome's. */
export const STRATEGIES = {
  random_ranked: ["random partition, ranked", { split: true, ranked: true }],
  equal_ranked: ["equal partition, ranked", { split: false, ranked: true }],
  random: ["random partition, unranked", { split: true, ranked: false }],
  equal: ["equal partition, unranked", { split: false, ranked: false }],
} as const;

/** How a random network's start is matched to the biological one, and what that adds to the name of its arm. */
export const MATCHES = {
  none: "",
  spectral_radius: "_matched",
  activity: "_matched_activity",
} as const;

/** Name of the biological arm. */
export const BIOLOGICAL = "bio";

/** A cell of the paper: one connectome, task and way to build networks. */
export interface PaperCell {
  readonly species: keyof typeof SPECIES;
  readonly task: typeof PAPER_TASKS[number];
  readonly strategy: keyof typeof STRATEGIES;
}

/** Lists of what is wanted, in order. */
export interface PaperChoice {
  readonly species: readonly PaperCell["species"][];
  readonly tasks: readonly PaperCell["task"][];
  readonly strategies: readonly PaperCell["strategy"][];
  /** Null models, without "none". */
  readonly nullModels: readonly string[];
  readonly matches: readonly (keyof typeof MATCHES)[];
}

export function cellsOf(
  choice: Omit<PaperChoice, "nullModels" | "matches">,
): PaperCell[] {
  return choice.species.flatMap((species) =>
    choice.tasks.flatMap((task) =>
      choice.strategies.map((strategy) => ({ species, task, strategy }))
    )
  );
}

/** Name of a cell's folder: `macaque_seq_mem_random_ranked`. */
export function cellFolder({ species, task, strategy }: PaperCell): string {
  return `${species}_${task}_${strategy}`;
}

/** A cell in words: `macaque · seq_mem · random partition, ranked`. */
export function cellTitle({ species, task, strategy }: PaperCell): string {
  return `${species} · ${task} · ${STRATEGIES[strategy][0]}`;
}

/**
 * Reads the arms of a cell from the config of its task: the biological network,
 * and each null model with each way to match its start.
 *
 * @param config Text and name of the file.
 * @throws {InputError} If the config is wrong, or overrides change what tells cells apart.
 */
export function readCell(
  cell: PaperCell,
  { config: { text, file }, results, folder, nullModels, matches, overrides }:
    & Pick<PaperChoice, "nullModels" | "matches">
    & {
      readonly config: { readonly text: string; readonly file: string };
      /** Absolute path of the folder that holds the cells'. */
      readonly results: string;
      /** Where relative paths of overrides begin. */
      readonly folder: string;
      readonly overrides: ExperimentOverrides;
    },
): Experiment[] {
  const set = overrides.set ?? {};
  const [name, regions] = SPECIES[cell.species];
  const { split, ranked } = STRATEGIES[cell.strategy][1];
  const read = (models: readonly string[], match: keyof typeof MATCHES) => {
    if (models.length === 0) return [];
    const own = {
      "net.net_name": name,
      "net.rnn_size": String(regions),
      "net.rand_partition": textOf(split)!,
      "net.random_w": "False",
      "net.null_model": JSON.stringify(models),
      "net.match": match,
      "trainvalidate.remap_w": textOf(ranked)!,
    };
    const taken = [...Object.keys(own), "paths.path_to_results"]
      .find((key) => Object.hasOwn(set, key));
    if (taken !== undefined) {
      throw new InputError(
        `Cannot use --set ${taken}: it tells the paper's experiments apart; --species, --strategies, --arms, --match and --path_to_results choose among them`,
      );
    }
    const pathToResults = join(results, cellFolder(cell));
    return readArms(text, {
      file,
      folder,
      overrides: { ...overrides, pathToResults, set: { ...set, ...own } },
    }).map((experiment) => placed(experiment, match));
  };
  return [
    ...read(["none"], "none"),
    ...matches.flatMap((match) => read(nullModels, match)),
  ];
}

/** An experiment as an arm among those matched in other ways. */
function placed(
  experiment: Experiment,
  match: keyof typeof MATCHES,
): Experiment {
  const { net: { nullModel }, paths } = experiment;
  const arm = nullModel === "none"
    ? BIOLOGICAL
    : `${nullModel}${MATCHES[match]}`;
  const cell = experiment.arm === undefined
    ? paths.results
    : dirname(paths.results);
  return { ...experiment, arm, paths: { ...paths, results: join(cell, arm) } };
}

/**
 * The keys of a config file: what each means, what it may be and what it is
 * where the file says nothing.
 *
 * @module
 */

import { NULL_MODEL_NAMES } from "../connectome/nulls/null_model.ts";
import { INITIALISATIONS } from "../rnn/initialisations.ts";
import { NR_OF_TRIALS, type ParameterSchema } from "../tasks/task.ts";

/** A key of a config file. */
export type KeySchema =
  & { readonly description: string }
  & (
    /** The name of a connectome. */
    | { readonly kind: "text" }
    /** A path, from the config file's folder; one that is not needed may be absent or empty, and a word may stand for something that is no file beside it. */
    | {
      readonly kind: "path";
      readonly needed: boolean;
      readonly word?: string;
    }
    | {
      readonly kind: "integer" | "number";
      readonly from?: number;
      readonly above?: number;
      readonly to: number;
      readonly default?: number;
    }
    | { readonly kind: "boolean"; readonly default?: boolean }
    | {
      readonly kind: "choice";
      readonly choices: readonly string[];
      readonly default?: string;
    }
    /** A Python dict. */
    | { readonly kind: "dict" }
    /** A Python list of regions, by their names or numbers; all where the key is absent. */
    | { readonly kind: "regions" }
  );

/** So that a slip of the finger is found before the memory is gone. */
const MOST_EPOCHS = 10_000_000;
/** It is their connections that take memory, and have a bound of their own. */
export const MOST_NEURONS = 2 ** 24;

/** Most combinations of a grid, most arms, and most runs of an experiment, all arms together. */
export const MOST_COMBINATIONS = 100_000;
export const MOST_ARMS = 1000;
export const MOST_RUNS = 1_000_000;

/** Every section and key of a config file. */
export const CONFIG_SCHEMA = {
  paths: {
    path_to_network: {
      kind: "path",
      needed: false,
      description: "folder with connectomes, looked in first",
    },
    path_to_results: {
      kind: "path",
      needed: true,
      description: "folder for the results",
    },
    pretrained: {
      kind: "path",
      needed: false,
      description:
        "results folder of the experiment whose trained models this one begins with",
    },
    latents: {
      kind: "path",
      needed: false,
      word: "download",
      description:
        "file with latent vectors and labels, for pic_latent_mem, or `download` for the original's; by default latents of synthetic digits",
    },
    images: {
      kind: "path",
      needed: false,
      word: "download",
      description:
        "file with images and labels, for pic_mem; by default synthetic digits",
    },
  },
  net: {
    net_name: {
      kind: "text",
      description:
        "name of the connectome; a list such as `['A', 'B']` trains [an arm each](null_models.md#arms)",
    },
    rnn_size: {
      kind: "integer",
      from: 1,
      to: MOST_NEURONS,
      description:
        "number of regions of the connectome; of several, a list of as many numbers",
    },
    nr_neurons: {
      kind: "integer",
      from: 1,
      to: MOST_NEURONS,
      description: "neurons in each region",
    },
    rand_partition: {
      kind: "boolean",
      description:
        "split the weight between two regions at random among their neurons' connections, instead of equally",
    },
    random_w: {
      kind: "boolean",
      default: false,
      description:
        "randomise the topology, anew for each run; `null_model` says it too, and what by",
    },
    null_model: {
      kind: "choice",
      choices: ["none", ...NULL_MODEL_NAMES],
      default: "none",
      description:
        "what the topology is made random by, anew for each run; random_w = True is permute; [what each keeps](null_models.md); a list such as `['none', 'degrees']` trains [an arm each](null_models.md#arms)",
    },
    null_samples: {
      kind: "integer",
      from: 0,
      to: MOST_RUNS,
      default: 0,
      description:
        "networks that a null model makes: iteration i of every combination trains network i mod null_samples; 0: each run has one of its own",
    },
    match: {
      kind: "choice",
      choices: ["none", "spectral_radius", "activity"],
      default: "none",
      description:
        "scale a null model's initial recurrent weights so that it starts where the biological network does",
    },
    shared_init: {
      kind: "boolean",
      default: false,
      description:
        "draw the initial recurrent weights so that all networks of as many connections have the same ones, in other places",
    },
    fresh_network: {
      kind: "boolean",
      default: false,
      description: "scale the connectome anew for each iteration",
    },
    input_regions: {
      kind: "regions",
      description:
        "regions whose neurons get the input, as `['V1', 'V2']` or `[0, 3]`; [the others have no input weights](regions.md)",
    },
    output_regions: {
      kind: "regions",
      description: "regions whose neurons the read-out sees",
    },
    target_sparsity: {
      kind: "number",
      above: 0,
      to: 1,
      default: 0.8,
      description:
        "share of a connected region's neurons that each neuron connects to",
    },
    target_sparsity_intrinsic: {
      kind: "number",
      above: 0,
      to: 1,
      default: 1,
      description: "the same within a region",
    },
    compatibility: {
      kind: "choice",
      choices: ["described", "original"],
      default: "described",
      description:
        "follow the published description, or the original program where the two differ",
    },
  },
  trainvalidate: {
    epochs: {
      kind: "integer",
      from: 1,
      to: MOST_EPOCHS,
      description: "epochs to train",
    },
    iterations: {
      kind: "integer",
      from: 1,
      to: MOST_RUNS,
      description: "runs of each combination of the grid",
    },
    init: {
      kind: "choice",
      choices: [...INITIALISATIONS.keys()],
      description:
        "how weights begin: [below](#nonlinearity-optimizer-and-init)",
    },
    freeze_layer: {
      kind: "boolean",
      description: "do not train the recurrent weights",
    },
    remap_w: {
      kind: "boolean",
      description:
        "give the initial recurrent weights the rank order of the connectome's; [it sets their spectral radius too](science.md#the-trap-of-the-spectral-radius)",
    },
  },
  trialparams: {
    trial_params: {
      kind: "dict",
      description: "the task and its trials",
    },
  },
  combosparams: {
    combos_params: {
      kind: "dict",
      description: "lists of values, of which every combination is trained",
    },
  },
  pretrainedparams: {
    pretrained_epoch: {
      kind: "integer",
      from: 0,
      to: MOST_EPOCHS,
      default: 0,
      description: "epoch of the pretrained models",
    },
    pretrained_iteration: {
      kind: "integer",
      from: 0,
      to: MOST_RUNS,
      default: 0,
      description: "iteration of the pretrained models",
    },
  },
  run: {
    seed: {
      kind: "integer",
      from: 0,
      to: Number.MAX_SAFE_INTEGER,
      default: 0,
      description:
        "all random numbers follow from it: the same seed, the same results",
    },
    batch_size: {
      kind: "integer",
      from: 1,
      to: 1_000_000,
      default: 128,
      description: "trials in a batch",
    },
    store_every_epoch: {
      kind: "integer",
      from: 0,
      to: MOST_EPOCHS,
      default: 0,
      description:
        "epochs between two stored models; 0 = the last epoch only (the original stores every 10)",
    },
  },
} as const satisfies Record<string, Record<string, KeySchema>>;

/** Keys of `trial_params` that every task has, `task_name` apart. */
export const TRIAL_SCHEMA = {
  nr_of_trials: NR_OF_TRIALS,
  train_size: {
    kind: "number",
    above: 0,
    below: 1,
    description: "share of the trials to train with; the others validate",
  },
} as const satisfies Record<string, ParameterSchema>;

/** `lr` in `combos_params`. */
export const LEARNING_RATE: ParameterSchema = {
  kind: "number",
  above: 0,
  description: "learning rate",
};

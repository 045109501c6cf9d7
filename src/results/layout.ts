/**
 * Every name in a results folder, and what it tells. Nothing else spells one.
 *
 *     experiment.json  folder_index.txt       what was trained
 *     connectome.npy  network.npy …           the network before training
 *     null_model.csv                          what a null model kept of it
 *     measures.csv                            spectral radius and activity of each run
 *     training.lock                           who trains here now
 *     3/train_loss_all.npy …                  curves of combination 3
 *     3/model_state_dict_epoch_9_iter_0.…     a model of it
 *     3/random_network_iter_0.npz             a random topology
 *     runs/3_0.safetensors                    a finished run
 *     runs/3_0.states_250.safetensors         where run 3_0 and others stood after 250 epochs
 *
 * @module
 */

import { join } from "../files/path.ts";
import { listFolder } from "../files/read.ts";
import { listNames } from "../text/words.ts";

/** A run, the unit of training: one iteration of one combination of the grid. */
export interface RunId {
  /** Number of the combination, as in `folder_index.txt`. */
  readonly combination: number;
  /** Number of the iteration, from 0. */
  readonly iteration: number;
}

/** Names a run in messages. */
export function runLabel({ combination, iteration }: RunId): string {
  return `combination ${combination}, iteration ${iteration}`;
}

/** Names a run in file names: `3_0` for combination 3, iteration 0. */
export function runKey({ combination, iteration }: RunId): string {
  return `${combination}_${iteration}`;
}

/** The whole configuration, enough to repeat the experiment. */
export const EXPERIMENT_FILE = "experiment.json";
/** A line a combination; it tells a results folder, the original program's too. */
export const INDEX_FILE = "folder_index.txt";
/** [N, N], float64; row = from, column = to; a large one is sparse. */
export const CONNECTOME_FILE = "connectome.npy";
export const SPARSE_CONNECTOME_FILE = "connectome.npz";
/** The connectome scaled to neurons, row = from, column = to; a large one is sparse. */
export const NETWORK_FILE = "network.npy";
export const NETWORK_MASK_FILE = "network_mask.npy";
export const SPARSE_NETWORK_FILE = "network.npz";
/** Of a finished training, a row a run: what its network did before and after it. */
export const MEASURES_FILE = "measures.csv";
/** What the null model kept of the network, and what it changed. */
export const NULL_MODEL_FILE = "null_model.csv";
/** Of a finished training, as `sha256sum` writes it: of all files that have no checksum within. */
export const SUMS_FILE = "SHA256SUMS";
/** What `deno task crate` writes for archives, and what to cite. */
export const CRATE_FILE = "ro-crate-metadata.json";
export const CITATIONS_FILE = "citations.bib";
/** Folder of finished runs and of states to go on from. */
export const RUNS_FOLDER = "runs";

/** Files of a combination, by what they hold. */
export const CURVE_FILES = {
  trainLoss: "train_loss_all.npy",
  validateLoss: "validate_loss_all.npy",
  trainMetrics: "train_metrics_all.npy",
  validateMetrics: "validate_metrics_all.npy",
} as const;

/**
 * Top-level files in the order in which they may be removed; first written and
 * last removed is what tells whose the folder is.
 */
export const TOP_FILES: readonly string[] = [
  CRATE_FILE,
  CITATIONS_FILE,
  SUMS_FILE,
  MEASURES_FILE,
  INDEX_FILE,
  CONNECTOME_FILE,
  SPARSE_CONNECTOME_FILE,
  NETWORK_FILE,
  NETWORK_MASK_FILE,
  SPARSE_NETWORK_FILE,
  NULL_MODEL_FILE,
  EXPERIMENT_FILE,
];

const NUMBER = "(0|[1-9][0-9]{0,8})";
const COMBINATION = new RegExp(`^${NUMBER}$`);
const RUN = new RegExp(
  `^${NUMBER}_${NUMBER}(?:\\.states?_${NUMBER})?\\.safetensors$`,
);
const MODEL = new RegExp(
  `^model_state_dict_epoch_(initial|[0-9]{1,9})_iter_${NUMBER}\\.(safetensors|pth)$`,
);
const TOPOLOGY = new RegExp(`^random_network_iter_${NUMBER}\\.npz$`);
const LOCK = new RegExp(`^training(?:_${NUMBER}_of_${NUMBER})?\\.lock$`);
/** Names that `writeFileWhole` gives before the last step. */
const TEMPORARY = /\.[0-9]+-[0-9]+-[0-9a-f]{8}\.tmp$/;

/** What a file of a results folder belongs to. */
interface OwnFile {
  /** Undefined where it is the experiment's or a combination's. */
  readonly id?: RunId;
  /** Half-written, or being written now. */
  readonly temporary: boolean;
}

/**
 * What a file in a results folder is to a training; undefined where no training
 * writes such a file.
 *
 * @param folder The folder within the results folder; undefined for the top.
 */
export function ownFile(
  name: string,
  folder: string | undefined,
): OwnFile | undefined {
  const whole = name.replace(TEMPORARY, "");
  const temporary = whole !== name;
  if (folder === undefined) {
    return TOP_FILES.includes(whole) || LOCK.test(whole)
      ? { temporary }
      : undefined;
  }
  if (folder === RUNS_FOLDER) {
    const [, combination, iteration] = RUN.exec(whole) ?? [];
    return combination === undefined ? undefined : {
      id: { combination: Number(combination), iteration: Number(iteration) },
      temporary,
    };
  }
  if (!COMBINATION.test(folder)) return undefined;
  if (Object.values<string>(CURVE_FILES).includes(whole)) return { temporary };
  const iteration = MODEL.exec(whole)?.[2] ?? TOPOLOGY.exec(whole)?.[1];
  return iteration === undefined ? undefined : {
    id: { combination: Number(folder), iteration: Number(iteration) },
    temporary,
  };
}

/** Whether a training makes a folder of that name in a results folder. */
export function isOwnFolder(name: string): boolean {
  return name === RUNS_FOLDER || COMBINATION.test(name);
}

/** Whether a folder of that name holds a combination. */
export function isCombinationFolder(name: string): boolean {
  return COMBINATION.test(name);
}

/** The i-th of n parts of an experiment. */
export interface PartName {
  readonly index: number;
  readonly count: number;
}

/** The file that says who trains a part, or all, now. */
export function lockName(part: PartName | undefined): string {
  return part === undefined
    ? "training.lock"
    : `training_${part.index}_of_${part.count}.lock`;
}

/** The part that a lock is for, `"all"`, or undefined where the file is no lock. */
export function lockedPart(name: string): PartName | "all" | undefined {
  const found = LOCK.exec(name);
  if (found === null) return undefined;
  const [, index, count] = found;
  return index === undefined
    ? "all"
    : { index: Number(index), count: Number(count) };
}

/** Which model of a combination. */
interface ModelName {
  readonly iteration: number;
  /** Counted from 0, as the original does; "initial" before the first one. */
  readonly epoch: number | "initial";
}

/** Name of a model's file in the folder of its combination. */
export function modelName({ epoch, iteration }: ModelName): string {
  return `model_state_dict_epoch_${epoch}_iter_${iteration}.safetensors`;
}

/** Reads the name of a model's file, ours or (`.pth`) the original program's; undefined where it is none. */
export function parseModelName(name: string): ModelName | undefined {
  const [, epoch, iteration] = MODEL.exec(name) ?? [];
  if (epoch === undefined) return undefined;
  return {
    epoch: epoch === "initial" ? epoch : Number(epoch),
    iteration: Number(iteration),
  };
}

/** Path of a model's file. */
export function modelPath(
  results: string,
  { combination, ...model }: ModelName & { readonly combination: number },
): string {
  return join(results, String(combination), modelName(model));
}

/** Path of a run's random topology, a sparse matrix with row = from, column = to. */
export function topologyPath(
  results: string,
  { combination, iteration }: RunId,
): string {
  return join(
    results,
    String(combination),
    `random_network_iter_${iteration}.npz`,
  );
}

/** Name of a finished run's file in `runs`, e.g. `3_0.safetensors`. */
export function finishedName(id: RunId): string {
  return `${runKey(id)}.safetensors`;
}

/** Name of a file of states in `runs`, by its first run, e.g. `3_0.states_250.safetensors` after 250 epochs. */
export function statesName(first: RunId, epoch: number): string {
  return `${runKey(first)}.states_${epoch}.safetensors`;
}

/** The epochs after which the states of a file were saved; undefined where it has none. */
export function parseStatesName(name: string): number | undefined {
  const epoch = RUN.exec(name)?.[3];
  return epoch === undefined ? undefined : Number(epoch);
}

/** Whether a folder is one of results, ours or the original program's. */
async function holdsResults(folder: string): Promise<boolean> {
  return (await listFolder(folder).catch(() => []))?.some(({ name }) =>
    name === EXPERIMENT_FILE || name === INDEX_FILE
  ) ?? false;
}

/** Names of the folders of results that a folder holds, those of arms; none where it is one itself. */
export async function armFolders(path: string): Promise<string[]> {
  if (await holdsResults(path)) return [];
  const found: string[] = [];
  for (const { name } of await listFolder(path).catch(() => []) ?? []) {
    if (await holdsResults(join(path, name))) found.push(name);
  }
  return found.sort();
}

/** What follows the complaint that a folder is none of results where it holds those of arms; else nothing. */
export async function armsHint(path: string): Promise<string> {
  const arms = await armFolders(path);
  return arms.length === 0
    ? ""
    : `; it holds folders that are: ${listNames(arms, "and")}`;
}

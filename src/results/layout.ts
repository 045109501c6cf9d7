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

/** First written and last removed: it tells whose the folder is, and is enough to repeat the experiment. */
export const EXPERIMENT_FILE = "experiment.json";
/** A line a combination; it tells a results folder, the original program's too. */
export const INDEX_FILE = "folder_index.txt";
// Matrices with row = from, column = to; large ones are sparse.
export const CONNECTOME_FILE = "connectome.npy";
export const SPARSE_CONNECTOME_FILE = "connectome.npz";
export const NETWORK_FILE = "network.npy";
export const NETWORK_MASK_FILE = "network_mask.npy";
export const SPARSE_NETWORK_FILE = "network.npz";
export const NULL_MODEL_FILE = "null_model.csv";
// Of a finished training. The sums, as `sha256sum` writes them, are those of all files that have no checksum within.
export const MEASURES_FILE = "measures.csv";
export const SUMS_FILE = "SHA256SUMS";
// What `deno task crate` writes for archives, and what to cite.
export const CRATE_FILE = "ro-crate-metadata.json";
export const CITATIONS_FILE = "citations.bib";
export const RUNS_FOLDER = "runs";

/** Files of a combination, by what they hold. */
export const CURVE_FILES = {
  trainLoss: "train_loss_all.npy",
  validateLoss: "validate_loss_all.npy",
  trainMetrics: "train_metrics_all.npy",
  validateMetrics: "validate_metrics_all.npy",
} as const;

/** Top-level files in the order in which they may be removed. */
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

/**
 * What a file in a results folder is to a training: the run that it belongs to,
 * if to one, and whether it is half-written, or being written now. Undefined
 * where no training writes such a file.
 *
 * @param folder The folder within the results folder; undefined for the top.
 */
export function ownFile(
  name: string,
  folder: string | undefined,
): { readonly id?: RunId; readonly temporary: boolean } | undefined {
  const whole = name.replace(TEMPORARY, "");
  const temporary = whole !== name;
  if (folder === undefined) {
    const isOwn = TOP_FILES.includes(whole) || LOCK.test(whole);
    return isOwn ? { temporary } : undefined;
  }
  const ofRun = (combination?: string, iteration?: string) =>
    iteration === undefined ? undefined : {
      id: { combination: Number(combination), iteration: Number(iteration) },
      temporary,
    };
  if (folder === RUNS_FOLDER) {
    const [, combination, iteration] = RUN.exec(whole) ?? [];
    return ofRun(combination, iteration);
  }
  if (!COMBINATION.test(folder)) return undefined;
  if (Object.values<string>(CURVE_FILES).includes(whole)) return { temporary };
  return ofRun(folder, MODEL.exec(whole)?.[2] ?? TOPOLOGY.exec(whole)?.[1]);
}

/** Whether a training makes a folder of that name in a results folder. */
export function isOwnFolder(name: string): boolean {
  return name === RUNS_FOLDER || isCombinationFolder(name);
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
  const [whole, index, count] = LOCK.exec(name) ?? [];
  if (whole === undefined) return undefined;
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
  return epoch === undefined ? undefined : {
    epoch: epoch === "initial" ? epoch : Number(epoch),
    iteration: Number(iteration),
  };
}

/** Path of a model's file. */
export function modelPath(
  results: string,
  { combination, ...model }: ModelName & RunId,
): string {
  return join(results, String(combination), modelName(model));
}

/** Path of a run's random topology, a sparse matrix with row = from, column = to. */
export function topologyPath(results: string, id: RunId): string {
  const name = `random_network_iter_${id.iteration}.npz`;
  return join(results, String(id.combination), name);
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

/** Names of the folders of results that a folder holds, those of arms; none where it is one itself. */
export async function armFolders(path: string): Promise<string[]> {
  const listed = async (folder: string) =>
    await listFolder(folder).catch(() => []) ?? [];
  const holdsResults = async (folder: string) =>
    (await listed(folder)).some(({ name }) =>
      name === EXPERIMENT_FILE || name === INDEX_FILE
    );
  if (await holdsResults(path)) return [];
  const found: string[] = [];
  for (const { name } of await listed(path)) {
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

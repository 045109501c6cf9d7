/**
 * Makes a results folder, or clears an old one, and loses nothing that the
 * user did not say may go.
 *
 * @module
 */

import { join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { EXPERIMENT_FILE } from "./experiment_record.ts";
import { INDEX_FILE } from "./folder_index.ts";
import { CURVE_FILES, readExperimentRecord } from "./results_folder.ts";

/** What may be done with what is there. */
export interface PrepareOptions {
  /** Results that are there are removed. */
  readonly overwrite: boolean;
  /**
   * Fingerprint of the experiment: results of the same experiment are kept, to
   * be gone on with, whatever `overwrite` says.
   */
  readonly join?: string;
}

/** Top-level files; the index goes last, as it is what tells a results folder. */
const TOP_FILES: readonly string[] = [
  "connectome.npy",
  "network.npy",
  "network_mask.npy",
  "network.npz",
  EXPERIMENT_FILE,
  INDEX_FILE,
];
const COMBINATION_FOLDER = /^(?:0|[1-9][0-9]{0,8})$/;
const CHECKPOINT =
  /^model_state_dict_epoch_(?:initial|[0-9]+)_iter_[0-9]+\.(?:safetensors|pth)$/;
/** Folder of finished runs and of states to go on from. */
const RUNS_FOLDER = "runs";
const RUN_FILE = /^[0-9]+_[0-9]+(?:\.state_[0-9]+)?\.safetensors$/;
/** What a killed program leaves of a file it was writing. */
const TEMPORARY = /\.[0-9]+-[0-9]+-[0-9a-f]{8}\.tmp$/;

const curveFiles: readonly string[] = Object.values(CURVE_FILES);

function isTopFile(name: string): boolean {
  return TOP_FILES.includes(name.replace(TEMPORARY, ""));
}

/** Which files of a subfolder are ours; undefined where the folder is not. */
function ownFilesOf(folder: string): ((name: string) => boolean) | undefined {
  if (folder === RUNS_FOLDER) {
    return (name) => RUN_FILE.test(name.replace(TEMPORARY, ""));
  }
  if (COMBINATION_FOLDER.test(folder)) {
    return (name) => {
      const whole = name.replace(TEMPORARY, "");
      return curveFiles.includes(whole) || CHECKPOINT.test(whole);
    };
  }
  return undefined;
}

/**
 * Makes the folder. One that holds anything is refused, unless it holds
 * results that may be overwritten or gone on with. Only files that a training
 * writes are ever removed.
 *
 * @throws {InputError} If it holds something else, or can't be made or cleared; the message names the ways out.
 *
 * @example
 * ```ts no-eval
 * import { prepareResultsFolder } from "./src/results/write_results.ts";
 *
 * await prepareResultsFolder("results/bio", { overwrite: false });
 * ```
 */
export async function prepareResultsFolder(
  path: string,
  { overwrite, join: fingerprint }: PrepareOptions,
): Promise<void> {
  await makeFolder(path);
  const entries = await list(path);
  if (entries.length === 0) return;
  if (!isResultsFolder(entries)) {
    throw new InputError(
      `Cannot write results to "${path}": it is no results folder, but it is not empty (it holds "${
        entries[0]?.name
      }"); choose another folder with --path_to_results`,
    );
  }
  if (fingerprint !== undefined) {
    const problem = await whyNotJoin(path, { entries, fingerprint });
    if (problem === undefined) return;
    throw new InputError(
      `Cannot go on in "${path}": ${problem}; choose another folder with --path_to_results, or ${
        overwrite
          ? "use --overwrite without --resume and --shard"
          : "use --overwrite"
      }`,
    );
  }
  if (!overwrite) {
    throw new InputError(
      `Cannot write results to "${path}": it holds results already; choose another folder with --path_to_results, use --resume to go on with an interrupted training, or --overwrite to replace them`,
    );
  }
  await removeResults(path, entries);
}

/** Makes a folder and those above it. */
export async function makeFolder(path: string): Promise<void> {
  try {
    await Deno.mkdir(path, { recursive: true });
  } catch (error) {
    throw inputErrorOf(error, `Cannot make the folder "${path}"`);
  }
}

function inputErrorOf(error: unknown, what: string): unknown {
  const reason = error instanceof Deno.errors.AlreadyExists ||
      error instanceof Deno.errors.NotADirectory
    ? "a part of its path is a file"
    : error instanceof Deno.errors.PermissionDenied
    ? "this is not permitted"
    : error instanceof Deno.errors.NotCapable
    ? "this program was started without the permission to write there"
    : error instanceof Error && "code" in error
    ? error.message
    : undefined;
  return reason === undefined
    ? error
    : new InputError(`${what}: ${reason}`, { cause: error });
}

/** What lies in a folder, hidden files apart. */
async function list(path: string): Promise<Deno.DirEntry[]> {
  const entries: Deno.DirEntry[] = [];
  try {
    for await (const entry of Deno.readDir(path)) {
      if (!entry.name.startsWith(".")) entries.push(entry);
    }
  } catch (error) {
    throw inputErrorOf(error, `Cannot list the folder "${path}"`);
  }
  return entries.sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Has the index, or nothing but what a training writes before the index or was killed while removing. */
function isResultsFolder(entries: readonly Deno.DirEntry[]): boolean {
  return entries.some(({ name }) => name === INDEX_FILE) ||
    entries.every(({ name, isDirectory }) =>
      isDirectory ? ownFilesOf(name) !== undefined : isTopFile(name)
    );
}

async function whyNotJoin(
  path: string,
  { entries, fingerprint }: {
    entries: readonly Deno.DirEntry[];
    fingerprint: string;
  },
): Promise<string | undefined> {
  if (entries.some(({ name }) => name === EXPERIMENT_FILE)) {
    const record = await readExperimentRecord(path);
    return record.fingerprint === fingerprint
      ? undefined
      : "it holds the results of another experiment (another config, seed or connectome)";
  }
  // The record is written before any result, so results without it are another program's.
  for (const { name, isDirectory } of entries) {
    if (!isDirectory || !COMBINATION_FOLDER.test(name)) continue;
    const files = await list(join(path, name));
    if (files.some((file) => curveFiles.includes(file.name))) {
      return `it holds results without ${EXPERIMENT_FILE}, so that it can't be told of which experiment`;
    }
  }
  return undefined;
}

async function removeResults(
  path: string,
  entries: readonly Deno.DirEntry[],
): Promise<void> {
  try {
    for (const { name, isDirectory } of entries) {
      const isOwn = ownFilesOf(name);
      // A link that is named like a combination may lead anywhere: it is no directory here.
      if (!isDirectory || isOwn === undefined) continue;
      const folder = join(path, name);
      let left = 0;
      for await (const file of Deno.readDir(folder)) {
        if (file.isFile && isOwn(file.name)) {
          await Deno.remove(join(folder, file.name));
        } else left++;
      }
      if (left === 0) await Deno.remove(folder);
    }
    const files = entries.filter(({ name, isFile }) =>
      isFile && isTopFile(name)
    ).map(({ name }) => name);
    files.sort((a, b) => TOP_FILES.indexOf(a) - TOP_FILES.indexOf(b));
    for (const name of files) await Deno.remove(join(path, name));
  } catch (error) {
    throw inputErrorOf(error, `Cannot overwrite the results in "${path}"`);
  }
}

/**
 * Opens a results folder for a training: a new one, one that is gone on with,
 * or one whose results may go. Nothing is lost that the user did not say may
 * go, and nothing is touched that another training writes.
 *
 * @module
 */

import { dirname, join } from "node:path";
import { InputError } from "../files/input_error.ts";
import { decodeSafetensors } from "../files/safetensors.ts";
import { listFolder, readFileBytes, systemError } from "../files/read.ts";
import { type StagedFile, stageFile, writeFileWhole } from "../files/write.ts";
import { plural } from "../text/words.ts";
import {
  differencesOf,
  encodeExperimentRecord,
  type ExperimentRecord,
  type Parts,
  readExperimentRecord,
} from "./experiment_record.ts";
import {
  EXPERIMENT_FILE,
  INDEX_FILE,
  isOwnFolder,
  lockedPart,
  ownFile,
  type PartName,
  type RunId,
  runKey,
  RUNS_FOLDER,
  TOP_FILES,
} from "./layout.ts";
import { changedAt, type FolderLock, isNobodys, lockFolder } from "./lock.ts";

/** How to open it. */
export interface OpenFolderOptions {
  readonly record: ExperimentRecord;
  /** Whether results that are there are refused, gone on with or removed. */
  readonly mode: "new" | "join" | "overwrite";
  /** The part of the experiment that this process trains; all of it where undefined. */
  readonly part: (PartName & Parts) | undefined;
  /** The runs of the part. */
  readonly ids: readonly RunId[];
  /** Top-level files that are known before the training, with functions that give their bytes. */
  readonly files: readonly (readonly [name: string, () => Uint8Array])[];
  /** Told in a sentence what was found and mended. */
  readonly warn: (line: string) => void;
  /** For tests, see {@linkcode lockFolder}. */
  readonly deadAfter?: number;
}

/**
 * Takes the folder for this process and writes what is known before the
 * training. A folder that holds anything else than results is refused.
 *
 * @returns The lock, to be released at the end.
 * @throws {InputError} If the folder can't be made, read or written, or holds what may not be touched; the message names the ways out.
 * @throws {RetryError} If another process trains there.
 */
export async function openFolder(
  path: string,
  options: OpenFolderOptions,
): Promise<FolderLock> {
  const { record, mode, part, ids, files, warn } = options;
  await refuseFolder(path, mode);
  const lock = await lockFolder(path, options);
  try {
    // Another training may have begun or ended meanwhile.
    const entries = await refuseFolder(path, mode);
    if (mode === "overwrite") {
      await overwrite(path, entries, record, files);
      return lock;
    }
    const found = await findRecord(path, { record, warn });
    await sweep(path, part === undefined ? "all" : ids);
    if (found === undefined) {
      await writeRecordOnce(path, { ...record, ...partsOf(part) });
    }
    await agreeOnParts(path, part);
    for (const [name, bytes] of files) {
      await writeFileWhole(join(path, name), bytes());
    }
    return lock;
  } catch (error) {
    await lock.release();
    throw error;
  }
}

/** What lies in a folder by name, hidden files apart; nothing where there is none. */
async function list(path: string): Promise<Deno.DirEntry[]> {
  const entries = await listFolder(path) ?? [];
  return entries.filter(({ name }) => !name.startsWith("."))
    .sort((a, b) => a.name < b.name ? -1 : 1);
}

/** Folders that a training makes. */
function ownFolders(entries: readonly Deno.DirEntry[]): string[] {
  return entries.flatMap(({ name, isDirectory }) =>
    isDirectory && isOwnFolder(name) ? [name] : []
  );
}

/** A lock, or one that is being made. */
function isLockFile(name: string): boolean {
  return lockedPart(name.replace(/\.lock\..*$/, ".lock")) !== undefined;
}

/** Of these, a training writes one before all else and removes one after all else. */
const EVIDENCE = [EXPERIMENT_FILE, INDEX_FILE, RUNS_FOLDER];

/**
 * Looks whether a folder may be taken, and leaves it as it is: that nothing of one
 * folder goes where the next one of the same training is refused.
 *
 * @returns What lies in it.
 * @throws {InputError} If it holds something else, or results where none may be.
 */
export async function refuseFolder(
  path: string,
  mode: OpenFolderOptions["mode"],
): Promise<Deno.DirEntry[]> {
  const entries = await list(path);
  const isOurs = entries.some(({ name }) => EVIDENCE.includes(name));
  if (!isOurs && await holdsResults(path, entries)) {
    throw new InputError(
      `Cannot write results to "${path}": it is no results folder, but it is not empty (it holds "${
        entries[0]!.name
      }"); choose another folder with --path_to_results`,
    );
  }
  // Locks come and go; who holds one is told when this process wants it.
  if (mode === "new" && !entries.every(({ name }) => isLockFile(name))) {
    throw new InputError(
      `Cannot write results to "${path}": it holds results already; choose another folder with --path_to_results, use --resume to go on with an interrupted training, or --overwrite to replace them`,
    );
  }
  const link = entries.find(({ name, isSymlink }) =>
    isSymlink && isOwnFolder(name)
  );
  if (mode === "overwrite" && link !== undefined) {
    throw new InputError(
      `Cannot overwrite the results in "${path}": "${link.name}" in it is a link, and what it leads to may be in use elsewhere; remove the link, or choose another folder with --path_to_results`,
    );
  }
  return entries;
}

/** Whether there is anything but what a training writes before its record. */
async function holdsResults(
  path: string,
  entries: readonly Deno.DirEntry[],
): Promise<boolean> {
  for (const { name, isDirectory, isSymlink } of entries) {
    if (isSymlink) return true;
    const isEarly = isDirectory
      ? (await list(join(path, name)))
        .every((file) => ownFile(file.name, name)?.temporary)
      : isLockFile(name) || ownFile(name, undefined)?.temporary;
    if (!isEarly) return true;
  }
  return false;
}

/**
 * The folder of the arms' folders may not be one experiment's: whose results are where would be a riddle.
 *
 * @throws {InputError} If it is.
 */
export async function refuseInside(path: string, arm: string): Promise<void> {
  const above = dirname(path);
  const found = (await listFolder(above))?.find(({ name }) =>
    name === EXPERIMENT_FILE || name === INDEX_FILE
  );
  if (found === undefined) return;
  throw new InputError(
    `Cannot write the results of ${arm} to "${path}": "${above}" is itself the results folder of an experiment (it holds "${found.name}"); choose another folder with --path_to_results`,
  );
}

/**
 * The record that tells whose the results in a folder are; undefined where
 * there are none. A damaged or lost one is written again if runs are there that
 * say they belong to the experiment.
 */
export async function findRecord(
  path: string,
  { record, warn }: Pick<OpenFolderOptions, "record" | "warn">,
): Promise<ExperimentRecord | undefined> {
  // Looked at first: what another part writes comes after its record.
  const entries = await list(path);
  let found: ExperimentRecord | undefined;
  let trouble = `the ${EXPERIMENT_FILE} in "${path}" is not its own`;
  try {
    found = await readExperimentRecord(path);
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    const { cause } = error;
    const isGone = cause instanceof Deno.errors.NotFound;
    const isDamaged = !(cause instanceof Error) ||
      cause instanceof SyntaxError || cause instanceof TypeError;
    if (!isGone && !isDamaged) throw error;
    trouble = isGone
      ? `it has no ${EXPERIMENT_FILE}`
      : `its ${EXPERIMENT_FILE} is damaged`;
  }
  if (found?.fingerprint === record.fingerprint) return found;
  const owners = await ownersOfRuns(path);
  const isOurs = owners.every((owner) => owner === record.fingerprint);
  if (owners.length > 0 && isOurs) {
    warn(
      `warning: ${trouble}; its ${owners.length} runs belong to this experiment, so it is written again`,
    );
    await writeRecord(path, record);
    return record;
  }
  let problem = `${trouble}, so that it can't be told whose results it holds`;
  if (found !== undefined) {
    const differences = differencesOf(found, record).join("; ");
    problem = `it holds the results of another experiment (${
      differences || "another config, seed or connectome"
    })`;
  } else if (!await holdsResults(path, entries)) return undefined;
  throw new InputError(
    `Cannot go on in "${path}": ${problem}; choose another folder with --path_to_results, or --overwrite without --resume and --shard to replace what is there`,
  );
}

/** Fingerprints of the experiments that runs say they belong to; a damaged file says nothing. */
async function ownersOfRuns(path: string): Promise<string[]> {
  const owners: string[] = [];
  for (const { name } of await listFolder(join(path, RUNS_FOLDER)) ?? []) {
    if (ownFile(name, RUNS_FOLDER)?.temporary !== false) continue;
    const where = join(path, RUNS_FOLDER, name);
    try {
      const bytes = await readFileBytes(where, { what: "the run" });
      const { metadata } = decodeSafetensors(bytes, { name: where });
      for (const [key, value] of Object.entries(metadata)) {
        // One of each run of a file of states.
        if (/(?:^|\/)experiment$/.test(key)) owners.push(value);
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
    }
  }
  return owners;
}

function writeRecord(path: string, record: ExperimentRecord): Promise<void> {
  const file = join(path, EXPERIMENT_FILE);
  return writeFileWhole(file, encodeExperimentRecord(record));
}

/** Writes the record, unless another part does it at the same moment. */
async function writeRecordOnce(
  path: string,
  record: ExperimentRecord,
): Promise<void> {
  const file = join(path, EXPERIMENT_FILE);
  const staged = await stageFile(file, encodeExperimentRecord(record));
  try {
    await Deno.link(staged.temporary, file);
    await staged.discard();
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) await staged.discard();
    // A disk without links.
    else await staged.publish();
  }
}

function partsOf(part: OpenFolderOptions["part"]): { parts?: Parts } {
  if (part === undefined) return {};
  const { count, first, step } = part;
  return { parts: { count, first, step } };
}

/**
 * The folder says into how many parts its training is shared out: the first
 * part to come writes it, all others agree. A training of the whole forgets it,
 * and a finished experiment has none.
 */
async function agreeOnParts(
  path: string,
  part: OpenFolderOptions["part"],
): Promise<void> {
  const { parts, ...rest } = await readExperimentRecord(path);
  if (part === undefined) {
    if (parts !== undefined) await writeRecord(path, rest);
    return;
  }
  if (parts !== undefined && parts.count !== part.count) {
    throw otherParts(path, { parts, part });
  }
  if (parts !== undefined || rest.trainedBy.length > 0) return;
  for (const { name } of await list(path)) {
    const other = lockedPart(name);
    if (typeof other !== "object" || other.count === part.count) continue;
    const parts = { count: other.count, first: 0, step: 1 };
    throw otherParts(path, { parts, part });
  }
  await writeRecord(path, { ...rest, ...partsOf(part) });
}

/** The refusal of a part that is none of those that a training was shared out into. */
export function otherParts(
  path: string,
  { parts: { count, first, step }, part }: { parts: Parts; part: PartName },
): InputError {
  const last = first + (count - 1) * step;
  const array = `${first}-${last}${step === 1 ? "" : `:${step}`}`;
  return new InputError(
    `Cannot train part ${part.index} of ${part.count} in "${path}": its training was begun in ${
      plural(count, "part")
    }; use --shard i/${count} with i from 0 to ${
      count - 1
    }, or for a Slurm array --array=${array} or some of these numbers, or --resume without --shard to train all that is left in one process`,
  );
}

/**
 * Replaces results. The new files are written before the old ones go, so that
 * a full disk costs nothing; runs go first, as they say what is done, and the
 * record goes last, as it says whose the folder is.
 */
async function overwrite(
  path: string,
  entries: readonly Deno.DirEntry[],
  record: ExperimentRecord,
  files: OpenFolderOptions["files"],
): Promise<void> {
  const staged: StagedFile[] = [];
  const stage = async (name: string, content: Uint8Array | string) =>
    staged.push(await stageFile(join(path, name), content));
  try {
    await stage(EXPERIMENT_FILE, encodeExperimentRecord(record));
    for (const [name, bytes] of files) await stage(name, bytes());
    await removeResults(path, entries).catch((error) => {
      const cannot = `Cannot overwrite the results in "${path}"`;
      throw systemError(error, { cannot, path, verb: "write" });
    });
    for (const file of staged) await file.publish();
  } catch (error) {
    for (const file of staged) await file.discard();
    throw error;
  }
}

async function removeResults(
  path: string,
  entries: readonly Deno.DirEntry[],
): Promise<void> {
  // By name, so that `runs` comes last otherwise.
  for (const name of ownFolders(entries).toReversed()) {
    const folder = join(path, name);
    const files = await listFolder(folder) ?? [];
    const own = files.filter((file) =>
      file.isFile && ownFile(file.name, name) !== undefined
    );
    for (const file of own) await Deno.remove(join(folder, file.name));
    if (own.length === files.length) await Deno.remove(folder);
  }
  const files = entries.flatMap(({ name, isFile }) =>
    isFile && ownFile(name, undefined) && !isLockFile(name) ? [name] : []
  );
  // Half-written ones first.
  const rank = (name: string) => TOP_FILES.indexOf(name);
  for (const name of files.sort((a, b) => rank(a) - rank(b))) {
    await Deno.remove(join(path, name));
  }
}

/** Nobody writes a file for a day; the clocks of machines that share a folder differ by less. */
const ABANDONED_AFTER = 24 * 60 * 60 * 1000;

/**
 * Removes what killed trainings left of files they were writing.
 *
 * @param whose Runs that nobody else writes; "all" where no other process writes
 * to the folder at all. Files of other runs, and those that all processes
 * write, are removed a day after their last change.
 */
export async function sweep(
  path: string,
  whose: readonly RunId[] | "all",
): Promise<void> {
  const own = whose === "all" ? undefined : new Set(whose.map(runKey));
  for (const folder of [undefined, ...ownFolders(await list(path))]) {
    const inside = folder === undefined ? path : join(path, folder);
    for (const { name, isFile } of await listFolder(inside) ?? []) {
      const found = ownFile(name, folder);
      if (!isFile || !found?.temporary) continue;
      const file = join(inside, name);
      const isOwn = folder === undefined && isLockFile(name)
        ? await isNobodys(file)
        : own === undefined ||
          (found.id !== undefined && own.has(runKey(found.id)));
      const age = Date.now() - (await changedAt(file) ?? Infinity);
      if (!isOwn && age <= ABANDONED_AFTER) continue;
      await Deno.remove(file).catch(() => {
        // Another process removed it, or has just given it its name.
      });
    }
  }
}

/**
 * The parts that a training in a folder was begun in; undefined where it was
 * not begun, or as a whole. A finished one takes any part: nothing is left.
 */
export async function readParts(
  path: string,
): Promise<Parts | "finished" | undefined> {
  try {
    const { parts, trainedBy } = await readExperimentRecord(path);
    return trainedBy.length > 0 ? "finished" : parts;
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

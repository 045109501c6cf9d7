/**
 * Who trains in a results folder now: a file for each training that names its
 * machine and process.
 *
 * The file is locked as long as the process lives, which the system sees to. A
 * disk that several machines share may not pass that on to the others: there a
 * process is taken for dead when it has given no sign of life for two minutes,
 * by the clock of the disk, as those of machines differ.
 *
 * @module
 */

import { basename, join } from "node:path";
import { RetryError } from "../files/input_error.ts";
import {
  listFolder,
  readTextFile,
  systemError,
  systemReason,
} from "../files/read.ts";
import { lockedPart, lockName, type PartName } from "./layout.ts";
import { makeFolder, temporaryName } from "../files/write.ts";

/** Milliseconds between two signs of life. */
const BEAT = 10_000;
/** Milliseconds without one after which a process elsewhere is taken for dead. */
const DEAD_AFTER = 12 * BEAT;

/** A process that trains. */
interface LockOwner {
  readonly host: string;
  readonly pid: number;
  /** Start of the training, ISO 8601. */
  readonly since: string;
  /** Tells machines apart that have the same name; empty where nothing is known. */
  readonly machine: string;
  /** Tells locks apart. */
  readonly id: string;
}

/** A lock that this process holds. */
export interface FolderLock {
  /**
   * Throws where another process has taken the folder, as this one was taken
   * for dead: what it would write now is no longer its own.
   *
   * @throws {RetryError}
   */
  check(): Promise<void>;
  /** Gives the folder free. */
  release(): Promise<void>;
}

interface Attempt {
  readonly folder: string;
  readonly owner: LockOwner;
  readonly warn: (line: string) => void;
  readonly deadAfter: number;
}

/**
 * Takes a results folder, or a part of its experiment, for this process. A
 * part excludes the same part and the whole, the whole excludes all.
 *
 * @param options `part`: all of it where undefined; `warn` is told in a sentence when the lock of a dead process is
 * taken over; `deadAfter`: milliseconds, for tests.
 * @throws {RetryError} If another process trains there; says who, and since when.
 */
export async function lockFolder(
  folder: string,
  { part, warn, deadAfter = DEAD_AFTER }: {
    readonly part: PartName | undefined;
    readonly warn: (line: string) => void;
    readonly deadAfter?: number;
  },
): Promise<FolderLock> {
  await makeFolder(folder);
  const path = join(folder, lockName(part));
  const owner = describeSelf();
  const attempt = { folder, owner, warn, deadAfter };
  const file = await publishOwn(path, attempt);
  const lock = hold(path, file, attempt);
  try {
    for (const { name } of await listFolder(folder) ?? []) {
      const other = lockedPart(name);
      if (other === undefined || name === basename(path)) continue;
      if (part !== undefined && other !== "all") continue;
      await removeDead(join(folder, name), attempt);
    }
    await lock.check();
  } catch (error) {
    await lock.release();
    throw error;
  }
  return lock;
}

/** A training in a results folder. */
interface Training {
  readonly part: PartName | "all";
  /** Undefined where its lock is damaged. */
  readonly owner: LockOwner | undefined;
}

/** The trainings in a results folder whose locks are there; those of dead processes too. */
export async function readLocks(folder: string): Promise<Training[]> {
  const found: Training[] = [];
  for (const { name } of await listFolder(folder) ?? []) {
    const part = lockedPart(name);
    if (part === undefined) continue;
    found.push({ part, owner: await ownerOf(join(folder, name)) });
  }
  return found;
}

/** "process 12 on node7 has been training part 0/2 since 2024-02-03 04:05:06 UTC". */
export function describeTraining(
  { part, owner }: Training,
  ofWhat = "",
): string {
  const what = part === "all" ? part : `part ${part.index}/${part.count}`;
  const since = owner === undefined
    ? ""
    : ` since ${owner.since.slice(0, 19).replace("T", " ")} UTC`;
  return `${describeOwner(owner)} has been training ${what}${ofWhat}${since}`;
}

function describeOwner(owner: LockOwner | undefined): string {
  if (owner === undefined) return "another process";
  return `process ${owner.pid}${owner.host === "" ? "" : ` on ${owner.host}`}`;
}

/** Writes the lock, locks it and only then gives it its name, once no other has it. */
async function publishOwn(
  path: string,
  attempt: Attempt,
): Promise<Deno.FsFile> {
  for (let tries = 1;; tries++) {
    const temporary = temporaryName(path);
    let file: Deno.FsFile | undefined;
    try {
      const how = { read: true, write: true, createNew: true };
      file = await Deno.open(temporary, how);
      const text = `${JSON.stringify(attempt.owner)}\n`;
      await file.write(new TextEncoder().encode(text));
      await tryLock(file);
    } catch (error) {
      file?.close();
      await Deno.remove(temporary).catch(() => {});
      const cannot = `Cannot write "${path}"`;
      throw systemError(error, { cannot, path, verb: "write" });
    }
    try {
      while (!await publish(temporary, path, file)) {
        await removeDead(path, attempt);
      }
      return file;
    } catch (error) {
      file.close();
      await Deno.remove(temporary).catch(() => {});
      // Another process may remove a file between two looks at it, the own one too before it was locked.
      if (!(error instanceof Deno.errors.NotFound) || tries === 5) throw error;
    }
  }
}

/** Gives the lock its name; false where there is one already. */
async function publish(
  temporary: string,
  path: string,
  file: Deno.FsFile,
): Promise<boolean> {
  try {
    await Deno.link(temporary, path);
    await Deno.remove(temporary);
    return true;
  } catch (error) {
    if (error instanceof Deno.errors.AlreadyExists) return false;
    // A disk without links: two that begin at the same moment find out in `check`.
    if (await Deno.stat(path).then(() => true, () => false)) return false;
    await Deno.rename(temporary, path);
    await file.sync();
    return true;
  }
}

/** Whether the lock was got; undefined where the disk knows no locks. */
async function tryLock(file: Deno.FsFile): Promise<boolean | undefined> {
  return await file.tryLock(true).catch(() => undefined);
}

/** Whether no process on this machine holds a lock file. */
export async function isNobodys(path: string): Promise<boolean> {
  try {
    using file = await Deno.open(path, { read: true, write: true });
    return await tryLock(file) === true;
  } catch {
    return false;
  }
}

/** Undefined where the lock is gone, or damaged. */
async function ownerOf(path: string): Promise<LockOwner | undefined> {
  try {
    const value = JSON.parse(await readTextFile(path, { what: "the lock" }));
    return typeof value?.id === "string" && typeof value.since === "string"
      ? value
      : undefined;
  } catch {
    return undefined;
  }
}

/** Removes the lock of a dead process; throws where it lives. */
async function removeDead(path: string, attempt: Attempt): Promise<void> {
  const { folder, owner: own, warn } = attempt;
  let opened: Deno.FsFile;
  try {
    opened = await Deno.open(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    throw new RetryError(
      `Cannot train in "${folder}": its lock "${path}" can't be opened (${
        systemReason(error, { path, verb: "write" }) ?? error
      })`,
      { cause: error },
    );
  }
  using file = opened;
  const owner = await ownerOf(path);
  const busy = () => {
    const part = lockedPart(basename(path)) ?? "all";
    return new RetryError(
      `Cannot train in "${folder}": ${
        describeTraining({ part, owner }, " of it")
      }; wait for its end, end it, or choose another folder with --path_to_results`,
    );
  };
  const isFree = await tryLock(file);
  if (isFree === false) throw busy();
  const isHere = own.machine !== "" && owner?.machine === own.machine;
  if (!isFree || !isHere) await waitForDeath(path, owner, attempt, busy);
  // While the file was opened and locked, another process may have done all this: the lock that has the name now is its own.
  if (!await isAt(path, file) || (await ownerOf(path))?.id !== owner?.id) {
    throw busy();
  }
  await Deno.remove(path).catch((error) => {
    if (!(error instanceof Deno.errors.NotFound)) throw error;
  });
  warn(
    `note: ${
      describeOwner(owner)
    } ended without giving its part in "${folder}" free; it goes on here`,
  );
}

/** Whether a path still leads to the file that was opened there. */
async function isAt(path: string, file: Deno.FsFile): Promise<boolean> {
  const there = await Deno.stat(path).catch(() => undefined);
  const { dev, ino } = await file.stat();
  return there?.dev === dev && there.ino === ino;
}

/** Returns when a process elsewhere has given no sign of life for long; throws at one. */
async function waitForDeath(
  path: string,
  owner: LockOwner | undefined,
  { warn, deadAfter }: Attempt,
  busy: () => RetryError,
): Promise<void> {
  const last = await changedAt(path);
  const wait = deadAfter - (await diskTime(path) - (last ?? -Infinity));
  if (wait <= 0) return;
  warn(
    `note: ${
      describeOwner(owner)
    } may be training there; waiting for a sign of life, ${
      Math.ceil(wait / 1000)
    } s at most`,
  );
  const step = Math.min(1000, wait / 4);
  for (let waited = 0; waited < wait; waited += step) {
    await new Promise((resolve) => setTimeout(resolve, step));
    if (await changedAt(path) !== last) throw busy();
  }
}

/** When a file was last written to, in milliseconds; undefined where it is gone. */
export async function changedAt(path: string): Promise<number | undefined> {
  const info = await Deno.stat(path).catch(() => undefined);
  return info?.mtime?.getTime();
}

/** The time now, by the clock of the disk. */
async function diskTime(path: string): Promise<number> {
  const probe = temporaryName(path);
  try {
    await Deno.writeTextFile(probe, "");
    return await changedAt(probe) ?? Date.now();
  } catch {
    return Date.now();
  } finally {
    await Deno.remove(probe).catch(() => {});
  }
}

function hold(
  path: string,
  file: Deno.FsFile,
  { folder, owner: { id } }: Attempt,
): FolderLock {
  const name = HEARTBEAT;
  const worker = new Worker(import.meta.url, { type: "module", name });
  // Without signs of life the lock is as good on this machine, which is no reason to end a training.
  worker.addEventListener("error", (event) => event.preventDefault());
  worker.postMessage({ path, id });
  return {
    async check() {
      const owner = await ownerOf(path);
      if (owner?.id === id) return;
      throw new RetryError(
        owner === undefined
          ? `Cannot go on in "${folder}": the lock "${path}" was removed while this process trained`
          : `Cannot go on in "${folder}": ${
            describeOwner(owner)
          } took this process for dead and trains there now`,
      );
    },
    async release() {
      worker.terminate();
      const owner = await ownerOf(path);
      if (owner?.id === id) await Deno.remove(path).catch(() => {});
      file.close();
    },
  };
}

/** The thread that gives signs of life, which is this file too: waiting for a device blocks the event loop, and a timer beside it. */
const HEARTBEAT = "lock heartbeat";

function beat({ path, id }: { path: string; id: string }): void {
  let file: Deno.FsFile | undefined;
  let text = new Uint8Array();
  setInterval(() => {
    try {
      if (file === undefined) {
        text = Deno.readFileSync(path);
        if (!new TextDecoder().decode(text).includes(id)) return;
        // Once open, it stays this file, even where another one gets its name.
        file = Deno.openSync(path, { write: true });
      }
      file.seekSync(0, Deno.SeekMode.Start);
      file.writeSync(text);
    } catch {
      // A disk that is full or away for a while: the training has its own sentence for it.
    }
  }, BEAT);
}

if (self.name === HEARTBEAT) {
  self.addEventListener("message", (event) => {
    beat((event as MessageEvent<{ path: string; id: string }>).data);
  });
}

function describeSelf(): LockOwner {
  const needed = { name: "sys", kind: "hostname" } as const;
  const { state } = Deno.permissions.querySync(needed);
  const host = state === "granted" ? Deno.hostname() : "";
  let machineId = "";
  try {
    machineId = Deno.readTextFileSync("/etc/machine-id").trim();
  } catch {
    // Another system than Linux: machines are told apart by their names.
  }
  return {
    host,
    pid: Deno.pid,
    since: new Date().toISOString(),
    machine: `${host} ${machineId}`.trim(),
    id: crypto.randomUUID(),
  };
}

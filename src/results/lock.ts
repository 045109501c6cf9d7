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
import { InputError, RetryError } from "../files/input_error.ts";
import { listFolder, readTextFile, systemReason } from "../files/read.ts";
import { lockedPart, lockName, type PartName } from "./layout.ts";
import { makeFolder } from "../files/write.ts";

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

/** How to lock. */
interface LockOptions {
  /** The part to train; all of it where undefined. */
  readonly part: PartName | undefined;
  /** Told in a sentence when the lock of a dead process is taken over. */
  readonly warn: (line: string) => void;
  /** Milliseconds; for tests. */
  readonly deadAfter?: number;
}

/**
 * Takes a results folder, or a part of its experiment, for this process. A
 * part excludes the same part and the whole, the whole excludes all.
 *
 * @throws {RetryError} If another process trains there; says who, and since when.
 */
export async function lockFolder(
  folder: string,
  { part, warn, deadAfter = DEAD_AFTER }: LockOptions,
): Promise<FolderLock> {
  await makeFolder(folder);
  const path = join(folder, lockName(part));
  let own = await createOwn(path);
  let attempt = { folder, own, warn, deadAfter };
  // Another process may remove a file between two looks at it, the own one too before it was locked.
  for (let tries = 1;; tries++) {
    try {
      if (await publish(own, path)) break;
      if (await takeOver(path, attempt, "replace")) break;
    } catch (error) {
      await discard(own);
      if (!(error instanceof Deno.errors.NotFound) || tries === 5) throw error;
      own = await createOwn(path);
      attempt = { ...attempt, own };
    }
  }
  const lock = hold(path, { folder, own });
  try {
    for (const { name } of await listFolder(folder) ?? []) {
      const other = lockedPart(name);
      if (other === undefined || name === basename(path)) continue;
      if (part !== undefined && other !== "all") continue;
      await takeOver(join(folder, name), attempt, "remove");
    }
    await lock.check();
  } catch (error) {
    await lock.release();
    throw error;
  }
  return lock;
}

/** The trainings in a results folder whose locks are there; those of dead processes too. */
export async function readLocks(
  folder: string,
): Promise<{ part: PartName | "all"; owner: LockOwner | undefined }[]> {
  const found = [];
  for (const { name } of await listFolder(folder) ?? []) {
    const part = lockedPart(name);
    if (part === undefined) continue;
    found.push({ part, owner: await ownerOf(join(folder, name)) });
  }
  return found;
}

/** The lock that is to be this process's, open and locked under a temporary name. */
interface OwnLock {
  readonly owner: LockOwner;
  readonly temporary: string;
  readonly file: Deno.FsFile;
}

function temporaryName(path: string): string {
  return `${path}.${Deno.pid}-0-${crypto.randomUUID().slice(0, 8)}.tmp`;
}

async function createOwn(path: string): Promise<OwnLock> {
  const temporary = temporaryName(path);
  const owner = describeSelf();
  try {
    const file = await Deno.open(temporary, {
      read: true,
      write: true,
      createNew: true,
    });
    await file.write(new TextEncoder().encode(`${JSON.stringify(owner)}\n`));
    await tryLock(file);
    return { owner, temporary, file };
  } catch (error) {
    await Deno.remove(temporary).catch(() => {});
    const reason = systemReason(error, { path, verb: "write" });
    if (reason === undefined) throw error;
    throw new InputError(`Cannot write "${path}": ${reason}`, { cause: error });
  }
}

async function discard({ temporary, file }: OwnLock): Promise<void> {
  file.close();
  await Deno.remove(temporary).catch(() => {});
}

/** Gives the lock its name; false where there is one already. */
async function publish(
  { temporary, file }: OwnLock,
  path: string,
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
  try {
    return await file.tryLock(true);
  } catch {
    return undefined;
  }
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

async function ownerOf(path: string): Promise<LockOwner | undefined> {
  try {
    const value = JSON.parse(await readTextFile(path, { what: "the lock" }));
    return typeof value?.id === "string" && typeof value.since === "string"
      ? value
      : undefined;
  } catch {
    // Gone, or damaged.
    return undefined;
  }
}

/**
 * Replaces the lock of a dead process by the own one, or removes it; throws
 * where it lives. False where there was none any more.
 */
async function takeOver(
  path: string,
  { folder, own, warn, deadAfter }: {
    readonly folder: string;
    readonly own: OwnLock;
    readonly warn: (line: string) => void;
    readonly deadAfter: number;
  },
  how: "replace" | "remove",
): Promise<boolean> {
  let file: Deno.FsFile;
  try {
    file = await Deno.open(path, { read: true, write: true });
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw new RetryError(
      `Cannot train in "${folder}": its lock "${path}" can't be opened (${
        systemReason(error, { path, verb: "write" }) ?? error
      })`,
      { cause: error },
    );
  }
  try {
    const owner = await ownerOf(path);
    const free = await tryLock(file);
    const busy = () =>
      busyError(folder, { part: lockedPart(basename(path)), owner });
    if (free === false) throw busy();
    const isHere = own.owner.machine !== "" &&
      owner?.machine === own.owner.machine;
    if (free === undefined || !isHere) {
      await waitForDeath(path, { owner, warn, deadAfter, busy });
    }
    // While the file was opened and locked, another process may have done all this.
    if ((await ownerOf(path))?.id !== owner?.id) throw busy();
    if (how === "replace") {
      await Deno.rename(own.temporary, path);
    } else {
      await Deno.remove(path).catch((error) => {
        if (!(error instanceof Deno.errors.NotFound)) throw error;
      });
    }
    warn(
      `note: ${
        describeOwner(owner)
      } ended without giving its part in "${folder}" free; it goes on here`,
    );
    return true;
  } finally {
    file.close();
  }
}

/** Returns when a process elsewhere has given no sign of life for long; throws at one. */
async function waitForDeath(
  path: string,
  { owner, warn, deadAfter, busy }: {
    readonly owner: LockOwner | undefined;
    readonly warn: (line: string) => void;
    readonly deadAfter: number;
    readonly busy: () => RetryError;
  },
): Promise<void> {
  const last = await lastSign(path);
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
    if (await lastSign(path) !== last) throw busy();
  }
}

async function lastSign(path: string): Promise<number | undefined> {
  const info = await Deno.stat(path).catch(() => undefined);
  return info?.mtime?.getTime();
}

/** The time now, by the clock of the disk. */
async function diskTime(path: string): Promise<number> {
  const probe = temporaryName(path);
  try {
    await Deno.writeTextFile(probe, "");
    return await lastSign(probe) ?? Date.now();
  } catch {
    return Date.now();
  } finally {
    await Deno.remove(probe).catch(() => {});
  }
}

function hold(
  path: string,
  { folder, own }: { folder: string; own: OwnLock },
): FolderLock {
  const worker = new Worker(import.meta.url, {
    type: "module",
    name: HEARTBEAT,
  });
  // Without signs of life the lock is as good on this machine, which is no reason to end a training.
  worker.addEventListener("error", (event) => event.preventDefault());
  const orders: HeartbeatOrders = { path, id: own.owner.id, interval: BEAT };
  worker.postMessage(orders);
  return {
    async check() {
      const owner = await ownerOf(path);
      if (owner?.id === own.owner.id) return;
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
      if (owner?.id === own.owner.id) await Deno.remove(path).catch(() => {});
      own.file.close();
    },
  };
}

/** What the thread is told when it starts. */
interface HeartbeatOrders {
  readonly path: string;
  /** What tells the lock from others of the same name. */
  readonly id: string;
  /** Milliseconds. */
  readonly interval: number;
}

/** The thread that gives signs of life, which is this file too: waiting for a device blocks the event loop, and a timer beside it. */
const HEARTBEAT = "lock heartbeat";

function beat({ path, id, interval }: HeartbeatOrders): void {
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
  }, interval);
}

if (self.name === HEARTBEAT) {
  self.addEventListener("message", (event) => {
    beat((event as MessageEvent<HeartbeatOrders>).data);
  });
}

/** Names a process in messages. */
export function describeOwner(owner: LockOwner | undefined): string {
  if (owner === undefined) return "another process";
  return `process ${owner.pid}${owner.host === "" ? "" : ` on ${owner.host}`}`;
}

function busyError(
  folder: string,
  { part, owner }: {
    part: PartName | "all" | undefined;
    owner: LockOwner | undefined;
  },
): RetryError {
  const what = typeof part === "object"
    ? `part ${part.index}/${part.count} of it`
    : "all of it";
  const since = owner === undefined
    ? ""
    : ` since ${owner.since.slice(0, 19).replace("T", " ")} UTC`;
  return new RetryError(
    `Cannot train in "${folder}": ${
      describeOwner(owner)
    } has been training ${what}${since}; wait for its end, end it, or choose another folder with --path_to_results`,
  );
}

function describeSelf(): LockOwner {
  const host = hostName();
  return {
    host,
    pid: Deno.pid,
    since: new Date().toISOString(),
    machine: `${host} ${machineId()}`.trim(),
    id: crypto.randomUUID(),
  };
}

function hostName(): string {
  const { state } = Deno.permissions.querySync({
    name: "sys",
    kind: "hostname",
  });
  return state === "granted" ? Deno.hostname() : "";
}

function machineId(): string {
  try {
    return Deno.readTextFileSync("/etc/machine-id").trim();
  } catch {
    return "";
  }
}

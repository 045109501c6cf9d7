/**
 * Files that a killed training was writing: they have a temporary name and are
 * of no use to anyone.
 *
 * @module
 */

import { join } from "node:path";
import { RUNS_FOLDER } from "./list_runs.ts";
import { runKey, type RunUnit } from "./run_unit.ts";

/** Names that `writeFileWhole` gives before the last step. */
const TEMPORARY = /\.[0-9]+-[0-9]+-[0-9a-f]{8}\.tmp$/;

/** Nobody writes a file for a day; the clocks of machines that share a folder differ by less. */
const DEAD_AFTER = 24 * 60 * 60 * 1000;

/** Whose files may be removed. */
export interface RemoveTemporariesOptions {
  /**
   * Runs that nobody else writes; "all" where no other process writes to the
   * folder at all. Files of other runs, and those that all processes write,
   * are removed a day after their last change.
   */
  readonly own: readonly RunUnit[] | "all";
}

/** Removes what killed trainings left of files they were writing. */
export async function removeTemporaries(
  folder: string,
  { own }: RemoveTemporariesOptions,
): Promise<void> {
  const keys = own === "all" ? undefined : new Set(own.map(runKey));
  for (const inside of await subfolders(folder)) {
    const path = inside === undefined ? folder : join(folder, inside);
    for await (const { name, isFile } of Deno.readDir(path)) {
      if (!isFile || !TEMPORARY.test(name)) continue;
      const file = join(path, name);
      const run = runOf(name, inside);
      if (
        keys === undefined || (run !== undefined && keys.has(run)) ||
        await isDead(file)
      ) {
        await Deno.remove(file).catch(() => {
          // Another process removed it, or has just given it its name.
        });
      }
    }
  }
}

async function subfolders(folder: string): Promise<(string | undefined)[]> {
  const names: (string | undefined)[] = [undefined];
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory && (name === RUNS_FOLDER || /^\d+$/.test(name))) {
      names.push(name);
    }
  }
  return names;
}

/** Key of the run that a file belongs to; undefined where it is the combination's or the experiment's. */
function runOf(name: string, inside: string | undefined): string | undefined {
  if (inside === undefined) return undefined;
  if (inside === RUNS_FOLDER) return /^\d+_\d+(?=\.)/.exec(name)?.[0];
  const iteration = /_iter_(\d+)\.safetensors\./.exec(name)?.[1];
  return iteration === undefined ? undefined : `${inside}_${iteration}`;
}

async function isDead(file: string): Promise<boolean> {
  const info = await Deno.stat(file).catch(() => undefined);
  const changed = info?.mtime?.getTime();
  return changed !== undefined && Date.now() - changed > DEAD_AFTER;
}

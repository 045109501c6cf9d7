/**
 * What a measurement depends on beside the program, the machine and its load, and
 * how it is saved.
 *
 * @module
 */

import { cpus, loadavg } from "node:os";
import { userPath } from "../src/cli/shell.ts";
import type { Flags } from "../src/compat/cli.ts";
import { writeFileWhole } from "../src/files/write.ts";

/** The machine a benchmark ran on. */
export interface Machine {
  readonly cpu: string;
  /** Cores this process may use. */
  readonly cores: number;
  readonly system: string;
  readonly deno: string;
}

/** Describes the machine. */
function describeMachine(): Machine {
  return {
    cpu: cpus()[0]?.model.trim() || Deno.build.arch,
    cores: navigator.hardwareConcurrency,
    system: `${Deno.build.os} ${Deno.build.arch}`,
    deno: Deno.version.deno,
  };
}

/** Processes that wanted to run, on the average of the last minute; undefined where the system does not tell. */
export function load(): number | undefined {
  return Deno.build.os === "windows" ? undefined : loadavg()[0];
}

/** Where a measurement comes from. */
export interface Origin {
  readonly command: string;
  readonly machine: Machine;
}

/** Where the measurements of a task come from. */
export function originOf(task: string): Origin {
  const command = [`deno task ${task}`, ...Deno.args.slice(1)].join(" ");
  return { command, machine: describeMachine() };
}

/** Writes measurements as JSON where `--out` names a file. */
export async function saveMeasured(
  { string: { out } }: Flags,
  measured: object,
): Promise<void> {
  if (out === undefined) return;
  await writeFileWhole(
    userPath(out, "--out"),
    `${JSON.stringify(measured, undefined, 2)}\n`,
  );
}

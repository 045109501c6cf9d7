/**
 * What a measurement depends on beside the program: the machine and its load.
 *
 * @module
 */

import { cpus, loadavg } from "node:os";

/** The machine a benchmark ran on. */
export interface Machine {
  readonly cpu: string;
  /** Cores this process may use. */
  readonly cores: number;
  readonly system: string;
  readonly deno: string;
}

/** Describes the machine. */
export function describeMachine(): Machine {
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

/**
 * What benchmarks measure with: the machine and what it is doing, the work of an
 * epoch, how times are summed up, and the file they are kept in.
 *
 * @module
 */

import { userPath } from "../src/cli/shell.ts";
import type { Flags } from "../src/compat/cli.ts";
import type { Ensemble, EnsembleSpec } from "../src/engine/ensemble.ts";
import { writeFileWhole } from "../src/files/write.ts";
import { cpus, loadavg } from "node:os";
import { cpuUsage } from "node:process";

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

/**
 * Floating-point operations of one epoch of all models: those of the recurrent
 * product alone. A training batch of B trials counts 3·2·B·T·H² (forward,
 * backward, gradient of the weights), a validation batch a third of that.
 * Everything else (inputs, read-out, optimizer) is not counted, nor is it taken
 * off where the mask lets less be computed.
 */
export function epochFlop(
  { hiddenSize, runs }: Pick<EnsembleSpec, "hiddenSize" | "runs">,
): number {
  let flop = 0;
  for (const { trials } of runs) {
    const rows = 3 * trialsIn(trials.trainBatches) +
      trialsIn(trials.validateBatches);
    flop += 2 * rows * trials.steps * hiddenSize ** 2;
  }
  return flop;
}

function trialsIn(batches: readonly Uint32Array[]): number {
  return batches.reduce((sum, batch) => sum + batch.length, 0);
}

/** Epochs that were trained in one call, and the time that they took. */
export interface TrainedFor {
  readonly epochs: number;
  readonly milliseconds: number;
  /** Of all cores together. */
  readonly cpuSeconds: number;
}

/**
 * Trains for about so long in one call, by as many epochs as that takes: a call ends
 * with a wait, of 21 ms on a GPU, in which its clock falls.
 */
export async function trainFor(
  ensemble: Ensemble,
  { milliseconds, epochs = 1 }: {
    readonly milliseconds: number;
    /** To begin with. */
    readonly epochs?: number;
  },
): Promise<TrainedFor> {
  while (true) {
    const began = performance.now();
    const used = cpuUsage();
    await ensemble.train(epochs);
    const { user, system } = cpuUsage(used);
    const all = performance.now() - began;
    if (all >= 0.8 * milliseconds) {
      return { epochs, milliseconds: all, cpuSeconds: (user + system) / 1e6 };
    }
    const more = Math.min(16, Math.max(1.2, milliseconds / all));
    epochs = Math.ceil(epochs * more);
  }
}

/** Middle, least and most of repeated measurements. */
export interface Spread {
  readonly median: number;
  readonly least: number;
  readonly most: number;
}

/**
 * Sums up repeated measurements.
 *
 * @throws {RangeError} If there are none.
 *
 * @example
 * ```ts
 * import { spread } from "./bench/measure.ts";
 *
 * spread([3, 1, 2, 10]); // { median: 2.5, least: 1, most: 10 }
 * ```
 */
export function spread(values: readonly number[]): Spread {
  if (values.length === 0) {
    throw new RangeError("Cannot sum up measurements: there are none");
  }
  const sorted = [...values].sort((a, b) => a - b);
  const middle = (sorted.length - 1) / 2;
  const low = sorted[Math.floor(middle)] as number;
  const high = sorted[Math.ceil(middle)] as number;
  return {
    median: (low + high) / 2,
    least: sorted[0] as number,
    most: sorted.at(-1) as number,
  };
}

/** A spread as text, e.g. `14.2 (12.9 to 15.1)`. */
export function formatSpread({ median, least, most }: Spread): string {
  return `${threeDigits(median)} (${threeDigits(least)} to ${
    threeDigits(most)
  })`;
}

/** A number with three significant digits, never in powers of ten. */
export function threeDigits(value: number): string {
  return value >= 1000
    ? String(Math.round(value))
    : String(Number(value.toPrecision(3)));
}

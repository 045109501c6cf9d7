/**
 * Shards: an experiment shared out among several processes or machines, each
 * of which trains every n-th run.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import type { RunUnit } from "./run_unit.ts";

/** The i-th of n parts. */
export interface Shard {
  /** From 0 to count − 1. */
  readonly index: number;
  readonly count: number;
  /** Where it was given, for the log: "--shard", "SLURM_ARRAY_TASK_ID" … */
  readonly origin: string;
}

function shardOf(index: string, count: string, origin: string): Shard {
  const whole = /^\d{1,9}$/;
  const i = Number(index), n = Number(count);
  if (!whole.test(index) || !whole.test(count) || n < 1 || i >= n) {
    throw new InputError(
      `Cannot use shard ${index}/${count} from ${origin}: it must be i/n with i from 0 to n − 1, e.g. 0/4`,
    );
  }
  return { index: i, count: n, origin };
}

/**
 * Which part to train: that of the `--shard i/n` flag, else that of the array
 * job this process is a task of (Slurm, or a Kubernetes Indexed Job), else
 * undefined: all of it.
 *
 * Slurm arrays may begin at a number other than 0 (`SLURM_ARRAY_TASK_MIN`).
 *
 * @throws {InputError} If the flag or the variables are no such part.
 */
export function readShard(
  flag: string | undefined,
  env: (name: string) => string | undefined,
): Shard | undefined {
  if (flag !== undefined) {
    const parts = flag.split("/");
    return shardOf(parts[0] ?? "", parts.slice(1).join("/"), "--shard");
  }
  const slurm = env("SLURM_ARRAY_TASK_ID");
  if (slurm) {
    const first = Number(env("SLURM_ARRAY_TASK_MIN") ?? "0");
    const step = Number(env("SLURM_ARRAY_TASK_STEP") || "1");
    return shardOf(
      String((Number(slurm) - first) / step),
      env("SLURM_ARRAY_TASK_COUNT") ?? "",
      "SLURM_ARRAY_TASK_ID and SLURM_ARRAY_TASK_COUNT",
    );
  }
  const kubernetes = env("JOB_COMPLETION_INDEX");
  if (kubernetes) {
    return shardOf(
      kubernetes,
      env("JOB_COMPLETIONS") ?? "",
      "JOB_COMPLETION_INDEX and JOB_COMPLETIONS",
    );
  }
  return undefined;
}

/** The runs of one shard: every count-th, so that each shard has some of every difficulty. */
export function runsOfShard(
  runs: readonly RunUnit[],
  shard: Shard | undefined,
): RunUnit[] {
  if (shard === undefined) return [...runs];
  return runs.filter((_, number) => number % shard.count === shard.index);
}

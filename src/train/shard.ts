/**
 * Shards: an experiment shared out among several processes or machines, each
 * of which trains every n-th run.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import type { Parts } from "../results/experiment_record.ts";
import type { RunId } from "../results/layout.ts";
import { otherParts } from "../results/open_folder.ts";
import { runsOf } from "./build_run.ts";

/** The i-th of n parts. */
export interface Shard extends Parts {
  /** From 0 to count − 1. */
  readonly index: number;
  /** Where it was given, for the log: "--shard", "SLURM_ARRAY_TASK_ID" … */
  readonly origin: string;
}

/**
 * A task of an array of jobs. Slurm says which numbers the array has by the
 * least, the largest, the step and how many there are, so that of an array that
 * is a part of another, `--array=1,3`, nobody knows which part the task is.
 */
interface ArrayTask {
  readonly id: number;
  readonly min: number;
  readonly max: number;
  readonly step: number;
  readonly count: number;
}

/** Which part a process was told to train: the part itself, or a task of an array that is to be a part. */
export type ShardClaim = Shard | ArrayTask;

const SLURM = "SLURM_ARRAY_TASK_ID";
const WHOLE = /^\d{1,9}$/;

function shardOf(index: string, count: string, origin: string): Shard {
  const i = Number(index), n = Number(count);
  if (!WHOLE.test(index) || !WHOLE.test(count) || n < 1 || i >= n) {
    throw new InputError(
      `Cannot use shard ${index}/${count} from ${origin}: it must be i/n with i from 0 to n − 1, e.g. 0/4`,
    );
  }
  return { index: i, count: n, first: 0, step: 1, origin };
}

/**
 * Which part to train: that of the `--shard i/n` flag, else that of the array
 * job this process is a task of (Slurm, or a Kubernetes Indexed Job), else
 * undefined: all of it.
 *
 * @throws {InputError} If the flag or the variables are no such part.
 */
export function readShard(
  flag: string | undefined,
  env: (name: string) => string | undefined,
): ShardClaim | undefined {
  if (flag !== undefined) {
    const parts = flag.split("/");
    return shardOf(parts[0] ?? "", parts.slice(1).join("/"), "--shard");
  }
  if (env(SLURM)) return readArrayTask(env);
  const kubernetes = env("JOB_COMPLETION_INDEX");
  if (kubernetes) {
    return shardOf(
      kubernetes,
      String(readWhole("JOB_COMPLETIONS", { env })),
      "JOB_COMPLETION_INDEX and JOB_COMPLETIONS",
    );
  }
  return undefined;
}

function readWhole(
  name: string,
  { env, otherwise }: {
    readonly env: (name: string) => string | undefined;
    readonly otherwise?: number | undefined;
  },
): number {
  const text = env(name) || String(otherwise ?? "");
  if (WHOLE.test(text)) return Number(text);
  throw new InputError(
    `Cannot tell which part of the training this is: ${name} is ${
      text === "" ? "not set" : `"${text}", not a whole number`
    }; name the part with --shard i/n`,
  );
}

function readArrayTask(env: (name: string) => string | undefined): ArrayTask {
  const number = (name: string, otherwise?: number) =>
    readWhole(name, { env, otherwise });
  const id = number(SLURM);
  const count = number("SLURM_ARRAY_TASK_COUNT");
  const step = Math.max(1, number("SLURM_ARRAY_TASK_STEP", 1));
  const min = number("SLURM_ARRAY_TASK_MIN", 0);
  const max = number("SLURM_ARRAY_TASK_MAX", min + (count - 1) * step);
  return { id, count, step, min, max };
}

/**
 * The part that a process trains. The results folder knows in how many parts
 * its training was begun, so that an array of some of its tasks is understood.
 *
 * @param options.begun What the folder says: undefined where nothing was begun
 * in parts, "finished" where nothing is left to train.
 * @throws {InputError} If the part is none of those, or can't be known; names `--array` and `--shard`.
 */
export function resolveShard(
  claim: ShardClaim | undefined,
  { folder, begun }: {
    readonly folder: string;
    readonly begun: Parts | "finished" | undefined;
  },
): Shard | undefined {
  if (claim === undefined) return undefined;
  const parts = begun === "finished" ? undefined : begun;
  if ("index" in claim) {
    if (parts === undefined || parts.count === claim.count) return claim;
    throw otherParts(folder, { parts, part: claim });
  }
  const { id, min, max, step, count } = claim;
  const index = (id - min) / step;
  const isWhole = count > 0 && max === min + (count - 1) * step &&
    Number.isInteger(index) && index >= 0 && index < count;
  const own = {
    index,
    count,
    first: min,
    step,
    origin: `${SLURM} ${id} of ${count}`,
  };
  if (parts === undefined) {
    // One task of a high number is one of an array that was lost, more likely than an array of one.
    if (isWhole && (count > 1 || id <= 1)) return own;
    if (begun === "finished") {
      return { ...own, index: 0, count: 1, first: id, step: 1 };
    }
    throw new InputError(
      `Cannot tell which part task ${id} of this Slurm array is: nothing was begun in "${folder}" in parts, and the array ${
        count === 1 ? `has this task only` : `has gaps`
      }; begin with a whole array, e.g. --array=0-3, or name the part with --shard i/n (--shard 0/1: all of it)`,
    );
  }
  if (isWhole && count === parts.count) return own;
  const place = (task: number) => (task - parts.first) / parts.step;
  const isInside = [min, id, max].every((task) =>
    Number.isInteger(place(task)) && place(task) >= 0 &&
    place(task) < parts.count
  );
  if (isInside && count <= parts.count) {
    return {
      ...parts,
      index: place(id),
      origin: `${SLURM} ${id}, of an array begun in ${parts.count}`,
    };
  }
  throw otherParts(folder, {
    parts,
    part: { index: isWhole ? index : id, count },
  });
}

/**
 * The runs of one shard, arm by arm: every count-th, so that each shard has some of every
 * difficulty, counted through all arms by their labels, so that each has as many, and
 * the same of configs that list their arms in another order.
 */
export function runsOfShard(
  arms: readonly {
    readonly experiment: Parameters<typeof runsOf>[0] & {
      readonly arm: string | undefined;
    };
  }[],
  shard: Shard | undefined,
): RunId[][] {
  const labels = arms.map(({ experiment: { arm = "" } }) => arm);
  const own: RunId[][] = [];
  let number = 0;
  const before = (a: number, b: number) => Number(labels[a]! < labels[b]!);
  for (
    const i of [...labels.keys()].sort((a, b) => before(b, a) - before(a, b))
  ) {
    own[i] = runsOf(arms[i]!.experiment).filter(() =>
      shard === undefined || number++ % shard.count === shard.index
    );
  }
  return own;
}

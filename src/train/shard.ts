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
type ArrayTask = Readonly<
  Record<"id" | "min" | "max" | "step" | "count", number>
>;

/** Which part a process was told to train: the part itself, or a task of an array that is to be a part. */
export type ShardClaim = Shard | ArrayTask;

const ARRAY = "SLURM_ARRAY_TASK";
const SLURM = `${ARRAY}_ID`;
const WHOLE = /^\d{1,9}$/;

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
  const number = (name: string, otherwise?: number): number => {
    const text = env(name) || String(otherwise ?? "");
    if (WHOLE.test(text)) return Number(text);
    throw new InputError(
      `Cannot tell which part of the training this is: ${name} is ${
        text === "" ? "not set" : `"${text}", not a whole number`
      }; name the part with --shard i/n`,
    );
  };
  if (flag !== undefined) return shardOf(flag, "--shard");
  if (env(SLURM)) {
    const id = number(SLURM);
    const count = number(`${ARRAY}_COUNT`);
    const step = Math.max(1, number(`${ARRAY}_STEP`, 1));
    const min = number(`${ARRAY}_MIN`, 0);
    const max = number(`${ARRAY}_MAX`, min + (count - 1) * step);
    return { id, count, step, min, max };
  }
  const index = env("JOB_COMPLETION_INDEX");
  return index
    ? shardOf(
      `${index}/${number("JOB_COMPLETIONS")}`,
      "JOB_COMPLETION_INDEX and JOB_COMPLETIONS",
    )
    : undefined;
}

function shardOf(text: string, origin: string): Shard {
  const [, index, count] = /^(\d{1,9})\/(\d{1,9})$/.exec(text) ?? [];
  const part = { index: Number(index), count: Number(count) };
  if (part.index < part.count) return { ...part, first: 0, step: 1, origin };
  throw new InputError(
    `Cannot use shard ${text} from ${origin}: it must be i/n with i from 0 to n − 1, e.g. 0/4`,
  );
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
  /** The place of a task among those of an array; −1 where it is none of them. */
  const place = (task: number, { count, first, step }: Parts) => {
    const i = (task - first) / step;
    return Number.isInteger(i) && i >= 0 && i < count ? i : -1;
  };
  const array = { count, first: min, step };
  const index = place(id, array);
  const isWhole = index >= 0 && max === min + (count - 1) * step;
  const own = { ...array, index, origin: `${SLURM} ${id} of ${count}` };
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
  const isPart = [min, id, max].every((task) => place(task, parts) >= 0);
  if (isPart && count <= parts.count) {
    return {
      ...parts,
      index: place(id, parts),
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
  const label = (i: number) => arms[i]!.experiment.arm ?? "";
  const own: RunId[][] = [];
  let number = 0;
  for (
    const i of [...arms.keys()].sort((a, b) =>
      Number(label(a) > label(b)) - Number(label(a) < label(b))
    )
  ) {
    own[i] = runsOf(arms[i]!.experiment).filter(() =>
      shard === undefined || number++ % shard.count === shard.index
    );
  }
  return own;
}

import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import { readShard, runsOfShard } from "../../src/train/shard.ts";
import { allRuns, runKey } from "../../src/train/run_unit.ts";

const nothing = () => undefined;

describe("readShard()", () => {
  it("is all of it where nothing is said", () => {
    assert.equal(readShard(undefined, nothing), undefined);
  });

  it("reads the flag before the variables", () => {
    const env = (name: string) =>
      ({ SLURM_ARRAY_TASK_ID: "5", SLURM_ARRAY_TASK_COUNT: "6" })[name];
    const shard = readShard("1/4", env);
    assert.equal(shard?.index, 1);
    assert.equal(shard?.count, 4);
  });

  it("counts Slurm's array from its first task", () => {
    const variables: Record<string, string> = {
      SLURM_ARRAY_TASK_ID: "7",
      SLURM_ARRAY_TASK_MIN: "1",
      SLURM_ARRAY_TASK_STEP: "2",
      SLURM_ARRAY_TASK_COUNT: "4",
    };
    const shard = readShard(undefined, (name) => variables[name]);
    assert.deepEqual([shard?.index, shard?.count], [3, 4]);
  });

  it("reads an Indexed Job of Kubernetes", () => {
    const variables: Record<string, string> = {
      JOB_COMPLETION_INDEX: "2",
      JOB_COMPLETIONS: "3",
    };
    const shard = readShard(undefined, (name) => variables[name]);
    assert.deepEqual([shard?.index, shard?.count], [2, 3]);
  });

  it("refuses what is no part, in one sentence", () => {
    for (
      const flag of ["4/4", "-1/4", "1", "", "a/b", "1/0", "1/4/2", "0.5/2"]
    ) {
      assert.throws(
        () => readShard(flag, nothing),
        (error) => error instanceof InputError && error.message.includes("i/n"),
        flag,
      );
    }
  });
});

describe("runsOfShard()", () => {
  it("gives every run to exactly one shard", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 12 }),
        (combinations, iterations, count) => {
          const runs = allRuns(combinations, iterations);
          const shared = Array.from(
            { length: count },
            (_, index) => runsOfShard(runs, { index, count, origin: "test" }),
          ).flat().map(runKey);
          assert.deepEqual(shared.sort(), runs.map(runKey).sort());
        },
      ),
    );
  });
});

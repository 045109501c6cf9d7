import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import type { Parts } from "../../src/results/experiment_record.ts";
import { runKey } from "../../src/results/layout.ts";
import { runsOf } from "../../src/train/build_run.ts";
import { readShard, resolveShard, runsOfShard } from "../../src/train/shard.ts";

const nothing = () => undefined;

/** The part, e.g. "1/4", that the variables mean in a folder begun so; where it is refused, the sentence. */
function partOf(
  variables: Readonly<Record<string, string>>,
  begun?: Parts | "finished",
): string {
  try {
    const claim = readShard(undefined, (name) => variables[name]);
    const shard = resolveShard(claim, { folder: "results", begun });
    return `${shard?.index}/${shard?.count}`;
  } catch (error) {
    assert.ok(error instanceof InputError, String(error));
    return error.message;
  }
}

/** The variables of a task of a Slurm array of these numbers. */
function slurm(id: number, array: readonly number[], step = 1) {
  return {
    SLURM_ARRAY_TASK_ID: String(id),
    SLURM_ARRAY_TASK_COUNT: String(array.length),
    SLURM_ARRAY_TASK_MIN: String(Math.min(...array)),
    SLURM_ARRAY_TASK_MAX: String(Math.max(...array)),
    SLURM_ARRAY_TASK_STEP: String(step),
  };
}

describe("readShard()", () => {
  it("is all of it where nothing is said", () => {
    assert.equal(readShard(undefined, nothing), undefined);
    const how = { folder: "results", begun: undefined };
    assert.equal(resolveShard(undefined, how), undefined);
  });

  it("reads the flag before the variables", () => {
    const env = (name: string) =>
      ({ SLURM_ARRAY_TASK_ID: "5", SLURM_ARRAY_TASK_COUNT: "6" })[name];
    const shard = resolveShard(readShard("1/4", env), {
      folder: "results",
      begun: undefined,
    });
    assert.equal(shard?.index, 1);
    assert.equal(shard?.count, 4);
  });

  it("reads an Indexed Job of Kubernetes", () => {
    const variables = { JOB_COMPLETION_INDEX: "2", JOB_COMPLETIONS: "3" };
    assert.equal(partOf(variables), "2/3");
  });

  it("says which variable of an Indexed Job is not set", () => {
    assert.equal(
      partOf({ JOB_COMPLETION_INDEX: "1" }),
      "Cannot tell which part of the training this is: JOB_COMPLETIONS is not set; name the part with --shard i/n",
    );
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
    for (const count of ["", "x", "-1", "1.5"]) {
      const variables = {
        SLURM_ARRAY_TASK_ID: "1",
        SLURM_ARRAY_TASK_COUNT: count,
      };
      assert.match(partOf(variables), /SLURM_ARRAY_TASK_COUNT.*--shard/);
    }
  });
});

describe("resolveShard() of a Slurm array", () => {
  it("counts a whole array from its first task, where nothing was begun", () => {
    assert.equal(partOf(slurm(2, [0, 1, 2, 3])), "2/4");
    assert.equal(partOf(slurm(4, [1, 2, 3, 4])), "3/4");
    assert.equal(partOf(slurm(7, [1, 3, 5, 7], 2)), "3/4");
    assert.equal(partOf(slurm(0, [0])), "0/1");
    assert.equal(partOf(slurm(1, [1])), "0/1");
  });

  it("refuses a part of an array where nothing was begun, and names --array and --shard", () => {
    for (
      const [id, array] of [[2, [2]], [1, [1, 3]], [3, [1, 3]], [5, [
        0,
        1,
        5,
      ]]] as const
    ) {
      assert.match(
        partOf(slurm(id, array)),
        /^Cannot tell which part .*--array=.*--shard i\/n/,
      );
    }
  });

  it("knows a lost part by its number in the array that was begun", () => {
    const begun = { count: 4, first: 0, step: 1 };
    for (let id = 0; id < 4; id++) {
      assert.equal(partOf(slurm(id, [id]), begun), `${id}/4`);
      assert.equal(partOf(slurm(id, [0, 1, 2, 3]), begun), `${id}/4`);
    }
    assert.equal(partOf(slurm(1, [1, 3]), begun), "1/4");
    assert.equal(partOf(slurm(3, [1, 3]), begun), "3/4");
    // Some versions of Slurm tell the distance of two numbers as the step.
    assert.equal(partOf(slurm(1, [1, 3], 2), begun), "1/4");
    assert.equal(partOf(slurm(3, [1, 3], 2), begun), "3/4");
    const six = { count: 6, first: 0, step: 1 };
    for (const id of [0, 1, 5]) {
      assert.equal(partOf(slurm(id, [0, 1, 5]), six), `${id}/6`);
    }
    assert.equal(
      partOf(slurm(3, [3]), { count: 4, first: 1, step: 1 }),
      "2/4",
    );
    assert.equal(
      partOf(slurm(5, [5]), { count: 4, first: 1, step: 2 }),
      "2/4",
    );
  });

  it("takes another whole array of as many tasks", () => {
    const begun = { count: 4, first: 0, step: 1 };
    assert.equal(partOf(slurm(4, [1, 2, 3, 4]), begun), "3/4");
  });

  it("refuses what contradicts the folder, and names the ways out", () => {
    const begun = { count: 4, first: 0, step: 1 };
    for (
      const variables of [
        slurm(0, [0, 1, 2, 3, 4]),
        slurm(0, [0, 1, 5]),
        slurm(5, [5]),
        { JOB_COMPLETION_INDEX: "0", JOB_COMPLETIONS: "3" },
      ]
    ) {
      assert.match(
        partOf(variables, begun),
        /begun in 4 parts; use --shard i\/4 .*--array=0-3 .*--resume/,
      );
    }
    assert.match(
      partOf(slurm(2, [2]), { count: 3, first: 1, step: 2 }),
      /--array=1-5:2/,
    );
  });

  it("never gives one part to two tasks, nor a part of another number of parts", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 8 }),
        fc.integer({ min: 0, max: 3 }),
        fc.integer({ min: 1, max: 3 }),
        fc.uniqueArray(fc.integer({ min: 0, max: 12 }), { minLength: 1 }),
        fc.boolean(),
        (count, first, step, array, isEven) => {
          const begun = { count, first, step };
          const told = isEven ? array.length : 1;
          const parts = array.map((id) => partOf(slurm(id, array, told), begun))
            .filter((part) => !part.startsWith("Cannot"));
          assert.equal(new Set(parts).size, parts.length);
          for (const part of parts) assert.ok(part.endsWith(`/${count}`), part);
        },
      ),
    );
  });

  it("has nothing against any part of a finished training", () => {
    for (const [id, array] of [[2, [2]], [1, [1, 3]], [0, [0, 1]]] as const) {
      assert.match(partOf(slurm(id, array), "finished"), /^\d\/\d$/);
    }
  });
});

describe("runsOfShard()", () => {
  it("gives every run of every arm to exactly one shard, and all as many", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 9 }),
        fc.integer({ min: 1, max: 5 }),
        fc.integer({ min: 1, max: 12 }),
        (arms, combinations, iterations, count) => {
          const experiment = {
            grid: { combinations: new Array(combinations).fill(0) },
            training: { iterations },
          };
          const all = Array.from(
            { length: arms },
            (_, i) => ({ experiment: { ...experiment, arm: `arm ${i}` } }),
          );
          const runs = runsOf(experiment);
          const origin = "test";
          const shards = Array.from(
            { length: count },
            (_, index) =>
              runsOfShard(all, {
                index,
                count,
                first: 0,
                step: 1,
                origin,
              }),
          );
          for (const [index, shard] of shards.entries()) {
            const turned = runsOfShard(all.toReversed(), {
              index,
              count,
              first: 0,
              step: 1,
              origin,
            });
            assert.deepEqual(turned.toReversed(), shard);
          }
          for (let arm = 0; arm < arms; arm++) {
            const shared = shards.flatMap((shard) => shard[arm]!).map(runKey);
            assert.deepEqual(shared.sort(), runs.map(runKey).sort());
          }
          const sizes = shards.map((shard) => shard.flat().length);
          assert.ok(Math.max(...sizes) - Math.min(...sizes) <= 1);
        },
      ),
    );
  });
});

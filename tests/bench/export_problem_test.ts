import assert from "node:assert/strict";
import { join } from "node:path";
import { exportProblem } from "../../bench/export_problem.ts";
import { gridProblem } from "../../bench/grid_problem.ts";
import { describe, it } from "../../src/compat/testing.ts";
import { readNpy } from "../../src/files/npy.ts";
import {
  countConnections,
  denseMask,
  denseMatrix,
  listConnections,
} from "../../src/graph/connections.ts";

const OPTIONS = {
  iterations: 1,
  neuronsPerRegion: 1,
  patternLengths: [2, 4],
  trials: 20,
};

async function exported(
  body: (
    folder: string,
    read: (name: string) => ReturnType<typeof readNpy>,
  ) => Promise<void> | void,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await body(
      folder,
      (name) =>
        readNpy(Deno.readFileSync(join(folder, `${name}.npy`)), { name }),
    );
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

describe("exportProblem()", () => {
  it("writes each model's trials in the order they are trained on", async () => {
    const { spec } = await gridProblem(OPTIONS);
    await exported(async (folder, read) => {
      await exportProblem(folder, spec);
      // Combinations take T = 5 and T = 9 in turn: model 3 is the second with T = 9.
      const { trials } = spec.runs[3]!;
      assert.equal(trials.steps, 9);
      const { shape, data } = read("inputs_9");
      assert.deepEqual(shape, [8, 20, 9, 2]);
      const order = [...trials.trainBatches, ...trials.validateBatches]
        .flatMap((batch) => [...batch]);
      const expected = order.flatMap((trial) => [
        ...trials.inputs.subarray(trial * 18, (trial + 1) * 18),
      ]);
      assert.deepEqual([...data.subarray(20 * 18, 2 * 20 * 18)], expected);
      const targets = read("targets_9");
      assert.deepEqual(targets.shape, [8, 20, 9]);
      assert.deepEqual(
        [...targets.data.subarray(20 * 9, 2 * 20 * 9)],
        order.flatMap((trial) => [
          ...trials.targets.subarray(trial * 9, (trial + 1) * 9),
        ]),
      );
    });
  });

  it("writes the start values and a mask once", async () => {
    const { spec } = await gridProblem(OPTIONS);
    await exported(async (folder, read) => {
      await exportProblem(folder, spec);
      const masks = read("masks");
      assert.deepEqual([masks.shape, masks.dtype], [[1, 29, 29], "b1"]);
      assert.deepEqual([...masks.data], [
        ...denseMask(spec.runs[0]!.connections),
      ]);
      const weights = read("weightHh");
      assert.deepEqual(weights.shape, [16, 29, 29]);
      assert.deepEqual(
        [...weights.data.subarray(5 * 841, 6 * 841)],
        [
          ...denseMatrix(
            spec.runs[5]!.connections,
            spec.runs[5]!.initial.weightHh,
          ),
        ],
      );
      const problem = JSON.parse(
        await Deno.readTextFile(join(folder, "problem.json")),
      );
      assert.equal(problem.models[5].mask, 0);
      assert.deepEqual(
        [problem.trainBatches, problem.validateBatches],
        [[16], [4]],
      );
    });
  });

  it("keeps masks that differ apart", async () => {
    const { spec } = await gridProblem(OPTIONS);
    const [, other] = spec.runs;
    const connections = listConnections(
      other!.connections,
      denseMask(other!.connections).map((one) => 1 - one),
    );
    const initial = {
      ...other!.initial,
      weightHh: new Float32Array(countConnections(connections)),
    };
    const runs = spec.runs.map((run, i) =>
      i === 1 ? { ...run, connections, initial } : run
    );
    await exported(async (folder, read) => {
      await exportProblem(folder, { ...spec, runs });
      assert.deepEqual(read("masks").shape, [2, 29, 29]);
      const { models } = JSON.parse(
        await Deno.readTextFile(join(folder, "problem.json")),
      );
      assert.deepEqual(
        models.slice(0, 3).map((model: { mask: number }) => model.mask),
        [0, 1, 0],
      );
    });
  });

  it("refuses models whose batches differ in size", async () => {
    const { spec } = await gridProblem(OPTIONS);
    const run = spec.runs[1]!;
    const trials = {
      ...run.trials,
      trainBatches: run.trials.trainBatches.map((batch) => batch.slice(1)),
    };
    const runs = [spec.runs[0]!, { ...run, trials }];
    await exported(async (folder) => {
      await assert.rejects(exportProblem(folder, { ...spec, runs }), {
        name: "RangeError",
        message: /combination 1/,
      });
    });
  });
});

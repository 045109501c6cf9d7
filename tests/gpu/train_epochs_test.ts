import assert from "node:assert/strict";
import { describe, itNeeds } from "../../src/compat/testing.ts";
import type { EpochHistory, ModelState } from "../../src/engine/ensemble.ts";
import { sampleInterval } from "../../src/gpu/profiler.ts";
import { countBlocks, countConnections } from "../../src/graph/connections.ts";
import { engine, missing } from "./adapter.ts";
import { createInWay, exampleSpec, FORMATS, WAYS } from "./example_runs.ts";

const untimed = missing ??
  (engine?.gpu.device.features.has("timestamp-query")
    ? undefined
    : "this adapter has no timestamp queries");

const SPEC = exampleSpec({ hiddenSize: 24, steps: [5, 7, 4], loss: "nll" });
const TRAIN_BATCHES = SPEC.runs[0]!.trials.trainBatches.length;
const BATCHES = TRAIN_BATCHES + SPEC.runs[0]!.trials.validateBatches.length;

/** Puts the epochs of several histories one after the other. */
function joined(parts: readonly EpochHistory[]): number[][] {
  return SPEC.runs.map((_, model) =>
    parts.flatMap(({ epochs, trainLoss, validateAccuracy }) =>
      [trainLoss, validateAccuracy!].flatMap((values) => [
        ...values.subarray(model * epochs, (model + 1) * epochs),
      ])
    )
  );
}

describe("training on the device", () => {
  itNeeds("tells of epochs as they end", missing, async () => {
    const ensemble = await createInWay(engine!.gpu, SPEC);
    const parts: EpochHistory[] = [];
    const whole = await ensemble.train(400, {
      onEpochs: (part) => parts.push(part),
    });
    ensemble.destroy();
    assert.ok(parts.length > 1);
    const epochs = parts.reduce((sum, part) => sum + part.epochs, 0);
    assert.equal(epochs, 400);
    const sorted = (values: number[][]) => values.map((v) => v.toSorted());
    assert.deepEqual(sorted(joined(parts)), sorted(joined([whole])));
    // In their order.
    let epoch = 0;
    for (const part of parts) {
      assert.equal(part.trainLoss[0], whole.trainLoss[epoch]);
      epoch += part.epochs;
    }
  });

  itNeeds(
    "lets the host work while the device does, and waits for it",
    missing,
    async () => {
      const calm = await createInWay(engine!.gpu, SPEC);
      const expected = await calm.train(300);
      calm.destroy();
      const ensemble = await createInWay(engine!.gpu, SPEC);
      let calls = 0;
      const found = await ensemble.train(300, {
        async whileBusy(milliseconds) {
          assert.ok(milliseconds > 0 && milliseconds < 60_000);
          calls++;
          await new Promise((resolve) => setTimeout(resolve, 5));
        },
      });
      assert.ok(calls > 0);
      assert.deepEqual(found, expected);
      await assert.rejects(
        ensemble.train(300, {
          whileBusy: () => Promise.reject(new RangeError("not now")),
        }),
        /not now/,
      );
      ensemble.destroy();
    },
  );

  itNeeds(
    "gives the same losses however few the device remembers",
    missing,
    async () => {
      const train = async (historyBytes?: number) => {
        const ensemble = await createInWay(engine!.gpu, SPEC, {
          ...(historyBytes === undefined ? {} : { historyBytes }),
        });
        const histories = [await ensemble.train(40), await ensemble.train(5)];
        ensemble.destroy();
        return histories;
      };
      const all = await train();
      const epoch = SPEC.runs.length * BATCHES * 8;
      for (const epochs of [1, 3, 7]) {
        assert.deepEqual(await train(epochs * epoch), all);
      }
    },
  );

  itNeeds(
    "times the kernels without changing what they compute",
    untimed,
    async () => {
      const results: [EpochHistory, ModelState[]][] = [];
      for (const profile of [undefined, "sample", "all"] as const) {
        const ensemble = await createInWay(engine!.gpu, SPEC, {
          ...(profile === undefined ? {} : { profile }),
        });
        assert.equal(ensemble.profile()?.kernels.length, profile && 0);
        const start = performance.now();
        const history = await ensemble.train(40);
        const milliseconds = performance.now() - start;
        results.push([history, await ensemble.state()]);
        const times = ensemble.profile();
        ensemble.destroy();
        assert.deepEqual(results.at(-1), results[0]);
        if (profile === undefined) {
          assert.equal(times, undefined);
          continue;
        }
        const { busyMilliseconds, kernels } = times!;
        assert.ok(busyMilliseconds > 0 && busyMilliseconds < milliseconds);
        const sum = kernels.reduce((ms, kernel) => ms + kernel.milliseconds, 0);
        assert.ok(Math.abs(sum - busyMilliseconds) < 1e-6 * busyMilliseconds);
        const calls = new Map(kernels.map((k) => [k.kernel, k.calls]));
        assert.equal(calls.get("load"), 40 * BATCHES);
        assert.equal(calls.get("gradient"), 40 * TRAIN_BATCHES);
        assert.ok(kernels.every((kernel) => kernel.milliseconds > 0));
      }
    },
  );

  itNeeds(
    "counts the operations of the products on what lies on the device",
    untimed,
    async () => {
      const spec = exampleSpec({
        hiddenSize: 30,
        density: 0.1,
        steps: [5, 7, 4],
        oneTopology: true,
      });
      const { connections } = spec.runs[0]!;
      const entries = {
        dense: 30 ** 2,
        blocks: 16 * countBlocks(connections, 4),
        connections: countConnections(connections),
      };
      // Batches of 6, 6 and 3 trials train, one of 4 validates.
      const rows = { train: 16 * (6 + 6 + 3), all: 16 * (6 + 6 + 3 + 4) };
      for (const format of FORMATS) {
        const ensemble = await createInWay(engine!.gpu, spec, {
          format,
          profile: "all",
        });
        await ensemble.train(4);
        const { kernels } = ensemble.profile()!;
        ensemble.destroy();
        const flop = 4 * 2 * entries[format];
        const own = ["forward", "backward", "gradient"];
        assert.deepEqual(
          new Map(
            kernels.filter(({ flop }) => flop > 0)
              .map(({ kernel, flop }) => [kernel, flop]),
          ),
          new Map(own.map((kernel, i) => [
            kernel,
            flop * (i === 0 ? rows.all : rows.train),
          ])),
        );
      }
    },
  );

  itNeeds("gives the same numbers in one submit or many", missing, async () => {
    const { queue } = engine!.gpu.device;
    const submit = queue.submit.bind(queue);
    let submits = 0;
    queue.submit = (commands) => {
      submits++;
      submit(commands);
    };
    try {
      for (const { name, ...way } of WAYS) {
        const trained = async (submitWork?: number) => {
          submits = 0;
          const gpu = await createInWay(engine!.gpu, SPEC, {
            ...way,
            ...(submitWork === undefined ? {} : { submitWork }),
          });
          const { trainLoss, validateLoss } = await gpu.train(2);
          const numbers = [trainLoss, validateLoss, await gpu.state()];
          gpu.destroy();
          return { numbers, submits };
        };
        const whole = await trained();
        const cut = await trained(1);
        assert.ok(cut.submits > whole.submits + BATCHES, name);
        assert.deepEqual(cut.numbers, whole.numbers, name);
      }
    } finally {
      queue.submit = submit;
    }
  });
});

describe("sampleInterval()", () => {
  itNeeds("gives all batches of an epoch their turn", undefined, () => {
    for (let batches = 1; batches <= 200; batches++) {
      const every = sampleInterval(batches);
      assert.ok(every >= 16 && every < 32, `${every}`);
      const seen = new Set(
        Array.from({ length: batches }, (_, i) => i * every % batches),
      );
      assert.equal(seen.size, batches);
    }
  });
});

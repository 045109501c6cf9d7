import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import type { NetworkStates } from "../../src/results/experiment_record.ts";
import { measuredModel, Measurer } from "../../src/train/measure.ts";
import { exampleSpec } from "../reference/example_runs.ts";

describe("Measurer", () => {
  it("stops when its time is up, and goes on where it stood", async () => {
    const kept = new Map<string, NetworkStates>();
    const measurer = new Measurer();
    const runs = [1, 2, 3].map((seed) => {
      const spec = exampleSpec({ seed, hiddenSize: 9 });
      return { name: `run ${seed}`, run: spec.runs[0]!, size: spec };
    });
    for (const { name, run, size } of runs) {
      measurer.begin([{
        name,
        model: measuredModel(run, { size, loss: "mse" }),
        initial: run.initial,
        keep: (states) => Promise.resolve(void kept.set(name, states)),
      }]);
    }
    assert.equal(await measurer.work(Infinity), 0, "none has been trained");
    assert.equal(kept.size, 0);
    for (const { name, run: { connections, initial } } of runs) {
      measurer.end(name, { connections, parameters: initial });
    }
    assert.equal(await measurer.work(0), 3);
    assert.equal(kept.size, 0);
    assert.equal(await measurer.work(Infinity), 0);
    assert.deepEqual([...kept.keys()], runs.map(({ name }) => name));
    for (const { initial, trained } of kept.values()) {
      assert.deepEqual(trained, initial);
      assert.ok(trained.spectralRadius > 0 && trained.activity > 0);
    }
  });
});

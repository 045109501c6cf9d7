import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { baselineOf, taskFacts } from "../../src/analysis/summary.ts";
import type { Plain } from "../../src/results/experiment_record.ts";
import { exampleRecord } from "../results/example_results.ts";

function folder(
  parameters: Readonly<Record<string, Plain>>,
  name = "seq_mem",
) {
  return {
    path: "",
    combinations: [],
    warnings: [],
    experiment: exampleRecord({ task: { name, loss: "mse", parameters } }),
  };
}

describe("baselineOf()", () => {
  it("is the variance of the values that sequence memory shows", () => {
    const of = (range?: [number, number]) =>
      baselineOf(
        {
          name: "seq_mem",
          loss: "mse",
          ...(range === undefined ? {} : { range }),
        },
        "loss",
      );
    assert.deepEqual([of()?.value, of()?.label], [
      1 / 12,
      "predicting the mean (1/12)",
    ]);
    assert.equal(of([0, 10])?.value, 100 / 12);
    assert.equal(of([0, 10])?.label, "predicting the mean (8.333)");
    assert.equal(of([-1, 1])?.value, 4 / 12);
    assert.equal(of([2, 2]), undefined);
  });

  it("is chance for two classes", () => {
    const facts = { name: undefined, loss: "nll" } as const;
    assert.equal(baselineOf(facts, "loss")?.value, Math.LN2);
    assert.equal(baselineOf(facts, "accuracy")?.value, 50);
  });

  it("is chance for as many classes as a task of one's own has", () => {
    const { experiment, ...rest } = folder({}, "my_task");
    const own = {
      ...rest,
      experiment: {
        ...experiment,
        task: { ...experiment.task, loss: "nll" as const },
        size: { ...experiment.size, outputSize: 5 },
      },
    };
    const facts = taskFacts([own, own]);
    assert.equal(baselineOf(facts, "loss")?.value, Math.log(4));
    assert.equal(baselineOf(facts, "loss")?.label, "chance (ln 4)");
    assert.equal(baselineOf(facts, "accuracy")?.label, "chance (25 %)");
  });

  it("is not known for an unknown task", () => {
    assert.equal(
      baselineOf({ name: undefined, loss: undefined }, "loss"),
      undefined,
    );
  });
});

describe("taskFacts()", () => {
  it("takes low and high from the record, or from the combination", () => {
    const ten = folder({ low: 0, high: 10 });
    assert.deepEqual(taskFacts([ten, ten]), {
      name: "seq_mem",
      loss: "mse",
      range: [0, 10],
    });
    assert.deepEqual(taskFacts([folder({})], { high: 4 }).range, [0, 4]);
  });

  it("knows no one baseline of values in different ranges", () => {
    const facts = taskFacts([folder({ high: 1 }), folder({ high: 2 })]);
    assert.equal(baselineOf(facts, "loss"), undefined);
  });
});

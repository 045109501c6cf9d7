import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import type { Plain } from "../../src/results/experiment_record.ts";
import type { CombinationCurves } from "../../src/results/data_files.ts";
import {
  baselineOf,
  summarizeLoss,
  summarizeResults,
  taskFacts,
} from "../../src/analysis/summary.ts";
import {
  alike,
  curves,
  exampleRecord,
  falling,
  resultsOf,
} from "../results/example_results.ts";

interface Tensor {
  readonly shape: number[];
  readonly data: number[];
}
const golden: {
  readonly cases: {
    readonly label: string;
    readonly start: number;
    readonly losses: Tensor;
    readonly min_loss: Tensor;
    readonly min_loss_epoch: Tensor;
    readonly min_loss_epoch_99: Tensor;
  }[];
} = JSON.parse(
  Deno.readTextFileSync(
    new URL("../golden/loss_summary.json", import.meta.url),
  ),
);

/** Results of one combination, the fifth. */
function fifth(combination: CombinationCurves) {
  return resultsOf([{ index: 4, title: "(1,)", ...combination }], {
    path: "bio",
  });
}

describe("summarizeLoss()", () => {
  for (const { label, start, losses, ...expected } of golden.cases) {
    it(`equals NumPy for the reference case "${label}"`, () => {
      const [runs = 0, epochs = 0] = losses.shape;
      for (let i = 0; i < runs; i++) {
        const curve = losses.data.slice(i * epochs, (i + 1) * epochs);
        const summary = summarizeLoss(Float64Array.from(curve), { start });
        // The original counts epochs from the first one that it keeps.
        assert.deepEqual(
          summary && [
            summary.minLoss,
            summary.minLossEpoch - start,
            summary.epoch99! - start,
          ],
          [
            expected.min_loss.data[i],
            expected.min_loss_epoch.data[i],
            expected.min_loss_epoch_99.data[i],
          ],
        );
      }
    });
  }

  it("tells a curve that never changes from one that diverged", () => {
    const of = (...values: number[]) =>
      summarizeLoss(Float64Array.from(values));
    const constant = {
      minLoss: 1,
      minLossEpoch: 1,
      epoch99: undefined,
      stillFalling: false,
    };
    assert.deepEqual(of(9, 1, 1, 1), constant);
    assert.deepEqual(of(9, 1), constant);
    assert.deepEqual(of(1), { ...constant, minLossEpoch: 0 });
    assert.equal(of(9, 1, NaN), undefined);
    assert.equal(of(9, 1, Infinity), undefined);
    assert.equal(of(), undefined);
    assert.equal(of(NaN, 1, 2)?.minLoss, 1);
  });

  it("gives epochs in order that have the losses they stand for", () => {
    const loss = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(fc.property(fc.array(loss, { minLength: 2 }), (values) => {
      const losses = Float64Array.from(values);
      const summary = summarizeLoss(losses, { start: 0 });
      assert.ok(summary !== undefined);
      assert.equal(summary.minLoss, Math.min(...values));
      assert.equal(losses[summary.minLossEpoch], summary.minLoss);
      if (summary.epoch99 === undefined) {
        assert.equal(new Set(values).size, 1);
      } else assert.ok(summary.epoch99 <= summary.minLossEpoch);
    }));
  });

  it("knows a curve that still falls from one that has flattened", () => {
    const decay = (speed: number, epochs = 500) =>
      summarizeLoss(
        Float64Array.from({ length: epochs }, (_, e) => Math.exp(-speed * e)),
      );
    assert.equal(decay(0.002)?.stillFalling, true);
    assert.equal(decay(0.1)?.stillFalling, false);
    assert.ok((decay(0.002)?.epoch99 ?? 0) > 480);
    // Of three epochs the last one is the end.
    assert.equal(decay(0.5, 3)?.stillFalling, true);
    const flat = Float64Array.of(9, 1, 0.1, 0.1, 0.1, 0.1);
    assert.equal(summarizeLoss(flat)?.stillFalling, false);
  });
});

describe("summarizeResults()", () => {
  it("names runs that diverged, and those that never change", () => {
    const { runs, warnings } = summarizeResults(fifth(alike(
      curves([9, 3, 2, 1], [9, 1, 1, 1], [9, 1, NaN, NaN]),
      curves([50, 60, 70, 80], [50, 50, 50, 50], [50, 0, 0, 0]),
    )));
    assert.deepEqual(runs.map(({ minLoss }) => minLoss), [1, 1, undefined]);
    assert.deepEqual(
      runs.map(({ finalAccuracy }) => finalAccuracy),
      [80, 50, undefined],
    );
    assert.deepEqual(warnings, [
      "bio: combination 4 (1,): iteration 2 from epoch 2 on diverged (NaN or infinite); diverged runs count as the worst in the tests",
      "bio: combination 4 (1,): the validation loss of iteration 1 never changes, so that no epoch stands out",
    ]);
  });

  it("takes the record's word that a run failed, though its losses look well", () => {
    const results = {
      ...fifth(alike(falling([0.1, 0.2]))),
      experiment: exampleRecord({
        failures: [{ combination: 4, iteration: 1, epoch: 3, what: "NaN" }],
      }),
    };
    const { runs } = summarizeResults(results);
    assert.deepEqual(runs.map(({ minLoss }) => minLoss === undefined), [
      false,
      true,
    ]);
    // It failed later than what is looked at.
    const cut = summarizeResults(results, { epochs: 3 });
    assert.ok(cut.runs.every(({ minLoss }) => minLoss !== undefined));
  });

  it("cuts curves to the epochs that are compared", () => {
    const curve = curves([9, 5, 4, 3, 2, 1]);
    const { runs } = summarizeResults(fifth(alike(curve, curve)), {
      epochs: 4,
    });
    assert.equal(runs[0]?.minLoss, 3);
    assert.equal(runs[0]?.minLossEpoch, 3);
    assert.equal(runs[0]?.finalAccuracy, 3);
  });

  it("has no accuracy for iterations whose accuracy was not stored", () => {
    const { runs, warnings } = summarizeResults(
      fifth(alike(falling([0.1, 0.2]), falling([50]))),
    );
    assert.equal(typeof runs[0]?.finalAccuracy, "number");
    assert.equal(runs[1]?.finalAccuracy, undefined);
    assert.equal(runs[1]?.minLossEpoch, 11);
    assert.deepEqual(warnings, []);
  });

  it("does not call the one epoch that is left a fault", () => {
    for (const epochs of [1, 2]) {
      const { runs, warnings } = summarizeResults(
        fifth(alike(falling([0.1], epochs))),
      );
      assert.deepEqual(warnings, []);
      assert.ok(runs[0]?.minLoss !== undefined);
    }
  });
});

function folder(
  parameters: Readonly<Record<string, Plain>>,
  name = "seq_mem",
) {
  const experiment = exampleRecord({ task: { name, loss: "mse", parameters } });
  return { ...resultsOf([]), experiment };
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

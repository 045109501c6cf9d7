import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import type { CombinationCurves } from "../../src/results/results_folder.ts";
import { summarizeLoss, summarizeResults } from "../../src/analysis/summary.ts";
import { alike, curves, falling } from "../results/example_results.ts";

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

function resultsOf(combination: CombinationCurves) {
  return {
    path: "bio",
    experiment: undefined,
    combinations: [{ index: 4, title: "(1,)", parameters: {}, ...combination }],
    warnings: [],
  };
}

describe("summarizeLoss()", () => {
  for (const { label, start, losses, ...expected } of golden.cases) {
    it(`equals NumPy for the reference case "${label}"`, () => {
      const [runs = 0, epochs = 0] = losses.shape;
      for (let i = 0; i < runs; i++) {
        const curve = losses.data.slice(i * epochs, (i + 1) * epochs);
        assert.deepEqual(summarizeLoss(Float64Array.from(curve), { start }), {
          minLoss: expected.min_loss.data[i],
          minLossEpoch: expected.min_loss_epoch.data[i],
          epoch99: expected.min_loss_epoch_99.data[i],
        });
      }
    });
  }

  it("says why there is no summary", () => {
    const of = (...values: number[]) =>
      summarizeLoss(Float64Array.from(values));
    assert.equal(of(9, 1, 1, 1), "constant");
    assert.equal(of(9, 1), "constant");
    assert.equal(of(9), "constant");
    assert.equal(of(9, 1, NaN), "not a number");
    assert.equal(of(9, 1, Infinity), "not a number");
    assert.notEqual(of(NaN, 1, 2), "not a number");
  });

  it("gives epochs in order that have the losses they stand for", () => {
    const loss = fc.double({ min: 0, max: 100, noNaN: true });
    fc.assert(fc.property(fc.array(loss, { minLength: 2 }), (values) => {
      const losses = Float64Array.from(values);
      const summary = summarizeLoss(losses, { start: 0 });
      if (typeof summary === "string") {
        assert.equal(new Set(values).size, 1);
        return;
      }
      const { minLoss, minLossEpoch, epoch99 } = summary;
      assert.equal(minLoss, Math.min(...values));
      assert.equal(losses[minLossEpoch], minLoss);
      assert.ok(epoch99 <= minLossEpoch);
    }));
  });
});

describe("summarizeResults()", () => {
  it("names the runs that it leaves out, and why", () => {
    const { runs, warnings } = summarizeResults(resultsOf(alike(
      curves([9, 3, 2, 1], [9, 1, 1, 1], [9, 1, NaN, NaN]),
      curves([50, 60, 70, 80], [50, 50, 50, 50], [50, 0, 0, 0]),
    )));
    assert.deepEqual(runs, [
      {
        combination: 4,
        iteration: 0,
        loss: { minLoss: 1, minLossEpoch: 2, epoch99: 2 },
        finalAccuracy: 80,
      },
      {
        combination: 4,
        iteration: 1,
        loss: undefined,
        finalAccuracy: undefined,
      },
      {
        combination: 4,
        iteration: 2,
        loss: undefined,
        finalAccuracy: undefined,
      },
    ]);
    assert.deepEqual(warnings, [
      "bio: the validation loss of combination 4 (1,), iteration 1, is constant; the run is left out of the statistics",
      "bio: the validation loss of combination 4 (1,), iteration 2, is not a number from epoch 2 on; the run is left out of the statistics",
    ]);
  });

  it("has no accuracy for iterations whose accuracy was not stored", () => {
    const { runs, warnings } = summarizeResults(
      resultsOf(alike(falling([0.1, 0.2]), falling([50]))),
    );
    assert.equal(typeof runs[0]?.finalAccuracy, "number");
    assert.equal(runs[1]?.finalAccuracy, undefined);
    assert.equal(runs[1]?.loss?.minLossEpoch, 10);
    assert.deepEqual(warnings, []);
  });

  it("says that a curve is too short for what is left out", () => {
    const { warnings } = summarizeResults(
      resultsOf(alike(falling([0.1], 3))),
      { start: 5 },
    );
    assert.match(warnings[0] ?? "", /has 3 epochs only/);
  });

  it("does not call the one epoch that is left constant", () => {
    for (const [epochs, text] of [[1, "1 epoch"], [2, "2 epochs"]] as const) {
      const { warnings } = summarizeResults(
        resultsOf(alike(falling([0.1], epochs))),
      );
      assert.ok(warnings[0]?.includes(`has ${text} only`), warnings[0]);
    }
  });
});

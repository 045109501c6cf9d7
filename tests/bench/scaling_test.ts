import assert from "node:assert/strict";
import { createEnsemble } from "../../src/engine/create_ensemble.ts";
import { scalingFigure } from "../../bench/scaling_figure.ts";
import { scalingProblem } from "../../bench/scaling_problem.ts";
import type { Scaling } from "../../bench/scaling.ts";
import { scalingPoints } from "../../bench/scaling.ts";
import { describe, it } from "../../src/compat/testing.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import {
  countConnections,
  denseMask,
  findConnectionProblem,
} from "../../src/graph/connections.ts";
import { renderSvg } from "../../src/viz/render.ts";

describe("scalingProblem()", () => {
  it("connects the share of regions that is asked for, in whole blocks", () => {
    const { runs } = scalingProblem({
      models: 1,
      hiddenSize: 402,
      steps: 7,
      density: 0.3,
      batch: 4,
    });
    const { connections } = runs[0]!;
    assert.equal(findConnectionProblem(connections), undefined);
    const mask = denseMask(connections);
    const share = countConnections(connections) / mask.length;
    // 101² blocks: a standard deviation of 0.0045.
    assert.ok(Math.abs(share - 0.3) < 0.02, String(share));
    for (let block = 0; block < 100; block++) {
      const at = 4 * block * 402 + 4 * block;
      assert.equal(mask[at], mask[at + 3 * 402 + 3]);
    }
  });

  it("gives models that train", async () => {
    const spec = scalingProblem({
      models: 4,
      hiddenSize: 20,
      steps: 7,
      density: 0.5,
      batch: 16,
    });
    const ensemble = await createEnsemble(createReferenceEngine(), spec);
    const { trainLoss, validateLoss } = await ensemble.train(40);
    assert.ok(trainLoss.every(Number.isFinite));
    assert.ok(validateLoss.every(Number.isFinite));
    for (let model = 0; model < 4; model++) {
      const first = trainLoss[model * 40] as number;
      assert.ok((trainLoss[model * 40 + 39] as number) < first);
    }
  });
});

describe("scalingPoints()", () => {
  it("varies one size at a time, but keeps the work alike over H", () => {
    const points = scalingPoints(true);
    const sizes = points.filter(({ axis }) => axis === "hiddenSize");
    assert.deepEqual(
      sizes.map(({ point }) => [point.hiddenSize, point.models]),
      [[116, 432], [220, 120], [440, 30], [880, 8], [1760, 2], [4096, 1]],
    );
    const models = points.filter(({ axis }) => axis === "models");
    assert.equal(new Set(models.map((one) => one.point.hiddenSize)).size, 1);
    assert.equal(models.at(-1)?.point.models, 1024);
  });
});

describe("scalingFigure()", () => {
  it("draws the points that were measured", async () => {
    const point = {
      models: 8,
      hiddenSize: 220,
      steps: 7,
      density: 1,
      batch: 8,
    };
    const scaling: Scaling = {
      format: "biornn-scaling/1",
      command: "",
      machine: { cpu: "", cores: 1, system: "", deno: "" },
      adapter: "an adapter",
      times: [
        { ...point, axis: "models", milliseconds: 12.5, gflops: 1 },
        { ...point, models: 16, axis: "models", milliseconds: 7.25, gflops: 2 },
        {
          ...point,
          axis: "steps",
          milliseconds: null,
          gflops: null,
          skipped: "it does not fit",
        },
      ],
    };
    const svg = await renderSvg(scalingFigure(scaling));
    for (const text of ["12.5", "7.25", "models in the ensemble"]) {
      assert.ok(svg.includes(`>${text}<`), text);
    }
    assert.ok(!svg.includes("time steps T"));
  });
});

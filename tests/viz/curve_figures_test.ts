import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import type { Curves } from "../../src/results/data_files.ts";
import { curveFigure } from "../../src/viz/curve_figures.ts";
import type { Drawing } from "../../src/viz/figure.ts";
import { renderSvg } from "../../src/viz/render.ts";
import { rowsOf } from "./drawn.ts";

function curves(runs: readonly (readonly number[])[]): Curves {
  return {
    iterations: runs.length,
    epochs: runs[0]?.length ?? 0,
    values: Float64Array.from(runs.flat()),
  };
}

const OPTIONS: Parameters<typeof curveFigure>[1] = {
  title: "lr 1e-4 · relu · Adam · length 3",
  quantity: "loss",
  axis: "loss (MSE)",
  labels: ["bio", "rand"],
  baseline: {
    value: 1 / 12,
    label: "predicting the mean (1/12)",
    beaten: 0.079,
  },
  width: 85,
};

const LABELS = [
  {
    label: "bio",
    training: curves([[9, 0.2, 0.1], [9, 0.4, 0.3]]),
    validation: curves([[9, 0.3, 0.2], [9, 0.5, 0.4]]),
  },
  { label: "rand", training: curves([[9, 0.25, 0.15], [9, 0.35, 0.2]]) },
];

function drawn(figure: Drawing | undefined): Drawing {
  assert.ok(figure);
  return figure;
}

/** Points with an epoch and a value; those of the legend have none. */
function circles(svg: string): number {
  return svg.match(/aria-roledescription="point"/g)?.length ?? 0;
}

describe("curveFigure()", () => {
  it("draws mean and sample standard deviation over the runs", () => {
    const figure = drawn(curveFigure(LABELS, OPTIONS).figure);
    const rows = rowsOf(figure, "middle").filter(({ label, split }) =>
      label === "bio" && split === "training"
    );
    assert.deepEqual(
      rows.map((
        { epoch, middle, low, high, n },
      ) => [epoch, middle, low, high, n]),
      [
        [1, 0.3, 0.158579, 0.441421, 2],
        [2, 0.2, 0.0585786, 0.341421, 2],
      ],
    );
  });

  it("draws every run, and leaves out the first epoch", () => {
    const figure = drawn(curveFigure(LABELS, OPTIONS).figure);
    const rows = rowsOf(figure, "runs");
    assert.equal(rows.length, 3 * 2 * 2);
    assert.deepEqual(
      rows.filter((row) =>
        row.label === "bio" && row.split === "validation" && row.iteration === 1
      ).map(({ epoch, value }) => [epoch, value]),
      [[1, 0.5], [2, 0.4]],
    );
    assert.ok(
      [...rows, ...rowsOf(figure, "middle")].every(({ epoch }) =>
        (epoch as number) >= 1
      ),
    );
  });

  it("compiles without a warning, with the combination as title and real text", async () => {
    const svg = await renderSvg(drawn(curveFigure(LABELS, OPTIONS).figure));
    assert.match(svg, /<text[^>]*>lr 1e-4 · relu · Adam · length 3<\/text>/);
    for (
      const text of [
        "bio",
        "rand",
        "training",
        "validation",
        "epoch",
        "loss (MSE)",
      ]
    ) {
      assert.ok(svg.includes(`>${text}</text>`), text);
    }
    assert.match(svg, /<svg[^>]* width="321"/);
  });

  it("draws the baseline at its value", async () => {
    const svg = await renderSvg(drawn(curveFigure(LABELS, OPTIONS).figure));
    for (const line of ["predicting", "the mean", "(1/12)"]) {
      assert.ok(svg.includes(`>${line}<`), line);
    }
    const without = await renderSvg(
      drawn(curveFigure(LABELS, { ...OPTIONS, baseline: undefined }).figure),
    );
    assert.ok(!without.includes("1/12"));
  });

  it("says so on the axis where the scale is logarithmic", async () => {
    const wide = [{
      label: "bio",
      training: curves([[9, 1, 0.02], [9, 1, 0.03]]),
    }];
    const svg = await renderSvg(drawn(curveFigure(wide, OPTIONS).figure));
    assert.ok(svg.includes(">loss (MSE, log scale)</text>"));
    assert.ok(!svg.includes("NaN"));
  });

  it("draws median and quartiles on a logarithmic scale, which can't fall below 0", () => {
    const wide = [{
      label: "bio",
      training: curves([[9, 1, 0.001], [9, 1, 2], [9, 1, 0.01]]),
    }];
    const { figure } = curveFigure(wide, OPTIONS);
    const [, last] = rowsOf(drawn(figure), "middle");
    assert.deepEqual([last?.low, last?.middle, last?.high], [
      0.0055,
      0.01,
      1.005,
    ]);
    assert.match(
      figure!.caption,
      /median \(lines\) and quartiles \(bands\) of 3 runs/,
    );
  });

  it("writes the baseline's name beside the plot, not over the curves", () => {
    const { spec } = drawn(curveFigure(LABELS, OPTIONS).figure);
    interface Layer {
      mark?: { type: string };
      layer?: Layer[];
      encoding: { y: { axis?: { orient?: string; values?: number[] } | null } };
    }
    const flat = (
      one: Layer,
    ): Layer[] => [one, ...(one.layer ?? []).flatMap(flat)];
    const layers = (spec.layer as unknown as Layer[]).flatMap(flat);
    assert.ok(layers.every(({ mark }) => mark?.type !== "text"));
    const right = layers.filter(({ encoding }) =>
      encoding.y.axis?.orient === "right"
    );
    assert.deepEqual(right.map(({ encoding }) => encoding.y.axis?.values), [[
      1 / 12,
    ]]);
  });

  it("leaves out and names curves that are NaN or never change", () => {
    const { figure, leftOut } = curveFigure([{
      label: "bio",
      training: curves([[9, 0.2, 0.1], [9, NaN, 0.3], [9, 0.5, 0.5]]),
    }], OPTIONS);
    assert.deepEqual(leftOut, [
      { label: "bio", split: "training", iteration: 1, reason: "not finite" },
      { label: "bio", split: "training", iteration: 2, reason: "constant" },
    ]);
    assert.deepEqual(
      rowsOf(drawn(figure), "middle").map(({ middle, n }) => [middle, n]),
      [[0.2, 1], [0.1, 1]],
    );
  });

  it("draws accuracies that never change", () => {
    const { leftOut } = curveFigure([
      { label: "bio", training: curves([[50, 50, 50]]) },
    ], { ...OPTIONS, quantity: "accuracy" });
    assert.deepEqual(leftOut, []);
  });

  it("draws a single run, which has no band", async () => {
    const figure = drawn(
      curveFigure([
        { label: "bio", training: curves([[9, 0.3, 0.2]]) },
      ], OPTIONS).figure,
    );
    assert.match(figure.caption, /: one run; /);
    const svg = await renderSvg(figure);
    // Epochs are whole numbers: 1 and 2, and nothing between.
    assert.equal(svg.match(/>1<\/text>/g)?.length, 1);
    assert.equal(svg.match(/>2<\/text>/g)?.length, 1);
  });

  for (
    const { epochs, left, caption } of [
      { epochs: [0.4], left: 0, caption: /there is one\./ },
      { epochs: [9, 0.4], left: 1, caption: /the first is left out/ },
    ]
  ) {
    for (const count of [1, 3]) {
      it(`draws a circle where epoch ${left} alone is left, of ${count} runs`, async () => {
        const runs = Array.from(
          { length: count },
          (_, i) => epochs.map((loss) => loss + i / 10),
        );
        const figure = drawn(
          curveFigure([
            { label: "bio", training: curves(runs), validation: curves(runs) },
          ], OPTIONS).figure,
        );
        assert.match(figure.caption, caption);
        assert.deepEqual(
          rowsOf(figure, "middle").map(({ epoch, n }) => [epoch, n]),
          [[left, count], [left, count]],
        );
        assert.equal(circles(await renderSvg(figure)), 2);
      });
    }
  }

  it("draws a circle beside the lines of others", async () => {
    const figure = drawn(
      curveFigure([...LABELS, {
        label: "short",
        validation: curves([[9, 0.2]]),
      }], {
        ...OPTIONS,
        labels: ["bio", "rand", "short"],
      }).figure,
    );
    assert.equal(circles(await renderSvg(figure)), 1);
  });

  it("makes no figure of nothing", () => {
    const { figure, leftOut } = curveFigure([
      { label: "bio", training: curves([[9, NaN, 1]]) },
    ], OPTIONS);
    assert.equal(figure, undefined);
    assert.equal(leftOut.length, 1);
  });

  it("gives a label its colour where another one has no curve", async () => {
    const only = LABELS.slice(1);
    const svg = await renderSvg(drawn(curveFigure(only, OPTIONS).figure));
    assert.ok(svg.includes("#1f9d94"));
    assert.ok(!svg.includes("#2e2565"));
  });

  it("wraps the legend of many labels, so that none is cut off", async () => {
    const labels = [..."abcdefgh"].map((letter) => `${letter}_connectome`);
    const figure = drawn(
      curveFigure(labels.map((label) => ({ ...LABELS[0], label })), {
        ...OPTIONS,
        labels,
      }).figure,
    );
    const svg = await renderSvg(figure);
    for (const label of labels) assert.ok(svg.includes(`>${label}</text>`));
    // Nothing sticks out: the picture was not wider than it should be.
    assert.match(svg, / viewBox="0 0 321 /);
  });

  it("takes labels and titles for text, whatever they look like", async () => {
    const label = `</svg><script>alert(1)</script> "' \\ \${datum} [x].y`;
    const figure = drawn(
      curveFigure([{ ...LABELS[0], label }], {
        ...OPTIONS,
        title: label,
        labels: [label],
      }).figure,
    );
    const svg = await renderSvg(figure);
    assert.ok(!svg.includes("<script"));
    assert.ok(svg.includes("&lt;script&gt;"));
  });
});

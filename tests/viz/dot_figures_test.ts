import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import type { Comparison } from "../../src/analysis/comparison.ts";
import {
  type Cell,
  cellFigures,
  measureFigure,
} from "../../src/viz/dot_figures.ts";
import { textsOf } from "./drawn.ts";

function change(label: string, measure: string, random: number) {
  return { label, measure, biological: 2, random };
}

describe("measureFigure()", () => {
  const LABELS = ["bio", ..."abcdefghijkl"];

  it("draws the relative change of each measure, and nothing of what was not computed", async () => {
    const figure = measureFigure([
      change("degrees", "density", 2),
      change("degrees", "modularity", 1),
      change("degrees", "path length", NaN),
      { ...change("degrees", "reciprocity", 1), biological: 0 },
    ], { labels: ["bio", "degrees"], width: 85 })!;
    const [panel] = figure.spec.concat as unknown as {
      data: { values: { measure: string; change: number }[] };
    }[];
    assert.deepEqual(
      panel!.data.values.map((row) => [row.measure, row.change]),
      [["density", 0], ["modularity", -0.5]],
    );
    const texts = await textsOf(figure);
    for (const text of ["density", "modularity", "degrees"]) {
      assert.ok(texts.includes(text), text);
    }
    assert.equal(
      measureFigure([], { labels: LABELS, width: 85 }),
      undefined,
    );
  });

  for (const count of [1, 3, 12]) {
    it(`names all of ${count} null models at both widths`, async () => {
      const labels = LABELS.slice(0, count + 1);
      const changes = labels.slice(1).flatMap((label, i) => [
        change(label, "density", 2 + i / 10),
        change(label, "in-degree, standard deviation", 2 - i / 10),
        change(label, "rich club (density of what has most connections)", 3),
      ]);
      for (const width of [85, 178] as const) {
        const texts = await textsOf(measureFigure(changes, { labels, width })!);
        for (const label of labels.slice(1)) assert.ok(texts.includes(label));
        for (const name of ["in-degree (sd)", "rich club"]) {
          assert.ok(texts.includes(name), name);
        }
      }
    });
  }

  it("has a logarithmic axis where a null model changed much", async () => {
    const texts = await textsOf(
      measureFigure([
        change("a", "reciprocity", 30),
        change("a", "density", 1.9),
      ], { labels: LABELS, width: 178 })!,
    );
    assert.ok(texts.includes("+1000%"));
    assert.ok(texts.includes("+100%"));
  });
});

/** A comparison over all combinations. */
function comparison(label: string, estimate: number): Comparison {
  return {
    measure: "minLoss",
    combination: undefined,
    reference: { label: "bio" },
    other: { label },
    effectName: "rank-biserial correlation",
    effect: { estimate, low: estimate - 0.1, high: estimate + 0.1 },
    holm: { p: 0.01 },
    lower: 1,
    higher: 0,
  } as Comparison;
}

function cells(count: number): Cell[] {
  return Array.from({ length: count }, (_, i) => ({
    name: `cell ${i}`,
    comparisons: ["permute", "degrees", "regions"].map((label, k) =>
      comparison(label, k / 10)
    ),
  }));
}

describe("cellFigures()", () => {
  it("draws a row an arm below the name of its experiment", async () => {
    const figures = cellFigures(cells(2), { width: 178 });
    assert.equal(figures.length, 1);
    const texts = await textsOf(figures[0]!);
    for (const text of ["cell 0", "cell 1", "permute", "regions"]) {
      assert.ok(texts.includes(text), text);
    }
    assert.equal(texts.filter((text) => text === "degrees").length, 2);
  });

  it("has a page for some 60 rows, and never cuts an experiment in two", async () => {
    const pages = cellFigures(cells(40), { width: 85 });
    assert.equal(pages.length, 3);
    const all = (await Promise.all(pages.map(textsOf))).map((texts) =>
      texts.filter((text) => text.startsWith("cell")).length
    );
    assert.deepEqual(all, [15, 15, 10]);
  });

  it("leaves out experiments of which nothing was compared", () => {
    const none = { name: "none", comparisons: [comparison("permute", NaN)] };
    assert.deepEqual(cellFigures([none], { width: 85 }), []);
  });
});

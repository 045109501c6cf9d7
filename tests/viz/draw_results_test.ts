import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { readResultsFolder } from "../../src/results/results_folder.ts";
import { summarizeLoss } from "../../src/analysis/summary.ts";
import { planFigures } from "../../src/viz/draw_results.ts";
import { compareLabels } from "../../src/analysis/compare.ts";
import type { LabelledResults } from "../../src/analysis/match.ts";
import type { Figure } from "../../src/viz/figure.ts";
import { boxFigure } from "../../src/viz/run_figures.ts";
import { encodeSafetensors } from "../../src/files/safetensors.ts";
import { modelName } from "../../src/results/layout.ts";
import { renderSvg } from "../../src/viz/render.ts";
import { rowsOf, textsOf } from "./drawn.ts";
import { makeNetworks } from "./make_networks.ts";
import { withFolder } from "../with_folder.ts";
import { makeResults, type ResultsOptions } from "./make_results.ts";

type Options = Omit<ResultsOptions, "folder">;

/** Reads folders made with these options, labelled bio, rand, … */
async function folders(...all: readonly Options[]) {
  return await withFolder(async (root) => {
    return await Promise.all(all.map(async (options, i) => {
      const folder = join(root, String(i));
      await makeResults({ seed: i, ...options, folder });
      // What is drawn here needs no file, and the folder is removed.
      const results = { ...await readResultsFolder(folder), path: "" };
      return { label: ["bio", "rand", "other"][i]!, results };
    }));
  });
}

const SMALL: Options = {
  grid: {
    lr: [0.001, 0.0001],
    nonlinearity: ["relu", "tanh"],
    optimizer: ["Adam"],
    pattern_length: [3, 5],
  },
  iterations: 2,
  epochs: 12,
};
const ALL = {};

/** All figures, and what is said of those left out. */
async function buildFigures(
  folders: readonly LabelledResults[],
  options: Parameters<typeof planFigures>[1],
) {
  const warnings: string[] = [];
  const figures = (await planFigures(folders, options)).flatMap(
    ({ name, build }) => {
      const drawing = build(warnings);
      return drawing ? [{ name, ...drawing }] : [];
    },
  );
  return { figures, warnings };
}

describe("planFigures()", () => {
  it("makes overviews, box plots and a figure a combination that all compile without warnings", async () => {
    const { figures, warnings } = await buildFigures(
      await folders(SMALL, SMALL),
      ALL,
    );
    assert.deepEqual(warnings, []);
    assert.deepEqual(figures.slice(0, 4).map(({ name }) => name), [
      "overview_loss",
      "overview_minimum",
      "boxplots",
      "loss_00_lr-0.001_relu_adam_pattern_length-3",
    ]);
    assert.equal(figures.length, 3 + 8);
    for (const figure of figures) assert.ok((await textsOf(figure)).length > 5);
  });

  it("draws accuracies of n-back, with chance levels as lines", async () => {
    const grid = {
      lr: [0.001],
      nonlinearity: ["relu", "tanh"],
      n_back: [2, 3],
    };
    const { figures } = await buildFigures(
      await folders({ ...SMALL, grid, task: "nback_mem" }),
      ALL,
    );
    const named = (start: string) =>
      figures.find(({ name }) => name.startsWith(start)) as Figure;
    const loss = await textsOf(named("loss_00"));
    assert.ok(["chance", "(ln 2)"].every((one) => loss.includes(one)));
    const accuracy = await textsOf(named("accuracy_00"));
    assert.ok(["chance", "(50 %)"].every((one) => accuracy.includes(one)));
    assert.ok(accuracy.includes("accuracy (%)"));
    const boxes = (await textsOf(named("boxplots"))).join(" ");
    assert.match(boxes, /final validation accuracy \(%\)/);
  });

  for (const epochs of [1, 2, 3]) {
    it(`draws single runs of ${epochs} epochs, in the overview too`, async () => {
      const results = await folders({ ...SMALL, iterations: 1, epochs });
      const { figures } = await buildFigures(results, ALL);
      for (const figure of figures) await textsOf(figure);
      const overview = figures.find(({ name }) => name === "overview_loss");
      assert.ok(overview);
      const svg = await renderSvg(overview);
      const circles = svg.match(/aria-roledescription="point"/g) ?? [];
      assert.equal(circles.length, epochs < 3 ? 8 : 0);
    });
  }

  it("draws the overview of a large grid on several pages, each of one learning rate", async () => {
    const lr = [0.001, 0.0001, 0.00001];
    const bio = await folders({
      grid: {
        lr,
        nonlinearity: ["relu", "tanh"],
        optimizer: ["Adam", "SGD"],
        pattern_length: Array.from({ length: 12 }, (_, i) => i + 3),
      },
      iterations: 1,
      epochs: 4,
    });
    const { figures } = await buildFigures(bio, { kinds: ["overview"] });
    const pages = figures.filter(({ name }) => /^overview_loss/.test(name));
    assert.deepEqual(
      pages.map(({ name, title }) => [name, title.split(":")[1]]),
      [
        ["overview_loss_1", " lr 1e-3"],
        ["overview_loss_2", " lr 1e-4"],
        ["overview_loss_3", " lr 1e-5"],
      ],
    );
  });

  it("facets the overview by kind and difficulty", async () => {
    const { figures } = await buildFigures(await folders(SMALL, SMALL), ALL);
    const seen = await textsOf(figures[0] as Figure);
    for (
      const text of [
        "relu",
        "tanh",
        "length 3",
        "length 5",
        "lr 1e-3",
        "lr 1e-4",
      ]
    ) assert.ok(seen.includes(text), `${text} in ${seen}`);
  });

  it("takes any keys of a grid", async () => {
    const grid = { "parameter 1": [1, 2, 3, 4, 5], gate: ["on"], depth: [7] };
    const { figures } = await buildFigures(
      await folders({ ...SMALL, grid }),
      ALL,
    );
    assert.ok((await textsOf(figures[0] as Figure)).includes("parameter 1 5"));
    assert.ok(
      figures.some(({ name }) => name === "loss_04_parameter-1-5_on_depth-7"),
    );
  });

  it("lets a click on a legend choose a label", async () => {
    const { figures } = await buildFigures(await folders(SMALL, SMALL), ALL);
    const { compile } = await import("npm:vega-lite@6.5.0");
    for (const { name, spec, section } of figures) {
      if (section === "summary") continue;
      const text = JSON.stringify(compile(spec as never).spec);
      assert.ok(text.includes('"name":"label_legend_symbols"'), name);
    }
  });

  it("shows the numbers of every run in the box plots", async () => {
    const [bio] = await folders(SMALL);
    assert.ok(bio);
    const { figures } = await buildFigures([bio], { kinds: ["boxplots"] });
    const { concat } = figures[0]?.spec as unknown as {
      concat: { layer: { data: { values: { value: number }[] } }[] }[];
    };
    const expected = bio.results.combinations.flatMap(({ validateLoss }) =>
      [0, 1].map((i) =>
        summarizeLoss(validateLoss.values.subarray(i * 12, (i + 1) * 12))
      )
    );
    const panels = concat.map(({ layer }) =>
      layer.at(-1)!.data.values.map((v) => v.value)
    );
    for (const [i, key] of ["minLoss", "minLossEpoch", "epoch99"].entries()) {
      assert.deepEqual(
        panels[i],
        expected.map((summary) =>
          (summary as unknown as Record<string, number>)[key]
        ),
      );
    }
  });

  it("ends whiskers at the box at least, and keeps points within it", async () => {
    // Of four runs, the last one within reach of a quartile lies inside the box.
    const run = (value: number, iteration: number) => ({
      label: "bio",
      combination: "lr 1e-3",
      parameters: {},
      iteration,
      value,
    });
    const figure = boxFigure([{
      title: "minimum validation loss",
      runs: [1, 10, 11, 12].map(run),
    }], { labels: ["bio"], width: 178 })!;
    interface Values {
      data: { values: Record<string, number>[] };
    }
    const [panel] = figure.spec.concat as unknown as (Values & {
      layer: Values[];
    })[];
    const [box] = panel!.data.values;
    // numpy.percentile([1, 10, 11, 12], [25, 50, 75]); 1 lies 1.5 boxes below.
    assert.deepEqual(
      [box?.bottom, box?.low, box?.median, box?.high, box?.top],
      [7.75, 7.75, 10.5, 11.25, 12],
    );
    for (const { x } of panel!.layer.at(-1)!.data.values) {
      assert.ok(x! > box!.left! && x! < box!.right!);
    }
    await textsOf(figure);
  });

  it("draws boxes of runs that are all equal, at whole epochs", async () => {
    const runs = [0, 1, 2].map((iteration) => ({
      label: "bio",
      combination: "lr 1e-3",
      parameters: {},
      iteration,
      value: 18,
    }));
    const figure = boxFigure([{ title: "epoch", epochs: true, runs }], {
      labels: ["bio"],
      width: 85,
    })!;
    const seen = (await textsOf(figure)).filter((text) => /^\d/.test(text));
    assert.deepEqual(seen, ["17", "18", "19"]);
  });

  it("draws labels and values that Vega or XML could stumble over", async () => {
    const grid = { lr: [0.001, 0.0001], optimizer: ["valueOf", "a\u0007b"] };
    const some = await folders({ ...SMALL, grid }, { ...SMALL, grid });
    const labels = ["constructor", "a\u001b[31m"];
    const { figures } = await buildFigures(
      some.map(({ results }, i) => ({ results, label: labels[i]! })),
      ALL,
    );
    for (const figure of figures) {
      const seen = (await textsOf(figure)).join("");
      // deno-lint-ignore no-control-regex
      assert.ok(!/[\x00-\x08\x0b-\x1f]/.test(seen), figure.title);
      if (figure.section === "loss") {
        assert.match(seen, /constructor/);
        assert.match(seen, /a\\x1b\[31m/);
      }
    }
  });

  it("draws the overview of different tasks, whose panels are not all there", async () => {
    const nback = { lr: [0.001, 0.0001], n_back: [2, 3] };
    const { figures } = await buildFigures(
      await folders(SMALL, { ...SMALL, grid: nback, task: "nback_mem" }),
      { kinds: ["overview"] },
    );
    assert.ok(figures.length >= 2);
    for (const figure of figures) await textsOf(figure);
  });

  it("draws the effects of what was compared, by combination or by pair", async () => {
    const two = await folders(SMALL, SMALL);
    const { rows } = compareLabels(two);
    const [forest] = (await buildFigures(two, {
      kinds: ["overview"],
      comparisons: rows,
    })).figures.filter(({ name }) => name === "effects");
    const seen = await textsOf(forest!);
    assert.ok(seen.includes("over all"));
    assert.ok(seen.includes("lr 1e-3 · relu · Adam · length 3"));
    const three = await folders(SMALL, SMALL, SMALL);
    const pairs = compareLabels(three, { allPairs: true });
    const [all] = (await buildFigures(three, {
      kinds: ["overview"],
      comparisons: pairs.rows,
    })).figures.filter(({ name }) => name === "effects");
    const names = await textsOf(all!);
    for (const pair of ["bio – rand", "bio – other", "rand – other"]) {
      assert.ok(names.includes(pair), pair);
    }
  });

  it("puts combinations together by their parameters, not their numbers", async () => {
    const reversed = {
      ...SMALL.grid,
      lr: [0.0001, 0.001],
      nonlinearity: ["tanh", "relu"],
    };
    const both = await folders(SMALL, { ...SMALL, grid: reversed });
    const { figures } = await buildFigures(both, {
      kinds: ["curves"],
      combination: 0,
    });
    assert.equal(figures.length, 1);
    const rand = both[1]?.results.combinations.find(({ title }) =>
      title === "(0.001, 'relu', 'Adam', 3)"
    );
    assert.equal(rand?.index, 6);
    const first = rowsOf(figures[0] as Figure, "runs").find((row) =>
      row.label === "rand" && row.split === "training"
    );
    assert.equal(
      first?.value,
      Number(rand.trainLoss.values[1]?.toPrecision(6)),
    );
  });

  it("draws folders with different iterations and epochs, and some combinations missing", async () => {
    const { figures, warnings } = await buildFigures(
      await folders(SMALL, {
        ...SMALL,
        iterations: 3,
        epochs: 20,
        grid: { ...SMALL.grid, pattern_length: [5, 10] },
      }),
      ALL,
    );
    assert.deepEqual(warnings, []);
    assert.equal(
      figures.filter(({ section }) => section === "loss").length,
      12,
    );
    for (const figure of figures) await textsOf(figure);
  });

  it("does without the original's missing accuracies and names no unknown loss", async () => {
    const { figures } = await buildFigures(
      await folders({ ...SMALL, original: true }),
      { ...ALL, combination: 0 },
    );
    const curves = figures.find(({ section }) => section === "loss") as Figure;
    const seen = await textsOf(curves);
    assert.ok(seen.includes("loss") || seen.includes("loss (log scale)"));
    assert.ok(!seen.some((text) => text.includes("1/12")));
  });

  it("names the loss of each combination's own task", async () => {
    const nback = { ...SMALL.grid, n_back: [2] };
    const { figures } = await buildFigures(
      await folders(SMALL, { ...SMALL, grid: nback, task: "nback_mem" }),
      ALL,
    );
    const losses = figures.filter(({ section }) => section === "loss");
    const [first, last] = [losses[0], losses.at(-1)] as [Figure, Figure];
    assert.ok((await textsOf(first)).some((text) => text.includes("(MSE")));
    assert.ok((await textsOf(last)).some((text) => text.includes("(NLL")));
    assert.ok(!figures[0]?.title.includes("MSE"));
  });

  it("takes the name of the loss from its user", async () => {
    const { figures } = await buildFigures(await folders(SMALL), {
      kinds: ["curves"],
      combination: 1,
      ylabel: "Verlust",
    });
    const seen = await textsOf(figures[0] as Figure);
    assert.ok(seen.some((text) => text.startsWith("Verlust")));
  });

  it("draws every figure at one and at two columns' width", async () => {
    const some = await folders(SMALL, SMALL);
    for (const [width, pixels] of [[85, 321], [178, 673]] as const) {
      const { figures } = await buildFigures(some, { width });
      for (const figure of figures) {
        const svg = await renderSvg(figure);
        assert.match(svg, new RegExp(`^<svg[^>]* width="${pixels}"`));
        // No text is smaller than 6 points, 8 CSS pixels, when it is printed at that width.
        const [, own] = / viewBox="0 0 ([\d.]+)/.exec(svg) ?? [];
        const sizes = [...svg.matchAll(/font-size="([\d.]+)px"/g)].map((m) =>
          Number(m[1])
        );
        const smallest = Math.min(...sizes) * pixels / Number(own);
        assert.ok(smallest > 7.9, `${figure.name} ${width}: ${smallest}`);
      }
    }
  });

  it("draws the matrices of a folder that has them, with names of regions", async () => {
    await withFolder(async (root) => {
      const folder = join(root, "bio");
      await makeResults({ ...SMALL, folder });
      await makeNetworks(folder, { epochs: 12 });
      const results = await readResultsFolder(folder);
      const { figures } = await buildFigures([{ label: "bio", results }], {
        kinds: ["networks"],
      });
      const [figure] = figures;
      assert.ok(figure);
      const seen = await textsOf(figure);
      for (
        const title of [
          "connectome",
          "scaled network",
          "initial recurrent weights",
          "trained recurrent weights",
        ]
      ) assert.ok(seen.includes(title));
      assert.equal(rowsOf(figure, "pairs")[0]?.from, "R1");
    });
  });

  it("draws what null models changed, beside what runs measured", async () => {
    const [bio, rand] = await folders(SMALL, SMALL);
    const measured = (spectralRadius: number) =>
      new Map([["spectral radius, before training", spectralRadius]]);
    const { figures } = await buildFigures([
      { ...bio!, results: { ...bio!.results, runMeasures: measured(1) } },
      {
        ...rand!,
        results: {
          ...rand!.results,
          runMeasures: measured(0.5),
          nullMeasures: [
            { measure: "connections", biological: 9, random: 9 },
            { measure: "modularity", biological: 0.8, random: 0.4 },
          ],
        },
      },
    ], { kinds: ["measures"] });
    assert.deepEqual(figures.map(({ name }) => name), ["measures"]);
    const [panel] = figures[0]!.spec.concat as unknown as {
      data: { values: { measure: string; change: number; label: string }[] };
    }[];
    assert.deepEqual(
      panel!.data.values.map((row) => [row.label, row.measure, row.change]),
      [
        ["rand", "modularity", -0.5],
        ["rand", "spectral radius, before training", -0.5],
      ],
    );
  });

  it("draws the connectome alone where the network is too large, and says so", async () => {
    await withFolder(async (root) => {
      const folder = join(root, "bio");
      await makeResults({ ...SMALL, folder });
      await makeNetworks(folder, { epochs: 12 });
      await Deno.remove(join(folder, "network.npy"));
      for (const epoch of ["initial", 11] as const) {
        await Deno.writeFile(
          join(folder, "0", modelName({ epoch, iteration: 0 })),
          encodeSafetensors([
            ["crow_indices", new BigInt64Array(20_001)] as const,
            ["col_indices", new BigInt64Array()] as const,
            ["values", new Float32Array()] as const,
          ].map(([part, data]) => ({
            name: `rnn.weight_hh_l0.${part}`,
            shape: [data.length],
            data,
          }))),
        );
      }
      const results = await readResultsFolder(folder);
      const { figures, warnings } = await buildFigures([{
        label: "bio",
        results,
      }], {
        kinds: ["networks"],
      });
      const seen = await textsOf(figures[0]!);
      assert.ok(seen.includes("connectome"));
      assert.ok(!seen.includes("scaled network"));
      assert.ok(!seen.includes("trained recurrent weights"));
      assert.deepEqual(warnings, [
        "bio: the network has 20000 neurons, too many to be drawn one by one; it and its weights are not drawn",
      ]);
    });
  });
});

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { compareLabels } from "../../src/analysis/compare.ts";
import {
  parseNullMeasures,
  parseRunMeasures,
} from "../../src/results/data_files.ts";
import { readResultsFolder } from "../../src/results/results_folder.ts";
import { drawFigures } from "../../src/viz/draw_results.ts";
import { drawable } from "../../src/viz/figure.ts";
import { html, withLinks } from "../../src/viz/page.ts";
import { startReport } from "../../src/viz/report.ts";
import page from "../../src/viz/report_page.js" with { type: "text" };
import { withFolder } from "../with_folder.ts";
import { makeResults } from "./make_results.ts";

const HOSTILE =
  `</script><script>alert(1)</script><img src=x onerror="alert(2)">'`;
const GRID = { lr: [0.001], nonlinearity: ["relu", "tanh"], n_back: [2, 3] };

/** A report of two small folders, the second one with a label of ill will. */
async function makeReport(other = HOSTILE) {
  return await withFolder(async (root) => {
    const folders = await Promise.all(["bio", other].map(async (label, i) => {
      const folder = join(root, String(i));
      await makeResults({
        folder,
        task: "nback_mem",
        grid: GRID,
        iterations: 3,
        epochs: 10,
        seed: i,
      });
      return { label, results: await readResultsFolder(folder) };
    }));
    const figures = await drawFigures(folders);
    const { rows } = compareLabels(folders);
    const report = startReport();
    for (const figure of figures) report.add(figure);
    const text = await report.finish({
      folders,
      comparisons: rows,
      warnings: [`warned of ${other}`],
    });
    return { text, figures, rows };
  });
}

/** The report without the libraries' code and the figures' data. */
function markup(text: string): string {
  return text.replace(/<script[^>]*>[\s\S]*?<\/script>/g, "")
    .replace(/<style>[\s\S]*?<\/style>/g, "");
}

function scripts(text: string): string[] {
  return [...text.matchAll(/<script>([\s\S]*?)<\/script>/g)].map((m) =>
    m[1] as string
  );
}

describe("startReport()", () => {
  it("holds findings, statistics, parameters, figures and what to cite", async () => {
    const { text, figures, rows } = await makeReport("rand");
    const body = markup(text);
    for (const { sentence } of rows.filter((row) => !row.combination)) {
      assert.ok(body.includes(html`${sentence}`.html));
    }
    assert.equal(body.match(/class="plot"/g)?.length, figures.length);
    assert.match(body, /Test_12 \(test animal\)/);
    assert.match(body, /no measured data/);
    assert.match(body, /href="https:\/\/doi\.org\/10\.1000\/1"/);
    assert.match(body, /nr_of_trials 500/);
    assert.match(body, /\[net\]\s+net_name = Test/);
  });

  it("shows whatever measures null models and trainings have, and citations as BibTeX", async () => {
    await withFolder(async (folder) => {
      await makeResults({ folder, grid: GRID, iterations: 1, epochs: 2 });
      const results = await readResultsFolder(folder);
      const nullModel = (label: string, more: string) => ({
        label,
        results: {
          ...results,
          nullMeasures: parseNullMeasures(
            `measure,biological,${label},relative change\r\ndensity,0.5,0.5,0.000\r\n${more}`,
          ),
          runMeasures: parseRunMeasures(
            "iteration,rich_club_initial,rich_club_trained,error\n0,1,3,0\n1,3,3,0\n2,,3,0\n",
          ),
        },
      });
      const text = await startReport().finish({
        folders: [
          nullModel("degrees", "rich club,2,1,-0.500\r\n"),
          nullModel("lattice", "path length,3,6,1.000\r\n"),
        ],
        comparisons: [],
        warnings: [],
      });
      const rows = markup(text).matchAll(/<tr>(.*?)<\/tr>/g).map(([, row]) =>
        row!.replaceAll(/<[^>]*>/g, " ").trim().split(/  +/).join("|")
      ).toArray();
      for (
        const row of [
          "measure|biological|degrees|change|biological|lattice|change",
          "density|0.5|0.5|0 %|0.5|0.5|0 %",
          "rich club|2|1|−50 %|–|–|–",
          "path length|–|–|–|3|6|+100 %",
          "measure|degrees|lattice",
          "rich club, before training|2|2",
          "rich club, after training|3|3",
        ]
      ) assert.ok(rows.includes(row), `${row} in ${rows.join("\n")}`);
      assert.match(
        markup(text),
        /<pre class="copied">@\w+\{\w+,\n {2}\w+ = /,
      );
    });
  });

  it("says where pictures are not the original's", async () => {
    await withFolder(async (folder) => {
      await makeResults({ folder, grid: GRID, iterations: 1, epochs: 2 });
      const { experiment, ...results } = await readResultsFolder(folder);
      assert.ok(experiment);
      const note = "pic_mem shows synthetic digits, where <b>";
      const stimuli = { source: "synthetic digits", synthetic: true, note };
      const text = await startReport().finish({
        folders: [{
          label: "bio",
          results: { ...results, experiment: { ...experiment, stimuli } },
        }],
        comparisons: [],
        warnings: [],
      });
      assert.ok(markup(text).includes(html`<p>Note: ${note}.</p>`.html));
    });
  });

  it("runs its own scripts only, each named by its checksum", async () => {
    const { text } = await makeReport();
    const own = scripts(text);
    assert.equal(own.length, 4);
    const policy = /Content-Security-Policy"\s+content="([^"]*)"/.exec(text)
      ?.[1] ?? "";
    assert.ok(policy.startsWith("default-src &#39;none&#39;"));
    for (const code of own) {
      const hash = createHash("sha256").update(code).digest("base64");
      assert.ok(policy.includes(`sha256-${hash}`));
    }
    assert.ok(!policy.includes("unsafe-inline&#39; &#39;sha"));
  });

  it("shows labels as text, whatever they hold", async () => {
    const { text } = await makeReport();
    const body = markup(text);
    assert.ok(!/<script|<img|onerror="/.test(body));
    assert.ok(body.includes("&lt;img src=x onerror=&quot;alert(2)&quot;&gt;"));
    const data = /<script type="application\/json"[^>]*>([\s\S]*?)<\/script>/
      .exec(text)?.[1];
    assert.ok(data !== undefined && !data.includes("<"));
  });

  it("loads nothing from elsewhere", async () => {
    const { text } = await makeReport("rand");
    const body = markup(text);
    assert.ok(!/\s(src|srcset|data|poster)=/.test(body.replace(/data-/g, "")));
    assert.ok(!/<link|<iframe|<base|@import|url\(/.test(body));
    const addresses = [...body.matchAll(/href="([^"]*)"/g)].map((m) =>
      m[1] as string
    );
    assert.ok(addresses.every((a) => /^(#|https:\/\/doi\.org\/)/.test(a)));
    assert.ok(
      !/url\(|@import/.test(/<style>([\s\S]*?)<\/style>/.exec(text)?.[1] ?? ""),
    );
  });

  it("gives the browser the figures that are drawn elsewhere", async () => {
    const { text, figures } = await makeReport();
    const data = [
      ...text.matchAll(
        /<script type="application\/json"[^>]*>([\s\S]*?)<\/script>/g,
      ),
    ].map((m) => m[1]!);
    assert.equal(data.length, figures.length);
    const drawn = await runPage(data);
    assert.deepEqual(drawn, figures.map(({ spec }) => drawable(spec)));
  });
});

/** Runs the page's script with a browser's bare bones; returns what it draws. */
async function runPage(data: readonly string[]): Promise<unknown[]> {
  const drawn: unknown[] = [];
  const place = { removeAttribute() {} };
  const document = {
    documentElement: { dataset: {} as Record<string, string> },
    getElementById: (id: string) =>
      id.startsWith("data-")
        ? { textContent: data[Number(id.slice(5))], remove() {} }
        : place,
    querySelectorAll: (what: string) =>
      what === ".plot" ? data.map((_, index) => ({ dataset: { index } })) : [],
  };
  const done = Promise.withResolvers<void>();
  const globalThis = {
    vegaEmbed: (_place: unknown, spec: unknown) => {
      drawn.push(spec);
      return Promise.resolve();
    },
    requestIdleCallback: (work: () => void) => {
      queueMicrotask(() => {
        work();
        if (document.documentElement.dataset.ready === "true") done.resolve();
      });
    },
  };
  const run = new Function(
    "document",
    "globalThis",
    "IntersectionObserver",
    "addEventListener",
    page,
  );
  run(
    document,
    globalThis,
    class {
      observe() {}
    },
    () => {},
  );
  await done.promise;
  return drawn;
}

describe("withLinks()", () => {
  it("makes links of DOIs alone, and escapes the rest", () => {
    assert.equal(
      withLinks("<b> https://doi.org/10.1/a-b_c, https://example.org/ x").html,
      '&lt;b&gt; <a href="https://doi.org/10.1/a-b_c" rel="noreferrer">https://doi.org/10.1/a-b_c</a>, https://example.org/ x',
    );
  });
});

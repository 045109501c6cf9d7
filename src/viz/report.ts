/**
 * One HTML file with everything: it works offline and from a mail, as all
 * that it needs is inside, and may load nothing from elsewhere.
 *
 * @module
 */

import { Buffer } from "node:buffer";
import { CATALOGUE, COLLECTION_CITATION } from "../connectome/catalogue.ts";
import type { LabelledResults } from "../analysis/compare.ts";
import type { Comparison } from "../analysis/comparison.ts";
import { taskFacts } from "../analysis/baseline.ts";
import { LOG_BAND_NOTE } from "./curve_figure.ts";
import type { Figure } from "./figure.ts";
import {
  escapeHtml,
  type Html,
  html,
  scriptCode,
  scriptJson,
  withLinks,
} from "./html.ts";
import { packSpec } from "./pack.ts";
import { experimentTable, statisticsSection } from "./report_tables.ts";
import css from "./report.css" with { type: "text" };
import page from "./report_page.js" with { type: "text" };
import { FIGURE_PIXELS, labelColors } from "./theme.ts";
import { browserBuilds } from "./vega.ts";

/** What a report is about. */
export interface ReportContent {
  readonly folders: readonly LabelledResults[];
  readonly figures: readonly Figure[];
  /** From `compareLabels`; none where there is one folder. */
  readonly comparisons: readonly Comparison[];
  /** One sentence each. */
  readonly warnings: readonly string[];
}

async function hashSource(code: string): Promise<string> {
  const bytes = new TextEncoder().encode(code);
  const digest = await crypto.subtle.digest("SHA-256", bytes);
  return `'sha256-${Buffer.from(digest).toString("base64")}'`;
}

/**
 * Makes the report. Only the scripts that are put in here can run in it,
 * whatever labels and other texts say: a policy in its head names them by
 * checksum and forbids all else, and all connections.
 *
 * @returns The text of an HTML file.
 *
 * @example
 * ```ts no-eval
 * import { readResultsFolder } from "./src/results/results_folder.ts";
 * import { buildFigures, FIGURE_KINDS } from "./src/viz/build_figures.ts";
 * import { buildReport } from "./src/viz/report.ts";
 *
 * const folders = [{ label: "bio", results: await readResultsFolder("results/bio") }];
 * const { figures, warnings } = buildFigures(folders, { kinds: FIGURE_KINDS });
 * await buildReport({ folders, figures, comparisons: [], warnings });
 * ```
 */
export async function buildReport(content: ReportContent): Promise<string> {
  const scripts = [...await browserBuilds(), page].map(scriptCode);
  const hashes = await Promise.all(scripts.map(hashSource));
  // Vega makes functions of its expressions, which is what 'unsafe-eval' allows.
  const policy = `default-src 'none'; script-src 'unsafe-eval' ${
    hashes.join(" ")
  }; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'`;
  const title = titleOf(content.folders);
  const figures = scriptJson(
    content.figures.map(({ spec, name }) => ({ name, ...packSpec(spec) })),
  );
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="generator" content="biornn">
<title>${escapeHtml(title)}</title>
<style>${css}</style>
</head>
<body>
${bodyOf(content, title).html}
<script type="application/json" id="figures">${figures}</script>
${scripts.map((code) => `<script>${code}</script>`).join("\n")}
</body>
</html>
`;
}

function titleOf(folders: readonly LabelledResults[]): string {
  const labels = folders.map(({ label }) => label).join(" against ");
  const task = taskFacts(folders.map(({ results }) => results)).name;
  return task === undefined ? labels : `${labels}: ${task}`;
}

const SECTIONS = {
  overview: "Overview",
  summary: "All runs",
  loss: "Combinations: loss",
  accuracy: "Combinations: accuracy",
  networks: "Networks",
} as const;

function bodyOf(content: ReportContent, title: string): Html {
  const { folders, figures, comparisons, warnings } = content;
  const has = (section: Figure["section"]) =>
    figures.some((figure) => figure.section === section);
  const links = [
    ...(has("overview") ? [["overview", SECTIONS.overview] as const] : []),
    ...(has("summary") ? [["summary", SECTIONS.summary] as const] : []),
    ...(comparisons.length > 0 ? [["statistics", "Statistics"] as const] : []),
    ...(has("loss") ? [["loss", SECTIONS.loss] as const] : []),
    ...(has("accuracy") ? [["accuracy", SECTIONS.accuracy] as const] : []),
    ...(has("networks") ? [["networks", SECTIONS.networks] as const] : []),
    ["experiments", "Experiments"] as const,
    ["cite", "How to cite"] as const,
  ];
  return html`
    <header>
      <h1>${title}</h1>
      <p class="lead">${leadOf(folders)}</p>
      <p>${folders.map(({ label }, i) =>
        html`<span class="chip" style="background:${labelColors(
          folders.length,
        )[i] as string}"></span>${label}&emsp;`
      )}</p>
      <nav aria-label="Sections">
        <ul>${links.map(([id, name]) =>
          html`<li><a href="#${id}">${name}</a></li>`
        )}</ul>
      </nav>
    </header>
    <main>
    <noscript><p class="warnings">The figures are drawn by the browser: switch on JavaScript for this file, or open the SVG files beside it.</p></noscript>
    ${findingsOf(comparisons)}${warningsOf(warnings)}
    ${section("overview", figures)}
    ${section("summary", figures)}
    ${statisticsOf(comparisons)}
    ${section("loss", figures)} ${section("accuracy", figures)}
    ${section("networks", figures)}
    <section id="experiments"><h2>Experiments</h2>
    ${experimentTable(folders)}${configsOf(folders)}</section>
    ${citeOf(folders)}
    </main>
    <footer>Made by biornn. Nothing in this file is loaded from elsewhere. Click a legend's entry to see it alone; the menu at a figure's corner saves it as SVG or PNG.</footer>
  `;
}

function leadOf(folders: readonly LabelledResults[]): string {
  return folders.map(({ label, results: { combinations } }) => {
    const runs = combinations.reduce(
      (sum, { validateLoss }) => sum + validateLoss.iterations,
      0,
    );
    return `${label}: ${runs} runs of ${combinations.length} ${
      combinations.length === 1 ? "combination" : "combinations"
    }`;
  }).join("; ") + ".";
}

function findingsOf(comparisons: readonly Comparison[]): Html {
  const over = comparisons.filter(({ combination }) =>
    combination === undefined
  );
  if (over.length === 0) return html``;
  return html`
    <section aria-label="Findings">
      <ul class="findings">${over.map(({ sentence }) =>
        html`<li>${sentence}</li>`
      )}</ul>
    </section>
  `;
}

function warningsOf(warnings: readonly string[]): Html {
  if (warnings.length === 0) return html``;
  return html`
    <section class="warnings"
      aria-label="Left out"><strong>Left out or to be noted</strong><ul>${warnings
        .map((warning) => html`<li>${warning}</li>`)}</ul></section>
  `;
}

const GALLERY_NOTE =
  `Lines: mean over runs, solid for training and dashed for test data; bands: ± standard deviation; faint lines: single runs; dotted: what a network reaches that has learned nothing. The first epoch is left out, unless it is the only one; where one is left, circles stand for lines, and bars for bands. ${LOG_BAND_NOTE}`;

/** The figures of one section, each with a place that the page's script fills. */
function section(name: Figure["section"], figures: readonly Figure[]): Html {
  const own = [...figures.entries()].filter(([, figure]) =>
    figure.section === name
  );
  if (own.length === 0) return html``;
  const small = own.length > 1 &&
    own.every(([, { width }]) => width <= FIGURE_PIXELS.one);
  // In a gallery, captions that differ in the combination alone are for screen readers.
  return html`
    <section
      id="${name}"><h2>${SECTIONS[name]}</h2>${small
        ? html`<p class="lead">${GALLERY_NOTE}</p>`
        : ""}<div class="${small ? "gallery" : "stack"}">${own.map((
          [index, figure],
        ) => figureOf(index, figure))}</div></section>
  `;
}

function figureOf(index: number, { caption, title }: Figure): Html {
  return html`
    <figure aria-label="${title}">
      <div class="plot" id="figure-${index}" data-index="${index}"
        aria-busy="true"></div>
      <figcaption>${caption}</figcaption>
    </figure>
  `;
}

function statisticsOf(comparisons: readonly Comparison[]): Html {
  if (comparisons.length === 0) return html``;
  return html`<section id="statistics"><h2>Statistics</h2>
<p>Epochs are counted from the first one that is drawn. Wilcoxon’s test compares runs on the same trials in pairs; the Mann–Whitney test is for others. δ, Cliff’s delta, runs from −1 to 1 and is positive where the first label’s numbers are larger. A small p of equivalence says that the means differ by less than the margin; a large p of a difference does not say so. The same numbers are in statistics.csv.</p>
${statisticsSection(comparisons)}</section>`;
}

function configsOf(folders: readonly LabelledResults[]): Html {
  return html`${
    folders.map(({ label, results: { experiment } }) =>
      experiment === undefined
        ? html`<p>${label}: results of the original program, which keeps no record of the experiment.</p>`
        : html`
          <details class="fold">
            <summary>Config of ${label}: ${experiment.config.file}</summary>
            <pre>${experiment.config.text}</pre>
          </details>
        `
    )
  }`;
}

function citeOf(folders: readonly LabelledResults[]): Html {
  const records = folders.flatMap(({ results }) => results.experiment ?? []);
  const names = [...new Set(records.map(({ connectome }) => connectome.name))];
  const citations = new Set<string>();
  for (const { connectome } of records) {
    for (const citation of connectome.citations) citations.add(citation);
    const entry = CATALOGUE.find(({ name }) => name === connectome.name);
    for (const citation of entry?.citations ?? []) citations.add(citation);
  }
  citations.add(COLLECTION_CITATION);
  const synthetic = records.some(({ connectome }) => connectome.synthetic);
  const notes = new Set(records.flatMap(({ stimuli }) => stimuli?.note ?? []));
  return html`<section id="cite"><h2>How to cite</h2>
<p>${
    names.length === 0
      ? "Cite the paper of the connectome that the networks were made of, and the paper of the method:"
      : `For results with ${names.join(" and ")}, cite:`
  }</p>
<ul>${[...citations].map((text) => html`<li>${withLinks(text)}</li>`)}</ul>
${
    synthetic
      ? html`<p>A connectome here is synthetic: it was drawn at random and is no measured data. Do not report it as an animal’s.</p>`
      : ""
  }${[...notes].map((note) => html`<p>Note: ${note}.</p>`)}</section>`;
}

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
import { type Figure, packSpec } from "./figure.ts";
import { drawable } from "./names.ts";
import {
  escapeHtml,
  type Html,
  html,
  scriptCode,
  scriptJson,
  withLinks,
} from "./html.ts";
import {
  experimentTable,
  findingsTable,
  statisticsSection,
} from "./report_tables.ts";
import css from "./report.css" with { type: "text" };
import page from "./report_page.js" with { type: "text" };
import { FIGURE_PIXELS, labelColors } from "./theme.ts";
import { browserBuilds } from "./vega.ts";

/** What a report is about. */
export interface ReportContent {
  readonly folders: readonly LabelledResults[];
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

/** What the page says of a figure. */
type FigureFacts = Omit<Figure, "spec">;

/** A report that is being made: figures are packed one by one, so that not all are in memory. */
export interface Report {
  readonly add: (figure: Figure) => void;
  /** The text of an HTML file. */
  readonly finish: (content: ReportContent) => Promise<string>;
}

/**
 * Makes the report. Only the scripts that are put in here can run in it,
 * whatever labels and other texts say: a policy in its head names them by
 * checksum and forbids all else, and all connections.
 *
 * @example
 * ```ts no-eval
 * import { readResultsFolder } from "./src/results/results_folder.ts";
 * import { buildFigures, FIGURE_KINDS } from "./src/viz/build_figures.ts";
 * import { startReport } from "./src/viz/report.ts";
 *
 * const folders = [{ label: "bio", results: await readResultsFolder("results/bio") }];
 * const { figures, warnings } = buildFigures(folders, { kinds: FIGURE_KINDS });
 * const report = startReport();
 * for (const figure of figures) report.add(figure);
 * await report.finish({ folders, comparisons: [], warnings });
 * ```
 */
export function startReport(): Report {
  const facts: FigureFacts[] = [];
  const packed: string[] = [];
  return {
    add({ spec, ...figure }) {
      facts.push(figure);
      packed.push(
        scriptJson({ name: figure.name, ...packSpec(drawable(spec)) }),
      );
    },
    finish: (content) => pageOf(content, { facts, packed }),
  };
}

async function pageOf(
  content: ReportContent,
  { facts, packed }: {
    readonly facts: readonly FigureFacts[];
    readonly packed: readonly string[];
  },
): Promise<string> {
  const scripts = [...await browserBuilds(), page].map(scriptCode);
  const hashes = await Promise.all(scripts.map(hashSource));
  // Vega makes functions of its expressions, which is what 'unsafe-eval' allows.
  const policy = `default-src 'none'; script-src 'unsafe-eval' ${
    hashes.join(" ")
  }; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'`;
  const title = titleOf(content.folders);
  return [
    `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${escapeHtml(policy)}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="generator" content="biornn">
<title>${escapeHtml(title)}</title>
<style>${css}</style>
</head>
<body>
${bodyOf(content, { title, figures: facts }).html}
`,
    // An element a figure: the page reads those alone that it draws.
    ...packed.map((json, i) =>
      `<script type="application/json" id="data-${i}">${json}</script>\n`
    ),
    ...scripts.map((code) => `<script>${code}</script>\n`),
    "</body>\n</html>\n",
  ].join("");
}

function titleOf(folders: readonly LabelledResults[]): string {
  const all = folders.map(({ label }) => label);
  const labels = all.length > 3
    ? `${all[0]} against ${all.length - 1} others`
    : all.join(" against ");
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

function bodyOf(
  content: ReportContent,
  { title, figures }: {
    readonly title: string;
    readonly figures: readonly FigureFacts[];
  },
): Html {
  const { folders, comparisons, warnings } = content;
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
      <button id="draw-all"
        hidden>Draw all ${figures.length} figures, e.g. for a print</button>
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

/** Most sentences that stand at the top; of more comparisons, the table below and the forest plot. */
const MOST_FINDINGS = 6;

function findingsOf(comparisons: readonly Comparison[]): Html {
  const over = comparisons.filter(({ combination }) =>
    combination === undefined
  );
  if (over.length === 0) return html``;
  if (over.length > MOST_FINDINGS) {
    return html`
      <section aria-label="Findings">${findingsTable(over)}</section>
    `;
  }
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
  `Lines: solid for training, dashed for validation data, with a band: mean ± standard deviation over runs, or median and quartiles where the scale is logarithmic; faint lines: single runs; dotted: what a network reaches that has learned nothing. Epochs are numbered from 0; the first is left out, unless it is the only one; where one is left, circles stand for lines, and bars for bands.`;

/** The figures of one section, each with a place that the page's script fills. */
function section(
  name: Figure["section"],
  figures: readonly FigureFacts[],
): Html {
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

function figureOf(index: number, { caption, title, width }: FigureFacts): Html {
  return html`
    <figure aria-label="${title}">
      <div class="plot" id="figure-${index}" data-index="${index}"
        style="--width:${width}px" aria-busy="true"></div>
      <figcaption>${caption}</figcaption>
    </figure>
  `;
}

function statisticsOf(comparisons: readonly Comparison[]): Html {
  if (comparisons.length === 0) return html``;
  return html`<section id="statistics"><h2>Statistics</h2>
<p>What is said over all combinations is the mean of what each says. Wilcoxon’s test compares runs on the same trials in pairs, with the matched-pairs rank-biserial correlation as effect size; the Mann–Whitney test, with Cliff’s δ, is for others. Both run from −1 to 1 and are positive where the first label’s numbers are larger. Runs that diverged count as the worst. A small p of equivalence says that the means differ by less than the margin; a large p of a difference does not say so. p values are corrected by Holm over measures and labels, those of single combinations over combinations too. Epochs are numbered from 0. The same numbers are in statistics.csv.</p>
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

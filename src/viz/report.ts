/**
 * The report of results that are compared: findings, figures, statistics, what
 * the experiments were, and what to cite.
 *
 * @module
 */

import { MEASURES, taskFacts } from "../analysis/summary.ts";
import type { LabelledResults } from "../analysis/match.ts";
import { type Comparison, short, tableP } from "../analysis/comparison.ts";
import {
  citeOf,
  configsOf,
  experimentTable,
  measureTables,
} from "./experiment_facts.ts";
import { plural } from "../text/words.ts";
import type { Figure } from "./figure.ts";
import {
  type Column,
  type FigureFacts,
  figuresOf,
  type Html,
  html,
  NONE,
  numberTable,
  pageBody,
  type Part,
  startPage,
  warningList,
} from "./page.ts";
import { labelColors } from "./theme.ts";

/** What a report is about. */
interface ReportContent {
  readonly folders: readonly LabelledResults[];
  /** From `compareLabels`; none where there is one folder. */
  readonly comparisons: readonly Comparison[];
  /** One sentence each. */
  readonly warnings: readonly string[];
}

/** A report that is being made, a figure at a time. */
interface Report {
  readonly add: (figure: Figure) => void;
  /** The text of an HTML file. */
  readonly finish: (content: ReportContent) => Promise<string>;
}

export function startReport(): Report {
  const page = startPage();
  return {
    add: page.add,
    finish: (content) => {
      const title = titleOf(content.folders);
      return page.finish(title, bodyOf(content, { title, ...page }));
    },
  };
}

function titleOf(folders: readonly LabelledResults[]): string {
  const all = folders.map(({ label }) => label);
  const labels = all.length > 3
    ? `${all[0]} against ${all.length - 1} others`
    : all.join(" against ");
  const task = taskFacts(folders.map(({ results }) => results)).name;
  return task === undefined ? labels : `${labels}: ${task}`;
}

function bodyOf(
  { folders, comparisons, warnings }: ReportContent,
  { title, figures }: {
    readonly title: string;
    readonly figures: readonly FigureFacts[];
  },
): Html {
  const section = (id: Figure["section"], name: string) => ({
    id,
    name,
    content: figuresOf(id, figures),
  });
  const colors = labelColors(folders.length);
  return pageBody([
    section("overview", "Overview"),
    section("summary", "All runs"),
    {
      id: "statistics",
      name: "Statistics",
      content: statisticsOf(comparisons),
    },
    section("loss", "Combinations: loss"),
    section("accuracy", "Combinations: accuracy"),
    section("networks", "Networks"),
    {
      id: "experiments",
      name: "Experiments",
      content: [
        experimentTable(folders),
        measureTables(folders),
        configsOf(folders),
      ],
    },
    { id: "cite", name: "How to cite", content: citeOf(folders) },
  ], {
    title,
    lead: html`
      <p class="lead">${leadOf(folders)}</p>
      <p>${folders.map(({ label }, i) =>
        html`<span class="chip" style="background:${colors[
          i
        ]!}"></span>${label}&emsp;`
      )}</p>
    `,
    front: [findingsOf(comparisons), warningList(warnings)],
    figures: figures.length,
  });
}

function leadOf(folders: readonly LabelledResults[]): string {
  return folders.map(({ label, results: { combinations } }) => {
    const runs = combinations.reduce(
      (sum, { validateLoss }) => sum + validateLoss.iterations,
      0,
    );
    return `${label}: ${plural(runs, "run")} of ${
      plural(combinations.length, "combination")
    }`;
  }).join("; ") + ".";
}

/** Most sentences that stand at the top; of more comparisons, the table below and the forest plot. */
const MOST_FINDINGS = 6;

function findingsOf(comparisons: readonly Comparison[]): Part {
  const over = comparisons.filter(({ combination }) =>
    combination === undefined
  );
  if (over.length === 0) return "";
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

function statisticsOf(comparisons: readonly Comparison[]): Part {
  return comparisons.length === 0
    ? ""
    : html`<p>What is said over all combinations is the mean of what each says. Wilcoxon’s test compares runs on the same trials in pairs, with the matched-pairs rank-biserial correlation as effect size; the Mann–Whitney test, with Cliff’s δ, is for others. Both run from −1 to 1 and are positive where the first label’s numbers are larger. Runs that diverged count as the worst. A small p of equivalence says that the means differ by less than the margin; a large p of a difference does not say so. p values are corrected by Holm over measures and labels, those of single combinations over combinations too. Epochs are numbered from 0. The same numbers are in statistics.csv.</p>
${statisticsTables(comparisons)}`;
}

function groupColumns(side: "reference" | "other"): Column<Comparison>[] {
  return [
    ["runs", (row) => row[side].runs],
    ["beat baseline", (row) => row[side].learned ?? NONE],
    ["diverged", (row) => row[side].failed],
    ["median", (row) => short(row[side].typical)],
  ];
}

function range(low: number, high: number): string {
  return Number.isNaN(low) ? NONE : `${short(low)} to ${short(high)}`;
}

function percent(row: Comparison): string {
  const [low, high] = row.differenceInterval;
  return row.marginUnit === "ratio"
    ? range(Math.exp(low), Math.exp(high))
    : Number.isNaN(low)
    ? NONE
    : `${short(100 * low)} to ${short(100 * high)} %`;
}

const COMPARED: readonly Column<Comparison>[] = [
  [
    "effect [95 % interval]",
    ({ effect }) =>
      Number.isNaN(effect.low)
        ? short(effect.estimate)
        : `${short(effect.estimate)} [${range(effect.low, effect.high)}]`,
  ],
  ["p", (row) => tableP(row.p)],
  ["p (Holm)", (row) => tableP(row.holm.p)],
  ["p of failures (Holm)", (row) => tableP(row.holm.failureP)],
  ["difference, 90 % interval", percent],
  ["p of equivalence (Holm)", (row) => tableP(row.holm.equivalenceP)],
];

/** A table of comparisons of the same two labels. */
function comparisonTable(
  rows: readonly Comparison[],
  { caption, header }: {
    readonly caption: string;
    readonly header: (row: Comparison) => string;
  },
): Part {
  const [first] = rows;
  return first === undefined ? "" : numberTable(rows, {
    label: caption,
    caption,
    header,
    groups: [
      [first.reference.label, groupColumns("reference")],
      [first.other.label, groupColumns("other")],
      ["comparison", COMPARED],
    ],
  });
}

/** Comparisons of any labels over all combinations, a row each. */
function findingsTable(rows: readonly Comparison[]): Html {
  const both =
    (of: (group: Comparison["reference"]) => string | number) =>
    ({ reference, other }: Comparison) => `${of(reference)}; ${of(other)}`;
  return numberTable(rows, {
    label: "Findings",
    caption:
      "Over all combinations that were learned; the forest plot shows the effects.",
    header: pairOf,
    heading: nameOf,
    groups: [["", [
      [
        "runs that beat the baseline",
        both(({ learned, runs }) => `${learned ?? NONE} of ${runs}`),
      ],
      ["diverged", both(({ failed }) => failed)],
      ["median", both(({ typical }) => short(typical))],
      ...COMPARED,
    ]]],
  });
}

function pairOf({ reference, other }: Comparison): string {
  return `${reference.label} against ${other.label}`;
}

/** All comparisons: first those over all combinations, then a folded table a measure. */
function statisticsTables(rows: readonly Comparison[]): Html {
  return html`${
    [...Map.groupBy(rows, pairOf)].map(([pair, own]) => {
      const over = own.filter(({ combination }) => combination === undefined);
      const measures = [...new Set(own.map(({ measure }) => measure))];
      return html`<h3>${pair}</h3>
${
        comparisonTable(over, {
          caption: `${pair}, over all combinations`,
          header: nameOf,
        })
      }${
        measures.map((measure) => {
          const single = own.filter((row) =>
            row.measure === measure && row.combination !== undefined
          );
          if (single.length === 0) return "";
          const name = MEASURES[measure].name;
          return html`<details class="fold"><summary>By combination: ${name}</summary>
${
            comparisonTable(single, {
              caption: `${name}, ${pair}`,
              header: (row) => row.combination?.title ?? "",
            })
          }<ul>${
            single.map(({ sentence }) => html`<li>${sentence}</li>`)
          }</ul></details>`;
        })
      }`;
    })
  }`;
}

function nameOf({ measure }: Comparison): string {
  const { name, unit } = MEASURES[measure];
  return unit === "" ? name : `${name} (${unit})`;
}

/**
 * The report of results that are compared: findings, figures, statistics, what
 * the experiments were, and what to cite.
 *
 * @module
 */

import { MEASURES, taskFacts } from "../analysis/summary.ts";
import type { LabelledResults } from "../analysis/match.ts";
import { type Comparison, short, tableP } from "../analysis/comparison.ts";
import { plural } from "../text/words.ts";
import {
  citeOf,
  configsOf,
  experimentTable,
  measureTables,
} from "./experiment_facts.ts";
import {
  type Column,
  fold,
  type Html,
  html,
  list,
  NONE,
  numberTable,
  type Part,
  startPage,
} from "./page.ts";
import { labelColors } from "./figure.ts";

/** A report that is being made, a figure at a time. */
export function startReport() {
  const page = startPage();
  const { add, figuresOf } = page;
  const finish = (
    { folders, comparisons, warnings }: {
      readonly folders: readonly LabelledResults[];
      /** From `compareLabels`; none where there is one folder. */
      readonly comparisons: readonly Comparison[];
      readonly warnings: readonly string[];
    },
  ) =>
    page.finish({
      title: titleOf(folders),
      lead: leadOf(folders),
      findings: findingsOf(comparisons),
      warnings,
      sections: [
        ["overview", "Overview", figuresOf("overview")],
        ["summary", "All runs", figuresOf("summary")],
        ["statistics", "Statistics", statisticsOf(comparisons)],
        ["loss", "Combinations: loss", figuresOf("loss")],
        ["accuracy", "Combinations: accuracy", figuresOf("accuracy")],
        ["networks", "Networks", figuresOf("networks")],
        ["experiments", "Experiments", [
          experimentTable(folders),
          measureTables(folders),
          configsOf(folders),
        ]],
        ["cite", "How to cite", citeOf(folders)],
      ],
    });
  return { add, finish };
}

function titleOf(folders: readonly LabelledResults[]): string {
  const all = folders.map(({ label }) => label);
  const labels = all.length > 3
    ? `${all[0]} against ${all.length - 1} others`
    : all.join(" against ");
  const task = taskFacts(folders.map(({ results }) => results)).name;
  return task === undefined ? labels : `${labels}: ${task}`;
}

function leadOf(folders: readonly LabelledResults[]): Html {
  const counts = folders.map(({ label, results: { combinations } }) => {
    const runs = combinations.reduce(
      (sum, { validateLoss }) => sum + validateLoss.iterations,
      0,
    );
    const all = plural(combinations.length, "combination");
    return `${label}: ${plural(runs, "run")} of ${all}`;
  });
  const colors = labelColors(folders.length);
  const chip = (color: string) =>
    html`<span class="chip" style="background:${color}"></span>`;
  return html`
    <p class="lead">${counts.join("; ")}.</p>
    <p>${folders.map(({ label }, i) =>
      html`${chip(colors[i]!)}${label}&emsp;`
    )}</p>
  `;
}

/** Most sentences that stand at the top; of more comparisons, the table below and the forest plot. */
const MOST_FINDINGS = 6;

function findingsOf(comparisons: readonly Comparison[]): Part {
  const over = comparisons.filter(({ combination }) =>
    combination === undefined
  );
  if (over.length === 0) return "";
  return html`
    <section aria-label="Findings">
      ${over.length > MOST_FINDINGS
        ? findingsTable(over)
        : list(over.map(({ sentence }) => sentence), "findings")}
    </section>
  `;
}

function groupColumns(side: "reference" | "other"): Column<Comparison>[] {
  return [
    ["runs", (row) => row[side].runs],
    ["beat baseline", (row) => row[side].learned ?? NONE],
    ["diverged", (row) => row[side].failed],
    ["median", (row) => short(row[side].typical)],
  ];
}

function range(low: number, high: number, unit = ""): string {
  return Number.isNaN(low) ? NONE : `${short(low)} to ${short(high)}${unit}`;
}

const COMPARED: readonly Column<Comparison>[] = [
  [
    "effect [95 % interval]",
    ({ effect: { estimate, low, high } }) =>
      `${short(estimate)}${Number.isNaN(low) ? "" : ` [${range(low, high)}]`}`,
  ],
  ["p", (row) => tableP(row.p)],
  ["p (Holm)", (row) => tableP(row.holm.p)],
  ["p of failures (Holm)", (row) => tableP(row.holm.failureP)],
  [
    "difference, 90 % interval",
    ({ differenceInterval: [low, high], marginUnit }) =>
      marginUnit === "ratio"
        ? range(Math.exp(low), Math.exp(high))
        : range(100 * low, 100 * high, " %"),
  ],
  ["p of equivalence (Holm)", (row) => tableP(row.holm.equivalenceP)],
];

function comparisonTable(
  rows: readonly Comparison[],
  caption: string,
  header: (row: Comparison) => string,
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
  type Group = Comparison["reference"];
  const both = (of: (group: Group) => string | number) => (row: Comparison) =>
    `${of(row.reference)}; ${of(row.other)}`;
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

function nameOf({ measure }: Comparison): string {
  const { name, unit } = MEASURES[measure];
  return unit === "" ? name : `${name} (${unit})`;
}

/** All comparisons of each pair: first those over all combinations, then a folded table a measure. */
function statisticsOf(comparisons: readonly Comparison[]): Part {
  if (comparisons.length === 0) return "";
  const pairs = [...Map.groupBy(comparisons, pairOf)].map(([pair, own]) => {
    const { over = [], single = [] } = Object.groupBy(
      own,
      ({ combination }) => combination === undefined ? "over" : "single",
    );
    const byMeasure = Map.groupBy(single, ({ measure }) => measure);
    return html`<h3>${pair}</h3>
${comparisonTable(over, `${pair}, over all combinations`, nameOf)}${
      [...byMeasure].map(([measure, rows]) => {
        const { name } = MEASURES[measure];
        return fold(`By combination: ${name}`, [
          comparisonTable(
            rows,
            `${name}, ${pair}`,
            ({ combination }) => combination?.title ?? "",
          ),
          list(rows.map(({ sentence }) => sentence)),
        ]);
      })
    }`;
  });
  return html`<p>What is said over all combinations is the mean of what each says. Wilcoxon’s test compares runs on the same trials in pairs, with the matched-pairs rank-biserial correlation as effect size; the Mann–Whitney test, with Cliff’s δ, is for others. Both run from −1 to 1 and are positive where the first label’s numbers are larger. Runs that diverged count as the worst. A small p of equivalence says that the means differ by less than the margin; a large p of a difference does not say so. p values are corrected by Holm over measures and labels, those of single combinations over combinations too. Epochs are numbered from 0. The same numbers are in statistics.csv.</p>
${pairs}`;
}

/**
 * The tables of the report: what the experiments were, and how they compare.
 *
 * @module
 */

import type { LabelledResults } from "../analysis/compare.ts";
import type { ComparedGroup, Comparison } from "../analysis/comparison.ts";
import type { ExperimentRecord } from "../results/experiment_record.ts";
import { MEASURES } from "../analysis/summary.ts";
import { type Html, html, type Part } from "./html.ts";

const NONE = "–";

/** Four digits, as a table of results has them. */
function short(value: number | undefined): string {
  if (value === undefined || Number.isNaN(value)) return NONE;
  const size = Math.abs(value);
  return size !== 0 && (size < 1e-3 || size >= 1e6)
    ? value.toExponential(2)
    : String(Number(value.toPrecision(4)));
}

function shortP(p: number | undefined): string {
  if (p === undefined || Number.isNaN(p)) return NONE;
  return p < 0.001 ? "< 0.001" : String(Number(p.toPrecision(2)));
}

function cells({ n, mean, sd, median }: ComparedGroup): Html {
  return html`
    <td class="number">${n}</td>
    <td class="number">${n === 0
      ? NONE
      : n === 1
      ? short(mean)
      : `${short(mean)} ± ${short(sd)}`}</td>
    <td class="number">${n === 0 ? NONE : short(median)}</td>
  `;
}

function comparisonRow(
  row: Comparison,
  { header, corrected }: { header: string; corrected: boolean },
): Html {
  const [low, high] = row.deltaInterval;
  return html`<tr><th scope="row">${header}</th>${cells(row.reference)}${
    cells(row.other)
  }<td>${row.test}${
    row.method === "asymptotic" ? " (asymptotic)" : ""
  }</td><td class="number">${shortP(row.p)}</td>${
    corrected ? html`<td class="number">${shortP(row.pHolm)}</td>` : ""
  }<td class="number">${short(row.delta)} [${short(low)}, ${
    short(high)
  }]</td><td class="number">${short(row.margin)}</td><td class="number">${
    shortP(row.equivalencePHolm ?? row.equivalenceP)
  }</td></tr>`;
}

/**
 * A table of comparisons of two labels.
 *
 * @param rows Rows with the same two labels, one at least.
 * @param options `caption`, and `header` of a row.
 */
export function comparisonTable(
  rows: readonly Comparison[],
  { caption, header }: {
    readonly caption: string;
    readonly header: (row: Comparison) => string;
  },
): Html {
  const [first] = rows;
  if (first === undefined) return html``;
  const group = (label: string) =>
    html`<th scope="colgroup" colspan="3">${label}</th>`;
  // What is said of all combinations together is one test: nothing to correct.
  const corrected = rows.some(({ pHolm }) => pHolm !== undefined);
  const columns = ["n", "mean ± sd", "median"].map((name) =>
    html`<th scope="col" class="number">${name}</th>`
  );
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${caption}">
      <table>
        <caption>${caption}</caption>
        <thead>
          <tr><td></td>${group(first.reference.label)}${group(
            first.other.label,
          )}<th scope="colgroup" colspan="${corrected
            ? 6
            : 5}">comparison</th></tr>
          <tr><td></td>${columns}${columns}<th scope="col">test</th><th scope="col" class="number">p</th>${corrected
            ? html`<th scope="col" class="number">p (Holm)</th>`
            : ""}<th scope="col" class="number">Cliff’s δ [95 % interval]</th><th scope="col" class="number">margin</th><th scope="col" class="number">p of equivalence${corrected
            ? " (Holm)"
            : ""}</th></tr>
        </thead>
        <tbody>${rows.map((row) =>
          comparisonRow(row, { header: header(row), corrected })
        )}</tbody>
      </table>
    </div>
  `;
}

/** All comparisons: first those over all combinations, then a folded table a measure. */
export function statisticsSection(rows: readonly Comparison[]): Html {
  const others = [...new Set(rows.map(({ other }) => other.label))];
  return html`${
    others.map((label) => {
      const own = rows.filter(({ other }) => other.label === label);
      const over = own.filter(({ combination }) => combination === undefined);
      const reference = over[0]?.reference.label ?? "";
      const measures = [...new Set(own.map(({ measure }) => measure))];
      return html`<h3>${reference} against ${label}</h3>
${
        comparisonTable(over, {
          caption: `${reference} against ${label}, over all combinations`,
          header: (row) => nameOf(row),
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
              caption: `${name}, ${reference} against ${label}`,
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

type Fact = readonly [name: string, of: (record: ExperimentRecord) => string];

const FACTS: readonly Fact[] = [
  ["task", ({ task }) => task.name],
  ["task parameters", ({ task }) => listOf(task.parameters)],
  ["loss", ({ task }) => task.loss.toUpperCase()],
  ["grid", gridOf],
  ["iterations", ({ iterations }) => String(iterations)],
  ["epochs", ({ epochs }) => String(epochs)],
  ["batch size", ({ batchSize }) => String(batchSize)],
  ["seed", ({ seed }) => String(seed)],
  ["connectome", connectomeOf],
  [
    "neurons",
    ({ size, connectome }) =>
      `${size.hiddenSize} (${connectome.regions} regions of ${connectome.neurons})`,
  ],
  ["topology", ({ randomW }) => randomW ? "randomised" : "biological"],
  ["connections", connectionsOf],
  [
    "initial weights",
    ({ init, remapW }) =>
      `${init}${remapW ? ", in the rank order of the connectome" : ""}`,
  ],
  [
    "recurrent weights",
    ({ freezeLayer }) => freezeLayer ? "frozen" : "trained",
  ],
  ["compatibility", ({ compatibility }) => compatibility],
  [
    "stimuli",
    ({ stimuli }) =>
      stimuli === undefined
        ? NONE
        : `${stimuli.source}${stimuli.synthetic ? " (synthetic)" : ""}`,
  ],
  ["changed on the command line", ({ overrides }) => listOf(overrides) || NONE],
  ["engine", ({ engine }) => engine.description],
  [
    "program",
    ({ program }) => `${program.name} ${program.version}, Deno ${program.deno}`,
  ],
  ["checksum of the connectome", ({ connectome }) => connectome.sha256],
  ["fingerprint of the experiment", ({ fingerprint }) => fingerprint],
];

function connectionsOf(
  { randPartition, targetSparsity, targetSparsityIntrinsic }: ExperimentRecord,
): string {
  return [
    ...(randPartition === undefined
      ? []
      : [`${randPartition ? "random" : "equal"} partition`]),
    `target sparsity ${targetSparsity} between regions`,
    `${targetSparsityIntrinsic} within`,
  ].join(", ");
}

function listOf(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values).map(([key, value]) => `${key} ${value}`)
    .join(", ");
}

function gridOf({ grid }: ExperimentRecord): string {
  const lists = grid.keys.map((key, i) =>
    `${key}: ${[...new Set(grid.combinations.map((c) => c[i]))].join(", ")}`
  );
  return `${grid.combinations.length} combinations of ${lists.join("; ")}`;
}

function connectomeOf({ connectome }: ExperimentRecord): string {
  const { name, species, source, synthetic } = connectome;
  return `${name} (${species}), ${source}${
    synthetic ? "; synthetic: its weights are no measured data" : ""
  }`;
}

/** What the experiments were, a column a label. */
export function experimentTable(folders: readonly LabelledResults[]): Html {
  const rows = FACTS.map(([name, of]): Part => {
    const values = folders.map(({ results }) =>
      results.experiment === undefined ? NONE : of(results.experiment)
    );
    // One long cell reads better than the same long text side by side.
    const same = values.length > 1 && new Set(values).size === 1;
    return html`<tr><th scope="row">${name}</th>${
      same
        ? html`<td colspan="${values.length}">${values[0] as string}</td>`
        : values.map((value) => html`<td>${value}</td>`)
    }</tr>`;
  });
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="Experiments">
      <table>
        <thead>
          <tr><td></td>${folders.map(({ label }) =>
            html`<th scope="col">${label}</th>`
          )}</tr>
        </thead>
        <tbody><tr><th scope="row">results folder</th>${folders.map((
          { results },
        ) =>
          html`<td class="code">${results.path}</td>`
        )}</tr><tr><th scope="row">combinations with results</th>${folders.map((
          { results },
        ) => html`<td>${results.combinations.length}</td>`)}</tr>${rows}</tbody>
      </table>
    </div>
  `;
}

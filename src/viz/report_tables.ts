/**
 * The tables of the report: what the experiments were, and how they compare.
 *
 * @module
 */

import type { LabelledResults } from "../analysis/compare.ts";
import type { Comparison } from "../analysis/comparison.ts";
import { short } from "../analysis/describe_comparison.ts";
import { tableP } from "../analysis/tables.ts";
import type { ExperimentRecord } from "../results/experiment_record.ts";
import { MEASURES } from "../analysis/summary.ts";
import { type Html, html, type Part } from "./html.ts";

const NONE = "–";

/** A column of the tables of comparisons: its title, and what it has in a row. */
type Column = readonly [
  title: string,
  of: (row: Comparison) => string | number,
];

function groupColumns(side: "reference" | "other"): Column[] {
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

const COMPARED: readonly Column[] = [
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

/**
 * A table of comparisons of two labels.
 *
 * @param rows Rows with the same two labels, one at least.
 * @param options `caption`, and `header` of a row.
 */
function comparisonTable(
  rows: readonly Comparison[],
  { caption, header }: {
    readonly caption: string;
    readonly header: (row: Comparison) => string;
  },
): Html {
  const [first] = rows;
  if (first === undefined) return html``;
  const groups = [
    [first.reference.label, groupColumns("reference")],
    [first.other.label, groupColumns("other")],
    ["comparison", COMPARED],
  ] as const;
  const columns = groups.flatMap(([, own]) => own);
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="${caption}">
      <table>
        <caption>${caption}</caption>
        <thead>
          <tr><td></td>${groups.map(([name, own]) =>
            html`<th scope="colgroup" colspan="${own.length}">${name}</th>`
          )}</tr>
          <tr><td></td>${columns.map(([title]) =>
            html`<th scope="col" class="number">${title}</th>`
          )}</tr>
        </thead>
        <tbody>${rows.map((row) =>
          html`<tr><th scope="row">${header(row)}</th>${
            columns.map(([, of]) => html`<td class="number">${of(row)}</td>`)
          }</tr>`
        )}</tbody>
      </table>
    </div>
  `;
}

/** Comparisons of any labels over all combinations, a row each. */
export function findingsTable(rows: readonly Comparison[]): Html {
  const columns: readonly Column[] = [
    [
      "runs that beat the baseline",
      ({ reference, other }) =>
        `${reference.learned ?? NONE} of ${reference.runs}; ${
          other.learned ?? NONE
        } of ${other.runs}`,
    ],
    [
      "diverged",
      ({ reference, other }) => `${reference.failed}; ${other.failed}`,
    ],
    [
      "median",
      ({ reference, other }) =>
        `${short(reference.typical)}; ${short(other.typical)}`,
    ],
    ...COMPARED,
  ];
  return html`
    <div class="scroll" tabindex="0" role="region" aria-label="Findings">
      <table>
        <caption>Over all combinations that were learned; the forest plot shows the effects.</caption>
        <thead>
          <tr><th scope="col">measure</th><th scope="col">labels</th>${columns
            .map(([title]) =>
              html`<th scope="col" class="number">${title}</th>`
            )}</tr>
        </thead>
        <tbody>${rows.map((row) =>
          html`<tr><th scope="row">${
            nameOf(row)
          }</th><td>${row.reference.label} against ${row.other.label}</td>${
            columns
              .map(([, of]) => html`<td class="number">${of(row)}</td>`)
          }</tr>`
        )}</tbody>
      </table>
    </div>
  `;
}

/** All comparisons: first those over all combinations, then a folded table a measure. */
export function statisticsSection(rows: readonly Comparison[]): Html {
  const pairs = new Map<string, Comparison[]>();
  for (const row of rows) {
    const pair = `${row.reference.label} against ${row.other.label}`;
    pairs.set(pair, [...pairs.get(pair) ?? [], row]);
  }
  return html`${
    [...pairs].map(([pair, own]) => {
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
  [
    "topology",
    ({ randomW, nullModel, freshNetwork }) =>
      `${
        randomW
          ? `randomised (null model ${nullModel ?? "permute"})`
          : "biological"
      }${freshNetwork ? ", scaled anew for each iteration" : ""}`,
  ],
  [
    "spectral radius",
    ({ networkStates }) => stateText(networkStates, "spectralRadius"),
  ],
  [
    "mean activity",
    ({ networkStates }) => stateText(networkStates, "activity"),
  ],
  ["connections", connectionsOf],
  [
    "initial weights",
    ({ init, remapW, match, sharedInit }) =>
      [
        init,
        ...(remapW ? ["in the rank order of the connectome"] : []),
        ...(sharedInit ? ["the same in all networks"] : []),
        ...(match === undefined || match === "none"
          ? []
          : [`matched to the biological ${match.replace("_", " ")}`]),
      ].join(", "),
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

/** What networks did before and after training. */
function stateText(
  states: ExperimentRecord["networkStates"],
  figure: "spectralRadius" | "activity",
): string {
  if (states === undefined) return NONE;
  const [before, after] = [states.initial, states.trained].map((state) => {
    const { spectralRadiusError: error = 0 } = state;
    const value = String(Number(state[figure].toPrecision(3)));
    // Of large networks it is not computed further.
    return figure === "activity" || error < 0.005
      ? value
      : `${value} (known to ${Math.ceil(100 * error)} %)`;
  });
  return `${before} before training, ${after} after it (means over the runs)`;
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

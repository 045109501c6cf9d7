/**
 * What experiments were, for reports: their facts as a table, their configs,
 * and what to cite.
 *
 * @module
 */

import type { LabelledResults } from "../analysis/match.ts";
import { CATALOGUE, COLLECTION_CITATION } from "../connectome/catalogue.ts";
import { bibtex } from "../results/archive.ts";
import type { ExperimentRecord } from "../results/experiment_record.ts";
import {
  type Column,
  type Html,
  html,
  NONE,
  numberTable,
  type Part,
  table,
  withLinks,
} from "./page.ts";

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
        ? html`<td colspan="${values.length}">${values[0]!}</td>`
        : values.map((value) => html`<td>${value}</td>`)
    }</tr>`;
  });
  return table({
    label: "Experiments",
    head: html`<tr><td></td>${
      folders.map(({ label }) => html`<th scope="col">${label}</th>`)
    }</tr>`,
    body: [
      html`<tr><th scope="row">results folder</th>${
        folders.map(({ results }) =>
          html`<td class="code">${results.path}</td>`
        )
      }</tr>`,
      html`<tr><th scope="row">combinations with results</th>${
        folders.map(({ results }) =>
          html`<td>${results.combinations.length}</td>`
        )
      }</tr>`,
      rows,
    ],
  });
}

/** A relative change: `+12 %`. */
function changeInWords(change: number): string {
  if (!Number.isFinite(change)) return NONE;
  const percent = Math.round(100 * change);
  return `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${Math.abs(percent)} %`;
}

/** A number with four digits. */
function figure(value: number | undefined): string {
  return value === undefined || !Number.isFinite(value)
    ? NONE
    : String(Number(value.toPrecision(4)));
}

/** Measures of networks, a row each. */
function measuresOf(
  label: string,
  names: Iterable<string>,
  columns: readonly Column<string>[],
): Html {
  return html`<h3>${label}</h3>${
    numberTable([...new Set(names)], {
      label,
      corner: "measure",
      header: (name) => name,
      groups: [["", columns]],
    })
  }`;
}

/** What null models kept of the network, and what training did to networks: whatever measures the results have. */
export function measureTables(folders: readonly LabelledResults[]): Html {
  const changed = folders.flatMap(({ label, results: { nullMeasures } }) =>
    nullMeasures === undefined ? [] : [{
      label,
      rows: new Map(nullMeasures.map((one) => [one.measure, one])),
    }]
  );
  // Null models of one network have one column of what it was before.
  const isOne = new Set(
    changed.map(({ rows }) =>
      JSON.stringify([...rows.values()].map((one) => one.biological))
    ),
  ).size === 1;
  const trained = folders.flatMap(({ label, results: { runMeasures } }) =>
    runMeasures === undefined ? [] : [{ label, rows: runMeasures }]
  );
  return html`${
    changed.length === 0 ? "" : measuresOf(
      "Networks before and after the null model",
      changed.flatMap(({ rows }) => [...rows.keys()]),
      changed.flatMap(({ label, rows }, i): Column<string>[] => [
        ...(i > 0 && isOne ? [] : [
          ["biological", (name) => figure(rows.get(name)?.biological)],
        ] as Column<string>[]),
        [label, (name) => figure(rows.get(name)?.random)],
        ["change", (name) => {
          const { biological = NaN, random = NaN } = rows.get(name) ?? {};
          return changeInWords((random - biological) / biological);
        }],
      ]),
    )
  }${
    trained.length === 0 ? "" : measuresOf(
      "Networks before and after training, means over the runs",
      trained.flatMap(({ rows }) => [...rows.keys()]),
      trained.map(({ label, rows }) => [
        label,
        (name) => figure(rows.get(name)),
      ]),
    )
  }`;
}

/** The text of each config, folded. */
export function configsOf(folders: readonly LabelledResults[]): Html {
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

/** The papers of connectomes, of data and of the method. */
export function citeOf(folders: readonly LabelledResults[]): Html {
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
  return html`
    <p>${names.length === 0
      ? "Cite the paper of the connectome that the networks were made of, and the paper of the method:"
      : `For results with ${names.join(" and ")}, cite:`}</p>
    <ul>${[...citations].map((text) => html`<li>${withLinks(text)}</li>`)}</ul>
    <details class="fold">
      <summary>The same as BibTeX</summary>
      <pre class="copied">${bibtex([...citations])}</pre>
    </details>
    ${synthetic
      ? html`<p>A connectome here is synthetic: it was drawn at random and is no measured data. Do not report it as an animal’s.</p>`
      : ""}${[...notes].map((note) => html`<p>Note: ${note}.</p>`)}
  `;
}

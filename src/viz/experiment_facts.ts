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
  fold,
  type Html,
  html,
  list,
  NONE,
  numberTable,
  type Part,
  table,
  withLinks,
} from "./page.ts";

/** What is said of experiments; what one does not say is left out. */
const FACTS: Readonly<
  Record<string, (record: ExperimentRecord) => string | number | undefined>
> = {
  "task": ({ task }) => task.name,
  "task parameters": ({ task }) => listOf(task.parameters),
  "loss": ({ task }) => task.loss.toUpperCase(),
  "grid": ({ grid: { keys, combinations } }) => {
    const lists = keys.map((key, i) =>
      `${key}: ${[...new Set(combinations.map((one) => one[i]))].join(", ")}`
    );
    return `${combinations.length} combinations of ${lists.join("; ")}`;
  },
  "iterations": ({ iterations }) => iterations,
  "epochs": ({ epochs }) => epochs,
  "batch size": ({ batchSize }) => batchSize,
  "seed": ({ seed }) => seed,
  "connectome": ({ connectome: { name, species, source, synthetic } }) =>
    `${name} (${species}), ${source}${
      synthetic ? "; synthetic: its weights are no measured data" : ""
    }`,
  "neurons": ({ size, connectome: { regions, neurons } }) =>
    `${size.hiddenSize} (${regions} regions of ${neurons})`,
  "topology": ({ randomW, nullModel = "permute", freshNetwork }) =>
    (randomW ? `randomised (null model ${nullModel})` : "biological") +
    (freshNetwork ? ", scaled anew for each iteration" : ""),
  "spectral radius": (record) => stateText(record, "spectralRadius"),
  "mean activity": (record) => stateText(record, "activity"),
  "connections": (record) => {
    const { randPartition, targetSparsity, targetSparsityIntrinsic } = record;
    const partition = randPartition === undefined
      ? ""
      : `${randPartition ? "random" : "equal"} partition, `;
    return `${partition}target sparsity ${targetSparsity} between regions, ${targetSparsityIntrinsic} within`;
  },
  "initial weights": ({ init, remapW, match = "none", sharedInit }) =>
    [
      init,
      remapW && "in the rank order of the connectome",
      sharedInit && "the same in all networks",
      match !== "none" &&
      `matched to the biological ${match.replace("_", " ")}`,
    ].filter(Boolean).join(", "),
  "recurrent weights": ({ freezeLayer }) => freezeLayer ? "frozen" : "trained",
  "compatibility": ({ compatibility }) => compatibility,
  "stimuli": ({ stimuli }) =>
    stimuli && `${stimuli.source}${stimuli.synthetic ? " (synthetic)" : ""}`,
  "changed on the command line": ({ overrides }) =>
    listOf(overrides) || undefined,
  "engine": ({ engine }) => engine.description,
  "program": ({ program: { name, version, deno } }) =>
    `${name} ${version}, Deno ${deno}`,
  "checksum of the connectome": ({ connectome }) => connectome.sha256,
  "fingerprint of the experiment": ({ fingerprint }) => fingerprint,
};

function listOf(values: Readonly<Record<string, unknown>>): string {
  return Object.entries(values).map(([key, value]) => `${key} ${value}`)
    .join(", ");
}

function stateText(
  { networkStates }: ExperimentRecord,
  figure: "spectralRadius" | "activity",
): string | undefined {
  if (networkStates === undefined) return undefined;
  const { initial, trained } = networkStates;
  const [before, after] = [initial, trained].map((state) => {
    const { spectralRadiusError: error = 0 } = state;
    const value = Number(state[figure].toPrecision(3));
    // Of large networks it is not computed further.
    return figure === "activity" || error < 0.005
      ? value
      : `${value} (known to ${Math.ceil(100 * error)} %)`;
  });
  return `${before} before training, ${after} after it (means over the runs)`;
}

/** What the experiments were, a column a label. */
export function experimentTable(folders: readonly LabelledResults[]): Html {
  const all = folders.map(({ results }) => results);
  const row = (name: string, cells: readonly Part[]) =>
    html`<tr><th scope="row">${name}</th>${cells}</tr>`;
  const facts = Object.entries(FACTS).map(([name, of]) => {
    const values = all.map(({ experiment }) =>
      (experiment && of(experiment)) ?? NONE
    );
    // One long cell reads better than the same long text side by side.
    const same = values.length > 1 && new Set(values).size === 1;
    return row(
      name,
      same
        ? [html`<td colspan="${values.length}">${values[0]!}</td>`]
        : values.map((value) => html`<td>${value}</td>`),
    );
  });
  return table({
    label: "Experiments",
    head: html`<tr><td></td>${
      folders.map(({ label }) => html`<th scope="col">${label}</th>`)
    }</tr>`,
    body: [
      row(
        "results folder",
        all.map(({ path }) => html`<td class="code">${path}</td>`),
      ),
      row(
        "combinations with results",
        all.map(({ combinations }) => html`<td>${combinations.length}</td>`),
      ),
      facts,
    ],
  });
}

/** A relative change: `+12 %`. */
function changeInWords(change: number): string {
  if (!Number.isFinite(change)) return NONE;
  const percent = Math.round(100 * change);
  return `${percent > 0 ? "+" : percent < 0 ? "−" : ""}${Math.abs(percent)} %`;
}

function fourDigits(value = NaN): string {
  return Number.isFinite(value) ? String(Number(value.toPrecision(4))) : NONE;
}

function measuresOf(
  label: string,
  all: readonly ReadonlyMap<string, unknown>[],
  columns: readonly Column<string>[],
): Part {
  if (all.length === 0) return "";
  const names = new Set(all.flatMap((own) => [...own.keys()]));
  const measures = numberTable([...names], {
    label,
    corner: "measure",
    header: (name) => name,
    groups: [["", columns]],
  });
  return html`<h3>${label}</h3>${measures}`;
}

/** What null models kept of the network, and what training did to networks: whatever measures the results have. */
export function measureTables(folders: readonly LabelledResults[]): Html {
  const changed = folders.flatMap(({ label, results: { nullMeasures } }) =>
    nullMeasures
      ? [{
        label,
        rows: new Map(nullMeasures.map((one) => [one.measure, one])),
      }]
      : []
  );
  // Null models of one network have one column of what it was before.
  const before = changed.map(({ rows }) =>
    JSON.stringify([...rows.values()].map(({ biological }) => biological))
  );
  const isOne = new Set(before).size === 1;
  const trained = folders.flatMap(({ label, results: { runMeasures } }) =>
    runMeasures ? [{ label, rows: runMeasures }] : []
  );
  return html`${
    measuresOf(
      "Networks before and after the null model",
      changed.map(({ rows }) => rows),
      changed.flatMap(({ label, rows }, i) => {
        const columns: Column<string>[] = [
          ["biological", (name) => fourDigits(rows.get(name)?.biological)],
          [label, (name) => fourDigits(rows.get(name)?.random)],
          ["change", (name) => {
            const { biological = NaN, random = NaN } = rows.get(name) ?? {};
            return changeInWords((random - biological) / biological);
          }],
        ];
        return columns.slice(i > 0 && isOne ? 1 : 0);
      }),
    )
  }${
    measuresOf(
      "Networks before and after training, means over the runs",
      trained.map(({ rows }) => rows),
      trained.map(({ label, rows }) => [
        label,
        (name) => fourDigits(rows.get(name)),
      ]),
    )
  }`;
}

export function configsOf(folders: readonly LabelledResults[]): Html {
  return html`${
    folders.map(({ label, results: { experiment } }) =>
      experiment === undefined
        ? html`<p>${label}: results of the original program, which keeps no record of the experiment.</p>`
        : fold(
          `Config of ${label}: ${experiment.config.file}`,
          html`<pre>${experiment.config.text}</pre>`,
        )
    )
  }`;
}

/** The papers of connectomes, of data and of the method. */
export function citeOf(folders: readonly LabelledResults[]): Html {
  const records = folders.flatMap(({ results }) => results.experiment ?? []);
  const connectomes = records.map(({ connectome }) => connectome);
  const names = [...new Set(connectomes.map(({ name }) => name))];
  const citations = [
    ...new Set(connectomes.flatMap((own) => [
      ...own.citations,
      ...CATALOGUE.find(({ name }) => name === own.name)?.citations ?? [],
    ])).add(COLLECTION_CITATION),
  ];
  const notes = new Set(records.flatMap(({ stimuli }) => stimuli?.note ?? []));
  return html`
    <p>${names.length === 0
      ? "Cite the paper of the connectome that the networks were made of, and the paper of the method:"
      : `For results with ${names.join(" and ")}, cite:`}</p>
    ${list(citations.map(withLinks))}
    ${fold(
      "The same as BibTeX",
      html`<pre class="copied">${bibtex(citations)}</pre>`,
    )}
    ${connectomes.some(({ synthetic }) => synthetic)
      ? html`<p>A connectome here is synthetic: it was drawn at random and is no measured data. Do not report it as an animal’s.</p>`
      : ""}${[...notes].map((note) => html`<p>Note: ${note}.</p>`)}
  `;
}

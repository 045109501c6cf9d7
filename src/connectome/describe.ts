/**
 * Connectomes in words, for the command line.
 *
 * @module
 */

import { CATALOGUE_LICENCE, catalogueEntry } from "./catalogue.ts";
import { type Connectome, describeSigns } from "./connectome.ts";
import {
  graphMeasures,
  MOST_IN_MODULES,
  summariseNetwork,
} from "./measures.ts";
import { formatTable, plural } from "../text/words.ts";

/** A connectome in a list. */
export interface ListedConnectome {
  readonly name: string;
  readonly species: string;
  readonly regions: number | undefined;
  readonly connections: number | undefined;
  /** Where it is, e.g. "embedded". */
  readonly where: string;
}

/** The lines of `connectome list`. */
export function describeList(listed: readonly ListedConnectome[]): string[] {
  return formatTable([
    ["name", "species", "regions", "connections", "where"],
    ...listed.map(({ name, species, regions, connections, where }) => [
      name,
      species,
      regions?.toString() ?? "",
      connections?.toString() ?? "",
      where,
    ]),
  ]);
}

/** Of so many regions all are shown; of more, the first. */
const MOST_SHOWN = 500;
const SHOWN_OF_MANY = 20;

/** The lines of `connectome show`. */
export function describeConnectome(connectome: Connectome): string[] {
  const { regions, regionNames, neuronDensity, signs } = connectome;
  const metrics = graphMeasures(connectome.graph);
  const summary = summariseNetwork(connectome.graph);
  const { modularity, modules, sampled } = summary;
  const from = (nodes: number) =>
    nodes === regions ? "" : ` (of ${nodes} regions, spread over all)`;
  const entry = catalogueEntry(connectome.name);
  const orders = Math.log10(metrics.largestWeight / metrics.smallestWeight);
  const facts: (readonly [name: string, what: string | undefined])[] = [
    ["species", connectome.species],
    ["measured", entry?.description],
    [
      "synthetic",
      connectome.synthetic
        ? "generated; no part of it was measured"
        : undefined,
    ],
    ["regions", `${regions}`],
    [
      "connections",
      `${metrics.connections} (density ${percent(metrics.density)})`,
    ],
    [
      "direction",
      metrics.symmetric
        ? "undirected: weights are the same both ways"
        : `${
          percent(metrics.reciprocity)
        } of connections have one the other way`,
    ],
    [
      "weights",
      `${number(metrics.smallestWeight)} to ${
        number(metrics.largestWeight)
      }, median ${number(metrics.medianWeight)}, ${
        orders.toFixed(1)
      } orders of magnitude`,
    ],
    ["sends to", `${range(metrics.outDegree)} regions each`],
    ["receives from", `${range(metrics.inDegree)} regions each`],
    ["weight sent", `${range(metrics.outStrength)} a region`],
    ["weight received", `${range(metrics.inStrength)} a region`],
    [
      "clustering",
      `${number(summary.clustering)}${from(sampled.clustering)}, weighted`,
    ],
    [
      "path length",
      `${number(summary.pathLength)} steps, ${
        number(summary.weightedPathLength)
      } with 1 / weight as lengths${from(sampled.paths)}`,
    ],
    [
      "modularity",
      Number.isNaN(modularity)
        ? `not computed of more than ${MOST_IN_MODULES} connections`
        : `${number(modularity)}, ${plural(modules, "module")}`,
    ],
    [
      "rich club",
      `density ${
        percent(summary.richClub)
      } among the tenth with most connections`,
    ],
    ["signs", signs && describeSigns(signs)],
    ["spectral radius", number(summary.spectralRadius)],
    ["neuron density", neuronDensity && densityText(neuronDensity)],
    [
      "file",
      connectome.fileRows === "target"
        ? "has targets in its rows; turned round"
        : undefined,
    ],
    ["source", connectome.source],
    ["sha256", connectome.sha256],
    ["licence", entry && (entry.licence ?? CATALOGUE_LICENCE)],
  ];
  const shown = regions <= MOST_SHOWN ? regions : SHOWN_OF_MANY;
  const rows = regionNames.slice(0, shown).map((name, region) => [
    name,
    `${metrics.outDegree[region]}`,
    `${metrics.inDegree[region]}`,
    number(metrics.outStrength[region]!),
    number(metrics.inStrength[region]!),
  ]);
  return [
    connectome.name,
    "",
    ...formatTable(
      facts.flatMap(([name, what]) => what === undefined ? [] : [[name, what]]),
    ),
    "",
    ...(connectome.citations.length === 0
      ? []
      : ["cite", ...connectome.citations.map((text) => `  ${text}`), ""]),
    ...formatTable([
      ["region", "sends to", "receives from", "weight sent", "weight received"],
      ...rows,
    ]),
    ...(shown < regions ? [`… and ${regions - shown} more`] : []),
  ];
}

function percent(share: number): string {
  return `${(100 * share).toFixed(1)} %`;
}

function number(value: number): string {
  const plain = value === 0 || (value >= 1e-3 && value < 1e7);
  return plain
    ? String(Number(value.toPrecision(4)))
    : String(Number(value.toPrecision(3)).toExponential());
}

function range(values: ArrayLike<number>): string {
  const all = Array.from(values);
  const least = all.reduce((a, b) => Math.min(a, b));
  return `${number(least)} to ${number(all.reduce((a, b) => Math.max(a, b)))}`;
}

function densityText(density: Float64Array): string {
  const known = density.filter((value) => !Number.isNaN(value));
  const missing = density.length - known.length;
  return known.length === 0
    ? "not measured"
    : `${range(known)} neurons per mm³${
      missing === 0 ? "" : `, not measured for ${missing} regions`
    }`;
}

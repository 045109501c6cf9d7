/**
 * What a null model kept of a network and what it changed, in figures.
 *
 * @module
 */

import type { Graph } from "../../graph/graph.ts";
import { type NetworkSummary, summariseNetwork } from "../measures.ts";

/** A figure before and after. */
export interface NullReportRow {
  readonly measure: string;
  readonly biological: number;
  /** Mean over the samples of the null model. */
  readonly random: number;
  /** (random − biological) / biological; NaN where that is 0. */
  readonly change: number;
}

const NAMES: Readonly<Record<keyof NetworkSummary, string>> = {
  connections: "connections",
  density: "density",
  outDegreeSpread: "out-degree, standard deviation",
  inDegreeSpread: "in-degree, standard deviation",
  outStrengthSpread: "weight sent, standard deviation",
  inStrengthSpread: "weight received, standard deviation",
  reciprocity: "reciprocity",
  clustering: "clustering (weighted)",
  modularity: "modularity",
  pathLength: "path length (steps)",
  spectralRadius: "spectral radius of the weights",
};

/** Compares samples of a null model with the network they were made of. */
export function reportNull(
  network: Graph,
  samples: readonly Graph[],
): NullReportRow[] {
  const before = summariseNetwork(network);
  const after = samples.map(summariseNetwork);
  return (Object.keys(NAMES) as (keyof NetworkSummary)[]).map((key) => {
    const biological = before[key];
    const random = after.reduce((sum, each) => sum + each[key], 0) /
      after.length;
    return {
      measure: NAMES[key],
      biological,
      random,
      change: biological === 0 ? NaN : (random - biological) / biological,
    };
  });
}

/** The report as cells of a table, a header first. */
export function nullReportTable(
  rows: readonly NullReportRow[],
  name: string,
): string[][] {
  const figure = (value: number) =>
    Number.isNaN(value) ? "" : String(
      Number.isInteger(value) ? value : Number(value.toPrecision(4)),
    );
  return [
    ["measure", "biological", name, "relative change"],
    ...rows.map(({ measure, biological, random, change }) => [
      measure,
      figure(biological),
      figure(random),
      Number.isNaN(change) ? "" : change.toFixed(3),
    ]),
  ];
}

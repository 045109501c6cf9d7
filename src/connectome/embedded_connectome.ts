/**
 * The connectome that comes with the program.
 *
 * @module
 */

import csv from "../../connectomes/Synthetic_Macaque_29.csv" with {
  type: "text",
};
import { sha256Hex } from "../files/checksum.ts";
import { type Connectome, validateConnectome } from "./connectome.ts";
import {
  SYNTHETIC_NAME,
  type SyntheticConnectome,
} from "./synthetic_macaque.ts";

/**
 * `Synthetic_Macaque_29`: a connectome of our own making with the published
 * statistics of the macaque's cortex. No part of it was measured.
 *
 * @example
 * ```ts
 * import { embeddedConnectome } from "./src/connectome/embedded_connectome.ts";
 *
 * const { regions, synthetic } = await embeddedConnectome(); // 29, true
 * ```
 */
export async function embeddedConnectome(): Promise<Connectome> {
  const [header, ...rows] = csv.trim().split(/\r?\n/).map((line) =>
    line.split(",")
  );
  const regionNames = (header as string[]).slice(1);
  const connectome: Connectome = {
    name: SYNTHETIC_NAME,
    species: "none",
    regions: regionNames.length,
    weights: Float64Array.from(rows.flatMap((row) => row.slice(1).map(Number))),
    regionNames,
    citations: SYNTHETIC_CITATIONS,
    synthetic: true,
    source: "embedded",
    sha256: await sha256Hex(new TextEncoder().encode(csv)),
  };
  validateConnectome(connectome, `${SYNTHETIC_NAME}.csv`);
  return connectome;
}

/** Papers whose statistics the synthetic connectome follows. */
const SYNTHETIC_CITATIONS: readonly string[] = [
  "statistics: N. T. Markov et al., A weighted and directed interareal connectivity matrix for macaque cerebral cortex, Cereb. Cortex 24, 17–36 (2014), https://doi.org/10.1093/cercor/bhs270",
  "statistics: M. Ercsey-Ravasz et al., A predictive network model of cerebral cortical connectivity based on a distance rule, Neuron 80, 184–197 (2013), https://doi.org/10.1016/j.neuron.2013.07.036",
];

/**
 * A connectome as a CSV table: a row a region it comes from, a column a region
 * it goes to, both with their names.
 */
export function connectomeCsv(
  { names, weights }: Pick<SyntheticConnectome, "names" | "weights">,
): string {
  const n = names.length;
  const rows = names.map((name, i) =>
    [cell(name), ...weights.slice(i * n, (i + 1) * n)].join(",")
  );
  return [["from", ...names.map(cell)].join(","), ...rows, ""].join("\n");
}

function cell(text: string): string {
  return /[",;\t\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

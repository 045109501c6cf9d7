/**
 * Connectomes with names: the catalogue of those that were measured and can be downloaded, with
 * the papers to cite, the checksum of every file, and how to read it; and one that is generated.
 *
 * @module
 */

import catalogue from "../../connectomes/catalogue.json" with { type: "json" };
import type { RandomStream } from "../random/stream.ts";
import type { RowMeaning } from "./connectome.ts";

/** A file of the catalogue. */
interface CatalogueFile {
  /** Its name, at its source and in a folder of connectomes. */
  readonly file: string;
  /** SHA-256, 64 hexadecimal digits. */
  readonly sha256: string;
  readonly bytes: number;
}

/** A connectome of the catalogue. */
export interface CatalogueEntry {
  readonly name: string;
  readonly species: string;
  /** What was measured, and how. */
  readonly description: string;
  readonly regions: number;
  /** Number of connections between its regions. */
  readonly connections: number;
  /** Which regions the rows of its file are. */
  readonly rows: RowMeaning;
  /** What to cite, one paper an element, with its DOI. */
  readonly citations: readonly string[];
  /** Address of the folder of its files, where that is not the collection's. */
  readonly address?: string;
  /** Its terms, where they are not the collection's. */
  readonly licence?: string;
  /** Of a list of connections: the types that are read; all without it. */
  readonly types?: readonly string[];
  readonly files: {
    readonly weights: CatalogueFile;
    readonly names?: CatalogueFile;
    readonly density?: CatalogueFile;
  };
}

/** Address of the folder that holds the files of the collection, pinned to a commit. */
export const CATALOGUE_ADDRESS: string = catalogue.address;

/** Terms of the collection. */
export const CATALOGUE_LICENCE: string = catalogue.licence;

/** Paper that goes with the collection as a whole. */
export const COLLECTION_CITATION: string = catalogue.collectionCitation;

/** All connectomes of the catalogue. */
export const CATALOGUE: readonly CatalogueEntry[] = catalogue
  .connectomes as readonly CatalogueEntry[];

/** The connectome of that name, or undefined. */
export function catalogueEntry(name: string): CatalogueEntry | undefined {
  return CATALOGUE.find((entry) => entry.name === name);
}

/** What to cite for a connectome of the catalogue: its papers and the collection's. */
export function citationsOf(entry: CatalogueEntry): string[] {
  return entry.address === undefined
    ? [...entry.citations, COLLECTION_CITATION]
    : [...entry.citations];
}

/** Where its files are. */
export function addressOf({ address }: CatalogueEntry): string {
  return address ?? CATALOGUE_ADDRESS;
}

/** The files of a connectome, the weights last. */
export function filesOf({ files }: CatalogueEntry): CatalogueFile[] {
  return [files.names, files.density, files.weights]
    .filter((file) => file !== undefined);
}

/** Name of the connectome that nobody measured, in configs and file names. */
export const SYNTHETIC_NAME = "Synthetic_Macaque_29";
/** The seed of the embedded one, `connectomes/Synthetic_Macaque_29.csv`. */
export const SYNTHETIC_SEED = 29;

/** Papers whose statistics the synthetic connectome follows. */
export const SYNTHETIC_CITATIONS: readonly string[] = [
  "statistics: N. T. Markov et al., A weighted and directed interareal connectivity matrix for macaque cerebral cortex, Cereb. Cortex 24, 17–36 (2014), https://doi.org/10.1093/cercor/bhs270",
  "statistics: M. Ercsey-Ravasz et al., A predictive network model of cerebral cortical connectivity based on a distance rule, Neuron 80, 184–197 (2013), https://doi.org/10.1016/j.neuron.2013.07.036",
];

/** Statistics that the generator follows. */
const SYNTHETIC_STATISTICS = {
  areas: 29,
  connections: 536,
  /** λ, per mm. */
  distanceDecay: 0.19,
  /** Standard deviation of ln(weight) that distance does not explain. */
  logWeightSpread: 1.8,
  /** Semi-axes of the hemisphere, in mm: from the midline outwards, front to back, up. */
  semiAxes: [28, 32, 19],
  /** Inner border of the shell in which areas lie, as part of the outer one. */
  innerShell: 0.7,
  /** Least distance of two areas, in mm. */
  leastDistance: 4,
  /** Range of an area's whole input from the other 28, as a fraction of its labelled neurons. */
  input: [0.2, 0.95],
  /** Digits that are kept, so that engines whose logarithms differ in the last bit agree. */
  significantDigits: 6,
} as const;

/**
 * Generates a connectome that nobody measured, with the published statistics of the
 * macaque's cortex, for work without any download.
 *
 * Measured facts it follows:
 *
 * - 29 areas, 536 directed connections between them (66 % of all possible),
 *   weights (fractions of labelled neurons) log-normal over about five orders of magnitude: N. T.
 *   Markov et al., A weighted and directed interareal connectivity matrix for
 *   macaque cerebral cortex, Cereb. Cortex 24, 17–36 (2014),
 *   https://doi.org/10.1093/cercor/bhs270.
 * - The number of axons falls exponentially with distance, λ = 0.19 per mm: M.
 *   Ercsey-Ravasz et al., A predictive network model of cerebral cortical
 *   connectivity based on a distance rule, Neuron 80, 184–197 (2013),
 *   https://doi.org/10.1016/j.neuron.2013.07.036.
 *
 * Everything else is chance: the areas are points in a shell of a hemisphere's
 * size, and their neutral names (S01 … S29) stand for no real area.
 *
 * It has 29 areas:
 *
 * 1. Each area is placed uniformly in the shell between two half ellipsoids, at
 *    least 4 mm from those before it.
 * 2. 536 different ordered pairs of areas are drawn one after the other, each with
 *    a probability proportional to e^(−λ · distance) among those left (by the
 *    536 smallest keys −ln(u) · e^(λ · distance), P. S. Efraimidis, P. G. Spirakis,
 *    https://doi.org/10.1016/j.ipl.2005.11.003).
 * 3. A connection's raw weight is e^(−λ · distance + 1.8 · z), z standard normal.
 * 4. The weights into an area are scaled to sum to a fraction uniform on
 *    0.2 … 0.95; the rest of its labelled neurons lies in areas not generated.
 *
 * Draws in this order: positions (x, y, z of each try), keys of all pairs row by
 * row, z of the chosen pairs row by row, the inputs of the areas.
 *
 * @returns The names S01 … S29; weights C, [N, N], row-major, C[i,j] from i to j, whose
 * columns sum to at most 1; straight distances in mm, [N, N].
 */
export function generateSyntheticMacaque(stream: RandomStream) {
  const { areas: n, connections, distanceDecay, logWeightSpread } =
    SYNTHETIC_STATISTICS;
  const places = placeAreas(stream);
  const distances = Float64Array.from(
    places.flatMap((from) => places.map((to) => distance(from, to))),
  );

  const keys: { pair: number; key: number }[] = [];
  for (let pair = 0; pair < n * n; pair++) {
    if (Math.floor(pair / n) === pair % n) continue;
    const waiting = -Math.log(1 - stream.uniform());
    const key = waiting * Math.exp(distanceDecay * distances[pair]!);
    keys.push({ pair, key });
  }
  keys.sort((a, b) => a.key - b.key || a.pair - b.pair);
  const chosen = keys.slice(0, connections).map(({ pair }) => pair);
  chosen.sort((a, b) => a - b);

  const weights = new Float64Array(n * n);
  for (const pair of chosen) {
    weights[pair] = Math.exp(
      -distanceDecay * distances[pair]! + logWeightSpread * stream.normal(),
    );
  }
  scaleInputs(weights, stream);
  const names = Array.from(
    { length: n },
    (_, area) => `S${String(area + 1).padStart(2, "0")}`,
  );
  return { areas: n, names, weights, distances };
}

type Point = readonly [x: number, y: number, z: number];

function placeAreas(stream: RandomStream): Point[] {
  const { areas, semiAxes, innerShell, leastDistance } = SYNTHETIC_STATISTICS;
  const points: Point[] = [];
  while (points.length < areas) {
    const unit: Point = [
      stream.uniform(),
      2 * stream.uniform() - 1,
      2 * stream.uniform() - 1,
    ];
    const radius = distance(unit);
    if (radius < innerShell || radius > 1) continue;
    const [x, y, z] = semiAxes;
    const point: Point = [x * unit[0], y * unit[1], z * unit[2]];
    if (points.every((other) => distance(point, other) >= leastDistance)) {
      points.push(point);
    }
  }
  return points;
}

function distance(a: Point, b: Point = [0, 0, 0]): number {
  const [x, y, z] = [a[0] - b[0], a[1] - b[1], a[2] - b[2]];
  return Math.sqrt(x * x + y * y + z * z);
}

/** Scales each column to a drawn sum, and rounds. */
function scaleInputs(weights: Float64Array, stream: RandomStream): void {
  const { areas: n, input: [least, most], significantDigits } =
    SYNTHETIC_STATISTICS;
  for (let to = 0; to < n; to++) {
    let sum = 0;
    for (let from = 0; from < n; from++) sum += weights[from * n + to]!;
    const input = least + (most - least) * stream.uniform();
    if (sum === 0) continue;
    for (let from = 0; from < n; from++) {
      const scaled = weights[from * n + to]! * (input / sum);
      weights[from * n + to] = Number(scaled.toPrecision(significantDigits));
    }
  }
}

/**
 * What a connectome is: a weighted, directed graph of brain regions.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";

/** Connections between the regions of a brain. */
export interface Connectome {
  /** The name it is asked for by, e.g. "Macaque_Normalized". */
  readonly name: string;
  /** In words, e.g. "macaque"; "unknown" where nothing says. */
  readonly species: string;
  /** N, the number of regions. */
  readonly regions: number;
  /**
   * C, [N, N], row-major: element `i * N + j` is the weight of the connection
   * from region i to region j. Not negative, 0 on the diagonal.
   */
  readonly weights: Float64Array;
  /** N names, in the order of the rows. */
  readonly regionNames: readonly string[];
  /** N densities in neurons per mm³; NaN where it was not measured. */
  readonly neuronDensity?: Float64Array;
  /** What to cite, one paper an element, each with its DOI. */
  readonly citations: readonly string[];
  /** True where the connections were generated, not measured. */
  readonly synthetic: boolean;
  /** Where it was read: a path, or "embedded". */
  readonly source: string;
  /** SHA-256 of the file of the weights, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** The least and the largest weight a connection may have. */
const SMALLEST_WEIGHT = 1e-100;
const LARGEST_WEIGHT = 1e100;

/** Most regions; a limit against a mistaken or hostile file, far above any atlas. */
export const MAX_REGIONS = 10_000;

/**
 * Checks that a matrix can be a connectome: square, finite, not negative, 0 on
 * the diagonal, with at least one connection, and a name for each region.
 *
 * The diagonal must be 0 because `bio2art` makes a region's connections to
 * itself from its other weights. Weights from 1e-100 to 1e100 are allowed, so
 * that neither a sum nor a split of them can leave the range of a double.
 *
 * @param connectome The matrix with what names it.
 * @param file What messages call it, e.g. the path it was read from.
 * @throws {InputError} With file, entry (counted from 0, as NumPy does) and the names of its regions.
 *
 * @example
 * ```ts
 * import { validateConnectome } from "./src/connectome/connectome.ts";
 *
 * validateConnectome({
 *   regions: 2,
 *   weights: Float64Array.of(0, 0.5, 0.25, 0),
 *   regionNames: ["V1", "V2"],
 * }, "example");
 * ```
 */
export function validateConnectome(
  connectome: Pick<
    Connectome,
    "regions" | "weights" | "regionNames" | "neuronDensity"
  >,
  file: string,
): void {
  const { regions: n, weights, regionNames, neuronDensity } = connectome;
  const problem = (text: string) =>
    new InputError(`Cannot use the connectome "${file}": ${text}`);
  if (n < 2 || n > MAX_REGIONS) {
    throw problem(
      `it has ${n} region${
        n === 1 ? "" : "s"
      }, allowed are 2 to ${MAX_REGIONS}`,
    );
  }
  if (weights.length !== n * n) {
    throw problem(
      `its matrix must be square, ${n} x ${n}, found ${weights.length} entries`,
    );
  }
  if (regionNames.length !== n) {
    throw problem(
      `it has ${n} regions but ${regionNames.length} region names`,
    );
  }
  if (neuronDensity !== undefined && neuronDensity.length !== n) {
    throw problem(
      `it has ${n} regions but ${neuronDensity.length} neuron densities`,
    );
  }
  let connections = 0;
  for (let i = 0; i < n; i++) {
    for (let j = 0; j < n; j++) {
      const weight = weights[i * n + j] as number;
      if (weight === 0) continue;
      const entry = `C[${i}, ${j}] ("${regionNames[i]}" to "${
        regionNames[j]
      }")`;
      if (!Number.isFinite(weight)) {
        throw problem(`${entry} is ${weight}, allowed are finite numbers`);
      }
      if (weight < 0) {
        throw problem(`${entry} is ${weight}, allowed are 0 and above`);
      }
      if (i === j) {
        throw problem(
          `${entry} is ${weight}, but the diagonal must be 0: connections ` +
            `within a region are made from its other weights`,
        );
      }
      if (weight < SMALLEST_WEIGHT || weight > LARGEST_WEIGHT) {
        throw problem(
          `${entry} is ${weight}, allowed are ${SMALLEST_WEIGHT} to ${LARGEST_WEIGHT}`,
        );
      }
      connections++;
    }
  }
  if (connections === 0) {
    throw problem("it has no connection, all weights are 0");
  }
}

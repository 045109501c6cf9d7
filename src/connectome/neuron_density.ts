/**
 * From measured neuron densities to the number of neurons of each region.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { roundHalfToEven } from "./bio2art.ts";

/** How densities become numbers of neurons. */
export interface ScaleDensityOptions {
  /**
   * `rank`: the region of lowest density gets `seed` neurons, the next
   * 2 · `seed`, and so on; regions of equal density get the same number.
   * `ratio`: density / lowest density · `seed`, rounded half to even.
   */
  readonly method: "rank" | "ratio";
  /** Number of neurons of the region of lowest density, an integer from 1. */
  readonly seed: number;
  /** Names for messages. */
  readonly regionNames?: readonly string[];
}

/**
 * Number of neurons of each region, by its measured neuron density.
 *
 * @param density N densities in neurons per mm³.
 * @returns N integers, each at least 1.
 * @throws {InputError} If a density is missing (NaN, as for five macaque areas) or not above 0.
 * @throws {RangeError} If `seed` is no integer from 1.
 *
 * @example
 * ```ts
 * import { scaleNeuronDensity } from "./src/connectome/neuron_density.ts";
 *
 * scaleNeuronDensity([80_000, 40_000, 130_000], { method: "rank", seed: 2 }); // [4, 2, 6]
 * scaleNeuronDensity([80_000, 40_000, 130_000], { method: "ratio", seed: 2 }); // [4, 2, 6]
 * ```
 */
export function scaleNeuronDensity(
  density: ArrayLike<number>,
  { method, seed, regionNames }: ScaleDensityOptions,
): number[] {
  if (!Number.isSafeInteger(seed) || seed < 1) {
    throw new RangeError(
      `Cannot scale neuron densities: seed must be an integer from 1, found ${seed}`,
    );
  }
  const values = Array.from(density);
  const unusable = values.flatMap((value, region) =>
    value > 0 && value < Infinity ? [] : [regionNames?.[region] ?? `${region}`]
  );
  if (unusable.length > 0) {
    throw new InputError(
      `Cannot scale neuron densities: there is no density above 0 for ` +
        `${unusable.length} of ${values.length} regions (${
          unusable.join(", ")
        }); give all regions the same number of neurons, or fill the gaps`,
    );
  }
  if (method === "rank") {
    const sorted = values.toSorted((a, b) => a - b);
    return values.map((value) => (sorted.indexOf(value) + 1) * seed);
  }
  const lowest = values.reduce((a, b) => Math.min(a, b), Infinity);
  return values.map((value) => roundHalfToEven(value / lowest * seed));
}

/**
 * The numbers of the neurons of each region: regions in order, the neurons of
 * a region consecutive.
 *
 * @example
 * ```ts
 * import { regionNeuronIds } from "./src/connectome/neuron_density.ts";
 *
 * regionNeuronIds([2, 3]); // [[0, 1], [2, 3, 4]]
 * ```
 */
export function regionNeuronIds(neurons: ArrayLike<number>): number[][] {
  let next = 0;
  return Array.from(
    neurons,
    (count) => Array.from({ length: count }, () => next++),
  );
}

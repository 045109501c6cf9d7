/**
 * Small connectomes for tests.
 *
 * @module
 */

import fc from "fast-check";
import { createStream } from "../../src/random/stream.ts";
import { generateSyntheticMacaque } from "../../src/connectome/synthetic_macaque.ts";

/** A connectome without the trimmings. */
export interface Graph {
  readonly regions: number;
  readonly weights: Float64Array;
}

/** A connectome of 2 to 7 regions with weights over many orders of magnitude. */
export const anyGraph: fc.Arbitrary<Graph> = fc.integer({ min: 2, max: 7 })
  .chain((regions) =>
    fc.array(
      fc.oneof(
        fc.constant(0),
        fc.double({ min: -9, max: 4, noNaN: true }).map((e) => 10 ** e),
      ),
      { minLength: regions * regions, maxLength: regions * regions },
    ).map((values) => ({
      regions,
      weights: Float64Array.from(
        values,
        (value, entry) =>
          Math.floor(entry / regions) === entry % regions ? 0 : value,
      ),
    }))
  );

/** The synthetic connectome of a seed. */
export function syntheticGraph(seed: number): Graph {
  const { areas, weights } = generateSyntheticMacaque(
    createStream({ seed, purpose: "connectome" }),
  );
  return { regions: areas, weights };
}

/** Sum of the entries of S from one region to another, and how many there are. */
export function blockOf(
  { neurons, weights, mask, regionOf }: {
    readonly neurons: number;
    readonly weights: Float64Array;
    readonly mask: Uint8Array;
    readonly regionOf: Uint32Array;
  },
  [from, to]: readonly [number, number],
): { sum: number; count: number } {
  let sum = 0;
  let count = 0;
  for (let a = 0; a < neurons; a++) {
    if (regionOf[a] !== from) continue;
    for (let b = 0; b < neurons; b++) {
      if (regionOf[b] !== to) continue;
      sum += weights[a * neurons + b]!;
      count += mask[a * neurons + b]!;
    }
  }
  return { sum, count };
}

/** Whether two numbers agree within rounding of a sum of many. */
export function nearlyEqual(a: number, b: number): boolean {
  return Math.abs(a - b) <= 1e-12 * Math.max(Math.abs(a), Math.abs(b));
}

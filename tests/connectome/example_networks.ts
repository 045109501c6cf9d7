/**
 * Small connectomes for tests.
 *
 * @module
 */

import fc from "fast-check";
import { createStream } from "../../src/random/stream.ts";
import { type Network, scaleConnectome } from "../../src/connectome/scale.ts";
import { generateSyntheticMacaque } from "../../src/connectome/catalogue.ts";
import {
  type Graph,
  graphOfMatrix,
  maskOfGraph,
  matrixOfGraph,
} from "../../src/graph/graph.ts";

/** A connectome without the trimmings. */
export interface Example {
  readonly regions: number;
  /** [N, N] */
  readonly weights: Float64Array;
  readonly graph: Graph;
}

function example(regions: number, weights: Float64Array): Example {
  return { regions, weights, graph: graphOfMatrix(weights, regions) };
}

/** A network as dense matrices. */
export function denseNetwork(network: Network) {
  return {
    neurons: network.nodes,
    weights: matrixOfGraph(network),
    mask: maskOfGraph(network),
    regionOf: network.regionOf,
  };
}

/** A connectome of 2 to 7 regions with weights over many orders of magnitude. */
export const anyGraph: fc.Arbitrary<Example> = fc.integer({ min: 2, max: 7 })
  .chain((regions) =>
    fc.array(
      fc.oneof(
        fc.constant(0),
        fc.double({ min: -9, max: 4, noNaN: true }).map((e) => 10 ** e),
      ),
      { minLength: regions * regions, maxLength: regions * regions },
    ).map((values) =>
      example(
        regions,
        Float64Array.from(
          values,
          (value, entry) =>
            Math.floor(entry / regions) === entry % regions ? 0 : value,
        ),
      )
    )
  );

/** The synthetic connectome of a seed. */
export function syntheticGraph(seed: number): Example {
  const { areas, weights } = generateSyntheticMacaque(
    createStream({ seed, purpose: "connectome" }),
  );
  return example(areas, weights);
}

/** A small network of neurons, with some connections of neurons to themselves. */
export const anyNetwork: fc.Arbitrary<Network> = fc.tuple(
  anyGraph.filter(({ graph }) => graph.weight.length > 0),
  fc.nat(),
  fc.boolean(),
  fc.constantFrom(0.5, 1),
).map(([{ graph, regions }, seed, keepDiagonal, targetSparsity]) =>
  scaleConnectome(graph, {
    neuronDensity: new Array(regions).fill(2),
    targetSparsity,
    randPartition: true,
    keepDiagonal,
    stream: createStream({ seed, purpose: "bio2art" }),
  })
);

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

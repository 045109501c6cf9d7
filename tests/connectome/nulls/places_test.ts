/**
 * `permute`, whose places are part of every published seed.
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../../src/compat/testing.ts";
import {
  drawDistinctPlaces,
  permutePlaces,
  randomGraph,
  ringGraph,
  shufflePlaces,
} from "../../../src/connectome/nulls/places.ts";
import { scaleConnectome } from "../../../src/connectome/scale.ts";
import { sha256Hex } from "../../../src/files/bytes.ts";
import {
  type Graph,
  graphOfMatrix,
  isSymmetric,
  maskOfGraph,
  matrixOfGraph,
  sortGraph,
} from "../../../src/graph/graph.ts";
import { createStream } from "../../../src/random/stream.ts";
import { anyNetwork } from "../example_networks.ts";

/** Four regions in a chain, 0 → 1 → 2 → 3, and 0 → 3. */
const CHAIN = graphOfMatrix(
  [0, 0.1, 0, 0.4, 0, 0, 0.2, 0, 0, 0, 0, 0.3, 0, 0, 0, 0],
  4,
);

const topology = (seed: number) => createStream({ seed, purpose: "topology" });

const diagonal = ({ from, to, weight }: Graph) =>
  [...from.keys()].filter((edge) => from[edge] === to[edge])
    .map((edge) => [from[edge], weight[edge]]);

describe("permutePlaces()", () => {
  it("keeps the weights, the diagonal and the symmetry", () => {
    fc.assert(fc.property(anyNetwork, fc.nat(), (network, seed) => {
      const random = permutePlaces(network, topology(seed));
      assert.deepEqual(random.weight.toSorted(), network.weight.toSorted());
      assert.deepEqual(diagonal(random), diagonal(network));
      assert.equal(isSymmetric(random), isSymmetric(network));
    }));
  });

  it("keeps a symmetric network symmetric", () => {
    const weights = Float64Array.of(
      ...[0, 1, 2, 0],
      ...[1, 0, 0, 3],
      ...[2, 0, 0, 0],
      ...[0, 3, 0, 0],
    );
    const graph = graphOfMatrix(weights, 4);
    const seen = new Set<string>();
    for (let seed = 0; seed < 50; seed++) {
      const random = permutePlaces(graph, topology(seed));
      assert.ok(isSymmetric(random));
      assert.deepEqual(random.weight.toSorted(), graph.weight.toSorted());
      seen.add(matrixOfGraph(random).join());
    }
    assert.ok(seen.size > 20);
  });

  it("puts a weight in every place off the diagonal equally often", () => {
    const graph = graphOfMatrix([0, 1, 0, 0, 0, 0, 0, 0, 0], 3);
    const hits = new Float64Array(9);
    for (let seed = 0; seed < 3000; seed++) {
      const { from, to } = permutePlaces(graph, topology(seed));
      hits[from[0]! * 3 + to[0]!]!++;
    }
    // Binomial, p = 1/6: standard deviation 20.
    hits.forEach((hit, entry) => {
      const expected = entry % 4 === 0 ? 0 : 500;
      assert.ok(Math.abs(hit - expected) <= (expected && 100), `${hits}`);
    });
  });

  it("gives a network of at most 4,096 neurons the places that every version gave it", async () => {
    // Computed by the version that permuted dense matrices.
    const before = [
      [
        "90ae26d6e60baa91b5b6d3ae945e808d142a17811e6f5b383a6fd07cd57d9ff9",
        "6545d3edc18c50b17bdfa0a03106a8a3f873a0fe594d197b5f47f5618bf1a2f6",
      ],
      [
        "ae2851204f66b7e9b1cfbbefdeeec84a9f6f96fcc56ff3c0ccf0082255d1144e",
        "958fbf955493b63197e9d17c12d579580fa191fb87b0fe0cce6cdfca871ba771",
      ],
    ] as const;
    for (const [i, keepDiagonal] of [false, true].entries()) {
      const network = scaleConnectome(CHAIN, {
        neuronDensity: [5, 5, 5, 5],
        randPartition: true,
        keepDiagonal,
        stream: createStream({ seed: 1, purpose: "bio2art" }),
      });
      const random = permutePlaces(network, topology(2));
      assert.deepEqual([
        await sha256Hex(new Uint8Array(matrixOfGraph(random).buffer)),
        await sha256Hex(maskOfGraph(random)),
      ], before[i]);
    }
    const random = (weights: number[]) => {
      const graph = graphOfMatrix(weights, Math.sqrt(weights.length));
      return [...matrixOfGraph(permutePlaces(graph, topology(2)))];
    };
    assert.deepEqual(
      random([0, 1, 2, 0, 1, 0, 0, 3, 2, 0, 0, 0, 0, 3, 0, 0]),
      [0, 1, 0, 0, 1, 0, 3, 2, 0, 3, 0, 0, 0, 2, 0, 0],
    );
    assert.deepEqual(
      random([9, 1, 2, 0, 8, 3, 0, 0, 7]),
      [9, 1, 0, 0, 8, 3, 2, 0, 7],
    );
  });
});

describe("permutePlaces() of a large network", () => {
  /** A network too large for the shuffle of all places, with connections between neighbours. */
  function largeNetwork({ symmetric }: { readonly symmetric: boolean }) {
    const neurons = 4100;
    const pairs: [from: number, to: number, weight: number][] = [];
    for (let a = 0; a < neurons; a++) {
      // Every hundredth neuron connects to itself.
      if (a % 100 === 0) pairs.push([a, a, a + 0.5]);
      for (let b = a + 1; b < Math.min(neurons, a + 11); b++) {
        const weight = 1 + a / 10_000 + b / 1e8;
        pairs.push([a, b, weight]);
        if (symmetric) pairs.push([b, a, weight]);
      }
    }
    return sortGraph({
      nodes: neurons,
      from: Uint32Array.from(pairs, ([from]) => from),
      to: Uint32Array.from(pairs, ([, to]) => to),
      weight: Float64Array.from(pairs, ([, , weight]) => weight),
    });
  }

  for (const symmetric of [false, true]) {
    it(
      `puts the connections of a large${
        symmetric ? ", symmetric" : ""
      } network on different places, all over the matrix`,
      () => {
        const edges = largeNetwork({ symmetric });
        const random = permutePlaces(edges, topology(3));
        const { nodes: n, from, to, weight } = random;
        assert.deepEqual(weight.toSorted(), edges.weight.toSorted());
        assert.deepEqual(diagonal(random), diagonal(edges));
        assert.equal(isSymmetric(random), symmetric);
        const places = Array.from(from, (a, edge) => a * n + to[edge]!);
        assert.ok(
          places.every((place, i) => i === 0 || place > places[i - 1]!),
        );
        assert.notDeepEqual(from, edges.from);
        // A hundred fields of 410 × 410 neurons: as many connections in each of them.
        const fields = new Float64Array(100);
        let moved = 0;
        for (let edge = 0; edge < from.length; edge++) {
          const [a, b] = [from[edge]!, to[edge]!];
          if (a === b || (symmetric && a < b)) continue;
          moved++;
          fields[Math.floor(a / 410) * 10 + Math.floor(b / 410)]!++;
        }
        let chiSquare = 0, tested = 0;
        for (let row = 0; row < 10; row++) {
          for (let column = 0; column < (symmetric ? row : 10); column++) {
            if (row === column) continue;
            const share = 410 * 410 /
              (symmetric ? n * (n - 1) / 2 : n * (n - 1));
            const expected = moved * share;
            chiSquare += (fields[row * 10 + column]! - expected) ** 2 /
              expected;
            tested++;
          }
        }
        const score = (chiSquare - tested) / Math.sqrt(2 * tested);
        assert.ok(
          Math.abs(score) < 4,
          `χ² is ${score} standard deviations off`,
        );
        assert.deepEqual(permutePlaces(edges, topology(3)), random);
        assert.notDeepEqual(permutePlaces(edges, topology(4)), random);
      },
    );
  }

  it("draws an integer for each connection of a large network, in row-major order", () => {
    const edges = {
      nodes: 5000,
      from: Uint32Array.of(7, 9, 4000),
      to: Uint32Array.of(3, 9, 1),
      weight: Float64Array.of(0.1, 0.3, 0.2),
    };
    const stream = topology(1);
    const places = [0, 1].map((i) => i + stream.integer(5000 * 4999 - i));
    const { from, to, weight } = permutePlaces(edges, topology(1));
    for (const [i, w] of [0.1, 0.2].entries()) {
      const edge = weight.indexOf(w);
      const column = to[edge]! - (to[edge]! > from[edge]! ? 1 : 0);
      assert.equal(from[edge]! * 4999 + column, places[i]);
    }
    assert.deepEqual([from[weight.indexOf(0.3)], to[weight.indexOf(0.3)]], [
      9,
      9,
    ]);
  });

  it("moves the connections of more neurons than pairs have numbers of 32 bits", () => {
    const nodes = 139_255;
    const ring = {
      nodes,
      from: Uint32Array.from({ length: nodes }, (_, i) => i),
      to: Uint32Array.from({ length: nodes }, (_, i) => (i + 1) % nodes),
      weight: Float64Array.from({ length: nodes }, (_, i) => i + 1),
    };
    for (const makeRandom of [permutePlaces, randomGraph, ringGraph]) {
      const { from, to, weight } = makeRandom(ring, topology(3));
      const upper = to.filter((node) => node > nodes / 2).length;
      assert.ok(Math.abs(upper / weight.length - 0.5) < 0.01, makeRandom.name);
      assert.ok(from.every((node, edge) => node !== to[edge]));
      if (makeRandom === randomGraph) continue;
      assert.deepEqual(weight.toSorted(), ring.weight);
    }
  });

  it("knows networks of one neuron and without connections", () => {
    for (const neurons of [1, 3, 5000]) {
      const none = {
        nodes: neurons,
        from: new Uint32Array(),
        to: new Uint32Array(),
        weight: new Float64Array(),
      };
      assert.deepEqual(permutePlaces(none, topology(1)), none);
    }
  });
});

describe("drawDistinctPlaces()", () => {
  it("draws what a shuffle of all places has in front", () => {
    fc.assert(fc.property(fc.nat(60), fc.nat(60), fc.nat(), (a, b, seed) => {
      const [amount, count] = [Math.min(a, b), Math.max(a, b)];
      assert.deepEqual(
        drawDistinctPlaces(amount, { count, stream: topology(seed) }),
        topology(seed).sample(count, amount),
      );
    }));
  });

  it("draws different places of very many, in all parts of them", () => {
    for (const count of [2 ** 32, 2 ** 32 + 16, 139_255 * 139_254, 2 ** 52]) {
      const stream = topology(1);
      const places = drawDistinctPlaces(100_000, { count, stream });
      assert.equal(new Set(places).size, 100_000);
      const sixteenths = new Float64Array(16);
      const low = new Float64Array(16);
      for (const place of places) {
        sixteenths[Math.floor(16 * place / count)]!++;
        low[place % 16]!++;
      }
      // Binomial, p = 1/16: standard deviation 77.
      for (const hits of [...sixteenths, ...low]) {
        assert.ok(Math.abs(hits - 6250) < 310, `${count}: ${hits}`);
      }
    }
  });

  it("refuses more places than there are, and more than 2^53", () => {
    const stream = topology(1);
    assert.throws(
      () => drawDistinctPlaces(4, { count: 3, stream }),
      /Cannot draw 4 different places of 3/,
    );
    assert.throws(
      () => drawDistinctPlaces(1, { count: 2 ** 53, stream }),
      RangeError,
    );
  });
});

describe("shufflePlaces()", () => {
  it("moves things to different places, as a permutation of all does", () => {
    fc.assert(fc.property(
      fc.uniqueArray(fc.nat(39), { maxLength: 40 }),
      fc.nat(),
      (places, seed) => {
        const shuffled = shufflePlaces(Uint32Array.from(places), {
          count: 40,
          stream: topology(seed),
        });
        // Place i of the permutation holds the place that was drawn for it.
        const order = topology(seed).permutation(40);
        assert.deepEqual(
          [...shuffled],
          places.map((place) => order.indexOf(place)),
        );
      },
    ));
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../../src/compat/testing.ts";
import { graphMeasures, modulesOf } from "../../../src/connectome/measures.ts";
import {
  NULL_MODEL_NAMES,
  NULL_MODELS,
  type NullModelName,
  randomiseNetwork,
} from "../../../src/connectome/nulls/null_model.ts";
import {
  latticeConnections,
  swapConnections,
  swapKeepingPairs,
} from "../../../src/connectome/nulls/swaps.ts";
import {
  type Network,
  scaleConnectome,
} from "../../../src/connectome/scale.ts";
import {
  type Graph,
  graphOfMatrix,
  isSymmetric,
  matrixOfGraph,
  sortGraph,
  transposeGraph,
} from "../../../src/graph/graph.ts";
import { createStream, type RandomStream } from "../../../src/random/stream.ts";
import { generateSyntheticMacaque } from "../../../src/connectome/catalogue.ts";
import {
  anyNetwork,
  nearlyEqual,
  syntheticGraph,
} from "../example_networks.ts";

const topology = (seed: number) => createStream({ seed, purpose: "topology" });

/** A directed graph of any density, up to all connections, with loops now and then. */
const anyGraph: fc.Arbitrary<Graph> = fc.record({
  nodes: fc.integer({ min: 2, max: 10 }),
  density: fc.constantFrom(0.05, 0.3, 0.6, 0.9, 0.97, 1),
  loops: fc.boolean(),
  seed: fc.nat(),
}).map(({ nodes, density, loops, seed }) => {
  const stream = topology(seed);
  const matrix = Float64Array.from(
    { length: nodes * nodes },
    (_, entry) =>
      (entry % (nodes + 1) !== 0 || loops) && stream.uniform() < density
        ? 0.01 + stream.uniform()
        : 0,
  );
  return graphOfMatrix(matrix, nodes);
}).filter(({ weight }) => weight.length > 0);

/** What any null model is to be: sorted, no connection twice. */
function assertSound(graph: Graph): void {
  const { nodes, from, to, weight } = graph;
  assert.deepEqual(sortGraph(graph), { nodes, from, to, weight });
  for (let edge = 1; edge < graph.from.length; edge++) {
    assert.ok(
      graph.from[edge] !== graph.from[edge - 1] ||
        graph.to[edge] !== graph.to[edge - 1],
      "a connection stands twice",
    );
  }
  assert.ok(graph.weight.every((weight) => weight > 0));
}

const loopsOf = (graph: Graph) =>
  [...graph.from.keys()].filter((edge) => graph.from[edge] === graph.to[edge])
    .map((edge) => [graph.from[edge], graph.weight[edge]]);

function assertSameDegrees(graph: Graph, other: Graph): void {
  const before = graphMeasures(graph);
  const after = graphMeasures(other);
  assert.deepEqual(after.outDegree, before.outDegree);
  assert.deepEqual(after.inDegree, before.inDegree);
}

/** How many partners each node has both ways. */
function mutualOf(graph: Graph): number[] {
  const matrix = matrixOfGraph(graph);
  const n = graph.nodes;
  return Array.from({ length: n }, (_, a) => {
    let count = 0;
    for (let b = 0; b < n; b++) {
      if (a !== b && matrix[a * n + b]! > 0 && matrix[b * n + a]! > 0) count++;
    }
    return count;
  });
}

describe("swapConnections()", () => {
  it("keeps degrees, loops and what each node sends, whatever the density", () => {
    fc.assert(
      fc.property(anyGraph, fc.nat(), (graph, seed) => {
        const random = swapConnections(graph, topology(seed));
        assertSound(random);
        assertSameDegrees(graph, random);
        assert.deepEqual(loopsOf(random), loopsOf(graph));
        assert.deepEqual(random.weight.toSorted(), graph.weight.toSorted());
        const before = graphMeasures(graph).outStrength;
        graphMeasures(random).outStrength.forEach((sum, node) =>
          assert.ok(nearlyEqual(sum, before[node]!))
        );
      }),
      { numRuns: 30 },
    );
  });

  it("reaches every graph with the same degrees equally often, cycles of three among them", () => {
    // 0 → 1 → 2 → 0 can only be turned round as a whole.
    const cycle = graphOfMatrix([0, 1, 0, 0, 0, 1, 1, 0, 0], 3);
    // Four nodes, one connection out and one in each: 9 ways without loops.
    const ring = graphOfMatrix(
      [0, 1, 0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 1, 0, 0, 0],
      4,
    );
    for (const [graph, ways] of [[cycle, 2], [ring, 9]] as const) {
      const seen = new Map<string, number>();
      const draws = 1800;
      for (let seed = 0; seed < draws; seed++) {
        const { to } = swapConnections(graph, topology(seed));
        seen.set(to.join(), (seen.get(to.join()) ?? 0) + 1);
      }
      assert.equal(seen.size, ways);
      const expected = draws / ways;
      for (const count of seen.values()) {
        assert.ok(Math.abs(count - expected) < 5 * Math.sqrt(expected));
      }
    }
  });

  it("counts swaps: a dense network forgets its connections as a sparse one does", () => {
    for (const density of [0.1, 0.5, 0.8]) {
      const n = 60;
      const stream = topology(3);
      const graph = graphOfMatrix(
        Float64Array.from(
          { length: n * n },
          (_, e) => e % (n + 1) !== 0 && stream.uniform() < density ? 1 : 0,
        ),
        n,
      );
      // Weights tell the connections apart.
      const told = { ...graph, weight: graph.weight.map((_, e) => e + 1) };
      const random = matrixOfGraph(swapConnections(told, stream));
      const before = matrixOfGraph(told);
      const stayed = before.filter((w, e) => w > 0 && random[e] === w).length;
      // By chance a connection is where it was in 1 of some 60 · density cases.
      const chance = told.weight.length / (n * density);
      assert.ok(stayed < 2 * chance, `${density}: ${stayed}, chance ${chance}`);
    }
  });

  it("keeps a symmetric graph symmetric", () => {
    const stream = topology(5);
    const n = 12;
    const matrix = new Float64Array(n * n);
    for (let a = 0; a < n; a++) {
      for (let b = 0; b < a; b++) {
        if (stream.uniform() < 0.6) continue;
        matrix[a * n + b] = matrix[b * n + a] = 1 + stream.uniform();
      }
    }
    const graph = graphOfMatrix(matrix, n);
    for (const swap of [swapConnections, swapKeepingPairs]) {
      const random = swap(graph, topology(1));
      assertSound(random);
      assertSameDegrees(graph, random);
      assert.ok(isSymmetric(random));
      assert.deepEqual(random.weight.toSorted(), graph.weight.toSorted());
      assert.notDeepEqual(random.to, graph.to);
    }
  });

  it("works on more neurons than a matrix of bits would hold", () => {
    const stream = topology(8);
    const nodes = 40_000;
    const places = new Set<number>();
    while (places.size < 20_000) {
      const a = stream.integer(nodes), b = stream.integer(nodes);
      if (a !== b) places.add(a * nodes + b);
    }
    const sorted = Float64Array.from(places).sort();
    const from = Uint32Array.from(sorted, (place) => Math.floor(place / nodes));
    const to = Uint32Array.from(sorted, (place) => place % nodes);
    const graph = { nodes, from, to, weight: sorted.map((_, i) => i + 1) };
    const random = swapConnections(graph, stream);
    assertSound(random);
    assertSameDegrees(graph, random);
    const stayed = random.weight.filter((w, e) =>
      w === e + 1 && random.to[e] === graph.to[w - 1]
    );
    assert.ok(stayed.length < 200, `${stayed.length}`);
  });
});

describe("swapKeepingPairs()", () => {
  it("keeps degrees and how many partners each node has both ways", () => {
    fc.assert(
      fc.property(anyGraph, fc.nat(), (graph, seed) => {
        const random = swapKeepingPairs(graph, topology(seed));
        assertSound(random);
        assertSameDegrees(graph, random);
        assert.deepEqual(mutualOf(random), mutualOf(graph));
        assert.deepEqual(loopsOf(random), loopsOf(graph));
      }),
      { numRuns: 30 },
    );
  });

  it("moves connections of both kinds", () => {
    const { graph } = syntheticGraph(3);
    const random = swapKeepingPairs(graph, topology(1));
    const kinds = (g: Graph) => {
      const matrix = matrixOfGraph(g);
      const both = [...g.from.keys()].filter((e) =>
        matrix[g.to[e]! * g.nodes + g.from[e]!]! > 0
      );
      return new Set(both.map((e) => g.from[e]! * g.nodes + g.to[e]!));
    };
    const [before, after] = [kinds(graph), kinds(random)];
    assert.equal(before.size, after.size);
    assert.notEqual([...before].filter((e) => !after.has(e)).length, 0);
    assert.notDeepEqual(random.to, graph.to);
  });
});

describe("latticeConnections()", () => {
  it("keeps degrees and clusters more than the same degrees at random", () => {
    fc.assert(
      fc.property(anyGraph, fc.nat(), (graph, seed) => {
        const lattice = latticeConnections(graph, topology(seed));
        assertSound(lattice);
        assertSameDegrees(graph, lattice);
      }),
      { numRuns: 40 },
    );
    const stream = topology(2);
    const n = 80;
    const graph = graphOfMatrix(
      Float64Array.from(
        { length: n * n },
        (_, e) => e % (n + 1) !== 0 && stream.uniform() < 0.1 ? 1 : 0,
      ),
      n,
    );
    const lattice = latticeConnections(graph, stream);
    const triangles = (g: Graph) => {
      const m = matrixOfGraph(g);
      let count = 0;
      for (let a = 0; a < n; a++) {
        for (let b = 0; b < n; b++) {
          if (m[a * n + b] === 0) continue;
          for (let c = 0; c < n; c++) {
            if (m[b * n + c]! > 0 && m[a * n + c]! > 0) count++;
          }
        }
      }
      return count;
    };
    assert.ok(triangles(lattice) > 2 * triangles(graph));
  });
});

/** The inputs of null models for a connectome with so many neurons a region. */
function inputFor(
  connectome: Graph,
  { perRegion, seed, distances }: {
    readonly perRegion: number;
    readonly seed: number;
    readonly distances?: Float64Array;
  },
) {
  const scaling = {
    neuronDensity: new Array(connectome.nodes).fill(perRegion),
    randPartition: true,
  };
  const network = scaleConnectome(connectome, {
    ...scaling,
    stream: createStream({ seed: 1, purpose: "bio2art" }),
  });
  return {
    network,
    connectome: {
      name: "Test",
      graph: connectome,
      ...(distances === undefined ? {} : { distances }),
    },
    scaleBetween: (graph: Graph, stream: RandomStream) =>
      scaleConnectome(graph, {
        ...scaling,
        intrinsicConnections: false,
        stream,
      }),
    stream: topology(seed),
  };
}

const macaque = generateSyntheticMacaque(
  createStream({ seed: 29, purpose: "connectome" }),
);
const macaqueGraph = graphOfMatrix(macaque.weights, macaque.areas);

function macaqueNull(name: NullModelName, seed: number): [Network, Network] {
  const input = inputFor(macaqueGraph, {
    perRegion: 4,
    seed,
    distances: macaque.distances,
  });
  return [input.network, randomiseNetwork(name, input)];
}

const withinRegions = ({ regionOf, from, to, weight }: Network) =>
  [...from.keys()].filter((e) => regionOf[from[e]!] === regionOf[to[e]!])
    .map((e) => [from[e], to[e], weight[e]]);

describe("the null models", () => {
  for (const name of NULL_MODEL_NAMES) {
    it(`${name} is sound, has a text, and follows its seed`, () => {
      assert.match(NULL_MODELS[name].keeps, /^\w.*\w$/);
      const [bio, random] = macaqueNull(name, 7);
      assertSound(random);
      assert.equal(random.nodes, bio.nodes);
      assert.deepEqual(random.regionOf, bio.regionOf);
      assert.deepEqual(macaqueNull(name, 7)[1], random);
      assert.notDeepEqual(
        [random.from, random.to, random.weight],
        [bio.from, bio.to, bio.weight],
      );
      const another = macaqueNull(name, 8)[1];
      if ("fixed" in NULL_MODELS[name]) assert.deepEqual(another, random);
      else assert.notDeepEqual(another, random);
    });
  }

  for (
    const name of [
      ...["permute", "weights", "degrees", "strengths", "reciprocity"],
      ...["modules", "lattice", "small_world", "transpose"],
    ] as NullModelName[]
  ) {
    it(`${name} keeps the number of connections and the weights`, () => {
      fc.assert(
        fc.property(anyNetwork, fc.nat(), (network, seed) => {
          const random = randomiseNetwork(name, {
            ...inputFor(graphOfMatrix([0, 1, 1, 0], 2), { perRegion: 1, seed }),
            network,
            connectome: {
              name: "Test",
              graph: regionsOf(network),
            },
          });
          assertSound(random);
          const sorted = (graph: Graph) => graph.weight.toSorted();
          assert.deepEqual(sorted(random), sorted(network));
        }),
        { numRuns: 30 },
      );
    });
  }

  it("weights keeps the connections", () => {
    const [bio, random] = macaqueNull("weights", 1);
    assert.deepEqual([random.from, random.to], [bio.from, bio.to]);
    const moved = random.weight.filter((w, edge) => w !== bio.weight[edge]);
    assert.ok(moved.length > 0.99 * bio.weight.length);
  });

  it("strengths keeps degrees and what is sent, and nearly what is received", () => {
    const [bio, random] = macaqueNull("strengths", 1);
    assertSameDegrees(bio, random);
    const error = (other: Network) => {
      const wanted = graphMeasures(bio).inStrength;
      const found = graphMeasures(other).inStrength;
      const total = wanted.reduce((a, b) => a + b);
      return wanted.reduce((sum, w, i) => sum + Math.abs(w - found[i]!), 0) /
        total;
    };
    const sent = graphMeasures(bio).outStrength;
    graphMeasures(random).outStrength.forEach((sum, node) =>
      assert.ok(nearlyEqual(sum, sent[node]!))
    );
    const without = error(macaqueNull("degrees", 1)[1]);
    assert.ok(error(random) < 0.25 * without, `${error(random)} ${without}`);
  });

  it("regions and length keep the connections within regions, and length those of each distance", () => {
    for (const name of ["regions", "length"] as const) {
      const [bio, random] = macaqueNull(name, 3);
      assert.deepEqual(withinRegions(random), withinRegions(bio));
      assert.equal(random.weight.length, bio.weight.length);
      const sums = (g: Network) => {
        const pairs = new Map<number, number>();
        for (let e = 0; e < g.weight.length; e++) {
          const [i, j] = [g.regionOf[g.from[e]!]!, g.regionOf[g.to[e]!]!];
          if (i !== j) {
            pairs.set(i * 29 + j, (pairs.get(i * 29 + j) ?? 0) + g.weight[e]!);
          }
        }
        return pairs;
      };
      const round = (values: Iterable<number>) =>
        [...values].map((v) => Number(v.toPrecision(9))).sort((a, b) => a - b);
      assert.deepEqual(round(sums(random).values()), round(sums(bio).values()));
      if (name === "regions") continue;
      const meanDistance = (g: Network) => {
        const pairs = [...sums(g).keys()];
        return pairs.reduce((sum, pair) => sum + macaque.distances[pair]!, 0) /
          pairs.length;
      };
      const [a, b] = [meanDistance(bio), meanDistance(random)];
      const c = meanDistance(macaqueNull("regions", 3)[1]);
      assert.ok(Math.abs(a - b) < 0.02 * a, `${a} ${b}`);
      assert.ok(c > 1.05 * a, `${a} ${c}`);
    }
  });

  it("length says what it needs", () => {
    assert.throws(
      () =>
        randomiseNetwork(
          "length",
          inputFor(macaqueGraph, { perRegion: 2, seed: 1 }),
        ),
      /Cannot make the null model "length" of Test: it needs the distances.*D_Test\.npy/,
    );
  });

  it("modules keeps the connections of every block of modules", () => {
    const [bio, random] = macaqueNull("modules", 4);
    const modules = modulesOf(macaqueGraph);
    assert.ok(new Set(modules).size > 1);
    const blocks = (g: Network) => {
      const counts: Record<string, number> = {};
      for (let e = 0; e < g.from.length; e++) {
        const block = [g.from[e]!, g.to[e]!].map((a) => modules[g.regionOf[a]!])
          .join();
        counts[block] = (counts[block] ?? 0) + 1;
      }
      return counts;
    };
    assert.deepEqual(blocks(random), blocks(bio));
  });

  it("small_world connects neighbours on a ring, and a tenth at random", () => {
    const [bio, random] = macaqueNull("small_world", 5);
    const { outDegree, inDegree } = graphMeasures(random);
    const mean = bio.weight.length / bio.nodes;
    assert.ok(outDegree.every((degree) => Math.abs(degree - mean) <= 1));
    assert.ok(new Set(inDegree).size > 3);
  });

  it("erdos_renyi has the density on average, and weights of the network", () => {
    let connections = 0;
    const [bio] = macaqueNull("erdos_renyi", 0);
    const weights = new Set(bio.weight);
    const draws = 30;
    for (let seed = 0; seed < draws; seed++) {
      const [, random] = macaqueNull("erdos_renyi", seed);
      connections += random.weight.length;
      assert.ok(random.weight.every((weight) => weights.has(weight)));
      assert.ok(random.from.every((a, edge) => a !== random.to[edge]));
    }
    const m = bio.weight.length;
    const places = bio.nodes * (bio.nodes - 1);
    const sd = Math.sqrt(m * (1 - m / places) / draws);
    assert.ok(Math.abs(connections / draws - m) < 4 * sd);
    const whole = graphOfMatrix([0, 1, 1, 1, 0, 1, 1, 1, 0], 3);
    const all = randomiseNetwork("erdos_renyi", {
      ...inputFor(whole, { perRegion: 1, seed: 1 }),
      network: { ...whole, regionOf: Uint32Array.of(0, 1, 2) },
    });
    assert.equal(all.weight.length, 6);
  });

  it("transpose turns every connection round", () => {
    const [bio, random] = macaqueNull("transpose", 1);
    const { from, to, weight } = transposeGraph(bio);
    assert.deepEqual([random.from, random.to, random.weight], [
      from,
      to,
      weight,
    ]);
  });
});

/** The graph of regions that a network is made of, with the weights between them. */
function regionsOf({ regionOf, from, to, weight }: Network): Graph {
  const regions = Math.max(...regionOf) + 1;
  const matrix = new Float64Array(regions ** 2);
  for (let e = 0; e < weight.length; e++) {
    const [i, j] = [regionOf[from[e]!]!, regionOf[to[e]!]!];
    if (i !== j) matrix[i * regions + j]! += weight[e]!;
  }
  return graphOfMatrix(matrix, regions);
}

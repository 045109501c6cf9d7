import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  countEdges,
  intrinsicTargetsUsed,
  roundHalfToEven,
  scaleConnectome,
  type ScaleOptions,
  scaleToEdges,
  targetsUsed,
} from "../../src/connectome/bio2art.ts";
import {
  edgesToNetwork,
  networkToEdges,
} from "../../src/connectome/scaled_network.ts";
import { createStream } from "../../src/random/stream.ts";
import {
  anyGraph,
  blockOf,
  type Graph,
  nearlyEqual,
} from "./example_networks.ts";

function stream(seed = 1) {
  return createStream({ seed, purpose: "bio2art" });
}

const anyCase = anyGraph.chain((graph) =>
  fc.record({
    graph: fc.constant(graph),
    neuronDensity: fc.array(fc.integer({ min: 1, max: 6 }), {
      minLength: graph.regions,
      maxLength: graph.regions,
    }),
    targetSparsity: fc.constantFrom(0.1, 0.3, 0.5, 0.8, 1),
    intrinsicConnections: fc.boolean(),
    targetSparsityIntrinsic: fc.constantFrom(0.1, 0.5, 0.9, 1),
    intrinsicWeight: fc.constantFrom(0, 0.2, 0.8),
    randPartition: fc.boolean(),
    keepDiagonal: fc.boolean(),
    intrinsicFrom: fc.constantFrom("outgoing" as const, "incoming" as const),
    seed: fc.nat(),
  })
);

function rowSum({ regions, weights }: Graph, row: number): number {
  return weights.slice(row * regions, (row + 1) * regions)
    .reduce((a, b) => a + b, 0);
}

function columnSum({ regions, weights }: Graph, column: number): number {
  return weights.filter((_, entry) => entry % regions === column)
    .reduce((a, b) => a + b, 0);
}

describe("targetsUsed()", () => {
  it("rounds half to even and never to 0", () => {
    assert.equal(targetsUsed(0.5, 5), 2);
    assert.equal(targetsUsed(0.5, 7), 4);
    assert.equal(targetsUsed(0.1, 4), 1);
    assert.equal(targetsUsed(0.8, 4), 3);
    assert.equal(targetsUsed(1, 4), 4);
  });

  it("leaves out the neuron itself only where it would be among all", () => {
    const within = (sparsity: number, count: number) =>
      intrinsicTargetsUsed(sparsity, { count, keepDiagonal: false });
    assert.equal(within(1, 4), 3);
    assert.equal(within(0.5, 4), 2);
    assert.equal(within(0.9, 4), 3);
    assert.equal(within(1, 1), 0);
  });
});

describe("roundHalfToEven()", () => {
  it("agrees with Python's round()", () => {
    const rounded = [0.5, 1.5, 2.5, 2.4, 2.6, -0.5, -1.5, 7].map(
      roundHalfToEven,
    );
    assert.deepEqual(rounded.map((x) => x + 0), [0, 2, 2, 2, 3, 0, -2, 7]);
  });
});

describe("countEdges()", () => {
  it("tells how many connections there will be, each of them once", () => {
    fc.assert(fc.property(anyCase, ({ graph, seed, ...options }) => {
      const { neurons, from, to } = scaleToEdges(graph.weights, {
        ...options,
        stream: stream(seed),
      });
      assert.equal(from.length, countEdges(graph.weights, options));
      const places = new Set(from.map((a, edge) => a * neurons + to[edge]!));
      assert.equal(places.size, from.length);
    }));
  });
});

describe("networkToEdges()", () => {
  it("lists what edgesToNetwork() wrote, row by row", () => {
    fc.assert(fc.property(anyCase, ({ graph, seed, ...options }) => {
      const network = scaleConnectome(graph.weights, {
        ...options,
        stream: stream(seed),
      });
      const edges = networkToEdges(network);
      assert.deepEqual(edgesToNetwork(edges), network);
      const places = edges.from.map((a, edge) =>
        a * network.neurons + edges.to[edge]!
      );
      assert.deepEqual(places, places.toSorted());
    }));
  });
});

describe("scaleConnectome()", () => {
  it("connects exactly the pairs of regions it should, with the sums and counts it should", () => {
    fc.assert(
      fc.property(anyCase, ({ graph, seed, ...options }) => {
        const n = graph.regions;
        const network = scaleConnectome(graph.weights, {
          ...options,
          stream: stream(seed),
        });
        const density = options.neuronDensity;
        assert.equal(network.neurons, density.reduce((a, b) => a + b));
        for (let i = 0; i < n; i++) {
          for (let j = 0; j < n; j++) {
            const { sum, count } = blockOf(network, [i, j]);
            if (i !== j) {
              const total = graph.weights[i * n + j]!;
              assert.ok(nearlyEqual(sum, total), `${sum} is not ${total}`);
              const used = targetsUsed(options.targetSparsity, density[j]!);
              assert.equal(count, total > 0 ? density[i]! * used : 0);
              continue;
            }
            const used = intrinsicTargetsUsed(options.targetSparsityIntrinsic, {
              count: density[i]!,
              keepDiagonal: options.keepDiagonal,
            });
            const outside = options.intrinsicFrom === "outgoing"
              ? rowSum(graph, i)
              : columnSum(graph, i);
            const total = !options.intrinsicConnections || used === 0
              ? 0
              : options.intrinsicWeight * outside /
                (1 - options.intrinsicWeight);
            assert.ok(nearlyEqual(sum, total), `${sum} is not ${total}`);
            assert.equal(count, total > 0 ? density[i]! * used : 0);
          }
        }
      }),
    );
  });

  it("has a weight above 0 exactly where the mask is set, and none on the diagonal without it", () => {
    fc.assert(
      fc.property(anyCase, ({ graph, seed, ...options }) => {
        const { neurons, weights, mask } = scaleConnectome(graph.weights, {
          ...options,
          stream: stream(seed),
        });
        for (let entry = 0; entry < mask.length; entry++) {
          assert.equal(weights[entry]! > 0, mask[entry] === 1);
          assert.ok(weights[entry]! >= 0);
        }
        if (options.keepDiagonal) return;
        for (let a = 0; a < neurons; a++) {
          assert.equal(mask[a * neurons + a], 0);
        }
      }),
    );
  });

  it("gives each neuron of a region equally many targets in another", () => {
    fc.assert(
      fc.property(anyCase, ({ graph, seed, ...options }) => {
        const { neurons: n, mask, regionOf } = scaleConnectome(graph.weights, {
          ...options,
          stream: stream(seed),
        });
        const targets = new Map<string, Set<number>>();
        for (let a = 0; a < n; a++) {
          for (let region = 0; region < graph.regions; region++) {
            let count = 0;
            for (let b = 0; b < n; b++) {
              if (regionOf[b] === region) count += mask[a * n + b]!;
            }
            const pair = `${regionOf[a]} ${region}`;
            targets.set(pair, (targets.get(pair) ?? new Set()).add(count));
          }
        }
        for (const counts of targets.values()) assert.equal(counts.size, 1);
      }),
    );
  });

  it("gives equal weights without randPartition", () => {
    const network = scaleConnectome(Float64Array.of(0, 0.6, 0.3, 0), {
      neuronDensity: [2, 3],
      randPartition: false,
      stream: stream(),
    });
    // 0.8 of 3 targets are 2: 0.6 / (2 · 2); within: 4 · 0.6 / (2 · 1).
    assert.equal(Math.max(...network.weights.slice(2, 5)), 0.15);
    assert.ok(nearlyEqual(network.weights[1]!, 1.2));
    assert.equal(network.weights[1], network.weights[5]);
  });

  it("draws targets anew for each neuron", () => {
    const { mask } = scaleConnectome(Float64Array.of(0, 1, 0, 0), {
      neuronDensity: [40, 10],
      targetSparsity: 0.5,
      intrinsicConnections: false,
      randPartition: false,
      stream: stream(),
    });
    const rows = Array.from(
      { length: 40 },
      (_, a) => mask.slice(a * 50 + 40, a * 50 + 50).join(""),
    );
    assert.ok(new Set(rows).size > 30);
  });

  it("reaches every target equally often", () => {
    const hits = new Float64Array(5);
    for (let seed = 0; seed < 2000; seed++) {
      const { to } = scaleToEdges(Float64Array.of(0, 1, 0, 0), {
        neuronDensity: [1, 5],
        targetSparsity: 0.4,
        intrinsicConnections: false,
        randPartition: false,
        stream: stream(seed),
      });
      for (const target of to) hits[target - 1]!++;
    }
    // Binomial, 2000 draws with p = 0.4: standard deviation 22.
    for (const hit of hits) assert.ok(Math.abs(hit - 800) < 5 * 22, `${hit}`);
  });

  it("loses no connection with a hundred neurons a region", () => {
    const { weights, mask } = scaleConnectome(
      Float64Array.of(0, 1e-6, 0.5, 0),
      { neuronDensity: [100, 100], randPartition: true, stream: stream() },
    );
    let connections = 0;
    for (let entry = 0; entry < mask.length; entry++) {
      if (mask[entry] === 0) continue;
      connections++;
      assert.ok(weights[entry]! > 0);
    }
    assert.equal(connections, 2 * 100 * 80 + 2 * 100 * 99);
  });

  it("gives the same network for the same seed, another for another", () => {
    const scale = (seed: number) =>
      scaleConnectome(Float64Array.of(0, 1, 1, 0), {
        neuronDensity: [4, 4],
        randPartition: true,
        stream: stream(seed),
      }).weights;
    assert.deepEqual(scale(7), scale(7));
    assert.notDeepEqual(scale(7), scale(8));
  });

  it("keeps the order of its draws, which published seeds depend on", () => {
    const { from, to, weight } = scaleToEdges(Float64Array.of(0, 2, 1, 0), {
      neuronDensity: [2, 3],
      targetSparsity: 0.5,
      targetSparsityIntrinsic: 0.5,
      randPartition: true,
      stream: stream(2021),
    });
    assert.deepEqual([...from], [0, 1, 0, 0, 1, 1, 2, 3, 4, 2, 2, 3, 3, 4, 4]);
    assert.deepEqual([...to], [1, 0, 4, 2, 3, 2, 0, 1, 1, 3, 4, 2, 4, 2, 3]);
    assert.deepEqual([...weight], [
      0.4002891612504894,
      7.5997108387495125,
      1.591250540301019,
      0.31431300418900693,
      0.07748738018312365,
      0.01694907532685035,
      0.661166597381121,
      0.018093069732620315,
      0.32074033288625864,
      2.4131573038030316,
      0.7787528091296634,
      0.05083913236425338,
      0.2828529961266566,
      0.2123955559055536,
      0.26200220267084245,
    ]);
  });

  it("refuses parameters out of their range", () => {
    const scale = (options: Partial<ScaleOptions>) => () =>
      scaleConnectome(Float64Array.of(0, 1, 1, 0), {
        neuronDensity: [4, 4],
        randPartition: true,
        stream: stream(),
        ...options,
      });
    assert.throws(scale({ targetSparsity: 0 }), /targetSparsity .* found 0/);
    assert.throws(scale({ targetSparsityIntrinsic: 1.5 }), RangeError);
    assert.throws(scale({ intrinsicWeight: 1 }), /found 1/);
    assert.throws(scale({ neuronDensity: [4, 0] }), /found 0 for region 1/);
    assert.throws(scale({ neuronDensity: [4, NaN] }), /found NaN/);
    assert.throws(scale({ neuronDensity: [4, 4, 4] }), /3 regions need 9/);
  });
});

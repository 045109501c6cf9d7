import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  countScaledConnections,
  intrinsicTargetsUsed,
  roundHalfToEven,
  scaleConnectome,
  scaleNeuronDensity,
  type ScaleOptions,
  splitWeight,
  targetsUsed,
} from "../../src/connectome/scale.ts";
import { InputError } from "../../src/files/input_error.ts";
import { graphOfMatrix, matrixOfGraph } from "../../src/graph/graph.ts";
import { createStream } from "../../src/random/stream.ts";
import {
  anyGraph,
  blockOf,
  denseNetwork,
  type Example,
  nearlyEqual,
} from "./example_networks.ts";

function stream(seed = 1) {
  return createStream({ seed, purpose: "bio2art" });
}

/** Two regions that connect to each other with such weights. */
function pair(forth: number, back: number) {
  return graphOfMatrix([0, forth, back, 0], 2);
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

function rowSum({ regions, weights }: Example, row: number): number {
  return weights.slice(row * regions, (row + 1) * regions)
    .reduce((a, b) => a + b, 0);
}

function columnSum({ regions, weights }: Example, column: number): number {
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

describe("countScaledConnections()", () => {
  it("tells how many connections there will be, each of them once, in row-major order", () => {
    fc.assert(fc.property(anyCase, ({ graph: { graph }, seed, ...options }) => {
      const { nodes, from, to } = scaleConnectome(graph, {
        ...options,
        stream: stream(seed),
      });
      assert.equal(from.length, countScaledConnections(graph, options));
      const places = Array.from(from, (a, edge) => a * nodes + to[edge]!);
      assert.ok(places.every((place, i) => i === 0 || place > places[i - 1]!));
    }));
  });
});

describe("scaleConnectome()", () => {
  it("connects exactly the pairs of regions it should, with the sums and counts it should", () => {
    fc.assert(
      fc.property(anyCase, ({ graph, seed, ...options }) => {
        const n = graph.regions;
        const network = denseNetwork(scaleConnectome(graph.graph, {
          ...options,
          stream: stream(seed),
        }));
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
        const { neurons, weights, mask } = denseNetwork(
          scaleConnectome(graph.graph, { ...options, stream: stream(seed) }),
        );
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
        const { neurons: n, mask, regionOf } = denseNetwork(
          scaleConnectome(graph.graph, { ...options, stream: stream(seed) }),
        );
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
    const weights = matrixOfGraph(scaleConnectome(pair(0.6, 0.3), {
      neuronDensity: [2, 3],
      randPartition: false,
      stream: stream(),
    }));
    // 0.8 of 3 targets are 2: 0.6 / (2 · 2); within: 4 · 0.6 / (2 · 1).
    assert.equal(Math.max(...weights.slice(2, 5)), 0.15);
    assert.ok(nearlyEqual(weights[1]!, 1.2));
    assert.equal(weights[1], weights[5]);
  });

  it("draws targets anew for each neuron", () => {
    const { mask } = denseNetwork(scaleConnectome(pair(1, 0), {
      neuronDensity: [40, 10],
      targetSparsity: 0.5,
      intrinsicConnections: false,
      randPartition: false,
      stream: stream(),
    }));
    const rows = Array.from(
      { length: 40 },
      (_, a) => mask.slice(a * 50 + 40, a * 50 + 50).join(""),
    );
    assert.ok(new Set(rows).size > 30);
  });

  it("reaches every target equally often", () => {
    const hits = new Float64Array(5);
    for (let seed = 0; seed < 2000; seed++) {
      const { to } = scaleConnectome(pair(1, 0), {
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
    const { weight } = scaleConnectome(pair(1e-6, 0.5), {
      neuronDensity: [100, 100],
      randPartition: true,
      stream: stream(),
    });
    assert.ok(weight.every((w) => w > 0));
    assert.equal(weight.length, 2 * 100 * 80 + 2 * 100 * 99);
  });

  it("gives the same network for the same seed, another for another", () => {
    const scale = (seed: number) =>
      scaleConnectome(pair(1, 1), {
        neuronDensity: [4, 4],
        randPartition: true,
        stream: stream(seed),
      }).weight;
    assert.deepEqual(scale(7), scale(7));
    assert.notDeepEqual(scale(7), scale(8));
  });

  it("keeps the order of its draws, which published seeds depend on", () => {
    const { from, to, weight } = scaleConnectome(pair(2, 1), {
      neuronDensity: [2, 3],
      targetSparsity: 0.5,
      targetSparsityIntrinsic: 0.5,
      randPartition: true,
      stream: stream(2021),
    });
    assert.deepEqual([...from], [0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
    assert.deepEqual([...to], [1, 2, 4, 0, 2, 3, 0, 3, 4, 1, 2, 4, 1, 2, 3]);
    assert.deepEqual([...weight], [
      0.4002891612504894,
      0.31431300418900693,
      1.591250540301019,
      7.5997108387495125,
      0.01694907532685035,
      0.07748738018312365,
      0.661166597381121,
      2.4131573038030316,
      0.7787528091296634,
      0.018093069732620315,
      0.05083913236425338,
      0.2828529961266566,
      0.32074033288625864,
      0.2123955559055536,
      0.26200220267084245,
    ]);
  });

  it("refuses parameters out of their range", () => {
    const scale = (options: Partial<ScaleOptions>) => () =>
      scaleConnectome(pair(1, 1), {
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
    assert.throws(
      scale({ neuronDensity: [4, 4, 4] }),
      /2 regions need 2 .* found 3/,
    );
  });
});

describe("scaleNeuronDensity()", () => {
  it("ranks, and gives equal densities equal numbers", () => {
    assert.deepEqual(
      scaleNeuronDensity([30, 10, 30, 20], { method: "rank", seed: 3 }),
      [9, 3, 9, 6],
    );
  });

  it("takes ratios to the lowest, rounded half to even", () => {
    assert.deepEqual(
      scaleNeuronDensity([4, 10, 6, 14], { method: "ratio", seed: 1 }),
      [1, 2, 2, 4],
    );
  });

  it("names the regions without a density", () => {
    assert.throws(
      () =>
        scaleNeuronDensity([NaN, 10, 0], {
          method: "rank",
          seed: 1,
          regionNames: ["V1", "V2", "7m"],
        }),
      (error) =>
        error instanceof InputError &&
        /2 of 3 .*\(V1, 7m\)/.test(error.message),
    );
  });

  it("refuses a seed that is no integer from 1", () => {
    for (const seed of [0, 1.5, NaN]) {
      assert.throws(
        () => scaleNeuronDensity([1], { method: "rank", seed }),
        RangeError,
      );
    }
  });
});

describe("splitWeight()", () => {
  it("gives positive parts that sum to the weight", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -50, max: 50, noNaN: true }).map((e) => 10 ** e),
        fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(800, 3000)),
        fc.nat(),
        (total, count, seed) => {
          const parts = splitWeight(total, { count, stream: stream(seed) });
          assert.equal(parts.length, count);
          assert.ok(parts.every((part) => part > 0));
          const sum = parts.reduce((a, b) => a + b);
          assert.ok(Math.abs(sum - total) <= 1e-13 * total);
        },
      ),
    );
  });

  it("breaks the stick: the parts' squares sum to what uniform shares give", () => {
    let square = 0;
    const draws = 4000;
    for (let seed = 0; seed < draws; seed++) {
      for (const part of splitWeight(1, { count: 3, stream: stream(seed) })) {
        square += part * part;
      }
    }
    // E = 1/3 + 1/9 + 1/9: u, then (1 − u)v and (1 − u)(1 − v).
    assert.ok(Math.abs(square / draws - 5 / 9) < 0.012);
  });

  it("puts the large parts anywhere", () => {
    const where = new Float64Array(4);
    for (let seed = 0; seed < 2000; seed++) {
      const parts = splitWeight(1, { count: 4, stream: stream(seed) });
      where[parts.indexOf(Math.max(...parts))]!++;
    }
    // Binomial, p = 1/4: standard deviation 19.
    for (const count of where) assert.ok(Math.abs(count - 500) < 5 * 19);
  });

  it("keeps almost all of 10,000 parts apart", () => {
    const parts = splitWeight(1, { count: 10_000, stream: stream() });
    assert.ok(new Set(parts).size > 9_990);
    assert.ok(parts.every((part) => part >= 2 ** -1022));
  });

  it("gives the weight itself as its only part", () => {
    assert.deepEqual([...splitWeight(0.3, { count: 1, stream: stream() })], [
      0.3,
    ]);
  });

  it("refuses what it cannot split", () => {
    for (const total of [0, -1, NaN, Infinity]) {
      assert.throws(
        () => splitWeight(total, { count: 2, stream: stream() }),
        RangeError,
      );
    }
    assert.throws(
      () => splitWeight(1, { count: 0, stream: stream() }),
      RangeError,
    );
  });
});

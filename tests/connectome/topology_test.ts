import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { scaleConnectome, scaleToEdges } from "../../src/connectome/bio2art.ts";
import {
  edgesToNetwork,
  networkToEdges,
  type NeuronEdges,
  type ScaledNetwork,
} from "../../src/connectome/scaled_network.ts";
import {
  isSymmetric,
  randomizeEdges,
  randomizeNetwork,
} from "../../src/connectome/randomize_network.ts";
import { recurrentTemplate } from "../../src/connectome/recurrent_template.ts";
import { sha256Hex } from "../../src/files/checksum.ts";
import { createStream } from "../../src/random/stream.ts";
import {
  denseMask,
  denseMatrix,
  findConnectionProblem,
} from "../../src/graph/connections.ts";
import { anyGraph } from "./example_networks.ts";

/** Four regions in a chain, 0 → 1 → 2 → 3, and 0 → 3. */
const CHAIN = Float64Array.of(
  ...[0, 0.1, 0, 0.4],
  ...[0, 0, 0.2, 0],
  ...[0, 0, 0, 0.3],
  ...[0, 0, 0, 0],
);

function chainEdges(): NeuronEdges {
  return scaleToEdges(CHAIN, {
    neuronDensity: [1, 1, 1, 1],
    randPartition: false,
    stream: createStream({ seed: 1, purpose: "bio2art" }),
  });
}

const chainNetwork = () => edgesToNetwork(chainEdges());

/** The template as dense matrices. */
function denseTemplate(edges: NeuronEdges, transpose: boolean) {
  const { weights, ...connections } = recurrentTemplate(edges, { transpose });
  assert.equal(findConnectionProblem(connections), undefined);
  return {
    weights: denseMatrix(connections, weights),
    mask: denseMask(connections),
  };
}

describe("recurrentTemplate()", () => {
  it("has the receiving neuron as row, so that activity runs along the chain", () => {
    const { weights, mask } = denseTemplate(chainEdges(), true);
    assert.deepEqual([...weights], [
      ...[0, 0, 0, 0],
      ...[0.1, 0, 0, 0],
      ...[0, 0.2, 0, 0],
      ...[0.4, 0, 0.3, 0],
    ]);
    assert.deepEqual([...mask], [...weights].map((w) => w > 0 ? 1 : 0));
    // h_t = W_hh h_{t-1}: a pulse in region 0 is in 1 and 3 next, then in 2.
    let h = [1, 0, 0, 0];
    const step = () =>
      h = [0, 1, 2, 3].map((row) =>
        h.reduce((sum, x, column) => sum + weights[row * 4 + column]! * x, 0)
      );
    assert.deepEqual(step(), [0, 0.1, 0, 0.4]);
    assert.deepEqual(step().map((x) => x > 0), [false, false, true, false]);
  });

  it("has S as it stands, the reversed network, without transposing", () => {
    const { weights } = denseTemplate(chainEdges(), false);
    assert.deepEqual([...weights], [...CHAIN]);
  });

  it("does not share memory with the network", () => {
    const edges = chainEdges();
    const { sender, weights } = recurrentTemplate(edges, { transpose: false });
    sender.fill(0);
    weights.fill(0);
    assert.deepEqual(edges, chainEdges());
  });
});

const topology = (seed: number) => createStream({ seed, purpose: "topology" });

const anyNetwork: fc.Arbitrary<ScaledNetwork> = fc.tuple(
  anyGraph,
  fc.nat(),
  fc.boolean(),
).map((
  [{ weights, regions }, seed, keepDiagonal],
) =>
  scaleConnectome(weights, {
    neuronDensity: new Array(regions).fill(2),
    randPartition: true,
    keepDiagonal,
    stream: createStream({ seed, purpose: "bio2art" }),
  })
);

describe("randomizeNetwork()", () => {
  it("keeps the weights and the diagonal, and the mask goes with its weights", () => {
    fc.assert(fc.property(anyNetwork, fc.nat(), (network, seed) => {
      const random = randomizeNetwork(
        network,
        createStream({ seed, purpose: "topology" }),
      );
      assert.deepEqual(random.weights.toSorted(), network.weights.toSorted());
      random.weights.forEach((weight, entry) => {
        assert.equal(weight > 0, random.mask[entry] === 1);
      });
      for (let a = 0; a < network.neurons; a++) {
        const entry = a * network.neurons + a;
        assert.equal(random.weights[entry], network.weights[entry]);
      }
      assert.equal(
        isSymmetric(networkToEdges(random)),
        isSymmetric(networkToEdges(network)),
      );
    }));
  });

  it("keeps a symmetric network symmetric", () => {
    const weights = Float64Array.of(
      ...[0, 1, 2, 0],
      ...[1, 0, 0, 3],
      ...[2, 0, 0, 0],
      ...[0, 3, 0, 0],
    );
    const network = {
      neurons: 4,
      weights,
      mask: Uint8Array.from(weights, (w) => w > 0 ? 1 : 0),
      regionOf: Uint32Array.of(0, 1, 2, 3),
    };
    const seen = new Set<string>();
    for (let seed = 0; seed < 50; seed++) {
      const random = randomizeNetwork(
        network,
        createStream({ seed, purpose: "topology" }),
      );
      assert.ok(isSymmetric(networkToEdges(random)));
      assert.deepEqual(random.weights.toSorted(), weights.toSorted());
      seen.add(random.weights.join());
    }
    assert.ok(seen.size > 20);
  });

  it("puts a weight in every place off the diagonal equally often", () => {
    const network = {
      neurons: 3,
      weights: Float64Array.of(0, 1, 0, 0, 0, 0, 0, 0, 0),
      mask: Uint8Array.of(0, 1, 0, 0, 0, 0, 0, 0, 0),
      regionOf: Uint32Array.of(0, 1, 2),
    };
    const hits = new Float64Array(9);
    for (let seed = 0; seed < 3000; seed++) {
      const random = randomizeNetwork(
        network,
        createStream({ seed, purpose: "topology" }),
      );
      hits[random.weights.indexOf(1)]!++;
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
      const { weights, mask } = randomizeNetwork(network, topology(2));
      assert.deepEqual([
        await sha256Hex(new Uint8Array(weights.buffer)),
        await sha256Hex(mask),
      ], before[i]);
    }
    const random = (weights: number[]) => {
      const neurons = Math.sqrt(weights.length);
      const network = {
        neurons,
        weights: Float64Array.from(weights),
        mask: Uint8Array.from(weights, (w) => w > 0 ? 1 : 0),
        regionOf: Uint32Array.from({ length: neurons }, (_, i) => i),
      };
      return [...randomizeNetwork(network, topology(2)).weights];
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

  it("leaves the network it is given alone", () => {
    const network = chainNetwork();
    randomizeNetwork(network, createStream({ seed: 1, purpose: "topology" }));
    assert.deepEqual(network.weights, CHAIN);
  });
});

describe("randomizeEdges()", () => {
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
    return {
      neurons,
      regionOf: new Uint32Array(neurons),
      from: Uint32Array.from(pairs, ([from]) => from),
      to: Uint32Array.from(pairs, ([, to]) => to),
      weight: Float64Array.from(pairs, ([, , weight]) => weight),
    };
  }

  const diagonal = ({ from, to, weight }: NeuronEdges) =>
    [...from.keys()].filter((edge) => from[edge] === to[edge])
      .map((edge) => [from[edge], weight[edge]]);

  for (const symmetric of [false, true]) {
    it(
      `puts the connections of a large${
        symmetric ? ", symmetric" : ""
      } network on different places, all over the matrix`,
      () => {
        const edges = largeNetwork({ symmetric });
        const random = randomizeEdges(edges, topology(3));
        const { neurons: n, from, to, weight } = random;
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
        assert.deepEqual(randomizeEdges(edges, topology(3)), random);
        assert.notDeepEqual(randomizeEdges(edges, topology(4)), random);
      },
    );
  }

  it("draws an integer for each connection of a large network, in row-major order", () => {
    const edges = {
      neurons: 5000,
      regionOf: new Uint32Array(5000),
      from: Uint32Array.of(4000, 7, 9),
      to: Uint32Array.of(1, 3, 9),
      weight: Float64Array.of(0.2, 0.1, 0.3),
    };
    const stream = topology(1);
    const places = [0, 1].map((i) => i + stream.integer(5000 * 4999 - i));
    const { from, to, weight } = randomizeEdges(edges, topology(1));
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

  it("knows networks of one neuron and without connections", () => {
    for (const neurons of [1, 3, 5000]) {
      const none = {
        neurons,
        regionOf: new Uint32Array(neurons),
        from: new Uint32Array(),
        to: new Uint32Array(),
        weight: new Float64Array(),
      };
      assert.deepEqual(randomizeEdges(none, topology(1)), none);
    }
  });
});

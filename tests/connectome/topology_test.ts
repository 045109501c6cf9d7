import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  edgesToNetwork,
  networkToEdges,
  type NeuronEdges,
  scaleConnectome,
  type ScaledNetwork,
  scaleToEdges,
} from "../../src/connectome/bio2art.ts";
import {
  isSymmetric,
  randomizeNetwork,
} from "../../src/connectome/randomize_network.ts";
import { recurrentTemplate } from "../../src/connectome/recurrent_template.ts";
import { createStream } from "../../src/random/stream.ts";
import {
  denseMask,
  denseMatrix,
  findConnectionProblem,
} from "../../src/rnn/connections.ts";
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

  it("leaves the network it is given alone", () => {
    const network = chainNetwork();
    randomizeNetwork(network, createStream({ seed: 1, purpose: "topology" }));
    assert.deepEqual(network.weights, CHAIN);
  });
});

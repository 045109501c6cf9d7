import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { scaleConnectome } from "../../src/connectome/bio2art.ts";
import type { ScaledNetwork } from "../../src/connectome/scaled_network.ts";
import { networkMetrics } from "../../src/connectome/network_metrics.ts";
import {
  rewireConnections,
  shuffleWeights,
} from "../../src/connectome/null_models.ts";
import { createStream } from "../../src/random/stream.ts";
import { anyGraph, nearlyEqual, syntheticGraph } from "./example_networks.ts";

function topology(seed: number) {
  return createStream({ seed, purpose: "topology" });
}

const anyNetwork: fc.Arbitrary<ScaledNetwork> = fc
  .tuple(anyGraph, fc.nat(), fc.boolean())
  .filter(([{ weights }]) => weights.some((weight) => weight > 0))
  .map(([{ weights, regions }, seed, keepDiagonal]) =>
    scaleConnectome(weights, {
      neuronDensity: new Array(regions).fill(2),
      targetSparsity: 0.5,
      randPartition: true,
      keepDiagonal,
      stream: createStream({ seed, purpose: "bio2art" }),
    })
  );

function macaque(): ScaledNetwork {
  const { weights } = syntheticGraph(29);
  return scaleConnectome(weights, {
    neuronDensity: new Array(29).fill(2),
    targetSparsity: 0.5,
    randPartition: true,
    stream: createStream({ seed: 1, purpose: "bio2art" }),
  });
}

describe("shuffleWeights()", () => {
  it("keeps the connections and the set of weights", () => {
    fc.assert(fc.property(anyNetwork, fc.nat(), (network, seed) => {
      const { weights, mask } = shuffleWeights(network, topology(seed));
      assert.deepEqual(mask, network.mask);
      assert.deepEqual(weights.toSorted(), network.weights.toSorted());
      weights.forEach((w, entry) => assert.equal(w > 0, mask[entry] === 1));
    }));
  });

  it("moves nearly all weights of a large network", () => {
    const network = macaque();
    const { weights } = shuffleWeights(network, topology(1));
    const kept = weights.filter((w, e) => w > 0 && w === network.weights[e]);
    assert.ok(kept.length < 20);
  });
});

describe("rewireConnections()", () => {
  it("keeps what each neuron sends and how many it receives from", () => {
    fc.assert(fc.property(anyNetwork, fc.nat(), (network, seed) => {
      const { neurons: n, weights, mask } = rewireConnections(network, {
        stream: topology(seed),
      });
      const before = networkMetrics(network.weights, n);
      const after = networkMetrics(weights, n);
      assert.deepEqual(after.outDegree, before.outDegree);
      assert.deepEqual(after.inDegree, before.inDegree);
      after.outStrength.forEach((sum, neuron) =>
        assert.ok(nearlyEqual(sum, before.outStrength[neuron]!))
      );
      weights.forEach((w, entry) => assert.equal(w > 0, mask[entry] === 1));
      for (let a = 0; a < n; a++) {
        assert.equal(weights[a * n + a], network.weights[a * n + a]);
      }
    }));
  });

  it("forgets most of a large network's connections", () => {
    const network = macaque();
    const { mask } = rewireConnections(network, { stream: topology(1) });
    const both = mask.filter((bit, e) => bit === 1 && network.mask[e] === 1);
    const count = mask.reduce((sum, bit) => sum + bit, 0);
    // A third of all pairs is connected, so chance keeps about as many.
    assert.ok(both.length < 0.5 * count, `${both.length} of ${count}`);
  });
});

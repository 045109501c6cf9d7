import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import {
  graphMeasures,
  modularityOf,
  modulesOf,
  summariseNetwork,
} from "../../src/connectome/measures.ts";
import { graphOfMatrix, sortGraph } from "../../src/graph/graph.ts";
import { syntheticGraph } from "./example_networks.ts";

const measures = (matrix: number[], nodes: number) =>
  graphMeasures(graphOfMatrix(matrix, nodes));

describe("graphMeasures()", () => {
  it("counts, sums and compares both directions", () => {
    const metrics = measures([
      ...[0, 0.5, 0.1],
      ...[0.25, 0, 0],
      ...[0, 0.4, 0],
    ], 3);
    assert.equal(metrics.connections, 4);
    assert.equal(metrics.density, 4 / 6);
    assert.deepEqual([...metrics.outDegree], [2, 1, 1]);
    assert.deepEqual([...metrics.inDegree], [1, 2, 1]);
    assert.deepEqual([...metrics.outStrength], [0.6, 0.25, 0.4]);
    assert.deepEqual([...metrics.inStrength], [0.25, 0.9, 0.1]);
    assert.equal(metrics.smallestWeight, 0.1);
    assert.equal(metrics.medianWeight, 0.325);
    assert.equal(metrics.largestWeight, 0.5);
    assert.equal(metrics.reciprocity, 0.5);
    assert.equal(metrics.symmetricPattern, false);
  });

  it("tells a symmetric pattern from symmetric weights", () => {
    const pattern = measures([0, 1, 2, 0], 2);
    assert.deepEqual([pattern.symmetricPattern, pattern.symmetric], [
      true,
      false,
    ]);
    assert.equal(measures([0, 1, 1, 0], 2).symmetric, true);
  });

  it("refuses a matrix without a connection", () => {
    assert.throws(() => measures([0, 0, 0, 0], 2), /no connection/);
  });
});

describe("summariseNetwork()", () => {
  it("gives the figures that NumPy and SciPy give for a published formula", () => {
    // A cycle of three with one connection the other way, and a node beside it.
    const graph = graphOfMatrix(
      [0, 8, 1, 0, 0, 0, 8, 0, 8, 0, 0, 0, 0, 0, 0, 0],
      4,
    );
    const found = summariseNetwork(graph);
    assert.equal(found.connections, 4);
    assert.equal(found.density, 4 / 12);
    assert.equal(found.reciprocity, 2 / 4);
    // From each of the three nodes both others are reached, in 1 or 2 steps.
    assert.equal(found.pathLength, (1 + 1 + 2 + 1 + 1 + 2) / 6);
    // Ways of length 1/8 and 1; from node 1 to 0 it is 1/4, over node 2.
    assert.ok(Math.abs(found.weightedPathLength - 6 / (3 * 8 + 3 * 4)) < 1e-12);
    // Fagiolo: ∛(w / 8) is 1, 1, 1 and 0.5; node 1 has 2 partners, one way each.
    const triangles = 1 * 1 * 1.5;
    const expected = (2 * triangles / (2 * (3 * 2 - 2)) * 2 +
      2 * triangles / (2 * (2 * 1))) / 3;
    assert.ok(Math.abs(found.clustering - expected) < 1e-12);
    // λ³ = 512 + λ · 8 · 1.
    assert.ok(
      Math.abs(found.spectralRadius ** 3 - 8 * found.spectralRadius - 512) <
        1e-6,
    );
  });

  it("tells how densely the nodes of most connections are connected", () => {
    // Nodes 0 and 1 of twenty have connections with all; 0 → 1, but not back.
    const matrix = new Float64Array(400);
    for (let node = 2; node < 20; node++) {
      matrix[node] = matrix[20 + node] = matrix[20 * node] = 1;
    }
    matrix[1] = 1;
    const two = summariseNetwork(graphOfMatrix(matrix, 20));
    assert.equal(two.richClub, 0.5);
    // Of equal nodes all are in the club, whose density is that of the graph.
    const ring = new Float64Array(400);
    for (let node = 0; node < 20; node++) ring[20 * node + (node + 1) % 20] = 1;
    assert.equal(summariseNetwork(graphOfMatrix(ring, 20)).richClub, 1 / 19);
  });

  it("measures large networks from some of their nodes, and says of how many", () => {
    const nodes = 6000;
    const from = Uint32Array.from({ length: 2 * nodes }, (_, i) => i >> 1);
    const graph = sortGraph({
      nodes,
      from,
      to: from.map((node, i) => (node + (i & 1 ? 1 : 100)) % nodes),
      weight: new Float64Array(2 * nodes).fill(0.5),
    });
    const { pathLength, weightedPathLength, sampled } = summariseNetwork(graph);
    assert.ok(
      sampled.paths >= 1000 && sampled.paths < 1500,
      `${sampled.paths}`,
    );
    assert.equal(sampled.clustering, nodes);
    // Hundreds and ones: 29.5 + 49.5 on average.
    assert.ok(Math.abs(pathLength - 79) < 0.1, `${pathLength}`);
    // A step has the length 2; the harmonic mean is the smaller one.
    assert.ok(weightedPathLength < 2 * pathLength, `${weightedPathLength}`);
    assert.ok(weightedPathLength > pathLength, `${weightedPathLength}`);
  });

  it("is the same for the same graph with other numbers for its nodes", () => {
    const { graph } = syntheticGraph(3);
    const turned = sortGraph({
      ...graph,
      from: graph.from.map((node) => 28 - node),
      to: graph.to.map((node) => 28 - node),
    });
    const [one, other] = [summariseNetwork(graph), summariseNetwork(turned)];
    for (
      const key of Object.keys(one) as Exclude<keyof typeof one, "sampled">[]
    ) {
      // Modules are found by a way that depends on the order.
      if (["modularity", "modules", "sampled"].includes(key)) continue;
      assert.ok(Math.abs(one[key] - other[key]) < 1e-9, key);
    }
  });
});

describe("modulesOf()", () => {
  it("finds groups that are connected within", () => {
    const matrix = new Float64Array(36);
    for (const group of [[0, 2, 4], [1, 3, 5]]) {
      for (const a of group) {
        for (const b of group) if (a !== b) matrix[a * 6 + b] = 1;
      }
    }
    matrix[0 * 6 + 1] = 0.1;
    const graph = graphOfMatrix(matrix, 6);
    const modules = modulesOf(graph);
    assert.deepEqual([...modules], [0, 1, 0, 1, 0, 1]);
    assert.ok(modularityOf(graph, modules) > 0.45);
    assert.ok(Math.abs(modularityOf(graph, new Uint32Array(6))) < 1e-12);
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { scaleConnectome } from "../../src/connectome/scale.ts";
import {
  denseMask,
  denseMatrix,
  findConnectionProblem,
} from "../../src/graph/connections.ts";
import {
  type Graph,
  graphOfMatrix,
  isSymmetric,
  maskOfGraph,
  matrixOfGraph,
  rowsOf,
  sortGraph,
  transposeGraph,
} from "../../src/graph/graph.ts";
import { createStream } from "../../src/random/stream.ts";

/** Four regions in a chain, 0 → 1 → 2 → 3, and 0 → 3. */
const CHAIN = Float64Array.of(
  ...[0, 0.1, 0, 0.4],
  ...[0, 0, 0.2, 0],
  ...[0, 0, 0, 0.3],
  ...[0, 0, 0, 0],
);

function chainGraph(): Graph {
  return scaleConnectome(graphOfMatrix(CHAIN, 4), {
    neuronDensity: [1, 1, 1, 1],
    randPartition: false,
    stream: createStream({ seed: 1, purpose: "bio2art" }),
  });
}

/** The rows as dense matrices. */
function denseRows(graph: Graph, transpose: boolean) {
  const { weights, ...connections } = rowsOf(graph, { transpose });
  assert.equal(findConnectionProblem(connections), undefined);
  return {
    weights: denseMatrix(connections, weights),
    mask: denseMask(connections),
  };
}

describe("rowsOf()", () => {
  it("has the receiving neuron as row, so that activity runs along the chain", () => {
    const { weights, mask } = denseRows(chainGraph(), true);
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
    const { weights } = denseRows(chainGraph(), false);
    assert.deepEqual([...weights], [...CHAIN]);
  });

  it("does not share memory with the network", () => {
    const edges = chainGraph();
    const { sender, weights } = rowsOf(edges, { transpose: false });
    sender.fill(0);
    weights.fill(0);
    assert.deepEqual(edges, chainGraph());
  });
});

/** A matrix of 1 to 8 nodes, zeros among its numbers. */
const anyMatrix = fc.integer({ min: 1, max: 8 }).chain((nodes) =>
  fc.array(fc.constantFrom(0, 0, 1, 2.5, 7), {
    minLength: nodes * nodes,
    maxLength: nodes * nodes,
  }).map((entries) => ({ nodes, entries }))
);

describe("graphOfMatrix()", () => {
  it("lists the entries that are not 0, row by row", () => {
    fc.assert(fc.property(anyMatrix, ({ nodes, entries }) => {
      const graph = graphOfMatrix(entries, nodes);
      assert.deepEqual([...matrixOfGraph(graph)], entries);
      assert.deepEqual(
        [...maskOfGraph(graph)],
        entries.map((entry) => entry === 0 ? 0 : 1),
      );
      assert.deepEqual(sortGraph(graph), graph);
    }));
  });
});

describe("transposeGraph() and isSymmetric()", () => {
  it("exchange rows and columns, and see where that changes nothing", () => {
    fc.assert(fc.property(anyMatrix, ({ nodes, entries }) => {
      const turned = entries.map((_, i) =>
        entries[i % nodes * nodes + Math.floor(i / nodes)]!
      );
      const graph = graphOfMatrix(entries, nodes);
      assert.deepEqual([...matrixOfGraph(transposeGraph(graph))], turned);
      assert.equal(
        isSymmetric(graph),
        turned.every((entry, i) => entry === entries[i]),
      );
    }));
  });
});

import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { graphMeasures } from "../../src/connectome/measures.ts";
import { graphOfMatrix } from "../../src/graph/graph.ts";

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

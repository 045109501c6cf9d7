import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  connectedValues,
  listConnections,
} from "../../src/graph/connections.ts";
import {
  estimateSpectralRadius,
  spectralRadius,
} from "../../src/graph/spectrum.ts";
import { createStream } from "../../src/random/stream.ts";

function radius(matrix: Float64Array | number[]): number {
  const values = Float64Array.from(matrix);
  const n = Math.sqrt(values.length);
  const list = listConnections({ receivers: n, senders: n }, values);
  return spectralRadius(list, connectedValues(list, values));
}

function nearly(found: number, expected: number, tolerance = 1e-9): void {
  assert.ok(
    Math.abs(found - expected) <= tolerance * Math.max(1, expected),
    `${found} is not ${expected}`,
  );
}

describe("spectralRadius()", () => {
  it("knows matrices whose eigenvalues are known", () => {
    nearly(radius([3]), 3);
    nearly(radius([0, 2, 2, 0]), 2);
    // A rotation by a right angle: ±2i.
    nearly(radius([0, -2, 2, 0]), 2);
    nearly(radius([1, 5, 0, -4]), 4);
    // A cycle of four with the product 16.
    nearly(radius([0, 0, 0, 2, 1, 0, 0, 0, 0, 4, 0, 0, 0, 0, 2, 0]), 2);
    // Two equal eigenvalues with one eigenvector.
    nearly(radius([3, 1, 0, 3]), 3, 1e-7);
  });

  it("knows large rings, whose eigenvalues lie on a circle and need many steps", () => {
    for (const n of [61, 137, 205, 307]) {
      const ring = Float64Array.from({ length: n * n }, (_, at) => {
        const [i, j] = [Math.floor(at / n), at % n];
        return (i + 1) % n === j ? 0.9 : 0;
      });
      nearly(radius(ring), 0.9, 1e-6);
    }
  });

  it("is 0 without a cycle, and NaN where a weight is no number", () => {
    assert.equal(radius([0, 0, 0, 0]), 0);
    assert.equal(radius([0, 5, 6, 0, 0, 7, 0, 0, 0]), 0);
    // A connection of weight 0 closes none.
    const triangle = listConnections({ receivers: 3, senders: 3 });
    const weights = Float32Array.of(0, 5, 6, 0, 0, 7, 0, 0, 0);
    assert.equal(spectralRadius(triangle, weights), 0);
    const list = listConnections({ receivers: 2, senders: 2 });
    for (const wrong of [NaN, Infinity]) {
      assert.equal(
        spectralRadius(list, Float64Array.of(1, wrong, 0, 1)),
        NaN,
      );
    }
  });

  it("scales with the weights, however small or large they are", () => {
    for (const factor of [1e-200, 1e200]) {
      nearly(radius([0, 2 * factor, 2 * factor, 0]) / factor, 2);
    }
  });

  it("says how far it may be off where the work has a bound", () => {
    // All eigenvalues of a ring are equally large, and none can be told from the others.
    const n = 2000;
    const ring = {
      receivers: n,
      senders: n,
      start: Uint32Array.from({ length: n + 1 }, (_, i) => i),
      sender: Uint32Array.from({ length: n }, (_, i) => (i + 1) % n),
    };
    const weights = new Float64Array(n).fill(0.9);
    const found = estimateSpectralRadius(ring, weights);
    assert.equal(found.converged, false);
    assert.ok(Math.abs(found.radius / 0.9 - 1) <= found.error, `${found}`);
    assert.deepEqual(estimateSpectralRadius(ring, weights), found);
    // With a connection that stands out, there is one that can.
    weights[0] = 3e4;
    ring.sender[0] = 0;
    const clear = estimateSpectralRadius(ring, weights);
    assert.equal(clear.converged, true);
    nearly(clear.radius, 3e4, 1e-9);
  });

  it("finds the largest of eigenvalues that were put into a random matrix", () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 30 }),
        fc.nat(),
        (n, seed) => {
          const stream = createStream({ seed, purpose: "weights" });
          // Similar to a triangular matrix with a known diagonal, by random reflections.
          const matrix = new Float64Array(n * n);
          let largest = 0;
          for (let i = 0; i < n; i++) {
            for (let j = i; j < n; j++) matrix[i * n + j] = stream.normal();
            largest = Math.max(largest, Math.abs(matrix[i * n + i]!));
          }
          for (let turn = 0; turn < 2; turn++) reflect(matrix, n, stream);
          nearly(radius(matrix), largest, 1e-6);
        },
      ),
      { numRuns: 60 },
    );
  });

  it("is right to a thousandth for networks too large to be looked at whole", () => {
    const stream = createStream({ seed: 5, purpose: "weights" });
    const n = 150;
    const matrix = new Float64Array(n * n);
    for (let i = 0; i < n; i++) {
      for (let j = 0; j < n; j++) {
        if (i !== j && stream.uniform() < 0.2) {
          matrix[i * n + j] = stream.normal();
        }
      }
    }
    // Gelfand: the 4096th root of the norm of the 4096th power, by squaring.
    let power = matrix.slice();
    let log = 0;
    for (let squaring = 0; squaring < 12; squaring++) {
      const next = new Float64Array(n * n);
      for (let i = 0; i < n; i++) {
        for (let k = 0; k < n; k++) {
          const w = power[i * n + k]!;
          if (w === 0) continue;
          for (let j = 0; j < n; j++) next[i * n + j]! += w * power[k * n + j]!;
        }
      }
      const size = Math.sqrt(next.reduce((sum, x) => sum + x * x, 0));
      power = next.map((x) => x / size);
      log += Math.log(size) / 2 ** (squaring + 1);
    }
    nearly(radius(matrix), Math.exp(log), 3e-3);
  });
});

/** H A H with a random reflection H = I − 2 v vᵀ. */
function reflect(
  matrix: Float64Array,
  n: number,
  stream: ReturnType<typeof createStream>,
): void {
  const v = Float64Array.from({ length: n }, () => stream.normal());
  const length = Math.hypot(...v);
  v.forEach((x, i) => v[i] = x / length);
  for (const transposed of [false, true]) {
    const at = (i: number, j: number) => transposed ? j * n + i : i * n + j;
    for (let j = 0; j < n; j++) {
      let dot = 0;
      for (let i = 0; i < n; i++) dot += v[i]! * matrix[at(i, j)]!;
      for (let i = 0; i < n; i++) matrix[at(i, j)]! -= 2 * dot * v[i]!;
    }
  }
}

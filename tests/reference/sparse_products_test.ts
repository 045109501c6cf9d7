import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { createStream } from "../../src/random/stream.ts";
import {
  addOuterProduct,
  addProduct,
} from "../../src/reference/sparse_products.ts";
import {
  connectedValues,
  denseMatrix,
  listConnections,
  transposeConnections,
  transposedValues,
} from "../../src/graph/connections.ts";

/** A masked matrix, signals on both of its sides, and a range of rows. */
const problems = fc.record({
  receivers: fc.integer({ min: 1, max: 9 }),
  senders: fc.integer({ min: 1, max: 9 }),
  rows: fc.integer({ min: 1, max: 30 }),
  from: fc.nat(5),
  shift: fc.constantFrom(-3, 0, 2),
  density: fc.constantFrom(0, 0.3, 1),
  seed: fc.nat(1000),
}).map(({ receivers, senders, rows, from, shift, density, seed }) => {
  const stream = createStream({ seed, purpose: "weights" });
  const draw = (length: number) =>
    Float64Array.from({ length }, () => stream.uniform() - 0.5);
  const first = from + 3;
  return {
    ...{ receivers, senders, shift, from: first, to: first + rows },
    mask: Uint8Array.from(
      { length: receivers * senders },
      () => stream.uniform() < density ? 1 : 0,
    ),
    weights: draw(receivers * senders),
    input: draw((first + rows + 3) * senders),
    output: draw((first + rows + 3) * receivers),
  };
});

function assertClose(found: Float64Array, expected: Float64Array) {
  assert.equal(found.length, expected.length);
  for (const [i, value] of expected.entries()) {
    assert.ok(
      Math.abs(found[i]! - value) < 1e-13,
      `entry ${i} is ${found[i]}, not ${value}`,
    );
  }
}

describe("addProduct()", () => {
  it("multiplies by the connections of the mask alone, for any range of rows", () => {
    fc.assert(fc.property(problems, (p) => {
      const expected = p.output.slice();
      for (let r = p.from; r < p.to; r++) {
        for (let i = 0; i < p.receivers; i++) {
          for (let j = 0; j < p.senders; j++) {
            const at = i * p.senders + j;
            expected[r * p.receivers + i]! += p.mask[at]! * p.weights[at]! *
              p.input[(r + p.shift) * p.senders + j]!;
          }
        }
      }
      const found = p.output.slice();
      const connections = listConnections(p, p.mask);
      const weights = connectedValues(connections, p.weights);
      addProduct(found, { ...p, connections, weights });
      assertClose(found, expected);
    }));
  });

  it("multiplies by the transpose with transposed connections", () => {
    fc.assert(fc.property(problems, (p) => {
      const expected = p.input.slice();
      for (let r = p.from; r < p.to; r++) {
        for (let i = 0; i < p.receivers; i++) {
          for (let j = 0; j < p.senders; j++) {
            const at = i * p.senders + j;
            expected[r * p.senders + j]! += p.mask[at]! * p.weights[at]! *
              p.output[(r + p.shift) * p.receivers + i]!;
          }
        }
      }
      const found = p.input.slice();
      const list = listConnections(p, p.mask);
      const connections = transposeConnections(list);
      const weights = transposedValues(
        connections,
        connectedValues(list, p.weights),
      );
      addProduct(found, { ...p, connections, weights, input: p.output });
      assertClose(found, expected);
    }));
  });
});

describe("addOuterProduct()", () => {
  it("sums over the rows, for the connections alone", () => {
    fc.assert(fc.property(problems, (p) => {
      const expected = p.weights.map((weight, at) => weight * p.mask[at]!);
      for (let r = p.from; r < p.to; r++) {
        for (let i = 0; i < p.receivers; i++) {
          for (let j = 0; j < p.senders; j++) {
            const at = i * p.senders + j;
            expected[at]! += p.mask[at]! * p.output[r * p.receivers + i]! *
              p.input[(r + p.shift) * p.senders + j]!;
          }
        }
      }
      const connections = listConnections(p, p.mask);
      const found = connectedValues(connections, p.weights);
      addOuterProduct(found, { ...p, connections, delta: p.output });
      assertClose(denseMatrix(connections, found), expected);
    }));
  });
});

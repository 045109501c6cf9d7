import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  connectedValues,
  denseMatrix,
  listConnections,
} from "../../src/graph/connections.ts";
import { rankOrder, remapToOrder } from "../../src/rnn/initialise.ts";
import { createStream } from "../../src/random/stream.ts";
import golden from "../golden/map_weights_to_template.json" with {
  type: "json",
};

describe("remapToOrder()", () => {
  for (const { label, template, values, expected } of golden.cases) {
    it(`orders as PyTorch does: ${label}`, () => {
      const weights = Float32Array.from(template.data);
      const list = listConnections(
        { receivers: 1, senders: weights.length },
        weights,
      );
      const order = rankOrder(connectedValues(list, weights));
      const remapped = denseMatrix(
        list,
        remapToOrder(
          connectedValues(list, Float32Array.from(values.data)),
          order,
        ),
      );
      // Equal as numbers: which of two zeros is -0 is nobody's concern.
      assert.equal(remapped.length, expected.data.length);
      for (const [i, value] of remapped.entries()) {
        assert.ok(value === Math.fround(expected.data[i] as number));
      }
    });
  }

  it("keeps the values and takes over the ranks, whatever the template", () => {
    const entry = fc.record({
      weight: fc.oneof(
        fc.constantFrom(0, 1e-300, 2),
        fc.double({ noNaN: true }),
      ),
      value: fc.double({ noNaN: true, noDefaultInfinity: true }),
    });
    fc.assert(fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
      const weights = Float64Array.from(entries, (e) => e.weight);
      const values = Float64Array.from(entries, (e) => e.value);
      const remapped = remapToOrder(values, rankOrder(weights));
      assert.deepEqual(remapped.toSorted(), values.toSorted());
      const byRank = [...weights.keys()].sort((a, b) =>
        (weights[b] as number) - (weights[a] as number) || a - b
      ).map((i) => remapped[i] as number);
      for (let i = 1; i < byRank.length; i++) {
        assert.ok((byRank[i - 1] as number) >= (byRank[i] as number));
      }
    }));
  });

  it("ranks equal weights by chance, so that no region is favoured", () => {
    // Two hundred equal connections, then a hundred stronger ones.
    const weights = new Float64Array(300).fill(1).fill(2, 200);
    const ties = (iteration: number) =>
      createStream({ seed: 1, purpose: "ties", iteration });
    const largest = new Float64Array(300);
    for (let iteration = 0; iteration < 400; iteration++) {
      const order = rankOrder(weights, ties(iteration));
      assert.deepEqual(order.toSorted(), Uint32Array.from(weights.keys()));
      assert.ok(order.slice(0, 100).every((place) => place >= 200));
      for (const place of order.slice(100, 200)) largest[place]!++;
    }
    // Binomial, p = 1/2: standard deviation 10.
    for (const count of largest.slice(0, 200)) {
      assert.ok(Math.abs(count - 200) < 50, `${count}`);
    }
    assert.deepEqual(
      rankOrder(weights, ties(3)),
      rankOrder(weights, ties(3)),
    );
    const distinct = Float64Array.of(3, 1, 2);
    assert.deepEqual(rankOrder(distinct, ties(0)), rankOrder(distinct));
  });

  it("refuses values and an order of different lengths", () => {
    assert.throws(
      () => remapToOrder(new Float64Array(4), new Uint32Array(3)),
      /one length, found 4 and 3/,
    );
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { rankOrder, remapToOrder } from "../../src/rnn/remap.ts";
import golden from "../golden/map_weights_to_template.json" with {
  type: "json",
};

describe("remapToOrder()", () => {
  for (const { label, template, values, expected } of golden.cases) {
    it(`orders as PyTorch does: ${label}`, () => {
      const weights = Float32Array.from(template.data);
      const order = rankOrder({
        weights,
        mask: Uint8Array.from(weights, (weight) => weight === 0 ? 0 : 1),
      });
      const remapped = remapToOrder(Float32Array.from(values.data), order);
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
      bit: fc.constantFrom(0, 1),
    });
    fc.assert(fc.property(fc.array(entry, { maxLength: 60 }), (entries) => {
      const weights = Float64Array.from(entries, (e) => e.weight);
      const values = Float64Array.from(entries, (e) => e.value);
      const mask = Uint8Array.from(entries, (e) => e.bit);
      const remapped = remapToOrder(values, rankOrder({ weights, mask }));
      const places = [...mask.keys()].filter((i) => mask[i] === 1);
      for (const [i, bit] of mask.entries()) {
        if (bit === 0) assert.ok(Object.is(remapped[i], 0));
      }
      const sorted = (source: Float64Array) =>
        Float64Array.from(places, (i) => source[i] as number).sort();
      assert.deepEqual(sorted(remapped), sorted(values));
      const byRank = places.toSorted((a, b) =>
        (weights[b] as number) - (weights[a] as number) || a - b
      ).map((i) => remapped[i] as number);
      for (let i = 1; i < byRank.length; i++) {
        assert.ok((byRank[i - 1] as number) >= (byRank[i] as number));
      }
    }));
  });

  it("refuses weights and a mask of different lengths", () => {
    assert.throws(
      () =>
        rankOrder({ weights: new Float64Array(4), mask: new Uint8Array(3) }),
      /one length, found 4 and 3/,
    );
  });
});

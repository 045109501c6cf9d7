import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { splitWeight } from "../../src/connectome/split_weight.ts";
import { createStream } from "../../src/random/stream.ts";

function stream(seed = 1) {
  return createStream({ seed, purpose: "bio2art" });
}

describe("splitWeight()", () => {
  it("gives positive parts that sum to the weight", () => {
    fc.assert(
      fc.property(
        fc.double({ min: -50, max: 50, noNaN: true }).map((e) => 10 ** e),
        fc.oneof(fc.integer({ min: 1, max: 40 }), fc.constantFrom(800, 3000)),
        fc.nat(),
        (total, count, seed) => {
          const parts = splitWeight(total, { count, stream: stream(seed) });
          assert.equal(parts.length, count);
          assert.ok(parts.every((part) => part > 0));
          const sum = parts.reduce((a, b) => a + b);
          assert.ok(Math.abs(sum - total) <= 1e-13 * total);
        },
      ),
    );
  });

  it("breaks the stick: the parts' squares sum to what uniform shares give", () => {
    let square = 0;
    const draws = 4000;
    for (let seed = 0; seed < draws; seed++) {
      for (const part of splitWeight(1, { count: 3, stream: stream(seed) })) {
        square += part * part;
      }
    }
    // E = 1/3 + 1/9 + 1/9: u, then (1 − u)v and (1 − u)(1 − v).
    assert.ok(Math.abs(square / draws - 5 / 9) < 0.012);
  });

  it("puts the large parts anywhere", () => {
    const where = new Float64Array(4);
    for (let seed = 0; seed < 2000; seed++) {
      const parts = splitWeight(1, { count: 4, stream: stream(seed) });
      where[parts.indexOf(Math.max(...parts))]!++;
    }
    // Binomial, p = 1/4: standard deviation 19.
    for (const count of where) assert.ok(Math.abs(count - 500) < 5 * 19);
  });

  it("keeps almost all of 10,000 parts apart", () => {
    const parts = splitWeight(1, { count: 10_000, stream: stream() });
    assert.ok(new Set(parts).size > 9_990);
    assert.ok(parts.every((part) => part >= 2 ** -1022));
  });

  it("gives the weight itself as its only part", () => {
    assert.deepEqual([...splitWeight(0.3, { count: 1, stream: stream() })], [
      0.3,
    ]);
  });

  it("refuses what it cannot split", () => {
    for (const total of [0, -1, NaN, Infinity]) {
      assert.throws(
        () => splitWeight(total, { count: 2, stream: stream() }),
        RangeError,
      );
    }
    assert.throws(
      () => splitWeight(1, { count: 0, stream: stream() }),
      RangeError,
    );
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { thin } from "../../src/viz/thin.ts";

const curve = fc.array(fc.double({ noNaN: true, min: -1e6, max: 1e6 }), {
  minLength: 1,
  maxLength: 300,
});

describe("thin()", () => {
  it("keeps all of a curve that is short enough", () => {
    assert.deepEqual(thin([3, 1, 2], 3), [0, 1, 2]);
  });

  it("keeps ends, lowest and highest, in order, and no more than allowed", () => {
    fc.assert(
      fc.property(curve, fc.integer({ min: 4, max: 60 }), (values, most) => {
        const kept = thin(values, most);
        assert.ok(kept.length <= Math.max(most, 4));
        assert.deepEqual(kept, [...new Set(kept)].sort((a, b) => a - b));
        assert.equal(kept[0], 0);
        assert.equal(kept.at(-1), values.length - 1);
        const numbers = kept.map((i) => values[i] as number);
        assert.equal(Math.min(...numbers), Math.min(...values));
        assert.equal(Math.max(...numbers), Math.max(...values));
      }),
    );
  });
});

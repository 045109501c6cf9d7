import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { expandShader } from "../../src/gpu/kernels.ts";

const TILE = `const ROWS = 1u;
const VECS = 1u;
// for ROW in ROWS
var sum_ROW = ROWS;
  // for VEC in VECS
a(ROW, VEC, a_ROW_VEC);
  // end
// end
done();`;

describe("expandShader()", () => {
  it("unrolls nested blocks and numbers names in them", () => {
    assert.equal(
      expandShader(TILE, { ROWS: 2, VECS: 2 }),
      `const ROWS = 2u;
const VECS = 2u;
var sum_0 = ROWS;
a(0, 0, a_0_0);
a(0, 1, a_0_1);
var sum_1 = ROWS;
a(1, 0, a_1_0);
a(1, 1, a_1_1);
done();`,
    );
  });

  it("keeps the defaults of constants that are not given", () => {
    assert.match(
      expandShader(TILE, {}),
      /^const ROWS = 1u;[^]*a\(0, 0, a_0_0\);/,
    );
  });

  it("refuses constants that the text does not have, or that are no whole numbers", () => {
    assert.throws(() => expandShader(TILE, { ROW: 2 }), /no constant ROW/);
    assert.throws(() => expandShader(TILE, { ROWS: 1.5 }), RangeError);
    assert.throws(() => expandShader(TILE, { ROWS: -1 }), RangeError);
  });

  it("refuses blocks that don't end, ends without a block and unknown counts", () => {
    assert.throws(
      () => expandShader("const A = 1u;\n// for X in A\nf();", {}),
      /line 2 has no end/,
    );
    assert.throws(() => expandShader("f();\n// end", {}), /line 2 ends/);
    assert.throws(
      () => expandShader("// for X in A\n// end", {}),
      /A on line 1 is no constant/,
    );
  });
});

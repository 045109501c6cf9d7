import assert from "node:assert/strict";
import fc from "fast-check";
import { coactivation, regionMeans } from "../../src/analysis/activity.ts";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { createStream } from "../../src/random/stream.ts";
import { findPython } from "../find_python.ts";

const PYTHON = await findPython("scipy", "numpy");

/** One trial whose regions have one neuron each: a row a time step. */
function statesOf(rows: readonly (readonly number[])[]) {
  return {
    trialCount: 1,
    steps: rows.length,
    hiddenSize: rows[0]!.length,
    hidden: Float64Array.from(rows.flat()),
  };
}

describe("regionMeans()", () => {
  it("is the mean of the neurons that follow each other, trial by trial, step by step", () => {
    const states = {
      trialCount: 2,
      steps: 2,
      hiddenSize: 6,
      hidden: Float32Array.from({ length: 24 }, (_, i) => i),
    };
    assert.deepEqual(
      [...regionMeans(states, { regions: 2 })],
      [1, 4, 7, 10, 13, 16, 19, 22],
    );
    assert.deepEqual(
      regionMeans(states, { regions: 6 }),
      Float64Array.from(states.hidden),
    );
    assert.throws(
      () => regionMeans(states, { regions: 4 }),
      /^RangeError: Cannot share 6 neurons out among 4 regions/,
    );
  });
});

describe("coactivation()", () => {
  it("is the correlation of ranks, of which equal values share the mean", () => {
    // Ranks 1, 2.5, 2.5, 4 and 1, 2, 3, 4: 4.5 / √(4.5 · 5).
    const matrix = coactivation(
      statesOf([[0, -9], [1, 2], [1, 3], [7, 1e9]]),
      { regions: 2 },
    );
    assert.ok(Math.abs(matrix[1]! - 4.5 / Math.sqrt(4.5 * 5)) < 1e-15);
    assert.deepEqual([matrix[0], matrix[3], matrix[2]], [1, 1, matrix[1]]);
  });

  it("has no number for a region that never changes, or is NaN", () => {
    const rows = [[1, 0, 3, 5], [1, 1, NaN, 4], [1, 2, 5, 3]];
    const matrix = coactivation(statesOf(rows), { regions: 4 });
    const there = [...matrix].map((value, at) => Number.isNaN(value) ? -1 : at);
    assert.deepEqual(there.filter((at) => at >= 0), [5, 7, 13, 15]);
    assert.equal(matrix[7], -1);
  });

  it("does not change with what keeps the order, and is symmetric", () => {
    const table = fc.array(
      fc.tuple(fc.integer({ max: 9 }), fc.integer(), fc.integer({ max: 3 })),
      { minLength: 2, maxLength: 30 },
    );
    fc.assert(fc.property(table, (rows) => {
      const found = coactivation(statesOf(rows), { regions: 3 });
      const stretched = coactivation(
        statesOf(rows.map(([a, b, c]) => [Math.cbrt(a), 3 * b - 1, -c])),
        { regions: 3 },
      );
      for (let i = 0; i < 3; i++) {
        for (let j = 0; j < 3; j++) {
          const sign = (i === 2) !== (j === 2) ? -1 : 1;
          const [one, other] = [found[3 * i + j]!, stretched[3 * i + j]!];
          assert.equal(Number.isNaN(one), Number.isNaN(other));
          assert.ok(!(Math.abs(one - sign * other) > 1e-12));
          assert.ok(Object.is(one, found[3 * j + i]!));
          assert.ok(!(Math.abs(one) > 1));
        }
      }
    }));
  });

  itNeeds(
    "is what scipy.stats.spearmanr says",
    PYTHON === undefined ? "no Python with scipy" : undefined,
    async () => {
      const stream = createStream({ seed: 3, purpose: "trials" });
      const [trialCount, steps, regions] = [9, 7, 5];
      const states = {
        trialCount,
        steps,
        hiddenSize: 2 * regions,
        // Of few values, so that many are equal.
        hidden: Float64Array.from(
          { length: trialCount * steps * 2 * regions },
          () => stream.integer(4),
        ),
      };
      const program =
        "import json, sys, numpy, scipy.stats as s; a = numpy.array(json.loads(sys.argv[1])).reshape(-1, 5, 2).mean(2); print(json.dumps(s.spearmanr(a)[0].tolist()))";
      const { stdout } = await new Deno.Command(PYTHON!, {
        args: ["-c", program, JSON.stringify([...states.hidden])],
      }).output();
      const expected = JSON.parse(new TextDecoder().decode(stdout)).flat();
      const found = coactivation(states, { regions });
      assert.equal(expected.length, 25);
      found.forEach((value, i) =>
        assert.ok(Math.abs(value - expected[i]) < 1e-12)
      );
    },
  );
});

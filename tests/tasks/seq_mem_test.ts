import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { seqMem } from "../../src/tasks/seq_mem.ts";
import { draw, stream } from "./draw.ts";

describe("seq_mem", () => {
  it("shows L values, the cue, then nothing, and asks for the values at the end", () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 12 }),
      fc.integer({ min: 1, max: 20 }),
      fc.integer({ min: 0, max: 1e9 }),
      (length, trials, seed) => {
        const parameters = { pattern_length: length, nr_of_trials: trials };
        const set = draw(seqMem, parameters, { seed });
        const T = 2 * length + 1;
        assert.equal(seqMem.steps(parameters), T);
        assert.equal(set.steps, T);
        assert.equal(set.trialCount, trials);
        assert.equal(set.inputs.length, trials * T * seqMem.inputSize());
        assert.equal(set.targets.length, trials * T);
        for (let row = 0; row < trials * T; row++) {
          const t = row % T;
          const [cue, value] = set.inputs.subarray(2 * row, 2 * row + 2);
          assert.equal(cue, t === length ? 1 : 0);
          if (t < length) {
            assert.ok((value as number) > 0 && (value as number) <= 1);
            assert.equal(set.targets[row + length + 1], value);
          } else assert.equal(value, 0);
          if (t <= length) assert.equal(set.targets[row], 0);
        }
      },
    ));
  });

  it("keeps to low and high, spreads evenly, and never draws a target of 0", () => {
    const parameters = { pattern_length: 5, low: -2, high: 6 };
    const { targets } = draw(
      seqMem,
      { ...parameters, nr_of_trials: 4000 },
      { seed: 3 },
    );
    const scored = targets.filter((target) => target !== 0);
    assert.equal(scored.length, 20_000);
    assert.ok(scored.every((value) => value >= -2 && value <= 6));
    const mean = scored.reduce((sum, value) => sum + value, 0) / scored.length;
    // Five standard errors of the mean of U(-2, 6).
    assert.ok(Math.abs(mean - 2) < 5 * 8 / Math.sqrt(12 * 20_000));
  });

  it("never scores a value of 0, even where the generator gives one", () => {
    const zeros = [0, 0, 0.5];
    const uniform = () => zeros.shift() ?? 0.25;
    const { targets } = draw(seqMem, { pattern_length: 2, nr_of_trials: 1 }, {
      stream: { ...stream(1), uniform },
    });
    assert.deepEqual([...targets], [0, 0, 0, 0.5, 0.25]);
  });

  it("gives the same trials for a seed, and others for another iteration", () => {
    const parameters = { pattern_length: 3, low: 0, high: 1, nr_of_trials: 50 };
    const make = (seed: number, iteration: number) =>
      draw(seqMem, parameters, { stream: stream(seed, iteration) });
    assert.deepEqual(make(7, 1), make(7, 1));
    assert.notDeepEqual(make(7, 1).inputs, make(7, 2).inputs);
    assert.notDeepEqual(make(7, 1).inputs, make(8, 1).inputs);
  });

  it("says what is wrong with an empty range", () => {
    assert.match(
      seqMem.check?.({ low: 1, high: 1 }) ?? "",
      /^high must be above low .* found low 1 and high 1$/,
    );
    assert.equal(seqMem.check?.({ low: -1, high: 1 }), undefined);
    const parameters = { pattern_length: 2, low: 1, high: 0, nr_of_trials: 1 };
    assert.throws(() => draw(seqMem, parameters), RangeError);
  });
});

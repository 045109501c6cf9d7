import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { nbackMem } from "../../src/tasks/n_back.ts";
import { draw, stream, trialOf } from "./draw.ts";

const lengths = fc.integer({ min: 2, max: 12 }).chain((length) =>
  fc.record({
    trial_length: fc.constant(length),
    n_back: fc.integer({ min: 1, max: length - 1 }),
    nr_of_trials: fc.integer({ min: 1, max: 20 }),
  })
);

describe("nback_mem", () => {
  it("repeats the probe n_back time steps before in matching trials and nowhere else", () => {
    fc.assert(fc.property(lengths, fc.nat(1e9), (parameters, seed) => {
      const { trial_length, n_back, nr_of_trials } = parameters;
      const set = draw(nbackMem, parameters, { seed });
      const t = trial_length + 1;
      assert.equal(nbackMem.steps(parameters), t);
      assert.equal(set.trialCount, nbackMem.trialCount(nr_of_trials));
      assert.equal(set.inputs.length, 2 * nr_of_trials * t * 2);
      for (let trial = 0; trial < set.trialCount; trial++) {
        const { rows, targets } = trialOf(set, trial);
        const cues = rows.map(([cue]) => cue);
        const values = rows.map(([, value]) => value);
        assert.deepEqual([...cues.keys()].filter((i) => cues[i] !== 0), [
          trial_length - 1,
        ]);
        assert.equal(cues[trial_length - 1], 1);
        assert.equal(values[trial_length], 0);
        const probe = values[trial_length - 1];
        const repeats = [...values.keys()].filter((i) =>
          i < trial_length - 1 && values[i] === probe
        );
        const matches = trial < nr_of_trials;
        assert.deepEqual(
          repeats,
          matches ? [trial_length - 1 - n_back] : [],
        );
        assert.equal(targets.pop(), matches ? 2 : 1);
        assert.ok(targets.every((target) => target === 0));
      }
    }));
  });

  it("draws again where chance repeats the probe", () => {
    const draws = [0.5, 0.25, 0.5, 0.5, 0.75, 0.5, 0.5, 0.5, 0.125, 0.625];
    const uniform = () => draws.shift() as number;
    const parameters = { trial_length: 3, n_back: 1, nr_of_trials: 1 };
    const { inputs } = draw(nbackMem, parameters, {
      stream: { ...stream(1), uniform },
    });
    const values = inputs.filter((_, i) => i % 2 === 1);
    assert.deepEqual([...values], [0.25, 0.5, 0.5, 0, 0.75, 0.125, 0.5, 0]);
  });

  it("gives the same trials for a seed and others for another", () => {
    const parameters = { trial_length: 5, n_back: 2, nr_of_trials: 30 };
    const make = (seed: number) => draw(nbackMem, parameters, { seed });
    assert.deepEqual(make(1), make(1));
    assert.notDeepEqual(make(1).inputs, make(2).inputs);
  });

  it("refuses an n_back that reaches before the trial", () => {
    assert.equal(
      nbackMem.check?.({ n_back: 5, trial_length: 5 }),
      "n_back 5 needs a trial_length above 5, found 5",
    );
    assert.equal(nbackMem.check?.({ n_back: 4, trial_length: 5 }), undefined);
    assert.throws(
      () => draw(nbackMem, { trial_length: 3, n_back: 3, nr_of_trials: 1 }),
      /n_back 3 needs a trial_length above 3, found 3/,
    );
  });
});

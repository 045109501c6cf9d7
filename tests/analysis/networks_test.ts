import assert from "node:assert/strict";
import fc from "fast-check";
import { compareLabels } from "../../src/analysis/compare.ts";
import type { LabelledResults } from "../../src/analysis/match.ts";
import { describe, it } from "../../src/compat/testing.ts";
import { createStream } from "../../src/random/stream.ts";
import {
  alike,
  curves,
  exampleRecord,
  resultsOf,
} from "../results/example_results.ts";

/** An arm: of each combination a loss and a network for each iteration. */
interface Arm {
  readonly losses: readonly (readonly number[])[];
  /** The network of an iteration; undefined: it is not known. */
  readonly network: ((combination: number, i: number) => string) | undefined;
  readonly seed?: number;
}

function armOf(label: string, { losses, network, seed = 7 }: Arm) {
  const record = exampleRecord({ seed, iterations: 24, failures: [] });
  return {
    label,
    results: resultsOf(
      losses.map((own, index) => ({
        parameters: { pattern_length: index },
        ...alike(curves(...own.map((loss) => [1, loss]))),
        ...(network === undefined
          ? {}
          : { networks: own.map((_, i) => network(index, i)) }),
      })),
      {
        path: label,
        // Of this task no baseline is known, so that nothing stands outside.
        experiment: { ...record, task: { ...record.task, name: "own" } },
      },
    ),
  };
}

const RUNS = 24;
const SAMPLES = 8;
const one = () => "";
const sample = (_: number, i: number) => `${i % SAMPLES}`;
const own = (combination: number, i: number) => `${combination} ${i}`;

/** Losses of networks that differ by chance, and of their runs that differ less. */
function draw(
  experiment: number,
  { networks, combinations = 1, purpose }: {
    readonly networks: number;
    readonly combinations?: number;
    readonly purpose: "trials" | "weights";
  },
): number[][] {
  const stream = createStream({ seed: experiment, purpose });
  const quality = Array.from({ length: networks }, () => stream.normal());
  return Array.from(
    { length: combinations },
    () =>
      Array.from({ length: RUNS }, (_, i) =>
        // One network is as good as those that it is compared with, on average.
        100 + (networks === 1 ? 0 : quality[i % networks]!) +
        0.5 * stream.normal()),
  );
}

const over = (arms: readonly LabelledResults[]) =>
  compareLabels(arms, { measures: ["minLoss"] }).rows[0]!;

describe("compareLabels() of runs that share networks", () => {
  const bio = { losses: draw(1, { networks: 1, purpose: "trials" }) };
  const rand = { losses: draw(1, { networks: SAMPLES, purpose: "weights" }) };

  it("takes the samples of a null model for the units, and says how many there were", () => {
    const row = over([
      armOf("bio", { ...bio, network: one }),
      armOf("rand", { ...rand, network: sample }),
    ]);
    assert.deepEqual(row.units, [SAMPLES, SAMPLES]);
    assert.deepEqual([row.reference.networks, row.other.networks], [1, 8]);
    assert.equal(row.pairs, RUNS);
    assert.ok(row.smallestP === 2 ** (1 - SAMPLES));
    assert.match(
      row.sentence,
      /24 pairs of runs on the same trials.*Wilcoxon signed-rank of 8 networks, p = .*\. rand's 24 runs are on 8 networks, each of which counts once; bio's 24 runs are on one network, so that what is said holds for this one\.$/,
    );
  });

  it("changes no number where each run has a network of its own, or none is known", () => {
    const numbers = (network: Arm["network"]) => {
      const { sentence: _, reference, other, ...row } = over([
        armOf("bio", { ...bio, network: network && one }),
        armOf("rand", { ...rand, network }),
      ]);
      return { ...row, medians: [reference.median, other.median] };
    };
    const { effect, ...before } = numbers(undefined);
    const { effect: same, ...after } = numbers(own);
    assert.deepEqual(after, before);
    assert.deepEqual([same.low, same.high], [effect.low, effect.high]);
    assert.match(
      over([
        armOf("bio", { ...bio, network: own }),
        armOf("rand", { ...rand, network: own }),
      ]).sentence,
      /bio's 24 runs are on networks of their own; rand's 24 runs are on networks of their own\.$/,
    );
  });

  it("changes no number of any experiment where each run has a network of its own", () => {
    const losses = fc.array(
      fc.array(
        fc.oneof(
          { weight: 9, arbitrary: fc.integer({ min: 1, max: 40 }) },
          { weight: 1, arbitrary: fc.constant(NaN) },
        ),
        { minLength: 1, maxLength: 7 },
      ),
      { minLength: 1, maxLength: 3 },
    );
    const property = fc.property(
      losses,
      losses,
      fc.constantFrom(7, 8),
      fc.boolean(),
      (x, y, seed, isOne) => {
        const numbers = (known: boolean) => {
          const { rows } = compareLabels([
            armOf("a", {
              losses: x,
              network: known ? isOne ? one : own : undefined,
            }),
            armOf("b", { losses: y, network: known ? own : undefined, seed }),
          ]);
          for (const { sentence } of rows) {
            assert.ok(!/NaN|undefined|– to –/.test(sentence), sentence);
          }
          return rows.map(({ sentence: _, reference, other, ...row }) => [
            {
              ...row,
              effect: { ...row.effect, variance: undefined },
              combination: row.combination?.title,
              notLearned: row.notLearned.map(({ title }) => title),
            },
            { ...reference, networks: undefined },
            { ...other, networks: undefined },
          ]);
        };
        assert.deepEqual(numbers(true), numbers(false));
      },
    );
    fc.assert(property, { numRuns: 60 });
  });

  it("takes the runs of one network for the units, where each label has one", () => {
    const row = over([
      armOf("bio", { ...bio, network: one }),
      armOf("transposed", { ...rand, network: () => "other" }),
    ]);
    assert.equal(row.units, undefined);
    assert.match(
      row.sentence,
      /bio's 24 and transposed's 24 runs are on one network each, so that what is said holds for these\.$/,
    );
  });

  it("says that networks are too few, however many runs there are", () => {
    const row = over([
      armOf("bio", { ...bio, network: one }),
      armOf("rand", { ...rand, network: (_, i) => `${i % 3}` }),
    ]);
    assert.match(
      row.sentence,
      /these are too few networks to show a difference, as p cannot fall below 0\.25/,
    );
  });

  it("counts runs that share a network of either label as one group", () => {
    const row = over([
      armOf("a", { ...bio, network: (_, i) => `${i % 4}` }),
      armOf("b", { ...rand, network: (_, i) => `${i % 6}` }),
    ]);
    assert.deepEqual(row.units, [2, 2]);
    assert.match(
      row.sentence,
      /too few networks to show|2 groups of runs that/,
    );
  });

  it("lets a network that diverges in some runs count as a bad one, and not its runs", () => {
    const losses = rand.losses.map((all) =>
      all.map((loss, i) => i % SAMPLES === 0 ? NaN : loss)
    );
    const row = over([
      armOf("bio", { ...bio, network: one }),
      armOf("rand", { losses, network: sample }),
    ]);
    // Three runs diverged, all of one network.
    assert.equal(row.other.failed, 3);
    assert.equal(row.failureP, 1);
    assert.equal(row.p < 1, true);
  });
});

describe("compareLabels() of arms that do not differ", () => {
  /** Share of experiments in which a difference is found, and whose interval holds none. */
  function rates(
    armsOf: (experiment: number) => readonly [Arm, Arm],
    known: boolean,
  ) {
    const count = 400;
    let [found, covered] = [0, 0];
    for (let experiment = 0; experiment < count; experiment++) {
      const [a, b] = armsOf(experiment).map((arm) =>
        known ? arm : { ...arm, network: undefined }
      ) as [Arm, Arm];
      const row = over([armOf("a", a), armOf("b", b)]);
      if (row.p < 0.05) found++;
      const [low, high] = row.differenceInterval;
      if (low < 0 && high > 0) covered++;
    }
    return { found: found / count, covered: covered / count };
  }

  const single = (experiment: number, combinations = 1) => ({
    losses: draw(experiment, { networks: 1, combinations, purpose: "trials" }),
    network: one,
  });
  const sampled = (experiment: number, combinations = 1): Arm => ({
    losses: draw(experiment, {
      networks: SAMPLES,
      combinations,
      purpose: "weights",
    }),
    network: sample,
  });
  const designs: Record<string, (e: number) => readonly [Arm, Arm]> = {
    "one network and samples of a null model, in pairs": (e) => [
      single(e),
      sampled(e),
    ],
    "the same, on other trials": (e) => [single(e), { ...sampled(e), seed: 8 }],
    "samples of two null models, on other trials": (e) => [
      sampled(e),
      { ...sampled(e + 1e6), seed: 8 },
    ],
    "instantiations that all combinations share": (e) => [
      single(e, 3),
      sampled(e, 3),
    ],
  };
  for (const [name, arms] of Object.entries(designs)) {
    it(`finds no more differences than its level allows: ${name}`, () => {
      const { found, covered } = rates(arms, true);
      const naive = rates(arms, false);
      assert.ok(found < 0.08, `${found}`);
      assert.ok(covered > 0.86, `${covered}`);
      assert.ok(naive.found > 0.15, `${naive.found}`);
      assert.ok(naive.covered < 0.8, `${naive.covered}`);
    });
  }
});

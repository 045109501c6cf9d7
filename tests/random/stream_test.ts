import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { philox4x32 } from "../../src/random/philox.ts";
import {
  createStream,
  type RandomStream,
  type StreamKey,
  type StreamPurpose,
  WORDS_PER_UNIFORM,
} from "../../src/random/stream.ts";

function words(key: StreamKey, count: number): number[] {
  const stream = createStream(key);
  return Array.from({ length: count }, () => stream.uint32());
}

/** χ² of counts against equal expectations, in standard deviations of its distribution. */
function chiSquareScore(counts: ArrayLike<number>): number {
  const cells = Array.from(counts);
  const expected = cells.reduce((a, b) => a + b, 0) / cells.length;
  const chiSquare = cells.reduce((sum, n) => sum + (n - expected) ** 2, 0) /
    expected;
  const freedom = cells.length - 1;
  return (chiSquare - freedom) / Math.sqrt(2 * freedom);
}

/** Too even is as suspicious as too uneven; by chance one seed in some ten thousand would fail. */
function assertUniform(counts: ArrayLike<number>): void {
  const score = chiSquareScore(counts);
  assert.ok(Math.abs(score) < 4, `χ² is ${score} standard deviations off`);
}

function correlation(a: readonly number[], b: readonly number[]): number {
  const n = a.length;
  const mean = (x: readonly number[]) => x.reduce((s, v) => s + v, 0) / n;
  const [meanA, meanB] = [mean(a), mean(b)];
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < n; i++) {
    const [da, db] = [(a[i] as number) - meanA, (b[i] as number) - meanB];
    ab += da * db;
    aa += da * da;
    bb += db * db;
  }
  return ab / Math.sqrt(aa * bb);
}

/**
 * The first words of a stream of each purpose, computed by another program
 * from the definition. They are part of every published seed and must never
 * change.
 */
const FIRST_WORDS: Record<StreamPurpose, number[]> = {
  bio2art: [2486907642, 1636980851, 3483373596, 923539309],
  topology: [1469809992, 4206201112, 2886098042, 3946305410],
  trials: [3254130979, 765187077, 849961909, 3665653536],
  split: [3884965977, 2271284981, 1114855557, 756319568],
  weights: [3904702809, 1594452030, 3475499755, 1281786059],
  readout: [1392572508, 4026340696, 2247863200, 3796289573],
  images: [1344159654, 665972745, 713640325, 3906862124],
  connectome: [1574538176, 4286164213, 558846903, 1635495635],
  bootstrap: [1092932646, 3294661576, 3297034256, 2242456992],
  ties: [3500983595, 3574234321, 2106896001, 3580468977],
};
const PURPOSES = Object.keys(FIRST_WORDS) as StreamPurpose[];
const KEY: StreamKey = { seed: 20210122, purpose: "trials" };
/** Ten numbers shuffled with that key, computed by another program from the definition. */
const FROZEN_PERMUTATION = [9, 7, 6, 8, 2, 0, 1, 4, 5, 3];

describe("createStream()", () => {
  for (const purpose of PURPOSES) {
    it(`draws the same numbers for ever: ${purpose}`, () => {
      const key = { seed: 20210122, purpose, combination: 3, iteration: 4 };
      assert.deepEqual(words(key, 4), FIRST_WORDS[purpose]);
    });
  }

  it("draws the same numbers for ever: largest seed, combination and iteration", () => {
    const key: StreamKey = {
      seed: Number.MAX_SAFE_INTEGER,
      purpose: "trials",
      combination: 0xffffffff,
      iteration: 0xffffffff,
    };
    assert.deepEqual(words(key, 8), [
      ...[1978105096, 3229978475, 135338025, 865815032],
      ...[4188058477, 2430120769, 1883236717, 3200400472],
    ]);
  });

  it("takes combination and iteration for 0 where they are not given", () => {
    assert.deepEqual(
      words(KEY, 8),
      words({ ...KEY, combination: 0, iteration: 0 }, 8),
    );
  });

  it("draws other numbers for every other name", () => {
    const names: StreamKey[] = [];
    for (const seed of [0, 1, 2 ** 32, 2 ** 53 - 1]) {
      for (const purpose of PURPOSES) {
        for (const combination of [0, 1, 2, 3]) {
          for (const iteration of [0, 1, 2, 3]) {
            names.push({ seed, purpose, combination, iteration });
          }
        }
      }
    }
    const first = new Set(names.map((name) => words(name, 4).join()));
    assert.equal(first.size, names.length);
  });

  it("keeps streams apart when they are drawn from in turns", () => {
    const a = createStream(KEY);
    const b = createStream({ ...KEY, iteration: 1 });
    const mixed: number[][] = [[], []];
    for (let i = 0; i < 20; i++) {
      mixed[0]?.push(a.uint32());
      mixed[1]?.push(b.uint32(), b.uint32());
    }
    assert.deepEqual(mixed[0], words(KEY, 20));
    assert.deepEqual(mixed[1], words({ ...KEY, iteration: 1 }, 40));
  });

  it("refuses seeds, combinations and iterations that are no such numbers", () => {
    for (const wrong of [-1, 0.5, NaN, Infinity]) {
      for (const field of ["seed", "combination", "iteration"]) {
        assert.throws(
          () => createStream({ ...KEY, [field]: wrong }),
          (error) =>
            error instanceof RangeError && error.message.includes(field),
        );
      }
    }
    assert.throws(() => createStream({ ...KEY, seed: 2 ** 53 }), RangeError);
    assert.throws(
      () => createStream({ ...KEY, iteration: 2 ** 32 }),
      RangeError,
    );
  });

  it("gives streams whose neighbours are not correlated", () => {
    const uniforms = (key: StreamKey) => {
      const stream = createStream(key);
      return Array.from({ length: 10_000 }, () => stream.uniform());
    };
    const base = uniforms(KEY);
    const neighbours: StreamKey[] = [
      { ...KEY, seed: KEY.seed + 1 },
      { ...KEY, seed: KEY.seed + 2 ** 32 },
      { ...KEY, purpose: "split" },
      { ...KEY, combination: 1 },
      { ...KEY, iteration: 1 },
    ];
    for (const neighbour of neighbours) {
      const r = correlation(base, uniforms(neighbour));
      // Four standard deviations of the correlation of 10 000 independent pairs.
      assert.ok(Math.abs(r) < 0.04, `${JSON.stringify(neighbour)}: r = ${r}`);
    }
    const lagged = correlation(base.slice(1), base.slice(0, -1));
    assert.ok(Math.abs(lagged) < 0.04, `lag 1: r = ${lagged}`);
  });

  it("gives first numbers that are uniform over combinations and iterations", () => {
    const counts = new Array<number>(64).fill(0);
    for (let combination = 0; combination < 100; combination++) {
      for (let iteration = 0; iteration < 100; iteration++) {
        const [word = 0] = words({ ...KEY, combination, iteration }, 1);
        counts[word >>> 26] = (counts[word >>> 26] as number) + 1;
      }
    }
    assertUniform(counts);
  });
});

function stream(): RandomStream {
  return createStream(KEY);
}

describe("RandomStream.uniform()", () => {
  it("is uniform on [0, 1) in its leading and in its last bits", () => {
    const draws = stream();
    const leading = new Uint32Array(256);
    const last = new Uint32Array(256);
    for (let i = 0; i < 50_000; i++) {
      const value = draws.uniform();
      assert.ok(value >= 0 && value < 1);
      const scaled = value * 2 ** 53;
      assert.ok(Number.isInteger(scaled));
      leading[Math.floor(value * 256)]!++;
      last[scaled % 256]!++;
    }
    assertUniform(leading);
    assertUniform(last);
  });

  it("takes two words, the first of them for the leading bits", () => {
    const [first, second] = words(KEY, 2) as [number, number];
    const expected = ((first >>> 5) * 2 ** 26 + (second >>> 6)) / 2 ** 53;
    assert.equal(stream().uniform(), expected);
  });
});

describe("RandomStream.skip()", () => {
  it("goes on as if the words had been drawn", () => {
    fc.assert(fc.property(
      fc.array(fc.tuple(fc.nat(9), fc.nat(70)), { maxLength: 8 }),
      (turns) => {
        const [skipping, drawing] = [stream(), stream()];
        for (const [drawn, skipped] of turns) {
          for (let i = 0; i < drawn; i++) {
            assert.equal(skipping.uint32(), drawing.uint32());
          }
          skipping.skip(skipped);
          for (let i = 0; i < skipped; i++) drawing.uint32();
        }
        assert.equal(skipping.uint32(), drawing.uint32());
      },
    ));
  });

  it("skips two words for a uniform number", () => {
    const [skipping, drawing] = [stream(), stream()];
    skipping.skip(3 * WORDS_PER_UNIFORM);
    for (let i = 0; i < 3; i++) drawing.uniform();
    assert.equal(skipping.uniform(), drawing.uniform());
  });

  it("goes on in another part of the counter after 2^32 blocks, as uint32() does", () => {
    const key: [number, number] = [KEY.seed, 0];
    const purpose = 3;
    const blocks = [
      philox4x32([0xffffffff, purpose, 0, 0], key),
      philox4x32([0, purpose + 0x10000, 0, 0], key),
      philox4x32([1, purpose + 0x10000, 0, 0], key),
    ].flat();
    // Up to the last word of the part, drawing over its end.
    const drawing = stream();
    drawing.skip(2 ** 34 - 4);
    assert.deepEqual(
      Array.from({ length: 12 }, () => drawing.uint32()),
      blocks,
    );
    // Skipping over its end, in one go and in three.
    for (const steps of [[2 ** 34 + 3], [5, 2 ** 34 - 7, 5]]) {
      const skipping = stream();
      for (const words of steps) skipping.skip(words);
      assert.deepEqual(
        Array.from({ length: 5 }, () => skipping.uint32()),
        blocks.slice(7),
      );
    }
    const far = stream();
    far.skip(5 * 2 ** 34);
    assert.equal(
      far.uint32(),
      philox4x32([0, purpose + 5 * 0x10000, 0, 0], key)[0],
    );
  });

  it("keeps the second of two normal numbers", () => {
    const [skipping, drawing] = [stream(), stream()];
    assert.equal(skipping.normal(), drawing.normal());
    skipping.skip(10);
    assert.equal(skipping.normal(), drawing.normal());
    for (let i = 0; i < 10; i++) drawing.uint32();
    assert.equal(skipping.normal(), drawing.normal());
  });

  it("refuses what is no number of words", () => {
    for (const words of [-1, 0.5, NaN, 2 ** 53]) {
      assert.throws(() => stream().skip(words), /words to skip must be/);
    }
  });
});

describe("RandomStream.integer()", () => {
  it("is uniform below any bound", () => {
    for (const bound of [2, 3, 10, 97, 256]) {
      const draws = stream();
      const counts = new Uint32Array(bound);
      for (let i = 0; i < 20_000; i++) counts[draws.integer(bound)]!++;
      assertUniform(counts);
    }
  });

  it("has no bias where the bound does not divide 2^32", () => {
    // A plain remainder would give the lowest third half of all draws.
    const bound = 3 * 2 ** 30;
    const draws = stream();
    const thirds = new Uint32Array(3);
    for (let i = 0; i < 20_000; i++) {
      thirds[Math.floor(draws.integer(bound) / 2 ** 30)]!++;
    }
    assertUniform(thirds);
  });

  it("takes bounds from 1 to 2^32 and no others", () => {
    const draws = stream();
    assert.equal(draws.integer(1), 0);
    assert.ok(draws.integer(2 ** 32) < 2 ** 32);
    for (const bound of [0, -1, 1.5, NaN, 2 ** 32 + 1]) {
      assert.throws(() => draws.integer(bound), RangeError);
    }
  });
});

describe("RandomStream.normal()", () => {
  const draws = stream();
  const values = Array.from({ length: 100_000 }, () => draws.normal());
  const moment = (k: number) =>
    values.reduce((sum, value) => sum + value ** k, 0) / values.length;

  // Bounds: four standard deviations of each moment's estimate over 100 000 draws.
  it("has the moments of the standard normal distribution", () => {
    assert.ok(Math.abs(moment(1)) < 4 * Math.sqrt(1 / 1e5));
    assert.ok(Math.abs(moment(2) - 1) < 4 * Math.sqrt(2 / 1e5));
    assert.ok(Math.abs(moment(3)) < 4 * Math.sqrt(15 / 1e5));
    assert.ok(Math.abs(moment(4) - 3) < 4 * Math.sqrt(96 / 1e5));
  });

  it("has its tails", () => {
    const beyond2 = values.filter((value) => Math.abs(value) > 2).length / 1e5;
    assert.ok(Math.abs(beyond2 - 0.0455) < 4 * Math.sqrt(0.0455 / 1e5));
  });

  it("draws pairs that are not correlated", () => {
    const even = values.filter((_, i) => i % 2 === 0);
    const odd = values.filter((_, i) => i % 2 === 1);
    const r = correlation(even, odd);
    assert.ok(Math.abs(r) < 4 / Math.sqrt(50_000), `r = ${r}`);
  });
});

describe("RandomStream.permutation()", () => {
  it("gives every order equally often", () => {
    const draws = stream();
    const counts = new Map<string, number>();
    for (let i = 0; i < 24_000; i++) {
      const order = draws.permutation(4).join();
      counts.set(order, (counts.get(order) ?? 0) + 1);
    }
    assert.equal(counts.size, 24);
    assertUniform([...counts.values()]);
  });

  it("draws the same order for ever", () => {
    assert.deepEqual([...stream().permutation(10)], FROZEN_PERMUTATION);
  });
});

describe("RandomStream.sample()", () => {
  it("draws k different numbers below n", () => {
    fc.assert(fc.property(fc.nat(50), fc.nat(50), fc.nat(), (a, b, seed) => {
      const [k, n] = [Math.min(a, b), Math.max(a, b)];
      const sample = createStream({ ...KEY, seed }).sample(n, k);
      assert.equal(sample.length, k);
      assert.equal(new Set(sample).size, k);
      assert.ok(sample.every((number) => number < n));
    }));
  });

  it("draws every pair of five equally often", () => {
    const draws = stream();
    const counts = new Map<string, number>();
    for (let i = 0; i < 20_000; i++) {
      const pair = draws.sample(5, 2).join();
      counts.set(pair, (counts.get(pair) ?? 0) + 1);
    }
    assert.equal(counts.size, 20);
    assertUniform([...counts.values()]);
  });

  it("does not depend on what was drawn from before", () => {
    fc.assert(fc.property(
      fc.array(fc.tuple(fc.nat(30), fc.nat(30)), {
        minLength: 1,
        maxLength: 6,
      }),
      (calls) => {
        const draws = stream();
        const anew = stream();
        for (const [a, b] of calls) {
          const [k, n] = [Math.min(a, b), Math.max(a, b)];
          const numbers = Array.from({ length: n }, (_, i) => i);
          for (let i = 0; i < k; i++) {
            const j = i + anew.integer(n - i);
            [numbers[i], numbers[j]] = [numbers[j]!, numbers[i]!];
          }
          assert.deepEqual([...draws.sample(n, k)], numbers.slice(0, k));
        }
      },
    ));
  });

  it("refuses to draw more than there are", () => {
    assert.throws(() => stream().sample(3, 4), RangeError);
    assert.throws(() => stream().sample(3, -1), RangeError);
    assert.throws(() => stream().sample(3, 1.5), RangeError);
  });
});

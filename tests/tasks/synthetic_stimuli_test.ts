import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { sha256Hex } from "../../src/files/bytes.ts";
import {
  encodeLatents,
  syntheticDigits,
} from "../../src/tasks/synthetic_stimuli.ts";
import type { Stimuli } from "../../src/tasks/task.ts";

/** Share of the pictures whose nearest class mean, of other pictures, is their own. */
function nearestMeanAccuracy(train: Stimuli, test: Stimuli): number {
  const { size } = train;
  const means = new Float64Array(10 * size);
  for (const [i, label] of train.labels.entries()) {
    for (let k = 0; k < size; k++) {
      const place = label * size + k;
      means[place] = (means[place] as number) +
        10 * (train.values[i * size + k] as number) / train.count;
    }
  }
  let right = 0;
  for (const [i, label] of test.labels.entries()) {
    let nearest = -1;
    let least = Infinity;
    for (let digit = 0; digit < 10; digit++) {
      let distance = 0;
      for (let k = 0; k < size; k++) {
        distance += ((test.values[i * size + k] as number) -
          (means[digit * size + k] as number)) ** 2;
      }
      if (distance < least) [nearest, least] = [digit, distance];
    }
    if (nearest === label) right++;
  }
  return right / test.count;
}

const bytesOf = ({ values }: Stimuli) =>
  new Uint8Array(values.buffer as ArrayBuffer);

describe("syntheticDigits()", () => {
  it("draws as many of each digit, in whole grey levels, with an empty margin", () => {
    const digits = syntheticDigits({ seed: 1 });
    assert.equal(digits.count, 2000);
    assert.equal(digits.size, 784);
    assert.equal(digits.values.length, 2000 * 784);
    const counts = new Array(10).fill(0);
    for (const label of digits.labels) counts[label]++;
    assert.deepEqual(counts, new Array(10).fill(200));
    let brightest = 0;
    for (const value of digits.values) {
      assert.ok(Number.isInteger(value) && value >= 0 && value <= 255);
      brightest = Math.max(brightest, value);
    }
    assert.equal(brightest, 255);
    for (let i = 0; i < digits.count; i++) {
      const picture = digits.values.subarray(i * 784, (i + 1) * 784);
      const inked = picture.filter((value) => value > 127).length;
      assert.ok(inked > 25 && inked < 300, `picture ${i} has ${inked} pixels`);
      // The strokes stay inside: nothing is cut off at the corners.
      for (const corner of [0, 27, 756, 783]) assert.equal(picture[corner], 0);
    }
  });

  it("is named synthetic", () => {
    const digits = syntheticDigits({ seed: 1, count: 10 });
    assert.equal(digits.synthetic, true);
    assert.equal(digits.source, "synthetic digits");
    assert.equal(encodeLatents(digits).synthetic, true);
    assert.equal(encodeLatents(digits).source, "latents of synthetic digits");
  });

  it("is the same for a seed on every machine, and other hands for another", async () => {
    const digits = syntheticDigits({ seed: 1, count: 100 });
    assert.deepEqual(digits, syntheticDigits({ seed: 1, count: 100 }));
    assert.notDeepEqual(
      digits.values,
      syntheticDigits({ seed: 2, count: 100 }).values,
    );
    assert.equal(await sha256Hex(bytesOf(digits)), DIGITS_SHA256);
    assert.equal(
      await sha256Hex(bytesOf(encodeLatents(digits))),
      LATENTS_SHA256,
    );
  });
});

// Published seeds must keep their pictures: a change of either is a break.
const DIGITS_SHA256 =
  "f1f8b30f269fd78b377195709d168c89ddb2ce0ee44988c7bf88b4ed6dc776c2";
const LATENTS_SHA256 =
  "152fcece063e0f2fad1d3cea4e22aee8c8929fe92a3ee5c82629e3a81cd96c2a";

describe("encodeLatents()", () => {
  const train = encodeLatents(syntheticDigits({ seed: 1 }));

  it("gives 50 non-negative features, about half of them 0, none always", () => {
    assert.equal(train.size, 50);
    assert.equal(train.values.length, train.count * 50);
    assert.ok(train.values.every((value) => value >= 0 && value < 100));
    for (let latent = 0; latent < 50; latent++) {
      let zeros = 0;
      for (let i = 0; i < train.count; i++) {
        if (train.values[i * 50 + latent] === 0) zeros++;
      }
      assert.ok(zeros > 0.3 * train.count && zeros < 0.7 * train.count);
    }
  });

  it("keeps the digits apart: the nearest class mean is right in over 85 %", () => {
    const test = encodeLatents(syntheticDigits({ seed: 2, count: 1000 }));
    const accuracy = nearestMeanAccuracy(train, test);
    assert.ok(accuracy > 0.85, `found ${accuracy}`);
  });

  it("refuses pictures of another size", () => {
    assert.throws(
      () =>
        encodeLatents({
          size: 4,
          count: 1,
          values: new Float32Array(4),
          labels: Uint8Array.of(0),
          source: "tiny",
          synthetic: true,
        }),
      RangeError,
    );
  });
});

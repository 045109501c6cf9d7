import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  drawDistinctPlaces,
  shufflePlaces,
} from "../../src/connectome/random_places.ts";
import { createStream } from "../../src/random/stream.ts";

const topology = (seed: number) => createStream({ seed, purpose: "topology" });

describe("drawDistinctPlaces()", () => {
  it("draws what a shuffle of all places has in front", () => {
    fc.assert(fc.property(fc.nat(60), fc.nat(60), fc.nat(), (a, b, seed) => {
      const [amount, count] = [Math.min(a, b), Math.max(a, b)];
      assert.deepEqual(
        drawDistinctPlaces(amount, { count, stream: topology(seed) }),
        topology(seed).sample(count, amount),
      );
    }));
  });

  it("draws different places of very many, in all parts of them", () => {
    const count = 2 ** 32;
    const places = drawDistinctPlaces(100_000, { count, stream: topology(1) });
    assert.equal(new Set(places).size, 100_000);
    const sixteenths = new Float64Array(16);
    for (const place of places) sixteenths[Math.floor(place / 2 ** 28)]!++;
    // Binomial, p = 1/16: standard deviation 77.
    for (const hits of sixteenths) assert.ok(Math.abs(hits - 6250) < 310);
  });

  it("refuses more places than there are, and more than 2^32", () => {
    const stream = topology(1);
    assert.throws(
      () => drawDistinctPlaces(4, { count: 3, stream }),
      /Cannot draw 4 different places of 3/,
    );
    assert.throws(
      () => drawDistinctPlaces(1, { count: 2 ** 32 + 1, stream }),
      RangeError,
    );
  });
});

describe("shufflePlaces()", () => {
  it("moves things to different places, as a permutation of all does", () => {
    fc.assert(fc.property(
      fc.uniqueArray(fc.nat(39), { maxLength: 40 }),
      fc.nat(),
      (places, seed) => {
        const shuffled = shufflePlaces(Uint32Array.from(places), {
          count: 40,
          stream: topology(seed),
        });
        // Place i of the permutation holds the place that was drawn for it.
        const order = topology(seed).permutation(40);
        assert.deepEqual(
          [...shuffled],
          places.map((place) => order.indexOf(place)),
        );
      },
    ));
  });
});

/**
 * Random places without repetition, of many or of very many.
 *
 * @module
 */

import type { RandomStream } from "../random/stream.ts";

/** What is drawn from. */
export interface PlaceOptions {
  /** Number of places, at most 2³². */
  readonly count: number;
  readonly stream: RandomStream;
}

/**
 * Where things come to lie when all places, the empty ones too, are shuffled.
 * Takes memory and time for every place.
 *
 * Draws `integer(count − p)` for each place p in order but the last.
 *
 * @param places The different places where the things lie.
 *
 * @example
 * ```ts
 * import { shufflePlaces } from "./src/connectome/random_places.ts";
 * import { createStream } from "./src/random/stream.ts";
 *
 * const stream = createStream({ seed: 1, purpose: "topology" });
 * shufflePlaces(Uint32Array.of(0, 4), { count: 6, stream }); // two of 0…5
 * ```
 */
export function shufflePlaces(
  places: Uint32Array,
  { count, stream }: PlaceOptions,
): Uint32Array {
  // Number of the thing that lies in a place, from 1; 0 where there is none.
  const things = new Uint32Array(count);
  for (let i = 0; i < places.length; i++) things[places[i]!] = i + 1;
  for (let here = 0; here < count - 1; here++) {
    const there = here + stream.integer(count - here);
    const thing = things[here]!;
    things[here] = things[there]!;
    things[there] = thing;
  }
  const shuffled = new Uint32Array(places.length);
  for (let place = 0; place < count; place++) {
    const thing = things[place]!;
    if (thing > 0) shuffled[thing - 1] = place;
  }
  return shuffled;
}

/**
 * Different places, in random order. Takes memory and time for what is drawn
 * alone: a Fisher–Yates shuffle that keeps only the places that were moved.
 *
 * Draws `integer(count − i)` for each i of 0…amount − 1.
 *
 * @throws {RangeError} If there are not so many places, or more than 2³².
 *
 * @example
 * ```ts
 * import { drawDistinctPlaces } from "./src/connectome/random_places.ts";
 * import { createStream } from "./src/random/stream.ts";
 *
 * const stream = createStream({ seed: 1, purpose: "topology" });
 * drawDistinctPlaces(3, { count: 2 ** 32, stream });
 * ```
 */
export function drawDistinctPlaces(
  amount: number,
  { count, stream }: PlaceOptions,
): Uint32Array {
  if (amount > count || count > 2 ** 32) {
    throw new RangeError(
      `Cannot draw ${amount} different places of ${count}: there must be so many, and at most 2^32`,
    );
  }
  const moved = createPlaceTable(amount);
  const drawn = new Uint32Array(amount);
  for (let i = 0; i < amount; i++) {
    const j = i + stream.integer(count - i);
    drawn[i] = moved.get(j);
    moved.set(j, moved.get(i));
  }
  return drawn;
}

/** For each place the one that lies there now; at first each holds itself. */
interface PlaceTable {
  get(place: number): number;
  set(place: number, value: number): void;
}

/** Holds at most so many places; a `Map` would end at 2²⁴. */
function createPlaceTable(capacity: number): PlaceTable {
  let bits = 1;
  while (2 ** bits < 2 * capacity) bits++;
  const size = 2 ** bits;
  const places = new Uint32Array(size);
  const values = new Uint32Array(size);
  const taken = new Uint8Array(size);

  /** Where the place is, or may be put. */
  function slotOf(place: number): number {
    // Knuth's multiplicative hash: neighbouring places lie far apart.
    let slot = Math.imul(place, 0x9E3779B1) >>> (32 - bits);
    while (taken[slot] === 1 && places[slot] !== place) {
      slot = slot + 1 === size ? 0 : slot + 1;
    }
    return slot;
  }

  return {
    get: (place) => {
      const slot = slotOf(place);
      return taken[slot] === 1 ? values[slot]! : place;
    },
    set: (place, value) => {
      const slot = slotOf(place);
      taken[slot] = 1;
      places[slot] = place;
      values[slot] = value;
    },
  };
}

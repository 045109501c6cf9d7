/**
 * Connections at random places, for tests.
 *
 * @module
 */

import { createStream } from "../../src/random/stream.ts";
import {
  type Connections,
  listConnections,
} from "../../src/graph/connections.ts";

/** Exactly `count` connections among so many units, none of a unit to itself. */
export function randomConnections(
  units: number,
  { count, seed }: { readonly count: number; readonly seed: number },
): Connections {
  const mask = new Uint8Array(units * units);
  const places = createStream({ seed, purpose: "topology" })
    .permutation(units * (units - 1)).subarray(0, count);
  for (const place of places) {
    const row = Math.floor(place / (units - 1));
    const column = place % (units - 1);
    mask[row * units + column + (column >= row ? 1 : 0)] = 1;
  }
  return listConnections({ receivers: units, senders: units }, mask);
}

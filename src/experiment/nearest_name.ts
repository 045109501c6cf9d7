/**
 * "Did you mean …?"
 *
 * @module
 */

import { distance } from "fastest-levenshtein";

/** No name is longer, so that a hostile file can't make the search slow. */
const LONGEST = 64;

/**
 * The name that a mistyped one most likely stands for, or undefined where none
 * is near: the Levenshtein distance, capitals ignored, is at most a third of
 * the length (one edit is always near enough for three letters or more).
 *
 * @example
 * ```ts
 * import { nearestName } from "./src/experiment/nearest_name.ts";
 *
 * nearestName("nr_neuron", ["net_name", "nr_neurons"]); // "nr_neurons"
 * nearestName("colour", ["net_name", "nr_neurons"]); // undefined
 * ```
 */
export function nearestName(
  found: string,
  names: Iterable<string>,
): string | undefined {
  if (found.length > LONGEST) return undefined;
  const target = found.toLowerCase();
  let nearest: string | undefined;
  let least = Math.max(1, Math.floor(found.length / 3)) + 1;
  for (const name of names) {
    const d = distance(target, name.toLowerCase());
    if (d < least && d < Math.max(found.length, name.length) - 1) {
      nearest = name;
      least = d;
    }
  }
  return nearest;
}

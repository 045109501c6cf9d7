/**
 * "Did you mean …?"
 *
 * @module
 */

import { distance } from "fastest-levenshtein";

/** No name is longer, so that a hostile file can't make the search slow. */
const LONGEST = 64;

/** A name with its words in alphabetical order. */
function sortWords(name: string): string {
  return name.split("_").sort().join("_");
}

/** Edits between two names; words in another order count as one, a beginning of a name too. */
function edits(found: string, name: string): number {
  return Math.min(
    distance(found, name),
    distance(sortWords(found), sortWords(name)) + 1,
    found.length > 2 && name.startsWith(found) ? 1 : Infinity,
  );
}

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
    const d = edits(target, name.toLowerCase());
    if (d < least && d < Math.max(found.length, name.length) - 1) {
      nearest = name;
      least = d;
    }
  }
  return nearest;
}

/**
 * Known names that a mistyped one may stand for.
 *
 * @module
 */

import { distance } from "fastest-levenshtein";

/** No name of a connectome is longer; the search takes time with the product of two lengths. */
const LONGEST = 100;

/**
 * The known names that are like the given one, the likest first: those that
 * contain it or are contained in it, whatever the case, then those that a
 * few keystrokes turn into it (at most a third of its length).
 *
 * @example
 * ```ts
 * import { nearestNames } from "./src/connectome/nearest_names.ts";
 *
 * nearestNames("marmoset", ["Macaque_Normalized", "Marmoset_Normalized"]); // ["Marmoset_Normalized"]
 * ```
 */
export function nearestNames(
  name: string,
  known: readonly string[],
): string[] {
  if (name.length > LONGEST) return [];
  const asked = name.toLowerCase();
  return known.map((candidate) => {
    const text = candidate.toLowerCase();
    const contained = asked.length >= 3 &&
      (text.includes(asked) || asked.includes(text));
    return { candidate, edits: contained ? 0 : distance(asked, text) };
  })
    .filter(({ edits }) => edits <= asked.length / 3)
    .sort((a, b) => a.edits - b.edits)
    .map(({ candidate }) => candidate);
}

/**
 * Known names that a mistyped one may stand for.
 *
 * @module
 */

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
  const asked = name.toLowerCase();
  return known.map((candidate) => {
    const text = candidate.toLowerCase();
    const contained = asked.length >= 3 &&
      (text.includes(asked) || asked.includes(text));
    return { candidate, distance: contained ? 0 : editDistance(asked, text) };
  })
    .filter(({ distance }) => distance <= asked.length / 3)
    .sort((a, b) => a.distance - b.distance)
    .map(({ candidate }) => candidate);
}

/** Least number of letters to put in, take out or change (V. I. Levenshtein, 1966). */
function editDistance(a: string, b: string): number {
  // No name is that long; the table below would grow with the product.
  if (a.length > 300 || b.length > 300) return Infinity;
  let previous = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const current = [i];
    for (let j = 1; j <= b.length; j++) {
      current.push(Math.min(
        previous[j]! + 1,
        current[j - 1]! + 1,
        previous[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1),
      ));
    }
    previous = current;
  }
  return previous[b.length]!;
}

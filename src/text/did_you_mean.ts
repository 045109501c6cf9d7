/**
 * "Did you mean …?", and what may be given by its name.
 *
 * @module
 */

import { distance } from "npm:fastest-levenshtein@1.0.16";
import { listNames, quote } from "./words.ts";

/** The search takes time with the product of two lengths. */
const LONGEST = 100;

/** Whole and part, from three letters on. */
function contains(whole: string, part: string): boolean {
  return part.length >= 3 && whole.includes(part);
}

function sortWords(name: string): string {
  return name.split("_").sort().join("_");
}

/** How far a name is from another: edits, or less where one is the other's part or has its words in another order. */
function cost(found: string, name: string): number {
  return Math.min(
    distance(found, name),
    distance(sortWords(found), sortWords(name)) + 0.25,
    contains(found, name) || contains(name, found)
      ? 0.5 + Math.abs(found.length - name.length) / 1000
      : Infinity,
  );
}

/**
 * The known names that a mistyped one may stand for, the likest first: at most
 * a third of its letters are other ones, whatever the case, or one is a part
 * of the other.
 *
 * @example
 * ```ts
 * import { nearestNames } from "./src/text/did_you_mean.ts";
 *
 * nearestNames("nr_neuron", ["net_name", "nr_neurons"]); // ["nr_neurons"]
 * nearestNames("marmoset", ["Macaque_Normalized", "Marmoset_Normalized"]); // ["Marmoset_Normalized"]
 * ```
 */
export function nearestNames(
  found: string,
  names: Iterable<string>,
): string[] {
  if (found.length > LONGEST) return [];
  const target = found.toLowerCase();
  const most = Math.max(1, target.length / 3);
  return [...names]
    .map((name) => ({ name, edits: cost(target, name.toLowerCase()) }))
    // One letter of two, kept, is no likeness.
    .filter(({ name, edits }) =>
      edits <= most && edits < Math.max(found.length, name.length) - 1
    )
    .sort((a, b) => a.edits - b.edits)
    .map(({ name }) => name);
}

/** ` (did you mean "x"?)` where a known name is near, else nothing. */
export function didYouMean(found: string, names: Iterable<string>): string {
  const [near] = nearestNames(found, names);
  return near === undefined ? "" : ` (did you mean "${near}"?)`;
}

/**
 * What is given, or that of its name.
 *
 * @throws {RangeError} If there is none of that name.
 */
export function findNamed<T extends { readonly name: string }>(
  given: string | T,
  { among, what }: {
    readonly among: ReadonlyMap<string, T>;
    readonly what: string;
  },
): T {
  if (typeof given !== "string") return given;
  const found = among.get(given);
  if (found !== undefined) return found;
  throw new RangeError(
    `Cannot use the ${what} ${quote(given)}: it must be ${
      listNames(among.keys())
    }${didYouMean(given, among.keys())}`,
  );
}

/** The name of what may be given by its name. */
export function nameOf(given: string | { readonly name: string }): string {
  return typeof given === "string" ? given : given.name;
}

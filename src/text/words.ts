/**
 * Words for counts, sizes, durations and names that come out of files; tables of
 * text; "did you mean …?"
 *
 * @module
 */

import { distance } from "npm:fastest-levenshtein@1.0.16";

/** Longest piece of a file that a sentence repeats. */
const LONGEST = 60;

/** What moves the cursor, changes colours, turns the direction of writing or ends a line; and halves of characters. */
const UNPRINTABLE =
  // deno-lint-ignore no-control-regex
  /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu;

/**
 * A text that is safe on a terminal: what can't be seen, or steers the
 * terminal, stands as its code.
 */
export function printable(text: string): string {
  return text.replace(UNPRINTABLE, (character) => {
    const code = character.codePointAt(0)!.toString(16);
    return code.length <= 2 ? `\\x${code.padStart(2, "0")}` : `\\u{${code}}`;
  });
}

/** A text on one line, not too long. */
export function shorten(text: string): string {
  // deno-lint-ignore no-control-regex
  const start = text.slice(0, LONGEST).replace(/[\x00-\x1f\x7f-\x9f]/g, " ");
  return text.length > LONGEST ? `${printable(start)}…` : printable(start);
}

/** A text as a sentence shows it: in quotes, on one line, not too long. */
export function quote(text: string): string {
  return `"${shorten(text)}"`;
}

/** "one, two or three". */
export function listNames(names: Iterable<string>, word = "or"): string {
  const all = [...names];
  const last = all.pop() ?? "";
  return all.length === 0 ? last : `${all.join(", ")} ${word} ${last}`;
}

/**
 * "1 epoch", "2 epochs".
 *
 * @param noun In the singular.
 */
export function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

const UNITS = ["B", "kB", "MB", "GB", "TB", "PB"];

/**
 * A size in decimal units: three digits, as many as tell.
 */
export function formatBytes(bytes: number): string {
  let value = bytes;
  let unit = 0;
  while (value >= 999.5 && unit < UNITS.length - 1) {
    value /= 1000;
    unit++;
  }
  return `${unit === 0 ? value : value.toPrecision(3)} ${UNITS[unit]}`;
}

/** Seconds as a clock shows them: `0:35`, `1:02:03`. */
export function formatDuration(seconds: number): string {
  const whole = Math.max(0, Math.round(seconds));
  const hours = Math.floor(whole / 3600);
  const minutes = Math.floor(whole / 60) % 60;
  const rest = String(whole % 60).padStart(2, "0");
  return hours > 0
    ? `${hours}:${String(minutes).padStart(2, "0")}:${rest}`
    : `${minutes}:${rest}`;
}

/**
 * Rows of cells as lines, two blanks between columns. What cells hold may come
 * from a stranger's file: it can't steer the terminal.
 *
 * @param right Columns, from 0, whose cells end at the same place; default those with numbers below the first row.
 */
export function formatTable(
  rows: readonly (readonly string[])[],
  { right }: { readonly right?: readonly number[] } = {},
): string[] {
  const cells = rows.map((row) => row.map(printable));
  const columns = Math.max(0, ...cells.map((row) => row.length));
  const widths = Array.from(
    { length: columns },
    (_, c) => cells.reduce((w, row) => Math.max(w, lengthOf(row[c] ?? "")), 0),
  );
  const numbers = right ?? [...widths.keys()].filter((c) =>
    cells.length > 1 &&
    cells.slice(1).every((row) => /^[\d.e+-]*$/.test(row[c] ?? ""))
  );
  return cells.map((row) =>
    row.map((cell, c) => {
      const pad = " ".repeat(widths[c]! - lengthOf(cell));
      return numbers.includes(c) ? pad + cell : cell + pad;
    }).join("  ").trimEnd()
  );
}

/** Characters, not UTF-16 units. */
function lengthOf(cell: string): number {
  return [...cell].length;
}

/** The search takes time with the product of two lengths. */
const LONGEST_NAME = 100;

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
 * import { nearestNames } from "./src/text/words.ts";
 *
 * nearestNames("nr_neuron", ["net_name", "nr_neurons"]); // ["nr_neurons"]
 * nearestNames("marmoset", ["Macaque_Normalized", "Marmoset_Normalized"]); // ["Marmoset_Normalized"]
 * ```
 */
export function nearestNames(
  found: string,
  names: Iterable<string>,
): string[] {
  if (found.length > LONGEST_NAME) return [];
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

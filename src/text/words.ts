/**
 * Words for counts, sizes, durations and names that come out of files.
 *
 * @module
 */

/** Longest piece of a file that a sentence repeats. */
const LONGEST = 60;

/** What moves the cursor, changes colours, turns the direction of writing or ends a line; and halves of characters. */
const UNPRINTABLE =
  // deno-lint-ignore no-control-regex
  /[\x00-\x1f\x7f-\x9f\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|\p{Cs}/gu;

/**
 * A text that is safe on a terminal: what can't be seen, or steers the
 * terminal, stands as its code.
 *
 * @example
 * ```ts
 * import { printable } from "./src/text/words.ts";
 *
 * printable("V1\x1b[31m"); // "V1\\x1b[31m"
 * ```
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
 *
 * @example
 * ```ts
 * import { formatBytes } from "./src/text/words.ts";
 *
 * formatBytes(215_000_000); // "215 MB"
 * ```
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

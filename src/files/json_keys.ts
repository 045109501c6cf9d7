/**
 * Keys that stand twice in a JSON object. `JSON.parse` keeps the last of them
 * without a word, which would let two readers see two different files.
 *
 * @module
 */

/** Index after the string whose opening quote is at `start`. */
function endOfString(text: string, start: number): number {
  let end = start + 1;
  while (text[end] !== '"') end += text[end] === "\\" ? 2 : 1;
  return end + 1;
}

/**
 * The first key that an object inside the text has twice, if there is one.
 *
 * @param text A text that `JSON.parse` accepts.
 *
 * @example
 * ```ts
 * import { findDuplicateKey } from "./src/files/json_keys.ts";
 *
 * findDuplicateKey('{"a": 1, "b": {"a": 2, "a": 3}}'); // "a"
 * ```
 */
export function findDuplicateKey(text: string): string | undefined {
  // A set is made with its object's first key: many open brackets must not cost much.
  const open: (Set<string> | undefined)[] = [];
  let string = "";
  for (let i = 0; i < text.length;) {
    const sign = text[i];
    if (sign === '"') {
      const end = endOfString(text, i);
      string = text.slice(i, end);
      i = end;
      continue;
    }
    i++;
    if (sign === "{" || sign === "[") {
      open.push(undefined);
    } else if (sign === "}" || sign === "]") {
      open.pop();
    } else if (sign === ":") {
      // Two spellings of a key are the same key: "a" and "\\u0061".
      const key = JSON.parse(string) as string;
      const keys = open.at(-1) ?? new Set();
      if (keys.has(key)) return key;
      keys.add(key);
      open[open.length - 1] = keys;
    }
  }
  return undefined;
}

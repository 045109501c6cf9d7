/**
 * JSON as other readers see it: with all its keys, and each once.
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
 * The value of a JSON text. Unlike `JSON.parse`, which keeps the last of two
 * equal keys without a word, and which in V8 15 gives a wrong key for some that
 * are written with a backslash and differ from an earlier object's in their last
 * character.
 *
 * @throws {SyntaxError} If it is no JSON, or one of its objects has a key twice; the message goes on after "it".
 */
export function parseJson(text: string): unknown {
  const value = parse(text);
  const keys: string[] = [];
  const parts: string[] = [];
  let escaped = false;
  // A set is made with its object's first key: many open brackets must not cost much.
  const open: (Set<string> | undefined)[] = [];
  let string = { start: 0, end: 0 };
  let copied = 0;
  for (let i = 0; i < text.length;) {
    const sign = text[i];
    if (sign === '"') {
      string = { start: i, end: endOfString(text, i) };
      i = string.end;
      continue;
    }
    i++;
    if (sign === "{" || sign === "[") {
      open.push(undefined);
    } else if (sign === "}" || sign === "]") {
      open.pop();
    } else if (sign === ":") {
      const written = text.slice(string.start, string.end);
      // Two spellings of a key are the same key: "a" and "\\u0061".
      const key = JSON.parse(written) as string;
      const known = open.at(-1) ?? new Set();
      if (known.has(key)) {
        throw new SyntaxError(`has the key ${written.slice(0, 60)} twice`);
      }
      known.add(key);
      open[open.length - 1] = known;
      escaped ||= written.includes("\\");
      parts.push(text.slice(copied, string.start), `"_${keys.length}"`);
      keys.push(key);
      copied = string.end;
    }
  }
  return escaped ? withKeys(parts.join("") + text.slice(copied), keys) : value;
}

function parse(
  text: string,
  reviver?: (key: string, value: unknown) => unknown,
): unknown {
  try {
    return JSON.parse(text, reviver);
  } catch (error) {
    if (error instanceof RangeError) {
      throw new SyntaxError("is nested too deep", { cause: error });
    }
    throw new SyntaxError("is no JSON", { cause: error });
  }
}

/** The value of a text whose keys are `_0`, `_1`, …, with their names put in. */
function withKeys(text: string, keys: readonly string[]): unknown {
  return parse(
    text,
    (_, value) =>
      typeof value === "object" && value !== null && !Array.isArray(value)
        ? Object.fromEntries(
          Object.entries(value).map(([key, item]) => [
            keys[Number(key.slice(1))],
            item,
          ]),
        )
        : value,
  );
}

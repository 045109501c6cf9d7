/**
 * The text forms of numbers and strings in Python pickles of protocol 0.
 *
 * @module
 */

const ESCAPES: Readonly<Record<string, string>> = {
  "\\": "\\",
  "'": "'",
  '"': '"',
  a: "\x07",
  b: "\b",
  f: "\f",
  n: "\n",
  r: "\r",
  t: "\t",
  v: "\v",
};

/** More digits than any number of a data file has; converting takes time that grows faster than the text. */
const MAX_DIGITS = 1000;

/** An integer; undefined if the text is none. */
export function parseInteger(text: string): number | bigint | undefined {
  if (text.length > MAX_DIGITS || !/^\s*[+-]?\d+L?\s*$/.test(text)) {
    return undefined;
  }
  return narrow(BigInt(text.replace("L", "").replace("+", "").trim()));
}

/** A `number` where that is exact. */
export function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

/** A floating-point number; undefined if the text is none. */
export function parseFloatText(text: string): number | undefined {
  if (text === "nan") return NaN;
  const infinite = /^([+-]?)inf$/.exec(text);
  if (infinite !== null) return infinite[1] === "-" ? -Infinity : Infinity;
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text)
    ? Number(text)
    : undefined;
}

/** A string in quotes, as Python 2's `repr` writes it; undefined if the text is none. */
export function parseQuoted(text: string): string | undefined {
  const quote = text[0];
  if (
    (quote !== "'" && quote !== '"') || text.length < 2 ||
    text.at(-1) !== quote
  ) return undefined;
  const parts: string[] = [];
  for (let i = 1; i < text.length - 1; i++) {
    const sign = text[i] as string;
    if (sign !== "\\") {
      parts.push(sign);
      continue;
    }
    const escape = text[++i] as string;
    const hex = /^[0-9a-f]{2}/i.exec(text.slice(i + 1, i + 3));
    if (escape === "x" && hex !== null) {
      parts.push(String.fromCharCode(parseInt(hex[0], 16)));
      i += 2;
    } else if (Object.hasOwn(ESCAPES, escape) && i < text.length - 1) {
      parts.push(ESCAPES[escape] as string);
    } else {
      return undefined;
    }
  }
  return parts.join("");
}

/** A string with escapes of 4 and 8 hexadecimal digits, `\u0041` and `\U00000041`, all else Latin-1; undefined if a code point does not exist. */
export function parseRawUnicode(text: string): string | undefined {
  let sound = true;
  const result = text.replace(
    /\\u([0-9a-fA-F]{4})|\\U([0-9a-fA-F]{8})/g,
    (_, short?: string, long?: string) => {
      const code = parseInt((short ?? long) as string, 16);
      if (code > 0x10ffff) {
        sound = false;
        return "";
      }
      return String.fromCodePoint(code);
    },
  );
  return sound ? result : undefined;
}

/**
 * Whether V8's JSON.parse gives a key back for sure. V8 15.0 sometimes reads a
 * key of one character that is written with an escape, `{"\"": 1}`, as the
 * backslash of the escape; all other keys come back as they are.
 */
export function isReadByV8(key: string): boolean {
  return key.length !== 1 || JSON.stringify(key) === `"${key}"`;
}

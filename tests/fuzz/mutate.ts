/**
 * Damages files: the changes that a bad disk, a bad connection or a bad person
 * makes to a sound one.
 *
 * @module
 */

import fc from "fast-check";

const KINDS = [
  "flip a bit",
  "set a byte",
  "set an integer",
  "insert bytes",
  "insert a token",
  "delete",
  "duplicate",
  "cut off",
  "take from another file",
] as const;

/** One change. */
interface Change {
  readonly kind: (typeof KINDS)[number];
  /** Where, as a fraction of the file's length. */
  readonly at: number;
  /** How many bytes, or which bit, integer or token. */
  readonly size: number;
  readonly value: number;
}

/** How a damaged file comes about. */
export interface Damage {
  /** Which of the sound files. */
  readonly base: number;
  readonly changes: readonly Change[];
}

/** Ways to damage files, from one change to many. */
export const DAMAGES: fc.Arbitrary<Damage> = fc.record({
  base: fc.nat(0xffff),
  changes: fc.array(
    fc.record({
      // Changes in place leave the rest readable, and so come to deeper places.
      kind: fc.constantFrom(...KINDS, ...KINDS.slice(0, 3)),
      // Not fc.double(), nearly all of whose values are close to 0.
      at: fc.nat(0xffffff).map((position) => position / 0x1000000),
      size: fc.nat(40),
      value: fc.nat(0xffff),
    }),
    { minLength: 1, maxLength: 4 },
  ),
});

/** Integers at which sizes, signs and products overflow. */
const INTEGERS = [
  ...[0n, 1n, 0x7fn, 0x80n, 0xffn, 0x7fffn, 0x8000n, 0xffffn],
  ...[0x7fffffffn, 0x80000000n, 0xffffffffn, 0x100000000n],
  ...[0x1fffffffffffffn, 0x20000000000000n, 0x7fffffffffffffffn],
  ...[0x8000000000000000n, 0xffffffffffffffffn],
];

function integerBytes(value: number, size: number): Uint8Array {
  const view = new DataView(new ArrayBuffer(8));
  const little = size % 2 === 0;
  view.setBigUint64(0, INTEGERS[value % INTEGERS.length] as bigint, little);
  const length = [1, 2, 4, 8][(size >> 1) % 4] as number;
  return new Uint8Array(view.buffer, little ? 0 : 8 - length, length);
}

/** Replaces `removed` bytes at `start`. */
function splice(
  bytes: Uint8Array,
  start: number,
  removed: number,
  inserted: Uint8Array,
): Uint8Array {
  const rest = bytes.subarray(Math.min(bytes.length, start + removed));
  const result = new Uint8Array(start + inserted.length + rest.length);
  result.set(bytes.subarray(0, start));
  result.set(inserted, start);
  result.set(rest, start + inserted.length);
  return result;
}

/** What is damaged. */
export interface DamageOptions {
  /** The sound files. */
  readonly seeds: readonly Uint8Array[];
  /** Pieces that mean something in this format. */
  readonly tokens: readonly Uint8Array[];
}

function change(
  bytes: Uint8Array,
  { kind, at, size, value }: Change,
  { seeds, tokens }: DamageOptions,
): Uint8Array {
  const start = Math.floor(at * bytes.length);
  const none = new Uint8Array();
  switch (kind) {
    case "flip a bit":
      return bytes.length === 0
        ? bytes
        : bytes.with(start, (bytes[start] as number) ^ (1 << size % 8));
    case "set a byte":
      return splice(bytes, start, 1, Uint8Array.of(value));
    case "set an integer": {
      const integer = integerBytes(value, size);
      return splice(bytes, start, integer.length, integer);
    }
    case "insert bytes":
      return splice(bytes, start, 0, new Uint8Array(size).fill(value));
    case "insert a token":
      return splice(bytes, start, 0, tokens[value % tokens.length] ?? none);
    case "delete":
      return splice(bytes, start, size, none);
    case "duplicate": {
      // Sometimes a part of some length, many times.
      const part = bytes.subarray(start, start + size);
      const many = new Uint8Array(part.length * (1 + value % 20));
      for (let i = 0; i < many.length; i += part.length) many.set(part, i);
      return splice(bytes, start, 0, many);
    }
    case "cut off":
      return bytes.subarray(0, start);
    case "take from another file": {
      const other = seeds[value % seeds.length] as Uint8Array;
      const from = Math.floor(at * other.length);
      return splice(bytes, start, size, other.subarray(from, from + 2 * size));
    }
  }
}

/** The damaged file. */
export function damage(
  { base, changes }: Damage,
  options: DamageOptions,
): Uint8Array<ArrayBuffer> {
  let bytes = options.seeds[base % options.seeds.length] as Uint8Array;
  for (const item of changes) bytes = change(bytes, item, options);
  return bytes.slice();
}

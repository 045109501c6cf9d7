/**
 * A WebAssembly assembler, as small as the kernels need: an operator is a
 * function that puts its code behind that of its operands, and a module is a
 * list of functions over one imported memory. The binary format is that of
 * https://webassembly.github.io/spec/core/binary/.
 *
 * Code is a tree of bytes, flattened once, when the module is written. Types
 * are checked by TypeScript: a {@linkcode Value} leaves one value of its type on
 * the stack, a {@linkcode Statement} none.
 *
 * @module
 */

/** Types of values. */
export type Type = "i32" | "f32" | "v128";

type Code = number | readonly Code[];

declare const LEAVES: unique symbol;

type Leaving<T> = readonly Code[] & { readonly [LEAVES]: T };

/** Code that leaves a value on the stack. */
export type Value<T extends Type> = Leaving<T>;

/** Code that leaves nothing on the stack. */
export type Statement = Leaving<"nothing">;

/** A local variable or a parameter; its value where one is expected. */
export type Local<T extends Type> = Value<T> & {
  set(value: Value<T>): Statement;
};

type I32 = Value<"i32">;
type F32 = Value<"f32">;
export type V128 = Value<"v128">;

const TYPE_CODES = { i32: 0x7f, f32: 0x7d, v128: 0x7b } as const;

/** A number in base 128, the lowest seven bits first, the last of them at most `most`. */
function base128(value: number, most: number): number[] {
  const bytes = [];
  for (let rest = value;; rest = Math.floor(rest / 128)) {
    if (rest <= most && rest >= most - 127) return [...bytes, rest & 127];
    bytes.push((rest & 127) | 128);
  }
}

const unsigned = (value: number) => base128(value, 127);
const signed = (value: number) => base128(value, 63);

function leaves<T>(...code: Code[]): Leaving<T> {
  return code as unknown as Leaving<T>;
}

/** Vector instructions stand behind the byte 0xfd, their numbers in base 128. */
const vector = (number: number) => [0xfd, ...unsigned(number)];
const ofI32 = (code: number) => (a: I32, b: I32): I32 => leaves(a, b, code);
const ofOne = (code: number) => (a: V128): V128 => leaves(a, vector(code));
const ofTwo = (code: number) => (a: V128, b: V128): V128 =>
  leaves(a, b, vector(code));
const ofThree = (code: number) => (a: V128, b: V128, c: V128): V128 =>
  leaves(a, b, c, vector(code));

/** `align` is the binary logarithm of the bytes; `offset` is added to the address. */
const load =
  <T extends Type>(code: number[], align: number) =>
  (address: I32, offset = 0): Value<T> =>
    leaves(address, code, align, unsigned(offset));
const store =
  <T extends Type>(code: number[], align: number) =>
  (address: I32, stored: Value<T>, offset = 0): Statement =>
    leaves(address, stored, code, align, unsigned(offset));

/** Whole numbers of 32 bits, addresses among them. */
export const i32 = {
  const: (number: number): I32 => leaves(0x41, signed(number)),
  add: ofI32(0x6a),
  mul: ofI32(0x6c),
  shl: ofI32(0x74),
  ltU: ofI32(0x49),
  load: load<"i32">([0x28], 2),
};

/** Single floats. */
export const f32 = {
  add: (a: F32, b: F32): F32 => leaves(a, b, 0x92),
  load: load<"f32">([0x2a], 2),
  store: store<"f32">([0x38], 2),
};

/** 128 bits, whatever they stand for. */
export const v128 = {
  load: load<"v128">(vector(0x00), 4),
  /** One number of 32 bits in all four lanes. */
  loadSplat: load<"v128">(vector(0x09), 2),
  store: store<"v128">(vector(0x0b), 4),
  and: ofTwo(0x4e),
  /** a and not b */
  andnot: ofTwo(0x4f),
  or: ofTwo(0x50),
  xor: ofTwo(0x51),
  /** Bits of a where those of c are 1, else of b. */
  bitselect: ofThree(0x52),
  /** Four lanes of the eight of a and b. */
  shuffle(a: V128, b: V128, lanes: readonly number[]): V128 {
    const bytes = lanes.map((lane) =>
      [0, 1, 2, 3].map((byte) => 4 * lane + byte)
    );
    return leaves(a, b, vector(0x0d), bytes);
  },
};

/** Four single floats; a comparison gives 32 ones where it holds, else zeros. */
export const f32x4 = {
  splat: (a: F32): V128 => leaves(a, vector(0x13)),
  extract: (a: V128, lane: number): F32 => leaves(a, vector(0x1f), lane),
  ne: ofTwo(0x42),
  lt: ofTwo(0x43),
  le: ofTwo(0x45),
  abs: ofOne(0xe0),
  sqrt: ofOne(0xe3),
  add: ofTwo(0xe4),
  sub: ofTwo(0xe5),
  mul: ofTwo(0xe6),
  div: ofTwo(0xe7),
  /** b where b < a, else a. */
  pmin: ofTwo(0xea),
  /** b where a < b, else a. */
  pmax: ofTwo(0xeb),
  /** a · b + c, rounded once where the machine can (relaxed SIMD). */
  relaxedMadd: ofThree(0x105),
  /** c − a · b, likewise. */
  relaxedNmadd: ofThree(0x106),
};

/** Four whole numbers of 32 bits. */
export const i32x4 = {
  add: ofTwo(0xae),
  shl: (a: V128, bits: I32): V128 => leaves(a, bits, vector(0xab)),
};

/**
 * `while (variable < end) { body; variable += step }`, unsigned. `end` is
 * computed anew in each turn, so it should be a variable.
 */
export function loop(
  variable: Local<"i32">,
  { end, step }: { readonly end: I32; readonly step: number },
  body: readonly Statement[],
): Statement {
  const more = i32.ltU(variable, end);
  const next = variable.set(i32.add(variable, i32.const(step)));
  // if more { loop { body; next; br_if more } }
  const head = [more, 0x04, 0x40, 0x03, 0x40];
  return leaves(head, body, [next, more, 0x0d, 0x00, 0x0b, 0x0b]);
}

/** Variables of a function, by their types. */
type Locals<P extends readonly Type[]> = { [K in keyof P]: Local<P[K]> };

/** Makes new local variables; 0 at first. */
export type MakeLocals = <const P extends readonly Type[]>(
  ...types: P
) => Locals<P>;

/** Collects functions and writes them as a module. */
export class ModuleBuilder {
  readonly #types: Code[] = [];
  readonly #names: string[] = [];
  readonly #codes: Code[] = [];

  /** Adds a function that is exported under its name; its body may end in the value that it returns. */
  function<const P extends readonly Type[]>(
    name: string,
    parameters: P,
    build: (
      local: MakeLocals,
      ...parameters: Locals<P>
    ) => readonly (Statement | F32)[],
    result?: "f32",
  ): void {
    const variables: Type[] = [];
    const at = <T extends Type>(type: T): Local<T> => {
      const number = unsigned(variables.push(type) - 1);
      return Object.assign(leaves<T>(0x20, number), {
        set: (stored: Value<T>) => leaves<"nothing">(stored, 0x21, number),
      });
    };
    const local = ((...types) => types.map(at)) as MakeLocals;
    const body = build(local, ...local(...parameters));
    const locals = variables.slice(parameters.length)
      .map((type) => [1, TYPE_CODES[type]]);
    this.#names.push(name);
    this.#types.push([
      0x60,
      list(parameters.map((type) => TYPE_CODES[type])),
      list(result === undefined ? [] : [TYPE_CODES[result]]),
    ]);
    this.#codes.push(sized([list(locals), body, 0x0b]));
  }

  /**
   * The module, which imports `memory` from `env`.
   *
   * @param options.shared Whether the memory is one that threads share, of at most 4 GiB.
   * @param options.data Bytes that are put into the memory, and where.
   */
  bytes({ shared, data }: {
    readonly shared: boolean;
    readonly data?: { readonly address: number; readonly bytes: Uint8Array };
  }): Uint8Array<ArrayBuffer> {
    const limits = shared ? [0x03, 1, unsigned(65536)] : [0x00, 1];
    const names = this.#names;
    const code: Code[] = [
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      section(1, this.#types),
      section(2, [[text("env"), text("memory"), 0x02, limits]]),
      section(3, names.map((_, number) => unsigned(number))),
      section(7, names.map((name, n) => [text(name), 0x00, unsigned(n)])),
      section(10, this.#codes),
    ];
    if (data !== undefined) {
      const bytes = list([...data.bytes]);
      code.push(section(11, [[0x00, i32.const(data.address), 0x0b, bytes]]));
    }
    return Uint8Array.from(flatten(code));
  }
}

function flatten(code: Code, bytes: number[] = []): number[] {
  if (typeof code === "number") bytes.push(code);
  else for (const part of code) flatten(part, bytes);
  return bytes;
}

const list = (items: readonly Code[]): Code => [unsigned(items.length), items];
const sized = (content: Code): Code => list(flatten(content));
const section = (id: number, items: readonly Code[]): Code => [
  id,
  sized(list(items)),
];
const text = (name: string): Code => list([...new TextEncoder().encode(name)]);

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

/** Code that leaves a value on the stack. */
export type Value<T extends Type> = readonly Code[] & {
  readonly [LEAVES]: T;
};

/** Code that leaves nothing on the stack. */
export type Statement = readonly Code[] & { readonly [LEAVES]: "nothing" };

/** A local variable or a parameter; its value where one is expected. */
export type Local<T extends Type> = Value<T> & {
  set(value: Value<T>): Statement;
};

const TYPE_CODES: Readonly<Record<Type, number>> = {
  i32: 0x7f,
  f32: 0x7d,
  v128: 0x7b,
};

/** An unsigned number in base 128, the lowest seven bits first. */
function unsigned(value: number): number[] {
  const bytes = [];
  for (; value > 127; value = Math.floor(value / 128)) {
    bytes.push((value % 128) | 128);
  }
  return [...bytes, value];
}

/** The same for a signed number of 32 bits. */
function signed(value: number): number[] {
  const bytes = [];
  for (; value < -64 || value > 63; value >>= 7) {
    bytes.push((value & 127) | 128);
  }
  return [...bytes, value & 127];
}

function value<T extends Type>(...code: Code[]): Value<T> {
  return code as unknown as Value<T>;
}

function statement(...code: Code[]): Statement {
  return code as unknown as Statement;
}

function unary<A extends Type, R extends Type>(...opcode: number[]) {
  return (a: Value<A>): Value<R> => value(a, opcode);
}

function binary<A extends Type, R extends Type>(...opcode: number[]) {
  return (a: Value<A>, b: Value<A>): Value<R> => value(a, b, opcode);
}

/** Vector instructions stand behind the byte 0xfd, their numbers in base 128. */
function vector(number: number): number[] {
  return [0xfd, ...unsigned(number)];
}

/** `align` is the binary logarithm of the bytes that are read; `offset` is added to the address. */
function load<R extends Type>(opcode: number[], align: number) {
  return (address: Value<"i32">, offset = 0): Value<R> =>
    value(address, opcode, align, unsigned(offset));
}

function store<A extends Type>(opcode: number[], align: number) {
  return (address: Value<"i32">, stored: Value<A>, offset = 0): Statement =>
    statement(address, stored, opcode, align, unsigned(offset));
}

/** Whole numbers of 32 bits, addresses among them. */
export const i32 = {
  const: (number: number): Value<"i32"> => value(0x41, signed(number)),
  add: binary<"i32", "i32">(0x6a),
  mul: binary<"i32", "i32">(0x6c),
  shl: binary<"i32", "i32">(0x74),
  ltU: binary<"i32", "i32">(0x49),
  load: load<"i32">([0x28], 2),
};

/** Single floats. */
export const f32 = {
  add: binary<"f32", "f32">(0x92),
  load: load<"f32">([0x2a], 2),
  store: store<"f32">([0x38], 2),
};

/** 128 bits, whatever they stand for. */
export const v128 = {
  load: load<"v128">(vector(0x00), 4),
  /** One number of 32 bits in all four lanes. */
  loadSplat: load<"v128">(vector(0x09), 2),
  store: store<"v128">(vector(0x0b), 4),
  /** a and not b */
  andnot: binary<"v128", "v128">(...vector(0x4f)),
  and: binary<"v128", "v128">(...vector(0x4e)),
  or: binary<"v128", "v128">(...vector(0x50)),
  xor: binary<"v128", "v128">(...vector(0x51)),
  /** Bits of a where those of mask are 1, else of b. */
  bitselect: (
    a: Value<"v128">,
    b: Value<"v128">,
    mask: Value<"v128">,
  ): Value<"v128"> => value(a, b, mask, vector(0x52)),
  /** Four lanes of the eight of a and b. */
  shuffle: (
    a: Value<"v128">,
    b: Value<"v128">,
    lanes: readonly [number, number, number, number],
  ): Value<"v128"> =>
    value(
      a,
      b,
      vector(0x0d),
      lanes.map((lane) => [0, 1, 2, 3].map((byte) => 4 * lane + byte)),
    ),
};

/** Four single floats; a comparison gives 32 ones where it holds, else zeros. */
export const f32x4 = {
  splat: unary<"f32", "v128">(...vector(0x13)),
  extract: (a: Value<"v128">, lane: number): Value<"f32"> =>
    value(a, vector(0x1f), lane),
  ne: binary<"v128", "v128">(...vector(0x42)),
  lt: binary<"v128", "v128">(...vector(0x43)),
  le: binary<"v128", "v128">(...vector(0x45)),
  abs: unary<"v128", "v128">(...vector(0xe0)),
  sqrt: unary<"v128", "v128">(...vector(0xe3)),
  add: binary<"v128", "v128">(...vector(0xe4)),
  sub: binary<"v128", "v128">(...vector(0xe5)),
  mul: binary<"v128", "v128">(...vector(0xe6)),
  div: binary<"v128", "v128">(...vector(0xe7)),
  /** b where b < a, else a. */
  pmin: binary<"v128", "v128">(...vector(0xea)),
  /** a · b + c, rounded once where the machine can (relaxed SIMD). */
  relaxedMadd: (
    a: Value<"v128">,
    b: Value<"v128">,
    c: Value<"v128">,
  ): Value<"v128"> => value(a, b, c, vector(0x105)),
  /** c − a · b, likewise. */
  relaxedNmadd: (
    a: Value<"v128">,
    b: Value<"v128">,
    c: Value<"v128">,
  ): Value<"v128"> => value(a, b, c, vector(0x106)),
};

/** Four whole numbers of 32 bits. */
export const i32x4 = {
  add: binary<"v128", "v128">(...vector(0xae)),
  shl: (a: Value<"v128">, bits: Value<"i32">): Value<"v128"> =>
    value(a, bits, vector(0xab)),
};

/** What the body of a function is built with. */
export interface FunctionBuilder {
  /** A new local variable; 0 at first. */
  local<T extends Type>(type: T): Local<T>;
  locals<T extends Type>(type: T, count: number): Local<T>[];
}

/**
 * `while (variable < end) { body; variable += step }`, unsigned. `end` is
 * computed anew in each turn, so it should be a variable.
 */
export function loop(
  variable: Local<"i32">,
  { end, step }: { readonly end: Value<"i32">; readonly step: number },
  body: readonly Statement[],
): Statement {
  const more = i32.ltU(variable, end);
  const next = variable.set(i32.add(variable, i32.const(step)));
  // if more { loop { body; next; br_if more } }
  return statement(
    [more, 0x04, 0x40, 0x03, 0x40],
    body,
    [next, more, 0x0d, 0x00, 0x0b, 0x0b],
  );
}

/** Types of the parameters of a function as the locals that hold them. */
type Locals<P extends readonly Type[]> = {
  [K in keyof P]: Local<P[K]>;
};

interface FunctionCode {
  readonly name: string;
  readonly parameters: readonly Type[];
  readonly result: Type | undefined;
  readonly locals: readonly Type[];
  readonly body: readonly Code[];
}

/** Collects functions and writes them as a module. */
export class ModuleBuilder {
  readonly #functions: FunctionCode[] = [];

  /** Adds a function that is exported under its name; its body may end in the value that it returns. */
  function<const P extends readonly Type[]>(
    name: string,
    parameters: P,
    build: (
      builder: FunctionBuilder,
      ...parameters: Locals<P>
    ) => readonly (Statement | Value<"f32">)[],
    result?: "f32",
  ): void {
    const locals: Type[] = [];
    const at = <T extends Type>(number: number): Local<T> =>
      Object.assign(value<T>(0x20, unsigned(number)), {
        set: (stored: Value<T>) => statement(stored, 0x21, unsigned(number)),
      });
    const local = <T extends Type>(type: T): Local<T> =>
      at(parameters.length + locals.push(type) - 1);
    const builder: FunctionBuilder = {
      local,
      locals: (type, count) => Array.from({ length: count }, () => local(type)),
    };
    const own = parameters.map((_, number) => at(number)) as Locals<P>;
    const body = build(builder, ...own);
    this.#functions.push({ name, parameters, result, locals, body });
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
    const functions = this.#functions;
    const limits = shared ? [0x03, 1, unsigned(65536)] : [0x00, 1];
    const code: Code[] = [
      [0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
      section(
        1,
        functions.map(({ parameters, result }) => [
          0x60,
          list(parameters.map((type) => [TYPE_CODES[type]])),
          list(result === undefined ? [] : [TYPE_CODES[result]]),
        ]),
      ),
      section(2, [[text("env"), text("memory"), 0x02, limits]]),
      section(3, functions.map((_, number) => unsigned(number))),
      section(
        7,
        functions.map(({ name }, number) => [
          text(name),
          0x00,
          unsigned(number),
        ]),
      ),
      section(
        10,
        functions.map(({ locals, body }) =>
          sized([list(locals.map((type) => [1, TYPE_CODES[type]])), body, 0x0b])
        ),
      ),
      data === undefined ? [] : section(11, [[
        0x00,
        i32.const(data.address),
        0x0b,
        list([...data.bytes]),
      ]]),
    ];
    return Uint8Array.from(flatten(code));
  }
}

function flatten(code: Code, bytes: number[] = []): number[] {
  if (typeof code === "number") bytes.push(code);
  else for (const part of code) flatten(part, bytes);
  return bytes;
}

function list(items: readonly Code[]): Code {
  return [unsigned(items.length), items];
}

function sized(content: Code): Code {
  const bytes = flatten(content);
  return [unsigned(bytes.length), bytes];
}

function section(id: number, items: readonly Code[]): Code {
  return [id, sized(list(items))];
}

function text(name: string): Code {
  return list([...new TextEncoder().encode(name)]);
}

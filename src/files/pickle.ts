/**
 * Reads Python pickles of the binary protocols, 2 to 5 (and those of protocol 1
 * that hold no more than text, lists and small numbers), as data. A pickle is a
 * program for a small stack machine, which in Python may call anything. Here it
 * can build lists, tuples, dictionaries, sets, strings and numbers; what would
 * be a call stays a note of its name and arguments, and names that the caller
 * does not expect are refused.
 *
 * Source: the comments of `pickletools.py` in Python's standard library.
 *
 * @module
 */

import { ByteCursor, type NumberType } from "./bytes.ts";
import { cannotRead, type Fail } from "./input_error.ts";

/** A value of a pickle: a list comes as an array, a dictionary as a `Map`, bytes as `Uint8Array`. */
export type PickleValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | PickleValue[]
  | Map<PickleValue, PickleValue>
  | Set<PickleValue>
  | PickleTuple
  | PickleGlobal
  | PickleCall
  | PicklePersistentId;

/** A tuple. */
export class PickleTuple {
  constructor(readonly items: readonly PickleValue[]) {}
}

/** What a list or a tuple holds; undefined of anything else. */
export function itemsOf(
  value: PickleValue | undefined,
): readonly PickleValue[] | undefined {
  if (value instanceof PickleTuple) return value.items;
  return Array.isArray(value) ? value : undefined;
}

/** The name of a class or function. */
export class PickleGlobal {
  /** As in Python, e.g. `collections.OrderedDict`. */
  readonly path: string;
  constructor(module: string, name: string) {
    this.path = `${module}.${name}`;
  }
}

/** A call that Python would make, and what it would then put into the result. */
export class PickleCall {
  /** What Python would hand to `__setstate__`. */
  state: PickleValue | undefined;
  /** What Python would append. */
  readonly appended: PickleValue[] = [];
  /** What Python would set by key. */
  readonly entries: [PickleValue, PickleValue][] = [];
  constructor(
    readonly callee: PickleGlobal,
    readonly args: readonly PickleValue[],
  ) {}
}

/** A value that lies outside the pickle, as the tensors' elements do. */
export class PicklePersistentId {
  constructor(readonly id: PickleValue) {}
}

/** A pickle that was read. */
interface Pickle {
  readonly value: PickleValue;
  /** Index of the byte after it. */
  readonly end: number;
  /** The ids of all values outside the pickle, in its order. */
  readonly persistentIds: readonly PickleValue[];
}

/** Converting takes time that grows faster than the length. */
const MAX_INTEGER_BYTES = 512;
const HIGHEST_PROTOCOL = 5;
/** An instruction may be one byte and make a map of 200: no file that is of use here has as many. */
const MAX_INSTRUCTIONS = 500_000;

const STOP = 0x2e;
/** Protocol 0: integers, numbers, strings, memo, lists and dictionaries as lines of text. */
const TEXT_OPCODES = new Set([..."ILFSVPgpld"].map((c) => c.charCodeAt(0)));

/**
 * Reads one pickle.
 *
 * @param bytes A file with a pickle in it.
 * @param options `name` of the file, for messages; `position`, where in the file the pickle begins, default 0;
 * `globals`, the classes and functions that may be named, e.g. `collections.OrderedDict`, default none.
 * @returns Its value and where it ends. The value may hold itself, as Python's can.
 * @throws {InputError} If it is cut short, broken, uses names outside `globals`, or has more than 500 000
 * instructions.
 */
export function readPickle(
  bytes: Uint8Array,
  { name, position = 0, globals = new Set() }: {
    readonly name: string;
    readonly position?: number;
    readonly globals?: ReadonlySet<string>;
  },
): Pickle {
  const fail = cannotRead(name);
  const machine = new PickleMachine(
    new ByteCursor(bytes, { fail, position }),
    globals,
  );
  const { cursor, persistentIds } = machine;
  for (let count = 0; count < MAX_INSTRUCTIONS; count++) {
    const opcode = cursor.number("u1");
    if (opcode === STOP) {
      const value = machine.need(machine.stack.pop(), "holds no value");
      return { value, end: cursor.position, persistentIds };
    }
    if (TEXT_OPCODES.has(opcode)) {
      return fail(
        "it is no Python pickle, or one of the text protocol 0; pickle.dump(value, file, protocol=2) writes one that can be read",
      );
    }
    const run = INSTRUCTIONS[opcode] ??
      fail(
        `it is no Python pickle, or one that can't be read: byte ${
          cursor.position - 1
        } is 0x${opcode.toString(16).padStart(2, "0")}`,
      );
    const pushed = run(machine);
    if (pushed !== undefined) machine.stack.push(pushed);
  }
  return fail(`its pickle has more than ${MAX_INSTRUCTIONS} instructions`);
}

/**
 * Reads a list of names, as the connectomes' `.lst` files hold them: a pickle of
 * a list of strings.
 *
 * @param bytes The whole file.
 * @param options `name` of the file, for messages.
 * @throws {InputError} If the file is no pickle, or not one of a list of strings.
 */
export function readNameList(
  bytes: Uint8Array,
  { name }: { readonly name: string },
): string[] {
  const fail: Fail = cannotRead(name);
  const { value, end } = readPickle(bytes, { name });
  if (end !== bytes.length) {
    fail(`${bytes.length - end} bytes follow its pickle`);
  }
  const items = itemsOf(value) ?? fail("it holds no list of names");
  return items.map((item, index) =>
    typeof item === "string"
      ? item
      : fail(`entry ${index} of its list is no text`)
  );
}

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of one byte a character; the platform's decoder of that name would take it for Windows-1252. */
function latin1(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
}

const NO_VALUE = "takes a value where there is none";

class PickleMachine {
  /** Values since the last mark. */
  stack: PickleValue[] = [];
  /** Values that may be used again, by number. */
  readonly memo = new Map<number, PickleValue>();
  readonly persistentIds: PickleValue[] = [];
  /** The stacks before each mark. */
  readonly #marked: PickleValue[][] = [];

  constructor(
    readonly cursor: ByteCursor,
    readonly globals: ReadonlySet<string>,
  ) {}

  fail(what: string): never {
    return this.cursor.fail(`its pickle ${what}`);
  }

  need(value: PickleValue | undefined, orElse: string): PickleValue {
    return value === undefined ? this.fail(orElse) : value;
  }

  pop(): PickleValue {
    return this.need(this.stack.pop(), NO_VALUE);
  }

  /** The last values in their order. */
  popMany(count: number): PickleValue[] {
    return Array.from({ length: count }, () => this.pop()).reverse();
  }

  /** The value on top of the stack, which stays there. */
  top(): PickleValue {
    return this.need(this.stack.at(-1), NO_VALUE);
  }

  mark(): void {
    this.#marked.push(this.stack);
    this.stack = [];
  }

  /** The values since the last mark, which is taken away. */
  popMark(): PickleValue[] {
    const values = this.stack;
    this.stack = this.#marked.pop() ??
      this.fail("goes back to a mark where there is none");
    return values;
  }

  put(index: number): void {
    this.memo.set(index, this.top());
  }

  get(index: number): PickleValue {
    const unknown = `uses value ${index} before it is stored`;
    return this.need(this.memo.get(index), unknown);
  }

  number(type: NumberType): number {
    return this.cursor.number(type);
  }

  /** A `number` where that is exact. */
  integer(length: number): number | bigint {
    if (length > MAX_INTEGER_BYTES) {
      return this.fail(
        `holds an integer of ${length} bytes; ${MAX_INTEGER_BYTES} are allowed`,
      );
    }
    let bits = 0n;
    for (const byte of this.cursor.take(length).toReversed()) {
      bits = (bits << 8n) | BigInt(byte);
    }
    const value = BigInt.asIntN(8 * length, bits);
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }

  /** Bytes after a number that counts them. */
  bytes(type: NumberType): Uint8Array {
    return this.cursor.take(this.number(type));
  }

  text(type: NumberType): string {
    const bytes = this.bytes(type);
    try {
      return utf8.decode(bytes);
    } catch {
      return this.fail("holds text that is no UTF-8");
    }
  }

  /** The text up to the next line feed, which is passed over. */
  line(): string {
    const { cursor } = this;
    const end = cursor.bytes.indexOf(0x0a, cursor.position);
    if (end < 0) cursor.fail("it ends within a line");
    return latin1(cursor.take(end + 1 - cursor.position).subarray(0, -1));
  }

  append(values: readonly PickleValue[]): void {
    const target = this.top();
    const list = target instanceof PickleCall ? target.appended : target;
    if (!Array.isArray(list)) return this.fail("appends to what is no list");
    for (const value of values) list.push(value);
  }

  setItems(values: readonly PickleValue[]): void {
    if (values.length % 2 !== 0) this.fail("has a key without a value");
    const target = this.top();
    for (let i = 0; i < values.length; i += 2) {
      const [key, value] = [values[i]!, values[i + 1]!];
      if (target instanceof Map) target.set(key, value);
      else if (target instanceof PickleCall) target.entries.push([key, value]);
      else return this.fail("sets a key of what is no dictionary");
    }
  }

  addToSet(values: readonly PickleValue[]): void {
    const target = this.top();
    if (!(target instanceof Set)) return this.fail("adds to what is no set");
    for (const value of values) target.add(value);
  }

  global([module, name]: readonly PickleValue[]): PickleGlobal {
    if (typeof module !== "string" || typeof name !== "string") {
      return this.fail("names a class by what is no text");
    }
    const global = new PickleGlobal(module, name);
    if (this.globals.has(global.path)) return global;
    const shown = JSON.stringify(global.path.slice(0, 60));
    return this.fail(`wants Python's ${shown}, and only plain data is read`);
  }

  call([callee, args]: readonly PickleValue[]): PickleCall {
    if (!(callee instanceof PickleGlobal) || !(args instanceof PickleTuple)) {
      return this.fail("calls what is no function");
    }
    return new PickleCall(callee, args.items);
  }

  build(state: PickleValue): void {
    const target = this.top();
    if (target instanceof PickleCall) target.state = state;
    else this.fail("gives a state to what is no object");
  }

  outside(id: PickleValue): PicklePersistentId {
    this.persistentIds.push(id);
    return new PicklePersistentId(id);
  }

  /** Framing says how much to read at once, which is of no interest when all is in memory. */
  frame(length: number): void {
    const { left } = this.cursor;
    if (length > left) {
      this.fail(`has a frame of ${length} bytes, but ${left} are left`);
    }
  }

  protocol(found: number): void {
    if (found > HIGHEST_PROTOCOL) {
      this.fail(`has protocol ${found}; 1 to ${HIGHEST_PROTOCOL} can be read`);
    }
  }
}

/**
 * What each instruction does, by its byte; the value that it gives is pushed
 * onto the stack. Missing are STOP, which ends the reading; the text forms of
 * protocol 0; extension codes and buffers outside the file, which need a running
 * Python; and INST, OBJ, NEWOBJ_EX, which no data file uses.
 */
const INSTRUCTIONS: Readonly<
  Record<number, (machine: PickleMachine) => PickleValue | undefined | void>
> = {
  // The stack.
  0x28: (m) => m.mark(), // MARK
  0x30: (m) => void m.pop(), // POP
  0x31: (m) => void m.popMark(), // POP_MARK
  0x32: (m) => m.top(), // DUP

  // The memo.
  0x68: (m) => m.get(m.number("u1")), // BINGET
  0x6a: (m) => m.get(m.number("u4")), // LONG_BINGET
  0x71: (m) => m.put(m.number("u1")), // BINPUT
  0x72: (m) => m.put(m.number("u4")), // LONG_BINPUT
  0x94: (m) => m.put(m.memo.size), // MEMOIZE

  // Constants and numbers.
  0x4e: () => null, // NONE
  0x88: () => true, // NEWTRUE
  0x89: () => false, // NEWFALSE
  0x4a: (m) => m.number("i4"), // BININT
  0x4b: (m) => m.number("u1"), // BININT1
  0x4d: (m) => m.number("u2"), // BININT2
  0x8a: (m) => m.integer(m.number("u1")), // LONG1
  0x8b: (m) => m.integer(m.number("u4")), // LONG4
  0x47: (m) => m.cursor.number("f8", false), // BINFLOAT

  // Text and bytes.
  0x54: (m) => latin1(m.bytes("u4")), // BINSTRING
  0x55: (m) => latin1(m.bytes("u1")), // SHORT_BINSTRING
  0x58: (m) => m.text("u4"), // BINUNICODE
  0x8c: (m) => m.text("u1"), // SHORT_BINUNICODE
  0x8d: (m) => m.text("u8"), // BINUNICODE8
  0x42: (m) => m.bytes("u4"), // BINBYTES
  0x43: (m) => m.bytes("u1"), // SHORT_BINBYTES
  0x8e: (m) => m.bytes("u8"), // BINBYTES8
  0x96: (m) => m.bytes("u8"), // BYTEARRAY8

  // Lists, tuples, dictionaries, sets.
  0x5d: () => [], // EMPTY_LIST
  0x61: (m) => m.append([m.pop()]), // APPEND
  0x65: (m) => m.append(m.popMark()), // APPENDS
  0x29: () => new PickleTuple([]), // EMPTY_TUPLE
  0x85: (m) => new PickleTuple(m.popMany(1)), // TUPLE1
  0x86: (m) => new PickleTuple(m.popMany(2)), // TUPLE2
  0x87: (m) => new PickleTuple(m.popMany(3)), // TUPLE3
  0x74: (m) => new PickleTuple(m.popMark()), // TUPLE
  0x7d: () => new Map(), // EMPTY_DICT
  0x73: (m) => m.setItems(m.popMany(2)), // SETITEM
  0x75: (m) => m.setItems(m.popMark()), // SETITEMS
  0x8f: () => new Set(), // EMPTY_SET
  0x90: (m) => m.addToSet(m.popMark()), // ADDITEMS
  0x91: (m) => new Set(m.popMark()), // FROZENSET

  // Names and calls, kept as data.
  0x63: (m) => m.global([m.line(), m.line()]), // GLOBAL
  0x93: (m) => m.global(m.popMany(2)), // STACK_GLOBAL
  0x52: (m) => m.call(m.popMany(2)), // REDUCE
  0x81: (m) => m.call(m.popMany(2)), // NEWOBJ
  0x62: (m) => m.build(m.pop()), // BUILD
  0x51: (m) => m.outside(m.pop()), // BINPERSID

  0x95: (m) => m.frame(m.number("u8")), // FRAME
  0x80: (m) => m.protocol(m.number("u1")), // PROTO
};

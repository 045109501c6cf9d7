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

import { ByteCursor } from "./bytes.ts";
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

/** How to read a pickle. */
interface ReadPickleOptions {
  /** Name of the file, for messages. */
  readonly name: string;
  /** Where in the file the pickle begins. Default 0. */
  readonly position?: number;
  /** Classes and functions that may be named, e.g. `collections.OrderedDict`. Default none. */
  readonly globals?: ReadonlySet<string>;
}

/** A pickle that was read. */
export interface Pickle {
  readonly value: PickleValue;
  /** Index of the byte after it. */
  readonly end: number;
  /** The ids of all values outside the pickle, in its order. */
  readonly persistentIds: readonly PickleValue[];
}

/** The state of the stack machine. */
interface PickleMachine {
  readonly cursor: ByteCursor;
  readonly globals: ReadonlySet<string>;
  /** Values since the last mark. */
  stack: PickleValue[];
  /** The stacks before each mark. */
  readonly marked: PickleValue[][];
  /** Values that may be used again, by number. */
  readonly memo: Map<number, PickleValue>;
  /** Ids of values outside the pickle. */
  readonly persistentIds: PickleValue[];
}

type Instruction = (machine: PickleMachine) => void;

/** Longest integer in bytes; converting takes time that grows faster than the length. */
const MAX_INTEGER_BYTES = 512;
const HIGHEST_PROTOCOL = 5;

const utf8 = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Text of one byte a character; the platform's decoder of that name would take it for Windows-1252. */
function latin1(bytes: Uint8Array): string {
  let text = "";
  for (const byte of bytes) text += String.fromCharCode(byte);
  return text;
}

function pop(machine: PickleMachine): PickleValue {
  const value = machine.stack.pop();
  if (value === undefined) {
    return machine.cursor.fail("its pickle takes a value where there is none");
  }
  return value;
}

/** The values since the last mark, which is taken away. */
function popMark(machine: PickleMachine): PickleValue[] {
  const before = machine.marked.pop();
  if (before === undefined) {
    return machine.cursor.fail(
      "its pickle goes back to a mark where there is none",
    );
  }
  const values = machine.stack;
  machine.stack = before;
  return values;
}

function pairs(
  machine: PickleMachine,
  values: readonly PickleValue[],
): [PickleValue, PickleValue][] {
  if (values.length % 2 !== 0) {
    return machine.cursor.fail("its pickle has a key without a value");
  }
  const result: [PickleValue, PickleValue][] = [];
  for (let i = 0; i < values.length; i += 2) {
    result.push([values[i] as PickleValue, values[i + 1] as PickleValue]);
  }
  return result;
}

/** The value on top of the stack, which stays there. */
function top(machine: PickleMachine): PickleValue {
  const value = pop(machine);
  machine.stack.push(value);
  return value;
}

function append(machine: PickleMachine, values: readonly PickleValue[]): void {
  const target = top(machine);
  const list = Array.isArray(target)
    ? target
    : target instanceof PickleCall
    ? target.appended
    : machine.cursor.fail("its pickle appends to what is no list");
  for (const value of values) list.push(value);
}

function setItems(
  machine: PickleMachine,
  values: readonly PickleValue[],
): void {
  const entries = pairs(machine, values);
  const target = top(machine);
  if (target instanceof Map) {
    for (const [key, value] of entries) target.set(key, value);
  } else if (target instanceof PickleCall) {
    for (const entry of entries) target.entries.push(entry);
  } else {
    return machine.cursor.fail(
      "its pickle sets a key of what is no dictionary",
    );
  }
}

function pushGlobal(
  machine: PickleMachine,
  module: PickleValue,
  name: PickleValue,
): void {
  const { cursor, globals, stack } = machine;
  if (typeof module !== "string" || typeof name !== "string") {
    return cursor.fail("its pickle names a class by what is no text");
  }
  const global = new PickleGlobal(module, name);
  if (!globals.has(global.path)) {
    return cursor.fail(
      `its pickle wants Python's ${
        JSON.stringify(global.path.slice(0, 60))
      }, and only plain data is read`,
    );
  }
  stack.push(global);
}

function build(machine: PickleMachine): void {
  const state = pop(machine);
  const target = top(machine);
  if (!(target instanceof PickleCall)) {
    return machine.cursor.fail("its pickle gives a state to what is no object");
  }
  target.state = state;
}

function pushOutside(machine: PickleMachine, id: PickleValue): void {
  machine.persistentIds.push(id);
  machine.stack.push(new PicklePersistentId(id));
}

function pushMemo(machine: PickleMachine, index: number): void {
  const value = machine.memo.get(index);
  if (value === undefined) {
    return machine.cursor.fail(
      `its pickle uses value ${index} before it is stored`,
    );
  }
  machine.stack.push(value);
}

function decodeUtf8(machine: PickleMachine, length: number): string {
  const bytes = machine.cursor.take(length);
  try {
    return utf8.decode(bytes);
  } catch {
    return machine.cursor.fail("its pickle holds text that is no UTF-8");
  }
}

function integerOfBytes(
  machine: PickleMachine,
  length: number,
): number | bigint {
  if (length > MAX_INTEGER_BYTES) {
    return machine.cursor.fail(
      `its pickle holds an integer of ${length} bytes; ${MAX_INTEGER_BYTES} are allowed`,
    );
  }
  let value = 0n;
  const bytes = machine.cursor.take(length);
  for (const byte of bytes.toReversed()) value = (value << 8n) | BigInt(byte);
  return narrow(BigInt.asIntN(8 * length, value));
}

/**
 * What each instruction does, by its byte. Missing are STOP, which ends the
 * reading; the text forms of protocol 0; extension codes and buffers outside
 * the file, which need a running Python; and INST, OBJ, NEWOBJ_EX, which no
 * data file uses.
 */
const INSTRUCTIONS: Readonly<Record<number, Instruction>> = {
  // The stack.
  0x28: (m) => { // MARK
    m.marked.push(m.stack);
    m.stack = [];
  },
  0x30: (m) => void pop(m), // POP
  0x31: (m) => void popMark(m), // POP_MARK
  0x32: (m) => m.stack.push(top(m)), // DUP

  // The memo.
  0x68: (m) => pushMemo(m, m.cursor.uint8()), // BINGET
  0x6a: (m) => pushMemo(m, m.cursor.uint32()), // LONG_BINGET
  0x71: (m) => m.memo.set(m.cursor.uint8(), top(m)), // BINPUT
  0x72: (m) => m.memo.set(m.cursor.uint32(), top(m)), // LONG_BINPUT
  0x94: (m) => m.memo.set(m.memo.size, top(m)), // MEMOIZE

  // Constants and numbers.
  0x4e: (m) => m.stack.push(null), // NONE
  0x88: (m) => m.stack.push(true), // NEWTRUE
  0x89: (m) => m.stack.push(false), // NEWFALSE
  0x4a: (m) => m.stack.push(m.cursor.int32()), // BININT
  0x4b: (m) => m.stack.push(m.cursor.uint8()), // BININT1
  0x4d: (m) => m.stack.push(m.cursor.uint16()), // BININT2
  0x8a: (m) => m.stack.push(integerOfBytes(m, m.cursor.uint8())), // LONG1
  0x8b: (m) => m.stack.push(integerOfBytes(m, m.cursor.uint32())), // LONG4
  0x47: (m) => m.stack.push(m.cursor.float64BigEndian()), // BINFLOAT

  // Text and bytes.
  0x54: (m) => m.stack.push(latin1(m.cursor.take(m.cursor.uint32()))), // BINSTRING
  0x55: (m) => m.stack.push(latin1(m.cursor.take(m.cursor.uint8()))), // SHORT_BINSTRING
  0x58: (m) => m.stack.push(decodeUtf8(m, m.cursor.uint32())), // BINUNICODE
  0x8c: (m) => m.stack.push(decodeUtf8(m, m.cursor.uint8())), // SHORT_BINUNICODE
  0x8d: (m) => m.stack.push(decodeUtf8(m, m.cursor.uint64())), // BINUNICODE8
  0x42: (m) => m.stack.push(m.cursor.take(m.cursor.uint32())), // BINBYTES
  0x43: (m) => m.stack.push(m.cursor.take(m.cursor.uint8())), // SHORT_BINBYTES
  0x8e: (m) => m.stack.push(m.cursor.take(m.cursor.uint64())), // BINBYTES8
  0x96: (m) => m.stack.push(m.cursor.take(m.cursor.uint64())), // BYTEARRAY8

  // Lists, tuples, dictionaries, sets.
  0x5d: (m) => m.stack.push([]), // EMPTY_LIST
  0x61: (m) => append(m, [pop(m)]), // APPEND
  0x65: (m) => append(m, popMark(m)), // APPENDS
  0x29: (m) => m.stack.push(new PickleTuple([])), // EMPTY_TUPLE
  0x74: (m) => { // TUPLE
    const items = popMark(m);
    m.stack.push(new PickleTuple(items));
  },
  0x85: (m) => m.stack.push(new PickleTuple([pop(m)])), // TUPLE1
  0x86: (m) => pushTuple(m, 2), // TUPLE2
  0x87: (m) => pushTuple(m, 3), // TUPLE3
  0x7d: (m) => m.stack.push(new Map()), // EMPTY_DICT
  0x73: (m) => { // SETITEM
    const value = pop(m);
    const key = pop(m);
    setItems(m, [key, value]);
  },
  0x75: (m) => setItems(m, popMark(m)), // SETITEMS
  0x8f: (m) => m.stack.push(new Set()), // EMPTY_SET
  0x90: (m) => { // ADDITEMS
    const items = popMark(m);
    const target = top(m);
    if (!(target instanceof Set)) {
      return m.cursor.fail("its pickle adds to what is no set");
    }
    for (const item of items) target.add(item);
  },
  0x91: (m) => { // FROZENSET
    const items = popMark(m);
    m.stack.push(new Set(items));
  },

  // Names and calls, kept as data.
  0x63: (m) => { // GLOBAL
    const module = latin1(m.cursor.line());
    pushGlobal(m, module, latin1(m.cursor.line()));
  },
  0x93: (m) => { // STACK_GLOBAL
    const name = pop(m);
    pushGlobal(m, pop(m), name);
  },
  0x52: (m) => callTop(m), // REDUCE
  0x81: (m) => callTop(m), // NEWOBJ
  0x62: build, // BUILD
  0x51: (m) => pushOutside(m, pop(m)), // BINPERSID

  // Framing says how much to read at once, which is of no interest when all is in memory.
  0x95: (m) => { // FRAME
    const length = m.cursor.uint64();
    if (length > m.cursor.left) {
      return m.cursor.fail(
        `its pickle has a frame of ${length} bytes, but ${m.cursor.left} are left`,
      );
    }
  },
  0x80: (m) => { // PROTO
    const protocol = m.cursor.uint8();
    if (protocol > HIGHEST_PROTOCOL) {
      return m.cursor.fail(
        `its pickle has protocol ${protocol}; 1 to ${HIGHEST_PROTOCOL} can be read`,
      );
    }
  },
};

function pushTuple(machine: PickleMachine, length: number): void {
  const items: PickleValue[] = [];
  for (let i = 0; i < length; i++) items.push(pop(machine));
  machine.stack.push(new PickleTuple(items.reverse()));
}

function callTop(machine: PickleMachine): void {
  const args = pop(machine);
  const callee = pop(machine);
  if (!(callee instanceof PickleGlobal) || !(args instanceof PickleTuple)) {
    return machine.cursor.fail("its pickle calls what is no function");
  }
  machine.stack.push(new PickleCall(callee, args.items));
}

/** A `number` where that is exact. */
function narrow(value: bigint): number | bigint {
  const number = Number(value);
  return Number.isSafeInteger(number) ? number : value;
}

const STOP = 0x2e;

/** Protocol 0: integers, numbers, strings, memo, lists and dictionaries as lines of text. */
const TEXT_OPCODES = new Set([..."ILFSVPgpld"].map((c) => c.charCodeAt(0)));

/** An instruction may be one byte and make a map of 200: no file that is of use here has as many. */
const MAX_INSTRUCTIONS = 500_000;

/**
 * Reads one pickle.
 *
 * @param bytes A file with a pickle in it.
 * @returns Its value and where it ends. The value may hold itself, as Python's can.
 * @throws {InputError} If it is cut short, broken, uses names outside `globals`, or has more than 500 000
 * instructions.
 */
export function readPickle(
  bytes: Uint8Array,
  { name, position = 0, globals = new Set() }: ReadPickleOptions,
): Pickle {
  const cursor = new ByteCursor(bytes, { name, position });
  const machine: PickleMachine = {
    cursor,
    globals,
    stack: [],
    marked: [],
    memo: new Map(),
    persistentIds: [],
  };
  for (let count = 0; count < MAX_INSTRUCTIONS; count++) {
    const opcode = cursor.uint8();
    if (opcode === STOP) {
      const value = machine.stack.pop();
      if (value === undefined) return cursor.fail("its pickle holds no value");
      return {
        value,
        end: cursor.position,
        persistentIds: machine.persistentIds,
      };
    }
    const run = INSTRUCTIONS[opcode];
    if (TEXT_OPCODES.has(opcode)) {
      return cursor.fail(
        "it is no Python pickle, or one of the text protocol 0; pickle.dump(value, file, protocol=2) writes one that can be read",
      );
    }
    if (run === undefined) {
      return cursor.fail(
        `it is no Python pickle, or one that can't be read: byte ${
          cursor.position - 1
        } is 0x${opcode.toString(16).padStart(2, "0")}`,
      );
    }
    run(machine);
  }
  return cursor.fail(
    `its pickle has more than ${MAX_INSTRUCTIONS} instructions`,
  );
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
  return items.map((item: unknown, index) =>
    typeof item === "string"
      ? item
      : fail(`entry ${index} of its list is no text`)
  );
}

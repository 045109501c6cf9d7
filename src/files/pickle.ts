/**
 * Reads Python pickles, protocols 0 to 5, as data. A pickle is a program for
 * a small stack machine, which in Python may call anything. Here it can build
 * lists, tuples, dictionaries, sets, strings and numbers; what would be a call
 * stays a note of its name and arguments, and names that the caller does not
 * expect are refused.
 *
 * Source: the comments of `pickletools.py` in Python's standard library.
 *
 * @module
 */

import { ByteCursor } from "./byte_cursor.ts";
import { PICKLE_OPCODES, type PickleMachine } from "./pickle_opcodes.ts";
import type { PickleValue } from "./pickle_values.ts";

/** How to read a pickle. */
export interface ReadPickleOptions {
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

const STOP = 0x2e;

/** An instruction may be one byte and make a map of 200: no file that is of use here has as many. */
const MAX_INSTRUCTIONS = 500_000;

/**
 * Reads one pickle.
 *
 * @param bytes A file with a pickle in it.
 * @returns Its value and where it ends. The value may hold itself, as Python's can.
 * @throws {InputError} If it is cut short, broken, uses names outside `globals`, or has more than 500 000
 * instructions.
 *
 * @example
 * ```ts
 * import { readPickle } from "./src/files/pickle.ts";
 *
 * const bytes = Uint8Array.from("\x80\x02]q\x00(K\x01K\x02e.", (c) => c.charCodeAt(0));
 * readPickle(bytes, { name: "numbers.pkl" }).value; // [1, 2]
 * ```
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
    const run = PICKLE_OPCODES.get(opcode);
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

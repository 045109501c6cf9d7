/**
 * What a PyTorch file holds, made of its pickle and its storages.
 *
 * @module
 */

import { InputError } from "./input_error.ts";
import {
  PickleCall,
  PickleGlobal,
  PicklePersistentId,
  PickleTuple,
  type PickleValue,
} from "./pickle_values.ts";
import { countElements } from "./shape.ts";
import {
  readView,
  STORAGE_TYPES,
  type TorchData,
  type TorchDtype,
  type TorchStorage,
  type TorchView,
  viewFault,
} from "./torch_storage.ts";

/** A tensor read from a file. */
export interface TorchTensor {
  /** Element type in the file. */
  readonly dtype: TorchDtype;
  /** Length of each dimension; empty for a single number. */
  readonly shape: readonly number[];
  /** The elements, last index fastest: int64 in float64, half precisions in float32, bool as 0 and 1. */
  readonly data: TorchData;
}

/** A value of a PyTorch file: lists and tuples come as arrays, dictionaries as a `Map`. */
export type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | TorchTensor
  | TorchValue[]
  | Map<TorchValue, TorchValue>;

const ORDERED_DICT = "collections.OrderedDict";
const SIZE = "torch.Size";
const TENSOR = "torch._utils._rebuild_tensor";
const TENSOR_2 = "torch._utils._rebuild_tensor_v2";
const PARAMETER = "torch._utils._rebuild_parameter";

/** All that a pickle of plain tensors names. */
export const TORCH_GLOBALS: ReadonlySet<string> = new Set([
  ORDERED_DICT,
  SIZE,
  TENSOR,
  TENSOR_2,
  PARAMETER,
  ...STORAGE_TYPES.keys(),
]);

/** What a pickle says of a storage. */
export interface StorageId {
  readonly type: NonNullable<ReturnType<typeof STORAGE_TYPES.get>>;
  readonly key: string;
  /** Number of elements. */
  readonly length: number;
}

/** How to make the values. */
export interface TorchValueOptions {
  /** Name of the file, for messages. */
  readonly name: string;
  /** Size of the file in bytes. */
  readonly fileSize: number;
  /** The storage of a key, at least `length` elements long; throws an {@linkcode InputError} if the file has none. */
  readonly storage: (id: StorageId) => TorchStorage;
}

/** Nesting deeper than any file of tensors has. */
const MAX_DEPTH = 64;

/** Tensors may share their elements; together they may not be more than this many times the file. */
const MAX_GROWTH = 4;

/** The persistent id of a storage; undefined if it is something else. */
export function storageIdOf(id: PickleValue): StorageId | undefined {
  if (!(id instanceof PickleTuple)) return undefined;
  const [kind, storageClass, key, , length, view = null] = id.items;
  if (kind !== "storage" || !(storageClass instanceof PickleGlobal)) {
    return undefined;
  }
  const type = STORAGE_TYPES.get(storageClass.path);
  const sound = type !== undefined && typeof key === "string" &&
    isCount(length) && view === null;
  return sound ? { type, key, length } : undefined;
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/**
 * Makes the values of a pickle.
 *
 * @throws {InputError} If the pickle holds anything but plain data and tensors that lie within their storages.
 */
export function torchValueOf(
  pickled: PickleValue,
  { name, fileSize, storage }: TorchValueOptions,
): TorchValue {
  const known = new Map<PickleValue, TorchValue>();
  const open = new Set<PickleValue>();
  let bytesLeft = fileSize * MAX_GROWTH;

  function fail(what: string): never {
    throw new InputError(`Cannot read "${name}": ${what}`);
  }

  function tensorOf(args: readonly PickleValue[]): TorchTensor {
    const [id, offset, shape, strides] = args;
    const found = id instanceof PicklePersistentId
      ? storageIdOf(id.id)
      : undefined;
    if (found === undefined) return fail("a tensor has no storage");
    const view: TorchView = {
      offset: isCount(offset)
        ? offset
        : fail("the offset of a tensor is no number"),
      shape: countsOf(shape, "shape"),
      strides: countsOf(strides, "strides"),
    };
    const fault = viewFault(view, found.length);
    if (fault !== undefined) fail(`a tensor does not fit: ${fault}`);
    bytesLeft -= countElements(view.shape) * found.type.size;
    if (bytesLeft < 0) {
      fail(
        `its tensors would be over ${MAX_GROWTH} times as large as the file`,
      );
    }
    const data = readView(storage(found), view);
    if (found.type.dtype === "int64") {
      for (const value of data) {
        if (!Number.isSafeInteger(value)) {
          fail(`its integer ${value} lies beyond ±(2^53 - 1)`);
        }
      }
    }
    return { dtype: found.type.dtype, shape: view.shape, data };
  }

  function countsOf(value: PickleValue | undefined, what: string): number[] {
    const items = value instanceof PickleTuple
      ? value.items
      : value instanceof PickleCall && value.callee.path === SIZE &&
          value.args[0] instanceof PickleTuple
      ? value.args[0].items
      : undefined;
    if (items === undefined || items.length > MAX_DEPTH) {
      return fail(`the ${what} of a tensor is no tuple of numbers`);
    }
    return items.map((item) =>
      isCount(item) ? item : fail(`the ${what} of a tensor holds no number`)
    );
  }

  function callOf(call: PickleCall, depth: number): TorchValue {
    const { callee, args } = call;
    switch (callee.path) {
      case TENSOR:
      case TENSOR_2:
        return tensorOf(args);
      case PARAMETER:
        return valueOf(args[0] ?? null, depth);
      case SIZE:
        return countsOf(call, "size");
      case ORDERED_DICT: {
        const map = new Map<TorchValue, TorchValue>();
        const [listed] = args;
        for (const entry of Array.isArray(listed) ? listed : []) {
          const [key, value] = entry instanceof PickleTuple
            ? entry.items
            : Array.isArray(entry)
            ? entry
            : [];
          if (key === undefined || value === undefined) {
            fail("an ordered dictionary has an entry that is no pair");
          }
          map.set(valueOf(key, depth), valueOf(value, depth));
        }
        for (const [key, value] of call.entries) {
          map.set(valueOf(key, depth), valueOf(value, depth));
        }
        return map;
      }
    }
    return fail(`its pickle calls ${callee.path}, which makes no data`);
  }

  function compoundOf(pickled: PickleValue, depth: number): TorchValue {
    if (Array.isArray(pickled)) {
      return pickled.map((item) => valueOf(item, depth));
    }
    if (pickled instanceof PickleTuple) {
      return pickled.items.map((item) => valueOf(item, depth));
    }
    if (pickled instanceof Map) {
      const map = new Map<TorchValue, TorchValue>();
      for (const [key, value] of pickled) {
        map.set(valueOf(key, depth), valueOf(value, depth));
      }
      return map;
    }
    if (pickled instanceof PickleCall) return callOf(pickled, depth);
    return fail("its pickle holds what is neither plain data nor a tensor");
  }

  function valueOf(pickled: PickleValue, depth: number): TorchValue {
    if (
      pickled === null || typeof pickled !== "object" ||
      pickled instanceof Uint8Array
    ) return pickled;
    // What stands in many places of the pickle is one value there and one value here.
    const before = known.get(pickled);
    if (before !== undefined) return before;
    if (open.has(pickled)) fail("its pickle holds a list that holds itself");
    if (depth > MAX_DEPTH) {
      fail(`its pickle is nested over ${MAX_DEPTH} levels deep`);
    }
    open.add(pickled);
    const value = compoundOf(pickled, depth + 1);
    open.delete(pickled);
    known.set(pickled, value);
    return value;
  }

  return valueOf(pickled, 0);
}

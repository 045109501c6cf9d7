/**
 * Files of `torch.save`: tensors, and lists and dictionaries of them. Both
 * formats are read, the ZIP archive of PyTorch 1.6 and later and the row of
 * pickles of earlier versions. Nothing in them is run.
 *
 * @module
 */

import { quote } from "../text/words.ts";
import { ByteCursor } from "./bytes.ts";
import { cannotRead, type Fail } from "./input_error.ts";
import {
  itemsOf,
  type Pickle,
  PickleCall,
  PickleGlobal,
  PicklePersistentId,
  PickleTuple,
  type PickleValue,
  readPickle,
} from "./pickle.ts";
import {
  countElements,
  isCount,
  type Layout,
  numberReader,
  type NumberType,
  type ReadNumber,
  visitElements,
} from "./numbers.ts";
import { readStoredZip } from "./zip.ts";

/** Element type of a tensor, as PyTorch names it. */
type TorchDtype =
  | "float64"
  | "float32"
  | "float16"
  | "bfloat16"
  | "int64"
  | "int32"
  | "int16"
  | "int8"
  | "uint8"
  | "bool";

/** Elements of a tensor. */
type TorchData =
  | Float64Array
  | Float32Array
  | Int32Array
  | Int16Array
  | Int8Array
  | Uint8Array;

interface ElementType {
  readonly dtype: TorchDtype;
  /** Bytes of an element in the file. */
  readonly size: number;
  /** The class of array that elements are given out in. */
  readonly array: new (length: number) => TorchData;
  readonly read: NumberType | ReadNumber;
}

/** By the name of PyTorch's class. */
const STORAGE_TYPES: ReadonlyMap<string, ElementType> = new Map(
  ([
    ["Double", "float64", Float64Array, "f8", 8],
    ["Float", "float32", Float32Array, "f4", 4],
    ["Half", "float16", Float32Array, halfValue, 2],
    ["BFloat16", "bfloat16", Float32Array, brainValue, 2],
    ["Long", "int64", Float64Array, "i8", 8],
    ["Int", "int32", Int32Array, "i4", 4],
    ["Short", "int16", Int16Array, "i2", 2],
    ["Char", "int8", Int8Array, "i1", 1],
    ["Byte", "uint8", Uint8Array, "u1", 1],
    ["Bool", "bool", Uint8Array, "b1", 1],
  ] as const).map(([name, dtype, array, read, size]) => [
    `torch.${name}Storage`,
    { dtype, size, array, read },
  ]),
);

function halfValue(view: DataView, offset: number, little: boolean): number {
  return view.getFloat16(offset, little);
}

/** The upper half of a float32. */
function brainValue(view: DataView, offset: number, little: boolean): number {
  const float32 = new DataView(new ArrayBuffer(4));
  float32.setUint16(0, view.getUint16(offset, little));
  return float32.getFloat32(0);
}

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

const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;

/**
 * Reads a file of `torch.save`.
 *
 * @param bytes The whole file.
 * @param options `name` of the file, for messages.
 * @returns What was saved: tensors, and arrays and maps of them; a state dictionary is a `Map` from name to tensor.
 * @throws {InputError} If the file is broken or cut short, or holds anything but plain data and dense tensors.
 */
export function readTorchFile(
  bytes: Uint8Array,
  { name }: { readonly name: string },
): TorchValue {
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b;
  return isZip ? readZip(bytes, name) : readLegacy(bytes, name);
}

function readZip(bytes: Uint8Array, name: string): TorchValue {
  const fail: Fail = cannotRead(name);
  const entries = readStoredZip(bytes, { name });
  const pickles = [...entries.keys()].filter((entry) =>
    /^[^/]+\/data\.pkl$/.test(entry)
  );
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    return fail(
      `it is a ZIP archive, but not of torch.save: it has ${pickles.length} entries data.pkl`,
    );
  }
  const folder = pickle.slice(0, -"data.pkl".length);
  const order = entries.get(`${folder}byteorder`);
  const littleEndian = order === undefined ||
    new TextDecoder().decode(order).trim() === "little";
  const { value } = readPickle(entries.get(pickle) as Uint8Array, {
    name,
    globals: TORCH_GLOBALS,
  });
  return torchValueOf(value, {
    fail,
    fileSize: bytes.length,
    littleEndian,
    storage: (key) => entries.get(`${folder}data/${key}`),
  });
}

function readLegacy(bytes: Uint8Array, name: string): TorchValue {
  const fail: Fail = cannotRead(name);
  let position = 0;
  function next(): Pickle {
    const pickle = readPickle(bytes, {
      name,
      position,
      globals: TORCH_GLOBALS,
    });
    position = pickle.end;
    return pickle;
  }
  if (bytes[0] !== 0x80 || next().value !== LEGACY_MAGIC) {
    return fail("it is no file of torch.save");
  }
  const protocol = next().value;
  if (protocol !== LEGACY_PROTOCOL) {
    return fail(
      `its torch.save protocol is ${
        typeof protocol === "number" ? protocol : "no number"
      }, not ${LEGACY_PROTOCOL}`,
    );
  }
  const system = next().value;
  const littleEndian = !(system instanceof Map) ||
    system.get("little_endian") !== false;
  const pickled = next();
  const keys = next().value;
  const storages = readLegacyStorages(
    new ByteCursor(bytes, { name, position }),
    {
      ids: pickled.persistentIds,
      keys: Array.isArray(keys) ? keys : fail("it has no list of its storages"),
      littleEndian,
    },
  );
  return torchValueOf(pickled.value, {
    fail,
    fileSize: bytes.length,
    littleEndian,
    storage: (key) => storages.get(key),
  });
}

/**
 * The storages after the pickles: each a count of elements and the elements.
 * How long an element is stands in the pickle only.
 */
function readLegacyStorages(
  cursor: ByteCursor,
  { ids, keys, littleEndian }: {
    readonly ids: readonly PickleValue[];
    readonly keys: readonly PickleValue[];
    readonly littleEndian: boolean;
  },
): ReadonlyMap<string, Uint8Array> {
  const known = new Map<string, StorageId>();
  for (const pickled of ids) {
    const id = storageIdOf(pickled);
    if (id === undefined) {
      return cursor.fail("it refers to something that is no storage");
    }
    const before = known.get(id.key);
    if (
      before !== undefined &&
      (before.type !== id.type || before.length !== id.length)
    ) cursor.fail("it describes a storage in two ways");
    known.set(id.key, id);
  }
  const storages = new Map<string, Uint8Array>();
  for (const key of keys) {
    const id = typeof key === "string" ? known.get(key) : undefined;
    if (id === undefined || storages.has(id.key)) {
      return cursor.fail("its list of storages does not fit its tensors");
    }
    const count = littleEndian ? cursor.uint64() : cursor.uint64BigEndian();
    if (count !== id.length) {
      cursor.fail(
        `a storage should have ${id.length} elements, but ${count} are there`,
      );
    }
    storages.set(id.key, cursor.take(count * id.type.size));
  }
  if (cursor.left > 0) cursor.fail(`${cursor.left} bytes follow its storages`);
  return storages;
}

const ORDERED_DICT = "collections.OrderedDict";
const SIZE = "torch.Size";
const TENSOR = "torch._utils._rebuild_tensor";
const TENSOR_2 = "torch._utils._rebuild_tensor_v2";
const PARAMETER = "torch._utils._rebuild_parameter";

/** All that a pickle of plain tensors names. */
const TORCH_GLOBALS: ReadonlySet<string> = new Set([
  ORDERED_DICT,
  SIZE,
  TENSOR,
  TENSOR_2,
  PARAMETER,
  ...STORAGE_TYPES.keys(),
]);

/** What a pickle says of a storage. */
interface StorageId {
  readonly type: ElementType;
  readonly key: string;
  /** Number of elements. */
  readonly length: number;
}

/** How to make the values. */
interface TorchValueOptions {
  readonly fail: Fail;
  /** Size of the file in bytes. */
  readonly fileSize: number;
  readonly littleEndian: boolean;
  /** The bytes of the storage of a key; undefined if the file has none. */
  readonly storage: (key: string) => Uint8Array | undefined;
}

/** Nesting deeper than any file of tensors has. */
const MAX_DEPTH = 64;

/** Tensors may share their elements; together they may not be more than this many times the file. */
const MAX_GROWTH = 4;

/** The persistent id of a storage; undefined if it is something else. */
function storageIdOf(id: PickleValue): StorageId | undefined {
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

/** What is wrong with a view, if anything: all of its elements must be in the storage, and not more than that has. */
function viewFault(
  { offset, shape, strides }: Required<Layout>,
  length: number,
): string | undefined {
  if (shape.length !== strides.length) {
    return `it has ${shape.length} dimensions but ${strides.length} strides`;
  }
  if (shape.includes(0)) return undefined;
  const last = shape.reduce(
    (sum, size, axis) => sum + (size - 1) * (strides[axis] as number),
    offset,
  );
  if (last >= length) {
    return `it looks at element ${last} of a storage of ${length}`;
  }
  const count = countElements(shape);
  return count > length
    ? `it has ${count} elements in a storage of ${length}`
    : undefined;
}

/**
 * Makes the values of a pickle.
 *
 * @throws {InputError} If the pickle holds anything but plain data and tensors that lie within their storages.
 */
function torchValueOf(
  pickled: PickleValue,
  options: TorchValueOptions,
): TorchValue {
  const known = new Map<PickleValue, TorchValue>();
  const open = new Set<PickleValue>();
  const fail: Fail = options.fail;
  let bytesLeft = options.fileSize * MAX_GROWTH;

  /** The elements that a view of a storage has, last index fastest. */
  function elementsOf(
    { type, key, length }: StorageId,
    layout: Layout,
  ): TorchData {
    const bytes = options.storage(key);
    if (bytes === undefined || bytes.length < length * type.size) {
      return fail(
        `storage ${
          JSON.stringify(key.slice(0, 40))
        } should have ${length} elements of ${type.size} bytes, but ${
          bytes?.length ?? 0
        } bytes are there`,
      );
    }
    const data = new type.array(countElements(layout.shape));
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    const get = typeof type.read === "string"
      ? numberReader(type.read, fail)
      : type.read;
    visitElements(layout, (from, to) => {
      data[to] = get(view, from * type.size, options.littleEndian);
    });
    return data;
  }

  function tensorOf(args: readonly PickleValue[]): TorchTensor {
    const [id, offset, shape, strides, , , marks = null] = args;
    const isNegative = negativeOf(marks);
    const found = id instanceof PicklePersistentId
      ? storageIdOf(id.id)
      : undefined;
    if (found === undefined) return fail("a tensor has no storage");
    const view = {
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
    const data = elementsOf(found, view);
    if (isNegative) {
      for (let i = 0; i < data.length; i++) data[i] = -data[i]!;
    }
    return { dtype: found.type.dtype, shape: view.shape, data };
  }

  /** PyTorch 2 marks views whose elements are to be taken otherwise than they lie there, `{"neg": True}`. */
  function negativeOf(marks: PickleValue): boolean {
    const set = marks instanceof Map
      ? [...marks].filter(([, value]) => value !== false)
      : marks === null
      ? []
      : fail("the marks of a tensor are no dictionary");
    for (const [mark, value] of set) {
      if (mark !== "neg" || value !== true) {
        fail(
          `a tensor is a view that PyTorch marks ${
            quote(String(mark))
          }; save a copy of it, tensor.clone()`,
        );
      }
    }
    return set.length > 0;
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
        const [listed] = args;
        const pairs = (itemsOf(listed) ?? []).map((entry) => {
          const [key, value] = itemsOf(entry) ?? [];
          return key === undefined || value === undefined
            ? fail("an ordered dictionary has an entry that is no pair")
            : [key, value] as const;
        });
        return mapOf([...pairs, ...call.entries], depth);
      }
    }
    return fail(`its pickle calls ${callee.path}, which makes no data`);
  }

  function mapOf(
    entries: Iterable<readonly [PickleValue, PickleValue]>,
    depth: number,
  ): TorchValue {
    return new Map(
      Array.from(
        entries,
        ([key, value]) => [valueOf(key, depth), valueOf(value, depth)],
      ),
    );
  }

  function compoundOf(pickled: PickleValue, depth: number): TorchValue {
    const items = itemsOf(pickled);
    if (items !== undefined) return items.map((item) => valueOf(item, depth));
    if (pickled instanceof Map) return mapOf(pickled, depth);
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

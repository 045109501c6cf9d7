/**
 * Files of `torch.save`: tensors, and lists and dictionaries of them. Both
 * formats are read, the ZIP archive of PyTorch 1.6 and later and the row of
 * pickles of earlier versions. Nothing in them is run.
 *
 * @module
 */

import { quote } from "../text/words.ts";
import {
  ByteCursor,
  countElements,
  isCount,
  type Layout,
  numbersIn,
  sizeOf,
  visitElements,
} from "./bytes.ts";
import { cannotRead, type Fail } from "./input_error.ts";
import {
  itemsOf,
  PickleCall,
  PickleGlobal,
  PicklePersistentId,
  PickleTuple,
  type PickleValue,
  readPickle,
} from "./pickle.ts";
import { readZip } from "./zip.ts";

/** How elements lie in the file, and what they are given out in, by the name of PyTorch's class. */
const STORAGE_TYPES = {
  "torch.DoubleStorage": { dtype: "float64", type: "f8", array: Float64Array },
  "torch.FloatStorage": { dtype: "float32", type: "f4", array: Float32Array },
  "torch.HalfStorage": { dtype: "float16", type: "f2", array: Float32Array },
  "torch.BFloat16Storage": {
    dtype: "bfloat16",
    type: "u2",
    array: Float32Array,
  },
  "torch.LongStorage": { dtype: "int64", type: "i8", array: Float64Array },
  "torch.IntStorage": { dtype: "int32", type: "i4", array: Int32Array },
  "torch.ShortStorage": { dtype: "int16", type: "i2", array: Int16Array },
  "torch.CharStorage": { dtype: "int8", type: "i1", array: Int8Array },
  "torch.ByteStorage": { dtype: "uint8", type: "u1", array: Uint8Array },
  "torch.BoolStorage": { dtype: "bool", type: "b1", array: Uint8Array },
} as const;

type StorageClass = keyof typeof STORAGE_TYPES;
type StorageType = typeof STORAGE_TYPES[StorageClass];

/** A tensor read from a file. */
export interface TorchTensor {
  /** Element type in the file, as PyTorch names it. */
  readonly dtype: StorageType["dtype"];
  /** Length of each dimension; empty for a single number. */
  readonly shape: readonly number[];
  /** The elements, last index fastest: int64 in float64, half precisions in float32, bool as 0 and 1. */
  readonly data: InstanceType<StorageType["array"]>;
}

/** A value of a PyTorch file: lists and tuples come as arrays, dictionaries as a `Map`. */
type TorchValue =
  | null
  | boolean
  | number
  | bigint
  | string
  | Uint8Array
  | TorchTensor
  | TorchValue[]
  | Map<TorchValue, TorchValue>;

/** Whether a value of a file is a tensor. */
export function isTensor(value: TorchValue | undefined): value is TorchTensor {
  return typeof value === "object" && value !== null && "dtype" in value;
}

interface TorchFile {
  /** What was saved; tensors are notes of the calls that make them. */
  readonly pickled: PickleValue;
  /** The bytes of the storage of a key; undefined if there is none. */
  readonly storage: (key: string) => Uint8Array | undefined;
  readonly little: boolean;
  readonly size: number;
  readonly fail: Fail;
}

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
  return valueOf(isZip ? openZip(bytes, name) : openLegacy(bytes, name));
}

function openZip(bytes: Uint8Array, name: string): TorchFile {
  const fail: Fail = cannotRead(name);
  const entries = readZip(bytes, { name });
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
  return {
    pickled: readPickle(entries.get(pickle)!, { name, globals: GLOBALS }).value,
    storage: (key) => entries.get(`${folder}data/${key}`),
    little: order === undefined ||
      new TextDecoder().decode(order).trim() === "little",
    size: bytes.length,
    fail,
  };
}

const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;

/** Five pickles, then the storages: each a count of elements and the elements. */
function openLegacy(bytes: Uint8Array, name: string): TorchFile {
  const fail: Fail = cannotRead(name);
  const cursor = new ByteCursor(bytes, { fail });
  const next = () => {
    const { position } = cursor;
    const pickle = readPickle(bytes, { name, position, globals: GLOBALS });
    cursor.position = pickle.end;
    return pickle;
  };
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
  const little = !(system instanceof Map) ||
    system.get("little_endian") !== false;
  const { value: pickled, persistentIds } = next();
  const keys = next().value;
  if (!Array.isArray(keys)) return fail("it has no list of its storages");
  // How long an element is stands in the pickle only.
  const known = new Map<PickleValue, StorageId>();
  for (const pickledId of persistentIds) {
    const id = storageIdOf(pickledId) ??
      fail("it refers to something that is no storage");
    const { type, length } = known.get(id.key) ?? id;
    if (type !== id.type || length !== id.length) {
      fail("it describes a storage in two ways");
    }
    known.set(id.key, id);
  }
  const storages = new Map<string, Uint8Array>();
  for (const pickledKey of keys) {
    const id = known.get(pickledKey);
    if (id === undefined || storages.has(id.key)) {
      return fail("its list of storages does not fit its tensors");
    }
    const count = cursor.number("u8", little);
    if (count !== id.length) {
      fail(
        `a storage should have ${id.length} elements, but ${count} are there`,
      );
    }
    storages.set(id.key, cursor.take(count * sizeOf(id.type.type)));
  }
  if (cursor.left > 0) fail(`${cursor.left} bytes follow its storages`);
  const storage = (key: string) => storages.get(key);
  return { pickled, storage, little, size: bytes.length, fail };
}

const ORDERED_DICT = "collections.OrderedDict";
const SIZE = "torch.Size";
const TENSOR = "torch._utils._rebuild_tensor";
const TENSOR_2 = "torch._utils._rebuild_tensor_v2";
const PARAMETER = "torch._utils._rebuild_parameter";

/** All that a pickle of plain tensors names. */
const GLOBALS: ReadonlySet<string> = new Set([
  ...[ORDERED_DICT, SIZE, TENSOR, TENSOR_2, PARAMETER],
  ...Object.keys(STORAGE_TYPES),
]);

interface StorageId {
  readonly type: StorageType;
  readonly key: string;
  readonly length: number;
}

/** The persistent id of a storage; undefined if it is something else. */
function storageIdOf(id: PickleValue): StorageId | undefined {
  if (!(id instanceof PickleTuple)) return undefined;
  const [kind, storageClass, key, , length, view = null] = id.items;
  if (kind !== "storage" || !(storageClass instanceof PickleGlobal)) {
    return undefined;
  }
  const type = STORAGE_TYPES[storageClass.path as StorageClass];
  const isSound = type !== undefined && typeof key === "string" &&
    isCount(length) && view === null;
  return isSound ? { type, key, length } : undefined;
}

/** Nesting deeper than any file of tensors has. */
const MAX_DEPTH = 64;

/** Tensors may share their elements; together they may not be more than this many times the file. */
const MAX_GROWTH = 4;

/**
 * What was saved.
 *
 * @throws {InputError} If it is anything but plain data and tensors that lie within their storages.
 */
function valueOf(file: TorchFile): TorchValue {
  const { fail } = file;
  const known = new Map<PickleValue, TorchValue>();
  const open = new Set<PickleValue>();
  let bytesLeft = file.size * MAX_GROWTH;

  function claim(bytes: number): void {
    bytesLeft -= bytes;
    if (bytesLeft < 0) {
      fail(
        `its tensors would be over ${MAX_GROWTH} times as large as the file`,
      );
    }
  }

  function value(pickled: PickleValue): TorchValue {
    if (
      pickled === null || typeof pickled !== "object" ||
      pickled instanceof Uint8Array
    ) return pickled;
    // What stands in many places of the pickle is one value there and one value here.
    const before = known.get(pickled);
    if (before !== undefined) return before;
    if (open.has(pickled)) fail("its pickle holds a list that holds itself");
    if (open.size > MAX_DEPTH) {
      fail(`its pickle is nested over ${MAX_DEPTH} levels deep`);
    }
    open.add(pickled);
    const made = compound(pickled);
    open.delete(pickled);
    known.set(pickled, made);
    return made;
  }

  function compound(pickled: PickleValue): TorchValue {
    const items = itemsOf(pickled);
    if (items !== undefined) return items.map(value);
    if (pickled instanceof Map) return dictionary(pickled);
    if (!(pickled instanceof PickleCall)) {
      return fail("its pickle holds what is neither plain data nor a tensor");
    }
    const { callee, args, entries } = pickled;
    switch (callee.path) {
      case TENSOR:
      case TENSOR_2:
        return tensorOf(args, file, claim);
      case PARAMETER:
        return value(args[0] ?? null);
      case SIZE:
        return countsOf(pickled, "size", fail);
      case ORDERED_DICT: {
        const pairs = (itemsOf(args[0]) ?? []).map((entry) => {
          const [key, value] = itemsOf(entry) ?? [];
          return key === undefined || value === undefined
            ? fail("an ordered dictionary has an entry that is no pair")
            : [key, value] as const;
        });
        return dictionary([...pairs, ...entries]);
      }
    }
    return fail(`its pickle calls ${callee.path}, which makes no data`);
  }

  function dictionary(
    entries: Iterable<readonly [PickleValue, PickleValue]>,
  ): TorchValue {
    const pairs = Array.from(
      entries,
      ([key, item]) => [value(key), value(item)] as const,
    );
    return new Map(pairs);
  }

  return value(file.pickled);
}

/** The tensor of a call; `claim` is told its bytes before they are taken. */
function tensorOf(
  [id, offset, shape, strides, , , marks = null]: readonly PickleValue[],
  { storage, little, fail }: TorchFile,
  claim: (bytes: number) => void,
): TorchTensor {
  const isNegative = negativeOf(marks, fail);
  const found = id instanceof PicklePersistentId
    ? storageIdOf(id.id)
    : undefined;
  if (found === undefined) return fail("a tensor has no storage");
  const layout = {
    offset: isCount(offset)
      ? offset
      : fail("the offset of a tensor is no number"),
    shape: countsOf(shape, "shape", fail),
    strides: countsOf(strides, "strides", fail),
  };
  const { type: { dtype, type, array }, key, length } = found;
  const fault = faultOf(layout, length);
  if (fault !== undefined) fail(`a tensor does not fit: ${fault}`);
  const count = countElements(layout.shape);
  const size = sizeOf(type);
  claim(count * size);
  const bytes = storage(key) ?? new Uint8Array();
  if (bytes.length < length * size) {
    fail(
      `storage ${
        JSON.stringify(key.slice(0, 40))
      } should have ${length} elements of ${size} bytes, but ${bytes.length} bytes are there`,
    );
  }
  const get = numbersIn(bytes, { type, little, fail });
  const data = new array(count);
  visitElements(layout, (from, to) => {
    const number = dtype === "bfloat16" ? brainFloat(get(from)) : get(from);
    data[to] = isNegative ? -number : number;
  });
  return { dtype, shape: layout.shape, data };
}

/** What is wrong with a view, if anything: all of its elements must be in the storage, and not more than that has. */
function faultOf(
  { offset, shape, strides }: Required<Layout>,
  length: number,
): string | undefined {
  if (shape.length !== strides.length) {
    return `it has ${shape.length} dimensions but ${strides.length} strides`;
  }
  if (shape.includes(0)) return undefined;
  const last = shape.reduce(
    (sum, size, axis) => sum + (size - 1) * strides[axis]!,
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

const float32 = new DataView(new ArrayBuffer(4));

/** A bfloat16 is the upper half of a float32. */
function brainFloat(bits: number): number {
  float32.setUint16(0, bits);
  return float32.getFloat32(0);
}

/** PyTorch 2 marks views whose elements are to be taken otherwise than they lie there, `{"neg": True}`. */
function negativeOf(marks: PickleValue, fail: Fail): boolean {
  if (marks === null) return false;
  if (!(marks instanceof Map)) {
    return fail("the marks of a tensor are no dictionary");
  }
  const set = [...marks].filter(([, value]) => value !== false);
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

/** A tuple of counts, or what `torch.Size` makes of one. */
function countsOf(
  value: PickleValue | undefined,
  what: string,
  fail: Fail,
): number[] {
  const tuple = value instanceof PickleCall && value.callee.path === SIZE
    ? value.args[0]
    : value;
  if (!(tuple instanceof PickleTuple) || tuple.items.length > MAX_DEPTH) {
    return fail(`the ${what} of a tensor is no tuple of numbers`);
  }
  return tuple.items.map((item) =>
    isCount(item) ? item : fail(`the ${what} of a tensor holds no number`)
  );
}

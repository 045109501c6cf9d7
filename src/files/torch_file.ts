/**
 * Files of `torch.save`: tensors, and lists and dictionaries of them. Both
 * formats are read, the ZIP archive of PyTorch 1.6 and later and the row of
 * pickles of earlier versions. Nothing in them is run.
 *
 * @module
 */

import { ByteCursor } from "./byte_cursor.ts";
import { InputError } from "./input_error.ts";
import { type Pickle, readPickle } from "./pickle.ts";
import type { PickleValue } from "./pickle_values.ts";
import type { TorchStorage } from "./torch_storage.ts";
import {
  type StorageId,
  storageIdOf,
  TORCH_GLOBALS,
  type TorchValue,
  torchValueOf,
} from "./torch_value.ts";
import { readStoredZip } from "./zip.ts";

const LEGACY_MAGIC = 0x1950a86a20f9469cfc6cn;
const LEGACY_PROTOCOL = 1001;

/**
 * Reads a file of `torch.save`.
 *
 * @param bytes The whole file.
 * @param options `name` of the file, for messages.
 * @returns What was saved: tensors, and arrays and maps of them; a state dictionary is a `Map` from name to tensor.
 * @throws {InputError} If the file is broken or cut short, or holds anything but plain data and dense tensors.
 *
 * @example
 * ```ts no-eval
 * import { readTorchFile } from "./src/files/torch_file.ts";
 *
 * const bytes = await Deno.readFile("model_state_dict_epoch_9_iter_0.pth");
 * const state = readTorchFile(bytes, { name: "model.pth" });
 * if (state instanceof Map) state.get("rnn.weight_hh_l0");
 * ```
 */
export function readTorchFile(
  bytes: Uint8Array,
  { name }: { readonly name: string },
): TorchValue {
  const isZip = bytes[0] === 0x50 && bytes[1] === 0x4b;
  return isZip ? readZip(bytes, name) : readLegacy(bytes, name);
}

/** The elements of a storage, or the error that they are not there. */
function storageOf(
  { type, key, length }: StorageId,
  { bytes, littleEndian, name }: {
    readonly bytes: Uint8Array | undefined;
    readonly littleEndian: boolean;
    readonly name: string;
  },
): TorchStorage {
  const found = bytes?.length ?? 0;
  if (bytes === undefined || found < length * type.size) {
    throw new InputError(
      `Cannot read "${name}": storage ${
        JSON.stringify(key.slice(0, 40))
      } should have ${length} elements of ${type.size} bytes, but ${found} bytes are there`,
    );
  }
  return { type, length, bytes, littleEndian };
}

function readZip(bytes: Uint8Array, name: string): TorchValue {
  const entries = readStoredZip(bytes, { name });
  const pickles = [...entries.keys()].filter((entry) =>
    /^[^/]+\/data\.pkl$/.test(entry)
  );
  const [pickle] = pickles;
  if (pickle === undefined || pickles.length > 1) {
    throw new InputError(
      `Cannot read "${name}": it is a ZIP archive, but not of torch.save: it has ${pickles.length} entries data.pkl`,
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
    name,
    fileSize: bytes.length,
    storage: (id) =>
      storageOf(id, {
        bytes: entries.get(`${folder}data/${id.key}`),
        littleEndian,
        name,
      }),
  });
}

function readLegacy(bytes: Uint8Array, name: string): TorchValue {
  function fail(what: string): never {
    throw new InputError(`Cannot read "${name}": ${what}`);
  }
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
    name,
    fileSize: bytes.length,
    storage: (id) =>
      storageOf(id, { bytes: storages.get(id.key), littleEndian, name }),
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

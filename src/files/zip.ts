/**
 * The files inside a ZIP archive: PyTorch stores them without compression,
 * NumPy mostly packs them.
 *
 * @module
 */

import { unzipSync, zipSync } from "npm:fflate@0.8.3";
import { cannotRead, type Fail, InputError } from "./input_error.ts";

export { unzipSync, zipSync };

/** Bytes of the smallest entry in an archive's directory. */
const SMALLEST_ENTRY = 46;

/** Deflate's own limit: 258 bytes for two bits. Rows of equal numbers come close to it. */
const MAX_RATIO = 1032;
/** Most bytes of all entries when unpacked, far more than the densest network takes. */
const MAX_UNPACKED = 2 ** 32;

/**
 * The entries of an archive by their name. What its directory says of them is
 * checked before any is unpacked.
 *
 * @param options `name` of the file, for messages; `wanted`, the names of entries that may be packed, while all
 * others are left alone. Default all, and none may be.
 * @returns Those of them that the archive has.
 * @throws {InputError} If the archive is broken, has a name twice, or entries that are together larger than the
 * archive, or packed though they may not be or in another way than deflate's, or claim more bytes than deflate
 * can give or over 4 GiB together.
 */
export function readZip(
  bytes: Uint8Array,
  { name, wanted }: {
    readonly name: string;
    readonly wanted?: readonly string[];
  },
): ReadonlyMap<string, Uint8Array> {
  const fail: Fail = cannotRead(name);
  const shown = (entry: string) => JSON.stringify(entry.slice(0, 60));
  const names = new Set<string>();
  const sizes = new Map<string, number>();
  let packedLeft = bytes.length;
  let unpackedLeft = MAX_UNPACKED;
  let count = 0;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      filter({ name, size, originalSize, compression }) {
        const entry = `its entry ${shown(name)}`;
        if (++count > bytes.length / SMALLEST_ENTRY) {
          fail("its directory has more entries than there is room for");
        }
        if (names.has(name)) fail(`it has the entry ${shown(name)} twice`);
        if (name === "__proto__") fail(`it has an entry named ${shown(name)}`);
        names.add(name);
        if (wanted?.includes(name) === false) return false;
        if (wanted === undefined && compression !== 0) {
          fail(`${entry} is compressed, which torch.save never does`);
        }
        if (compression !== 0 && compression !== 8) {
          fail(
            `${entry} is packed by method ${compression}; deflate can be read`,
          );
        }
        if (wanted === undefined && size !== originalSize) {
          fail(`${entry} does not fit into the file`);
        }
        if (originalSize > (compression === 0 ? size : size * MAX_RATIO)) {
          fail(`${entry} claims more bytes than it can hold`);
        }
        packedLeft -= size;
        if (packedLeft < 0) fail(`${entry} does not fit into the file`);
        unpackedLeft -= originalSize;
        if (unpackedLeft < 0) {
          fail("unpacked its entries would take over 4 GiB");
        }
        sizes.set(name, originalSize);
        return true;
      },
    });
  } catch (error) {
    if (error instanceof InputError) throw error;
    return fail("it is no ZIP archive, or a damaged one");
  }
  const entries = new Map(Object.entries(files));
  for (const [entry, size] of sizes) {
    if (entries.get(entry)?.length !== size) {
      fail(`its entry ${shown(entry)} is cut short`);
    }
  }
  return entries;
}

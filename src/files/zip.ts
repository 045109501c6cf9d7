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

/** What the archive's directory says of an entry, which need not be true. */
interface ZipEntry {
  readonly name: string;
  /** The name as messages have it. */
  readonly shown: string;
  /** Bytes in the archive. */
  readonly size: number;
  /** Bytes when unpacked. */
  readonly originalSize: number;
  /** 0: stored; 8: deflate. */
  readonly compression: number;
}

/** The entries that `admit` wants; it is asked before an entry is unpacked, and calls `fail` where one may not be there. */
function readZip(
  bytes: Uint8Array,
  { fail, admit }: {
    readonly fail: Fail;
    readonly admit: (entry: ZipEntry) => boolean;
  },
): ReadonlyMap<string, Uint8Array> {
  const names = new Set<string>();
  const sizes = new Map<string, number>();
  let count = 0;
  let bytesLeft = bytes.length;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      // The archive's own claims are checked against its size here.
      filter(entry) {
        const { name, size, originalSize } = entry;
        const shown = JSON.stringify(name.slice(0, 60));
        if (++count > bytes.length / SMALLEST_ENTRY) {
          fail("its directory has more entries than there is room for");
        }
        if (names.has(name)) fail(`it has the entry ${shown} twice`);
        if (name === "__proto__") fail(`it has an entry named ${shown}`);
        names.add(name);
        if (!admit({ ...entry, shown })) return false;
        bytesLeft -= size;
        if (bytesLeft < 0) {
          fail(`its entry ${shown} does not fit into the file`);
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
      fail(`its entry ${JSON.stringify(entry.slice(0, 60))} is cut short`);
    }
  }
  return entries;
}

/**
 * The entries of an archive by their name.
 *
 * @param options `name` of the file, for messages.
 * @throws {InputError} If the archive is broken, has a name twice, or entries that are compressed or together
 * larger than the archive.
 */
export function readStoredZip(
  bytes: Uint8Array,
  { name }: { readonly name: string },
): ReadonlyMap<string, Uint8Array> {
  const fail: Fail = cannotRead(name);
  return readZip(bytes, {
    fail,
    admit({ shown, size, originalSize, compression }) {
      if (compression !== 0) {
        fail(`its entry ${shown} is compressed, which torch.save never does`);
      }
      if (size !== originalSize) {
        fail(`its entry ${shown} does not fit into the file`);
      }
      return true;
    },
  });
}

/**
 * Some entries of an archive by their name, unpacked; all others are left
 * alone.
 *
 * @param options `name` of the file, for messages; `wanted`, the names of the entries.
 * @returns Those of them that the archive has.
 * @throws {InputError} If the archive is broken, has a name twice, or the entries are packed in another way than
 * deflate's, claim more bytes than deflate can give, or over 4 GiB together.
 */
export function readPackedZip(
  bytes: Uint8Array,
  { name, wanted }: {
    readonly name: string;
    readonly wanted: readonly string[];
  },
): ReadonlyMap<string, Uint8Array> {
  const fail: Fail = cannotRead(name);
  let unpacked = 0;
  return readZip(bytes, {
    fail,
    admit({ name: entry, shown, size, originalSize, compression }) {
      if (!wanted.includes(entry)) return false;
      if (compression !== 0 && compression !== 8) {
        fail(
          `its entry ${shown} is packed by method ${compression}; deflate can be read`,
        );
      }
      const most = compression === 0 ? size : size * MAX_RATIO;
      if (originalSize > most) {
        fail(`its entry ${shown} claims more bytes than it can hold`);
      }
      unpacked += originalSize;
      if (unpacked > MAX_UNPACKED) {
        fail("unpacked its entries would take over 4 GiB");
      }
      return true;
    },
  });
}

/**
 * The files inside a ZIP archive that are stored without compression, as
 * PyTorch stores them.
 *
 * @module
 */

import { unzipSync } from "fflate";
import { InputError } from "./input_error.ts";

/** Bytes of the smallest entry in an archive's directory. */
const SMALLEST_ENTRY = 46;

/**
 * The entries of an archive by their name.
 *
 * @param options `name` of the file, for messages.
 * @throws {InputError} If the archive is broken, has a name twice, or entries that are compressed or together
 * larger than the archive.
 *
 * @example
 * ```ts no-eval
 * import { readStoredZip } from "./src/files/zip_entries.ts";
 *
 * const bytes = await Deno.readFile("model.pth");
 * readStoredZip(bytes, { name: "model.pth" }).get("archive/data.pkl");
 * ```
 */
export function readStoredZip(
  bytes: Uint8Array,
  { name }: { readonly name: string },
): ReadonlyMap<string, Uint8Array> {
  function fail(what: string): never {
    throw new InputError(`Cannot read "${name}": ${what}`);
  }
  const sizes = new Map<string, number>();
  let count = 0;
  let bytesLeft = bytes.length;
  let files: Record<string, Uint8Array>;
  try {
    files = unzipSync(bytes, {
      // Asked before an entry is unpacked: the archive's own claims are checked against its size here.
      filter({ name: entry, size, originalSize, compression }) {
        const shown = JSON.stringify(entry.slice(0, 60));
        if (++count > bytes.length / SMALLEST_ENTRY) {
          fail("its directory has more entries than there is room for");
        }
        if (sizes.has(entry)) fail(`it has the entry ${shown} twice`);
        if (entry === "__proto__") fail(`it has an entry named ${shown}`);
        if (compression !== 0) {
          fail(
            `its entry ${shown} is compressed, which torch.save never does`,
          );
        }
        bytesLeft -= size;
        if (size !== originalSize || bytesLeft < 0) {
          fail(`its entry ${shown} does not fit into the file`);
        }
        sizes.set(entry, size);
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

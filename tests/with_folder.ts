/**
 * Gives a test a folder of its own, with files in it, and removes it afterwards.
 *
 * @module
 */

import { join } from "node:path";

/** Calls `use` with an empty folder, or one that holds the files named. */
export async function withFolder<T>(
  use: (folder: string) => Promise<T>,
  files: Readonly<Record<string, Uint8Array>> = {},
): Promise<T> {
  const folder = await Deno.makeTempDir({ prefix: "biornn_" });
  try {
    for (const [name, bytes] of Object.entries(files)) {
      await Deno.writeFile(join(folder, name), bytes);
    }
    return await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

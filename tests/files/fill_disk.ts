/**
 * A program of the tests: writes more than its shell allows and prints the
 * error. Argument: the path.
 *
 * @module
 */

import { writeFileWhole } from "../../src/files/write.ts";

try {
  await writeFileWhole(Deno.args[0] as string, new Uint8Array(1_000_000));
} catch (error) {
  Deno.stdout.writeSync(new TextEncoder().encode(String(error)));
}

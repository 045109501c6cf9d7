/**
 * A program of the tests: writes more than its shell allows and prints the
 * error. Arguments: name of the function, path.
 *
 * @module
 */

import * as functions from "../../src/files/write_file.ts";

const [name, path] = Deno.args as [keyof typeof functions, string];
try {
  await functions[name](path, new Uint8Array(1_000_000));
} catch (error) {
  Deno.stdout.writeSync(new TextEncoder().encode(String(error)));
}

/**
 * Whatever a file holds, its reader gives a value or says in an InputError
 * what is wrong, in little time and memory. `BIORNN_FUZZ_RUNS` is the number of
 * damaged files for each reader, `BIORNN_FUZZ_SEED` the seed; a failure prints
 * the smallest damage that still shows it.
 *
 * @module
 */

import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import { binary } from "../files/binary.ts";
import { damage, DAMAGES } from "./mutate.ts";
import { READERS } from "./readers.ts";

const RUNS = Number(Deno.env.get("BIORNN_FUZZ_RUNS") ?? 200);
const SEED = Number(Deno.env.get("BIORNN_FUZZ_SEED") ?? 1);

/** Milliseconds for a file of some kilobytes; far more than needed, as machines are busy. */
const MAX_TIME = 2000;
/** Bytes that may be taken while such a file is read, garbage included. */
const MAX_MEMORY = 64 * 2 ** 20;

function bytesInUse(): number {
  const { heapUsed, external } = Deno.memoryUsage();
  return heapUsed + external;
}

for (const { name, seeds, tokens = [], read } of READERS) {
  const files = {
    seeds: seeds.map((seed) =>
      typeof seed === "string" ? new TextEncoder().encode(seed) : seed
    ),
    tokens: tokens.map((token) => binary(token)),
  };

  describe(`${name} with damaged files`, () => {
    it("gives a value or an InputError, in little time and memory", async () => {
      let refused = 0;
      let largest = 0;
      await fc.assert(
        fc.asyncProperty(DAMAGES, async (damages) => {
          const bytes = damage(damages, files);
          largest = Math.max(largest, bytes.length);
          const before = bytesInUse();
          const start = performance.now();
          try {
            await read(bytes);
          } catch (error) {
            assert(error instanceof InputError, error as Error);
            assert.ok(error.message.length < 2000, "an endless message");
            refused++;
          }
          const time = performance.now() - start;
          assert.ok(time < MAX_TIME, `it took ${Math.round(time)} ms`);
          const memory = bytesInUse() - before;
          assert.ok(memory < MAX_MEMORY, `it took ${memory} bytes`);
        }),
        { numRuns: RUNS, seed: SEED },
      );
      // Else the damage never reaches the reader, and the test could not fail.
      assert.ok(refused > RUNS / 20, `${refused} of ${RUNS} were refused`);
    });

    it("reads the first of the sound files", async () => {
      await read((files.seeds[0] as Uint8Array).slice());
    });
  });
}

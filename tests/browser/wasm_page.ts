/**
 * Trains with the WebAssembly engine in a browser and reports the hashes.
 *
 * @module
 */

import { fusesMultiplyAdd } from "../../src/wasm/kernels.ts";
import { GOLDEN, hashOf } from "../wasm/golden_training.ts";

/** What the page found. */
export interface WasmReport {
  readonly fused: boolean;
  /** Of each golden training, in their order. */
  readonly hashes: readonly string[];
  readonly failure?: string;
}

async function train(): Promise<WasmReport> {
  const hashes: string[] = [];
  const fused = fusesMultiplyAdd();
  try {
    for (const { spec, fused } of GOLDEN) {
      hashes.push(await hashOf(spec, { workers: 2, fused }));
    }
    return { fused, hashes };
  } catch (error) {
    return { fused, hashes, failure: String(error) };
  }
}

await fetch("/report", {
  method: "POST",
  body: JSON.stringify(await train()),
});

/**
 * What runs in the browser: replays PyTorch's cases, then sends what is off to
 * `/report`.
 *
 * @module
 */

import { ownCases } from "../../src/doctor/golden_case.ts";
import { replayCase } from "../../src/doctor/replay.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";

/** What the page sends. */
export interface GoldenReport {
  /** undefined where the browser has no adapter. */
  readonly adapter: string | undefined;
  readonly cases: number;
  /** Names of cases, and what is off or made the page give up. */
  readonly off: readonly string[];
}

async function run(): Promise<GoldenReport> {
  const off: string[] = [];
  let cases = 0;
  const engine = await createWebGpuEngine();
  try {
    for (const golden of engine === undefined ? [] : ownCases()) {
      const { checks } = await replayCase(golden, engine!);
      for (const { name, ok, error, where } of checks) {
        if (!ok) off.push(`${golden.name}: ${name} ${error} at ${where}`);
      }
      cases++;
    }
  } catch (error) {
    off.push(String(error));
  }
  return { adapter: engine?.description, cases, off };
}

await fetch("/report", { method: "POST", body: JSON.stringify(await run()) });

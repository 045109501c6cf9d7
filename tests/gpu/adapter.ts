/**
 * The WebGPU engine on which a file of tests runs.
 *
 * @module
 */

import { createWebGpuEngine } from "../../src/gpu/engine.ts";

/** Undefined where the machine has no adapter. */
export const engine = await createWebGpuEngine();

/** Why the tests are left out, where they are. */
export const missing = engine === undefined
  ? "this machine has no WebGPU adapter"
  : undefined;

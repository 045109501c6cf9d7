/**
 * The engine for machines without a GPU: single precision in WebAssembly SIMD,
 * a worker for each core.
 *
 * @module
 */

import type { Engine } from "../engine/ensemble.ts";
import { createPool, createWasmEnsemble, type WorkerPool } from "./ensemble.ts";
import { compileKernels, fusesMultiplyAdd } from "./kernels.ts";
import { planMemory } from "./plan.ts";

/** Options of {@linkcode createWasmEngine}. */
export interface WasmEngineOptions {
  /**
   * Workers, by default one for each core; results do not depend on it. With 0 the
   * thread that calls does the work, a quarter of a second at a time: so it is by
   * default in a page that may not share memory, as it is not cross-origin isolated.
   */
  readonly workers?: number;
  /**
   * Whether to use fused multiply-add where the machine has it, default true.
   * Without it results are the same on all machines, and training is somewhat
   * slower.
   */
  readonly fused?: boolean;
  /** Time all kernels. */
  readonly profile?: boolean;
  /** Bytes that one ensemble may take, default 2 GiB; a single model may take up to 4 GiB. */
  readonly memoryBytes?: number;
}

/**
 * Opens the engine. Its workers start with the first ensemble and end with
 * `destroy()`.
 *
 * @example
 * ```ts
 * import { createWasmEngine } from "./src/wasm/engine.ts";
 *
 * const engine = createWasmEngine();
 * engine.description; // "float32 WebAssembly SIMD, fused multiply-add"
 * engine.destroy();
 * ```
 */
export function createWasmEngine(options: WasmEngineOptions = {}): Engine {
  const { profile = false, memoryBytes = 2 ** 31 } = options;
  const alone = Reflect.get(globalThis, "crossOriginIsolated") === false;
  const threads = options.workers ??
    (alone ? 0 : navigator.hardwareConcurrency);
  const fused = (options.fused ?? true) && fusesMultiplyAdd();
  let pool: WorkerPool | undefined;
  const start = () => pool ??= createPool(threads);
  const way = fused ? "fused" : "separate";
  return {
    kind: "wasm",
    description: `float32 WebAssembly SIMD, ${way} multiply-add`,
    plan: (shape) => {
      const kernels = compileKernels({ ...shape, fused, shared: threads > 0 });
      const each = [...kernels.perUpdate.values()].map(({ length }) => length);
      const { workers, ...plan } = planMemory(shape, {
        all: Math.max(1, threads),
        memoryBytes,
        numbers: Math.max(...each),
      });
      return {
        ...plan,
        way: "",
        prepare: start,
        createEnsemble: async (runs) => {
          const options = { pool: start(), workers, kernels, profile };
          return await createWasmEnsemble({ ...shape, runs }, options);
        },
      };
    },
    destroy: () => pool?.destroy(),
  };
}

/**
 * The engine for machines without a GPU: single precision in WebAssembly SIMD,
 * a worker for each core.
 *
 * @module
 */

import type { Engine, EnsembleShape } from "../engine/ensemble.ts";
import { countConnections } from "../graph/connections.ts";
import { groupBySize } from "../engine/guard_ensemble.ts";
import { mostListed } from "./connection_rows.ts";
import { createWasmEnsemble } from "./ensemble.ts";
import { compileKernels, fusesMultiplyAdd } from "./kernels.ts";
import {
  HISTORY_BYTES,
  LANES,
  MOST_BYTES,
  partsOf,
  span,
} from "./memory_layout.ts";
import { chunkBuffers } from "./schedule.ts";
import { WorkerPool } from "./worker_pool.ts";

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
  const start = () => pool ??= new WorkerPool(threads);
  const way = fused ? "fused" : "separate";
  return {
    kind: "wasm",
    description: `float32 WebAssembly SIMD, ${way} multiply-add`,
    plan: (shape) => {
      const kernels = compileKernels({ ...shape, fused, shared: threads > 0 });
      const each = [...kernels.perUpdate.values()].map(({ length }) => length);
      const { workers, ...plan } = planMemory(shape, {
        ...{ all: Math.max(1, threads), memoryBytes },
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

/** Cuts runs into groups, and says how many of all workers there is memory for: each needs states and gradients of its own. */
function planMemory(
  shape: EnsembleShape,
  { all, memoryBytes, numbers }: {
    readonly all: number;
    readonly memoryBytes: number;
    /** Numbers that an update is given at most. */
    readonly numbers: number;
  },
) {
  const { connections, others = [], ownTopologies = false, steps: T } = shape;
  const { hiddenSize, outputSize, batchSize } = shape;
  const length = Math.max(...[connections, ...others].map(countConnections));
  const extent = {
    ...shape,
    listed: mostListed(shape, length),
    back: length + outputSize * hiddenSize,
    steps: Math.max(...T),
    chunks: countChunks(shape),
    buffers: chunkBuffers(batchSize, all),
    numbers: numbers * Math.ceil(shape.trainCount / batchSize),
    epochs: 1,
  };
  const parts = partsOf(extent);
  const slot = span(parts.slot);
  const own = span(parts.worker);
  const topology = span(parts.topology);
  const fit = Math.floor(memoryBytes / 2 / (slot + own));
  const workers = Math.max(1, Math.min(all, fit));
  const shared = HISTORY_BYTES + 2 ** 16 + (ownTopologies ? 0 : topology) +
    workers * own + Math.min(workers, T.length) * slot;
  const models = T.map((steps) =>
    span(partsOf({ ...extent, steps }).model) + (ownTopologies ? topology : 0)
  );
  const most = shared + Math.max(...models);
  if (most > MOST_BYTES) {
    const [needed, limit] = [most, MOST_BYTES].map((bytes) =>
      `${(bytes / 2 ** 30).toFixed(1)} GiB`
    );
    throw new RangeError(
      `Cannot train a model of ${hiddenSize} hidden units and ${length} connections on the CPU: it needs ${needed}, the limit is ${limit}`,
    );
  }
  return { ...groupBySize(models, { shared, memoryBytes }), workers };
}

/** Chunks of all batches of a run. */
function countChunks(
  { trialCount, trainCount, batchSize }: EnsembleShape,
): number {
  const chunksOf = (trials: number) =>
    Math.floor(trials / batchSize) * Math.ceil(batchSize / LANES) +
    Math.ceil((trials % batchSize) / LANES);
  return chunksOf(trainCount) + chunksOf(trialCount - trainCount);
}

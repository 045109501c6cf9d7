/**
 * Which way of laying weights out on the device suits a network.
 *
 * The rule: the way of the least estimated cost, of those in which the largest
 * model of the experiment fits the device. It depends on the network and on the
 * adapter, not on how many models train together, so that a run repeats.
 *
 * @module
 */

import { makeBlockLayout } from "./blocks/block_layout.ts";
import { canNumberBlocks } from "./blocks/block_lists.ts";
import { BUFFER_NAMES, type BufferName } from "./buffers.ts";
import { makeLayout } from "./dense/layout.ts";
import { type AdapterLimits, bindingLimit, megabytes } from "./limits.ts";
import { loopTurns, MOST_TURNS } from "./loop_turns.ts";
import { batchRowsOf, type EnsembleSize, sizeOfModels } from "./model_sizes.ts";
import { chooseSequenceTile, type TimeVariant } from "./dense/sequence_tile.ts";
import type { StorageKind } from "./storage.ts";

/** A way, and why it was chosen. */
export interface StorageChoice {
  readonly kind: StorageKind;
  /** E.g. "blocks of 4 × 4 weights, as 21 % of them hold a connection". */
  readonly reason: string;
}

/** What there is to choose by besides the network. */
export interface ChooseStorageOptions {
  readonly limits: AdapterLimits;
  /** True where a CPU does the work. */
  readonly software: boolean;
  /** Bytes that one ensemble may take. */
  readonly memoryBytes: number;
  /** How forward and backward go through time; by default what suits the adapter. */
  readonly variant?: TimeVariant | undefined;
  /** The way to take, if it fits. */
  readonly kind?: StorageKind | undefined;
}

/**
 * Cost of an entry beside one of a whole matrix. On a software adapter measured,
 * with Mesa's llvmpipe. On a GPU counted, not measured: a warp's loads by the
 * lines of the first-level cache that they touch, beside its multiply-adds.
 * Whole matrices whose states do not fit workgroup memory are loaded across
 * their rows there, a line an invocation.
 */
const COSTS = {
  software: { sequence: 1, steps: 1, blocks: 2.4, connections: 6 },
  hardware: { sequence: 1, steps: 2, blocks: 1.2, connections: 5 },
} as const;

const KINDS: readonly StorageKind[] = ["dense", "blocks", "connections"];

/**
 * Chooses for an experiment.
 *
 * @throws {RangeError} If its largest model does not fit in any way; names the limit and the size.
 *
 * @example
 * ```ts
 * import { chooseStorage } from "./src/gpu/choose_storage.ts";
 *
 * const size = { hiddenSize: 20_000, inputSize: 2, outputSize: 1 } as const;
 * const facts = { connections: 2_000_000, blocks: 1_980_000 };
 * const trials = { loss: "mse", steps: [7], trialCount: 500, trainCount: 400, batchSize: 128 } as const;
 * chooseStorage({ ...size, ...facts, ...trials }, {
 *   limits: { maxStorageBufferBindingSize: 2 ** 27, maxBufferSize: 2 ** 31 },
 *   software: false,
 *   memoryBytes: 2 ** 31,
 * }).kind; // "connections"
 * ```
 */
export function chooseStorage(
  size: EnsembleSize,
  options: ChooseStorageOptions,
): StorageChoice {
  const costs = COSTS[options.software ? "software" : "hardware"];
  const { hiddenSize, connections, blocks } = size;
  const sequence = chooseSequenceTile(
    makeLayout({ ...size, batchRows: batchRowsOf(size) }),
    options,
  );
  const dense = sequence === undefined ? costs.steps : costs.sequence;
  const cost: Record<StorageKind, number> = {
    dense: dense * hiddenSize ** 2,
    blocks: costs.blocks * 16 * blocks,
    connections: costs.connections * connections,
  };
  // A way through time is one of whole matrices.
  const asked = options.kind ??
    (options.variant === undefined ? undefined : "dense");
  const wanted = asked === undefined ? KINDS : [asked];
  const layout = makeBlockLayout({ ...size, batchRows: batchRowsOf(size) }, 4);
  const ranked = wanted
    .filter((kind) => kind !== "blocks" || canNumberBlocks(layout))
    .toSorted((a, b) => cost[a] - cost[b]);
  if (ranked.length === 0) {
    throw new RangeError(
      `Cannot store the weights of ${hiddenSize} units as blocks: there are too many columns of blocks to number`,
    );
  }
  let misfit: Misfit | undefined;
  for (const kind of ranked) {
    const problem = findMisfit(size, { ...options, kind });
    if (problem === undefined) {
      const because = asked !== undefined
        ? ", as asked for"
        : kind !== ranked[0]
        ? `, as ${NAMES[ranked[0]!]} are too much for the device`
        : `, as ${describeDensity(size, kind)}`;
      return { kind, reason: `${NAMES[kind]}${because}` };
    }
    if (misfit === undefined || problem.bytes < misfit.bytes) misfit = problem;
  }
  throw new RangeError(misfit!.message);
}

/** Buffers that smaller batches make smaller. */
const GROWS_WITH_BATCH: readonly BufferName[] = ["state", "delta"];

const NAMES: Record<StorageKind, string> = {
  dense: "whole matrices",
  blocks: "blocks of 4 × 4 weights",
  connections: "single connections",
};

function describeDensity(
  { hiddenSize, connections, blocks }: EnsembleSize,
  kind: StorageKind,
): string {
  const percent = (share: number) =>
    `${Number((100 * share).toPrecision(2))} %`;
  if (kind === "connections") {
    return `${percent(connections / hiddenSize ** 2)} of all possible exist`;
  }
  const share = blocks / Math.ceil(hiddenSize / 4) ** 2;
  return kind === "dense"
    ? `${percent(share)} of their blocks of 4 × 4 hold a connection`
    : `${percent(share)} of them hold a connection`;
}

/** Why the largest model does not fit. */
interface Misfit {
  readonly bytes: number;
  readonly message: string;
}

function findMisfit(
  size: EnsembleSize,
  options: ChooseStorageOptions & { readonly kind: StorageKind },
): Misfit | undefined {
  const { limits, memoryBytes } = options;
  const steps = size.mostSteps ?? Math.max(...size.steps);
  const sizes = sizeOfModels(size, options);
  const own = sizes.words(steps);
  const words = (name: BufferName) => own[name] + sizes.shared[name];
  const largest = BUFFER_NAMES.reduce((a, b) => words(b) > words(a) ? b : a);
  const bytes = 4 * BUFFER_NAMES.reduce((sum, name) => sum + words(name), 0);
  const turns = loopTurns(options.kind, {
    ...size,
    batchRows: batchRowsOf(size),
    steps,
  });
  const what = `Cannot train a model of H = ${size.hiddenSize}, T = ${steps}`;
  const binding = bindingLimit(limits);
  if (4 * words(largest) > binding.bytes) {
    return {
      bytes,
      message: `${what} on this adapter: its buffer "${largest}" takes ${
        megabytes(4 * words(largest))
      }, and ${binding.name} is ${megabytes(binding.bytes)}${
        GROWS_WITH_BATCH.includes(largest)
          ? "; smaller batches ([run] batch_size) take less"
          : ""
      }`,
    };
  }
  if (options.software && turns > MOST_TURNS) {
    return {
      bytes,
      message:
        `${what} with batches of ${size.batchSize} on a software adapter: its loops end after ${MOST_TURNS} turns, and up to ${turns} are needed; use smaller batches ([run] batch_size), or --device cpu`,
    };
  }
  if (bytes <= memoryBytes) return undefined;
  return {
    bytes,
    message: `${what}: it takes ${
      megabytes(bytes)
    }, and the memory for an ensemble is ${megabytes(memoryBytes)}`,
  };
}

/**
 * How an experiment is computed on an adapter: the way of keeping weights, decided
 * here and nowhere else, and the groups of runs that fit the device.
 *
 * The rule: the way of the least estimated cost, of those in which the largest
 * model of the experiment fits. It depends on the network and on the adapter, not
 * on how many models train together, so that a run repeats.
 *
 * @module
 */

import type { EnsembleShape } from "../engine/ensemble.ts";
import { countBlocks } from "../graph/blocks.ts";
import { countConnections } from "../graph/connections.ts";
import { blockFormat, canNumberBlocks } from "./blocks/block_format.ts";
import { denseFormat } from "./dense/dense_format.ts";
import {
  type BatchPlace,
  type Layout,
  makeLayout,
  MODEL_BUFFERS,
  type ModelWords,
  modelWords,
  planBatches,
} from "./layout.ts";
import type {
  AdapterLimits,
  ConnectionCount,
  FormatName,
  WeightFormat,
} from "./weight_format.ts";

/** What there is to plan by besides the experiment. */
export interface PlanOptions {
  readonly limits: AdapterLimits;
  /** Bytes that one ensemble may take. */
  readonly memoryBytes: number;
  /** The way of keeping weights to take, if it fits. */
  readonly format?: FormatName | undefined;
  /** False: a dispatch a time step, even where all fit one. */
  readonly allSteps?: boolean | undefined;
}

/** How an experiment is computed. */
export interface GpuDecision {
  /** The way of keeping weights. */
  readonly way: FormatName;
  /** The way of keeping weights, for batches of those sizes. */
  formatFor(batches: readonly BatchPlace[]): WeightFormat;
  readonly groups: readonly (readonly number[])[];
  readonly bytes: readonly number[];
  readonly reason: string;
}

/**
 * Cost of an entry beside one of a whole matrix, all three products together:
 * on an H200, batches of 128, an epoch of 120 models takes 7.8 ms with whole
 * matrices of 220 units, and with blocks 4.9 ms where 21 % of them exist (scaled
 * to that size), 11.3 ms where 64 % do: they are even at 40 %. Single connections
 * take 9.3 ms where 16 % of all exist, 19.5 ms where 48 % do.
 */
const COSTS: Record<FormatName, number> = {
  dense: 1,
  blocks: 2.5,
  connections: 6,
};

const FORMATS: readonly FormatName[] = ["dense", "blocks", "connections"];

const WORDS: Record<FormatName, string> = {
  dense: "whole matrices",
  blocks: "blocks of 4 × 4 weights",
  connections: "single connections",
};

/**
 * Chooses a format and cuts runs into groups, in their order, so that every buffer
 * of a group can be bound and all of them together keep within the memory.
 *
 * @throws {RangeError} If a single model does not fit in any way; names the limit and the size.
 */
export function planOnGpu(
  shape: EnsembleShape,
  options: PlanOptions,
): GpuDecision {
  const layout = makeLayout(shape, planBatches(shape));
  const count = countOf(shape);
  const { format, because } = chooseFormat(shape, {
    ...options,
    layout,
    count,
  });
  const { limits, memoryBytes } = options;
  const weights = format.words(withRoom(shape, count));
  const binding = bindingLimit(limits);
  const mostModels = limits.maxComputeWorkgroupsPerDimension!;
  const groups: number[][] = [];
  const bytes: number[] = [];
  let used: ModelWords | undefined;
  let limitedBy: string | undefined;
  for (const [run, steps] of shape.steps.entries()) {
    const words = modelWords(format.layout, { steps, weights });
    // The lists of a topology are there once, whichever of its models they are for.
    const more = used !== undefined && shape.ownTopologies !== true
      ? { ...words, lists: 0 }
      : words;
    let reason: string | undefined;
    if (used !== undefined) {
      const sums = used;
      const name = MODEL_BUFFERS.find((name) =>
        4 * (sums[name] + more[name]) > binding.bytes
      );
      if (name !== undefined) {
        reason = `${binding.name} of ${megabytes(binding.bytes)} (${name})`;
      } else if (bytes.at(-1)! + bytesOf(more) > memoryBytes) {
        reason = `${megabytes(memoryBytes)} for an ensemble`;
      } else if (groups.at(-1)!.length === mostModels) {
        reason = `maxComputeWorkgroupsPerDimension of ${mostModels}`;
      }
    }
    if (used === undefined || reason !== undefined) {
      limitedBy ??= reason;
      groups.push([run]);
      bytes.push(bytesOf(words));
      used = { ...words };
    } else {
      groups.at(-1)!.push(run);
      bytes[bytes.length - 1]! += bytesOf(more);
      for (const name of MODEL_BUFFERS) used[name] += more[name];
    }
  }
  const extent = limitedBy === undefined
    ? "all models fit in one ensemble"
    : `limited by ${limitedBy}`;
  return {
    way: format.name,
    formatFor: (batches) =>
      formatOf(format.name, { ...options, layout: makeLayout(shape, batches) }),
    groups,
    bytes,
    reason: `${WORDS[format.name]}${because}; ${extent}`,
  };
}

/** Of several networks the most of each. */
function countOf(
  { connections, others = [] }: EnsembleShape,
): ConnectionCount {
  const all = [connections, ...others];
  return {
    connections: Math.max(...all.map(countConnections)),
    blocks: Math.max(...all.map((each) => countBlocks(each, 4))),
  };
}

/**
 * Blocks to make room for: where each model has a random topology of its own,
 * their number scatters about the expected one, less than if each block were
 * there or not by itself. Six standard deviations, as one model is what is known,
 * leave hardly one out.
 */
function withRoom(
  { hiddenSize, ownTopologies }: EnsembleShape,
  { connections, blocks }: ConnectionCount,
): ConnectionCount {
  if (!ownTopologies) return { connections, blocks };
  const possible = Math.ceil(hiddenSize / 4) ** 2;
  const deviation = Math.sqrt(blocks * Math.max(0, 1 - blocks / possible));
  return {
    connections,
    blocks: Math.min(possible, Math.ceil(blocks + 6 * deviation)),
  };
}

function chooseFormat(
  shape: EnsembleShape,
  options: PlanOptions & {
    readonly layout: Layout;
    readonly count: ConnectionCount;
  },
): { readonly format: WeightFormat; readonly because: string } {
  const { layout, count, format: asked = shape.way } = options;
  const { connections, blocks } = count;
  const cost: Record<FormatName, number> = {
    dense: COSTS.dense * shape.hiddenSize ** 2,
    blocks: COSTS.blocks * 16 * blocks,
    connections: COSTS.connections * connections,
  };
  const ranked = FORMATS.filter((name) => asked === undefined || name === asked)
    .filter((name) => name !== "blocks" || canNumberBlocks(layout))
    .toSorted((a, b) => cost[a] - cost[b]);
  if (ranked.length === 0) {
    throw new RangeError(
      `Cannot store the weights of ${shape.hiddenSize} units as blocks: there are too many columns of blocks to number`,
    );
  }
  let misfit: Misfit | undefined;
  for (const name of ranked) {
    const format = formatOf(name, options);
    const problem = findMisfit(shape, { ...options, format });
    if (problem === undefined) {
      const because = options.format !== undefined
        ? ", as asked for"
        : name !== ranked[0]
        ? `, as ${WORDS[ranked[0]!]} are too much for the device`
        : `, as ${describeDensity(shape, { name, count })}`;
      return { format, because };
    }
    if (misfit === undefined || problem.bytes < misfit.bytes) misfit = problem;
  }
  throw new RangeError(misfit!.message);
}

/** The way of keeping weights of that name. */
export function formatOf(
  name: FormatName,
  { layout, limits, allSteps = true }: {
    readonly layout: Layout;
    readonly limits: AdapterLimits;
    readonly allSteps?: boolean | undefined;
  },
): WeightFormat {
  return name === "dense"
    ? denseFormat(layout, { limits, allSteps })
    : blockFormat(layout, { name, limits });
}

function describeDensity(
  { hiddenSize }: EnsembleShape,
  { name, count: { connections, blocks } }: {
    readonly name: FormatName;
    readonly count: ConnectionCount;
  },
): string {
  const percent = (share: number) =>
    `${Number((100 * share).toPrecision(2))} %`;
  if (name === "connections") {
    return `${percent(connections / hiddenSize ** 2)} of all possible exist`;
  }
  const share = blocks / Math.ceil(hiddenSize / 4) ** 2;
  return name === "dense"
    ? `${percent(share)} of their blocks of 4 × 4 hold a connection`
    : `${percent(share)} of them hold a connection`;
}

/** Why the largest model does not fit. */
interface Misfit {
  readonly bytes: number;
  readonly message: string;
}

function findMisfit(
  shape: EnsembleShape,
  { limits, memoryBytes, format, count }: {
    readonly limits: AdapterLimits;
    readonly memoryBytes: number;
    readonly format: WeightFormat;
    readonly count: ConnectionCount;
  },
): Misfit | undefined {
  const steps = shape.mostSteps ?? Math.max(...shape.steps);
  const weights = format.words(withRoom(shape, count));
  const words = modelWords(format.layout, { steps, weights });
  const largest = MODEL_BUFFERS.reduce((a, b) => words[b] > words[a] ? b : a);
  const what = `Cannot train a model of H = ${shape.hiddenSize}, T = ${steps}`;
  const binding = bindingLimit(limits);
  if (4 * words[largest] > binding.bytes) {
    const smaller = largest === "state" || largest === "delta"
      ? "; smaller batches ([run] batch_size) take less"
      : "";
    return {
      bytes: bytesOf(words),
      message: `${what} on this adapter: its buffer "${largest}" takes ${
        megabytes(4 * words[largest])
      }, and ${binding.name} is ${megabytes(binding.bytes)}${smaller}`,
    };
  }
  if (bytesOf(words) <= memoryBytes) return undefined;
  return {
    bytes: bytesOf(words),
    message: `${what}: it takes ${
      megabytes(bytesOf(words))
    }, and the memory for an ensemble is ${megabytes(memoryBytes)}`,
  };
}

function bytesOf(words: ModelWords): number {
  return 4 * MODEL_BUFFERS.reduce((sum, name) => sum + words[name], 0);
}

/** Bytes of as many numbers as the kernels' 32-bit offsets can count. */
const OFFSET_BYTES = 4 * 2 ** 32;

/** Bytes of the largest buffer that can be bound, and the limit that says so. */
export function bindingLimit(
  limits: AdapterLimits,
): { readonly bytes: number; readonly name: string } {
  const name = limits.maxStorageBufferBindingSize! <= limits.maxBufferSize!
    ? "maxStorageBufferBindingSize"
    : "maxBufferSize";
  if (limits[name]! > OFFSET_BYTES) {
    return { bytes: OFFSET_BYTES, name: "the reach of 32-bit offsets" };
  }
  return { bytes: limits[name]!, name };
}

/** "1.5 MiB" */
function megabytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(bytes < 10 * 2 ** 20 ? 1 : 0)} MiB`;
}

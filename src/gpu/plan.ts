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

import type { EnsembleShape, Plan } from "../engine/ensemble.ts";
import { countBlocks, countConnections } from "../graph/connections.ts";
import { plural } from "../text/words.ts";
import { blockFormat, canNumberBlocks } from "./blocks/block_format.ts";
import { denseFormat } from "./dense/dense_format.ts";
import {
  type BatchPlace,
  type Layout,
  MODEL_BUFFERS,
  type ModelWords,
  modelWords,
  planBatches,
  type WeightWords,
} from "./layout.ts";
import type {
  AdapterLimits,
  ConnectionCount,
  FormatName,
  FormatOptions,
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

/** What an engine's plan says, and the way of keeping weights for batches of certain sizes. */
export interface GpuDecision
  extends Required<Pick<Plan, "way" | "groups" | "bytes" | "reason">> {
  formatFor(batches: readonly BatchPlace[]): WeightFormat;
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

/** Why a model whose states lie in ranges trains by itself. */
const RANGED = "ranges";

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
  const count = countOf(shape);
  const { format, because } = chooseFormat(shape, options, count);
  const { limits, memoryBytes } = options;
  const { ranged, stretch } = format.layout;
  const weights = format.words(withRoom(shape, count));
  const probe = probeBytes(shape, format, weights);
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
      ? { ...words, lists: 0, back: 0 }
      : words;
    let reason: string | undefined;
    if (used !== undefined) {
      const sums = used;
      const name = MODEL_BUFFERS.find((name) =>
        4 * (sums[name] + more[name]) > binding.bytes
      );
      if (ranged) {
        reason = RANGED;
      } else if (name !== undefined) {
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
      bytes.push(bytesOf(words) + probe);
      used = { ...words };
    } else {
      groups.at(-1)!.push(run);
      bytes[bytes.length - 1]! += bytesOf(more);
      for (const name of MODEL_BUFFERS) used[name] += more[name];
    }
  }
  const extent = limitedBy === undefined
    ? "all models fit in one ensemble"
    : limitedBy === RANGED
    ? "one model at a time"
    : `limited by ${limitedBy}`;
  const states = ranged
    ? `; states in stretches of ${
      plural(stretch, "time step")
    }, as all take more than the ${binding.name} of ${megabytes(binding.bytes)}`
    : "";
  return {
    way: format.name,
    formatFor: (batches) =>
      formatOf(format.name, {
        ...options,
        size: shape,
        batches,
        ranged,
        stretch,
        mostSteps: mostSteps(shape),
      }),
    groups,
    bytes,
    reason: `${WORDS[format.name]}${because}${states}; ${extent}`,
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
  options: PlanOptions,
  count: ConnectionCount,
): { readonly format: WeightFormat; readonly because: string } {
  const { format: asked = shape.way } = options;
  const { connections, blocks } = count;
  const cost: Record<FormatName, number> = {
    dense: COSTS.dense * shape.hiddenSize ** 2,
    blocks: COSTS.blocks * 16 * blocks,
    connections: COSTS.connections * connections,
  };
  const ranked = FORMATS.filter((name) => asked === undefined || name === asked)
    .filter((name) => name !== "blocks" || canNumberBlocks(shape))
    .toSorted((a, b) => cost[a] - cost[b]);
  if (ranked.length === 0) {
    throw new RangeError(
      `Cannot store the weights of ${shape.hiddenSize} units as blocks: there are too many columns of blocks to number`,
    );
  }
  let misfit: Misfit | undefined;
  for (const name of ranked) {
    const format = fitStates(name, shape, options);
    const problem = findMisfit(shape, { ...options, format, count });
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
  options: FormatOptions,
): WeightFormat {
  return name === "dense" ? denseFormat(options) : blockFormat(name, options);
}

/** The way of that name, with its states in ranges where all at once could not be bound. */
function fitStates(
  name: FormatName,
  shape: EnsembleShape,
  options: PlanOptions,
): WeightFormat {
  const of = { ...options, size: shape, batches: planBatches(shape) };
  const format = formatOf(name, of);
  return slotsBytes(format.layout, mostSteps(shape)) <=
      bindingLimit(options.limits).bytes
    ? format
    : formatOf(name, { ...of, ranged: true });
}

function mostSteps(shape: EnsembleShape): number {
  return shape.mostSteps ?? Math.max(...shape.steps);
}

/** Bytes of so many steps of a model in the larger one of state and delta. */
function slotsBytes({ slot, units, vectors }: Layout, steps: number): number {
  return 16 * vectors * (steps + 1) * Math.max(slot, units);
}

/** Bytes that an ensemble needs to show one model's batch. */
function probeBytes(
  shape: EnsembleShape,
  { layout }: WeightFormat,
  { places }: WeightWords,
): number {
  return 4 * places +
    16 * mostSteps(shape) * layout.outputSize * layout.vectors;
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
  const steps = mostSteps(shape);
  const weights = format.words(withRoom(shape, count));
  const words = modelWords(format.layout, { steps, weights });
  const bytes = bytesOf(words) + probeBytes(shape, format, weights);
  const what = `Cannot train a model of H = ${shape.hiddenSize}, T = ${steps}`;
  const smaller = "; smaller batches ([run] batch_size) take less";
  const binding = bindingLimit(limits);
  const { ranged, stretch } = format.layout;
  const bound = { ...words };
  if (ranged) {
    bound.state = bound.delta = slotsBytes(format.layout, stretch) / 4;
  }
  const largest = MODEL_BUFFERS.reduce((a, b) => bound[b] > bound[a] ? b : a);
  if (4 * bound[largest] > binding.bytes) {
    const isState = largest === "state" || largest === "delta";
    return {
      bytes,
      message: `${what} on this adapter: ${
        isState
          ? "its states before and after one time step take"
          : `its buffer "${largest}" takes`
      } ${megabytes(4 * bound[largest])}, and ${binding.name} is ${
        megabytes(binding.bytes)
      }${isState ? smaller : ""}`,
    };
  }
  if (bytes <= memoryBytes) return undefined;
  const states = 4 * (words.state + words.delta);
  return {
    bytes,
    message: `${what}: it takes ${
      megabytes(bytes)
    }, and the memory for an ensemble is ${megabytes(memoryBytes)}${
      states > bytes / 2 ? smaller : ""
    }`,
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

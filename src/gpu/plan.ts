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
  type AdapterLimits,
  type FormatOptions,
  type Layout,
  MODEL_BUFFERS,
  type ModelWords,
  modelWords,
  planBatches,
} from "./layout.ts";
import type {
  ConnectionCount,
  FormatName,
  WeightFormat,
} from "./weight_format.ts";

/** What there is to plan by besides the experiment. */
export interface PlanOptions
  extends Pick<FormatOptions, "limits" | "allSteps"> {
  /** Bytes that one ensemble may take. */
  readonly memoryBytes: number;
  /** The way of keeping weights to take, if it fits. */
  readonly format?: FormatName | undefined;
}

/**
 * The ways: in words, what their density means, and the cost of an entry beside one
 * of a whole matrix, all three products together. On an H200, batches of 128, an epoch of 120 models
 * takes 7.8 ms with whole matrices of 220 units, and with blocks 4.9 ms where 21 %
 * of them exist (scaled to that size), 11.3 ms where 64 % do: they are even at 40 %.
 * Single connections take 9.3 ms where 16 % of all exist, 19.5 ms where 48 % do.
 */
const FORMATS: Readonly<
  Record<FormatName, { words: string; cost: number; density: string }>
> = {
  dense: {
    words: "whole matrices",
    cost: 1,
    density: "of their blocks of 4 × 4 hold a connection",
  },
  blocks: {
    words: "blocks of 4 × 4 weights",
    cost: 2.5,
    density: "of them hold a connection",
  },
  connections: {
    words: "single connections",
    cost: 6,
    density: "of all possible exist",
  },
};

/**
 * Chooses a format and cuts runs into groups, in their order, so that every buffer
 * of a group can be bound and all of them together keep within the memory. Returns
 * what an engine's plan says, and what keeps weights for batches of certain sizes.
 *
 * @throws {RangeError} If a single model does not fit in any way; names the limit and the size.
 */
export function planOnGpu(
  shape: EnsembleShape,
  options: PlanOptions,
):
  & Pick<Plan, "way" | "groups" | "bytes" | "reason">
  & { formatFor(batches: FormatOptions["batches"]): WeightFormat } {
  const { limits, memoryBytes } = options;
  const { need, because } = chooseFormat(shape, options);
  const { name, layout: { ranged, stretch } } = need.format;
  const binding = bindingLimit(limits);
  const bound = `${binding.name} of ${megabytes(binding.bytes)}`;
  const mostModels = limits.maxComputeWorkgroupsPerDimension!;
  const groups: { runs: number[]; bytes: number; words: ModelWords }[] = [];
  let limitedBy: string | undefined;
  /** Why a model that takes so many words more can't join a group. */
  const findLimit = (
    { runs, bytes, words }: typeof groups[number],
    more: ModelWords,
  ) => {
    if (ranged) return "one model at a time";
    const name = MODEL_BUFFERS.find((name) =>
      4 * (words[name] + more[name]) > binding.bytes
    );
    if (name !== undefined) return `limited by ${bound} (${name})`;
    if (bytes + bytesOf(more) > memoryBytes) {
      return `limited by ${megabytes(memoryBytes)} for an ensemble`;
    }
    return runs.length < mostModels
      ? undefined
      : `limited by maxComputeWorkgroupsPerDimension of ${mostModels}`;
  };
  for (const [run, steps] of shape.steps.entries()) {
    const words = need.words(steps);
    // The lists of a topology are there once, whichever of its models they are for.
    const more = shape.ownTopologies ? words : { ...words, lists: 0, back: 0 };
    const group = groups.at(-1);
    const limit = group && findLimit(group, more);
    if (group === undefined || limit !== undefined) {
      limitedBy ??= limit;
      const bytes = bytesOf(words) + need.probeBytes;
      groups.push({ runs: [run], bytes, words: { ...words } });
    } else {
      group.runs.push(run);
      group.bytes += bytesOf(more);
      for (const name of MODEL_BUFFERS) group.words[name] += more[name];
    }
  }
  const states = ranged
    ? `; states in stretches of ${
      plural(stretch, "time step")
    }, as all take more than the ${bound}`
    : "";
  const extent = limitedBy ?? "all models fit in one ensemble";
  return {
    way: name,
    formatFor: (batches) =>
      formatOf(name, {
        ...options,
        size: shape,
        batches,
        ranged,
        stretch,
        mostSteps: mostSteps(shape),
      }),
    groups: groups.map(({ runs }) => runs),
    bytes: groups.map(({ bytes }) => bytes),
    reason: `${FORMATS[name].words}${because}${states}; ${extent}`,
  };
}

/** The way of keeping weights of that name. */
export function formatOf(
  name: FormatName,
  options: FormatOptions,
): WeightFormat {
  return name === "dense" ? denseFormat(options) : blockFormat(name, options);
}

function chooseFormat(
  shape: EnsembleShape,
  options: PlanOptions,
) {
  const { format: asked = shape.way } = options;
  // Of several networks the most of each.
  const networks = [shape.connections, ...shape.others ?? []];
  const count = {
    connections: Math.max(...networks.map(countConnections)),
    blocks: Math.max(...networks.map((each) => countBlocks(each, 4))),
  };
  const entries = {
    dense: shape.hiddenSize ** 2,
    blocks: 16 * count.blocks,
    connections: count.connections,
  };
  const cost = (name: FormatName) => FORMATS[name].cost * entries[name];
  const ranked = (Object.keys(FORMATS) as FormatName[]).filter((name) =>
    (asked === undefined || name === asked) &&
    (name !== "blocks" || canNumberBlocks(shape))
  ).toSorted((a, b) => cost(a) - cost(b));
  if (ranked.length === 0) {
    throw new RangeError(
      `Cannot store the weights of ${shape.hiddenSize} units as blocks: there are too many columns of blocks to number`,
    );
  }
  const needs = ranked.map((name) => needOf(name, shape, options, count));
  const need = needs.find(({ problem }) => problem === undefined);
  if (need === undefined) {
    const least = needs.reduce((a, b) => b.bytes < a.bytes ? b : a);
    throw new RangeError(least.problem);
  }
  const { name } = need.format;
  let because = `, as ${describeDensity(name, shape, count)}`;
  if (options.format !== undefined) {
    because = ", as asked for";
  } else if (name !== ranked[0]) {
    const { words } = FORMATS[ranked[0]!];
    because = `, as ${words} are too much for the device`;
  }
  return { need, because };
}

/** What a way takes, with the states in ranges where all at once could not be bound. */
function needOf(
  name: FormatName,
  shape: EnsembleShape,
  options: PlanOptions,
  count: ConnectionCount,
) {
  const { limits, memoryBytes } = options;
  const binding = bindingLimit(limits);
  const steps = mostSteps(shape);
  const of = { ...options, size: shape, batches: planBatches(shape) };
  let format = formatOf(name, of);
  if (slotsBytes(format.layout, steps) > binding.bytes) {
    format = formatOf(name, { ...of, ranged: true });
  }
  const { layout } = format;
  const weights = format.words(withRoom(shape, count));
  const words = (steps: number) => modelWords(layout, { steps, weights });
  const model = words(steps);
  const probeBytes = 4 * weights.places +
    16 * steps * layout.outputSize * layout.vectors;
  const bytes = bytesOf(model) + probeBytes;
  const states = 4 * (model.state + model.delta);
  const what = `Cannot train a model of H = ${shape.hiddenSize}, T = ${steps}`;
  const smaller = "; smaller batches ([run] batch_size) take less";
  const bound = { ...model };
  if (layout.ranged) {
    bound.state = bound.delta = slotsBytes(layout, layout.stretch) / 4;
  }
  const largest = MODEL_BUFFERS.reduce((a, b) => bound[b] > bound[a] ? b : a);
  let problem: string | undefined;
  if (4 * bound[largest] > binding.bytes) {
    const isState = largest === "state" || largest === "delta";
    const parts = isState
      ? "its states before and after one time step take"
      : `its buffer "${largest}" takes`;
    problem = `${what} on this adapter: ${parts} ${
      megabytes(4 * bound[largest])
    }, and ${binding.name} is ${megabytes(binding.bytes)}${
      isState ? smaller : ""
    }`;
  } else if (bytes > memoryBytes) {
    problem = `${what}: it takes ${
      megabytes(bytes)
    }, and the memory for an ensemble is ${megabytes(memoryBytes)}${
      states > bytes / 2 ? smaller : ""
    }`;
  }
  return {
    format,
    /** Words of a model of so many time steps. */
    words,
    /** Bytes that an ensemble needs to show one model's batch. */
    probeBytes,
    /** Bytes of an ensemble of the largest model alone. */
    bytes,
    /** Why that does not fit, as a sentence. */
    problem,
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

function mostSteps(shape: EnsembleShape): number {
  return shape.mostSteps ?? Math.max(...shape.steps);
}

/** Bytes of so many steps of a model in the larger one of state and delta. */
function slotsBytes({ slot, units, vectors }: Layout, steps: number): number {
  return 16 * vectors * (steps + 1) * Math.max(slot, units);
}

function describeDensity(
  name: FormatName,
  { hiddenSize }: EnsembleShape,
  { connections, blocks }: ConnectionCount,
): string {
  const share = name === "connections"
    ? connections / hiddenSize ** 2
    : blocks / Math.ceil(hiddenSize / 4) ** 2;
  return `${Number((100 * share).toPrecision(2))} % ${FORMATS[name].density}`;
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

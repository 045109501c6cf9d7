/**
 * Small random runs for the tests of the engines.
 *
 * @module
 */

import type {
  EnsembleSpec,
  LossName,
  ModelRun,
} from "../../src/engine/ensemble.ts";
import { checkSpec, shapeOf } from "../../src/engine/create_ensemble.ts";
import type { WatchedDevice } from "../../src/gpu/device.ts";
import { createGpuEnsemble, type GpuEnsemble } from "../../src/gpu/engine.ts";
import { formatOf, planOnGpu } from "../../src/gpu/plan.ts";
import type { AdapterLimits } from "../../src/gpu/layout.ts";
import type { FormatName } from "../../src/gpu/weight_format.ts";
import { createStream, type RandomStream } from "../../src/random/stream.ts";
import {
  connectedValues,
  type Connections,
  listConnections,
} from "../../src/graph/connections.ts";

/** Sizes of an example; all but H have small defaults. */
export interface ExampleSize {
  readonly hiddenSize: number;
  readonly inputSize?: number;
  readonly loss?: LossName;
  /** O where the loss is "nll", default 3. */
  readonly classes?: number;
  /** T of each run. */
  readonly steps?: readonly number[];
  readonly trainBatches?: readonly number[];
  readonly validateBatches?: readonly number[];
  readonly density?: number;
  /** Whether all runs have the connections of the first; default false. */
  readonly oneTopology?: boolean;
  readonly learningRate?: number;
}

/** A way in which the kernels are put together. */
export interface Way {
  readonly format?: FormatName;
  readonly allSteps?: boolean;
  /** Limits to take the adapter's for. */
  readonly limits?: AdapterLimits;
  /** Time steps of a stretch, and whether each has buffers of its own: those are for one model alone. */
  readonly stretch?: number;
  readonly ranged?: boolean;
  readonly historyBytes?: number;
  readonly submitWork?: number;
  readonly profile?: "all" | "sample";
}

/** What every WebGPU adapter grants. */
export const DEFAULT_LIMITS: AdapterLimits = {
  maxStorageBufferBindingSize: 2 ** 27,
  maxBufferSize: 2 ** 28,
  maxComputeWorkgroupsPerDimension: 65_535,
  maxComputeWorkgroupStorageSize: 16_384,
  maxComputeInvocationsPerWorkgroup: 256,
};

/** Every way of keeping weights on the device. */
export const FORMATS: readonly FormatName[] = [
  "dense",
  "blocks",
  "connections",
];

/** All ways in which the kernels of products are put together. */
export const WAYS: readonly (Way & { readonly name: string })[] = [
  { name: "whole matrices, all steps at once", format: "dense" },
  {
    name: "whole matrices, a step at a time",
    format: "dense",
    allSteps: false,
  },
  { name: "blocks", format: "blocks" },
  {
    name: "blocks, little workgroup memory",
    format: "blocks",
    limits: { ...DEFAULT_LIMITS, maxComputeWorkgroupStorageSize: 256 },
  },
  { name: "single connections", format: "connections" },
];

/** An ensemble on a device, computed in that way. */
export async function createInWay(
  gpu: WatchedDevice,
  spec: EnsembleSpec,
  { limits = gpu.adapter.limits, ...way }: Way = {},
): Promise<GpuEnsemble> {
  const shape = shapeOf(spec);
  checkSpec({ ...shape, ...spec });
  const { formatFor } = planOnGpu(shape, {
    memoryBytes: 2 ** 31,
    limits,
    ...way,
  });
  return await createGpuEnsemble(gpu, { ...shape, ...spec }, {
    ...way,
    formatFor(batches) {
      const planned = formatFor(batches);
      if (way.stretch === undefined) return planned;
      return formatOf(planned.name, { ...way, size: spec, batches, limits });
    },
  });
}

const ACTIVATIONS = ["tanh", "relu"] as const;
const OPTIMIZERS = ["Adam", "RMSprop", "SGD"] as const;

function numbers(
  stream: RandomStream,
  count: number,
  bound: number,
): Float32Array {
  return Float32Array.from(
    { length: count },
    () => (2 * stream.uniform() - 1) * bound,
  );
}

/** Runs that differ in activation, optimizer, steps, mask, weights and data. */
export function exampleSpec(size: ExampleSize): EnsembleSpec {
  const { hiddenSize, inputSize = 2, loss = "mse", steps = [5] } = size;
  const outputSize = loss === "mse" ? 1 : size.classes ?? 3;
  const sizes = { ...size, hiddenSize, inputSize, outputSize, loss, steps };
  const runs: ModelRun[] = [];
  for (const iteration of steps.keys()) {
    const connections = size.oneTopology ? runs[0]?.connections : undefined;
    runs.push(exampleRun(sizes, { iteration, connections }));
  }
  return { hiddenSize, inputSize, outputSize, loss, runs };
}

function exampleRun(
  size:
    & ExampleSize
    & Required<Pick<ExampleSize, "inputSize" | "loss" | "steps">>
    & { readonly outputSize: number },
  { iteration, connections: given }: {
    readonly iteration: number;
    readonly connections: Connections | undefined;
  },
): ModelRun {
  const {
    hiddenSize: h,
    inputSize,
    outputSize,
    loss,
    trainBatches = [6, 6, 3],
    validateBatches = [4],
    density = 0.6,
    learningRate = 0.01,
  } = size;
  const steps = size.steps[iteration] as number;
  const stream = createStream({ seed: 7, purpose: "weights", iteration });
  const mask = Uint8Array.from(
    { length: h * h },
    () => stream.uniform() < density ? 1 : 0,
  );
  const bound = 1 / Math.sqrt(h);
  const connections = given ??
    listConnections({ receivers: h, senders: h }, mask);
  const weightHh = connectedValues(
    connections,
    numbers(stream, h * h, bound),
  );
  const trialCount = [...trainBatches, ...validateBatches].reduce(
    (a, b) => a + b,
    0,
  );
  const order = stream.permutation(trialCount);
  let next = 0;
  const take = (count: number) => order.slice(next, next += count);
  return {
    label: `iteration ${iteration}`,
    activation: ACTIVATIONS[iteration % 2]!,
    optimizer: OPTIMIZERS[iteration % 3]!,
    learningRate: learningRate * (1 + iteration / 10),
    trainRecurrent: iteration % 5 !== 4,
    connections,
    initial: {
      weightIh: numbers(stream, h * inputSize, bound),
      weightHh,
      biasIh: numbers(stream, h, bound),
      biasHh: numbers(stream, h, bound),
      weightFc: numbers(stream, outputSize * h, bound),
      biasFc: numbers(stream, outputSize, bound),
    },
    trials: {
      trialCount,
      steps,
      inputSize,
      inputs: numbers(stream, trialCount * steps * inputSize, 1),
      // The last third of the steps is scored.
      targets: Float32Array.from({ length: trialCount * steps }, (_, i) => {
        if (i % steps < Math.floor(2 * steps / 3)) return 0;
        return loss === "mse"
          ? stream.uniform()
          : 1 + stream.integer(outputSize - 1);
      }),
      trainBatches: trainBatches.map(take),
      validateBatches: validateBatches.map(take),
    },
  };
}

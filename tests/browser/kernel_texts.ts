/**
 * The kernels of ensembles as they are in use: of each size, loss and way of
 * putting them together, without the models.
 *
 * @module
 */

import type { EnsembleSpec, ModelRun } from "../../src/engine/ensemble.ts";
import { createDispatches } from "../../src/gpu/create_dispatches.ts";
import { createStorage } from "../../src/gpu/create_storage.ts";
import { type KernelName, kernelText } from "../../src/gpu/kernels.ts";
import type { AdapterLimits } from "../../src/gpu/limits.ts";
import { placeBatches } from "../../src/gpu/pack_trials.ts";
import type { TimeVariant } from "../../src/gpu/dense/sequence_tile.ts";
import { kernelConstants } from "../../src/gpu/step_plan.ts";
import type { StorageKind } from "../../src/gpu/storage.ts";

/** A kernel with its constants put in. */
export interface KernelVariant {
  readonly name: KernelName;
  readonly text: string;
  /** The ensemble that it is for. */
  readonly of: string;
}

const HIDDEN_SIZES = [1, 37, 116, 220, 20_000];

/** Those of the tasks: seq_mem, nback_mem, pic_latent_mem, pic_mem. */
const TASK_SIZES = [
  { inputSize: 2, outputSize: 1, loss: "mse" },
  { inputSize: 2, outputSize: 3, loss: "nll" },
  { inputSize: 51, outputSize: 3, loss: "nll" },
  { inputSize: 785, outputSize: 3, loss: "nll" },
] as const;

/** The ways in which kernels are put together. */
export const WAYS: readonly {
  readonly kind: StorageKind;
  readonly software: boolean;
  readonly variant?: TimeVariant;
}[] = [
  { kind: "dense", software: true },
  { kind: "dense", software: false, variant: "steps" },
  { kind: "dense", software: false, variant: "sequence" },
  { kind: "blocks", software: true },
  { kind: "blocks", software: false },
  { kind: "connections", software: true },
  { kind: "connections", software: false },
];

/** Runs that have sizes, and of all that training takes nothing else. */
function emptyRuns(hiddenSize: number, inputSize: number): ModelRun[] {
  const none = new Float32Array(0);
  // Each unit with itself: the texts do not depend on the connections.
  const numbers = Uint32Array.from({ length: hiddenSize + 1 }, (_, i) => i);
  const connections = {
    receivers: hiddenSize,
    senders: hiddenSize,
    start: numbers,
    sender: numbers.subarray(0, hiddenSize),
  };
  const batch = (size: number) => new Uint32Array(size);
  return [21, 11, 7].map((steps) => ({
    label: `${steps} steps`,
    activation: "tanh",
    optimizer: "Adam",
    learningRate: 0.001,
    trainRecurrent: true,
    connections,
    initial: {
      weightIh: none,
      weightHh: none,
      biasIh: none,
      biasHh: none,
      weightFc: none,
      biasFc: none,
    },
    trials: {
      trialCount: 500,
      steps,
      inputSize,
      inputs: none,
      targets: none,
      trainBatches: [128, 128, 128, 16].map(batch),
      validateBatches: [100].map(batch),
    },
  }));
}

/** All kernels of all those ensembles on a device with such limits, each text once. */
export function kernelVariants(limits: AdapterLimits): KernelVariant[] {
  const variants = new Map<string, KernelVariant>();
  for (const hiddenSize of HIDDEN_SIZES) {
    for (const task of TASK_SIZES) {
      const runs = emptyRuns(hiddenSize, task.inputSize);
      for (const way of WAYS) {
        for (const variant of variantsOf({ ...task, hiddenSize, runs }, way)) {
          variants.set(`${variant.name} ${variant.text}`, variant);
        }
      }
    }
  }
  return [...variants.values()];

  function variantsOf(
    spec: EnsembleSpec,
    { kind, software, variant }: typeof WAYS[number],
  ): KernelVariant[] {
    const { runs, loss, hiddenSize, inputSize, outputSize } = spec;
    const batches = placeBatches(runs[0]!.trials);
    const storage = createStorage(spec, {
      runs,
      batchRows: 128,
      trialCount: 500,
      software,
      variant,
      kind,
      // Nothing is stored, so that everything fits.
      limits: {
        ...limits,
        maxBufferSize: Infinity,
        maxStorageBufferBindingSize: Infinity,
      },
      memoryBytes: Infinity,
    });
    const dispatches = createDispatches(storage, { software, batches });
    const mostSteps = Math.max(...runs.map(({ trials }) => trials.steps));
    const of = [
      kind,
      software ? "software tiles" : "GPU tiles",
      ...(variant === undefined ? [] : [variant]),
      `H = ${hiddenSize}, I = ${inputSize}, O = ${outputSize}, ${loss}`,
    ].join(", ");
    return dispatches.kernels.map((name) => {
      const facts = {
        loss,
        storage,
        dispatches,
        mostSteps,
        models: runs.length,
        batches: batches.length,
      };
      return { name, text: kernelText(name, kernelConstants(name, facts)), of };
    });
  }
}

/**
 * The buffers of one ensemble on the device, and what is uploaded into them.
 *
 * @module
 */

import type { ModelRun } from "../engine/ensemble.ts";
import type { WatchedDevice } from "./device.ts";
import type { BoundBuffer } from "./kernels.ts";
import {
  BUFFER_NAMES,
  type BufferName,
  type Layout,
  modelWords,
} from "./layout.ts";
import { packBiases, packMatrix, packTrained } from "./pack_parameters.ts";
import {
  type BatchPlace,
  type PackedTrials,
  packTrials,
} from "./pack_trials.ts";
import { MODEL_FIELDS, structBytes, writeStruct } from "./structs.ts";

const LIMITS = ["maxStorageBufferBindingSize", "maxBufferSize"] as const;
const OPTIMIZERS = { Adam: 0, RMSprop: 1, SGD: 2 } as const;
const ACTIVATIONS = { tanh: 0, relu: 1 } as const;

/** First word of a model's part of each buffer. */
export type ModelOffsets = Record<BufferName, number>;

/** Buffers by name, and where each model's part begins. */
export interface EnsembleBuffers {
  readonly buffers: Readonly<Record<BoundBuffer, GPUBuffer>>;
  readonly offsets: readonly ModelOffsets[];
  /** Scored entries by model and batch. */
  readonly scored: readonly Uint32Array[];
  /** Slots of the loss history. */
  readonly historySlots: number;
}

/**
 * Creates and fills the buffers; `runs` in the order in which the kernels see them.
 *
 * @throws {RangeError} If a buffer is larger than the device allows, or a state cannot be gone on from.
 */
export function createBuffers(
  { device, adapter }: WatchedDevice,
  options: {
    readonly runs: readonly ModelRun[];
    readonly layout: Layout;
    readonly batches: readonly BatchPlace[];
    readonly historySlots: number;
  },
): EnsembleBuffers {
  const { runs, layout, batches, historySlots } = options;
  const trialCount = batches.reduce((sum, { size }) => sum + size, 0);
  const total = Object.fromEntries(
    BUFFER_NAMES.map((name) => [name, 0]),
  ) as ModelOffsets;
  const offsets = runs.map((run) => {
    const own = { ...total };
    const words = modelWords(layout, { steps: run.trials.steps, trialCount });
    for (const name of BUFFER_NAMES) total[name] += words[name];
    return own;
  });
  const mostSteps = runs[0]!.trials.steps;
  const sizes: Record<BoundBuffer, number> = {
    ...total,
    models: runs.length * structBytes(MODEL_FIELDS) / 4,
    inverseScored: runs.length * batches.length,
    stepSums: runs.length * mostSteps * 2,
    history: historySlots * runs.length * 2,
  };
  for (const [name, words] of Object.entries(sizes)) {
    for (const limit of LIMITS) {
      if (4 * words <= adapter.limits[limit]!) continue;
      throw new RangeError(
        `Cannot put ${runs.length} models on ${adapter.description}: their ${name} takes ${
          4 * words
        } bytes, and ${limit} is ${adapter.limits[limit]}`,
      );
    }
  }
  const buffers = Object.fromEntries(
    Object.entries(sizes).map(([name, words]) => [
      name,
      device.createBuffer({
        label: name,
        // Vectors of four are read to their end.
        size: Math.max(16, Math.ceil(words / 4) * 16),
        usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC |
          GPUBufferUsage.COPY_DST,
      }),
    ]),
  ) as Record<BoundBuffer, GPUBuffer>;

  const table = new DataView(
    new ArrayBuffer(runs.length * structBytes(MODEL_FIELDS)),
  );
  const scored: Uint32Array[] = [];
  for (const [m, run] of runs.entries()) {
    const trials = packTrials(run.trials);
    scored.push(trials.scored);
    const own = offsets[m]!;
    writeStruct(table, {
      fields: MODEL_FIELDS,
      offset: m * structBytes(MODEL_FIELDS),
      values: modelValues(run, { trials, offsets: own }),
    });
    const write = (name: BoundBuffer, word: number, data: BufferSource) =>
      device.queue.writeBuffer(buffers[name], word * 4, data);
    write("inputs", own.inputs, trials.inputs);
    write("targets", own.targets, trials.targets);
    write("inverseScored", m * batches.length, trials.inverseScored);
    const parameters = run.state?.parameters ?? run.initial;
    const { connections, trainRecurrent } = run;
    const places = { layout, connections };
    const matrix = packMatrix(parameters, places);
    write("parameters", own.parameters, matrix);
    write("biases", own.biases, packBiases(parameters, layout));
    write(
      "trained",
      own.trained,
      packTrained({ ...places, trainRecurrent }),
    );
    if (run.state !== undefined) {
      for (const name of ["firstMoment", "secondMoment"] as const) {
        const { biasIh, biasHh, ...rest } = run.state[name];
        if (biasIh.some((value, i) => value !== biasHh[i])) {
          throw new RangeError(
            `Cannot continue ${run.label}: the moments of its two biases differ, but their gradients are always equal`,
          );
        }
        // The matrix's bias column is a sum; moments are kept once.
        const once = {
          ...rest,
          biasIh,
          biasHh: new Float32Array(biasIh.length),
        };
        write(name, own[name], packMatrix(once, places));
      }
    }
  }
  device.queue.writeBuffer(buffers.models, 0, table);
  return { buffers, offsets, scored, historySlots };
}

function modelValues(
  run: ModelRun,
  options: { readonly trials: PackedTrials; readonly offsets: ModelOffsets },
): Record<keyof typeof MODEL_FIELDS, number> {
  const { trials, offsets } = options;
  return {
    steps: run.trials.steps,
    first_scored: trials.firstScored,
    activation: ACTIVATIONS[run.activation],
    optimizer: OPTIMIZERS[run.optimizer],
    learning_rate: run.learningRate,
    state_offset: offsets.state,
    delta_offset: offsets.delta,
    output_offset: offsets.outputDelta / 4,
    input_offset: offsets.inputs,
    target_offset: offsets.targets,
    unused_0: 0,
    unused_1: 0,
  };
}

/**
 * The buffers of one ensemble on the device, and what is uploaded into them.
 *
 * @module
 */

import type { ModelRun } from "../engine/ensemble.ts";
import type { WatchedDevice } from "./device.ts";
import type { BoundBuffer } from "./kernels.ts";
import { BUFFER_NAMES } from "./buffers.ts";
import { bindingLimit } from "./limits.ts";
import {
  type BatchPlace,
  type PackedTrials,
  packTrials,
} from "./pack_trials.ts";
import type { ModelOffsets, Storage } from "./storage.ts";
import {
  MODEL_FIELDS,
  type ModelFields,
  structBytes,
  writeStruct,
} from "./structs.ts";

const OPTIMIZERS = { Adam: 0, RMSprop: 1, SGD: 2 } as const;
const ACTIVATIONS = { tanh: 0, relu: 1 } as const;

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
    readonly storage: Storage;
    readonly batches: readonly BatchPlace[];
    /** Places in which the losses of a step are added up. */
    readonly lossTiles: number;
    readonly historySlots: number;
  },
): EnsembleBuffers {
  const { runs, storage, batches, lossTiles, historySlots } = options;
  const total = Object.fromEntries(
    BUFFER_NAMES.map((name) => [name, 0]),
  ) as ModelOffsets;
  const offsets = runs.map((_, place) => {
    const own = { ...total };
    const words = storage.words(place);
    for (const name of BUFFER_NAMES) total[name] += words[name];
    return own;
  });
  for (const name of BUFFER_NAMES) {
    total[name] += storage.sharedWords[name] ?? 0;
  }
  const mostSteps = runs[0]!.trials.steps;
  const sizes: Record<BoundBuffer, number> = {
    ...total,
    models: runs.length * structBytes(MODEL_FIELDS) / 4,
    inverseScored: runs.length * batches.length,
    stepSums: runs.length * mostSteps * lossTiles * 2,
    history: historySlots * runs.length * 2,
  };
  const binding = bindingLimit(adapter.limits);
  for (const [name, words] of Object.entries(sizes)) {
    if (4 * words <= binding.bytes) continue;
    throw new RangeError(
      `Cannot put ${runs.length} models on ${adapter.description}: their ${name} takes ${
        4 * words
      } bytes, and ${binding.name} is ${binding.bytes}`,
    );
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
      values: {
        ...modelValues(run, { trials, offsets: own }),
        ...storage.fields(m, own),
      },
    });
    const write = (name: BoundBuffer, word: number, data: BufferSource) =>
      device.queue.writeBuffer(buffers[name], word * 4, data);
    write("inputs", own.inputs, trials.inputs);
    write("targets", own.targets, trials.targets);
    write("inverseScored", m * batches.length, trials.inverseScored);
    for (const [name, data] of storage.uploads(m)) write(name, own[name], data);
  }
  if (storage.lists.length > 0) {
    device.queue.writeBuffer(buffers.lists, 0, storage.lists);
  }
  device.queue.writeBuffer(buffers.models, 0, table);
  return { buffers, offsets, scored, historySlots };
}

function modelValues(
  run: ModelRun,
  options: { readonly trials: PackedTrials; readonly offsets: ModelOffsets },
): ModelFields {
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
    train_recurrent: run.trainRecurrent ? 1 : 0,
    parameter_offset: 0,
    moment_offset: 0,
    bias_offset: 0,
    rows_at: 0,
    columns_at: 0,
    blocks_at: 0,
    back_at: 0,
    chunks_at: 0,
    chunks: 0,
    readout_block: 0,
  };
}

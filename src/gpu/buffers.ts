/**
 * The buffers of one ensemble on the device, what is uploaded into them, and what
 * is read back of them.
 *
 * @module
 */

import type {
  EnsembleSpec,
  ModelRun,
  ModelState,
  Rules,
} from "../engine/ensemble.ts";
import { perWiring } from "../engine/engine_parts.ts";
import { nonlinearityOf } from "../rnn/nonlinearities.ts";
import { optimizerOf } from "../rnn/optimizers.ts";
import type { TrialSet } from "../tasks/task.ts";
import { type BufferPart, readBack, type WatchedDevice } from "./device.ts";
import { MODEL_BYTES, packStructs } from "./kernels.ts";
import {
  type Layout,
  LIST_NAMES,
  MODEL_BUFFERS,
  type ModelWords,
  modelWords,
  OWN_BUFFERS,
  rangeBuffer,
  rangesOf,
  roundUp,
} from "./layout.ts";
import { bindingLimit } from "./plan.ts";
import {
  packWeights,
  type Topology,
  unpackWeights,
  type WeightFormat,
} from "./weight_format.ts";

/** Buffers by name, and the models in them. */
export type EnsembleBuffers = ReturnType<typeof createBuffers>;

/** A model on the device; its place is its number there. */
export type PlacedModel = EnsembleBuffers["models"][number];

/** Where it lies. */
interface Place {
  readonly run: ModelRun;
  readonly topology: Topology;
  readonly words: ModelWords;
  /** First word of its part of each buffer. */
  readonly at: ModelWords;
}

/**
 * Creates and fills the buffers; `runs` in the order in which the kernels see them.
 *
 * @throws {RangeError} If a buffer is larger than the device allows, or a state cannot be gone on from.
 */
export function createBuffers(
  { device, adapter }: WatchedDevice,
  { runs, format, rules, historySlots }: {
    readonly runs: readonly ModelRun[];
    readonly format: WeightFormat;
    readonly rules: Rules;
    readonly historySlots: number;
  },
) {
  const { layout } = format;
  if (layout.ranged && runs.length > 1) {
    throw new RangeError(
      `Cannot train ${runs.length} models together: the states of one are more than can be bound at once`,
    );
  }
  const batches = layout.batches.length;
  const total = Object.fromEntries(
    MODEL_BUFFERS.map((name) => [name, 0]),
  ) as ModelWords;
  const topologies: Pick<Place, "topology" | "at">[] = [];
  const placeTopology = perWiring(({ connections, ports }) => {
    const topology = format.topology(connections, ports);
    const placed = { topology, at: { ...total } };
    for (const name of LIST_NAMES) total[name] += topology.words[name];
    topologies.push(placed);
    return placed;
  });
  const places = runs.map((run): Place => {
    const { topology, at: { lists, back } } = placeTopology(run);
    const { steps } = run.trials;
    const words = modelWords(layout, { steps, weights: topology.words });
    const at = { ...total, lists, back };
    for (const name of OWN_BUFFERS) total[name] += words[name];
    return { run, topology, words, at };
  });
  const most = (value: (place: Place) => number) =>
    Math.max(...places.map(value));
  const steps = most(({ run }) => run.trials.steps);
  const sizes: Record<string, number> = {
    ...total,
    models: runs.length * MODEL_BYTES / 4,
    inverseScored: runs.length * batches,
    history: historySlots * runs.length * 2,
    // One model is probed at a time.
    gradient: most(({ topology }) => topology.words.places),
    outputs: steps * layout.outputSize * layout.vectors * 4,
    none: 4,
  };
  if (layout.ranged) {
    for (const [range, { first, last }] of rangesOf(layout, steps).entries()) {
      const row = 4 * layout.vectors * (last - first + 1);
      sizes[rangeBuffer("state", range)] = layout.slot * row;
      sizes[rangeBuffer("delta", range)] = layout.units * row;
    }
  }
  const binding = bindingLimit(adapter.limits);
  const tooLarge = Object.entries(sizes)
    .find(([, words]) => 4 * words > binding.bytes);
  if (tooLarge !== undefined) {
    throw new RangeError(
      `Cannot put ${runs.length} models on ${adapter.description}: their ${
        tooLarge[0]
      } takes ${
        4 * tooLarge[1]
      } bytes, and ${binding.name} is ${binding.bytes}`,
    );
  }
  const buffers: Record<string, GPUBuffer> = {};
  for (const [name, words] of Object.entries(sizes)) {
    buffers[name] = device.createBuffer({
      label: name,
      // Vectors of four are read to their end.
      size: Math.max(16, Math.ceil(words / 4) * 16),
      usage: GPUBufferUsage.STORAGE | GPUBufferUsage.COPY_SRC |
        GPUBufferUsage.COPY_DST,
    });
  }
  const write = (name: string, word: number, data: BufferSource) =>
    device.queue.writeBuffer(buffers[name]!, word * 4, data);
  for (const { topology, at } of topologies) {
    for (const name of LIST_NAMES) {
      // Deno ends where nothing is to be written.
      if (topology[name].length > 0) write(name, at[name], topology[name]);
    }
  }
  const table: Record<string, number>[] = [];
  const models = places.map((place, number) => {
    const { run, at } = place;
    const packed = packTrials(run.trials, layout);
    const { scored, firstScored } = packed;
    write("inputs", at.inputs, packed.inputs);
    write("targets", at.targets, packed.targets);
    const inverse = Float32Array.from(scored, (n) => 1 / n);
    write("inverseScored", number * batches, inverse);
    write("parameters", at.parameters, packParameters(place, layout));
    if (run.state !== undefined) {
      write("moments", at.moments, packMoments(place, layout));
    }
    table.push({ ...fieldsOf(place, rules), first_scored: firstScored });
    return { ...place, scored };
  });
  write("models", 0, packStructs("Model", table, MODEL_BYTES));
  return { buffers, models };
}

/** Its entry in the table of models. */
function fieldsOf(
  { run, topology, at }: Place,
  { nonlinearities, optimizers }: Rules,
): Record<string, number> {
  return {
    steps: run.trials.steps,
    activation: nonlinearities.indexOf(nonlinearityOf(run.activation)),
    optimizer: optimizers.indexOf(optimizerOf(run.optimizer)),
    learning_rate: run.learningRate,
    train_recurrent: run.trainRecurrent ? 1 : 0,
    state_offset: at.state / 4,
    delta_offset: at.delta / 4,
    input_offset: at.inputs / 4,
    target_offset: at.targets / 4,
    sum_offset: at.stepSums / 2,
    parameter_offset: at.parameters,
    bias_offset: at.parameters + topology.words.parameters,
    moment_offset: at.moments / 2,
    ...topology.fields(at),
  };
}

/** The weights at their places, what follows from them, and b_ih and b_hh as pairs. */
function packParameters(
  { run, topology }: Place,
  layout: Layout,
): Float32Array<ArrayBuffer> {
  const parameters = run.state?.parameters ?? run.initial;
  const biasAt = topology.words.parameters;
  const values = new Float32Array(biasAt + 2 * layout.hidden);
  packWeights(topology, { layout, parameters, into: values });
  topology.complete?.(values);
  for (let unit = 0; unit < layout.hiddenSize; unit++) {
    values[biasAt + 2 * unit] = parameters.biasIh[unit]!;
    values[biasAt + 2 * unit + 1] = parameters.biasHh[unit]!;
  }
  return values;
}

/**
 * A run's moments, a pair for each place; of the two biases, whose gradients are
 * equal, once.
 *
 * @throws {RangeError} If the moments of the two biases differ.
 */
function packMoments(
  { run: { state, label }, topology }: Place,
  layout: Layout,
): Float32Array<ArrayBuffer> {
  const { places } = topology.words;
  const pairs = new Float32Array(2 * places);
  const into = new Float32Array(places);
  const moments = [state!.firstMoment, state!.secondMoment];
  for (const [which, parameters] of moments.entries()) {
    const { biasIh, biasHh } = parameters;
    if (biasIh.some((value, i) => !Object.is(value, biasHh[i]))) {
      throw new RangeError(
        `Cannot continue ${label}: the moments of its two biases differ, but their gradients are always equal`,
      );
    }
    const once = { ...parameters, biasHh: new Float32Array(biasHh.length) };
    packWeights(topology, { layout, parameters: once, into });
    into.forEach((value, place) => pairs[2 * place + which] = value);
  }
  return pairs;
}

/**
 * Trials in the order of their batches, those of a batch side by side; its last
 * trial fills its last vector of four up, unscored: per batch inputs [T, I, trials]
 * and targets [T, trials], 0 = not scored. Before `firstScored` no trial scores a step; `scored` are the scored
 * entries of each batch.
 */
function packTrials(trials: TrialSet, { batches }: Layout) {
  const { steps, inputSize } = trials;
  const all = [...trials.trainBatches, ...trials.validateBatches];
  const padded = batches.reduce((sum, { size }) => sum + roundUp(size, 4), 0);
  const inputs = new Float32Array(padded * steps * inputSize);
  const targets = new Float32Array(padded * steps);
  const scored = new Uint32Array(all.length);
  let firstScored = steps;
  for (const [number, batch] of all.entries()) {
    const before = 4 * batches[number]!.start * steps;
    const width = roundUp(batch.length, 4);
    for (let b = 0; b < width; b++) {
      const trial = batch[Math.min(b, batch.length - 1)]!;
      for (let t = 0; t < steps; t++) {
        for (let i = 0; i < inputSize; i++) {
          inputs[before * inputSize + (t * inputSize + i) * width + b] = trials
            .inputs[(trial * steps + t) * inputSize + i]!;
        }
        const target = trials.targets[trial * steps + t]!;
        if (b >= batch.length || target === 0) continue;
        targets[before + t * width + b] = target;
        scored[number]!++;
        firstScored = Math.min(firstScored, t);
      }
    }
  }
  return { inputs, targets, scored, firstScored };
}

/** Bytes read at once: as much again is taken on the device for the copy. */
const BYTES_AT_ONCE = 1 << 26;

/** Reads parameters and moments of models. */
export async function readStates(
  gpu: WatchedDevice,
  models: readonly PlacedModel[],
  { layout, buffers }: {
    readonly layout: Layout;
    readonly buffers: EnsembleBuffers["buffers"];
  },
): Promise<Pick<ModelState, "parameters" | "firstMoment" | "secondMoment">[]> {
  const states = [];
  for (let next = 0; next < models.length;) {
    const parts: BufferPart[] = [];
    const first = next;
    for (let bytes = 0; next < models.length && bytes < BYTES_AT_ONCE; next++) {
      const { at, words } = models[next]!;
      for (const name of ["parameters", "moments"] as const) {
        parts.push({
          buffer: buffers[name]!,
          firstWord: at[name],
          words: words[name],
        });
        bytes += 4 * words[name];
      }
    }
    const arrays = await readBack(gpu, parts);
    for (const [i, { topology }] of models.slice(first, next).entries()) {
      const [parameters, moments] = [arrays[2 * i]!, arrays[2 * i + 1]!];
      const biases = parameters.subarray(topology.words.parameters);
      const unpack = (
        values: (place: number) => number,
        biases?: Float32Array,
      ) => unpackWeights(topology, { layout, values, biases });
      states.push({
        parameters: unpack((place) => parameters[place]!, biases),
        firstMoment: unpack((place) => moments[2 * place]!),
        secondMoment: unpack((place) => moments[2 * place + 1]!),
      });
    }
  }
  return states;
}

/**
 * What the kernels ask of an ensemble, beyond what every engine does.
 *
 * @throws {RangeError} If there are more than four outputs, or runs that go on from different epochs or updates.
 */
export function checkOnGpu({ outputSize, runs }: EnsembleSpec): void {
  if (outputSize > 4) {
    throw new RangeError(
      `Cannot create an ensemble: at most 4 outputs, found ${outputSize}`,
    );
  }
  const first = runs[0]!;
  const other = runs.find(({ state }) =>
    (state?.updates ?? 0) !== (first.state?.updates ?? 0) ||
    (state?.epoch ?? 0) !== (first.state?.epoch ?? 0)
  );
  if (other !== undefined) {
    throw new RangeError(
      `Cannot create an ensemble: ${other.label} and ${first.label} stand at different epochs`,
    );
  }
}

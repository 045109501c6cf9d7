/**
 * Many models in one memory, trained by all workers.
 *
 * @module
 */

import { checkSpec } from "../engine/create_ensemble.ts";
import { type DeviceProfile, sumProfiles } from "../engine/device_profile.ts";
import {
  type BatchProbe,
  DeviceError,
  type Ensemble,
  type EnsembleSpec,
  type EpochHistory,
  type ModelRun,
  type ModelState,
  type TrainingOptions,
} from "../engine/ensemble.ts";
import { createHistory, joinHistories } from "../engine/history.ts";
import type { Connections } from "../graph/connections.ts";
import { PARAMETER_NAMES, type Parameters } from "../rnn/parameters.ts";
import { LANES, ROW } from "./arithmetic.ts";
import { type ConnectionRows, listRows, stateRows } from "./connection_rows.ts";
import { instantiateKernels } from "./kernels.ts";
import { scoreLikelihood } from "./likelihood.ts";
import {
  chunkBytes,
  createPlacer,
  HISTORY_BYTES,
  modelParts,
  slotParts,
  topologyParts,
  workerParts,
} from "./memory_layout.ts";
import { type PlacedModel, type PlacedTopology, runChunk } from "./model.ts";
import { CONTROL, createSchedule, QUEUE, type Schedule } from "./schedule.ts";
import type { EnsemblePlace } from "./worker.ts";
import type { WorkerPool } from "./worker_pool.ts";

/** Milliseconds that one call to the workers should take: what an abort has to wait for. */
const CALL_MILLISECONDS = 250;

/** What an ensemble is made with. */
export interface WasmEnsembleOptions {
  readonly pool: WorkerPool;
  /** The kernels, for shared memory. */
  readonly module: WebAssembly.Module;
  readonly profile: boolean;
}

let ensembles = 0;

/**
 * Makes the runs ready to train.
 *
 * @throws {RangeError} If the description does not agree with itself.
 * @throws {DeviceError} If there is no memory for it.
 */
export async function createWasmEnsemble(
  spec: EnsembleSpec,
  { pool, module, profile }: WasmEnsembleOptions,
): Promise<Ensemble> {
  checkSpec(spec);
  const { runs, loss } = spec;
  const number = ensembles++;
  const { place, models, rows, scoreEpochs } = placeEnsemble(spec, pool.count);
  const { memory, schedule } = place;
  const numbers = new Int32Array(memory.buffer);
  const scores = new Float64Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  const trainBatches = runs[0]!.trials.trainBatches.length;
  const validateBatches = runs[0]!.trials.validateBatches.length;
  const batchesOf = (training: boolean) =>
    schedule.batches.filter((batch) => batch.training === training);
  const parts = { true: batchesOf(true), false: batchesOf(false) };
  const epochs = runs.map(({ state }) => state?.epoch ?? 0);
  const steps = runs.map(({ state }) => state?.step ?? 0);
  const order = place.models.map((model) => models.indexOf(model));
  const profiles: DeviceProfile[] = [];
  let millisecondsPerEpoch = Infinity;
  let destroyed = false;
  let last: Promise<unknown> = pool.ask((worker) => ({
    kind: "open",
    ensemble: number,
    place,
    module,
    worker,
    profile,
  }));
  await last;

  /** Runs one call after the other: all use the same memory. */
  function inTurn<T>(call: () => T | Promise<T>): Promise<T> {
    const turn = last.catch(() => {}).then(() => {
      if (destroyed) {
        throw new TypeError("Cannot use an ensemble after its destroy()");
      }
      return call();
    });
    last = turn;
    return turn;
  }

  /** Lets the workers train some epochs. */
  async function advance(
    count: number,
    whileBusy: TrainingOptions["whileBusy"],
  ): Promise<EpochHistory> {
    for (const { control } of models) {
      numbers.fill(0, control / 4, control / 4 + CONTROL.words);
    }
    const queue = place.queue / 4;
    numbers.fill(0, queue, queue + QUEUE.words);
    pool.onFailure = () => Atomics.store(numbers, queue + QUEUE.failed, 1);
    const start = performance.now();
    const work = pool.ask(() => ({
      kind: "train",
      ensemble: number,
      epochs: count,
      steps: order.map((model) => steps[model]!),
    }));
    const expected = count * millisecondsPerEpoch;
    if (Number.isFinite(expected)) await whileBusy?.(expected);
    const answers = await work;
    const taken = performance.now() - start;
    millisecondsPerEpoch = taken / count;
    if (profile) {
      for (const kernels of answers) {
        const busyMilliseconds = kernels.reduce(
          (sum, { milliseconds }) => sum + milliseconds,
          0,
        );
        profiles.push({ workers: pool.count, busyMilliseconds, kernels });
      }
    }
    for (const model of models.keys()) {
      epochs[model]! += count;
      steps[model]! += count * trainBatches;
    }
    return createHistory(
      {
        loss,
        models: runs.length,
        epochs: count,
        trainBatches,
        validateBatches,
      },
      ({ model, epoch, training, batch }) => {
        const { first, count, number } = parts[`${training}`][batch]!;
        const { scores: address, scored } = models[model]!;
        const score = { loss: 0, accuracy: 0 };
        for (let chunk = first; chunk < first + count; chunk++) {
          const at = address / 8 + 2 * (epoch * schedule.chunks + chunk);
          score.loss += scores[at]!;
          score.accuracy += 100 * scores[at + 1]!;
        }
        score.loss /= scored[number]!;
        score.accuracy /= scored[number]!;
        return score;
      },
    );
  }

  async function train(
    count: number,
    { signal, onEpochs, whileBusy }: TrainingOptions = {},
  ): Promise<EpochHistory> {
    if (!Number.isInteger(count) || count < 0) {
      throw new RangeError(
        `Cannot train: epochs must be a whole number, found ${count}`,
      );
    }
    const none = {
      loss,
      models: runs.length,
      epochs: 0,
      trainBatches,
      validateBatches,
    };
    const histories = [createHistory(none, () => ({ loss: NaN }))];
    for (let left = count; left > 0 && !signal?.aborted;) {
      const fit = Math.floor(CALL_MILLISECONDS / millisecondsPerEpoch);
      const some = Math.max(1, Math.min(left, fit, scoreEpochs));
      const history = await advance(some, whileBusy);
      histories.push(history);
      left -= some;
      onEpochs?.(history);
    }
    return joinHistories(histories);
  }

  function modelOf(model: number): PlacedModel {
    const placed = models[model];
    if (placed === undefined) {
      throw new RangeError(
        `Cannot find model ${model}: there are ${models.length}`,
      );
    }
    return placed;
  }

  /** The values of the list of connections at an address, as tensors. */
  function tensors(model: number, address: number): Parameters<Float32Array> {
    const { places } = rows[model]!;
    return Object.fromEntries(PARAMETER_NAMES.map((name) => [
      name,
      Float32Array.from(places[name], (at) => floats[address / 4 + at]!),
    ])) as unknown as Parameters<Float32Array>;
  }

  function stateOf(model: number): ModelState {
    const { weight, firstMoment, secondMoment } = modelOf(model);
    return {
      epoch: epochs[model]!,
      step: steps[model]!,
      parameters: tensors(model, weight),
      firstMoment: tensors(model, firstMoment),
      secondMoment: tensors(model, secondMoment),
    };
  }

  function probe(model: number, batch: number): BatchProbe {
    const placed = modelOf(model);
    const numbers = runs[model]!.trials.trainBatches[batch];
    if (numbers === undefined) {
      throw new RangeError(
        `Cannot probe batch ${batch}: there are ${trainBatches} training batches`,
      );
    }
    const { hiddenSize: H, outputSize: O } = spec;
    const { steps: T, topology } = placed;
    const B = numbers.length;
    const output = new Float32Array(B * T * O);
    const hiddenLast = new Float32Array(B * H);
    const slot = place.slots[0]!;
    const kernels = instantiateKernels(module, memory);
    const bytes = 4 * topology.listed;
    kernels.scatter(slot.backWeight, placed.weight, topology.backPlace, bytes);
    kernels.clear(slot.gradient, bytes);
    const scored = placed.scored[batch]!;
    const sum = { loss: 0, correct: 0 };
    const { first, count } = parts.true[batch]!;
    const { states, outputs } = place.places[0]!;
    const last = states + T * stateRows(spec) * ROW;
    for (let chunk = 0; chunk < count; chunk++) {
      const score = runChunk(
        {
          kernels,
          memory,
          size: place.size,
          loss,
          schedule,
          place: place.places[0]!,
          scoreLikelihood,
        },
        placed,
        {
          chunk: first + chunk,
          scored,
          learn: {
            gradient: slot.chunkGradients,
            backWeight: slot.backWeight,
          },
          everyStep: true,
        },
      );
      sum.loss += score.loss;
      sum.correct += score.correct;
      kernels.add(slot.gradient, slot.chunkGradients, bytes);
      const from = chunk * LANES;
      const lanes = Math.min(LANES, B - from);
      for (let lane = 0; lane < lanes; lane++) {
        const b = from + lane;
        for (let at = 0; at < T * O; at++) {
          output[b * T * O + at] = floats[outputs / 4 + at * LANES + lane]!;
        }
        for (let i = 0; i < H; i++) {
          hiddenLast[b * H + i] = floats[last / 4 + i * LANES + lane]!;
        }
      }
    }
    return {
      loss: sum.loss / scored,
      accuracy: loss === "mse" ? undefined : 100 * sum.correct / scored,
      output,
      hiddenLast,
      gradient: tensors(model, slot.gradient),
    };
  }

  return {
    models: runs.length,
    train: (count, options) => inTurn(() => train(count, options)),
    state: (model) =>
      inTurn(() =>
        (model === undefined ? [...runs.keys()] : [model]).map(stateOf)
      ),
    probe: (model, batch) => inTurn(() => probe(model, batch)),
    ...(profile && { profile: () => sumProfiles(profiles) }),
    destroy() {
      if (destroyed) return;
      destroyed = true;
      const close = () => pool.ask(() => ({ kind: "close", ensemble: number }));
      last = last.then(close, close).catch(() => {});
    },
  };
}

/** Lays out an ensemble in a new memory and fills it. */
function placeEnsemble(spec: EnsembleSpec, workers: number) {
  const { runs, loss, outputSize } = spec;
  const lists = new Map<Connections, ConnectionRows>();
  for (const { connections } of runs) {
    if (lists.has(connections)) continue;
    lists.set(connections, listRows(spec, connections));
  }
  const rows = runs.map(({ connections }) => lists.get(connections)!);
  const listed = Math.max(...rows.map(({ length }) => length));
  const back = Math.max(...rows.map(({ backOffset }) => backOffset.length));
  const schedule = createSchedule(runs[0]!.trials, { workers, listed });
  const { chunks, buffers } = schedule;
  const scoreEpochs = Math.max(
    1,
    Math.floor(HISTORY_BYTES / (16 * chunks * runs.length)),
  );
  const mostSteps = Math.max(...runs.map(({ trials }) => trials.steps));

  const placer = createPlacer();
  const { queue } = placer.place({ queue: 4 * QUEUE.words });
  const topologies = new Map([...lists.values()].map((list) => {
    const sizes = { listed: list.length, back: list.backOffset.length };
    const placed = placer.place(topologyParts(spec, sizes));
    return [list, { ...placed, listed: list.length }];
  }));
  const models = runs.map((run, i): PlacedModel => {
    const { trials } = run;
    const batches = [...trials.trainBatches, ...trials.validateBatches];
    const factor = loss === "mse" ? outputSize : 1;
    return {
      ...placer.place(modelParts(spec, {
        listed: rows[i]!.length,
        steps: trials.steps,
        chunks,
        epochs: scoreEpochs,
      })),
      topology: topologies.get(rows[i]!)!,
      steps: trials.steps,
      activation: run.activation,
      optimizer: run.optimizer,
      learningRate: run.learningRate,
      trainRecurrent: run.trainRecurrent,
      recurrent: run.connections.sender.length,
      scoredSteps: scoredSteps(trials),
      scored: batches.map((batch) => factor * countScored(trials, batch)),
    };
  });
  const slots = Array.from(
    { length: workers },
    () => placer.place(slotParts({ listed, back, buffers })),
  );
  const places = Array.from(
    { length: workers },
    () => placer.place(workerParts(spec, mostSteps)),
  );
  const memory = createMemory(placer.end);
  for (const [list, placed] of topologies) fillTopology(memory, placed, list);
  for (const [i, model] of models.entries()) {
    fillModel(memory, model, { run: runs[i]!, rows: rows[i]!, schedule });
  }
  const work = ({ steps, topology }: PlacedModel) => steps * topology.listed;
  const place: EnsemblePlace = {
    memory,
    size: {
      hiddenSize: spec.hiddenSize,
      inputSize: spec.inputSize,
      outputSize,
    },
    loss,
    schedule,
    queue,
    models: models.toSorted((a, b) => work(b) - work(a)),
    slots,
    places,
  };
  return { place, models, rows, scoreEpochs };
}

function createMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / 2 ** 16);
  try {
    return new WebAssembly.Memory({
      initial: pages,
      maximum: pages,
      shared: true,
    });
  } catch (cause) {
    throw new DeviceError(
      `there is no memory for an ensemble of ${Math.ceil(bytes / 2 ** 20)} MiB`,
      { reason: "out-of-memory", cause },
    );
  }
}

function scoredSteps(
  { steps, targets }: ModelRun["trials"],
): boolean[] {
  const scored = Array<boolean>(steps).fill(false);
  for (const [i, target] of targets.entries()) {
    if (target !== 0) scored[i % steps] = true;
  }
  return scored;
}

function countScored(
  { steps, targets }: ModelRun["trials"],
  batch: Uint32Array,
): number {
  let count = 0;
  for (const trial of batch) {
    for (let t = 0; t < steps; t++) {
      if (targets[trial * steps + t] !== 0) count++;
    }
  }
  return count;
}

function fillTopology(
  { buffer }: WebAssembly.Memory,
  placed: PlacedTopology,
  list: ConnectionRows,
): void {
  const names = [
    "start",
    "startInput",
    "offset",
    "backStart",
    "backStartReadout",
    "backOffset",
    "backPlace",
  ] as const;
  for (const name of names) {
    new Uint32Array(buffer, placed[name], list[name].length).set(list[name]);
  }
}

function fillModel(
  { buffer }: WebAssembly.Memory,
  model: PlacedModel,
  { run, rows, schedule }: {
    readonly run: ModelRun;
    readonly rows: ConnectionRows;
    readonly schedule: Schedule;
  },
): void {
  const { initial, state, trials } = run;
  const put = (address: number, values: Parameters) => {
    const list = new Float32Array(buffer, address, rows.length);
    for (const name of PARAMETER_NAMES) {
      const tensor = values[name];
      rows.places[name].forEach((at, k) => list[at] = tensor[k]!);
    }
  };
  put(model.weight, state?.parameters ?? initial);
  if (state !== undefined) {
    put(model.firstMoment, state.firstMoment);
    put(model.secondMoment, state.secondMoment);
  }
  const { steps: T, inputSize: I, inputs, targets } = trials;
  const all = [...trials.trainBatches, ...trials.validateBatches];
  for (const { number, first, size } of schedule.batches) {
    for (let place = 0; place < size; place++) {
      const trial = all[number]![place]!;
      const chunk = first + Math.floor(place / LANES);
      const lane = place % LANES;
      const rows = new Float32Array(
        buffer,
        model.trials + chunk * chunkBytes(I, T),
        chunkBytes(I, T) / 4,
      );
      for (let t = 0; t < T; t++) {
        const step = t * (I + 1);
        for (let k = 0; k < I; k++) {
          rows[(step + k) * LANES + lane] = inputs[(trial * T + t) * I + k]!;
        }
        // Lanes without a trial have no bias either: their h is 0, whatever the weights.
        rows[(step + I) * LANES + lane] = 1;
        rows[(T * (I + 1) + t) * LANES + lane] = targets[trial * T + t]!;
      }
    }
  }
}

/**
 * Many models in one memory, trained by all workers.
 *
 * @module
 */

import { checkSpec } from "../engine/create_ensemble.ts";
import { type KernelTime, sumProfiles } from "../engine/device_profile.ts";
import {
  type BatchProbe,
  DeviceError,
  type Ensemble,
  type EnsembleSpec,
  type Rules,
} from "../engine/ensemble.ts";
import {
  createHistory,
  guardEnsemble,
  type UnguardedEnsemble,
} from "../engine/engine_parts.ts";
import {
  closePorts,
  makeParameters,
  type Parameters,
} from "../rnn/parameters.ts";
import { nameOf } from "../text/words.ts";
import { type CompiledKernels, instantiateKernels } from "./kernels.ts";
import { placeEnsemble } from "./place.ts";
import { CONTROL, LANES, ROW, stateRows } from "./plan.ts";
import { type Order, runChunk, work } from "./work.ts";
import type { Answer } from "./worker.ts";

/** Milliseconds that one call to the workers should take: what an abort has to wait for. */
const CALL_MILLISECONDS = 250;

/**
 * Makes the runs ready to train.
 *
 * @throws {RangeError} If the description does not agree with itself.
 * @throws {DeviceError} If there is no memory for it, or a worker has failed.
 */
export function createWasmEnsemble(
  spec: EnsembleSpec & Rules,
  { pool, workers, kernels: { module, perUpdate }, profile }: {
    readonly pool: WorkerPool;
    /** How many of the workers take part. */
    readonly workers: number;
    readonly kernels: CompiledKernels;
    readonly profile: boolean;
  },
): Ensemble {
  checkSpec(spec);
  pool.check();
  const { runs, loss } = spec;
  const { shared } = pool;
  const placed = placeEnsemble(spec, { workers, perUpdate, shared });
  const { place, models, rows, mostEpochs } = placed;
  const { memory, schedule } = place;
  const { trainBatches } = runs[0]!.trials;
  const numbers = new Int32Array(memory.buffer);
  const scores = new Float64Array(memory.buffer);
  const floats = new Float32Array(memory.buffer);
  const times: KernelTime[] = [];
  let trained = 0;
  let millisecondsPerEpoch = Infinity;

  /** The losses of epochs that the workers have just trained. */
  const historyOf = (epochs: number) =>
    createHistory(spec, {
      epochs,
      scoreOf({ model, epoch, batch }) {
        const { first, count } = schedule.batches[batch]!;
        const { scores: address, scored } = models[model]!;
        const start = address / 8 + 2 * (epoch * schedule.chunks + first);
        let loss = 0;
        let correct = 0;
        for (let place = start; place < start + 2 * count; place += 2) {
          loss += scores[place]!;
          correct += scores[place + 1]!;
        }
        const all = scored[batch]!;
        return { loss: loss / all, accuracy: 100 * correct / all };
      },
    });

  /** The updates that a model has made. */
  const updatesOf = (model: number) =>
    (runs[model]!.state?.updates ?? 0) + trained * trainBatches.length;

  /** Computes what the models' optimizers are given for the updates of the next epochs. */
  function computeNumbers(epochs: number): void {
    for (const [model, { optimizer, learningRate }] of runs.entries()) {
      const each = perUpdate.get(nameOf(optimizer))!;
      let at = models[model]!.numbers / 4;
      const before = updatesOf(model);
      for (let n = 1; n <= epochs * trainBatches.length; n++) {
        const given = { update: before + n, learningRate };
        for (const number of each) floats[at++] = number(given);
      }
    }
  }

  const train: UnguardedEnsemble["train"] = async (
    count,
    { signal, onEpochs, whileBusy },
  ) => {
    for (let left = count; left > 0 && !signal?.aborted;) {
      const fit = Math.floor(CALL_MILLISECONDS / millisecondsPerEpoch);
      const epochs = Math.max(1, Math.min(left, fit, mostEpochs));
      for (const { control } of models) {
        numbers.fill(0, control / 4, control / 4 + CONTROL.words);
      }
      numbers[place.queue / 4] = 0;
      computeNumbers(epochs);
      const start = performance.now();
      const expected = epochs * millisecondsPerEpoch;
      const [answers] = await Promise.all([
        pool.train({ ensemble: place, module, epochs, profile }),
        Number.isFinite(expected) ? whileBusy?.(expected) : undefined,
      ]);
      millisecondsPerEpoch = (performance.now() - start) / epochs;
      trained += epochs;
      left -= epochs;
      times.push(...answers.flat());
      onEpochs(historyOf(epochs));
    }
  };

  /** The values of the list of connections at an address, as tensors. */
  function tensors(model: number, address: number): Parameters<Float32Array> {
    const { places } = rows[model]!;
    const found = makeParameters((name) =>
      Float32Array.from(places[name], (at) => floats[address / 4 + at]!)
    );
    // What stands for weights that do not exist is NaN in a model that diverged.
    closePorts(found, runs[model]!.ports);
    return found;
  }

  /** Runs the chunks of a batch here: the workers have nothing to do now. */
  function probe(model: number, number: number): BatchProbe {
    const placed = models[model]!;
    const { hiddenSize: H, outputSize: O } = spec;
    const { steps: T, topology: { backPlace, listed } } = placed;
    const batch = schedule.batches[number]!;
    const B = batch.size;
    const output = new Float32Array(B * T * O);
    const hiddenLast = new Float32Array(B * H);
    const slot = place.slots[0]!;
    const own = place.places[0]!;
    const last = own.states + T * stateRows(spec) * ROW;
    const kernels = instantiateKernels(module, memory);
    const learn = { ...slot, gradient: slot.chunkGradients };
    kernels.scatter(slot.backWeight, placed.weight, backPlace, 4 * listed);
    kernels.clear(slot.gradient, 4 * listed);
    let sum = 0;
    let correct = 0;
    for (let chunk = 0; chunk < batch.count; chunk++) {
      const task = { batch, chunk };
      const score = runChunk({ ...place, kernels, own }, placed, {
        task,
        learn,
        everyStep: true,
      });
      sum += score.loss;
      correct += score.correct;
      kernels.add(slot.gradient, slot.chunkGradients, 4 * listed);
      const first = chunk * LANES;
      for (let b = first; b < Math.min(B, first + LANES); b++) {
        const lane = b - first;
        for (let at = 0; at < T * O; at++) {
          output[b * T * O + at] = floats[own.outputs / 4 + at * LANES + lane]!;
        }
        for (let i = 0; i < H; i++) {
          hiddenLast[b * H + i] = floats[last / 4 + i * LANES + lane]!;
        }
      }
    }
    const scored = placed.scored[number]!;
    return {
      loss: sum / scored,
      accuracy: loss === "mse" ? undefined : 100 * correct / scored,
      output,
      hiddenLast,
      gradient: tensors(model, slot.gradient),
    };
  }

  return {
    ...guardEnsemble(spec, {
      train,
      states: (wanted) =>
        wanted.map((model) => {
          const { weight, firstMoment, secondMoment } = models[model]!;
          return {
            epoch: (runs[model]!.state?.epoch ?? 0) + trained,
            updates: updatesOf(model),
            parameters: tensors(model, weight),
            firstMoment: tensors(model, firstMoment),
            secondMoment: tensors(model, secondMoment),
          };
        }),
      probe,
      // The memory goes with what refers to it.
      destroy: () => {},
    }),
    ...(profile && {
      profile: () =>
        sumProfiles(times.map((time) => ({
          workers,
          busyMilliseconds: time.milliseconds,
          kernels: [time],
        }))),
    }),
  };
}

/** Workers that train one ensemble at a time; or none, where the thread that calls does their work. */
export type WorkerPool = ReturnType<typeof createPool>;

/** Starts so many workers. */
export function createPool(count: number) {
  /** Whether they need memory that is shared. */
  const shared = count > 0;
  const failed = new Int32Array(
    shared ? new SharedArrayBuffer(4) : new ArrayBuffer(4),
  );
  let failure: DeviceError | undefined;
  let reject: (failure: DeviceError) => void = () => {};
  let last: Promise<unknown> = Promise.resolve();
  const fail = (message: string) => {
    failure ??= new DeviceError(
      `a worker of the WebAssembly engine failed: ${message}`,
      { reason: "internal" },
    );
    // The others wait for what the one has left undone.
    Atomics.store(failed, 0, 1);
    reject(failure);
  };
  const workers = Array.from({ length: count }, (_, number) => {
    const url = new URL("./worker.ts", import.meta.url);
    const worker = new Worker(url, {
      type: "module",
      name: `biornn ${number}`,
    });
    worker.addEventListener("error", (event) => {
      event.preventDefault();
      fail(event.message);
    });
    return worker;
  });

  /** @throws {DeviceError} If a worker has failed or died: none can be used any more. */
  function check(): void {
    if (failure !== undefined) throw failure;
  }

  async function obey(order: Order): Promise<KernelTime[][]> {
    check();
    if (!shared) {
      // Lets the thread see to other things first.
      await new Promise((resolve) => setTimeout(resolve, 0));
      return [work({ ...order, worker: 0, failed })];
    }
    const answers = order.ensemble.places.map((_, number) => {
      const answer = Promise.withResolvers<KernelTime[]>();
      reject = answer.reject;
      const worker = workers[number]!;
      worker.onmessage = ({ data }: MessageEvent<Answer>) => {
        if (typeof data === "string") fail(data);
        else answer.resolve(data);
      };
      worker.postMessage({ ...order, worker: number, failed });
      return answer.promise;
    });
    return await Promise.all(answers);
  }

  return {
    shared,
    check,
    /**
     * Gives the order to as many workers as there are places for, after the order
     * before, and waits until all have obeyed; returns the times of each one's
     * kernels.
     *
     * @throws {DeviceError} If one of them fails or dies.
     */
    train(order: Order): Promise<KernelTime[][]> {
      const answers = last.then(() => obey(order));
      last = answers.catch(() => {});
      return answers;
    },
    destroy(): void {
      fail("it was ended");
      for (const worker of workers) worker.terminate();
    },
  };
}

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
import { createHistory, guardEnsemble } from "../engine/common.ts";
import type { UnguardedEnsemble } from "../engine/common.ts";
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
  const { place, models, rows, mostEpochs } = placeEnsemble(spec, {
    ...{ workers, perUpdate, shared: pool.shared },
  });
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

  /** Computes what a model's optimizer is given for the updates of the next epochs. */
  function computeNumbers(model: number, epochs: number): void {
    const { optimizer, learningRate } = runs[model]!;
    const each = perUpdate.get(nameOf(optimizer))!;
    let at = models[model]!.numbers / 4;
    const before = updatesOf(model);
    for (let n = 1; n <= epochs * trainBatches.length; n++) {
      const given = { update: before + n, learningRate };
      for (const number of each) floats[at++] = number(given);
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
      models.forEach((_, model) => computeNumbers(model, epochs));
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
    const { steps: T, topology } = placed;
    const batch = schedule.batches[number]!;
    const B = batch.size;
    const output = new Float32Array(B * T * O);
    const hiddenLast = new Float32Array(B * H);
    const slot = place.slots[0]!;
    const own = place.places[0]!;
    const last = own.states + T * stateRows(spec) * ROW;
    const kernels = instantiateKernels(module, memory);
    const workshop = { ...place, kernels, own, count: () => {} };
    const learn = { ...slot, gradient: slot.chunkGradients };
    const bytes = 4 * topology.listed;
    kernels.scatter(slot.backWeight, placed.weight, topology.backPlace, bytes);
    kernels.clear(slot.gradient, bytes);
    let sum = 0;
    let correct = 0;
    for (let n = 0; n < batch.count; n++) {
      const task = { batch, chunk: n };
      const work = { task, learn, everyStep: true };
      const score = runChunk(workshop, placed, work);
      sum += score.loss;
      correct += score.correct;
      kernels.add(slot.gradient, slot.chunkGradients, bytes);
      for (let b = n * LANES; b < Math.min(B, (n + 1) * LANES); b++) {
        const lane = b % LANES;
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
export class WorkerPool {
  /** Whether they need memory that is shared. */
  readonly shared: boolean;
  readonly #workers: readonly Worker[];
  readonly #failed: Int32Array;
  #failure: DeviceError | undefined;
  #reject: (failure: DeviceError) => void = () => {};
  #last: Promise<unknown> = Promise.resolve();

  constructor(count: number) {
    this.shared = count > 0;
    this.#failed = new Int32Array(
      this.shared ? new SharedArrayBuffer(4) : new ArrayBuffer(4),
    );
    this.#workers = Array.from({ length: count }, (_, number) => {
      const worker = new Worker(new URL("./worker.ts", import.meta.url), {
        type: "module",
        name: `biornn ${number}`,
      });
      worker.addEventListener("error", (event) => {
        event.preventDefault();
        this.#fail(event.message);
      });
      return worker;
    });
  }

  /** @throws {DeviceError} If a worker has failed or died: none can be used any more. */
  check(): void {
    if (this.#failure !== undefined) throw this.#failure;
  }

  /**
   * Gives the order to as many workers as there are places for, after the order
   * before, and waits until all have obeyed; returns the times of each one's
   * kernels.
   *
   * @throws {DeviceError} If one of them fails or dies.
   */
  train(order: Omit<Order, "worker" | "failed">): Promise<KernelTime[][]> {
    const answers = this.#last.then(() => {
      this.check();
      if (!this.shared) return this.#workHere(order);
      return Promise.all(
        order.ensemble.places.map((_, number) =>
          new Promise<KernelTime[]>((resolve, reject) => {
            this.#reject = reject;
            const worker = this.#workers[number]!;
            worker.onmessage = ({ data }: MessageEvent<Answer>) => {
              if (typeof data === "string") this.#fail(data);
              else resolve(data);
            };
            const own = { worker: number, failed: this.#failed };
            worker.postMessage({ ...order, ...own });
          })
        ),
      );
    });
    this.#last = answers.catch(() => {});
    return answers;
  }

  /** Lets the thread see to other things first. */
  async #workHere(
    order: Omit<Order, "worker" | "failed">,
  ): Promise<KernelTime[][]> {
    await new Promise((resolve) => setTimeout(resolve, 0));
    return [work({ ...order, worker: 0, failed: this.#failed })];
  }

  destroy(): void {
    this.#fail("it was ended");
    for (const worker of this.#workers) worker.terminate();
  }

  #fail(message: string): void {
    this.#failure ??= new DeviceError(
      `a worker of the WebAssembly engine failed: ${message}`,
      { reason: "internal" },
    );
    // The others wait for what the one has left undone.
    Atomics.store(this.#failed, 0, 1);
    this.#reject(this.#failure);
  }
}

/**
 * The work of a thread: it takes models, and tasks of models that others have
 * taken, until a call to train is done. All it needs lies in the memory; what it
 * waits for are numbers there.
 *
 * @module
 */

import type { KernelTime } from "../engine/device_profile.ts";
import { instantiateKernels, type Kernels } from "./kernels.ts";
import { gradientBytes } from "./memory_layout.ts";
import {
  type PlacedEnsemble,
  type PlacedModel,
  runChunk,
  updatePart,
} from "./model.ts";
import { CONTROL } from "./schedule.ts";

/** What a thread is told: to train an ensemble for some epochs. */
export interface Order {
  readonly ensemble: PlacedEnsemble;
  readonly module: WebAssembly.Module;
  readonly epochs: number;
  /** Whether to time the kernels. */
  readonly profile: boolean;
  /** Number of this worker. */
  readonly worker: number;
  /** [1], shared: not 0 once a worker has failed. */
  readonly failed: Int32Array;
}

/** Milliseconds after which a waiting worker looks whether another has failed. */
const PATIENCE = 200;

type Times = Map<string, { -readonly [K in keyof KernelTime]: KernelTime[K] }>;

/** Does a worker's share; returns the times of its kernels, where they are timed. */
export function work(
  { ensemble, module, epochs, profile, worker, failed }: Order,
): KernelTime[] {
  const { memory, schedule, models, slots } = ensemble;
  const times: Times = new Map();
  const plain = instantiateKernels(module, memory);
  const kernels = profile ? timed(plain, times) : plain;
  const own = ensemble.places[worker]!;
  const count = (kernel: string, flop: number) => {
    const time = times.get(kernel);
    if (time !== undefined) time.flop += flop;
  };
  const workshop = { ...ensemble, kernels, own, count };
  const numbers = new Int32Array(memory.buffer);
  const scores = new Float64Array(memory.buffer);
  const { tasks, batches, chunks, buffers } = schedule;
  const total = epochs * tasks.length;
  const updates = batches.filter(({ training }) => training).length;

  /** Waits until the number at `at` has reached `least`. */
  function wait(at: number, least: number): void {
    for (;;) {
      const value = Atomics.load(numbers, at);
      if (value >= least) return;
      if (Atomics.load(failed, 0)) throw new Error("another worker failed");
      Atomics.wait(numbers, at, value, PATIENCE);
    }
  }

  /** Takes tasks of a model until there are none left to take. */
  function workOn(model: PlacedModel): void {
    const control = model.control / 4;
    const slot = slots[Atomics.load(numbers, control + CONTROL.slot) - 1]!;
    const done = control + CONTROL.done;
    for (;;) {
      const number = Atomics.add(numbers, control + CONTROL.next, 1);
      if (number >= total) return;
      const place = number % tasks.length;
      const epoch = (number - place) / tasks.length;
      const task = tasks[place]!;
      wait(done, number - place + task.fence);
      const { batch, part } = task;
      if (part !== undefined) {
        const update = epoch * updates + batch.number;
        updatePart(workshop, model, { task: { ...task, part }, slot, update });
      } else {
        const bytes = gradientBytes(model.topology.listed);
        const buffer = task.chunk % buffers;
        const gradient = slot.chunkGradients + buffer * bytes;
        const learn = batch.training ? { ...slot, gradient } : undefined;
        const score = runChunk(workshop, model, { task, learn });
        const chunk = epoch * chunks + batch.first + task.chunk;
        scores.set([score.loss, score.correct], model.scores / 8 + 2 * chunk);
      }
      Atomics.add(numbers, done, 1);
      Atomics.notify(numbers, done);
    }
  }

  for (;;) {
    const number = Atomics.add(numbers, ensemble.queue / 4, 1);
    const model = models[number];
    if (model === undefined) break;
    const { weight, topology: { backPlace, listed } } = model;
    const control = model.control / 4;
    const slot = models.length <= slots.length ? number : worker;
    kernels.scatter(slots[slot]!.backWeight, weight, backPlace, 4 * listed);
    Atomics.store(numbers, control + CONTROL.slot, slot + 1);
    Atomics.notify(numbers, control + CONTROL.slot);
    workOn(model);
    // Helpers may still be at work in the slot.
    wait(control + CONTROL.done, total);
  }
  // The last ones taken have most left to do.
  for (const model of models.toReversed()) {
    wait(model.control / 4 + CONTROL.slot, 1);
    workOn(model);
  }
  return [...times.values()];
}

/** The same kernels; adds up their times. */
function timed(kernels: Kernels, times: Times): Kernels {
  return Object.fromEntries(
    Object.entries(kernels).map(([name, kernel]) => [name, (...parameters) => {
      const start = performance.now();
      const result = kernel(...parameters);
      const none = { kernel: name, calls: 0, milliseconds: 0, flop: 0 };
      const time = times.get(name) ?? none;
      time.calls++;
      time.milliseconds += performance.now() - start;
      times.set(name, time);
      return result;
    }]),
  ) as Kernels;
}

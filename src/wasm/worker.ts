/**
 * A worker of the engine: takes models, and tasks of models that others have
 * taken, until a call to train is done. All it needs lies in the shared memory;
 * what it waits for are numbers there.
 *
 * @module
 */

import type { KernelTime } from "../engine/device_profile.ts";
import type { LossName } from "../engine/ensemble.ts";
import type { ModelSize } from "../rnn/parameters.ts";
import { LANES } from "./arithmetic.ts";
import { instantiateKernels, type Kernels } from "./kernels.ts";
import { gradientBytes } from "./memory_layout.ts";
import {
  type PlacedModel,
  type PlacedSlot,
  runChunk,
  updatePart,
  type Workshop,
} from "./model.ts";
import { CONTROL, QUEUE, type Schedule } from "./schedule.ts";

/** An ensemble as a worker sees it. */
export interface EnsemblePlace {
  readonly memory: WebAssembly.Memory;
  readonly size: ModelSize;
  readonly loss: LossName;
  readonly schedule: Schedule;
  /** Address of the queue's numbers. */
  readonly queue: number;
  /** The models with most work first. */
  readonly models: readonly PlacedModel[];
  readonly slots: readonly PlacedSlot[];
  readonly places: readonly Workshop["own"][];
}

/** What a worker is told. */
export type Order =
  | {
    readonly kind: "open";
    readonly ensemble: number;
    readonly place: EnsemblePlace;
    readonly module: WebAssembly.Module;
    /** Number of this worker. */
    readonly worker: number;
    /** Whether to time the kernels. */
    readonly profile: boolean;
  }
  | {
    readonly kind: "train";
    readonly ensemble: number;
    readonly epochs: number;
    /** Optimizer steps that each model has made. */
    readonly steps: readonly number[];
  }
  | { readonly kind: "close"; readonly ensemble: number };

/** What it answers. */
export interface Answer {
  /** Of its kernels, where they are timed. */
  readonly times: readonly KernelTime[];
  /** What went wrong, if anything. */
  readonly failure?: string;
}

/** Milliseconds after which a waiting worker looks whether another has failed. */
const PATIENCE = 200;

/** Trains so many epochs; the steps are those that each model has made before. */
type OpenEnsemble = (epochs: number, steps: readonly number[]) => KernelTime[];

function openEnsemble(
  { place, module, worker, profile }: Order & { readonly kind: "open" },
): OpenEnsemble {
  const { memory, schedule, models, slots } = place;
  const times = new Map<string, { calls: number; milliseconds: number }>();
  const flop: Record<string, number> = {};
  const plain = instantiateKernels(module, memory);
  const kernels = profile ? timed(plain, times) : plain;
  // Undefined where there is no memory for so many workers: this one rests.
  const own = place.places[worker];
  const workshop = { ...place, kernels, own: own!, flop };
  const numbers = new Int32Array(memory.buffer);
  const scores = new Float64Array(memory.buffer);
  const queue = place.queue / 4;
  const { tasks, batches } = schedule;
  const updates = batches.filter(({ training }) => training).length;

  /** Waits until the number at `at` fulfils the condition. */
  function wait(at: number, until: (value: number) => boolean): void {
    for (;;) {
      const value = Atomics.load(numbers, at);
      if (until(value)) return;
      if (Atomics.load(numbers, queue + QUEUE.failed) !== 0) {
        throw new Error("another worker failed");
      }
      Atomics.wait(numbers, at, value, PATIENCE);
    }
  }

  function doTask(
    model: PlacedModel,
    number: number,
    { slot, step }: { readonly slot: PlacedSlot; readonly step: number },
  ): void {
    const epoch = Math.floor(number / tasks.length);
    const task = tasks[number % tasks.length]!;
    const { batch } = task;
    if (task.kind === "update") {
      const made = step + epoch * updates + batch.number;
      updatePart(workshop, model, { task, slot, step: made + 1 });
      return;
    }
    const { chunk, buffer, kind } = task;
    const bytes = gradientBytes(model.topology.listed);
    const gradient = slot.chunkGradients + buffer * bytes;
    const { loss, correct } = runChunk(workshop, model, {
      chunk,
      lanes: batch.size - LANES * (chunk - batch.first),
      scored: model.scored[batch.number]!,
      learn: kind === "learn" ? { ...slot, gradient } : undefined,
    });
    const at = model.scores / 8 + 2 * (epoch * schedule.chunks + chunk);
    scores[at] = loss;
    scores[at + 1] = correct;
  }

  /** Takes tasks of a model until there are none left to take. */
  function work(model: PlacedModel, epochs: number, step: number): void {
    const control = model.control / 4;
    const slot = slots[Atomics.load(numbers, control + CONTROL.slot) - 1]!;
    const done = control + CONTROL.done;
    for (;;) {
      const number = Atomics.add(numbers, control + CONTROL.next, 1);
      if (number >= epochs * tasks.length) return;
      const place = number % tasks.length;
      const fence = number - place + tasks[place]!.fence;
      wait(done, (count) => count >= fence);
      doTask(model, number, { slot, step });
      Atomics.add(numbers, done, 1);
      Atomics.notify(numbers, done);
    }
  }

  return (epochs, steps) => {
    times.clear();
    for (const name in flop) delete flop[name];
    if (own === undefined) return [];
    for (;;) {
      const number = Atomics.add(numbers, queue + QUEUE.next, 1);
      const model = models[number];
      if (model === undefined) break;
      const { weight, topology: { backPlace, listed } } = model;
      const control = model.control / 4;
      const slot = models.length <= slots.length ? number : worker;
      kernels.scatter(slots[slot]!.backWeight, weight, backPlace, 4 * listed);
      Atomics.store(numbers, control + CONTROL.slot, slot + 1);
      Atomics.notify(numbers, control + CONTROL.slot);
      work(model, epochs, steps[number]!);
      // Helpers may still be at work in the slot.
      const total = epochs * tasks.length;
      wait(control + CONTROL.done, (count) => count >= total);
    }
    // The last ones taken have most left to do.
    for (const [number, model] of [...models.entries()].reverse()) {
      wait(model.control / 4 + CONTROL.slot, (slot) => slot !== 0);
      work(model, epochs, steps[number]!);
    }
    return [...times].map(([kernel, time]) => ({
      kernel,
      ...time,
      flop: flop[kernel] ?? 0,
    }));
  };
}

/** The same kernels; adds up their times. */
function timed(
  kernels: Kernels,
  times: Map<string, { calls: number; milliseconds: number }>,
): Kernels {
  return Object.fromEntries(
    Object.entries(kernels).map(([name, kernel]) => [name, (...parameters) => {
      const start = performance.now();
      const result = kernel(...parameters);
      const time = times.get(name) ?? { calls: 0, milliseconds: 0 };
      time.calls++;
      time.milliseconds += performance.now() - start;
      times.set(name, time);
      return result;
    }]),
  ) as Kernels;
}

const open = new Map<number, OpenEnsemble>();

function obey(order: Order): KernelTime[] {
  if (order.kind === "train") {
    return open.get(order.ensemble)!(order.epochs, order.steps);
  }
  if (order.kind === "open") open.set(order.ensemble, openEnsemble(order));
  else open.delete(order.ensemble);
  return [];
}

self.addEventListener("message", (event) => {
  const { data } = event as MessageEvent<Order>;
  let answer: Answer;
  try {
    answer = { times: obey(data) };
  } catch (error) {
    answer = { times: [], failure: String(error) };
  }
  (self as unknown as Pick<Worker, "postMessage">).postMessage(answer);
});

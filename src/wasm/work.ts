/**
 * The work of a thread: it takes models, and tasks of models that others have
 * taken, until a call to train is done. All it needs lies in the memory; what it
 * waits for are numbers there.
 *
 * @module
 */

import type { PlacedEnsemble, PlacedModel } from "./place.ts";
import type { KernelTime } from "../engine/device_profile.ts";
import { powerOf } from "../rnn/arithmetic.ts";
import { instantiateKernels, type Kernels } from "./kernels.ts";
import {
  chunkBytes,
  CONTROL,
  deltaRows,
  gradientBytes,
  LANES,
  type Placed,
  ROW,
  stateRows,
  type Task,
} from "./plan.ts";

/** Sums over scored trials. */
interface Score {
  /** Σ −log p(target), or of squared errors. */
  loss: number;
  /** Trials whose largest output is that of the target. */
  correct: number;
}

/**
 * Puts the log-probabilities of a row of trials in place of its outputs, [O, 32],
 * and the loss's gradient in the outputs before the log-softmax,
 * (p − [o = target]) / scored, into `gradient`: 0 where the target is 0, which
 * stands for what is not scored. Adds to the score; `scored` are the scored entries
 * of the whole batch.
 */
function scoreLikelihood(
  { output, targets, gradient }: Readonly<
    Record<"output" | "targets" | "gradient", Float32Array>
  >,
  scored: number,
  score: Score,
): void {
  const size = output.length / LANES;
  let loss = 0;
  for (let lane = 0; lane < LANES; lane++) {
    const target = targets[lane]!;
    let best = 0;
    for (let o = 1; o < size; o++) {
      if (output[o * LANES + lane]! > output[best * LANES + lane]!) best = o;
    }
    // A NaN anywhere makes the sum and with it all of them NaN.
    const largest = output[best * LANES + lane]!;
    let sum = 0;
    for (let o = 0; o < size; o++) {
      sum += exp(output[o * LANES + lane]! - largest);
    }
    const shift = largest + log(sum);
    for (let o = 0; o < size; o++) {
      const at = o * LANES + lane;
      const logarithm = output[at]! - shift;
      output[at] = logarithm;
      gradient[at] = target === 0
        ? 0
        : (exp(logarithm) - (o === target ? 1 : 0)) / scored;
      if (o === target && target !== 0) loss -= logarithm;
    }
    if (target !== 0 && best === target) score.correct++;
  }
  score.loss += loss;
}

/** ln 2 as a sum of a short and a small number. */
const LN2 = { short: 0.6931471803691238, rest: 1.9082149292705877e-10 };

// exp and log are our own, as those of JavaScript may differ from one machine or
// browser to the next, and results must not.

/** eˣ for x ≤ 0: 2ᵏ · eʳ with |r| ≤ ln 2 / 2, and eʳ as its series. */
export function exp(x: number): number {
  // What is smaller is nothing beside the largest, whose exponential is 1.
  if (x < -700) return 0;
  const k = Math.round(x / Math.LN2);
  const r = x - k * LN2.short - k * LN2.rest;
  let sum = 1;
  for (let n = 14; n > 0; n--) sum = 1 + sum * r / n;
  return sum * powerOf(2, k);
}

/** ln x for finite x ≥ 1: x = 2ᵏ · m with m ≤ √2, and ln m = 2 artanh((m − 1) / (m + 1)) as its series. */
export function log(x: number): number {
  let k = 0;
  let m = x;
  for (; m > Math.SQRT2; m /= 2) k++;
  const f = (m - 1) / (m + 1);
  let sum = 0;
  for (let n = 23; n > 0; n -= 2) sum = sum * f * f + 1 / n;
  return k * Math.LN2 + 2 * f * sum;
}

/** What it takes to work on the models of an ensemble. */
interface Workshop extends PlacedEnsemble {
  readonly kernels: Kernels;
  readonly own: Placed<"worker">;
  /** Adds operations of the products with W_hh to those of a kernel. */
  count?(kernel: string, flop: number): void;
}

/**
 * Runs a chunk through the network and, to learn, back through time:
 *
 *     h_t = act(W_ih x_t + b_ih + W_hh h_{t−1} + b_hh)     y_t = W_fc h_t + b_fc
 *     δ_t = act'(h_t) · (W_fcᵀ dy_t + W_hhᵀ δ_{t+1})
 *
 * State t holds h_t beside x_{t+1}, so that both are senders of one list; dy_t
 * lies beside δ_{t+1}. The gradient is added up right after each δ_t, so that
 * only two δ are kept. Where nothing is scored dy_t is 0 and y_t isn't computed.
 */
export function runChunk(
  shop: Workshop,
  model: PlacedModel,
  { task: { batch, chunk }, learn, everyStep = false }: {
    readonly task: Pick<Task, "batch" | "chunk">;
    /** Where the gradient goes, and the weights in the transposed order; without it the chunk is only scored. */
    readonly learn?: Omit<Placed<"slot">, "chunkGradients"> | undefined;
    /** Compute outputs and states of all steps, not only up to what is scored. */
    readonly everyStep?: boolean;
  },
): Score {
  const { kernels: k, memory, size, loss, own } = shop;
  const { hiddenSize: H, inputSize: I, outputSize: O } = size;
  const { topology, steps, weight, scoredSteps } = model;
  const { offset, start, startInput, backStart } = topology;
  const lanes = batch.size - LANES * chunk;
  const width = lanes <= LANES / 2 ? "16" : "";
  const forward = `forward${width} ${model.nonlinearity}` as const;
  const backward = `backward${width} ${model.nonlinearity}` as const;
  const linear = `linear${width}` as const;
  const outer = `gradient${width}` as const;
  const readout = start + 4 * H;
  const state = (t: number) => own.states + t * stateRows(size) * ROW;
  const output = (t: number) => own.outputs + t * O * ROW;
  const place = batch.first + chunk;
  const inputs = model.trials + place * chunkBytes(I, steps);
  const targets = inputs + steps * (I + 1) * ROW;
  const isScored = (t: number) => everyStep || scoredSteps[t]!;
  const scored = model.scored[batch.number]!;
  const end = everyStep ? steps : scoredSteps.lastIndexOf(true) + 1;

  for (let t = 0; t < end; t++) {
    const [now, next] = [state(t), state(t + 1)];
    k.copy(now + H * ROW, inputs + t * (I + 1) * ROW, (I + 1) * ROW);
    const from = t === 0 ? startInput : start;
    k[forward]!(next, now, now, from, start + 4, offset, weight, H);
    if (!isScored(t)) continue;
    // Of what lies beside h the read-out needs the ones alone.
    k.copy(next + (H + I) * ROW, inputs + I * ROW, ROW);
    const to = readout + 4;
    k[linear](output(t), next, next, readout, to, offset, weight, O);
  }

  const row = (address: number, rows: number) =>
    new Float32Array(memory.buffer, address, rows * LANES);
  const score: Score = { loss: 0, correct: 0 };
  let next = own.deltas;
  let now = own.deltas + deltaRows(size) * ROW;
  if (learn !== undefined) k.clear(learn.gradient, 4 * topology.listed);
  for (let t = end - 1; t >= 0; t--) {
    const dy = next + H * ROW;
    if (isScored(t)) {
      const [y, target] = [output(t), targets + t * ROW];
      if (loss === "nll") {
        scoreLikelihood(
          { output: row(y, O), targets: row(target, 1), gradient: row(dy, O) },
          scored,
          score,
        );
      } else {
        const scale = 2 / scored;
        for (let at = 0; at < O * ROW; at += ROW) {
          score.loss += k.meanSquaredError(dy + at, y + at, target, scale);
        }
      }
    } else k.clear(dy, O * ROW);
    if (learn === undefined) continue;
    const { gradient, backWeight } = learn;
    const [h, before] = [state(t + 1), state(t)];
    const back = t === end - 1 ? topology.backStartReadout : backStart;
    const { backOffset } = topology;
    k[backward]!(now, next, h, back, backStart + 4, backOffset, backWeight, H);
    if (isScored(t)) {
      k[outer](gradient, dy, h, readout, readout + 4, offset, O);
    }
    const from = t > 0 && model.trainRecurrent ? start : startInput;
    k[outer](gradient, now, before, from, start + 4, offset, H);
    [next, now] = [now, next];
  }

  const trials = width === "16" ? LANES / 2 : LANES;
  const operations = 2 * trials * topology.recurrent * Math.max(0, end - 1);
  shop.count?.(forward, operations);
  if (learn !== undefined) {
    shop.count?.(backward, operations);
    if (model.trainRecurrent) shop.count?.(outer, operations);
  }
  return score;
}

/** Adds the gradients of a wave in a part of the list, and after the last wave makes the update there. */
function updatePart(
  { kernels, schedule, memory, size }: Workshop,
  model: PlacedModel,
  slot: Placed<"slot">,
  { batch, chunk, part, update }: Required<Task> & {
    /** Number of the update, counted from the first of the call. */
    readonly update: number;
  },
): void {
  const { listed, backPlace, start, startInput } = model.topology;
  const bytes = 4 * listed;
  const whole = Math.ceil(bytes / schedule.parts / 64) * 64;
  const from = Math.min(bytes, part * whole);
  const length = Math.min(whole, bytes - from);
  const g = slot.gradient + from;
  const left = batch.count - chunk;
  if (chunk === 0) kernels.clear(g, length);
  for (let buffer = 0; buffer < Math.min(left, schedule.buffers); buffer++) {
    const term = slot.chunkGradients + buffer * gradientBytes(listed);
    kernels.add(g, term + from, length);
  }
  if (left > schedule.buffers) return;
  const numbers = model.numbers + 4 * model.numbersEach * update;
  const change = kernels[`update ${model.optimizer}`]!;
  const { weight, firstMoment, secondMoment } = model;
  const arrays = [weight, slot.gradient, firstMoment, secondMoment];
  const changePart = (first: number, end: number) => {
    const start = Math.max(from, first);
    const length = Math.min(from + whole, end) - start;
    if (length <= 0) return;
    change(...arrays.map((array) => array + start), length, numbers);
  };
  if (model.trainRecurrent) changePart(0, bytes);
  else {
    // Some optimizers change weights that have no gradient, too: all but W_hh's are given to them.
    const { hiddenSize: H } = size;
    const begins = new Uint32Array(memory.buffer, start, H + 1);
    const inputs = new Uint32Array(memory.buffer, startInput, H);
    for (let i = 0; i < H; i++) changePart(inputs[i]!, begins[i + 1]!);
    changePart(begins[H]!, bytes);
  }
  kernels.scatter(slot.backWeight, weight + from, backPlace + from, length);
}

/** What threads are told: to train an ensemble for some epochs. */
export interface Order {
  readonly ensemble: PlacedEnsemble;
  readonly module: WebAssembly.Module;
  readonly epochs: number;
  /** Whether to time the kernels. */
  readonly profile: boolean;
}

/** What one of them is told. */
export interface OwnOrder extends Order {
  /** Its number. */
  readonly worker: number;
  /** [1], shared: not 0 once a worker has failed. */
  readonly failed: Int32Array;
}

/** Milliseconds after which a waiting worker looks whether another has failed. */
const PATIENCE = 200;

type Times = Map<string, { -readonly [K in keyof KernelTime]: KernelTime[K] }>;

/** Does a worker's share; returns the times of its kernels, where they are timed. */
export function work(
  { ensemble, module, epochs, profile, worker, failed }: OwnOrder,
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
        updatePart(workshop, model, slot, { ...task, part, update });
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

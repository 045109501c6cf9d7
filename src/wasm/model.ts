/**
 * One model in the shared memory, and the work on one chunk of its trials.
 *
 * @module
 */

import type {
  Activation,
  LossName,
  OptimizerName,
} from "../engine/ensemble.ts";
import type { ModelSize } from "../rnn/parameters.ts";
import { LANES, ROW } from "./arithmetic.ts";
import { deltaRows, stateRows } from "./connection_rows.ts";
import type { Kernels } from "./kernels.ts";
import { powerOf, scoreLikelihood } from "./likelihood.ts";
import {
  chunkBytes,
  gradientBytes,
  type modelParts,
  type slotParts,
  type topologyParts,
  type workerParts,
} from "./memory_layout.ts";
import type { Schedule, Task } from "./schedule.ts";

/** Addresses of parts. */
type Placed<F extends (...parameters: never[]) => object> = {
  readonly [K in keyof ReturnType<F>]: number;
};

/** A list of connections in memory. */
export interface PlacedTopology extends Placed<typeof topologyParts> {
  /** Connections with padding. */
  readonly listed: number;
}

/** A model in memory and all that its training depends on. */
export interface PlacedModel extends Placed<typeof modelParts> {
  readonly topology: PlacedTopology;
  /** T */
  readonly steps: number;
  readonly activation: Activation;
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
  readonly trainRecurrent: boolean;
  /** Connections of W_hh, for the count of operations. */
  readonly recurrent: number;
  /** [T]: whether any trial is scored at a step. */
  readonly scoredSteps: readonly boolean[];
  /** Scored entries of each batch, training batches first. */
  readonly scored: readonly number[];
}

export type PlacedSlot = Placed<typeof slotParts>;

/** What is common to all models of an ensemble. */
export interface Workshop {
  readonly kernels: Kernels;
  readonly memory: WebAssembly.Memory;
  readonly size: ModelSize;
  readonly loss: LossName;
  readonly schedule: Schedule;
  /** This worker's own part of the memory. */
  readonly place: Placed<typeof workerParts>;
  /** Operations of the products with W_hh so far, by kernel; only where kernels are timed. */
  readonly flop?: Record<string, number>;
  /** Times the loss of classes, which is no kernel. */
  readonly scoreLikelihood: typeof scoreLikelihood;
}

/** What a chunk gave. */
export interface ChunkScore {
  /** Sum over the scored entries. */
  loss: number;
  /** Scored trials whose class was right. */
  correct: number;
}

/** Which chunk, and what to do with it. */
export interface ChunkWork {
  /** Number among all chunks. */
  readonly chunk: number;
  /** Scored entries of its batch. */
  readonly scored: number;
  /** Where the gradient goes, and the weights in the transposed order; without it the chunk is only scored. */
  readonly learn?: { readonly gradient: number; readonly backWeight: number };
  /** Compute outputs and states of all steps, not only up to what is scored. */
  readonly everyStep?: boolean;
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
  { kernels, memory, size, loss, place, ...shop }: Workshop,
  model: PlacedModel,
  { chunk, scored, learn, everyStep = false }: ChunkWork,
): ChunkScore {
  const { hiddenSize: H, inputSize: I, outputSize: O } = size;
  const { topology, steps, activation, weight } = model;
  const { offset } = topology;
  const state = (t: number) => place.states + t * stateRows(size) * ROW;
  const output = (t: number) => place.outputs + t * O * ROW;
  const inputs = model.trials + chunk * chunkBytes(I, steps);
  const target = (t: number) => inputs + (steps * (I + 1) + t) * ROW;
  const readout = 4 * H;
  const { start, startInput } = topology;
  const forward = activation === "relu"
    ? kernels.forwardRelu
    : kernels.forwardTanh;
  const scoredAt = (t: number) => everyStep || model.scoredSteps[t]!;
  const end = everyStep ? steps : model.scoredSteps.lastIndexOf(true) + 1;

  for (let t = 0; t < end; t++) {
    const [now, next] = [state(t), state(t + 1)];
    kernels.copy(now + H * ROW, inputs + t * (I + 1) * ROW, (I + 1) * ROW);
    const from = t === 0 ? startInput : start;
    forward(next, now, now, from, start + 4, offset, weight, H);
    if (!scoredAt(t)) continue;
    // Of what lies beside h_{t+1} the read-out needs the ones alone.
    kernels.copy(next + (H + I) * ROW, inputs + I * ROW, ROW);
    kernels.linear(
      output(t),
      next,
      next,
      start + readout,
      start + readout + 4,
      offset,
      weight,
      O,
    );
  }
  const { recurrent } = model;
  const { flop } = shop;
  const count = (kernel: string, products: number) => {
    if (flop === undefined) return;
    flop[kernel] = (flop[kernel] ?? 0) + 2 * LANES * recurrent * products;
  };
  count(activation === "relu" ? "forwardRelu" : "forwardTanh", end - 1);

  const score: ChunkScore = { loss: 0, correct: 0 };
  const row = deltaRows(size) * ROW;
  let next = place.deltas;
  let now = place.deltas + row;
  const backward = activation === "relu"
    ? kernels.backwardRelu
    : kernels.backwardTanh;
  if (learn !== undefined) kernels.clear(learn.gradient, 4 * topology.listed);
  for (let t = end - 1; t >= 0; t--) {
    const dy = next + H * ROW;
    const isScored = scoredAt(t);
    if (!isScored) kernels.clear(dy, O * ROW);
    else if (loss === "mse") {
      for (let o = 0; o < O; o++) {
        score.loss += kernels.meanSquaredError(
          dy + o * ROW,
          output(t) + o * ROW,
          target(t),
          2 / scored,
        );
      }
    } else {
      const row = shop.scoreLikelihood(
        new Float32Array(memory.buffer, output(t), O * LANES),
        {
          targets: new Float32Array(memory.buffer, target(t), LANES),
          gradient: new Float32Array(memory.buffer, dy, O * LANES),
          scored,
        },
      );
      score.loss += row.loss;
      score.correct += row.correct;
    }
    if (learn === undefined) continue;
    const { gradient, backWeight } = learn;
    const from = t === end - 1 ? topology.backStartReadout : topology.backStart;
    backward(
      now,
      next,
      state(t + 1),
      from,
      topology.backStart + 4,
      topology.backOffset,
      backWeight,
      H,
    );
    if (isScored) {
      const last = start + readout;
      kernels.gradient(gradient, dy, state(t + 1), last, last + 4, offset, O);
    }
    const recurrentToo = t > 0 && model.trainRecurrent;
    kernels.gradient(
      gradient,
      now,
      state(t),
      recurrentToo ? start : startInput,
      start + 4,
      offset,
      H,
    );
    [next, now] = [now, next];
  }
  if (learn !== undefined) {
    count(activation === "relu" ? "backwardRelu" : "backwardTanh", end - 1);
    if (model.trainRecurrent) count("gradient", end - 1);
  }
  return score;
}

/** Does a part of an update: adds the gradients of a wave, and after the last wave makes the optimizer's step number `step`. */
export function updatePart(
  { kernels, schedule }: Workshop,
  model: PlacedModel,
  { task, slot, step }: {
    readonly task: Task & { readonly kind: "update" };
    readonly slot: PlacedSlot;
    readonly step: number;
  },
): void {
  const { listed, backPlace } = model.topology;
  const bytes = 4 * listed;
  const whole = Math.ceil(bytes / schedule.parts / 64) * 64;
  const from = Math.min(bytes, task.part * whole);
  const length = Math.min(whole, bytes - from);
  const gradient = slot.gradient + from;
  if (task.firstWave) kernels.clear(gradient, length);
  for (let buffer = 0; buffer < task.buffers; buffer++) {
    const chunk = slot.chunkGradients + buffer * gradientBytes(listed);
    kernels.add(gradient, chunk + from, length);
  }
  if (!task.lastWave) return;
  const weight = model.weight + from;
  const first = model.firstMoment + from;
  const second = model.secondMoment + from;
  const { learningRate } = model;
  switch (model.optimizer) {
    case "Adam":
      kernels.adam(
        weight,
        gradient,
        first,
        second,
        length,
        learningRate / (1 - powerOf(0.9, step)),
        1 / Math.sqrt(1 - powerOf(0.999, step)),
      );
      break;
    case "RMSprop":
      kernels.rmsprop(weight, gradient, second, length, learningRate);
      break;
    case "SGD":
      kernels.sgd(weight, gradient, length, learningRate);
  }
  kernels.scatter(slot.backWeight, weight, backPlace + from, length);
}

/**
 * One model in the shared memory, and the work on one chunk of its trials.
 *
 * @module
 */

import type { LossName, ModelRun } from "../engine/ensemble.ts";
import type { ModelSize } from "../rnn/parameters.ts";
import type { Kernels } from "./kernels.ts";
import { type Score, scoreLikelihood } from "./likelihood.ts";
import {
  chunkBytes,
  deltaRows,
  gradientBytes,
  LANES,
  type Placed,
  ROW,
  stateRows,
} from "./memory_layout.ts";
import type { Schedule, Task } from "./schedule.ts";

/** A model in memory and all that its training depends on. */
export interface PlacedModel
  extends Placed<"model">, Pick<ModelRun, "trainRecurrent"> {
  /** By their names. */
  readonly nonlinearity: string;
  readonly optimizer: string;
  /** Numbers that the optimizer is given for an update. */
  readonly numbersEach: number;
  /** Its list of connections, `listed` of them with padding, `recurrent` of W_hh. */
  readonly topology: Placed<"topology"> & {
    readonly listed: number;
    readonly recurrent: number;
  };
  /** T */
  readonly steps: number;
  /** [T]: whether any trial is scored at a step. */
  readonly scoredSteps: readonly boolean[];
  /** Scored entries of each batch, training batches first. */
  readonly scored: readonly number[];
}

/** An ensemble in memory. */
export interface PlacedEnsemble {
  readonly memory: WebAssembly.Memory;
  readonly size: ModelSize;
  readonly loss: LossName;
  readonly schedule: Schedule;
  /** Where the number of models taken stands. */
  readonly queue: number;
  /** The models with most work first. */
  readonly models: readonly PlacedModel[];
  readonly slots: readonly Placed<"slot">[];
  /** Each worker's own part. */
  readonly places: readonly Placed<"worker">[];
}

/** What it takes to work on the models of an ensemble. */
export interface Workshop extends PlacedEnsemble {
  readonly kernels: Kernels;
  readonly own: Placed<"worker">;
  /** Adds operations of the products with W_hh to those of a kernel. */
  count(kernel: string, flop: number): void;
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

  const row = (address: number, rows = 1) =>
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
        const rows = { output: row(y, O), gradient: row(dy, O) };
        const targets = row(target);
        scoreLikelihood({ ...rows, targets, scored }, score);
      } else {
        for (let at = 0; at < O * ROW; at += ROW) {
          const scale = 2 / scored;
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
  shop.count(forward, operations);
  if (learn !== undefined) {
    shop.count(backward, operations);
    if (model.trainRecurrent) shop.count(outer, operations);
  }
  return score;
}

/** Adds the gradients of a wave in a part of the list, and after the last wave makes the update there. */
export function updatePart(
  { kernels, schedule }: Workshop,
  model: PlacedModel,
  { task, slot, update }: {
    readonly task: Task & { readonly part: number };
    readonly slot: Placed<"slot">;
    /** Number of the update, counted from the first of the call. */
    readonly update: number;
  },
): void {
  const { listed, backPlace } = model.topology;
  const bytes = 4 * listed;
  const whole = Math.ceil(bytes / schedule.parts / 64) * 64;
  const from = Math.min(bytes, task.part * whole);
  const length = Math.min(whole, bytes - from);
  const g = slot.gradient + from;
  const left = task.batch.count - task.chunk;
  if (task.chunk === 0) kernels.clear(g, length);
  for (let buffer = 0; buffer < Math.min(left, schedule.buffers); buffer++) {
    const chunk = slot.chunkGradients + buffer * gradientBytes(listed);
    kernels.add(g, chunk + from, length);
  }
  if (left > schedule.buffers) return;
  const w = model.weight + from;
  const m = model.firstMoment + from;
  const v = model.secondMoment + from;
  const numbers = model.numbers + 4 * model.numbersEach * update;
  kernels[`update ${model.optimizer}`]!(w, g, m, v, length, numbers);
  kernels.scatter(slot.backWeight, w, backPlace + from, length);
}

/**
 * One model in training: its parameters, moments and trials.
 *
 * @module
 */

import type {
  BatchProbe,
  EnsembleSpec,
  ModelRun,
  ModelState,
} from "../engine/ensemble.ts";
import type { BatchScore } from "../engine/common.ts";
import { NUMBERS } from "../rnn/arithmetic.ts";
import { type Optimizer, optimizerOf } from "../rnn/optimizers.ts";
import {
  closePorts,
  PARAMETER_NAMES,
  type Parameters,
} from "../rnn/parameters.ts";
import { byTrial, gatherBatch } from "./batch.ts";
import { backward, createNetwork, evaluate, zeroParameters } from "./elman.ts";

/** The batches of one epoch. */
export interface Epoch {
  readonly train: readonly BatchScore[];
  readonly validate: readonly BatchScore[];
}

/** A model that can be trained, looked at and stored. */
export interface Model {
  /** All training batches with an update each, then all validation batches. */
  trainEpoch(): Epoch;
  /** A copy of all that training changes. */
  state(): ModelState;
  /** One training batch without an update. */
  probe(batch: number): BatchProbe;
}

/** Makes a run ready to train, from its start or from where its state stood. */
export function createModel(run: ModelRun, spec: EnsembleSpec): Model {
  const { activation, trainRecurrent, connections, trials, optimizer } = run;
  const network = createNetwork({
    hiddenSize: spec.hiddenSize,
    inputSize: spec.inputSize,
    outputSize: spec.outputSize,
    loss: spec.loss,
    activation,
    trainRecurrent,
    connections,
  });
  const start: ModelState = run.state ?? {
    epoch: 0,
    updates: 0,
    parameters: run.initial,
    firstMoment: zeroParameters(network),
    secondMoment: zeroParameters(network),
  };
  const parameters = copyParameters(start.parameters);
  const firstMoment = copyParameters(start.firstMoment);
  const secondMoment = copyParameters(start.secondMoment);
  let { epoch, updates } = start;

  function learn(trialNumbers: Uint32Array) {
    const batch = gatherBatch(trials, trialNumbers);
    const { score, ...activity } = evaluate(network, parameters, batch);
    const gradient = backward(network, parameters, {
      batch,
      activity,
      outputGradient: score.gradient,
    });
    // Without a gradient a weight that is 0, and its moments, stay 0.
    closePorts(gradient, run.ports);
    return { batch, activity, score, gradient };
  }

  function update(gradient: Parameters<Float64Array>): void {
    updates++;
    for (const name of PARAMETER_NAMES) {
      if (name === "weightHh" && !trainRecurrent) continue;
      updateTensor(parameters[name], {
        optimizer,
        learningRate: run.learningRate,
        update: updates,
        gradient: gradient[name],
        firstMoment: firstMoment[name],
        secondMoment: secondMoment[name],
      });
    }
  }

  return {
    trainEpoch: () => {
      const train = trials.trainBatches.map((numbers) => {
        const { score, gradient } = learn(numbers);
        update(gradient);
        return { loss: score.loss, accuracy: score.accuracy };
      });
      const validate = trials.validateBatches.map((numbers) => {
        const batch = gatherBatch(trials, numbers);
        const { score } = evaluate(network, parameters, batch);
        return { loss: score.loss, accuracy: score.accuracy };
      });
      epoch++;
      return { train, validate };
    },
    state: () => ({
      epoch,
      updates,
      parameters: copyParameters(parameters),
      firstMoment: copyParameters(firstMoment),
      secondMoment: copyParameters(secondMoment),
    }),
    probe: (number) => {
      const { batch, activity, score, gradient } = learn(
        trials.trainBatches[number]!,
      );
      return {
        loss: score.loss,
        accuracy: score.accuracy,
        output: byTrial(activity.output, batch),
        hiddenLast: activity.hidden.slice(-batch.size * network.hiddenSize),
        gradient,
      };
    },
  };
}

/** A copy in float64. */
function copyParameters(source: Parameters): Parameters<Float64Array> {
  return Object.fromEntries(
    PARAMETER_NAMES.map((name) => [name, new Float64Array(source[name])]),
  ) as unknown as Parameters<Float64Array>;
}

/** One tensor's gradient and moments; all of one length. */
export interface Update {
  readonly optimizer: string | Optimizer;
  readonly learningRate: number;
  /** Number of this update, from 1. */
  readonly update: number;
  readonly gradient: Float64Array;
  /** What the optimizer keeps. */
  readonly firstMoment: Float64Array;
  readonly secondMoment: Float64Array;
}

/**
 * Updates a tensor and its moments, in place.
 *
 * @param weights The tensor.
 *
 * @example
 * ```ts
 * import { updateTensor } from "./src/reference/model.ts";
 *
 * const weights = Float64Array.of(1);
 * updateTensor(weights, {
 *   optimizer: "SGD",
 *   learningRate: 0.1,
 *   update: 1,
 *   gradient: Float64Array.of(2),
 *   firstMoment: new Float64Array(1),
 *   secondMoment: new Float64Array(1),
 * });
 * weights[0]; // 0.8
 * ```
 */
export function updateTensor(
  weights: Float64Array,
  { gradient, firstMoment, secondMoment, learningRate, ...update }: Update,
): void {
  const optimizer = optimizerOf(update.optimizer);
  /** What was computed for this update, in the order in which it is asked for. */
  const computed: number[] = [];
  for (let i = 0; i < weights.length; i++) {
    let asked = 0;
    const after = optimizer.update(NUMBERS, {
      weight: weights[i]!,
      gradient: gradient[i]!,
      first: firstMoment[i]!,
      second: secondMoment[i]!,
      learningRate,
      perUpdate: (of) => computed[asked++] ??= of(update.update),
    });
    weights[i] = after.weight;
    if (after.first !== undefined) firstMoment[i] = after.first;
    if (after.second !== undefined) secondMoment[i] = after.second;
  }
}

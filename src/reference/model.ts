/**
 * One model in training: its parameters, moments and trials.
 *
 * @module
 */

import type { BatchScore } from "../engine/engine_parts.ts";
import type {
  BatchProbe,
  EnsembleSpec,
  ModelRun,
  ModelState,
} from "../engine/ensemble.ts";
import { NUMBERS } from "../rnn/arithmetic.ts";
import { type Optimizer, optimizerOf } from "../rnn/optimizers.ts";
import {
  closePorts,
  makeParameters,
  PARAMETER_NAMES,
  type Parameters,
} from "../rnn/parameters.ts";
import { byTrial, gatherBatch } from "./batch.ts";
import { backward, createNetwork, evaluate, zeroParameters } from "./elman.ts";

/** A model that can be trained, looked at and stored. */
export interface Model {
  /** All training batches with an update each, then all validation batches; gives their scores. */
  trainEpoch(): BatchScore[];
  /** A copy of all that training changes. */
  state(): ModelState;
  /** One training batch without an update. */
  probe(batch: number): BatchProbe;
}

/** Makes a run ready to train, from its start or from where its state stood. */
export function createModel(run: ModelRun, spec: EnsembleSpec): Model {
  const { trials, optimizer, learningRate } = run;
  const network = createNetwork({ ...spec, ...run });
  const start = run.state ?? {
    epoch: 0,
    updates: 0,
    parameters: run.initial,
    firstMoment: zeroParameters(network),
    secondMoment: zeroParameters(network),
  };
  const parameters = inDoubles(start.parameters);
  const firstMoment = inDoubles(start.firstMoment);
  const secondMoment = inDoubles(start.secondMoment);
  let { epoch, updates } = start;

  function learn(trialNumbers: Uint32Array) {
    const batch = gatherBatch(trials, trialNumbers);
    const pass = { batch, ...evaluate(network, parameters, batch) };
    const gradient = backward(network, parameters, pass);
    // Without a gradient a weight that is 0, and its moments, stay 0.
    closePorts(gradient, run.ports);
    return { ...pass, gradient };
  }

  function update(gradient: Parameters<Float64Array>): void {
    updates++;
    for (const name of PARAMETER_NAMES) {
      if (name === "weightHh" && !run.trainRecurrent) continue;
      updateTensor(parameters[name], {
        optimizer,
        learningRate,
        update: updates,
        gradient: gradient[name],
        firstMoment: firstMoment[name],
        secondMoment: secondMoment[name],
      });
    }
  }

  return {
    trainEpoch() {
      const training = trials.trainBatches.map((numbers) => {
        const { score, gradient } = learn(numbers);
        update(gradient);
        return { loss: score.loss, accuracy: score.accuracy };
      });
      const validation = trials.validateBatches.map((numbers) => {
        const batch = gatherBatch(trials, numbers);
        const { score } = evaluate(network, parameters, batch);
        return { loss: score.loss, accuracy: score.accuracy };
      });
      epoch++;
      return [...training, ...validation];
    },
    state: () => ({
      epoch,
      updates,
      parameters: inDoubles(parameters),
      firstMoment: inDoubles(firstMoment),
      secondMoment: inDoubles(secondMoment),
    }),
    probe(number) {
      const { batch, hidden, output, score, gradient } = learn(
        trials.trainBatches[number]!,
      );
      return {
        loss: score.loss,
        accuracy: score.accuracy,
        output: byTrial(output, batch),
        hiddenLast: hidden.slice(-batch.size * network.hiddenSize),
        gradient,
      };
    },
  };
}

/** A copy in float64. */
export function inDoubles(source: Parameters): Parameters<Float64Array> {
  return makeParameters((name) => new Float64Array(source[name]));
}

/** One tensor's gradient and moments; all of one length. */
interface Update {
  readonly optimizer: string | Optimizer;
  readonly learningRate: number;
  /** Number of this update, from 1. */
  readonly update: number;
  readonly gradient: Float64Array;
  /** What the optimizer keeps. */
  readonly firstMoment: Float64Array;
  readonly secondMoment: Float64Array;
}

/** Updates a tensor and its moments, in place. */
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

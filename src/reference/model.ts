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
import type { BatchScore } from "../engine/history.ts";
import {
  closePorts,
  PARAMETER_NAMES,
  type Parameters,
} from "../rnn/parameters.ts";
import { byTrial, gatherBatch } from "./batch.ts";
import { backward, createNetwork, evaluate, zeroParameters } from "./elman.ts";
import { updateTensor } from "./optimizer.ts";

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
    step: 0,
    parameters: run.initial,
    firstMoment: zeroParameters(network),
    secondMoment: zeroParameters(network),
  };
  const parameters = copyParameters(start.parameters);
  const firstMoment = copyParameters(start.firstMoment);
  const secondMoment = copyParameters(start.secondMoment);
  let { epoch, step } = start;

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
    step++;
    for (const name of PARAMETER_NAMES) {
      if (name === "weightHh" && !trainRecurrent) continue;
      updateTensor(parameters[name], {
        optimizer,
        learningRate: run.learningRate,
        update: step,
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
      step,
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

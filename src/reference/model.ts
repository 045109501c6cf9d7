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
import { PARAMETER_NAMES, type Parameters } from "../rnn/parameters.ts";
import { byTrial, gatherBatch } from "./batch.ts";
import { backward, createNetwork, evaluate, zeroParameters } from "./elman.ts";
import { updateTensor } from "./optimizer.ts";

/** How a batch did. */
export interface BatchResult {
  readonly loss: number;
  /** In %; undefined where the loss is "mse". */
  readonly accuracy: number | undefined;
}

/** The batches of one epoch. */
export interface Epoch {
  readonly train: readonly BatchResult[];
  readonly validate: readonly BatchResult[];
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
  const { activation, trainRecurrent, mask, trials, optimizer } = run;
  const network = createNetwork({
    hiddenSize: spec.hiddenSize,
    inputSize: spec.inputSize,
    outputSize: spec.outputSize,
    loss: spec.loss,
    activation,
    trainRecurrent,
    mask,
  });
  const connected = network.recurrent.position;
  const start: ModelState = run.state ?? {
    epoch: 0,
    step: 0,
    parameters: run.initial,
    firstMoment: zeroParameters(network),
    secondMoment: zeroParameters(network),
  };
  const parameters = copyParameters(start.parameters, connected);
  const firstMoment = copyParameters(start.firstMoment, connected);
  const secondMoment = copyParameters(start.secondMoment, connected);
  let { epoch, step } = start;

  function learn(trialNumbers: Uint32Array) {
    const batch = gatherBatch(trials, trialNumbers);
    const { score, ...activity } = evaluate(network, parameters, batch);
    const gradient = backward(network, parameters, {
      batch,
      activity,
      outputGradient: score.gradient,
    });
    return { batch, activity, score, gradient };
  }

  function update(gradient: Parameters<Float64Array>): void {
    step++;
    for (const name of PARAMETER_NAMES) {
      if (name === "weightHh" && !trainRecurrent) continue;
      updateTensor(parameters[name], {
        optimizer,
        learningRate: run.learningRate,
        step,
        gradient: gradient[name],
        firstMoment: firstMoment[name],
        secondMoment: secondMoment[name],
      }, name === "weightHh" ? connected : undefined);
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
      parameters: copyParameters(parameters, connected),
      firstMoment: copyParameters(firstMoment, connected),
      secondMoment: copyParameters(secondMoment, connected),
    }),
    probe: (number) => {
      const numbers = trials.trainBatches[number];
      if (numbers === undefined) {
        throw new RangeError(
          `Cannot probe batch ${number}: there are ${trials.trainBatches.length} training batches`,
        );
      }
      const { batch, activity, score, gradient } = learn(numbers);
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

/** A copy in float64, in which W_hh is +0 where there is no connection. */
function copyParameters(
  source: Parameters,
  connected: Uint32Array,
): Parameters<Float64Array> {
  const weightHh = new Float64Array(source.weightHh.length);
  for (const i of connected) weightHh[i] = source.weightHh[i]!;
  return {
    weightIh: Float64Array.from(source.weightIh),
    weightHh,
    biasIh: Float64Array.from(source.biasIh),
    biasHh: Float64Array.from(source.biasHh),
    weightFc: Float64Array.from(source.weightFc),
    biasFc: Float64Array.from(source.biasFc),
  };
}

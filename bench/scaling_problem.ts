/**
 * Models of any size for the scaling curves: a random network of regions, and
 * one training batch.
 *
 * @module
 */

import type { EnsembleSpec, ModelRun } from "../src/engine/ensemble.ts";
import { createStream, type RandomStream } from "../src/random/stream.ts";
import { initialParameters } from "../src/rnn/initialise.ts";
import type { TrialSet } from "../src/tasks/trial_set.ts";

/** Neurons of a region: the blocks that connectomes have. */
const REGION = 4;

/** A point of a scaling curve. */
export interface ScalingPoint {
  readonly models: number;
  /** H */
  readonly hiddenSize: number;
  /** T */
  readonly steps: number;
  /** Share of the pairs of regions that are connected, all their neurons with all. */
  readonly density: number;
  /** Trials of the training batch. */
  readonly batch: number;
}

/**
 * Models with a seq_mem trial's shape (I = 2, O = 1). All have one mask, start
 * and trials in common, which speed does not depend on; optimizer and
 * nonlinearity alternate as in the original's grid.
 */
export function scalingProblem(point: ScalingPoint): EnsembleSpec {
  const { models, hiddenSize, steps, density, batch } = point;
  const mask = regionMask(hiddenSize, {
    density,
    stream: createStream({ seed: 1, purpose: "topology" }),
  });
  const size = { hiddenSize, inputSize: 2, outputSize: 1 };
  const initial = initialParameters(size, {
    scheme: "default",
    mask,
    stream: createStream({ seed: 1, purpose: "weights" }),
  });
  const trials = randomTrials({
    steps,
    batch,
    stream: createStream({ seed: 1, purpose: "trials" }),
  });
  const runs = Array.from({ length: models }, (_, i): ModelRun => ({
    label: `model ${i}`,
    activation: i % 2 === 0 ? "relu" : "tanh",
    optimizer: i % 4 < 2 ? "Adam" : "RMSprop",
    learningRate: 1e-4,
    trainRecurrent: true,
    mask,
    initial,
    trials,
  }));
  return { ...size, loss: "mse", runs };
}

/** [H, H]; whole blocks of regions. */
function regionMask(
  neurons: number,
  { density, stream }: {
    readonly density: number;
    readonly stream: RandomStream;
  },
): Uint8Array {
  const mask = new Uint8Array(neurons * neurons);
  for (let row = 0; row < neurons; row += REGION) {
    for (let column = 0; column < neurons; column += REGION) {
      if (stream.uniform() >= density) continue;
      for (let a = row; a < Math.min(row + REGION, neurons); a++) {
        mask.fill(
          1,
          a * neurons + column,
          a * neurons + Math.min(column + REGION, neurons),
        );
      }
    }
  }
  return mask;
}

/** One training batch, and one trial to validate on. */
function randomTrials(
  { steps, batch, stream }: {
    readonly steps: number;
    readonly batch: number;
    readonly stream: RandomStream;
  },
): TrialSet {
  const trialCount = batch + 1;
  const shown = (steps - 1) / 2;
  const inputs = new Float32Array(trialCount * steps * 2);
  const targets = new Float32Array(trialCount * steps);
  for (let trial = 0; trial < trialCount; trial++) {
    for (let t = 0; t < steps; t++) {
      const at = trial * steps + t;
      if (t < shown) inputs[at * 2 + 1] = stream.uniform();
      else if (t === shown) inputs[at * 2] = 1;
      else targets[at] = inputs[(at - shown - 1) * 2 + 1] as number;
    }
  }
  return {
    trialCount,
    steps,
    inputSize: 2,
    inputs,
    targets,
    trainBatches: [Uint32Array.from({ length: batch }, (_, i) => i)],
    validateBatches: [Uint32Array.of(batch)],
  };
}

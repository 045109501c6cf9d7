/**
 * Models of any size for the scaling curves: a random network of regions, and
 * one training batch.
 *
 * @module
 */

import type { EnsembleSpec, ModelRun } from "../src/engine/ensemble.ts";
import { createStream, type RandomStream } from "../src/random/stream.ts";
import type { Connections } from "../src/graph/connections.ts";
import { initialParameters } from "../src/rnn/initialise.ts";
import type { TrialSet } from "../src/tasks/task.ts";

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
 * Models with a seq_mem trial's shape (I = 2, O = 1). All have connections,
 * start and trials in common, which speed does not depend on; optimizer and
 * nonlinearity alternate as in the original's grid.
 */
export function scalingProblem(point: ScalingPoint): EnsembleSpec {
  const { models, hiddenSize, steps, density, batch } = point;
  const connections = regionConnections(hiddenSize, {
    density,
    stream: createStream({ seed: 1, purpose: "topology" }),
  });
  const size = { hiddenSize, inputSize: 2, outputSize: 1 };
  const initial = initialParameters(size, {
    initialisation: "default",
    connections,
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
    connections,
    initial,
    trials,
  }));
  return { ...size, loss: "mse", runs };
}

/** Whole blocks of regions. */
function regionConnections(
  neurons: number,
  { density, stream }: {
    readonly density: number;
    readonly stream: RandomStream;
  },
): Connections {
  const rows: Uint32Array[] = [];
  const start = new Uint32Array(neurons + 1);
  for (let row = 0; row < neurons; row += REGION) {
    const senders: number[] = [];
    for (let column = 0; column < neurons; column += REGION) {
      if (stream.uniform() >= density) continue;
      const end = Math.min(column + REGION, neurons);
      for (let b = column; b < end; b++) senders.push(b);
    }
    for (let a = row; a < Math.min(row + REGION, neurons); a++) {
      rows.push(Uint32Array.from(senders));
      start[a + 1] = start[a]! + senders.length;
    }
  }
  const sender = new Uint32Array(start[neurons]!);
  for (const [a, senders] of rows.entries()) sender.set(senders, start[a]);
  return { receivers: neurons, senders: neurons, start, sender };
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

/**
 * How long a training will take, by a short probe.
 *
 * @module
 */

import type { Engine, ModelRun } from "../engine/ensemble.ts";
import type { RunId } from "../results/layout.ts";
import { planEnsembles } from "./plan_groups.ts";
import { buildRun, ensembleShape, type PreparedExperiment } from "./prepare.ts";

/** Models of the probe at most: a GPU is busy with as many. */
const MOST_MODELS = 32;

/** Milliseconds after which no further model is drawn for the probe. */
const DRAWING = 3000;

/** Milliseconds that the probe trains, after a first epoch that compiles. */
const TRAINING = 1000;

/** What a probe found. */
export interface TimeEstimate {
  readonly seconds: number;
  /** Models of the probe. */
  readonly models: number;
}

/**
 * Trains a sample of the runs for some epochs, and takes the rest to be as
 * fast by the time steps of their trials.
 */
export async function estimateTime(
  prepared: PreparedExperiment,
  ids: readonly RunId[],
  engine: Engine,
): Promise<TimeEstimate> {
  const { steps } = ensembleShape(prepared, ids);
  const began = performance.now();
  const probe: number[] = [];
  const runs: ModelRun[] = [];
  const most = Math.min(MOST_MODELS, ids.length);
  // Spread over the grid, so that all kinds of models are among them.
  for (let n = 0; n < most; n++) {
    const number = Math.floor(n * ids.length / most);
    runs.push(await buildRun(prepared, ids[number]!));
    probe.push(number);
    if (performance.now() - began > DRAWING) break;
  }
  const drawing = (performance.now() - began) / runs.length;
  const sample = probe.map((number) => ids[number]!);
  const plan = planEnsembles(engine, ensembleShape(prepared, sample));
  const group = plan.groups[0]!;
  const ensemble = await plan.createEnsemble(group.map((i) => runs[i]!));
  const sum = (numbers: readonly number[]) =>
    numbers.reduce((total, number) => total + steps[number]!, 0);
  try {
    let start = performance.now();
    await ensemble.train(1);
    let taken = performance.now() - start;
    let epochs = 1;
    // A short first epoch is mostly that of compiling, and so doesn't count.
    while (taken < TRAINING) {
      const some = Math.min(2 * epochs, Math.ceil(epochs * TRAINING / taken));
      start = performance.now();
      await ensemble.train(some);
      taken = performance.now() - start;
      epochs = some;
    }
    const share = sum([...steps.keys()]) / sum(group.map((i) => probe[i]!));
    const training = prepared.experiment.training.epochs * taken / epochs *
      share;
    return {
      seconds: (training + drawing * ids.length) / 1000,
      models: group.length,
    };
  } finally {
    ensemble.destroy();
  }
}

/**
 * Small trainings that give the same losses wherever they run.
 *
 * @module
 */

import type { EnsembleSpec, EpochHistory } from "../../src/engine/ensemble.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import { createInWay, exampleSpec, type Way } from "../gpu/example_runs.ts";

/** Losses of a training, models by epochs. */
export interface ExampleLosses {
  readonly train: readonly number[];
  readonly validate: readonly number[];
}

/**
 * 24 models, which differ in all that models of an ensemble may differ in. They
 * learn slowly, as rounding grows with every step.
 */
export const EXAMPLE = exampleSpec({
  hiddenSize: 37,
  loss: "nll",
  learningRate: 1e-4,
  steps: Array.from({ length: 24 }, (_, i) => 3 + i % 7),
});

export const EPOCHS = 3;

/** Models of which each third begins with a bias that is NaN: a tanh and a relu. */
export const POISONED = exampleSpec({
  hiddenSize: 13,
  steps: [4, 4, 4, 4, 4, 4],
});
for (const [i, { initial }] of POISONED.runs.entries()) {
  if (i % 3 === 0) initial.biasIh[2] = NaN;
}

/** Trains the example in one of the ways in which kernels are put together. */
export async function trainExample(way: Way): Promise<ExampleLosses> {
  const { trainLoss, validateLoss } = await train(EXAMPLE, way);
  return { train: [...trainLoss], validate: [...validateLoss] };
}

/** Those of the poisoned models whose losses show it. */
export async function failedModels(way: Way): Promise<number[]> {
  const { validateLoss, epochs } = await train(POISONED, way);
  return POISONED.runs.keys().toArray().filter((model) =>
    !Number.isFinite(validateLoss[model * epochs])
  );
}

async function train(spec: EnsembleSpec, way: Way): Promise<EpochHistory> {
  const engine = await createWebGpuEngine();
  if (engine === undefined) throw new Error("there is no WebGPU adapter");
  try {
    const ensemble = await createInWay(engine.gpu, spec, way);
    const history = await ensemble.train(EPOCHS);
    ensemble.destroy();
    return history;
  } finally {
    engine.destroy();
  }
}

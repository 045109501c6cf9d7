/**
 * A small training that gives the same losses wherever it runs.
 *
 * @module
 */

import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import { createEnsemble } from "../../src/engine/create_ensemble.ts";
import { exampleSpec } from "../gpu/example_runs.ts";
import type { WAYS } from "./kernel_texts.ts";

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

/** Trains it in one of the ways in which kernels are put together. */
export async function trainExample(
  { kind, software, variant }: typeof WAYS[number],
): Promise<ExampleLosses> {
  const engine = await createWebGpuEngine({
    storage: kind,
    software,
    ...(variant === undefined ? {} : { variant }),
  });
  if (engine === undefined) throw new Error("there is no WebGPU adapter");
  try {
    const ensemble = await createEnsemble(engine, EXAMPLE);
    const { trainLoss, validateLoss } = await ensemble.train(EPOCHS);
    ensemble.destroy();
    return { train: [...trainLoss], validate: [...validateLoss] };
  } finally {
    engine.destroy();
  }
}

/**
 * Reads the trained models of a results folder.
 *
 * @module
 */

import type { Model } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { readFileBytes } from "../files/read.ts";
import { readExperimentRecord } from "../results/experiment_record.ts";
import { modelPath, type RunId } from "../results/layout.ts";
import { NONLINEARITIES, type Nonlinearity } from "../rnn/nonlinearities.ts";
import { decodeCheckpoint } from "../rnn/checkpoint.ts";

/** Which model of a results folder. */
export interface ReadModelOptions extends RunId {
  /** Epochs after which it was stored, counted from 0, or "initial"; by default the last one. */
  readonly epoch?: number | "initial";
  /** Nonlinearities of one's own that it may have, besides those of `NONLINEARITIES`. */
  readonly nonlinearities?: readonly Nonlinearity[];
}

/**
 * Reads a model that an experiment has stored.
 *
 * @param folder A results folder of biornn.
 * @param options Combination and iteration, both from 0. Of what models begin with, only iteration 0 is stored.
 * @throws {InputError} If there is no such model, or a file is damaged.
 *
 * @example
 * ```ts no-eval
 * import { readModel } from "@biornn/biornn";
 *
 * const model = await readModel("results/bio", { combination: 0, iteration: 0 });
 * model.parameters.weightHh; // a weight for each connection
 * ```
 */
export async function readModel(
  folder: string,
  { combination, iteration, epoch, nonlinearities = [] }: ReadModelOptions,
): Promise<Model> {
  const record = await readExperimentRecord(folder);
  const { grid, task, epochs, size } = record;
  const values = grid.combinations[combination];
  if (values === undefined) {
    throw new InputError(
      `Cannot read a model of "${folder}": combination must be below ${grid.combinations.length}, found ${combination}`,
    );
  }
  const activation = String(values[grid.keys.indexOf("nonlinearity")]);
  const all = [...NONLINEARITIES.values(), ...nonlinearities];
  const nonlinearity = all.find(({ name }) => name === activation);
  if (nonlinearity === undefined) {
    throw new InputError(
      `Cannot read a model of "${folder}": its nonlinearity ${activation} is none of biornn's; give it in "nonlinearities"`,
    );
  }
  const name = modelPath(folder, {
    combination,
    iteration,
    epoch: epoch ?? epochs - 1,
  });
  const bytes = await readFileBytes(name, { what: "the model" });
  const { parameters, connections } = decodeCheckpoint(bytes, { name, size });
  return {
    ...size,
    activation: nonlinearity,
    loss: task.loss,
    connections,
    parameters,
  };
}

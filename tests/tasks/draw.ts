/**
 * Trials for the tests of tasks, and the config of an experiment with them.
 *
 * @module
 */

import { createStream } from "../../src/random/stream.ts";
import type {
  Task,
  TaskParameters,
  TrialOptions,
  Trials,
} from "../../src/tasks/task.ts";

/** The stream of a run's trials. */
export const stream = (seed: number, iteration = 0) =>
  createStream({ seed, purpose: "trials", iteration });

/** The trials that a task draws of a seed, default 1. */
export function draw(
  task: Task,
  parameters: TaskParameters,
  { seed = 1, ...options }: Partial<TrialOptions> & { seed?: number } = {},
): Trials {
  return task.generate(parameters, { stream: stream(seed), ...options });
}

/** What a trial shows, I numbers a time step, and what it asks for. */
export function trialOf(
  { steps, inputSize, inputs, targets }: Trials,
  trial: number,
): { rows: number[][]; targets: number[] } {
  const first = trial * steps;
  const rows = Array.from({ length: steps }, (_, t) => {
    const at = (first + t) * inputSize;
    return [...inputs.subarray(at, at + inputSize)];
  });
  return { rows, targets: [...targets.subarray(first, first + steps)] };
}

/** One run on the synthetic macaque; `trial` and `grid` are entries of the two dictionaries. */
export function configOf(
  { trial, grid, epochs, images, net = "" }: {
    readonly trial: string;
    readonly grid: string;
    readonly epochs: number;
    readonly images?: string;
    readonly net?: string;
  },
): string {
  return `[paths]
path_to_results = results
${images === undefined ? "" : `images = ${images}`}
[net]
net_name = Synthetic_Macaque_29
rnn_size = 29
nr_neurons = 1
rand_partition = True
random_w = False
${net}
[trainvalidate]
epochs = ${epochs}
iterations = 1
init = default
freeze_layer = False
remap_w = True
[trialparams]
trial_params = {${trial}, "train_size":0.8}
[combosparams]
combos_params = {"optimizer":["Adam"], ${grid}}
[run]
batch_size = 32
`;
}

/**
 * What a task is: its parameters, its sizes and how its trials are made.
 *
 * @module
 */

import type { RandomStream } from "../random/stream.ts";

/** Mean squared error, or negative log-likelihood after a log-softmax. */
export type LossName = "mse" | "nll";

/** What a parameter of a task may be; the config reader checks it and names it in errors. */
export interface ParameterSchema {
  readonly kind: "integer" | "number" | "boolean";
  /** Smallest value allowed. */
  readonly from?: number;
  /** Largest value allowed. */
  readonly to?: number;
  /** The value must be larger than this. */
  readonly above?: number;
  /** The value must be smaller than this. */
  readonly below?: number;
  /** Value where the config says nothing; a parameter without one must be given. */
  readonly default?: number | boolean;
  /** One line for the manual. */
  readonly description: string;
}

/** Values of a task's parameters, those of the grid included. */
export type TaskParameters = Readonly<Record<string, number | boolean>>;

/** Pictures, or their latent vectors, that a task shows. */
export interface Stimuli {
  /** Numbers of a stimulus: 50 latents, or 28·28 pixels. */
  readonly size: number;
  /** Number of stimuli. */
  readonly count: number;
  /** [count, size], row-major; pixels from 0 to 255. */
  readonly values: Float32Array;
  /** [count]: the class of each stimulus. */
  readonly labels: Uint8Array;
  /** For logs and `experiment.json`: the file, or "synthetic digits". */
  readonly source: string;
  /** True where no measured data are behind them. */
  readonly synthetic: boolean;
}

/** Trials before they are split into batches. */
export interface Trials {
  readonly trialCount: number;
  /** T */
  readonly steps: number;
  /** I */
  readonly inputSize: number;
  /** [trialCount, T, I], row-major. */
  readonly inputs: Float32Array;
  /** [trialCount, T], row-major; 0 = not scored. */
  readonly targets: Float32Array;
}

/** A working-memory task. Each lives in a file of its own and is listed in `registry.ts`. */
export interface Task {
  /** `task_name` in the config. */
  readonly name: string;
  readonly loss: LossName;
  /** O */
  readonly outputSize: number;
  /** Keys of `trial_params`, apart from `task_name`, `nr_of_trials` and `train_size`, which all tasks have. */
  readonly trialParameters: Readonly<Record<string, ParameterSchema>>;
  /** Keys of `combos_params` besides `lr`, `nonlinearity` and `optimizer`; all must be given. */
  readonly gridParameters: Readonly<Record<string, ParameterSchema>>;
  /** What the task shows, where it shows pictures. */
  readonly stimuli?: "latents" | "images";
  /** Says what is wrong with values that are each allowed but not together, e.g. `n_back 5 needs a trial_length above 5, found 5`. */
  check?(parameters: TaskParameters): string | undefined;
  /**
   * Checks that the stimuli are enough for the trials.
   *
   * @throws {InputError} If they are not.
   */
  checkStimuli?(parameters: TaskParameters, stimuli: Stimuli): void;
  /** T */
  steps(parameters: TaskParameters): number;
  /** I */
  inputSize(stimuli?: Stimuli): number;
  /** Trials in all for `nr_of_trials` (the n-back tasks make as many matching as non-matching ones). */
  trialCount(nrOfTrials: number): number;
  /** Draws the trials. `parameters` holds `nr_of_trials` too. */
  generate(
    parameters: TaskParameters,
    options: { readonly stream: RandomStream; readonly stimuli?: Stimuli },
  ): Trials;
}

/**
 * What a task is, and what tasks need to read their parameters and draw values.
 *
 * @module
 */

import type { RandomStream } from "../random/stream.ts";
import type { Trials } from "./trial_set.ts";

/** Mean squared error, or negative log-likelihood after a log-softmax. */
export type LossName = "mse" | "nll";

/** What a parameter of a task may be; the config reader checks it and names it in errors. */
export interface ParameterSchema {
  /** Type of the value. */
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
  /** Value in the picture of a trial, where there is no default. */
  readonly example?: number;
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

/** What a task may draw its trials from, besides its parameters. */
export interface TrialOptions {
  /** The run's stream of purpose "trials". */
  readonly stream: RandomStream;
  /** There where the task's `stimuli` says that it shows some. */
  readonly stimuli?: Stimuli;
  /** `[net] compatibility`; "described" where it is left out. */
  readonly compatibility?: "described" | "original";
}

/**
 * A task: its parameters, its sizes and how its trials are drawn. It is one
 * exported object of this type, known by a line in `registry.ts`, or given to
 * `readExperiment()` beside those of {@linkcode TASKS}.
 */
export interface Task {
  /** `task_name` in the config. */
  readonly name: string;
  /** A trial in a sentence, for the manual. */
  readonly description?: string;
  /** What the network is trained to make small. */
  readonly loss: LossName;
  /** O: 1 for "mse"; for "nll" the number of classes, class 0 ("not scored") included. */
  readonly outputSize: number;
  /** Keys of `trial_params`, apart from `task_name`, `nr_of_trials` and `train_size`, which all tasks have. */
  readonly trialParameters: Readonly<Record<string, ParameterSchema>>;
  /** Keys of `combos_params` besides `lr`, `nonlinearity` and `optimizer`; all must be given. */
  readonly gridParameters: Readonly<Record<string, ParameterSchema>>;
  /** I names, for the picture of a trial; without them, inputs are numbered. */
  readonly inputNames?: readonly string[];
  /** What the task shows, where it shows pictures. */
  readonly stimuli?: "latents" | "images";
  /** Says what is wrong with values that are each allowed but not together, e.g. `n_back 5 needs a trial_length above 5, found 5`. */
  check?(parameters: TaskParameters): string | undefined;
  /**
   * Checks that the stimuli will do for the trials; gives warnings for the log.
   *
   * @throws {InputError} If they will not.
   */
  checkStimuli?(
    parameters: TaskParameters,
    options: Pick<TrialOptions, "compatibility"> & {
      readonly stimuli: Stimuli;
    },
  ): string[];
  /** T, the time steps of a trial. */
  steps(parameters: TaskParameters): number;
  /** I, the numbers shown at each time step. */
  inputSize(stimuli?: Stimuli): number;
  /** Trials in all for `nr_of_trials` (the n-back tasks make as many matching as non-matching ones). */
  trialCount(nrOfTrials: number): number;
  /**
   * Draws the trials. `parameters` holds `nr_of_trials` too.
   *
   * @throws {RangeError} If a parameter is missing or out of range.
   */
  generate(parameters: TaskParameters, options: TrialOptions): Trials;
}

/**
 * Draws trials of a task, and checks that they are what the task says of them:
 * a task may be a user's own.
 *
 * @throws {RangeError} If they are not, or hold what no network can learn from.
 *
 * @example
 * ```ts
 * import { createStream } from "@biornn/biornn";
 * import { seqMem } from "./src/tasks/seq_mem.ts";
 * import { generateTrials } from "./src/tasks/task.ts";
 *
 * generateTrials(seqMem, { pattern_length: 3, nr_of_trials: 100 }, {
 *   stream: createStream({ seed: 1, purpose: "trials" }),
 * });
 * ```
 */
export function generateTrials(
  task: Task,
  parameters: TaskParameters,
  options: TrialOptions,
): Trials {
  const trials = task.generate(parameters, options);
  const problem = findProblem(trials, task, {
    trialCount: task.trialCount(countParameter(parameters, "nr_of_trials")),
    steps: task.steps(parameters),
    inputSize: task.inputSize(options.stimuli),
  });
  if (problem === undefined) return trials;
  throw new RangeError(
    `Cannot use the trials that the task ${task.name} generates: ${problem}`,
  );
}

function findProblem(
  trials: Trials,
  { loss, outputSize }: Task,
  promised: Pick<Trials, "trialCount" | "steps" | "inputSize">,
): string | undefined {
  for (const name of ["trialCount", "steps", "inputSize"] as const) {
    if (trials[name] !== promised[name]) {
      return `their ${name} is ${
        trials[name]
      }, but ${name}() of the task says ${promised[name]}`;
    }
  }
  const { trialCount, steps, inputSize, inputs, targets } = trials;
  const rows = trialCount * steps;
  if (inputs.length !== rows * inputSize || targets.length !== rows) {
    return `${trialCount} trials of ${steps} time steps have ${
      rows * inputSize
    } inputs and ${rows} targets, found ${inputs.length} and ${targets.length}`;
  }
  if (!inputs.every(Number.isFinite)) {
    return "an input is NaN or infinite";
  }
  let isScored = false;
  for (const [row, target] of targets.entries()) {
    if (target === 0) continue;
    const isClass = Number.isInteger(target) && target > 0 &&
      target < outputSize;
    if (loss === "nll" ? !isClass : !Number.isFinite(target)) {
      return `the target of trial ${Math.floor(row / steps)} at time step ${
        row % steps
      } is ${target}, allowed are ${
        loss === "nll"
          ? `classes from 1 to ${outputSize - 1}, and 0 for what is not scored`
          : "finite numbers, and 0 for what is not scored"
      }`;
    }
    isScored = true;
  }
  return isScored ? undefined : "all targets are 0, so that nothing is scored";
}

/**
 * A number among a task's parameters.
 *
 * @throws {RangeError} If it is missing or no number.
 */
export function numberParameter(
  parameters: TaskParameters,
  name: string,
): number {
  const value = parameters[name];
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new RangeError(
      `Cannot make trials: ${name} must be a number, found ${value}`,
    );
  }
  return value;
}

/**
 * A whole number that is at least `from`, among a task's parameters.
 *
 * @throws {RangeError} If it is missing, no whole number or too small.
 */
export function countParameter(
  parameters: TaskParameters,
  name: string,
  from = 1,
): number {
  const value = numberParameter(parameters, name);
  if (!Number.isSafeInteger(value) || value < from) {
    throw new RangeError(
      `Cannot make trials: ${name} must be a whole number from ${from}, found ${value}`,
    );
  }
  return value;
}

/**
 * A number of U(low, high), as a float32, that is neither 0 (a target of 0
 * would not be scored) nor `other`.
 */
export function drawValue(
  stream: RandomStream,
  { low = 0, high = 1, other = 0 }: {
    readonly low?: number;
    readonly high?: number;
    readonly other?: number;
  } = {},
): number {
  let value = 0;
  while (value === 0 || value === other) {
    value = Math.fround(low + (high - low) * stream.uniform());
  }
  return value;
}

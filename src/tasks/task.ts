/**
 * What a task is, what trials are and how they are split into batches.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import type { RandomStream } from "../random/stream.ts";
import { plural } from "../text/words.ts";

/** Mean squared error, or negative log-likelihood after a log-softmax. */
export type LossName = "mse" | "nll";

/**
 * Trials of one run. A target of 0 means "not scored". Where the loss is "mse"
 * a target is the number the network should give; where it is "nll" it is the
 * class, from 1.
 */
export interface Trials {
  /** Number of trials. */
  readonly trialCount: number;
  /** T, the time steps of a trial. */
  readonly steps: number;
  /** I, the numbers shown at each time step. */
  readonly inputSize: number;
  /** [trialCount, T, I], row-major. */
  readonly inputs: Float32Array;
  /** [trialCount, T], row-major; 0 = not scored. */
  readonly targets: Float32Array;
}

/** Trials, split into training and validation batches. */
export interface TrialSet extends Trials {
  /** Trial numbers of every training batch, in the order of training; the same in every epoch. */
  readonly trainBatches: readonly Uint32Array[];
  /** Trial numbers of every validation batch. */
  readonly validateBatches: readonly Uint32Array[];
}

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

/** The numbers of one of them, (size). */
export function pictureOf(
  { values, size }: Pick<Stimuli, "values" | "size">,
  i: number,
): Float32Array {
  return values.subarray(i * size, (i + 1) * size);
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
 */
export function generateTrials(
  task: Task,
  parameters: TaskParameters,
  options: TrialOptions,
): Trials {
  const trials = task.generate(parameters, options);
  const problem = findProblem(trials, task, {
    trialCount: task.trialCount(Number(parameters.nr_of_trials)),
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

/** What a schema allows: "a whole number from 1 to 10". */
export function allowedValues(
  { kind, from, to, above, below }: ParameterSchema,
): string {
  if (kind === "boolean") return "True or False";
  const limits: string[] = [];
  if (above !== undefined) limits.push(`above ${above}`);
  if (below !== undefined) limits.push(`below ${below}`);
  if (from === undefined && to !== undefined) limits.push(`at most ${to}`);
  const range = from === undefined
    ? ""
    : `from ${from}${to === undefined ? "" : ` to ${to}`}`;
  const bounded = to !== undefined || below !== undefined;
  const noun = bounded ? "a number" : "a finite number";
  return [
    kind === "integer" ? "a whole number" : noun,
    range,
    limits.join(" and "),
  ].filter((part) => part !== "").join(" ");
}

/** Whether a number is one that a schema allows. */
export function isAllowed(
  value: number,
  { kind, from, to, above, below }: ParameterSchema,
): boolean {
  return Number.isFinite(value) &&
    (kind !== "integer" || Number.isSafeInteger(value)) &&
    (from === undefined || value >= from) &&
    (to === undefined || value <= to) &&
    (above === undefined || value > above) &&
    (below === undefined || value < below);
}

/** `nr_of_trials`, which all tasks have. */
export const NR_OF_TRIALS = {
  kind: "integer",
  from: 1,
  to: 10_000_000,
  description:
    "number of trials; the n-back tasks make as many matching as non-matching ones",
} as const satisfies ParameterSchema;

/**
 * Shuffles whole trials once; the first ⌊trainSize · n⌋ of them train and all
 * others validate, in this order, batch after batch, in every epoch. The number
 * is that of scikit-learn's `GroupShuffleSplit`
 * (https://scikit-learn.org/stable/modules/generated/sklearn.model_selection.GroupShuffleSplit.html).
 *
 * @param options `trainSize`, the share of the trials that train, above 0 and below 1; `batchSize`, trials of a
 * batch, of which the last one may have fewer; `stream` of the run, of purpose "split".
 * @throws {InputError} If no trial is left to train on.
 * @throws {RangeError} If `trainSize` or `batchSize` is out of range.
 */
export function splitTrials(
  trials: Trials,
  { trainSize, batchSize, stream }: {
    readonly trainSize: number;
    readonly batchSize: number;
    readonly stream: RandomStream;
  },
): TrialSet {
  if (!(trainSize > 0 && trainSize < 1)) {
    throw new RangeError(
      `Cannot split trials: trainSize must be above 0 and below 1, found ${trainSize}`,
    );
  }
  if (!Number.isSafeInteger(batchSize) || batchSize < 1) {
    throw new RangeError(
      `Cannot split trials: batchSize must be a whole number from 1, found ${batchSize}`,
    );
  }
  const { trialCount } = trials;
  const trainCount = countTrained(trialCount, trainSize);
  if (trainCount === 0) {
    throw new InputError(
      `Cannot split ${
        plural(trialCount, "trial")
      } with train_size ${trainSize}: none is left to train on; use more trials or a larger train_size`,
    );
  }
  const order = stream.permutation(trialCount);
  return {
    ...trials,
    trainBatches: cut(order.subarray(0, trainCount), batchSize),
    validateBatches: cut(order.subarray(trainCount), batchSize),
  };
}

/** A name for each of I inputs of a task, numbers where it gives none. */
export function namesOfInputs(
  { inputNames }: Pick<Task, "inputNames">,
  inputSize: number,
): string[] {
  return Array.from(
    { length: inputSize },
    (_, i) => inputNames?.[i] ?? `input ${i + 1}`,
  );
}

/** How many of some trials train; the others validate. */
export function countTrained(trialCount: number, trainSize: number): number {
  return Math.floor(trainSize * trialCount);
}

function cut(order: Uint32Array, size: number): Uint32Array[] {
  return Array.from(
    { length: Math.ceil(order.length / size) },
    (_, batch) => order.slice(batch * size, (batch + 1) * size),
  );
}

/** Those of some trials that have these numbers, in this order. */
export function someTrials(
  { steps, inputSize, inputs, targets }: Trials,
  numbers: ArrayLike<number>,
): Trials {
  const rows = (values: Float32Array, length: number) => {
    const some = new Float32Array(numbers.length * length);
    for (let i = 0; i < numbers.length; i++) {
      const start = numbers[i]! * length;
      some.set(values.subarray(start, start + length), i * length);
    }
    return some;
  };
  return {
    trialCount: numbers.length,
    steps,
    inputSize,
    inputs: rows(inputs, steps * inputSize),
    targets: rows(targets, steps),
  };
}

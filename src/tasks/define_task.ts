/**
 * What makes a task of its parameters and of how one trial is drawn.
 *
 * @module
 */

import type { RandomStream } from "../random/stream.ts";
import {
  allowedValues,
  isAllowed,
  NR_OF_TRIALS,
  type ParameterSchema,
  type Task,
  type TaskParameters,
  type TrialOptions,
} from "./task.ts";

/**
 * The number that a parameter is, or its default.
 *
 * @throws {RangeError} If it is missing or not allowed.
 */
export function checkedValue(
  parameters: TaskParameters,
  name: string,
  schema: ParameterSchema,
): number {
  const value = parameters[name] ?? schema.default;
  if (typeof value === "number" && isAllowed(value, schema)) return value;
  throw new RangeError(
    `Cannot make trials: ${name} must be ${
      allowedValues(schema)
    }, found ${value}`,
  );
}

type Schemas = Readonly<Record<string, ParameterSchema>>;

/** One trial to be drawn, in which nothing is shown and nothing scored yet. */
interface BlankTrial {
  /** Its number in the run, from 0. */
  readonly number: number;
  /** Shows numbers at a time step, from one of the I inputs on, default the first. */
  show(t: number, numbers: ArrayLike<number>, from?: number): void;
  /** Scores a time step: the number or the class that is asked for there. */
  ask(t: number, target: number): void;
}

/** What makes a task of biornn; {@linkcode defineTask} makes the rest of it. */
interface TaskDefinition<S extends Schemas, G extends Schemas>
  extends Omit<Task, "steps" | "inputSize" | "trialCount" | "generate"> {
  readonly trialParameters: S;
  readonly gridParameters: G;
  /** T; `count` gives a parameter's checked value. */
  steps(count: (name: string & (keyof S | keyof G)) => number): number;
  /** Default as many as there are names of inputs. */
  inputSize?: Task["inputSize"];
  /** Default one for each of `nr_of_trials`. */
  trialCount?: Task["trialCount"];
  /** Prepares what all trials of a run share, and gives what draws them one after the other. */
  draw(
    parameters: Readonly<
      & { [K in keyof S]: S[K]["kind"] extends "boolean" ? boolean : number }
      & Record<keyof G | "nr_of_trials", number>
    >,
    options: TrialOptions,
  ): (trial: BlankTrial) => void;
}

/** A task from its parameters and from how one of its trials is drawn. */
export function defineTask<const S extends Schemas, const G extends Schemas>(
  { steps, draw, ...definition }: TaskDefinition<S, G>,
): Task {
  const { trialParameters, gridParameters } = definition;
  const schemas: Schemas = {
    ...trialParameters,
    ...gridParameters,
    nr_of_trials: NR_OF_TRIALS,
  };
  /** All parameters, those that are left out by their defaults. */
  const checked = (given: TaskParameters) => {
    const all: Record<string, number | boolean> = { ...given };
    for (const [name, schema] of Object.entries(schemas)) {
      all[name] = schema.kind === "boolean"
        ? given[name] ?? schema.default!
        : checkedValue(given, name, schema);
    }
    const wrong = definition.check?.(all);
    if (wrong === undefined) return all as Parameters<typeof draw>[0];
    throw new RangeError(`Cannot make trials: ${wrong}`);
  };
  const task: Task = {
    inputSize: () => definition.inputNames!.length,
    trialCount: (nrOfTrials) => nrOfTrials,
    ...definition,
    steps: (given) =>
      steps((name) => checkedValue(given, name, schemas[name]!)),
    generate(given, options) {
      const parameters = checked(given);
      const inputSize = task.inputSize(options.stimuli);
      const T = task.steps(given);
      const trialCount = task.trialCount(parameters.nr_of_trials);
      const inputs = new Float32Array(trialCount * T * inputSize);
      const targets = new Float32Array(trialCount * T);
      const drawTrial = draw(parameters, options);
      let first = 0;
      const show: BlankTrial["show"] = (t, numbers, from = 0) => {
        const at = (first + t) * inputSize + from;
        // Faster than a loop for pictures, and slower for a few numbers.
        if (numbers.length > 8) return inputs.set(numbers, at);
        for (let i = 0; i < numbers.length; i++) inputs[at + i] = numbers[i]!;
      };
      const ask: BlankTrial["ask"] = (t, target) => {
        targets[first + t] = target;
      };
      for (let number = 0; number < trialCount; number++, first += T) {
        drawTrial({ number, show, ask });
      }
      return { trialCount, steps: T, inputSize, inputs, targets };
    },
  };
  return task;
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

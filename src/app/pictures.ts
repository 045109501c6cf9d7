/**
 * What the page draws of a training, as numbers: curves, the matrix of recurrent
 * weights, a trial.
 *
 * @module
 */

import { simulate } from "../reference/simulate.ts";
import { failureOf } from "../results/run_file.ts";
import { namesOfInputs } from "../tasks/task.ts";
import { middleCurve } from "../viz/series.ts";
import type { Run } from "./results.ts";

/** A point of an arm's curve: mean and standard deviation over runs. */
export interface CurvePoint {
  readonly arm: string;
  readonly epoch: number;
  readonly middle: number;
  readonly low: number;
  readonly high: number;
}

/** Points of a curve at most. */
const MOST_POINTS = 200;

/** Mean ± standard deviation of the validation losses of some runs, as far as all that have begun have come. */
export function curveOf(
  runs: readonly Run[],
  { arm, epochs }: { readonly arm: string; readonly epochs: number },
): CurvePoint[] {
  const begun = runs.filter(({ epoch }) => epoch > 0);
  const sound = begun.map(({ history, epoch }) => ({
    trainLoss: history.trainLoss.subarray(0, epoch),
    validateLoss: history.validateLoss.subarray(0, epoch),
  })).filter((history) => failureOf({ history }) === undefined);
  if (sound.length === 0) return [];
  const losses = sound.map(({ validateLoss }) => validateLoss);
  const length = Math.min(...losses.map((curve) => curve.length));
  const { middle, low, high } = middleCurve(
    losses.map((curve) => curve.subarray(0, length)),
    { of: "mean" },
  );
  const step = Math.max(1, Math.ceil(epochs / MOST_POINTS));
  const points = Array.from({ length }, (_, epoch) => ({
    arm,
    epoch,
    middle: middle[epoch]!,
    low: low[epoch]!,
    high: high[epoch]!,
  }));
  // An untrained network's loss would set the scale.
  return points.filter(({ epoch }) =>
    (epoch > 0 || epochs === 1) &&
    (epoch % step === 0 || epoch === length - 1)
  );
}

/** W_hh as a picture: [cells, cells], a receiver a row; the strongest weight of those in a cell, NaN where there is no connection. */
export interface MatrixPicture {
  readonly cells: number;
  readonly neurons: number;
  readonly values: Float32Array;
  /** The strongest of all; and what is drawn as such, as a few would leave all others white. */
  readonly largest: number;
  readonly full: number;
}

/** Cells of the matrix's picture at most. */
const MOST_CELLS = 512;

/** A run that has begun, with its weights as they are now. */
type Watchable = Pick<Required<Run>, "results" | "run" | "parameters">;

/** W_hh of a model, or how far it is from its start. */
export function pictureOf(
  { run, parameters }: Watchable,
  { change }: { readonly change: boolean },
): MatrixPicture {
  const { receivers: neurons, start, sender } = run.connections;
  const cells = Math.min(neurons, MOST_CELLS);
  const values = new Float32Array(cells * cells).fill(NaN);
  const cellOf = (neuron: number) => Math.floor(neuron * cells / neurons);
  for (let receiver = 0; receiver < neurons; receiver++) {
    for (let k = start[receiver]!; k < start[receiver + 1]!; k++) {
      const at = cellOf(receiver) * cells + cellOf(sender[k]!);
      const value = parameters.weightHh[k]! -
        (change ? run.initial.weightHh[k]! : 0);
      if (!(Math.abs(value) <= Math.abs(values[at]!))) values[at] = value;
    }
  }
  const sizes = values.filter((value) => !Number.isNaN(value)).map(Math.abs)
    .sort();
  const full = sizes[Math.floor(0.98 * sizes.length)] || 1;
  return { cells, neurons, values, largest: sizes.at(-1) ?? 0, full };
}

/** A trial of T time steps and what the model makes of it. */
export interface TrialPicture {
  readonly steps: number;
  /** What the inputs are called. */
  readonly names: readonly string[];
  /** [I, T] */
  readonly inputs: Float32Array;
  /** Numbers of the classes; none where the output is a number. */
  readonly classes: readonly number[];
  /** [T]: the class, or the number, that is right; 0 where nothing is scored. */
  readonly targets: Float32Array;
  /** [classes, T], probabilities; or [1, T]. */
  readonly outputs: Float32Array;
}

/** A validation trial, by its number, and what the model answers. */
export function trialOf(
  { results, run, parameters }: Watchable,
  number: number,
): TrialPicture {
  const { size, experiment: { task: { task } } } = results.prepared;
  const { trials, activation, connections } = run;
  const { steps, inputSize } = trials;
  const all = trials.validateBatches.flatMap((batch) => [...batch]);
  const trial = all[number % all.length]!;
  const part = (values: Float32Array, ofStep: number) =>
    values.slice(trial * steps * ofStep, (trial + 1) * steps * ofStep);
  const inputs = part(trials.inputs, inputSize);
  const { output } = simulate(
    { ...size, activation, loss: task.loss, connections, parameters },
    { trialCount: 1, steps, inputSize, inputs },
  );
  /** [T, n] as [n, T]. */
  const turned = (values: Float32Array | Float64Array) =>
    Float32Array.from(values, (_, at) => {
      const [row, t] = [Math.floor(at / steps), at % steps];
      return values[t * values.length / steps + row]!;
    });
  const outputs = turned(output);
  const classifies = task.loss === "nll";
  return {
    steps,
    names: namesOfInputs(task, inputSize),
    inputs: turned(inputs),
    // Class 0 stands for "not scored".
    classes: classifies ? [...Array(size.outputSize).keys()].slice(1) : [],
    targets: part(trials.targets, 1),
    outputs: classifies ? outputs.subarray(steps).map(Math.exp) : outputs,
  };
}

/**
 * What the page draws of a training, as numbers: curves, the matrix of recurrent
 * weights, a trial.
 *
 * @module
 */

import type { ModelRun } from "../engine/ensemble.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { simulate } from "../reference/simulate.ts";
import { runKey } from "../results/layout.ts";
import { failureOf, type RunHistory } from "../results/run_file.ts";
import type { Parameters } from "../rnn/parameters.ts";
import type { PreparedExperiment } from "../train/build_run.ts";
import { middleCurve } from "../viz/series.ts";

/** A curve of an arm: mean and standard deviation over runs by epoch. */
export interface Band {
  readonly arm: string;
  /** Points are each so many epochs apart. */
  readonly epochs: readonly number[];
  readonly middle: readonly number[];
  readonly low: readonly number[];
  readonly high: readonly number[];
}

/** W_hh as a picture: [cells, cells], a receiver a row; the strongest weight of those in a cell, NaN where there is no connection. */
export interface MatrixPicture {
  readonly cells: number;
  readonly neurons: number;
  readonly values: Float32Array<ArrayBuffer>;
}

/** A trial and what the model makes of it. */
export interface TrialPicture {
  readonly steps: number;
  readonly classifies: boolean;
  /** [T, I] */
  readonly inputs: Float32Array<ArrayBuffer>;
  readonly inputSize: number;
  /** [T]; 0 where nothing is scored. */
  readonly targets: Float32Array<ArrayBuffer>;
  /** [T, O]; probabilities where the task has classes. */
  readonly outputs: Float64Array<ArrayBuffer>;
  readonly outputSize: number;
}

/** Cells of the matrix's picture at most. */
const MOST_CELLS = 512;
/** Points of a curve at most. */
const MOST_POINTS = 200;

/** Mean ± standard deviation of validation losses over the runs of the watched combination, as far as all have come. */
export function bandOf(
  histories: ReadonlyMap<string, RunHistory>,
  { arm, combination, training: { iterations, epochs } }: {
    readonly arm: string;
    readonly combination: number;
    readonly training: Experiment["training"];
  },
): Band[] {
  const runs = Array.from(
    { length: iterations },
    (_, iteration) => histories.get(runKey({ combination, iteration }))!,
  ).filter((history) => failureOf({ history: known(history) }) === undefined)
    .map(({ validateLoss }) => validateLoss);
  const begun = runs.filter((losses) => !Number.isNaN(losses[0]!));
  if (begun.length === 0) return [];
  const length = Math.min(...begun.map(countKnown));
  const curve = middleCurve(
    begun.map((losses) => losses.subarray(0, length)),
    { of: "mean" },
  );
  const step = Math.max(1, Math.ceil(epochs / MOST_POINTS));
  const shown = Array.from({ length }, (_, epoch) => epoch)
    // An untrained network's loss would set the scale.
    .filter((epoch) =>
      (epoch > 0 || epochs === 1) &&
      (epoch % step === 0 || epoch === length - 1)
    );
  const at = (values: Float64Array) => shown.map((epoch) => values[epoch]!);
  return [{
    arm,
    epochs: shown,
    middle: at(curve.middle),
    low: at(curve.low),
    high: at(curve.high),
  }];
}

function countKnown(losses: Float64Array): number {
  const end = losses.findIndex(Number.isNaN);
  return end < 0 ? losses.length : end;
}

/** The epochs that are trained; NaN afterwards is no failure. */
function known(history: RunHistory): RunHistory {
  const last = history.validateLoss.findLastIndex((loss) =>
    !Number.isNaN(loss)
  );
  return {
    trainLoss: history.trainLoss.subarray(0, last + 1),
    validateLoss: history.validateLoss.subarray(0, last + 1),
  };
}

/** A model that is looked at. */
export interface WatchedModel {
  readonly prepared: PreparedExperiment;
  readonly run: ModelRun;
  readonly parameters: Parameters;
  readonly epoch: number;
}

/** W_hh of a model, or how far it is from its start. */
export function pictureOf(
  { prepared: { size }, run, parameters }: WatchedModel,
  { change }: { readonly change: boolean },
): MatrixPicture {
  const { hiddenSize } = size;
  const cells = Math.min(hiddenSize, MOST_CELLS);
  const values = new Float32Array(cells * cells).fill(NaN);
  const { start, sender } = run.connections;
  const weights = parameters.weightHh;
  for (let receiver = 0; receiver < hiddenSize; receiver++) {
    const row = Math.floor(receiver * cells / hiddenSize) * cells;
    for (let k = start[receiver]!; k < start[receiver + 1]!; k++) {
      const at = row + Math.floor(sender[k]! * cells / hiddenSize);
      const value = weights[k]! -
        (change ? run.initial.weightHh[k]! : 0);
      const before = values[at]!;
      if (!(Math.abs(value) <= Math.abs(before))) values[at] = value;
    }
  }
  return { cells, neurons: hiddenSize, values };
}

/** A validation trial, by its number, and what the model answers. */
export function trialOf(
  { prepared, run, parameters }: WatchedModel,
  number: number,
): TrialPicture {
  const { size, experiment } = prepared;
  const { trials, activation, connections } = run;
  const { steps, inputSize, validateBatches } = trials;
  const all = validateBatches.flatMap((batch) => [...batch]);
  const trial = all[number % all.length]!;
  const inputs = trials.inputs.slice(
    trial * steps * inputSize,
    (trial + 1) * steps * inputSize,
  );
  const targets = trials.targets.slice(trial * steps, (trial + 1) * steps);
  const { loss } = experiment.task.task;
  const { output } = simulate(
    { ...size, activation, loss, connections, parameters },
    { trialCount: 1, steps, inputSize, inputs },
  );
  return {
    steps,
    inputSize,
    classifies: loss === "nll",
    inputs: Float32Array.from(inputs),
    targets: Float32Array.from(targets),
    outputs: loss === "nll"
      ? output.map(Math.exp) as Float64Array<ArrayBuffer>
      : Float64Array.from(output),
    outputSize: size.outputSize,
  };
}

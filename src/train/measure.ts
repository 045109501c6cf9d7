/**
 * What networks do, by two numbers, the spectral radius of W_hh and mean activity: measured
 * beside a training, and matched between arms at its start.
 *
 * @module
 */

import type { Model, ModelRun } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { estimateSpectralRadius, spectralRadius } from "../graph/spectrum.ts";
import { simulate } from "../reference/simulate.ts";
import type {
  NetworkState,
  NetworkStates,
} from "../results/experiment_record.ts";
import {
  makeParameters,
  type ModelSize,
  type Parameters,
} from "../rnn/parameters.ts";
import { someTrials, type Trials } from "../tasks/task.ts";

/** Trials that activity is measured on, at most, and products of W_hh's weights. */
const MOST_TRIALS = 16;
const MOST_PRODUCTS = 2e8;

/** A model without its weights, and trials that its activity is measured on. */
interface MeasuredModel extends Omit<Model, "parameters"> {
  readonly trials: Trials;
}

/** What is measured of a run's model: on its first training trials, as many as can be afforded. */
export function measuredModel(
  { activation, connections, trials }: Pick<
    ModelRun,
    "activation" | "connections" | "trials"
  >,
  { size, loss }: { readonly size: ModelSize; readonly loss: "mse" | "nll" },
): MeasuredModel {
  const [batch = new Uint32Array()] = trials.trainBatches;
  const products = trials.steps *
    (connections.sender.length + size.hiddenSize * size.inputSize);
  const most = Math.min(MOST_TRIALS, Math.floor(MOST_PRODUCTS / products));
  const some = someTrials(trials, batch.subarray(0, Math.max(1, most)));
  return { ...size, loss, activation, connections, trials: some };
}

/** Measures what weights do. */
export function networkState(
  model: MeasuredModel,
  parameters: Parameters,
): NetworkState {
  const { radius, error } = estimateSpectralRadius(
    model.connections,
    parameters.weightHh,
  );
  return {
    spectralRadius: radius,
    spectralRadiusError: error,
    activity: meanActivity(model, parameters),
  };
}

function meanActivity(model: MeasuredModel, parameters: Parameters): number {
  const { hidden } = simulate({ ...model, parameters }, model.trials);
  let sum = 0;
  for (const h of hidden) sum += Math.abs(h);
  return sum / hidden.length;
}

/** Doublings and halvings of the weights that are tried for a match of activity. */
const MOST_DOUBLINGS = 8;
/** Halvings of the range of factors: to a hundred-thousandth. */
const HALVINGS = 16;

interface Start {
  readonly model: MeasuredModel;
  readonly parameters: Parameters<Float32Array>;
}

/**
 * The initial weights of a null model's run, with W_hh scaled by one factor so that it
 * starts with the biological network's spectral radius, or as nearly as can be with its mean
 * activity. Without that a null model that scatters the strong connections within regions
 * starts at half the radius, and what it learns tells of that, not of topology.
 *
 * @throws {InputError} If the null model's network has no cycle, so that its radius is 0.
 */
export function matchStart(
  label: string,
  { match, biological, random }: {
    readonly match: "spectral_radius" | "activity";
    readonly biological: Start;
    readonly random: Start;
  },
): Parameters<Float32Array> {
  const scaled = (factor: number): Parameters<Float32Array> => ({
    ...random.parameters,
    weightHh: random.parameters.weightHh.map((weight) => weight * factor),
  });
  if (match === "activity") {
    const wanted = meanActivity(biological.model, biological.parameters);
    return scaled(
      findZero((factor) => meanActivity(random.model, scaled(factor)) - wanted),
    );
  }
  const [wanted, found] = [biological, random].map(({ model, parameters }) =>
    spectralRadius(model.connections, parameters.weightHh)
  ) as [number, number];
  if (found > 0) return scaled(wanted / found);
  throw new InputError(
    `Cannot match the start of ${label} by [net] match = ${match}: the null model's network has no cycle, so that its spectral radius is ${found}`,
  );
}

/**
 * A factor at which the excess is 0, the nearest to 1; where there is none, the one of
 * least excess: relu units may be driven by their inputs and biases alone.
 */
function findZero(excess: (factor: number) => number): number {
  const tried = Array.from({ length: 2 * MOST_DOUBLINGS + 1 }, (_, i) => {
    const factor = 2 ** (i - MOST_DOUBLINGS);
    return { factor, value: excess(factor) };
  });
  const distance = (factor: number) => Math.abs(Math.log2(factor));
  const [crossing] = tried.slice(1)
    .map((high, i) => ({ low: tried[i]!, high }))
    .filter(({ low, high }) => (low.value < 0) !== (high.value < 0))
    .sort((a, b) => distance(a.low.factor) - distance(b.low.factor));
  if (crossing === undefined) {
    return tried.reduce((a, b) => Math.abs(b.value) < Math.abs(a.value) ? b : a)
      .factor;
  }
  let { low: { factor: low, value }, high: { factor: high } } = crossing;
  for (let halving = 0; halving < HALVINGS; halving++) {
    const middle = Math.sqrt(low * high);
    const found = excess(middle);
    if ((found < 0) === (value < 0)) [low, value] = [middle, found];
    else high = middle;
  }
  return Math.sqrt(low * high);
}

/** What a run has learnt. */
export type TrainedWeights = Pick<Model, "connections" | "parameters">;

export interface Measurement {
  /** Tells it from the others. */
  readonly name: string;
  readonly model: MeasuredModel;
  readonly initial: Parameters;
  /** Takes what was found. */
  readonly keep: (states: NetworkStates) => Promise<void>;
}

/** Measures runs bit by bit, in time that training leaves, and what they have learnt when their results are safe. */
export class Measurer {
  readonly #begun = new Map<
    string,
    Measurement & { initialState?: NetworkState; trained?: TrainedWeights }
  >();

  /** Runs whose training begins. */
  begin(runs: readonly Measurement[]): void {
    for (const run of runs) {
      if (!this.#begun.has(run.name)) this.#begun.set(run.name, { ...run });
    }
  }

  /** The training of a run has ended. */
  end(name: string, { connections, parameters }: TrainedWeights): void {
    const run = this.#begun.get(name);
    if (run === undefined) return;
    // In single precision, as files have them: what is measured of those is the same.
    const singles = makeParameters((name) => {
      const tensor = parameters[name];
      return tensor instanceof Float32Array
        ? tensor
        : Float32Array.from(tensor);
    });
    run.trained = { connections, parameters: singles };
  }

  /**
   * Measures until the time, in milliseconds, is up; the last run may take longer.
   *
   * @returns How many runs that have been trained are left.
   */
  async work(milliseconds: number): Promise<number> {
    const end = performance.now() + milliseconds;
    for (const [name, run] of this.#begun) {
      if (performance.now() >= end) break;
      run.initialState ??= networkState(run.model, run.initial);
      const { initialState: initial, trained } = run;
      if (trained === undefined) continue;
      this.#begun.delete(name);
      const { connections, parameters } = trained;
      const model = { ...run.model, connections };
      await run.keep({ initial, trained: networkState(model, parameters) });
    }
    return [...this.#begun.values()].filter(({ trained }) => trained).length;
  }
}

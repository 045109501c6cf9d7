/**
 * What an engine is: the types that all engines share.
 *
 * An engine is told the shape of an experiment, before any trial or weight is
 * drawn, and answers with a plan: which runs train together, and why. The plan
 * makes the ensembles.
 *
 * An ensemble is many models of one experiment that train side by side. Sizes
 * (H, I, O), loss and the sizes of the batches are common to all its models;
 * learning rate, nonlinearity, optimizer, number of time steps, connections and
 * data are each model's own. A model's numbers do not depend on its companions.
 *
 * @module
 */

import type { Connections } from "../graph/connections.ts";
import type { FloatArray, ModelSize, Parameters } from "../rnn/parameters.ts";
import type { Nonlinearity } from "../rnn/nonlinearities.ts";
import type { Optimizer } from "../rnn/optimizers.ts";
import type { LossName, TrialSet } from "../tasks/task.ts";
import type { DeviceProfile } from "./device_profile.ts";

export type { LossName };

/** A model by itself: what it takes to run it on inputs. */
export interface Model extends ModelSize {
  /** Nonlinearity of its recurrent units: one of `NONLINEARITIES` by its name, or one's own. */
  readonly activation: string | Nonlinearity;
  /** Where it is "nll" the outputs are log-probabilities of classes. */
  readonly loss: LossName;
  /** Where W_hh may differ from 0: [H, H], a receiver a row. */
  readonly connections: Connections;
  /** Its six tensors. */
  readonly parameters: Parameters;
}

/** One model of an ensemble and all it trains on. */
export interface ModelRun extends Pick<Model, "activation" | "connections"> {
  /** Names the run in messages, e.g. "combination 3, iteration 0". */
  readonly label: string;
  /** Optimizer: one of `OPTIMIZERS` by its name, or one's own. */
  readonly optimizer: string | Optimizer;
  /** η, above 0. */
  readonly learningRate: number;
  /** False: W_hh gets no gradient and no update (`freeze_layer`). */
  readonly trainRecurrent: boolean;
  /** [H], of each neuron the sum of 1, where it gets the input, and 2, where it is read out; by default 3. All other weights of W_ih and W_fc are 0 and stay so. */
  readonly ports?: Uint8Array;
  /** Start values. Not changed. */
  readonly initial: Parameters<Float32Array>;
  /** What it trains and validates on. */
  readonly trials: TrialSet;
  /** Where an earlier ensemble stood, to go on from there instead of from `initial`. */
  readonly state?: ModelState;
}

/** What models may have: engines make ready for these, and name them by their places here. */
export interface Rules {
  readonly nonlinearities: readonly Nonlinearity[];
  readonly optimizers: readonly Optimizer[];
}

/** Models that train together, and what they have in common. */
export interface EnsembleSpec extends ModelSize {
  readonly loss: LossName;
  readonly runs: readonly ModelRun[];
}

/** All that changes in training, in the engine's own precision. */
export interface ModelState {
  /** Epochs trained. */
  readonly epoch: number;
  /** Updates made. */
  readonly updates: number;
  /** The six tensors. */
  readonly parameters: Parameters;
  /** What the optimizer keeps as `first`, such as Adam's mean gradient; zeros where it keeps none. */
  readonly firstMoment: Parameters;
  /** What it keeps as `second`, such as Adam's and RMSprop's mean square. */
  readonly secondMoment: Parameters;
}

/**
 * Losses and accuracies of some epochs, one value per model and epoch:
 * element `model * epochs + epoch`.
 */
export interface EpochHistory {
  readonly models: number;
  readonly epochs: number;
  /** Unweighted mean of the batch losses, before each update. */
  readonly trainLoss: Float64Array;
  readonly validateLoss: Float64Array;
  /** In %; only where the loss is "nll". */
  readonly trainAccuracy?: Float64Array;
  readonly validateAccuracy?: Float64Array;
  /** Loss of every training batch, `(model * epochs + epoch) * batches + batch`. */
  readonly trainBatchLoss: Float64Array;
  readonly validateBatchLoss: Float64Array;
}

/** What one training batch gives before any update. */
export interface BatchProbe {
  readonly loss: number;
  /** In %; undefined where the loss is "mse". */
  readonly accuracy: number | undefined;
  /** [B, T, O], after the log-softmax where the loss is "nll". */
  readonly output: FloatArray;
  /** [B, H], h at the last step. */
  readonly hiddenLast: FloatArray;
  /** Gradients of the batch's loss; W_hh's is all 0 where it is frozen. */
  readonly gradient: Parameters;
}

/** What may be said and asked while an ensemble trains. */
export interface TrainingOptions {
  /** Stops the training after the epoch under way. */
  readonly signal?: AbortSignal;
  /** Takes the losses of some epochs as soon as they are known, now and then. */
  readonly onEpochs?: (history: EpochHistory) => void;
  /**
   * Called while the device works on its own, which it will for about so many
   * milliseconds: the host is free for other work as long. Engines that
   * compute on the host itself never call it.
   */
  readonly whileBusy?: (milliseconds: number) => Promise<void>;
}

/** Many models that train side by side. */
export interface Ensemble {
  /** Number of models. */
  readonly models: number;
  /**
   * Trains every model for some more epochs and returns their losses. Where
   * `signal` is aborted it stops after the epoch under way, and the history
   * holds the epochs that were finished.
   */
  train(epochs: number, options?: TrainingOptions): Promise<EpochHistory>;
  /** The state of every model, or of the one named. */
  state(model?: number): Promise<ModelState[]>;
  /** Runs one training batch of one model without updating anything. */
  probe(model: number, batch: number): Promise<BatchProbe>;
  /** What the device did in training so far; undefined unless its engine was asked to time it, and can. */
  profile?(): DeviceProfile | undefined;
  /** Frees what the ensemble holds; it can't be used any more. */
  destroy(): void;
}

/** Trains models on one device. */
export interface Engine {
  /** For logs and `experiment.json`, e.g. "webgpu" and the adapter's description. */
  readonly kind: "webgpu" | "wasm" | "reference";
  /** The device, for logs. */
  readonly description: string;
  /**
   * Decides how an experiment is computed, and cuts its runs into groups that
   * fit the device; each becomes one ensemble.
   *
   * @throws {RangeError} With the limit and the size, where a single model does not fit.
   * @internal
   */
  plan(shape: EnsembleShape): Plan;
  /** Releases the device. */
  destroy(): void;
}

/** What is known of the runs of an experiment before they are drawn. */
export interface EnsembleShape extends ModelSize, Rules {
  readonly loss: LossName;
  /** T of each run. */
  readonly steps: readonly number[];
  /** T of the longest trials of the experiment, whichever of its runs these are; by default that of the runs. */
  readonly mostSteps?: number;
  /** Trials of a run, and how many of them train. */
  readonly trialCount: number;
  readonly trainCount: number;
  /** Trials of the largest batch. */
  readonly batchSize: number;
  /** Where W_hh may differ from 0: in all models or, where each has connections of its own, in one of them. */
  readonly connections: Connections;
  /** Whether every model has connections of its own; default false. */
  readonly ownTopologies?: boolean;
  /** Where models of several networks train together: the connections of one of each other network. */
  readonly others?: readonly Connections[];
  /** The `way` of earlier plans for some of the runs alone, to be kept. */
  readonly way?: string;
}

/** How an experiment is computed on an engine. */
export interface Plan {
  /**
   * How models are computed, in a word: runs of shapes of the same sizes whose plans have the
   * same word give the same numbers together as alone.
   */
  readonly way: string;
  /** Numbers of the runs of each ensemble. */
  readonly groups: readonly (readonly number[])[];
  /** Bytes that each group holds on the device. */
  readonly bytes: readonly number[];
  /** What was decided and why, for the log, e.g. "whole matrices, as 63 % of their blocks hold a connection; all models fit in one ensemble". */
  readonly reason: string;
  /** Begins to make ready what its ensembles need, where that takes time; it goes on while the host draws the runs. */
  prepare(): void;
  /**
   * Uploads the runs of a group, or some of them, and makes them ready to train.
   *
   * @throws {RangeError} If they contradict the shape or themselves, or do not fit the device.
   */
  createEnsemble(runs: readonly ModelRun[]): Promise<Ensemble>;
}

/**
 * What went wrong: the device is gone (unplugged, reset, driver restarted); it
 * has no memory left; it was asked for something that WebGPU does not allow;
 * the driver failed for a reason of its own.
 */
export type DeviceTrouble =
  | "lost"
  | "out-of-memory"
  | "validation"
  | "internal";

/**
 * An engine's device failed. All ensembles on it are of no use any more.
 *
 * @example
 * ```ts
 * import { DeviceError } from "@biornn/biornn";
 *
 * const error = new DeviceError("the device was lost", { reason: "lost" });
 * error.reason; // "lost"
 * ```
 */
export class DeviceError extends Error {
  /** "DeviceError". */
  override name = "DeviceError";
  /** What went wrong. */
  readonly reason: DeviceTrouble;

  /** An error with its reason and, where there is one, its cause. */
  constructor(
    message: string,
    { reason, cause }: {
      readonly reason: DeviceTrouble;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause });
    this.reason = reason;
  }
}

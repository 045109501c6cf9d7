/**
 * What an engine is: the types that both engines share, the WebGPU one
 * (`src/gpu/`) and the float64 reference one (`src/reference/`).
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
import type { LossName } from "../tasks/task.ts";
import type { TrialSet } from "../tasks/trial_set.ts";
import type { DeviceProfile } from "./device_profile.ts";

export type { LossName };

/** Nonlinearity of the recurrent units. */
export type Activation = "tanh" | "relu";

/** Optimizers, each with PyTorch's default parameters apart from the learning rate. */
export type OptimizerName = "Adam" | "RMSprop" | "SGD";

/** One model of an ensemble and all it trains on. */
export interface ModelRun {
  /** Names the run in messages, e.g. "combination 3, iteration 0". */
  readonly label: string;
  readonly activation: Activation;
  readonly optimizer: OptimizerName;
  readonly learningRate: number;
  /** False: W_hh gets no gradient and no update (`freeze_layer`). */
  readonly trainRecurrent: boolean;
  /** Where W_hh may differ from 0: [H, H], a receiver a row. */
  readonly connections: Connections;
  /** Start values. Not changed. */
  readonly initial: Parameters<Float32Array>;
  readonly trials: TrialSet;
  /** Where an earlier ensemble stood, to go on from there instead of from `initial`. */
  readonly state?: ModelState;
}

/** What the models of an ensemble have in common. */
export interface EnsembleSpec extends ModelSize {
  readonly loss: LossName;
  readonly runs: readonly ModelRun[];
  /** What the memory plan was made with; by default what is seen in the runs. */
  readonly network?: NetworkFacts;
}

/** All that changes in training, in the engine's own precision. */
export interface ModelState {
  /** Epochs trained. */
  readonly epoch: number;
  /** Optimizer steps made. */
  readonly step: number;
  readonly parameters: Parameters;
  /** Adam's first moment; zeros for the other optimizers. */
  readonly firstMoment: Parameters;
  /** Adam's second moment, RMSprop's square average; zeros for SGD. */
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

/** Makes ensembles on one device. */
export interface Engine {
  /** For logs and `experiment.json`, e.g. "webgpu" and the adapter's description. */
  readonly kind: "webgpu" | "reference";
  readonly description: string;
  /**
   * Begins to make ready what an ensemble of that size will need, where that
   * takes time; it goes on while the host draws the runs. `trainCount` of the
   * trials train.
   */
  prepare?(size: EnsembleSize, options: { readonly trainCount: number }): void;
  /** Uploads the runs and makes them ready to train; RangeError where they do not fit the device. */
  createEnsemble(spec: EnsembleSpec): Promise<Ensemble>;
  /**
   * Cuts runs into groups that fit the device; each group becomes one ensemble.
   * RangeError, with the limit and the size, where a single model does not fit.
   */
  plan(size: EnsembleSize): MemoryPlan;
  /** Releases the device. */
  destroy(): void;
}

/** What is the same in all models of an experiment, whichever of them train together. */
export interface NetworkFacts {
  /** Recurrent connections of a model. */
  readonly connections: number;
  /** How many of the blocks of 4 × 4 weights of W_hh hold a connection. */
  readonly blocks: number;
  /** Whether every model has connections of its own; default false. */
  readonly ownTopologies?: boolean;
  /** T of the longest trials; by default that of the runs. */
  readonly mostSteps?: number;
}

/** What the memory plan needs to know, before any trial or weight has been drawn. */
export interface EnsembleSize extends ModelSize, NetworkFacts {
  readonly loss: LossName;
  /** T of each run. */
  readonly steps: readonly number[];
  readonly trialCount: number;
  readonly batchSize: number;
}

/** How a grid is cut into ensembles. */
export interface MemoryPlan {
  /** Numbers of the runs of each ensemble. */
  readonly groups: readonly (readonly number[])[];
  /** Bytes each group holds on the device. */
  readonly bytes: readonly number[];
  /** The sum of what the algorithm needs, without padding. */
  readonly neededBytes: readonly number[];
  /** How weights lie on the device, and why, for the log; undefined where there is but one way. */
  readonly storage?: string;
  /** Entries of W_hh that a product with it goes through: H² where whole matrices lie on the device, else fewer. */
  readonly entries: number;
  /** What limited the size of an ensemble, e.g. "limited by maxBufferSize of 256 MiB (state)". */
  readonly reason: string;
}

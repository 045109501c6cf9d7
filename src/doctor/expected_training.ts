/**
 * What a reference case says must come out.
 *
 * @module
 */

import type { LossName, OptimizerName } from "../engine/ensemble.ts";
import type { JsonFields } from "../results/json_fields.ts";
import { type Connections, countConnections } from "../graph/connections.ts";
import {
  type ModelSize,
  PARAMETER_NAMES,
  type Parameters,
  parameterShapes,
} from "../rnn/parameters.ts";
import type { TrialSet } from "../tasks/trial_set.ts";
import {
  readModelTensor,
  readNumber,
  readNumbers,
  readTensor,
  readTensors,
  TENSOR_KEYS,
} from "./tensor_fields.ts";

/** The first batch of the first epoch, before any update. */
export interface ExpectedBatch {
  /** [B, T, O] */
  readonly output: Float64Array;
  /** [B, H] */
  readonly hiddenLast: Float64Array;
  readonly loss: number;
  /** In %; undefined where the loss is "mse". */
  readonly accuracy: number | undefined;
  /** W_hh's is zeros where it is frozen. */
  readonly gradient: Parameters<Float64Array>;
}

/** One epoch. */
export interface ExpectedEpoch {
  readonly trainLoss: number;
  readonly validateLoss: number;
  readonly trainAccuracy: number | undefined;
  readonly validateAccuracy: number | undefined;
  readonly trainBatchLosses: readonly number[];
  readonly validateBatchLosses: readonly number[];
}

/** A whole training. */
export interface ExpectedTraining {
  readonly firstBatch: ExpectedBatch;
  readonly weightsAfterOneStep: Parameters<Float64Array>;
  readonly weightsAfterAllEpochs: Parameters<Float64Array>;
  /** Adam's first moment after all epochs; zeros for the other optimizers. */
  readonly firstMoment: Parameters<Float64Array>;
  /** Adam's second moment, RMSprop's square average; zeros for SGD. */
  readonly secondMoment: Parameters<Float64Array>;
  readonly epochs: readonly ExpectedEpoch[];
}

interface Context {
  readonly size: ModelSize;
  readonly connections: Connections;
  readonly loss: LossName;
  readonly trainRecurrent: boolean;
  readonly optimizer: OptimizerName;
  readonly trials: TrialSet;
}

/** Reads `expected.float64` of a case. */
export function readExpected(
  fields: JsonFields,
  context: Context,
): ExpectedTraining {
  const { size, connections, optimizer } = context;
  const weights = { dtype: "float64", size, connections } as const;
  const state = fields.object("optimizer_state_after_all_epochs");
  const moment = { ...context, state };
  return {
    firstBatch: readFirstBatch(fields.object("first_batch"), context),
    weightsAfterOneStep: readTensors(
      fields.object("weights_after_1_step"),
      weights,
    ),
    weightsAfterAllEpochs: readTensors(
      fields.object("weights_after_all_epochs"),
      weights,
    ),
    firstMoment: readMoment(
      optimizer === "Adam" ? "exp_avg" : undefined,
      moment,
    ),
    secondMoment: readMoment(
      optimizer === "Adam"
        ? "exp_avg_sq"
        : optimizer === "RMSprop"
        ? "square_avg"
        : undefined,
      moment,
    ),
    epochs: readEpochs(fields, context),
  };
}

function readFirstBatch(
  fields: JsonFields,
  { size, connections, loss, trainRecurrent, trials }: Context,
): ExpectedBatch {
  const { steps } = trials;
  const batch = trials.trainBatches[0]!.length;
  return {
    output: readTensor(fields, "output", {
      dtype: "float64",
      shape: [batch * steps, size.outputSize],
    }),
    hiddenLast: readTensor(fields, "hidden_last", {
      dtype: "float64",
      shape: [batch, size.hiddenSize],
    }),
    loss: readNumber(fields, "loss"),
    accuracy: readAccuracy(fields, "accuracy", loss),
    gradient: readTensors(fields.object("grad"), {
      dtype: "float64",
      size,
      connections,
      keys: { ...TENSOR_KEYS, weightHh: "W_hh_masked" },
      without: trainRecurrent ? [] : ["weightHh"],
    }),
  };
}

function readAccuracy(
  fields: JsonFields,
  key: string,
  loss: LossName,
): number | undefined {
  if (loss === "nll") return readNumber(fields, key);
  return fields.members[key] === null
    ? undefined
    : fields.fail(key, 'null where the loss is "mse"');
}

/** A moment of each tensor: `state.W_ih.exp_avg` and so on. */
function readMoment(
  key: string | undefined,
  { state, size, connections, trainRecurrent }: Context & {
    readonly state: JsonFields;
  },
): Parameters<Float64Array> {
  const shapes = parameterShapes(size, countConnections(connections));
  return Object.fromEntries(PARAMETER_NAMES.map((name) => {
    const none = key === undefined || (name === "weightHh" && !trainRecurrent);
    const tensor = none
      ? new Float64Array(shapes[name].reduce((a, b) => a * b))
      : readModelTensor(state.object(TENSOR_KEYS[name]), key, {
        name,
        dtype: "float64",
        size,
        connections,
      });
    return [name, tensor];
  })) as unknown as Parameters<Float64Array>;
}

function readEpochs(
  fields: JsonFields,
  { trials, loss }: Context,
): ExpectedEpoch[] {
  const epochs = fields.objects("epochs").map((epoch) => {
    const losses = (key: string, batches: number) => {
      const list = readNumbers(epoch, key);
      return list.length === batches
        ? list
        : epoch.fail(key, `${batches} numbers, one a batch`);
    };
    return {
      trainLoss: readNumber(epoch, "train_loss"),
      validateLoss: readNumber(epoch, "validate_loss"),
      trainAccuracy: readAccuracy(epoch, "train_accuracy", loss),
      validateAccuracy: readAccuracy(epoch, "validate_accuracy", loss),
      trainBatchLosses: losses(
        "train_batch_losses",
        trials.trainBatches.length,
      ),
      validateBatchLosses: losses(
        "validate_batch_losses",
        trials.validateBatches.length,
      ),
    };
  });
  return epochs.length === 0
    ? fields.fail("epochs", "a list with an epoch or more")
    : epochs;
}

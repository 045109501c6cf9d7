/**
 * Reference cases: trainings of a masked Elman RNN by PyTorch, with all that
 * went in and all that came out. `tests/golden/README.md` describes the format.
 *
 * @module
 */

import * as v from "npm:valibot@1.5.0";
import type { EnsembleSpec, ModelRun } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import {
  connectedValues,
  type Connections,
  listConnections,
} from "../graph/connections.ts";
import {
  type ModelSize,
  PARAMETER_NAMES,
  type Parameters,
  parameterShapes,
} from "../rnn/parameters.ts";

/** Names of the six tensors in a case. */
export const TENSOR_KEYS = {
  weightIh: "W_ih",
  weightHh: "W_hh",
  biasIh: "b_ih",
  biasHh: "b_hh",
  weightFc: "W_fc",
  biasFc: "b_fc",
} as const satisfies Record<keyof Parameters, string>;

/** All that a training gives, be it PyTorch's or an engine's. */
export interface Training {
  /** The first batch, before any update. */
  readonly firstBatch: {
    /** [B, T, O], after the log-softmax where there is one. */
    readonly output: ArrayLike<number>;
    /** [B, H], h at the last time step. */
    readonly hiddenLast: ArrayLike<number>;
    readonly loss: number;
    /** In %; undefined where the loss is "mse". */
    readonly accuracy: number | undefined;
    /** W_hh's is zeros where it is frozen. */
    readonly gradient: Parameters;
  };
  readonly weightsAfterOneUpdate: Parameters;
  readonly weightsAfterAllEpochs: Parameters;
  /** Adam's first moment after all epochs; zeros for the other optimizers. */
  readonly firstMoment: Parameters;
  /** Adam's second moment, RMSprop's square average; zeros for SGD. */
  readonly secondMoment: Parameters;
  readonly epochs: readonly {
    readonly trainLoss: number;
    readonly validateLoss: number;
    readonly trainAccuracy: number | undefined;
    readonly validateAccuracy: number | undefined;
    readonly trainBatchLosses: ArrayLike<number>;
    readonly validateBatchLosses: ArrayLike<number>;
  }[];
}

/** What goes in, and what PyTorch makes of it in single and in double precision. */
export interface GoldenCase {
  readonly name: string;
  /** An ensemble of one run. */
  readonly ensemble: EnsembleSpec;
  readonly expected: Readonly<Record<"float32" | "float64", Training>>;
}

/** JSON has neither NaN nor infinities: `null` stands for them. */
const number = v.pipe(
  v.nullable(v.number()),
  v.transform((value) => value ?? NaN),
);
const accuracy = v.pipe(
  v.nullable(v.number()),
  v.transform((value) => value ?? undefined),
);
const numbers = v.pipe(
  v.custom<(number | null)[]>((list) =>
    Array.isArray(list) &&
    list.every((value) => value === null || typeof value === "number")
  ),
  v.transform((list) => Float64Array.from(list, (value) => value ?? NaN)),
);
const tensor = v.pipe(
  v.object({ shape: v.array(v.number()), data: numbers }),
  v.check(
    ({ shape, data }) => shape.reduce((a, b) => a * b, 1) === data.length,
    "as many numbers as its shape says",
  ),
);
const others = {
  W_ih: tensor,
  b_ih: tensor,
  b_hh: tensor,
  W_fc: tensor,
  b_fc: tensor,
};
const tensors = v.object({ ...others, W_hh: tensor });
const trials = v.object({ X: tensor, Y: tensor });
const batches = v.array(v.array(v.number()));
const moments = v.record(v.string(), v.record(v.string(), tensor));

const trainingSchema = v.object({
  first_batch: v.object({
    output: tensor,
    hidden_last: tensor,
    loss: number,
    accuracy,
    grad: v.object({ ...others, W_hh_masked: v.nullable(tensor) }),
  }),
  weights_after_1_step: tensors,
  weights_after_all_epochs: tensors,
  optimizer_state_after_all_epochs: moments,
  epochs: v.array(v.object({
    train_loss: number,
    validate_loss: number,
    train_accuracy: accuracy,
    validate_accuracy: accuracy,
    train_batch_losses: numbers,
    validate_batch_losses: numbers,
  })),
});

const caseSchema = v.object({
  format: v.literal("bio-rnn-golden/1"),
  name: v.string(),
  task: v.object({
    T: v.number(),
    input_size: v.number(),
    output_size: v.number(),
  }),
  model: v.object({
    hidden: v.number(),
    activation: v.picklist(["tanh", "relu"]),
    freeze_W_hh: v.boolean(),
  }),
  loss: v.picklist(["mse", "nll"]),
  optimizer: v.object({
    name: v.picklist(["Adam", "RMSprop", "SGD"]),
    lr: v.number(),
  }),
  train: trials,
  validate: trials,
  batches: v.object({ train: batches, validate: batches }),
  mask: tensor,
  init: tensors,
  expected: v.object({ float32: trainingSchema, float64: trainingSchema }),
});

type Tensor = v.InferOutput<typeof tensor>;

/**
 * A case from the value of its JSON.
 *
 * @returns undefined if it is something else: no object of kind "train".
 * @throws {InputError} If it is not of that format; names the member.
 *
 * @example
 * ```ts
 * import { readGoldenCase } from "./src/doctor/golden_case.ts";
 *
 * const file = "src/doctor/cases/train_seq_mem_tanh_sgd.json";
 * const golden = readGoldenCase(JSON.parse(await Deno.readTextFile(file)), { file });
 * golden?.expected.float64.epochs.length; // 5
 * ```
 */
export function readGoldenCase(
  value: unknown,
  { file }: { readonly file: string },
): GoldenCase | undefined {
  const { kind } = Object(value) as { kind?: unknown };
  if (kind !== "train") return undefined;
  const parsed = v.safeParse(caseSchema, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const { expected, received, message } = issue;
    throw new InputError(
      `Cannot read the reference case "${file}": ${
        v.getDotPath(issue)
      } must be ${
        expected === null ? message : `${expected}, found ${received}`
      }`,
    );
  }
  const golden = parsed.output;
  const { model, task, loss, optimizer, train, validate } = golden;
  const size: ModelSize = {
    hiddenSize: model.hidden,
    inputSize: task.input_size,
    outputSize: task.output_size,
  };
  const square = [model.hidden, model.hidden];
  const { data } = shaped(golden.mask, { file, key: "mask", shape: square });
  const connections = listConnections(
    { receivers: model.hidden, senders: model.hidden },
    data,
  );
  const context = { file, size, connections };
  for (const [key, { X, Y }] of Object.entries({ train, validate })) {
    const shape = [X.shape[0] ?? 0, task.T];
    shaped(X, { file, key: `${key}.X`, shape: [...shape, task.input_size] });
    shaped(Y, { file, key: `${key}.Y`, shape: [...shape, 1] });
  }
  const trainCount = train.X.shape[0]!;
  const run: ModelRun = {
    label: golden.name,
    activation: model.activation,
    optimizer: optimizer.name,
    learningRate: optimizer.lr,
    trainRecurrent: !model.freeze_W_hh,
    connections,
    initial: parametersOf(golden.init, { ...context, as: Float32Array }),
    trials: {
      trialCount: trainCount + validate.X.shape[0]!,
      steps: task.T,
      inputSize: task.input_size,
      inputs: joined(train.X, validate.X),
      targets: joined(train.Y, validate.Y),
      trainBatches: golden.batches.train.map((batch) =>
        Uint32Array.from(batch)
      ),
      // Validation trials stand after those that train.
      validateBatches: golden.batches.validate.map((batch) =>
        Uint32Array.from(batch, (trial) => trainCount + trial)
      ),
    },
  };
  const { float32, float64 } = golden.expected;
  return {
    name: golden.name,
    ensemble: { ...size, loss, runs: [run] },
    expected: {
      float32: trainingOf(float32, context),
      float64: trainingOf(float64, context),
    },
  };
}

function joined(first: Tensor, second: Tensor): Float32Array {
  return Float32Array.from([...first.data, ...second.data]);
}

/** The tensor, if it has that shape. */
function shaped(
  tensor: Tensor,
  { file, key, shape }: {
    readonly file: string;
    readonly key: string;
    readonly shape: readonly number[];
  },
): Tensor {
  if (String(tensor.shape) === String(shape)) return tensor;
  throw new InputError(
    `Cannot read the reference case "${file}": ${key} must be of shape [${shape}], found [${tensor.shape}]`,
  );
}

/** What is needed to read the tensors of a model. */
interface ModelContext {
  readonly file: string;
  readonly size: ModelSize;
  readonly connections: Connections;
}

/** The six tensors of a model; W_hh is [H, H] in a case. Those that are not there are zeros. */
function parametersOf<A extends Float32Array | Float64Array = Float64Array>(
  given: Readonly<Record<string, unknown>>,
  { file, size, connections, keys = TENSOR_KEYS, as }: ModelContext & {
    readonly keys?: Readonly<Record<keyof Parameters, string>>;
    readonly as?: { from(list: ArrayLike<number>): A };
  },
): Parameters<A> {
  const shapes = {
    ...parameterShapes(size, connections.sender.length),
    weightHh: [size.hiddenSize, size.hiddenSize],
  };
  const entries = PARAMETER_NAMES.map((name) => {
    const key = keys[name];
    const shape = shapes[name];
    const tensor = given[key] as Tensor | null | undefined;
    const data = tensor
      ? shaped(tensor, { file, key, shape }).data
      : new Float64Array(shape.reduce((a, b) => a * b));
    const own = name === "weightHh" ? connectedValues(connections, data) : data;
    return [name, as === undefined ? own : as.from(own)];
  });
  return Object.fromEntries(entries);
}

function trainingOf(
  training: v.InferOutput<typeof trainingSchema>,
  context: ModelContext,
): Training {
  const { first_batch, optimizer_state_after_all_epochs: state } = training;
  const moment = (...names: string[]) =>
    parametersOf(
      Object.fromEntries(
        Object.entries(state).map(([key, moments]) => [
          key,
          names.map((name) => moments[name]).find((tensor) => tensor),
        ]),
      ),
      context,
    );
  return {
    firstBatch: {
      output: first_batch.output.data,
      hiddenLast: first_batch.hidden_last.data,
      loss: first_batch.loss,
      accuracy: first_batch.accuracy,
      gradient: parametersOf(first_batch.grad, {
        ...context,
        keys: { ...TENSOR_KEYS, weightHh: "W_hh_masked" },
      }),
    },
    weightsAfterOneUpdate: parametersOf(training.weights_after_1_step, context),
    weightsAfterAllEpochs: parametersOf(
      training.weights_after_all_epochs,
      context,
    ),
    firstMoment: moment("exp_avg"),
    secondMoment: moment("exp_avg_sq", "square_avg"),
    epochs: training.epochs.map((epoch) => ({
      trainLoss: epoch.train_loss,
      validateLoss: epoch.validate_loss,
      trainAccuracy: epoch.train_accuracy,
      validateAccuracy: epoch.validate_accuracy,
      trainBatchLosses: epoch.train_batch_losses,
      validateBatchLosses: epoch.validate_batch_losses,
    })),
  };
}

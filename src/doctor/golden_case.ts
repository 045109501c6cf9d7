/**
 * Reference cases: trainings of a masked Elman RNN by PyTorch, with all that
 * went in and all that came out. `tests/golden/README.md` describes the format.
 *
 * @module
 */

import { NONLINEARITIES } from "../rnn/nonlinearities.ts";
import { OPTIMIZERS } from "../rnn/optimizers.ts";
import * as v from "npm:valibot@1.5.0";
import type {
  BatchProbe,
  EnsembleSpec,
  EpochHistory,
  ModelRun,
  ModelState,
} from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { join } from "../files/path.ts";
import { listFolder, readTextFile } from "../files/read.ts";
import { connectedValues, listConnections } from "../graph/connections.ts";
import {
  makeParameters,
  type ModelSize,
  PARAMETER_NAMES,
  type Parameters,
  parameterShapes,
} from "../rnn/parameters.ts";
import * as OWN from "./cases.ts";

/** Names of the six tensors in a case. */
export const TENSOR_KEYS = {
  weightIh: "W_ih",
  weightHh: "W_hh",
  biasIh: "b_ih",
  biasHh: "b_hh",
  weightFc: "W_fc",
  biasFc: "b_fc",
} as const satisfies Record<keyof Parameters, string>;

/** Numbers by where they are from, e.g. "W_hh" or "epoch 3, train loss". */
export type Numbers = Readonly<Record<string, ArrayLike<number>>>;

/** All that a training gives, be it PyTorch's or an engine's, by what is compared. */
export interface Training {
  /** Of the first batch before any update: [B, T, O], after the log-softmax where there is one. */
  readonly "output": Numbers;
  /** Of the same: [B, H], h at the last time step. */
  readonly "hidden state": Numbers;
  readonly "losses": Numbers;
  /** In %; none where the loss is "mse". */
  readonly "accuracies": Numbers;
  /** Of the first batch; W_hh's is zeros where it is frozen. */
  readonly "gradients": Numbers;
  readonly "weights after one update": Numbers;
  readonly "weights after all epochs": Numbers;
  /** Adam's first and second moments, RMSprop's square average; zeros where there is none. */
  readonly "moments": Numbers;
}

/** Names all that is compared of what an engine gives, or PyTorch, as an engine would. */
export function trainingOf(
  { probe, history, afterOne, state }: {
    /** Of the first batch before any update. */
    readonly probe: BatchProbe;
    readonly history: Omit<EpochHistory, "models">;
    /** After one update. */
    readonly afterOne: Pick<ModelState, "parameters">;
    /** After all epochs. */
    readonly state: Omit<ModelState, "epoch" | "updates">;
  },
  epochs: number,
): Training {
  const losses: Record<string, number[]> = {};
  const accuracies: Record<string, number[]> = {};
  const add = (where: string, loss = NaN, accuracy = NaN) => {
    losses[where] = [loss];
    // Of numbers that are none, no class is the most probable.
    if (!Number.isFinite(accuracy) || !Number.isFinite(loss)) return;
    accuracies[where.replace(" loss", "")] = [accuracy];
  };
  add("first batch", probe.loss, probe.accuracy);
  for (let i = 0; i < epochs; i++) {
    for (const part of ["train", "validate"] as const) {
      const where = `epoch ${i + 1}, ${part}`;
      const accuracy = history[`${part}Accuracy`]?.[i];
      add(`${where} loss`, history[`${part}Loss`][i], accuracy);
      const batches = history[`${part}BatchLoss`];
      const count = batches.length / epochs;
      batches.subarray(i * count, (i + 1) * count)
        .forEach((loss, b) => add(`${where} batch ${b + 1}`, loss));
    }
  }
  const named = (parameters: Parameters, ending = "") =>
    Object.fromEntries(PARAMETER_NAMES.map((name) => [
      TENSOR_KEYS[name] + ending,
      parameters[name],
    ]));
  return {
    "output": { "": probe.output },
    "hidden state": { "": probe.hiddenLast },
    losses,
    accuracies,
    "gradients": named(probe.gradient),
    "weights after one update": named(afterOne.parameters),
    "weights after all epochs": named(state.parameters),
    "moments": {
      ...named(state.firstMoment),
      ...named(state.secondMoment, ", second"),
    },
  };
}

/** What goes in, and what PyTorch makes of it in single and in double precision. */
export interface GoldenCase {
  readonly name: string;
  /** An ensemble of one run. */
  readonly ensemble: EnsembleSpec;
  readonly epochs: number;
  readonly expected: Readonly<Record<"float32" | "float64", Training>>;
}

/** JSON has neither NaN nor infinities: `null` stands for them. */
const number = v.pipe(
  v.nullable(v.number()),
  v.transform((value) => value ?? NaN),
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
const others = v.entriesFromList(
  ["W_ih", "b_ih", "b_hh", "W_fc", "b_fc"],
  tensor,
);
const tensors = v.object({ ...others, W_hh: tensor });
const trials = v.object({ X: tensor, Y: tensor });
const batches = v.array(v.array(v.number()));
const epoch = v.object({
  ...v.entriesFromList(
    ["train_loss", "validate_loss", "train_accuracy", "validate_accuracy"],
    number,
  ),
  ...v.entriesFromList(
    ["train_batch_losses", "validate_batch_losses"],
    numbers,
  ),
});
const training = v.object({
  first_batch: v.object({
    output: tensor,
    hidden_last: tensor,
    loss: number,
    accuracy: number,
    grad: v.object({ ...others, W_hh_masked: v.nullable(tensor) }),
  }),
  weights_after_1_step: tensors,
  weights_after_all_epochs: tensors,
  optimizer_state_after_all_epochs: v.record(
    v.string(),
    v.record(v.string(), tensor),
  ),
  epochs: v.array(epoch),
});
const goldenCase = v.object({
  format: v.literal("bio-rnn-golden/1"),
  name: v.string(),
  task: v.object(
    v.entriesFromList(["T", "input_size", "output_size"], v.number()),
  ),
  model: v.object({
    hidden: v.number(),
    activation: v.picklist([...NONLINEARITIES.keys()]),
    freeze_W_hh: v.boolean(),
  }),
  loss: v.picklist(["mse", "nll"]),
  optimizer: v.object({
    name: v.picklist([...OPTIMIZERS.keys()]),
    lr: v.number(),
  }),
  train: trials,
  validate: trials,
  batches: v.object({ train: batches, validate: batches }),
  mask: tensor,
  init: tensors,
  expected: v.object({ float32: training, float64: training }),
});

type Tensor = v.InferOutput<typeof tensor>;

/**
 * A case from the value of its JSON.
 *
 * @returns undefined if it is something else: no object of kind "train".
 * @throws {InputError} If it is not of that format; names the member.
 */
export function readGoldenCase(
  value: unknown,
  { file }: { readonly file: string },
): GoldenCase | undefined {
  const { kind } = Object(value) as { kind?: unknown };
  if (kind !== "train") return undefined;
  const fail = (key: string | null, problem: string): never => {
    throw new InputError(
      `Cannot read the reference case "${file}": ${key} must be ${problem}`,
    );
  };
  const parsed = v.safeParse(goldenCase, value);
  if (!parsed.success) {
    const [issue] = parsed.issues;
    const { expected, received, message } = issue;
    const problem = expected ? `${expected}, found ${received}` : message;
    return fail(v.getDotPath(issue), problem);
  }
  const { name, task, model, loss, optimizer, ...golden } = parsed.output;
  const { train, validate, batches } = golden;
  const size: ModelSize = {
    hiddenSize: model.hidden,
    inputSize: task.input_size,
    outputSize: task.output_size,
  };
  /** The tensor's numbers, if it has that shape. */
  const shaped = (
    key: string,
    { shape: found, data }: Tensor,
    ...shape: readonly number[]
  ): Float64Array =>
    String(found) === String(shape)
      ? data
      : fail(key, `of shape [${shape}], found [${found}]`);
  const H = size.hiddenSize;
  const mask = shaped("mask", golden.mask, H, H);
  const connections = listConnections({ receivers: H, senders: H }, mask);
  const shapes = { ...parameterShapes(size, 0), weightHh: [H, H] };
  /** The six tensors of a model; W_hh is [H, H] in a case. Those that are not there are zeros. */
  const tensorsOf = (
    given: Readonly<Record<string, Tensor | null | undefined>>,
  ) =>
    makeParameters((name) => {
      const key = TENSOR_KEYS[name];
      const shape = shapes[name];
      const data = given[key]
        ? shaped(key, given[key], ...shape)
        : new Float64Array(shape.reduce((a, b) => a * b));
      return name === "weightHh" ? connectedValues(connections, data) : data;
    });
  const expectedOf = (
    { first_batch: first, epochs, ...given }: v.InferOutput<typeof training>,
  ): Training => {
    const moments = Object.entries(given.optimizer_state_after_all_epochs);
    const moment = (name: string, other = name) =>
      tensorsOf(Object.fromEntries(
        moments.map(([key, of]) => [key, of[name] ?? of[other]]),
      ));
    const curve = (of: (epoch: typeof epochs[number]) => Iterable<number>) =>
      Float64Array.from(epochs.flatMap((epoch) => [...of(epoch)]));
    return trainingOf({
      probe: {
        loss: first.loss,
        accuracy: first.accuracy,
        output: first.output.data,
        hiddenLast: first.hidden_last.data,
        gradient: tensorsOf({ ...first.grad, W_hh: first.grad.W_hh_masked }),
      },
      history: {
        epochs: epochs.length,
        trainLoss: curve((each) => [each.train_loss]),
        validateLoss: curve((each) => [each.validate_loss]),
        trainAccuracy: curve((each) => [each.train_accuracy]),
        validateAccuracy: curve((each) => [each.validate_accuracy]),
        trainBatchLoss: curve((each) => each.train_batch_losses),
        validateBatchLoss: curve((each) => each.validate_batch_losses),
      },
      afterOne: { parameters: tensorsOf(given.weights_after_1_step) },
      state: {
        parameters: tensorsOf(given.weights_after_all_epochs),
        firstMoment: moment("exp_avg"),
        secondMoment: moment("exp_avg_sq", "square_avg"),
      },
    }, epochs.length);
  };
  for (const [key, { X, Y }] of Object.entries({ train, validate })) {
    const [count = 0] = X.shape;
    shaped(`${key}.X`, X, count, task.T, task.input_size);
    shaped(`${key}.Y`, Y, count, task.T, 1);
  }
  const trainCount = train.X.shape[0]!;
  const joined = (of: "X" | "Y") =>
    Float32Array.from([...train[of].data, ...validate[of].data]);
  const initial = tensorsOf(golden.init);
  const run: ModelRun = {
    label: name,
    activation: model.activation,
    optimizer: optimizer.name,
    learningRate: optimizer.lr,
    trainRecurrent: !model.freeze_W_hh,
    connections,
    initial: makeParameters((key) => Float32Array.from(initial[key])),
    trials: {
      trialCount: trainCount + validate.X.shape[0]!,
      steps: task.T,
      inputSize: task.input_size,
      inputs: joined("X"),
      targets: joined("Y"),
      trainBatches: batches.train.map((batch) => Uint32Array.from(batch)),
      // Validation trials stand after those that train.
      validateBatches: batches.validate.map((batch) =>
        Uint32Array.from(batch, (trial) => trainCount + trial)
      ),
    },
  };
  const { float32, float64 } = golden.expected;
  return {
    name,
    ensemble: { ...size, loss, runs: [run] },
    epochs: float64.epochs.length,
    expected: { float32: expectedOf(float32), float64: expectedOf(float64) },
  };
}

/** The cases that come with biornn, by name. */
export function ownCases(): GoldenCase[] {
  return Object.values(OWN).map((value) =>
    readGoldenCase(value, { file: "own case" })!
  );
}

/**
 * The training cases among a folder's `.json` files, by file name.
 *
 * @throws {InputError} If the folder or a case can't be read, or there is none.
 */
export async function readCases(folder: string): Promise<GoldenCase[]> {
  const entries = await listFolder(folder);
  if (entries === undefined) {
    throw new InputError(
      `Cannot read the folder of reference cases "${folder}": there is no such folder`,
    );
  }
  const files = entries.filter(({ isFile, name }) =>
    isFile && name.endsWith(".json")
  ).map(({ name }) => join(folder, name)).sort();
  const found = await Array.fromAsync(files, async (file) => {
    const text = await readTextFile(file, { what: "the reference case" });
    try {
      return readGoldenCase(JSON.parse(text), { file });
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      throw new InputError(
        `Cannot read the reference case "${file}": ${error.message}`,
        { cause: error },
      );
    }
  });
  const cases = found.filter((golden) => golden !== undefined);
  if (cases.length > 0) return cases;
  throw new InputError(
    `Cannot find a reference case in "${folder}": none of its .json files is of kind "train"`,
  );
}

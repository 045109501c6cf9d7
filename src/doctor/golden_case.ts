/**
 * Reference cases: trainings of a masked Elman RNN by PyTorch, with all that
 * went in and all that came out. `tests/golden/README.md` describes the format.
 *
 * @module
 */

import { NONLINEARITIES } from "../rnn/nonlinearities.ts";
import { OPTIMIZERS } from "../rnn/optimizers.ts";
import * as v from "npm:valibot@1.5.0";
import type { EnsembleSpec, ModelRun } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { join } from "../files/path.ts";
import { listFolder, readTextFile } from "../files/read.ts";
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
const accuracy = v.nullable(v.number());
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
const epoch = v.object({
  train_loss: number,
  validate_loss: number,
  train_accuracy: accuracy,
  validate_accuracy: accuracy,
  train_batch_losses: numbers,
  validate_batch_losses: numbers,
});
const training = v.object({
  first_batch: v.object({
    output: tensor,
    hidden_last: tensor,
    loss: number,
    accuracy,
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
  task: v.object({
    T: v.number(),
    input_size: v.number(),
    output_size: v.number(),
  }),
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
 *
 * @example
 * ```ts
 * import { readGoldenCase } from "./src/doctor/golden_case.ts";
 *
 * const file = "src/doctor/cases/train_seq_mem_tanh_sgd.json";
 * const golden = readGoldenCase(JSON.parse(await Deno.readTextFile(file)), { file });
 * golden?.epochs; // 5
 * ```
 */
export function readGoldenCase(
  value: unknown,
  { file }: { readonly file: string },
): GoldenCase | undefined {
  const { kind } = Object(value) as { kind?: unknown };
  if (kind !== "train") return undefined;
  const parsed = v.safeParse(goldenCase, value);
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
  const { name, task, model, loss, optimizer, ...golden } = parsed.output;
  const { train, validate } = golden;
  const [H, trainCount = 0] = [model.hidden, train.X.shape[0]];
  const size: ModelSize = {
    hiddenSize: H,
    inputSize: task.input_size,
    outputSize: task.output_size,
  };
  const mask = shaped(golden.mask, { file, key: "mask", shape: [H, H] });
  const connections = listConnections({ receivers: H, senders: H }, mask);
  const context = { file, size, connections };
  for (const [key, { X, Y }] of Object.entries({ train, validate })) {
    const shape = [X.shape[0] ?? 0, task.T];
    shaped(X, { file, key: `${key}.X`, shape: [...shape, task.input_size] });
    shaped(Y, { file, key: `${key}.Y`, shape: [...shape, 1] });
  }
  const joined = (of: "X" | "Y") =>
    Float32Array.from([...train[of].data, ...validate[of].data]);
  const initial = tensorsOf(golden.init, context);
  const run: ModelRun = {
    label: name,
    activation: model.activation,
    optimizer: optimizer.name,
    learningRate: optimizer.lr,
    trainRecurrent: !model.freeze_W_hh,
    connections,
    initial: Object.fromEntries(
      PARAMETER_NAMES.map((
        each,
      ) => [each, Float32Array.from(initial[TENSOR_KEYS[each]]!)]),
    ) as unknown as Parameters<Float32Array>,
    trials: {
      trialCount: trainCount + validate.X.shape[0]!,
      steps: task.T,
      inputSize: task.input_size,
      inputs: joined("X"),
      targets: joined("Y"),
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
    name,
    ensemble: { ...size, loss, runs: [run] },
    epochs: float64.epochs.length,
    expected: {
      float32: trainingOf(float32, context),
      float64: trainingOf(float64, context),
    },
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
  const cases: GoldenCase[] = [];
  for (const file of await jsonFiles(folder)) {
    const text = await readTextFile(file, { what: "the reference case" });
    const golden = readGoldenCase(parseJson(text, file), { file });
    if (golden !== undefined) cases.push(golden);
  }
  if (cases.length > 0) return cases;
  throw new InputError(
    `Cannot find a reference case in "${folder}": none of its .json files is of kind "train"`,
  );
}

function parseJson(text: string, file: string): unknown {
  try {
    return JSON.parse(text);
  } catch (error) {
    throw new InputError(
      `Cannot read the reference case "${file}": ${(error as Error).message}`,
      { cause: error },
    );
  }
}

async function jsonFiles(folder: string): Promise<string[]> {
  const entries = await listFolder(folder);
  if (entries === undefined) {
    throw new InputError(
      `Cannot read the folder of reference cases "${folder}": there is no such folder`,
    );
  }
  return entries.filter(({ isFile, name }) => isFile && name.endsWith(".json"))
    .map(({ name }) => join(folder, name)).sort();
}

/** The tensor's numbers, if it has that shape. */
function shaped(
  { shape: found, data }: Tensor,
  { file, key, shape }: {
    readonly file: string;
    readonly key: string;
    readonly shape: readonly number[];
  },
): Float64Array {
  if (String(found) === String(shape)) return data;
  throw new InputError(
    `Cannot read the reference case "${file}": ${key} must be of shape [${shape}], found [${found}]`,
  );
}

/** What is needed to read the tensors of a model. */
interface ModelContext {
  readonly file: string;
  readonly size: ModelSize;
  readonly connections: Connections;
}

/** The six tensors of a model by their names; W_hh is [H, H] in a case. Those that are not there are zeros. */
function tensorsOf(
  given: Readonly<Record<string, Tensor | null | undefined>>,
  { file, size, connections }: ModelContext,
): Record<string, Float64Array> {
  const shapes = {
    ...parameterShapes(size, connections.sender.length),
    weightHh: [size.hiddenSize, size.hiddenSize],
  };
  return Object.fromEntries(PARAMETER_NAMES.map((name) => {
    const key = TENSOR_KEYS[name];
    const shape = shapes[name];
    const data = given[key]
      ? shaped(given[key], { file, key, shape })
      : new Float64Array(shape.reduce((a, b) => a * b));
    return [
      key,
      name === "weightHh" ? connectedValues(connections, data) : data,
    ];
  }));
}

function trainingOf(
  { first_batch: first, epochs, ...given }: v.InferOutput<typeof training>,
  context: ModelContext,
): Training {
  const moment = (...names: string[]) =>
    tensorsOf(
      Object.fromEntries(
        Object.entries(given.optimizer_state_after_all_epochs).map((
          [key, moments],
        ) => [key, names.map((name) => moments[name]).find(Boolean)]),
      ),
      context,
    );
  return {
    "output": { "": first.output.data },
    "hidden state": { "": first.hidden_last.data },
    ...scoresOf(
      first,
      epochs.map((each) => ({
        train: {
          loss: each.train_loss,
          accuracy: each.train_accuracy,
          batches: each.train_batch_losses,
        },
        validate: {
          loss: each.validate_loss,
          accuracy: each.validate_accuracy,
          batches: each.validate_batch_losses,
        },
      })),
    ),
    "gradients": tensorsOf(
      { ...first.grad, W_hh: first.grad.W_hh_masked },
      context,
    ),
    "weights after one update": tensorsOf(given.weights_after_1_step, context),
    "weights after all epochs": tensorsOf(
      given.weights_after_all_epochs,
      context,
    ),
    "moments": momentsOf(moment("exp_avg"), moment("exp_avg_sq", "square_avg")),
  };
}

/** The moments of the six tensors, each by its name. */
export function momentsOf(first: Numbers, second: Numbers): Numbers {
  return {
    ...first,
    ...Object.fromEntries(
      Object.entries(second).map(([key, values]) => [`${key}, second`, values]),
    ),
  };
}

/** A loss and, where there are classes, an accuracy in %. */
interface Scored {
  readonly loss: number;
  readonly accuracy?: number | null | undefined;
}

/** Names all losses and accuracies. */
export function scoresOf(
  first: Scored,
  epochs: readonly Readonly<
    Record<
      "train" | "validate",
      Scored & { readonly batches: ArrayLike<number> }
    >
  >[],
): Pick<Training, "losses" | "accuracies"> {
  const losses: Record<string, number[]> = {};
  const accuracies: Record<string, number[]> = {};
  const add = (where: string, { loss, accuracy }: Scored) => {
    losses[where] = [loss];
    // Of numbers that are none, no class is the most probable.
    if (accuracy == null || !Number.isFinite(loss)) return;
    accuracies[where.replace(" loss", "")] = [accuracy];
  };
  add("first batch", first);
  for (const [i, parts] of epochs.entries()) {
    for (const part of ["train", "validate"] as const) {
      add(`epoch ${i + 1}, ${part} loss`, parts[part]);
      for (const [b, loss] of Array.from(parts[part].batches).entries()) {
        add(`epoch ${i + 1}, ${part} batch ${b + 1}`, { loss });
      }
    }
  }
  return { losses, accuracies };
}

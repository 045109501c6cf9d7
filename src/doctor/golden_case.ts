/**
 * Reads reference cases: training runs of a masked Elman RNN that PyTorch did
 * in double precision, with all that went in and all that came out. The format
 * is described in `tests/golden/README.md`.
 *
 * @module
 */

import type {
  EnsembleSpec,
  LossName,
  ModelRun,
  OptimizerName,
} from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { type JsonFields, parseJsonObject } from "../results/json_fields.ts";
import {
  type Connections,
  countConnections,
  listConnections,
} from "../graph/connections.ts";
import type { ModelSize, Parameters } from "../rnn/parameters.ts";
import type { TrialSet } from "../tasks/trial_set.ts";
import { type ExpectedTraining, readExpected } from "./expected_training.ts";
import {
  readNumber,
  readNumbers,
  readTensor,
  readTensors,
} from "./tensor_fields.ts";

/** One reference case: what goes in, and what must come out. */
export interface GoldenCase {
  readonly name: string;
  /** An ensemble of one run. */
  readonly ensemble: EnsembleSpec;
  readonly expected: ExpectedTraining;
}

const FORMAT = "bio-rnn-golden/1";
/** Four minutes of the reference engine's time; our largest case takes 10⁸. */
const MAX_PRODUCTS = 2 ** 38;
/** 256 MiB in float64. */
const MAX_SIGNALS = 2 ** 25;

/** Hyper-parameters that biornn does not vary, as they must stand in a case. */
const FIXED: Record<OptimizerName, Readonly<Record<string, number | boolean>>> =
  {
    SGD: { momentum: 0, dampening: 0, weight_decay: 0, nesterov: false },
    Adam: {
      beta1: 0.9,
      beta2: 0.999,
      eps: 1e-8,
      weight_decay: 0,
      amsgrad: false,
    },
    RMSprop: {
      alpha: 0.99,
      eps: 1e-8,
      weight_decay: 0,
      momentum: 0,
      centered: false,
    },
  };

/**
 * Reads the text of a case.
 *
 * @returns undefined if it is some other file: JSON without a `format`, or a case of another kind than "train".
 * @throws {InputError} If it is no JSON, of another format, or disagrees with itself; names the member.
 *
 * @example
 * ```ts
 * import { readGoldenCase } from "./src/doctor/golden_case.ts";
 *
 * const name = "tests/golden/train_seq_mem_tanh_sgd.json";
 * const golden = readGoldenCase(await Deno.readTextFile(name), { name });
 * golden?.expected.epochs.length; // 5
 * ```
 */
export function readGoldenCase(
  text: string,
  { name }: { readonly name: string },
): GoldenCase | undefined {
  const fields = parseJsonObject(text, name);
  if (!Object.hasOwn(fields.members, "format")) return undefined;
  if (fields.string("format") !== FORMAT) fields.fail("format", `"${FORMAT}"`);
  if (fields.string("kind") !== "train") return undefined;
  const loss = fields.choice("loss", ["mse", "nll"]);
  const model = fields.object("model");
  const size = readSize(fields);
  if (model.boolean("log_softmax") !== (loss === "nll")) {
    model.fail("log_softmax", `${loss === "nll"} where the loss is "${loss}"`);
  }
  const connections = readMask(fields, size.hiddenSize);
  const initial = readInitial(fields, { size, connections });
  const trials = readTrials(fields, { size, loss });
  const { optimizer, learningRate } = readOptimizer(fields.object("optimizer"));
  const trainRecurrent = !model.boolean("freeze_W_hh");
  const caseName = fields.string("name");
  const run: ModelRun = {
    label: caseName,
    activation: model.choice("activation", ["tanh", "relu"]),
    optimizer,
    learningRate,
    trainRecurrent,
    connections,
    initial,
    trials,
  };
  const expected = readExpected(fields.object("expected").object("float64"), {
    size,
    connections,
    loss,
    trainRecurrent,
    optimizer,
    trials,
  });
  checkWork(name, { size, trials, epochs: expected.epochs.length });
  return {
    name: caseName,
    ensemble: { ...size, loss, runs: [run] },
    expected,
  };
}

/** A file of a few bytes a trial can still ask for a week of work, or for more memory than there is. */
function checkWork(
  name: string,
  { size, trials, epochs }: {
    readonly size: ModelSize;
    readonly trials: TrialSet;
    readonly epochs: number;
  },
): void {
  const { hiddenSize: H, inputSize: I } = size;
  const rows = trials.trialCount * trials.steps;
  const signals = rows * (H + I);
  const products = epochs * rows * H * (H + I);
  if (signals <= MAX_SIGNALS && products <= MAX_PRODUCTS) return;
  throw new InputError(
    `Cannot read "${name}": its training is too large for a reference case (${signals} signals an epoch, ${products} products; allowed are ${MAX_SIGNALS} and ${MAX_PRODUCTS})`,
  );
}

function readSize(fields: JsonFields): ModelSize {
  const task = fields.object("task");
  const count = { from: 1, to: 65535 };
  return {
    hiddenSize: fields.object("model").integer("hidden", count),
    inputSize: task.integer("input_size", count),
    outputSize: task.integer("output_size", count),
  };
}

function readMask(fields: JsonFields, hiddenSize: number): Connections {
  const mask = readTensor(fields, "mask", {
    dtype: "int32",
    shape: [hiddenSize, hiddenSize],
  });
  if (!mask.every((value) => value === 0 || value === 1)) {
    fields.fail("mask", "a tensor of 0 and 1");
  }
  const model = fields.object("model");
  const connections = listConnections(
    { receivers: hiddenSize, senders: hiddenSize },
    mask,
  );
  const count = countConnections(connections);
  if (model.integer("mask_nonzeros") !== count) {
    model.fail("mask_nonzeros", `${count}, as in mask`);
  }
  return connections;
}

function readInitial(
  fields: JsonFields,
  { size, connections }: {
    readonly size: ModelSize;
    readonly connections: Connections;
  },
): Parameters<Float32Array> {
  const initial = readTensors(fields.object("init"), {
    dtype: "float32",
    size,
    connections,
  });
  return {
    weightIh: Float32Array.from(initial.weightIh),
    weightHh: Float32Array.from(initial.weightHh),
    biasIh: Float32Array.from(initial.biasIh),
    biasHh: Float32Array.from(initial.biasHh),
    weightFc: Float32Array.from(initial.weightFc),
    biasFc: Float32Array.from(initial.biasFc),
  };
}

/** Training trials come first; the numbers of validation trials go on after them. */
function readTrials(
  fields: JsonFields,
  { size, loss }: { readonly size: ModelSize; readonly loss: LossName },
): TrialSet {
  const { inputSize, outputSize } = size;
  const steps = fields.object("task").integer("T", { from: 1 });
  const parts = ["train", "validate"].map((part) => {
    const tensors = fields.object(part);
    const X = tensors.object("X");
    const trials = readNumbers(X, "shape", { most: 3 })[0];
    if (!Number.isInteger(trials) || trials! < 1) {
      X.fail("shape", "[trials, T, input_size]");
    }
    const inputs = readTensor(tensors, "X", {
      dtype: "float32",
      shape: [trials!, steps, inputSize],
    });
    const targets = readTensor(tensors, "Y", {
      dtype: "float32",
      shape: [trials!, steps, 1],
    });
    const isClass = (y: number) =>
      Number.isInteger(y) && y >= 0 && y < outputSize;
    if (loss === "nll" && !targets.every(isClass)) {
      tensors.fail("Y", `classes from 0 to ${outputSize - 1}`);
    }
    return { trials: trials!, inputs, targets };
  });
  const [train, validate] = parts as [typeof parts[0], typeof parts[0]];
  const batches = fields.object("batches");
  return {
    trialCount: train.trials + validate.trials,
    steps,
    inputSize,
    inputs: joined(train.inputs, validate.inputs),
    targets: joined(train.targets, validate.targets),
    trainBatches: readBatches(batches, "train", {
      trials: train.trials,
      first: 0,
    }),
    validateBatches: readBatches(batches, "validate", {
      trials: validate.trials,
      first: train.trials,
    }),
  };
}

function joined(first: Float64Array, second: Float64Array): Float32Array {
  const all = new Float32Array(first.length + second.length);
  all.set(first);
  all.set(second, first.length);
  return all;
}

function readBatches(
  fields: JsonFields,
  part: string,
  { trials, first }: { readonly trials: number; readonly first: number },
): Uint32Array[] {
  const wanted = `lists of trial numbers from 0 to ${trials - 1}, each once`;
  const seen = new Uint8Array(trials);
  const list = fields.members[part];
  if (!Array.isArray(list) || list.length === 0) fields.fail(part, wanted);
  return list.map((batch: unknown) => {
    // An entry of `seen` is 0 for a trial that is new, undefined for what is no trial.
    const isTrial = (n: unknown) =>
      typeof n === "number" && seen[n] === 0 && ++seen[n]! === 1;
    if (!Array.isArray(batch) || batch.length === 0 || !batch.every(isTrial)) {
      return fields.fail(part, wanted);
    }
    return Uint32Array.from(batch, (n: number) => first + n);
  });
}

function readOptimizer(
  fields: JsonFields,
): { readonly optimizer: OptimizerName; readonly learningRate: number } {
  const optimizer = fields.choice("name", ["Adam", "RMSprop", "SGD"]);
  for (const [key, value] of Object.entries(FIXED[optimizer])) {
    if (fields.members[key] !== value) fields.fail(key, String(value));
  }
  const learningRate = readNumber(fields, "lr");
  if (learningRate <= 0) fields.fail("lr", "above 0");
  return { optimizer, learningRate };
}

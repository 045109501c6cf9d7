/**
 * Finds the six tensors of a model among those of a file.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { type Connections, countConnections } from "./connections.ts";
import {
  type ModelSize,
  PARAMETER_NAMES,
  type Parameters,
  parameterShapes,
} from "./parameters.ts";
import {
  type CheckpointTensor,
  decodeRecurrent,
  singles,
  SPARSE_PARTS,
} from "./recurrent_tensors.ts";

/** A model found in a file. */
export interface FoundModel {
  /** In float32, whatever the file has. */
  readonly parameters: Parameters<Float32Array>;
  /** Of W_hh; where the file has it dense, a weight of exactly 0 is none. */
  readonly connections: Connections;
  readonly size: ModelSize;
}

/** Names of the tensors in a PyTorch module with an `nn.RNN` called `rnn` and an `nn.Linear` called `fc`. */
export const TENSOR_NAMES: Readonly<Record<keyof Parameters, string>> = {
  weightIh: "rnn.weight_ih_l0",
  weightHh: "rnn.weight_hh_l0",
  biasIh: "rnn.bias_ih_l0",
  biasHh: "rnn.bias_hh_l0",
  weightFc: "fc.weight",
  biasFc: "fc.bias",
};

/** Ends of the names of a one-layer `nn.RNN`'s tensors. */
const RECURRENT = {
  weightIh: "weight_ih_l0",
  weightHh: "weight_hh_l0",
  biasIh: "bias_ih_l0",
  biasHh: "bias_hh_l0",
} as const satisfies Partial<Record<keyof Parameters, string>>;

/** A W_hh, or a tensor of one: what stands before its name, and the layer with its direction. */
const WEIGHT_HH = new RegExp(
  `^(|.*\\.)weight_hh_l(\\w+)(?:\\.(?:${SPARSE_PARTS.join("|")}))?$`,
  "s",
);

type Fail = (what: string) => never;
type Dictionary = ReadonlyMap<string, CheckpointTensor>;

/**
 * The parameters of the one-layer Elman RNN with a linear read-out that the
 * tensors are of. The RNN and the read-out are taken under the names `rnn` and
 * `fc`, or under any others (the original's fine-tuned models have
 * `features.0` and `features.1`) where there is one of each.
 *
 * @throws {InputError} If there is none, or more than one could be meant.
 */
export function parametersOf(
  tensors: readonly CheckpointTensor[],
  { name }: { readonly name: string },
): FoundModel {
  const fail: Fail = (what) => {
    throw new InputError(`Cannot use the model "${name}": ${what}`);
  };
  const dictionary = new Map(tensors.map((tensor) => [tensor.name, tensor]));
  const recurrent = recurrentPrefix(dictionary, fail);
  const { connections, weights } = decodeRecurrent(
    recurrent + RECURRENT.weightHh,
    { tensors: dictionary, fail },
  );
  const hiddenSize = connections.receivers;
  const readout = readoutPrefix(dictionary, { recurrent, hiddenSize, fail });
  const found: Record<Exclude<keyof Parameters, "weightHh">, string> = {
    weightIh: recurrent + RECURRENT.weightIh,
    biasIh: recurrent + RECURRENT.biasIh,
    biasHh: recurrent + RECURRENT.biasHh,
    weightFc: `${readout}weight`,
    biasFc: `${readout}bias`,
  };
  const size = {
    hiddenSize,
    inputSize: dictionary.get(found.weightIh)?.shape[1] ?? 0,
    outputSize: dictionary.get(found.biasFc)?.shape[0] ?? 0,
  };
  const shapes = parameterShapes(size, countConnections(connections));
  const parameters: Partial<Record<keyof Parameters, Float32Array>> = {
    weightHh: weights,
  };
  for (const key of PARAMETER_NAMES) {
    if (key === "weightHh") continue;
    const tensor = dictionary.get(found[key]);
    if (tensor === undefined) return fail(`it has no tensor ${found[key]}`);
    const expected = shapes[key];
    if (tensor.shape.join() !== expected.join() || expected.includes(0)) {
      return fail(
        `its ${
          found[key]
        } is [${tensor.shape}], which does not go with ${hiddenSize} hidden units`,
      );
    }
    parameters[key] = singles(tensor, fail);
  }
  return {
    parameters: parameters as Parameters<Float32Array>,
    connections,
    size,
  };
}

/** What stands before the names of the RNN's tensors, with its dot. */
function recurrentPrefix(dictionary: Dictionary, fail: Fail): string {
  const ending = RECURRENT.weightHh;
  const prefixes = new Set<string>();
  for (const name of dictionary.keys()) {
    const match = WEIGHT_HH.exec(name);
    if (match === null) continue;
    const [, prefix = "", layer] = match;
    if (layer !== "0") {
      fail(
        `it has a tensor ${name}, but only one layer in one direction can be used`,
      );
    }
    prefixes.add(prefix);
  }
  if (prefixes.size === 0) {
    fail(
      `it has no tensor ${TENSOR_NAMES.weightHh} or another one ending in ${ending}`,
    );
  }
  return only([...prefixes], {
    preferred: "rnn.",
    what: "recurrent layers",
    fail,
  });
}

/** What stands before the names of the read-out's tensors, with its dot. */
function readoutPrefix(
  dictionary: Dictionary,
  { recurrent, hiddenSize, fail }: {
    readonly recurrent: string;
    readonly hiddenSize: number;
    readonly fail: Fail;
  },
): string {
  const prefixes: string[] = [];
  for (const [name, { shape }] of dictionary) {
    if (name !== "weight" && !name.endsWith(".weight")) continue;
    const prefix = name.slice(0, -"weight".length);
    const bias = dictionary.get(`${prefix}bias`);
    if (
      shape.length === 2 && shape[1] === hiddenSize &&
      bias?.shape.length === 1 && bias.shape[0] === shape[0] &&
      prefix !== recurrent
    ) prefixes.push(prefix);
  }
  if (prefixes.length === 0) {
    fail(
      `it has no read-out: a weight [outputs, ${hiddenSize}] with its bias [outputs], such as ${TENSOR_NAMES.weightFc} and ${TENSOR_NAMES.biasFc}`,
    );
  }
  return only(prefixes, { preferred: "fc.", what: "read-outs", fail });
}

function only(
  prefixes: readonly string[],
  { preferred, what, fail }: {
    readonly preferred: string;
    readonly what: string;
    readonly fail: Fail;
  },
): string {
  if (prefixes.includes(preferred)) return preferred;
  if (prefixes.length > 1) {
    fail(
      `it has ${prefixes.length} ${what} (${
        prefixes.slice(0, 4).map((prefix) => prefix.replace(/\.$/, "")).join(
          ", ",
        )
      }), and which one is meant can't be told`,
    );
  }
  return prefixes[0] as string;
}

/**
 * Ways of keeping W on the device: whole matrices (`dense/`), the blocks of 4 × 4
 * weights that hold a connection, or single connections (both `blocks/`). Which
 * one an experiment takes is decided once, in `plan.ts`; all that differs between
 * them is here: their words, kernels and places.
 *
 * @module
 */

import type { Connections } from "../graph/connections.ts";
import type {
  FloatArray,
  ModelSize,
  Parameters,
  Ports,
} from "../rnn/parameters.ts";
import type {
  BatchPlace,
  Layout,
  ListName,
  SlotOptions,
  WeightWords,
} from "./layout.ts";
import type { ModelFields, ShaderConstants } from "./kernels.ts";

/** "dense", whole matrices; "blocks", blocks of 4 × 4 weights; "connections", each by itself. */
export type FormatName = "dense" | "blocks" | "connections";

/** Limits of an adapter, by their WebGPU names. */
export type AdapterLimits = Readonly<Record<string, number>>;

/** What a way of keeping weights is made for. */
export interface FormatOptions extends SlotOptions {
  readonly size: ModelSize;
  readonly batches: readonly BatchPlace[];
  readonly limits: AdapterLimits;
  /** False: a dispatch a time step, even where all fit one. */
  readonly allSteps?: boolean | undefined;
}

/** A way of keeping weights, for models of certain sizes on a certain adapter. */
export interface WeightFormat {
  readonly name: FormatName;
  readonly layout: Layout;
  /** Text of the kernels that says where weights lie. */
  readonly places: string;
  readonly constants: ShaderConstants;
  readonly forward: StepProduct;
  readonly backward: StepProduct;
  readonly gradient: Product;
  /** At most what so many connections, in so many blocks, take. */
  words(count: ConnectionCount): WeightWords;
  /** Places of the weights of models with these connections and ports; those of weights that do not exist stay 0. */
  topology(connections: Connections, ports?: Ports): Topology;
}

/** How many connections there are. */
export interface ConnectionCount {
  readonly connections: number;
  /** Blocks of 4 × 4 weights of W_hh that hold some. */
  readonly blocks: number;
}

/** A kernel of a product. */
export interface Product {
  readonly text: string;
  readonly constants: ShaderConstants;
  /** Workgroups along x and y for these topologies; what is along the trials, y, is undefined. */
  groups(topologies: readonly Topology[]): readonly [number, number?];
}

/** A kernel that goes through time. */
export interface StepProduct extends Product {
  /** Whether one dispatch makes all steps; else one makes one step. */
  readonly allSteps: boolean;
  /** Vectors of trials of a workgroup. */
  readonly vectors: number;
}

/** Where the weights of models with the same connections lie. */
export interface Topology {
  readonly words: WeightWords;
  /** What the kernels find weights by: all but the way back, and that. */
  readonly lists: Uint32Array<ArrayBuffer>;
  readonly back: Uint32Array<ArrayBuffer>;
  /** Fields of a model whose lists begin at those words. */
  fields(at: Readonly<Record<ListName, number>>): Partial<ModelFields>;
  /** Entries of W_hh that a product goes through, those without a connection included. */
  readonly entries: number;
  /** Chunks of the gradient. */
  readonly chunks: number;
  /** [n]: place of each connection's weight. */
  readonly recurrent: Uint32Array;
  /** Place of the weight from input i, or from the one where i = I, to a hidden unit. */
  input(unit: number, i: number): number;
  /** Place of the weight from a hidden unit, or from the one where unit = H, to an output. */
  output(output: number, unit: number): number;
  /** Makes what follows the places in `parameters` of the places. */
  complete?(values: Float32Array): void;
}

/** The weights of a model at their places; those of the biases' column are b_ih + b_hh. */
export function packWeights(
  { recurrent, input, output }: Topology,
  { layout, parameters, into }: {
    readonly layout: Layout;
    readonly parameters: Parameters<FloatArray>;
    readonly into: Float32Array;
  },
): void {
  const { hiddenSize, inputSize, outputSize } = layout;
  const { weightIh, weightHh, biasIh, biasHh, weightFc, biasFc } = parameters;
  for (let n = 0; n < recurrent.length; n++) into[recurrent[n]!] = weightHh[n]!;
  for (let unit = 0; unit < hiddenSize; unit++) {
    for (let i = 0; i < inputSize; i++) {
      into[input(unit, i)] = weightIh[unit * inputSize + i]!;
    }
    // Rounded like the kernel's own sum of two singles.
    into[input(unit, inputSize)] = Math.fround(biasIh[unit]!) +
      Math.fround(biasHh[unit]!);
  }
  for (let o = 0; o < outputSize; o++) {
    for (let unit = 0; unit < hiddenSize; unit++) {
      into[output(o, unit)] = weightFc[o * hiddenSize + unit]!;
    }
    into[output(o, hiddenSize)] = biasFc[o]!;
  }
}

/**
 * The six tensors out of values at their places. Without `biases`, [hidden, 2],
 * both biases are those at the places, as is right for gradients and moments.
 */
export function unpackWeights(
  { recurrent, input, output }: Topology,
  { layout, values, biases }: {
    readonly layout: Layout;
    readonly values: (place: number) => number;
    readonly biases?: Float32Array;
  },
): Parameters<Float32Array> {
  const { hiddenSize: H, inputSize: I, outputSize: O } = layout;
  const fill = (count: number, value: (at: number) => number) => {
    const tensor = new Float32Array(count);
    for (let at = 0; at < count; at++) tensor[at] = value(at);
    return tensor;
  };
  const bias = (which: 0 | 1) =>
    fill(
      H,
      (unit) =>
        biases === undefined
          ? values(input(unit, I))
          : biases[2 * unit + which]!,
    );
  return {
    weightIh: fill(H * I, (at) => values(input(Math.floor(at / I), at % I))),
    weightHh: fill(recurrent.length, (n) => values(recurrent[n]!)),
    biasIh: bias(0),
    biasHh: bias(1),
    weightFc: fill(O * H, (at) => values(output(Math.floor(at / H), at % H))),
    biasFc: fill(O, (o) => values(output(o, H))),
  };
}

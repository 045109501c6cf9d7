/**
 * Ways of keeping W on the device: whole matrices (`dense/`), the blocks of 4 × 4
 * weights that hold a connection, or single connections (both `blocks/`). Which
 * one an experiment takes is decided once, in `plan.ts`; all that differs between
 * them is here: their words, kernels and places.
 *
 * @module
 */

import type { Connections } from "../graph/connections.ts";
import {
  type FloatArray,
  makeParameters,
  type ModelSize,
  type Parameters,
  parameterShapes,
  type Ports,
} from "../rnn/parameters.ts";
import type { Layout, LIST_NAMES, WeightWords } from "./layout.ts";

/** "dense", whole matrices; "blocks", blocks of 4 × 4 weights; "connections", each by itself. */
export type FormatName = "dense" | "blocks" | "connections";

/** A way of keeping weights, for models of certain sizes on a certain adapter. */
export interface WeightFormat {
  readonly name: FormatName;
  readonly layout: Layout;
  /** Text of the kernels that says where weights lie. */
  readonly places: string;
  readonly constants: Product["constants"];
  readonly forward: StepProduct;
  readonly backward: StepProduct;
  /** With its workgroups along x and y, for models with so many chunks at most. */
  readonly gradient: Product & {
    groups(chunks: number): readonly [x: number, y: number];
  };
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
  /** Values of its UPPER_CASE constants, whole numbers. */
  readonly constants: Readonly<Record<string, number>>;
}

/** A kernel that goes through time. */
export interface StepProduct extends Product {
  /** Whether one dispatch makes all steps; else one makes one step. */
  readonly allSteps: boolean;
  /** Workgroups along the units. */
  readonly unitGroups: number;
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
  fields(
    at: Readonly<Record<typeof LIST_NAMES[number], number>>,
  ): Record<string, number>;
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

/** Visits the weights: tensor, number in it, place. That of a bias b_ih is its sum with b_hh. */
function eachWeight(
  { recurrent, input, output }: Topology,
  { hiddenSize: H, inputSize: I, outputSize: O }: ModelSize,
  visit: (name: keyof Parameters, at: number, place: number) => void,
): void {
  recurrent.forEach((place, n) => visit("weightHh", n, place));
  for (let unit = 0; unit < H; unit++) {
    for (let i = 0; i < I; i++) visit("weightIh", unit * I + i, input(unit, i));
    visit("biasIh", unit, input(unit, I));
    for (let o = 0; o < O; o++) {
      visit("weightFc", o * H + unit, output(o, unit));
    }
  }
  for (let o = 0; o < O; o++) visit("biasFc", o, output(o, H));
}

/** Puts the weights of a model at their places. */
export function packWeights(
  topology: Topology,
  { layout, parameters, into }: {
    readonly layout: ModelSize;
    readonly parameters: Parameters<FloatArray>;
    readonly into: Float32Array;
  },
): void {
  const { biasHh } = parameters;
  // Rounded like the kernel's own sum of two singles.
  const biasIh = Float32Array.from(
    parameters.biasIh,
    (value, unit) => Math.fround(value) + Math.fround(biasHh[unit]!),
  );
  const tensors = { ...parameters, biasIh };
  eachWeight(topology, layout, (name, at, place) => {
    into[place] = tensors[name][at]!;
  });
}

/**
 * The six tensors out of values at their places. Without `biases`, [hidden, 2],
 * both biases are those at the places, as is right for gradients and moments.
 */
export function unpackWeights(
  topology: Topology,
  { layout, values, biases }: {
    readonly layout: ModelSize;
    readonly values: (place: number) => number;
    readonly biases?: Float32Array | undefined;
  },
): Parameters<Float32Array> {
  const shapes = parameterShapes(layout, topology.recurrent.length);
  const tensors = makeParameters((name) =>
    new Float32Array(shapes[name].reduce((a, b) => a * b))
  );
  eachWeight(topology, layout, (name, at, place) => {
    tensors[name][at] = values(place);
  });
  tensors.biasHh.set(tensors.biasIh);
  for (let unit = 0; biases !== undefined && unit < layout.hiddenSize; unit++) {
    tensors.biasIh[unit] = biases[2 * unit]!;
    tensors.biasHh[unit] = biases[2 * unit + 1]!;
  }
  return tensors;
}

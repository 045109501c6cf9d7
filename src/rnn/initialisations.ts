/**
 * How the weights of a new model are drawn. An initialisation is one object; a
 * new one is a line in {@linkcode INITIALISATIONS}.
 *
 * @module
 */

import type { Connections } from "../graph/connections.ts";
import type { RandomStream } from "../random/stream.ts";
import type { Parameters } from "./parameters.ts";

/** A tensor that is to be drawn. */
export interface NewTensor {
  /** Which of the six. */
  readonly name: keyof Parameters;
  /** Units that receive: of W_ih those that the input reaches. */
  readonly rows: number;
  /** Units that send: of W_fc those that the read-out sees; undefined for a bias. */
  readonly columns: number | undefined;
  /** Entries to draw. Those of units that nothing reaches are among them, and set to 0 afterwards. */
  readonly length: number;
  /** H; of the read-out's tensors the units that it sees. */
  readonly hiddenSize: number;
  /** Name of the model's nonlinearity. */
  readonly nonlinearity: string;
  /** Where W_hh may differ from 0; undefined for the other tensors, which are drawn whole. */
  readonly connections: Connections | undefined;
  /** The run's random numbers, for what can't be drawn entry by entry. */
  readonly stream: RandomStream;
  /**
   * Draws the entries that exist, one by one and in their order. An entry takes
   * the same numbers of the stream whichever others exist, so that networks can
   * be compared.
   *
   * @param value An entry, from so many uniform numbers on [0, 1) as `options` say, by default 1.
   */
  each(
    value: (uniform: () => number) => number,
    options?: { readonly uniforms: number },
  ): Float64Array;
}

/**
 * A way to draw the weights of a new model.
 *
 * @example
 * ```ts
 * import type { Initialisation } from "@biornn/biornn";
 *
 * const narrow: Initialisation = {
 *   name: "narrow",
 *   description: "uniform between −0.01 and 0.01",
 *   source: "a sentence or an address",
 *   draw: (tensor) => tensor.each((uniform) => 0.02 * uniform() - 0.01),
 * };
 * ```
 */
export interface Initialisation {
  /** As `init` in a config names it. */
  readonly name: string;
  /** What it draws, for the manual. */
  readonly description: string;
  /** Where it is from. */
  readonly source: string;
  /** The entries of a tensor that exist, row by row; they are rounded to single precision afterwards. */
  draw(tensor: NewTensor): Float64Array;
}

/** Draws between −bound and bound; what is rounded to single precision keeps to the bound. */
function uniformWithin(bound: number, tensor: NewTensor): Float64Array {
  let limit = Math.fround(bound);
  while (limit > bound) limit = Math.fround(limit * (1 - 2 ** -23));
  return tensor.each((uniform) => {
    const value = bound * (2 * uniform() - 1);
    return Math.max(-limit, Math.min(limit, value));
  });
}

const pytorch: Initialisation = {
  name: "default",
  description: "PyTorch's: uniform within 1 / √H",
  source: "https://pytorch.org/docs/stable/generated/torch.nn.RNN.html",
  draw: (tensor) => uniformWithin(1 / Math.sqrt(tensor.hiddenSize), tensor),
};

/** The weights as `draw` says; biases have PyTorch's default. */
function ofWeights(
  { draw, ...about }: Omit<Initialisation, "draw"> & {
    readonly draw: (tensor: NewTensor & { columns: number }) => Float64Array;
  },
): Initialisation {
  return {
    ...about,
    draw: (tensor) =>
      tensor.columns === undefined
        ? pytorch.draw(tensor)
        : draw(tensor as NewTensor & { columns: number }),
  };
}

const xavier = ofWeights({
  name: "xavier",
  description: "uniform within √(6 / (rows + columns)); biases as `default`",
  source:
    "X. Glorot, Y. Bengio, Understanding the difficulty of training deep feedforward neural networks, AISTATS 2010",
  draw: (tensor) =>
    uniformWithin(Math.sqrt(6 / (tensor.rows + tensor.columns)), tensor),
});

/** With the fan-out, as the original has it. */
const he = ofWeights({
  name: "he",
  description: "uniform within √(6 / rows); biases as `default`",
  source:
    "K. He et al., Delving deep into rectifiers, https://doi.org/10.1109/ICCV.2015.123",
  draw: (tensor) => uniformWithin(Math.sqrt(6 / tensor.rows), tensor),
});

const auto: Initialisation = {
  name: "auto",
  description: "`he` for relu and leaky_relu, `xavier` for all others",
  source: "https://github.com/AlGoulas/bio_rnn_mem",
  draw: (tensor) =>
    (["relu", "leaky_relu"].includes(tensor.nonlinearity) ? he : xavier)
      .draw(tensor),
};

/** With the mean of the connections that exist, the spectral radius of W_hh does not depend on their density. */
const normal = ofWeights({
  name: "normal",
  description:
    "normal, its variance 1 over the connections that a unit receives on average, so that random recurrent weights have a spectral radius of about 1 at any density; biases as `default`",
  source:
    "Y. LeCun et al., Efficient BackProp, https://doi.org/10.1007/3-540-49430-8_2; K. Rajan, L. F. Abbott, https://doi.org/10.1103/PhysRevLett.97.188104",
  draw(tensor) {
    const { connections, rows, columns } = tensor;
    const senders = connections === undefined
      ? columns
      : connections.sender.length / rows;
    const deviation = 1 / Math.sqrt(senders);
    // Box and Muller's, the first of its two numbers.
    return tensor.each((uniform) => {
      const radius = Math.sqrt(-2 * Math.log(1 - uniform()));
      return deviation * radius * Math.cos(2 * Math.PI * uniform());
    }, { uniforms: 2 });
  },
});

/** Initialisations by their names. A new one is an object and a line here. */
export const INITIALISATIONS: ReadonlyMap<string, Initialisation> = new Map(
  [pytorch, xavier, he, auto, normal].map((each) => [each.name, each]),
);

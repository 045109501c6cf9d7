/**
 * The parameters a model starts with.
 *
 * @module
 */

import { type RandomStream, WORDS_PER_UNIFORM } from "../random/stream.ts";
import type { Connections } from "../graph/connections.ts";
import {
  closePorts,
  countPorts,
  type FloatArray,
  type ModelSize,
  type Parameters,
  parameterShapes,
  type Ports,
} from "./parameters.ts";

/** How wide the initial weights are spread. */
export type InitScheme = "default" | "xavier" | "he";

/** How to draw. */
export interface InitialParametersOptions {
  readonly scheme: InitScheme;
  /** Where W_hh may differ from 0. */
  readonly connections: Connections;
  /** The connections in the order that W_hh's values are to take over (`remap_w`), as `rankOrder` gives it. */
  readonly rankOrder?: Uint32Array;
  /**
   * Draw the values of W_hh one after the other, not each by its place in the matrix: so
   * all networks of as many connections have the same values, in other places (`shared_init`).
   */
  readonly shared?: boolean;
  /** Which neurons the input reaches and the read-out sees; default all. */
  readonly ports?: Ports | undefined;
  /** The run's stream of purpose "weights". */
  readonly stream: RandomStream;
}

/**
 * Which scheme a config's `init` means: "auto" is he for relu and xavier for
 * tanh. The original program decides so for every `init` but "default",
 * whatever the config says; `compatibility` "original" brings that back.
 *
 * @example
 * ```ts
 * import { resolveScheme } from "./src/rnn/initialise.ts";
 *
 * resolveScheme("auto", { activation: "relu", compatibility: "described" }); // "he"
 * ```
 */
export function resolveScheme(
  init: InitScheme | "auto",
  { activation, compatibility }: {
    readonly activation: "tanh" | "relu";
    readonly compatibility: string;
  },
): InitScheme {
  if (init === "default") return "default";
  if (init === "auto" || compatibility === "original") {
    return activation === "relu" ? "he" : "xavier";
  }
  return init;
}

/**
 * Bound of the uniform distribution of a tensor with that many rows and
 * columns. Biases keep the default bound in every scheme.
 *
 * Sources: PyTorch's defaults for `nn.RNN` and `nn.Linear`; X. Glorot,
 * Y. Bengio, Understanding the difficulty of training deep feedforward neural
 * networks, AISTATS 2010; K. He et al., Delving deep into rectifiers,
 * https://doi.org/10.1109/ICCV.2015.123 (with the fan-out).
 */
export function initialBound(
  scheme: InitScheme,
  { rows, columns, hiddenSize }: {
    readonly rows: number;
    readonly columns?: number;
    readonly hiddenSize: number;
  },
): number {
  if (scheme === "default" || columns === undefined) {
    return 1 / Math.sqrt(hiddenSize);
  }
  return scheme === "xavier"
    ? Math.sqrt(6 / (rows + columns))
    : Math.sqrt(6 / rows);
}

/**
 * Draws the parameters of a new model. The tensors are drawn one after the
 * other, in PyTorch's order (W_ih, W_hh, b_ih, b_hh, W_fc, b_fc), row by row,
 * one double a value; of W_hh, the values that belong to no connection are
 * skipped, so that neither the other ones nor the other tensors depend on which
 * connections there are. All are rounded to float32 at the end, and none exceeds
 * its bound.
 *
 * Where only some neurons have ports, W_ih and W_fc are drawn in the same way, with the
 * bounds of the matrices that are left: of K neurons that get input and R that are read
 * out, [K, I] and [O, R], and for `default`, as PyTorch has it, 1/√R for W_fc and b_fc.
 * All other weights of the two are 0.
 *
 * @throws {RangeError} If the connections are not those of a matrix [H, H].
 *
 * @example
 * ```ts
 * import { createStream } from "./src/random/stream.ts";
 * import { listConnections } from "./src/graph/connections.ts";
 * import { initialParameters } from "./src/rnn/initialise.ts";
 *
 * const square = { receivers: 2, senders: 2 };
 * const parameters = initialParameters(
 *   { hiddenSize: 2, inputSize: 2, outputSize: 1 },
 *   {
 *     scheme: "xavier",
 *     connections: listConnections(square, Uint8Array.of(0, 1, 1, 0)),
 *     stream: createStream({ seed: 1, purpose: "weights" }),
 *   },
 * );
 * parameters.weightHh; // [w, v]
 * ```
 */
export function initialParameters(
  size: ModelSize,
  { scheme, connections, rankOrder, shared = false, ports, stream }:
    InitialParametersOptions,
): Parameters<Float32Array> {
  const { hiddenSize } = size;
  const { receivers, senders } = connections;
  if (receivers !== hiddenSize || senders !== hiddenSize) {
    throw new RangeError(
      `Cannot draw the parameters of a model: its connections must be those of ${hiddenSize} × ${hiddenSize} units, found ${receivers} × ${senders}`,
    );
  }
  const shapes = parameterShapes(size, connections.sender.length);
  const options = { scheme, hiddenSize, stream };
  const draw = (name: keyof Parameters) => drawTensor(shapes[name], options);
  const weightIh = drawTensor(shapes.weightIh, {
    ...options,
    rows: countPorts(ports, "input", hiddenSize),
  });
  const drawn = drawConnected(connections, { ...options, shared });
  const weightHh = rankOrder === undefined
    ? drawn
    : remapToOrder(drawn, rankOrder);
  const parameters = {
    weightIh: new Float32Array(weightIh),
    weightHh: new Float32Array(weightHh),
    biasIh: new Float32Array(draw("biasIh")),
    biasHh: new Float32Array(draw("biasHh")),
    ...drawReadout(size, { scheme, ports, stream }),
  };
  closePorts(parameters, ports);
  return parameters;
}

/** Draws a fresh read-out: W_fc, then b_fc. Weights of neurons that it does not see are drawn too: `closePorts()` sets them to 0. */
export function drawReadout(
  size: ModelSize,
  { scheme, ports, stream }: {
    readonly scheme: InitScheme;
    readonly ports?: Ports | undefined;
    readonly stream: RandomStream;
  },
): Pick<Parameters<Float32Array>, "weightFc" | "biasFc"> {
  // The read-out does not depend on the connections.
  const { weightFc, biasFc } = parameterShapes(size, 0);
  const columns = countPorts(ports, "output", size.hiddenSize);
  const options = { scheme, hiddenSize: columns, stream };
  return {
    weightFc: new Float32Array(drawTensor(weightFc, { ...options, columns })),
    biasFc: new Float32Array(drawTensor(biasFc, options)),
  };
}

/** How a tensor is drawn. */
interface DrawOptions {
  readonly scheme: InitScheme;
  readonly hiddenSize: number;
  readonly stream: RandomStream;
}

/** Draws a tensor, row by row; of its rows or columns so many count for its bound. */
function drawTensor(
  shape: readonly number[],
  { scheme, hiddenSize, stream, rows, columns }: DrawOptions & {
    readonly rows?: number;
    readonly columns?: number;
  },
): Float64Array {
  const [allRows = 0, allColumns] = shape;
  const draw = boundedDraw(
    initialBound(scheme, {
      rows: rows ?? allRows,
      hiddenSize,
      ...(allColumns === undefined ? {} : { columns: columns ?? allColumns }),
    }),
    stream,
  );
  const values = new Float64Array(allRows * (allColumns ?? 1));
  for (let i = 0; i < values.length; i++) values[i] = draw();
  return values;
}

/** Draws the values of a matrix's connections, [n], as if the matrix were drawn whole. */
function drawConnected(
  { receivers, senders, start, sender }: Connections,
  { scheme, hiddenSize, stream, shared }: DrawOptions & {
    readonly shared: boolean;
  },
): Float64Array {
  const draw = boundedDraw(
    initialBound(scheme, { rows: receivers, columns: senders, hiddenSize }),
    stream,
  );
  const values = new Float64Array(sender.length);
  // The entry of the matrix that the stream's next value belongs to.
  let next = 0;
  const skipTo = (entry: number) => {
    if (entry > next) stream.skip((entry - next) * WORDS_PER_UNIFORM);
    next = entry;
  };
  for (let i = 0; i < receivers; i++) {
    for (let n = start[i]!; n < start[i + 1]!; n++) {
      if (!shared) skipTo(i * senders + sender[n]!);
      values[n] = draw();
      next++;
    }
  }
  skipTo(receivers * senders);
  return values;
}

/** Draws doubles of U(−bound, bound) that keep to the bound when they are rounded to float32. */
function boundedDraw(bound: number, stream: RandomStream): () => number {
  let limit = Math.fround(bound);
  while (limit > bound) limit = Math.fround(limit * (1 - 2 ** -23));
  return () => {
    const value = bound * (2 * stream.uniform() - 1);
    return Math.max(-limit, Math.min(limit, value));
  };
}

/**
 * The numbers of a network's connections, from the strongest to the weakest.
 *
 * @param weights [n], in the order of the list of connections.
 * @param ties Of equal weights, without it the earlier one comes first; with it they
 * come in random order. Of each group of k equal weights, the strongest group
 * first, a `permutation(k)` is drawn. By position, connections of equal weight would get
 * weights that fall from the first neuron to the last.
 *
 * @example
 * ```ts
 * import { rankOrder } from "./src/rnn/initialise.ts";
 *
 * rankOrder(Float64Array.of(5, 9, 7)); // [1, 2, 0]
 * ```
 */
export function rankOrder(
  weights: FloatArray,
  ties?: RandomStream,
): Uint32Array {
  const ranked = descending(weights);
  const order = new Uint32Array(weights.length);
  // How many of a group of equal weights have had their place, at the group's first rank.
  const taken = new Uint32Array(weights.length);
  for (let i = 0; i < weights.length; i++) {
    const first = firstRank(ranked, weights[i]!);
    order[first + taken[first]!] = i;
    taken[first] = taken[first]! + 1;
  }
  if (ties === undefined) return order;
  for (let first = 0; first < order.length; first += taken[first]!) {
    const count = taken[first]!;
    if (count === 1) continue;
    const group = order.slice(first, first + count);
    ties.permutation(count).forEach((one, place) => {
      order[first + place] = group[one]!;
    });
  }
  return order;
}

/**
 * The values, re-ordered so that the largest stands at the first place of
 * `order`, the second at the second, and so on.
 *
 * Source: `remap_w` of A. Goulas, F. Damicelli, C. C. Hilgetag, Bio-instantiated
 * recurrent neural networks, https://doi.org/10.1016/j.neunet.2021.07.011.
 *
 * @param values [n]
 * @param order [n], the numbers 0…n − 1 in some order, as of {@linkcode rankOrder}.
 * @throws {RangeError} If the two differ in length.
 *
 * @example
 * ```ts
 * import { remapToOrder } from "./src/rnn/initialise.ts";
 *
 * remapToOrder(Float64Array.of(0.3, -0.2), Uint32Array.of(1, 0)); // [-0.2, 0.3]
 * ```
 */
export function remapToOrder<A extends FloatArray>(
  values: A,
  order: Uint32Array,
): A {
  if (values.length !== order.length) {
    throw new RangeError(
      `Cannot remap: values and order must have one length, found ${values.length} and ${order.length}`,
    );
  }
  const sorted = descending(values);
  const remapped =
    (values.constructor === Float32Array
      ? new Float32Array(values.length)
      : new Float64Array(values.length)) as A;
  for (let rank = 0; rank < order.length; rank++) {
    remapped[order[rank]!] = sorted[rank]!;
  }
  return remapped;
}

/** The numbers from the largest to the smallest, in double precision. */
function descending(values: FloatArray): Float64Array {
  return new Float64Array(values).sort().reverse();
}

/** First place in a descending array that holds the value. */
function firstRank(ranked: Float64Array, value: number): number {
  let low = 0;
  let high = ranked.length - 1;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (ranked[middle]! > value) low = middle + 1;
    else high = middle;
  }
  return low;
}

/**
 * The parameters a model starts with.
 *
 * @module
 */

import type { Connections } from "../graph/connections.ts";
import { type RandomStream, WORDS_PER_UNIFORM } from "../random/stream.ts";
import { findNamed } from "../text/words.ts";
import { type Initialisation, INITIALISATIONS } from "./initialisations.ts";
import {
  closePorts,
  countPorts,
  type FloatArray,
  makeParameters,
  type ModelSize,
  type Parameters,
  parameterShapes,
  type Ports,
} from "./parameters.ts";

/** What tensors are drawn by. */
interface DrawOptions {
  /** One of {@linkcode INITIALISATIONS} by its name, or one's own. */
  readonly initialisation: string | Initialisation;
  /** Name of the model's nonlinearity, default "tanh". */
  readonly nonlinearity?: string;
  readonly stream: RandomStream;
  /** Which neurons the input reaches and the read-out sees; default all. */
  readonly ports?: Ports | undefined;
}

/** How W_hh is drawn. */
interface RecurrentOptions {
  /** Where W_hh may differ from 0. */
  readonly connections: Connections;
  /** The connections in the order that W_hh's values are to take over (`remap_w`), as `rankOrder` gives it. */
  readonly rankOrder?: Uint32Array;
  /**
   * Draw the values of W_hh one after the other, not each by its place in the matrix: so
   * all networks of as many connections have the same values, in other places (`shared_init`).
   */
  readonly shared?: boolean;
}

/**
 * Draws the parameters of a new model. The tensors are drawn one after the
 * other, in PyTorch's order (W_ih, W_hh, b_ih, b_hh, W_fc, b_fc), row by row;
 * of W_hh, the values that belong to no connection are skipped, so that neither
 * the other ones nor the other tensors depend on which connections there are.
 *
 * Where only some neurons have ports, W_ih and W_fc are drawn in the same way, as
 * the matrices that are left: of K neurons that get input and R that are read out,
 * [K, I] and [O, R], and for `default`, as PyTorch has it, 1/√R for W_fc and b_fc.
 * All other weights of the two are 0.
 *
 * @throws {RangeError} If the connections are not those of a matrix [H, H], or the initialisation draws another number of values.
 */
export function initialParameters(
  size: ModelSize,
  options: DrawOptions & RecurrentOptions,
): Parameters<Float32Array> {
  const { connections, rankOrder, ports } = options;
  const { receivers, senders } = connections;
  const { hiddenSize } = size;
  if (receivers !== hiddenSize || senders !== hiddenSize) {
    throw new RangeError(
      `Cannot draw the parameters of a model: its connections must be those of ${hiddenSize} × ${hiddenSize} units, found ${receivers} × ${senders}`,
    );
  }
  const parameters = makeParameters((name) => {
    const drawn = drawTensor(name, size, options);
    return name === "weightHh" && rankOrder !== undefined
      ? new Float32Array(remapToOrder(drawn, rankOrder))
      : drawn;
  });
  closePorts(parameters, ports);
  return parameters;
}

/** Draws a fresh read-out: W_fc, then b_fc. Weights of neurons that it does not see are drawn too: `closePorts()` sets them to 0. */
export function drawReadout(
  size: ModelSize,
  options: DrawOptions,
): Pick<Parameters<Float32Array>, "weightFc" | "biasFc"> {
  return {
    weightFc: drawTensor("weightFc", size, options),
    biasFc: drawTensor("biasFc", size, options),
  };
}

function drawTensor(
  name: keyof Parameters,
  size: ModelSize,
  { stream, ports, nonlinearity = "tanh", ...options }:
    & DrawOptions
    & Partial<RecurrentOptions>,
): Float32Array {
  const initialisation = findNamed(options.initialisation, {
    among: INITIALISATIONS,
    what: "initialisation",
  });
  const { hiddenSize } = size;
  const isRecurrent = name === "weightHh";
  const connections = isRecurrent ? options.connections : undefined;
  const [height = 0, width] = isRecurrent
    ? [hiddenSize, hiddenSize]
    : parameterShapes(size, 0)[name];
  const whole = height * (width ?? 1);
  const length = connections?.sender.length ?? whole;
  const seen = countPorts(ports, "output", hiddenSize);
  const drawn = initialisation.draw({
    name,
    length,
    nonlinearity,
    connections,
    stream,
    rows: name === "weightIh" ? countPorts(ports, "input", hiddenSize) : height,
    columns: name === "weightFc" ? seen : width,
    hiddenSize: name === "weightFc" || name === "biasFc" ? seen : hiddenSize,
    each(value, { uniforms } = { uniforms: 1 }) {
      const values = new Float64Array(length);
      const uniform = () => stream.uniform();
      // The entry of the matrix that the stream's next value belongs to.
      let next = 0;
      const skipTo = (entry: number) => {
        if (entry > next) {
          stream.skip((entry - next) * uniforms * WORDS_PER_UNIFORM);
        }
        next = entry;
      };
      for (let n = 0, row = 0; n < length; n++) {
        if (connections !== undefined && !options.shared) {
          while (n >= connections.start[row + 1]!) row++;
          skipTo(row * width! + connections.sender[n]!);
        }
        values[n] = value(uniform);
        next++;
      }
      skipTo(whole);
      return values;
    },
  });
  if (drawn.length !== length) {
    throw new RangeError(
      `Cannot use the initialisation ${initialisation.name}: it draws ${drawn.length} values of ${name}, which has ${length}`,
    );
  }
  return new Float32Array(drawn);
}

/**
 * The numbers of a network's connections, from the strongest to the weakest.
 *
 * @param weights [n], in the order of the list of connections.
 * @param ties Of equal weights, without it the earlier one comes first; with it they
 * come in random order. Of each group of k equal weights, the strongest group
 * first, a `permutation(k)` is drawn. By position, connections of equal weight would get
 * weights that fall from the first neuron to the last.
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
    order[first + taken[first]!++] = i;
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
 */
export function remapToOrder(
  values: FloatArray,
  order: Uint32Array,
): Float64Array {
  if (values.length !== order.length) {
    throw new RangeError(
      `Cannot remap: values and order must have one length, found ${values.length} and ${order.length}`,
    );
  }
  const sorted = descending(values);
  const remapped = new Float64Array(values.length);
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

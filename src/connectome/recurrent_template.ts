/**
 * From a scaled network to the connections a recurrent network is built by.
 *
 * @module
 */

import type { NeuronEdges } from "./scaled_network.ts";

/** The n connections of W_hh with their weights, a row a receiving neuron (compressed sparse rows). */
export interface RecurrentTemplate {
  /** Neurons that receive, the rows of W_hh. */
  readonly receivers: number;
  /** Neurons that send, its columns. */
  readonly senders: number;
  /** [receivers + 1]: receiver i has the connections start[i]…start[i + 1] − 1. */
  readonly start: Uint32Array;
  /** [n]: the sender of each connection, rising within a receiver. */
  readonly sender: Uint32Array;
  /** [n]; the rank order of the initial W_hh. */
  readonly weights: Float64Array;
}

/**
 * Where W_hh may differ from 0, and the template of its weights. PyTorch's
 * `weight_hh[a, b]` is the weight from neuron b to neuron a, while S[a, b] is the
 * one from a to b; so W_hh = Sᵀ.
 *
 * @param edges Connections between neurons, in any order; no two from one neuron to the same other.
 * @param options `transpose` true: Sᵀ, the network as described; false: S as it
 * stands, which is the reversed network (`[net] compatibility = original`).
 *
 * @example
 * ```ts
 * import { recurrentTemplate } from "./src/connectome/recurrent_template.ts";
 *
 * const template = recurrentTemplate({
 *   neurons: 2,
 *   regionOf: Uint32Array.of(0, 1),
 *   from: Uint32Array.of(0),
 *   to: Uint32Array.of(1),
 *   weight: Float64Array.of(7),
 * }, { transpose: true });
 * template.start; // [0, 0, 1]: neuron 1 receives a connection
 * template.sender; // [0]: it comes from neuron 0
 * ```
 */
export function recurrentTemplate(
  { neurons: n, from, to, weight }: NeuronEdges,
  { transpose }: { readonly transpose: boolean },
): RecurrentTemplate {
  const [row, column] = transpose ? [to, from] : [from, to];
  const start = firstOfEach(row, n);
  const order = orderBy(row, {
    first: start,
    order: orderBy(column, { first: firstOfEach(column, n) }),
  });
  const sender = new Uint32Array(order.length);
  const weights = new Float64Array(order.length);
  for (let place = 0; place < order.length; place++) {
    const edge = order[place]!;
    sender[place] = column[edge]!;
    weights[place] = weight[edge]!;
  }
  return { receivers: n, senders: n, start, sender, weights };
}

/** [n + 1]: how many keys are below each number. */
function firstOfEach(keys: Uint32Array, n: number): Uint32Array {
  const first = new Uint32Array(n + 1);
  for (let i = 0; i < keys.length; i++) first[keys[i]! + 1]!++;
  for (let key = 0; key < n; key++) first[key + 1]! += first[key]!;
  return first;
}

/** Numbers of the edges by rising key, those of one key in the order they had. */
function orderBy(
  keys: Uint32Array,
  { first, order }: {
    readonly first: Uint32Array;
    readonly order?: Uint32Array;
  },
): Uint32Array {
  const next = first.slice();
  const sorted = new Uint32Array(keys.length);
  for (let i = 0; i < keys.length; i++) {
    const edge = order === undefined ? i : order[i]!;
    sorted[next[keys[edge]!]!++] = edge;
  }
  return sorted;
}

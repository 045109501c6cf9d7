/**
 * From a scaled network to the matrices a recurrent network is built by.
 *
 * @module
 */

import type { ScaledNetwork } from "./bio2art.ts";

/** Weights and mask in the order of W_hh: a row a receiving neuron. */
export interface RecurrentTemplate {
  /** [n, n], row-major; the rank order of the initial W_hh. */
  readonly weights: Float64Array;
  /** [n, n], 1 where W_hh may differ from 0. */
  readonly mask: Uint8Array;
}

/**
 * The template and mask of W_hh. PyTorch's `weight_hh[a, b]` is the weight from
 * neuron b to neuron a, while S[a, b] is the one from a to b; so W_hh = Sᵀ.
 *
 * @param network S with its mask.
 * @param options `transpose` true: Sᵀ, the network as described; false: S as it
 * stands, which is the reversed network (`[net] compatibility = original`).
 *
 * @example
 * ```ts
 * import { recurrentTemplate } from "./src/connectome/recurrent_template.ts";
 *
 * const template = recurrentTemplate({
 *   neurons: 2,
 *   weights: Float64Array.of(0, 7, 0, 0), // neuron 0 sends to neuron 1
 *   mask: Uint8Array.of(0, 1, 0, 0),
 *   regionOf: Uint32Array.of(0, 1),
 * }, { transpose: true });
 * template.weights; // [0, 0, 7, 0]: row 1 receives from column 0
 * ```
 */
export function recurrentTemplate(
  { neurons: n, weights, mask }: ScaledNetwork,
  { transpose }: { readonly transpose: boolean },
): RecurrentTemplate {
  if (!transpose) return { weights: weights.slice(), mask: mask.slice() };
  const turned = {
    weights: new Float64Array(n * n),
    mask: new Uint8Array(n * n),
  };
  for (let from = 0; from < n; from++) {
    for (let to = 0; to < n; to++) {
      turned.weights[to * n + from] = weights[from * n + to] as number;
      turned.mask[to * n + from] = mask[from * n + to] as number;
    }
  }
  return turned;
}

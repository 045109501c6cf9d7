/**
 * The parameters a model starts with.
 *
 * @module
 */

import type { RandomStream } from "../random/stream.ts";
import {
  type ModelSize,
  type Parameters,
  parameterShapes,
} from "./parameters.ts";
import { remapToOrder } from "./remap.ts";

/** How wide the initial weights are spread. */
export type InitScheme = "default" | "xavier" | "he";

/** How to draw. */
export interface InitialParametersOptions {
  readonly scheme: InitScheme;
  /** [H, H], 1 where W_hh may differ from 0. */
  readonly mask: Uint8Array;
  /** The mask's places in the order that W_hh's values are to take over (`remap_w`), as `rankOrder` gives it. */
  readonly rankOrder?: Uint32Array;
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
 * one double a value; W_hh is drawn whole and then masked, so that the other
 * tensors do not depend on the mask. All are rounded to float32 at the end, and
 * none exceeds its bound.
 *
 * @throws {RangeError} If the mask is not [H, H].
 *
 * @example
 * ```ts
 * import { createStream } from "./src/random/stream.ts";
 * import { initialParameters } from "./src/rnn/initialise.ts";
 *
 * const parameters = initialParameters(
 *   { hiddenSize: 2, inputSize: 2, outputSize: 1 },
 *   {
 *     scheme: "xavier",
 *     mask: Uint8Array.of(0, 1, 1, 0),
 *     stream: createStream({ seed: 1, purpose: "weights" }),
 *   },
 * );
 * parameters.weightHh; // [0, w, v, 0]
 * ```
 */
export function initialParameters(
  size: ModelSize,
  { scheme, mask, rankOrder, stream }: InitialParametersOptions,
): Parameters<Float32Array> {
  const { hiddenSize } = size;
  if (mask.length !== hiddenSize ** 2) {
    throw new RangeError(
      `Cannot draw the parameters of a model: its mask must have ${hiddenSize}² values, found ${mask.length}`,
    );
  }
  const shapes = parameterShapes(size);
  const draw = (name: keyof Parameters) =>
    drawTensor(shapes[name], { scheme, hiddenSize, stream });
  const weightIh = draw("weightIh");
  const full = draw("weightHh");
  const masked = full.map((value, i) => mask[i] === 1 ? value : 0);
  const weightHh = rankOrder === undefined
    ? masked
    : remapToOrder(masked, rankOrder);
  return {
    weightIh: Float32Array.from(weightIh),
    weightHh: Float32Array.from(weightHh),
    biasIh: Float32Array.from(draw("biasIh")),
    biasHh: Float32Array.from(draw("biasHh")),
    ...drawReadout(size, { scheme, stream }),
  };
}

/** Draws a fresh read-out: W_fc, then b_fc. */
export function drawReadout(
  size: ModelSize,
  { scheme, stream }: {
    readonly scheme: InitScheme;
    readonly stream: RandomStream;
  },
): Pick<Parameters<Float32Array>, "weightFc" | "biasFc"> {
  const { weightFc, biasFc } = parameterShapes(size);
  const options = { scheme, hiddenSize: size.hiddenSize, stream };
  return {
    weightFc: Float32Array.from(drawTensor(weightFc, options)),
    biasFc: Float32Array.from(drawTensor(biasFc, options)),
  };
}

/** Doubles of U(−bound, bound) that keep to the bound when they are rounded to float32. */
function drawTensor(
  shape: readonly number[],
  { scheme, hiddenSize, stream }: {
    readonly scheme: InitScheme;
    readonly hiddenSize: number;
    readonly stream: RandomStream;
  },
): Float64Array {
  const [rows = 0, columns] = shape;
  const bound = initialBound(scheme, {
    rows,
    hiddenSize,
    ...(columns === undefined ? {} : { columns }),
  });
  let limit = Math.fround(bound);
  while (limit > bound) limit = Math.fround(limit * (1 - 2 ** -23));
  const values = new Float64Array(rows * (columns ?? 1));
  for (let i = 0; i < values.length; i++) {
    const value = bound * (2 * stream.uniform() - 1);
    values[i] = Math.max(-limit, Math.min(limit, value));
  }
  return values;
}

/**
 * What the rest of the engine asks of the way in which weights and states lie on
 * the device: whole matrices (`dense/`), or the parts of them that hold a
 * connection (`blocks/`).
 *
 * @module
 */

import type { ModelRun } from "../engine/ensemble.ts";
import type { Parameters } from "../rnn/parameters.ts";
import type { ShaderConstants } from "./expand_shader.ts";
import type { BufferName, LayoutSize } from "./buffers.ts";
import type { ModelFields } from "./structs.ts";

/**
 * How weights lie on the device: "dense", whole matrices; "blocks", the blocks
 * of 4 × 4 weights that hold a connection; "connections", each by itself.
 */
export type StorageKind = "dense" | "blocks" | "connections";

/** First word of a model's part of each buffer. */
export type ModelOffsets = Record<BufferName, number>;

/** Buffers that hold what training changes. */
export const STATE_BUFFERS = [
  "parameters",
  "biases",
  "firstMoment",
  "secondMoment",
] as const satisfies readonly BufferName[];

/** A model's part of the buffers in {@linkcode STATE_BUFFERS}. */
export type StateArrays = Readonly<
  Record<typeof STATE_BUFFERS[number], Float32Array<ArrayBuffer>>
>;

/** A part of an array, in words. */
export interface WordRange {
  readonly start: number;
  readonly words: number;
}

/** Where the outputs of a step and the states after the last one lie, for reading. */
export interface ProbeShape {
  /** Words of the outputs. */
  readonly outputWords: number;
  /** Outputs of a batch as read from the device, to [B, T, O]. */
  output(values: Float32Array): Float32Array;
  /** Words of h_T, from the model's part of `state` on. */
  readonly hiddenLast: WordRange;
  /** What was read there, to [B, H]. */
  hidden(values: Float32Array): Float32Array;
}

/** How the models of one ensemble lie on the device; a place is a model's number in the device's order. */
export interface Storage {
  readonly kind: StorageKind;
  readonly size: LayoutSize;
  /** Constants of the kernels' texts. */
  readonly constants: ShaderConstants;
  /** Words of each buffer that a model takes. */
  words(place: number): Record<BufferName, number>;
  /** Words of buffers that the models have in common. */
  readonly sharedWords: Partial<Record<BufferName, number>>;
  /** Lists that several models read; empty where there are none. */
  readonly lists: Uint32Array<ArrayBuffer>;
  /** Its own fields of a model's entry in the table. */
  fields(place: number, own: ModelOffsets): Partial<ModelFields>;
  /** Entries of a model's W_hh that a product goes through, those without a connection included. */
  entries(place: number): number;
  /** What a model begins with; all else begins with zeros. */
  uploads(place: number): readonly (readonly [BufferName, BufferSource])[];
  /** A model's state, read back. */
  unpackState(
    place: number,
    arrays: StateArrays,
  ): Record<
    "parameters" | "firstMoment" | "secondMoment",
    Parameters<Float32Array>
  >;
  /** Parts of a model's whole gradient that the device holds one after the other. */
  readonly gradientParts: (place: number) => readonly WordRange[];
  /** The whole gradient, as the parts were put together; W_hh's is 0 where it is frozen. */
  unpackGradient(place: number, values: Float32Array): Parameters<Float32Array>;
  /** How to read the outputs of a batch of so many trials. */
  probeShape(place: number, batchSize: number): ProbeShape;
}

/**
 * A run's moments as they are stored, of the two biases, whose gradients are
 * equal, once; none where the run begins anew.
 *
 * @throws {RangeError} If the moments of the two biases differ.
 */
export function packMoments(
  { state, label }: ModelRun,
  pack: (moments: Parameters) => BufferSource,
): (readonly ["firstMoment" | "secondMoment", BufferSource])[] {
  if (state === undefined) return [];
  return (["firstMoment", "secondMoment"] as const).map((name) => {
    const { biasIh, biasHh, ...rest } = state[name];
    if (biasIh.some((value, i) => value !== biasHh[i])) {
      throw new RangeError(
        `Cannot continue ${label}: the moments of its two biases differ, but their gradients are always equal`,
      );
    }
    const none = new Float32Array(biasIh.length);
    return [name, pack({ ...rest, biasIh, biasHh: none })];
  });
}

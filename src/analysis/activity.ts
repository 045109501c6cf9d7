/**
 * What regions do over time, from what their neurons do, and which of them do it
 * together.
 *
 * @module
 */

import { rank } from "./rank_tests.ts";

/** Hidden states: what `simulate()` gives. */
export interface HiddenStates {
  /** B, the number of trials. */
  readonly trialCount: number;
  /** T, the time steps of a trial. */
  readonly steps: number;
  /** H, the neurons. */
  readonly hiddenSize: number;
  /** h, [B, T, H], row-major. */
  readonly hidden: Float32Array | Float64Array;
}

/** How neurons lie in regions. */
export interface RegionOptions {
  /** R, the regions; each has as many neurons, numbered one region after the other. */
  readonly regions: number;
}

/**
 * The mean hidden state of each region's neurons.
 *
 * @param states Hidden states, [B, T, H].
 * @returns [B, T, R], row-major.
 * @throws {RangeError} If the neurons can't be shared out among so many regions.
 *
 * @example
 * ```ts
 * import { regionMeans } from "@biornn/biornn";
 *
 * const states = {
 *   trialCount: 1,
 *   steps: 2,
 *   hiddenSize: 4,
 *   hidden: Float64Array.of(1, 3, 0, 0, 5, 5, -1, 1),
 * };
 * regionMeans(states, { regions: 2 }); // [2, 0, 5, 0]
 * ```
 */
export function regionMeans(
  { trialCount, steps, hiddenSize, hidden }: HiddenStates,
  { regions }: RegionOptions,
): Float64Array {
  const each = hiddenSize / regions;
  if (!Number.isInteger(each) || each < 1) {
    throw new RangeError(
      `Cannot share ${hiddenSize} neurons out among ${regions} regions`,
    );
  }
  const means = new Float64Array(trialCount * steps * regions);
  for (let at = 0; at < means.length; at++) {
    let sum = 0;
    for (let i = at * each; i < (at + 1) * each; i++) sum += hidden[i]!;
    means[at] = sum / each;
  }
  return means;
}

/**
 * Co-activation: Spearman's rank correlation of the mean activity of every two
 * regions, over all time steps of all trials. Equal values share the mean of their
 * ranks.
 *
 * Source: C. Spearman, The proof and measurement of association between two things,
 * American Journal of Psychology 15, 72–101 (1904), https://doi.org/10.2307/1412159.
 *
 * @param states Hidden states, [B, T, H].
 * @returns [R, R], row-major, from −1 to 1; NaN for a region whose activity never changes or is NaN.
 * @throws {RangeError} If the neurons can't be shared out among so many regions.
 *
 * @example
 * ```ts
 * import { coactivation } from "@biornn/biornn";
 *
 * const states = {
 *   trialCount: 1,
 *   steps: 3,
 *   hiddenSize: 2,
 *   hidden: Float64Array.of(1, 9, 2, 5, 3, 1),
 * };
 * coactivation(states, { regions: 2 }); // [1, -1, -1, 1]
 * ```
 */
export function coactivation(
  states: HiddenStates,
  { regions }: RegionOptions,
): Float64Array {
  const means = regionMeans(states, { regions });
  const count = means.length / regions;
  const centred = Array.from({ length: regions }, (_, region) =>
    centredRanks(
      Array.from({ length: count }, (_, k) => means[k * regions + region]!),
    ));
  const matrix = new Float64Array(regions * regions).fill(NaN);
  for (const [i, a] of centred.entries()) {
    for (let j = 0; a !== undefined && j <= i; j++) {
      const b = centred[j];
      if (b === undefined) continue;
      const found = product(a.ranks, b.ranks) / Math.sqrt(a.square * b.square);
      matrix[i * regions + j] = matrix[j * regions + i] = found;
    }
  }
  return matrix;
}

/** Ranks less their mean, and the sum of their squares; undefined where all are equal, or one value has no rank. */
function centredRanks(values: readonly number[]) {
  if (values.some(Number.isNaN)) return undefined;
  const mean = (values.length + 1) / 2;
  const ranks = rank(values).ranks.map((one) => one - mean);
  const square = product(ranks, ranks);
  return square === 0 ? undefined : { ranks, square };
}

function product(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let k = 0; k < a.length; k++) sum += a[k]! * b[k]!;
  return sum;
}

/**
 * Philox4x32-10, a counter-based generator: its n-th block of four words is a
 * function of a key and of n alone, so that streams can be told apart by parts
 * of the counter and never overlap.
 *
 * Source: J. K. Salmon, M. A. Moraes, R. O. Dror, D. E. Shaw, Parallel random
 * numbers: as easy as 1, 2, 3, SC '11, https://doi.org/10.1145/2063384.2063405.
 *
 * @module
 */

const MULTIPLIER_0 = 0xD2511F53;
const MULTIPLIER_1 = 0xCD9E8D57;
/** The golden ratio and √3 − 1, times 2³². */
const WEYL_0 = 0x9E3779B9;
const WEYL_1 = 0xBB67AE85;
const ROUNDS = 10;

/** Upper 32 bits of the product of two 32-bit words. */
function multiplyHigh(a: number, b: number): number {
  const aLow = a & 0xffff, aHigh = a >>> 16;
  const bLow = b & 0xffff, bHigh = b >>> 16;
  // No sum exceeds 2^32 - 1, so that all of this is arithmetic of integers, not of doubles.
  const low = Math.imul(aLow, bLow) >>> 16;
  const middle = ((Math.imul(aHigh, bLow) >>> 0) + low) >>> 0;
  const cross = ((Math.imul(aLow, bHigh) >>> 0) + (middle & 0xffff)) >>> 0;
  return (Math.imul(aHigh, bHigh) + (middle >>> 16) + (cross >>> 16)) >>> 0;
}

/** Four 32-bit words. */
export type Block = [number, number, number, number];

/**
 * The block of four random words that belongs to a counter (four words) and a
 * key (two words).
 */
export function philox4x32(
  counter: Readonly<Block>,
  key: readonly [number, number],
): Block {
  let [c0, c1, c2, c3] = counter;
  let [k0, k1] = key;
  for (let round = 0; round < ROUNDS; round++) {
    const high0 = multiplyHigh(MULTIPLIER_0, c0);
    const low0 = Math.imul(MULTIPLIER_0, c0);
    const high1 = multiplyHigh(MULTIPLIER_1, c2);
    const low1 = Math.imul(MULTIPLIER_1, c2);
    c0 = (high1 ^ c1 ^ k0) >>> 0;
    c1 = low1 >>> 0;
    c2 = (high0 ^ c3 ^ k1) >>> 0;
    c3 = low0 >>> 0;
    k0 = (k0 + WEYL_0) >>> 0;
    k1 = (k1 + WEYL_1) >>> 0;
  }
  return [c0, c1, c2, c3];
}

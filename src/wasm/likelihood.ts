/**
 * The loss of classes: log-softmax and negative log-likelihood, in double
 * precision. With a handful of classes it costs nothing beside the products.
 *
 * exp and log are our own, as those of JavaScript may differ from one machine or
 * browser to the next, and results must not.
 *
 * @module
 */

import { powerOf } from "../rnn/arithmetic.ts";
import { LANES } from "./memory_layout.ts";

/** Sums over scored trials. */
export interface Score {
  /** Σ −log p(target), or of squared errors. */
  loss: number;
  /** Trials whose largest output is that of the target. */
  correct: number;
}

/**
 * Puts the log-probabilities of a row of trials in place of its outputs, and
 * the loss's gradient in the outputs before the log-softmax,
 * (p − [o = target]) / scored, into `gradient`: 0 where the target is 0, which
 * stands for what is not scored. Adds to the score.
 */
export function scoreLikelihood(
  { output, targets, gradient, scored }: {
    /** [O, 32], as is the gradient. */
    readonly output: Float32Array;
    readonly gradient: Float32Array;
    /** [32]: classes. */
    readonly targets: Float32Array;
    /** Scored entries of the whole batch. */
    readonly scored: number;
  },
  score: Score,
): void {
  const size = output.length / LANES;
  let loss = 0;
  for (let lane = 0; lane < LANES; lane++) {
    const target = targets[lane]!;
    let best = 0;
    for (let o = 1; o < size; o++) {
      if (output[o * LANES + lane]! > output[best * LANES + lane]!) best = o;
    }
    // A NaN anywhere makes the sum and with it all of them NaN.
    const largest = output[best * LANES + lane]!;
    let sum = 0;
    for (let o = 0; o < size; o++) {
      sum += exp(output[o * LANES + lane]! - largest);
    }
    const shift = largest + log(sum);
    for (let o = 0; o < size; o++) {
      const at = o * LANES + lane;
      const logarithm = output[at]! - shift;
      output[at] = logarithm;
      gradient[at] = target === 0
        ? 0
        : (exp(logarithm) - (o === target ? 1 : 0)) / scored;
      if (o === target && target !== 0) loss -= logarithm;
    }
    if (target !== 0 && best === target) score.correct++;
  }
  score.loss += loss;
}

/** ln 2 as a sum of a short and a small number. */
const LN2 = { short: 0.6931471803691238, rest: 1.9082149292705877e-10 };

/** eˣ for x ≤ 0: 2ᵏ · eʳ with |r| ≤ ln 2 / 2, and eʳ as its series. */
export function exp(x: number): number {
  // What is smaller is nothing beside the largest, whose exponential is 1.
  if (x < -700) return 0;
  const k = Math.round(x / Math.LN2);
  const r = x - k * LN2.short - k * LN2.rest;
  let sum = 1;
  for (let n = 14; n > 0; n--) sum = 1 + sum * r / n;
  return sum * powerOf(2, k);
}

/** ln x for finite x ≥ 1: x = 2ᵏ · m with m ≤ √2, and ln m = 2 artanh((m − 1) / (m + 1)) as its series. */
export function log(x: number): number {
  let k = 0;
  let m = x;
  for (; m > Math.SQRT2; m /= 2) k++;
  const f = (m - 1) / (m + 1);
  let sum = 0;
  for (let n = 23; n > 0; n -= 2) sum = sum * f * f + 1 / n;
  return k * Math.LN2 + 2 * f * sum;
}

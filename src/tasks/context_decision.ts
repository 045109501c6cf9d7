/**
 * `context_decision`: context-dependent decision making. Two noisy streams of
 * evidence are shown, and a context says of which of them the sign counts.
 *
 * A trial has T = `evidence_length` + 1 time steps of I = 4 numbers (context 1,
 * context 2, stream 1, stream 2). While evidence is shown, the context that holds
 * is 1, and a stream is its evidence c plus `noise` times a standard normal number;
 * c is −1, −½, ½ or 1 times `evidence`, of each stream for itself. A time step of
 * zeros follows. The target stands there: 2 where c of the stream that counts is
 * positive, 1 where it is negative.
 *
 * Source: V. Mante, D. Sussillo, K. V. Shenoy, W. T. Newsome, Context-dependent
 * computation by recurrent dynamics in prefrontal cortex,
 * https://doi.org/10.1038/nature12742.
 *
 * @module
 */

import { defineTask } from "./define_task.ts";
import type { Task } from "./task.ts";

const STRENGTHS = [-1, -0.5, 0.5, 1] as const;

/** The task `context_decision`: both contexts in turn. */
export const contextDecision: Task = defineTask({
  name: "context_decision",
  description:
    "two noisy streams of evidence are shown, and a context that says whose sign counts",
  loss: "nll",
  outputSize: 3,
  trialParameters: {
    evidence: {
      kind: "number",
      above: 0,
      to: 1e6,
      default: 0.5,
      description: "the strongest evidence; half of the trials have half of it",
    },
    noise: {
      kind: "number",
      from: 0,
      to: 1e6,
      default: 0.5,
      description: "standard deviation of the noise at each time step",
    },
  },
  gridParameters: {
    evidence_length: {
      kind: "integer",
      from: 1,
      to: 10_000,
      example: 10,
      description: "for how many time steps evidence is shown",
    },
  },
  inputNames: ["context 1", "context 2", "stream 1", "stream 2"],
  steps: (count) => count("evidence_length") + 1,
  draw:
    ({ evidence, noise, evidence_length: length }, { stream }) =>
    ({ number, show, ask }) => {
      const context = number % 2;
      const strengths = [0, 1].map(() =>
        evidence * STRENGTHS[stream.integer(STRENGTHS.length)]!
      );
      const numbers = [1 - context, context, 0, 0];
      for (let t = 0; t < length; t++) {
        for (const [i, strength] of strengths.entries()) {
          numbers[2 + i] = strength + noise * stream.normal();
        }
        show(t, numbers);
      }
      ask(length, strengths[context]! > 0 ? 2 : 1);
    },
});

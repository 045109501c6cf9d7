/**
 * `match_to_sample`: delayed match-to-sample. Is the probe the direction that
 * was shown as the sample, before a delay?
 *
 * A trial has T = `delay` + 3 time steps of I = 3 numbers (cue, cos φ, sin φ): the
 * sample, one of `directions` directions φ around a circle; `delay` time steps of
 * zeros; the probe with the cue 1; a time step of zeros. The target stands at the
 * last one: 2 where the probe is the sample, 1 where it is another direction.
 *
 * Source: E. K. Miller, C. A. Erickson, R. Desimone, Neural mechanisms of visual
 * working memory in prefrontal cortex of the macaque,
 * https://doi.org/10.1523/JNEUROSCI.16-16-05154.1996; with directions as in the
 * tasks of G. R. Yang et al., https://doi.org/10.1038/s41593-018-0310-2.
 *
 * @module
 */

import { MATCH, NO_MATCH } from "./n_back.ts";
import { defineTask } from "./define_task.ts";
import type { Task } from "./task.ts";

/** The task `match_to_sample`: trials that match and trials that do not, in turn. */
export const matchToSample: Task = defineTask({
  name: "match_to_sample",
  description:
    "is the direction shown after a delay the one shown before it; as many trials with yes as with no",
  loss: "nll",
  outputSize: 3,
  trialParameters: {
    directions: {
      kind: "integer",
      from: 2,
      to: 360,
      default: 8,
      description: "how many directions there are, evenly around a circle",
    },
  },
  gridParameters: {
    delay: {
      kind: "integer",
      from: 0,
      to: 10_000,
      example: 4,
      description:
        "time steps between sample and probe in which nothing is shown",
    },
  },
  inputNames: ["cue", "cos φ", "sin φ"],
  steps: (count) => count("delay") + 3,
  draw({ directions, delay }, { stream }) {
    const numbersOf = (direction: number) => {
      const angle = 2 * Math.PI * direction / directions;
      return [Math.cos(angle), Math.sin(angle)];
    };
    return ({ number, show, ask }) => {
      const matches = number % 2 === 0;
      const sample = stream.integer(directions);
      const other = (sample + 1 + stream.integer(directions - 1)) % directions;
      show(0, [0, ...numbersOf(sample)]);
      show(delay + 1, [1, ...numbersOf(matches ? sample : other)]);
      ask(delay + 2, matches ? MATCH : NO_MATCH);
    };
  },
});

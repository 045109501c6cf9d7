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
import {
  blankTrials,
  checkedParameters,
  countParameter,
  type Task,
} from "./task.ts";

/** The task `match_to_sample`: trials that match and trials that do not, in turn. */
export const matchToSample: Task = {
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
  steps: (parameters) => countParameter(parameters, "delay", 0) + 3,
  inputSize: () => 3,
  trialCount: (nrOfTrials) => nrOfTrials,
  generate(parameters, { stream }) {
    const { directions, delay, nr_of_trials: trialCount } = checkedParameters<
      "directions" | "delay"
    >(matchToSample, parameters);
    const steps = delay + 3;
    const trials = blankTrials({ trialCount, steps, inputSize: 3 });
    for (let trial = 0; trial < trialCount; trial++) {
      const matches = trial % 2 === 0;
      const sample = stream.integer(directions);
      const other = (sample + 1 + stream.integer(directions - 1)) % directions;
      const first = trial * steps;
      const probe = first + steps - 2;
      const show = (row: number, direction: number) => {
        const angle = 2 * Math.PI * direction / directions;
        trials.inputs.set([Math.cos(angle), Math.sin(angle)], row * 3 + 1);
      };
      show(first, sample);
      show(probe, matches ? sample : other);
      trials.inputs[probe * 3] = 1;
      trials.targets[probe + 1] = matches ? MATCH : NO_MATCH;
    }
    return trials;
  },
};

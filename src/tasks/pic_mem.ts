/**
 * `pic_mem`: was the last picture the one shown n steps before? As
 * `pic_latent_mem`, but the network sees the 28 × 28 pixels (I = 785).
 *
 * Source: the task of A. Goulas, F. Damicelli, C. C. Hilgetag, Bio-instantiated
 * recurrent neural networks, https://doi.org/10.1016/j.neunet.2021.07.011.
 *
 * @module
 */

import { pictureTask } from "./picture_trials.ts";
import type { Task } from "./task.ts";

/** The largest value of a pixel. */
const WHITE = 255;

/**
 * The task `pic_mem`: `nr_of_trials` matching trials, then as many that do not
 * match.
 *
 * @example
 * ```ts
 * import { createStream } from "./src/random/stream.ts";
 * import { picMem } from "./src/tasks/pic_mem.ts";
 * import { loadStimuli } from "./src/tasks/stimuli.ts";
 *
 * const trials = picMem.generate(
 *   { trial_length: 5, n_back: 2, nr_of_trials: 100, rescale: true },
 *   {
 *     stream: createStream({ seed: 1, purpose: "trials" }),
 *     stimuli: await loadStimuli("images", { seed: 1 }),
 *   },
 * );
 * trials.inputs; // 200 trials × 7 steps × 785 numbers
 * ```
 */
export const picMem: Task = pictureTask({
  name: "pic_mem",
  stimuli: "images",
  rescale: (pixels) => pixels.map((pixel) => pixel / WHITE),
  description: "divide the pixels by 255",
});

/**
 * `pic_latent_mem`: was the last picture the one shown n steps before? The
 * network sees 50 latent features of each picture.
 *
 * A trial has T = `trial_length` + 2 steps of I = 51 numbers (cue, latents):
 * `trial_length` pictures, the last of which is the probe, then the cue 1, then
 * zeros. The target stands at the last step: 2 where the same picture was shown
 * `n_back` steps before the probe, 1 where it was not.
 *
 * Source: the task of A. Goulas, F. Damicelli, C. C. Hilgetag, Bio-instantiated
 * recurrent neural networks, https://doi.org/10.1016/j.neunet.2021.07.011.
 *
 * @module
 */

import { pictureTask } from "./picture_trials.ts";
import type { Task } from "./task.ts";

/** Keeps vectors without any range from dividing by 0. */
const EPSILON = Math.fround(1e-12);

/**
 * A latent vector scaled to [0, 1]: (x − min + ε) / max(max − min, 2ε) with
 * ε = 1e-12, every operation rounded to float32 as in the original's tensors.
 */
export function rescaleLatents(latents: Float32Array): Float32Array {
  let min = Infinity;
  let max = -Infinity;
  for (const value of latents) {
    if (value < min) min = value;
    if (value > max) max = value;
  }
  const range = Math.max(Math.fround(max - min), 2 * EPSILON);
  return latents.map((value) =>
    Math.min(1, Math.fround(Math.fround(value - min) + EPSILON) / range)
  );
}

/**
 * The task `pic_latent_mem`: `nr_of_trials` matching trials, then as many that
 * do not match.
 *
 * @example
 * ```ts
 * import { createStream } from "./src/random/stream.ts";
 * import { picLatentMem } from "./src/tasks/pic_latent_mem.ts";
 * import { loadStimuli } from "./src/tasks/stimuli.ts";
 *
 * const trials = picLatentMem.generate(
 *   { trial_length: 5, n_back: 2, nr_of_trials: 100, rescale: true },
 *   {
 *     stream: createStream({ seed: 1, purpose: "trials" }),
 *     stimuli: await loadStimuli("latents", { seed: 1 }),
 *   },
 * );
 * trials.inputs; // 200 trials × 7 steps × 51 numbers
 * ```
 */
export const picLatentMem: Task = pictureTask({
  name: "pic_latent_mem",
  stimuli: "latents",
  rescale: rescaleLatents,
  description: "scale each latent vector to [0, 1]",
});

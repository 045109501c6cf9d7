/**
 * The pictures, or their latent vectors, that a task shows: from the user's
 * file, from the original's source, or synthetic.
 *
 * @module
 */

import { cacheFolder as systemCacheFolder } from "../files/cache_folder.ts";
import type { Fetch } from "../files/download.ts";
import { InputError } from "../files/input_error.ts";
import { readFileBytes } from "../files/read_file.ts";
import { downloadLatents } from "./download_latents.ts";
import { encodeLatents } from "./latent_encoder.ts";
import { readStimuli } from "./read_stimuli.ts";
import { syntheticDigits } from "./synthetic_digits.ts";
import type { Stimuli } from "./task.ts";

/** Where stimuli come from. */
export interface LoadStimuliOptions {
  /** `[paths] latents` or `images`: a file, or "download"; undefined: synthetic. */
  readonly file?: string;
  /** Seed of the experiment, for synthetic stimuli. */
  readonly seed: number;
  /** Where downloads are kept; default {@linkcode systemCacheFolder}. */
  readonly cacheFolder?: string;
  /** Is told what takes time. */
  readonly onProgress?: (line: string) => void;
  /** Default the system's `fetch`. */
  readonly fetch?: Fetch;
}

/**
 * Loads latents ([count, 50]) or images ([count, 784], pixels from 0 to 255)
 * with their labels. A file may be
 *
 * - `.npy`: `NAME.npy`, [count, …], with the labels, [count], in `NAME_labels.npy` beside it;
 * - `.pt`: PyTorch's file of a tuple (latents or images, labels), as the original has it;
 * - IDX, as MNIST comes: `…images-idx3-ubyte`, with `…labels-idx1-ubyte` beside it, both packed (`.gz`) or not.
 *
 * "download" gets the original's latents from their source, once. Without a
 * file, digits are drawn and encoded by a program: synthetic, and named so.
 *
 * @throws {InputError} If a file can't be read or does not fit, or the download fails.
 *
 * @example
 * ```ts
 * import { loadStimuli } from "./src/tasks/stimuli.ts";
 *
 * const stimuli = await loadStimuli("latents", { seed: 1 });
 * stimuli.source; // "latents of synthetic digits"
 * ```
 */
export async function loadStimuli(
  kind: "latents" | "images",
  options: LoadStimuliOptions,
): Promise<Stimuli> {
  const { file, seed } = options;
  if (file === undefined) {
    const digits = syntheticDigits({ seed });
    return kind === "images" ? digits : encodeLatents(digits);
  }
  if (file === "download") {
    if (kind === "images") {
      throw new InputError(
        'Cannot use "download" for [paths] images: there is no source for them; name a file (.npy, .pt or IDX, such as t10k-images-idx3-ubyte), or leave it out for synthetic digits',
      );
    }
    const { cacheFolder = systemCacheFolder() } = options;
    const { bytes, name } = await downloadLatents({ ...options, cacheFolder });
    return await readStimuli(bytes, { kind, file: name });
  }
  const bytes = await readFileBytes(file, { what: `the ${kind}` });
  return await readStimuli(bytes, { kind, file });
}

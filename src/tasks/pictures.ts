/**
 * `pic_latent_mem` and `pic_mem`: was the last picture the one shown n time steps
 * before? The network sees 50 latent features of each picture (I = 51), or its
 * 28 × 28 pixels (I = 785).
 *
 * A trial has T = `trial_length` + 2 time steps of I numbers (cue, picture):
 * `trial_length` pictures, the last of which is the probe, then the cue 1, then
 * zeros. The target stands at the last time step: 2 where the same picture was
 * shown `n_back` time steps before the probe, 1 where it was not.
 *
 * Source: the tasks of A. Goulas, F. Damicelli, C. C. Hilgetag, Bio-instantiated
 * recurrent neural networks, https://doi.org/10.1016/j.neunet.2021.07.011.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import type { RandomStream } from "../random/stream.ts";
import { checkedValue, defineTask } from "./define_task.ts";
import { MATCH, N_BACK, NO_MATCH, TRIAL_LENGTH } from "./n_back.ts";
import { pictureOf, type Stimuli, type Task } from "./task.ts";

const WHITE = 255;

/** Pictures that are no brighter are told of: other data sets end at 15, 16 or 63. */
const DIM = 63;

/** Keeps vectors without any range from dividing by 0. */
const EPSILON = Math.fround(1e-12);

/**
 * The task `pic_latent_mem`. The probe's label is drawn first, then a picture of
 * that label; all other pictures have other labels and differ from one another.
 */
export const picLatentMem: Task = pictureTask({
  name: "pic_latent_mem",
  stimuli: "latents",
  description:
    "as `nback_mem`, with the 50 latent features of pictures instead of numbers",
  rescale: rescaleLatents,
  rescaling: "scale each latent vector to [0, 1]",
});

/**
 * The task `pic_mem`, as {@linkcode picLatentMem} with pixels. With
 * `compatibility` "original", probe and other pictures are any pictures, of
 * whatever labels: about one in ten of the others then has the probe's label.
 */
export const picMem: Task = pictureTask({
  name: "pic_mem",
  stimuli: "images",
  description: "as `nback_mem`, with pictures of 28 × 28 pixels",
  rescale: (pixels) => pixels.map((pixel) => pixel / WHITE),
  rescaling: "divide the pixels by 255",
});

/**
 * A latent vector scaled to [0, 1]: (x − min + ε) / max(max − min, 2ε) with
 * ε = 1e-12, every operation rounded to float32 as in the original's tensors.
 */
function rescaleLatents(latents: Float32Array): Float32Array {
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

/** A picture task: what it shows, what the network sees of a picture with `rescale`, and that for the manual. */
function pictureTask(
  { stimuli: kind, rescale, rescaling, ...words }: {
    readonly name: string;
    readonly description: string;
    readonly stimuli: "latents" | "images";
    readonly rescale: (picture: Float32Array) => Float32Array;
    readonly rescaling: string;
  },
): Task {
  /** In the original's `pic_mem` labels play no part. */
  const hasLabels = (compatibility = "described") =>
    kind === "latents" || compatibility === "described";
  return defineTask({
    ...N_BACK,
    ...words,
    trialParameters: {
      trial_length: TRIAL_LENGTH,
      rescale: { kind: "boolean", default: true, description: rescaling },
    },
    stimuli: kind,
    checkStimuli(parameters, { stimuli, compatibility }) {
      const length = checkedValue(parameters, "trial_length", TRIAL_LENGTH);
      albumOf(stimuli, hasLabels(compatibility), length - 1);
      assertDifferent(stimuli);
      return kind === "images" && parameters.rescale !== false
        ? checkBrightness(stimuli)
        : [];
    },
    steps: (count) => count("trial_length") + 2,
    inputSize: (stimuli) => needStimuli(stimuli).size + 1,
    draw(parameters, { stream, stimuli: given, compatibility }) {
      const { n_back: nBack, nr_of_trials: matching, rescale: scaled } =
        parameters;
      const last = parameters.trial_length - 1;
      const stimuli = needStimuli(given);
      const byLabel = hasLabels(compatibility);
      const { order, ranges } = albumOf(stimuli, byLabel, last);
      const numbersOf = (picture: number) => {
        const numbers = pictureOf(stimuli, picture);
        return scaled ? rescale(numbers) : numbers;
      };
      return ({ number, show, ask }) => {
        const matches = number < matching;
        const range = ranges[stream.integer(ranges.length)]!;
        const [start, end] = range;
        const probe = order[start + stream.integer(end - start)]!;
        const others = drawOthers(order, range, {
          count: matches ? last - 1 : last,
          stream,
        }).values();
        for (let t = 0; t < last; t++) {
          const isProbe = matches && t === last - nBack;
          show(t, numbersOf(isProbe ? probe : others.next().value!), 1);
        }
        show(last, numbersOf(probe), 1);
        show(last + 1, [1]);
        ask(last + 2, matches ? MATCH : NO_MATCH);
      };
    },
  });
}

function needStimuli(stimuli: Stimuli | undefined): Stimuli {
  if (stimuli !== undefined) return stimuli;
  throw new RangeError("Cannot make trials: this task needs stimuli");
}

type Range = readonly [start: number, end: number];

/**
 * Pictures in the order of their labels, so that those of a label stand together, and the
 * range of each label that occurs; a range a picture where labels play no part.
 *
 * @throws {InputError} If some picture has fewer of other ranges than are needed.
 */
function albumOf(
  { labels, count, source }: Stimuli,
  byLabel: boolean,
  needed: number,
): { readonly order: Uint32Array; readonly ranges: readonly Range[] } {
  const fail = (what: string) => {
    throw new InputError(`Cannot make trials of "${source}": ${what}`);
  };
  const order = Uint32Array.from({ length: count }, (_, i) => i);
  if (byLabel) order.sort((a, b) => labels[a]! - labels[b]! || a - b);
  const ranges: [number, number][] = [];
  for (let place = 0; place < count; place++) {
    const same = byLabel && place > 0 &&
      labels[order[place]!] === labels[order[place - 1]!];
    if (same) ranges.at(-1)![1]++;
    else ranges.push([place, place + 1]);
  }
  if (byLabel && ranges.length < 2) {
    fail(
      `its pictures need at least 2 different labels, found ${ranges.length}`,
    );
  }
  for (const [start, end] of ranges) {
    const others = count - (end - start);
    if (others >= needed) continue;
    fail(
      `a trial needs ${needed} pictures ${
        byLabel
          ? "of other labels than the probe's, and for one label there are only"
          : "besides the probe, and there are only"
      } ${others}`,
    );
  }
  return { order, ranges };
}

/** Different pictures outside a range, in random order. */
function drawOthers(
  order: Uint32Array,
  [start, end]: Range,
  { count, stream }: { count: number; stream: RandomStream },
): Set<number> {
  const chosen = new Set<number>();
  while (chosen.size < count) {
    const place = stream.integer(order.length - (end - start));
    chosen.add(order[place < start ? place : place + end - start]!);
  }
  return chosen;
}

/** Nothing can be remembered of pictures that are all the same: black, or of a broken file. */
function assertDifferent({ source, size, values }: Stimuli): void {
  if (values.some((value, i) => value !== values[i % size])) return;
  throw new InputError(
    `Cannot make trials of "${source}": all its pictures are the same${
      values.every((value) => value === 0) ? ", only zeros" : ""
    }`,
  );
}

/** Pixels that are divided by 255 must not have been divided before: the network would hardly see them. */
function checkBrightness({ source, size, count, values }: Stimuli): string[] {
  let brightest = 0;
  let faint = 0;
  for (let i = 0; i < count; i++) {
    let most = 0;
    for (let j = 0; j < size; j++) most = Math.max(most, values[i * size + j]!);
    brightest = Math.max(brightest, most);
    if (most > 0 && most <= 1) faint++;
  }
  if (brightest <= 1) {
    throw new InputError(
      `Cannot use the images "${source}": no pixel is above 1, so they are scaled already, and rescale would divide them by 255 again; add "rescale": False to trial_params, or give pixels from 0 to 255`,
    );
  }
  return [
    ...(faint === 0 ? [] : [
      `warning: ${faint} of the ${count} images in "${source}" have no pixel above 1, as if they were scaled already, and are divided by 255 like the others`,
    ]),
    ...(brightest > DIM ? [] : [
      `warning: the brightest pixel in "${source}" is ${brightest}, and pixels are divided by 255; scale them to 0…255, or to 0…1 with "rescale": False in trial_params`,
    ]),
  ];
}

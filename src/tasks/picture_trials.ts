/**
 * Trials of the n-back tasks that show pictures, or their latent vectors.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import type { RandomStream } from "../random/stream.ts";
import {
  checkNBack,
  MATCH,
  N_BACK,
  N_BACK_CLASSES,
  nBackParameters,
  NO_MATCH,
  TRIAL_LENGTH,
} from "./n_back.ts";
import { countParameter } from "./parameter_value.ts";
import type { Stimuli, Task, TaskParameters, Trials } from "./task.ts";

/** What tells one picture task from the other. */
export interface PictureTaskOptions {
  readonly name: string;
  /** What it shows. */
  readonly stimuli: "latents" | "images";
  /** What the network sees of a picture with `rescale`. */
  readonly rescale: (picture: Float32Array) => Float32Array;
  /** What `rescale` does, for the manual. */
  readonly description: string;
}

/**
 * An n-back task that shows pictures. A trial has T = `trial_length` + 2 steps:
 * the pictures, the cue, and a step of zeros.
 */
export function pictureTask(
  { name, stimuli: kind, rescale, description }: PictureTaskOptions,
): Task {
  return {
    name,
    loss: "nll",
    outputSize: N_BACK_CLASSES,
    trialParameters: {
      trial_length: TRIAL_LENGTH,
      rescale: { kind: "boolean", default: true, description },
    },
    gridParameters: { n_back: N_BACK },
    stimuli: kind,
    check: checkNBack,
    checkStimuli(parameters, stimuli) {
      const needed = countParameter(parameters, "trial_length", 2) - 1;
      assertEnough(stimuli, { album: sortByLabel(stimuli), needed });
    },
    steps: (parameters) => countParameter(parameters, "trial_length", 2) + 2,
    inputSize: (stimuli) => needStimuli(stimuli).size + 1,
    trialCount: (nrOfTrials) => 2 * nrOfTrials,
    generate: (parameters, { stream, stimuli }) =>
      pictureTrials(parameters, {
        stream,
        stimuli: needStimuli(stimuli),
        scale: parameters.rescale === false ? (picture) => picture : rescale,
      }),
  };
}

function needStimuli(stimuli: Stimuli | undefined): Stimuli {
  if (stimuli === undefined) {
    throw new RangeError("Cannot make trials: this task needs stimuli");
  }
  return stimuli;
}

/** Pictures in the order of their labels, so that those of a label stand together. */
interface Album {
  readonly order: Uint32Array;
  /** First place and end of each label that occurs. */
  readonly ranges: readonly (readonly [number, number])[];
}

function sortByLabel({ labels, count }: Stimuli): Album {
  const places = new Uint32Array(257);
  for (const label of labels) places[label + 1] = places[label + 1]! + 1;
  for (let l = 0; l < 256; l++) places[l + 1] = places[l + 1]! + places[l]!;
  const ranges: [number, number][] = [];
  for (let l = 0; l < 256; l++) {
    const range: [number, number] = [places[l]!, places[l + 1]!];
    if (range[1] > range[0]) ranges.push(range);
  }
  const order = new Uint32Array(count);
  for (let i = 0; i < count; i++) {
    const label = labels[i]!;
    order[places[label]!] = i;
    places[label] = places[label]! + 1;
  }
  return { order, ranges };
}

/** k different pictures outside a label's range, in random order. */
function drawOthers(
  { order, ranges }: Album,
  { label, k, stream }: { label: number; k: number; stream: RandomStream },
): number[] {
  const [start, end] = ranges[label]!;
  const chosen = new Set<number>();
  while (chosen.size < k) {
    const place = stream.integer(order.length - (end - start));
    chosen.add(order[place < start ? place : place + end - start]!);
  }
  return [...chosen];
}

/**
 * Draws the trials: `nr_of_trials` matching ones, then as many that do not
 * match. The probe's label is drawn first, then a picture of that label; all
 * other pictures have other labels and differ from one another.
 *
 * @param scale Gives the numbers to show for a picture ([size], pixels from 0 to 255 or latents).
 * @throws {InputError} If there are too few pictures, or all have one label.
 */
function pictureTrials(
  parameters: TaskParameters,
  { stream, stimuli, scale }: {
    readonly stream: RandomStream;
    readonly stimuli: Stimuli;
    readonly scale: (picture: Float32Array) => Float32Array;
  },
): Trials {
  const { trialLength, nBack, nrOfTrials } = nBackParameters(parameters);
  const album = sortByLabel(stimuli);
  assertEnough(stimuli, { album, needed: trialLength - 1 });
  const t = trialLength + 2;
  const width = stimuli.size + 1;
  const trialCount = 2 * nrOfTrials;
  const inputs = new Float32Array(trialCount * t * width);
  const targets = new Float32Array(trialCount * t);
  const show = (row: number, picture: number) => {
    const from = picture * stimuli.size;
    const values = stimuli.values.subarray(from, from + stimuli.size);
    inputs.set(scale(values), row * width + 1);
  };
  for (let trial = 0; trial < trialCount; trial++) {
    const matches = trial < nrOfTrials;
    const first = trial * t;
    const last = first + trialLength - 1;
    const label = stream.integer(album.ranges.length);
    const [start, end] = album.ranges[label]!;
    const probe = album.order[start + stream.integer(end - start)]!;
    const k = matches ? trialLength - 2 : trialLength - 1;
    const others = drawOthers(album, { label, k, stream });
    let next = 0;
    for (let row = first; row < last; row++) {
      show(row, matches && row === last - nBack ? probe : others[next++]!);
    }
    show(last, probe);
    inputs[(last + 1) * width] = 1;
    targets[last + 2] = matches ? MATCH : NO_MATCH;
  }
  return { trialCount, steps: t, inputSize: width, inputs, targets };
}

function assertEnough(
  { source, count }: Stimuli,
  { album, needed }: { album: Album; needed: number },
): void {
  if (album.ranges.length < 2) {
    throw new InputError(
      `Cannot make trials of "${source}": its pictures need at least 2 different labels, found ${album.ranges.length}`,
    );
  }
  for (const [start, end] of album.ranges) {
    const others = count - (end - start);
    if (others >= needed) continue;
    throw new InputError(
      `Cannot make trials of "${source}": a trial needs ${needed} pictures of other labels than the probe's, and for one label there are only ${others}`,
    );
  }
}

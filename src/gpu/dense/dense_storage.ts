/**
 * Whole matrices on the device (see `layout.ts`): the best where a good part of
 * all possible connections exists.
 *
 * @module
 */

import type { ModelRun } from "../../engine/ensemble.ts";
import { type Layout, makeLayout, modelWords, panelStarts } from "./layout.ts";
import type { LayoutSize } from "../buffers.ts";
import {
  packBiases,
  packMatrix,
  packTrained,
  turnMatrix,
  unpackMatrix,
} from "./pack_parameters.ts";
import {
  chooseSequenceTile,
  type SequenceOptions,
  type SequenceTile,
} from "./sequence_tile.ts";
import { packMoments, type Storage } from "../storage.ts";

/** Storage in whole matrices. */
export interface DenseStorage extends Storage {
  readonly kind: "dense";
  readonly layout: Layout;
  /** First rows of the panels in which the gradient is made. */
  readonly panels: readonly number[];
  /** Where forward and backward run all time steps in one dispatch. */
  readonly sequence: SequenceTile | undefined;
}

/** Lays out runs, in the device's order. */
export function createDenseStorage(
  size: LayoutSize,
  { runs, trialCount, ...options }: SequenceOptions & {
    readonly runs: readonly ModelRun[];
    /** Trials of all batches together. */
    readonly trialCount: number;
  },
): DenseStorage {
  const layout = makeLayout(size);
  const panels = panelStarts(layout);
  const sequence = chooseSequenceTile(layout, options);
  const turned = sequence !== undefined;
  const { hiddenSize, outputSize, batchRows, width, units } = layout;
  const runAt = (place: number) => runs[place]!;
  const wordsOf = ({ trials: { steps } }: ModelRun) =>
    modelWords(layout, { steps, trialCount, turned });
  const placesOf = ({ connections }: ModelRun) => ({ layout, connections });
  const parts = panels.map((start, i) => ({
    start: start * width,
    words: ((panels[i + 1] ?? units) - start) * width,
  }));
  return {
    kind: "dense",
    size,
    layout,
    panels,
    sequence,
    constants: {
      HIDDEN: layout.hidden,
      WIDTH: width,
      BATCH: batchRows,
      INPUTS: layout.inputSize,
      OUTPUTS: outputSize,
      UNITS: units,
      PANEL_UNITS: layout.panelUnits,
      MASK_WORDS: layout.maskWords,
      TURNED: turned ? 1 : 0,
    },
    words: (place) => ({ ...wordsOf(runAt(place)), outputs: 0 }),
    // One model is probed at a time.
    sharedWords: {
      outputs: runs.reduce(
        (most, run) => Math.max(most, wordsOf(run).outputs),
        0,
      ),
    },
    lists: new Uint32Array(0),
    fields: () => ({}),
    entries: () => hiddenSize ** 2,
    uploads(place) {
      const run = runAt(place);
      const places = placesOf(run);
      const { trainRecurrent } = run;
      const parameters = run.state?.parameters ?? run.initial;
      const matrix = packMatrix(parameters, places);
      return [
        ["parameters", matrix],
        ...(turned ? [["turned", turnMatrix(matrix, layout)] as const] : []),
        ["biases", packBiases(parameters, layout)],
        ["trained", packTrained({ ...places, trainRecurrent })],
        ...packMoments(run, (moments) => packMatrix(moments, places)),
      ];
    },
    unpackState(place, { parameters, biases, firstMoment, secondMoment }) {
      const places = placesOf(runAt(place));
      return {
        parameters: unpackMatrix(parameters, { ...places, biases }),
        firstMoment: unpackMatrix(firstMoment, places),
        secondMoment: unpackMatrix(secondMoment, places),
      };
    },
    gradientParts: () => parts,
    unpackGradient(place, values) {
      const run = runAt(place);
      const gradient = unpackMatrix(values, placesOf(run));
      if (!run.trainRecurrent) gradient.weightHh.fill(0);
      return gradient;
    },
    probeShape(place, batchSize) {
      const { steps } = runAt(place).trials;
      return {
        outputWords: wordsOf(runAt(place)).outputs,
        output(values) {
          const output = new Float32Array(batchSize * steps * outputSize);
          for (let b = 0; b < batchSize; b++) {
            for (let t = 0; t < steps; t++) {
              const from = (t * batchRows + b) * 4;
              output.set(
                values.subarray(from, from + outputSize),
                (b * steps + t) * outputSize,
              );
            }
          }
          return output;
        },
        hiddenLast: {
          start: steps * batchRows * width,
          words: batchSize * width,
        },
        hidden(values) {
          const hidden = new Float32Array(batchSize * hiddenSize);
          for (let b = 0; b < batchSize; b++) {
            hidden.set(
              values.subarray(b * width, b * width + hiddenSize),
              b * hiddenSize,
            );
          }
          return hidden;
        },
      };
    },
  };
}

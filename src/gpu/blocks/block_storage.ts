/**
 * Only the parts of the matrices that hold a connection lie on the device, so
 * that cost and memory follow the connections (see `block_layout.ts`).
 *
 * @module
 */

import type { ModelRun } from "../../engine/ensemble.ts";
import type { Connections } from "../../graph/connections.ts";
import {
  type BlockLayout,
  blockModelWords,
  type BlockSide,
  chunkBlocks,
  makeBlockLayout,
} from "./block_layout.ts";
import { type BlockLists, makeBlockLists } from "./block_lists.ts";
import type { LayoutSize } from "../buffers.ts";
import { packBlocks, pairBiases, unpackBlocks } from "./pack_blocks.ts";
import { packMoments, type Storage, type StorageKind } from "../storage.ts";

/** Storage in blocks. */
export interface BlockStorage extends Storage {
  readonly kind: "blocks" | "connections";
  readonly layout: BlockLayout;
  /** Chunks of the gradient of the model that has most. */
  readonly mostChunks: number;
}

/** The blocks that a kind of storage is made of. */
export function blockSide(kind: Exclude<StorageKind, "dense">): BlockSide {
  return kind === "blocks" ? 4 : 1;
}

/** Lays out runs, in the device's order. */
export function createBlockStorage(
  size: LayoutSize,
  { runs, trialCount, kind, software }: {
    readonly runs: readonly ModelRun[];
    /** Trials of all batches together. */
    readonly trialCount: number;
    readonly kind: Exclude<StorageKind, "dense">;
    readonly software: boolean;
  },
): BlockStorage {
  const side = blockSide(kind);
  const layout = makeBlockLayout(size, side);
  const chunk = chunkBlocks(side, { software });
  // Models of one topology have its lists in common.
  const topologies = new Map<Connections, { lists: BlockLists; at: number }>();
  let listWords = 0;
  const ofRun = runs.map(({ connections }) => {
    const known = topologies.get(connections);
    if (known !== undefined) return known;
    const lists = makeBlockLists(connections, { layout, chunk });
    const topology = { lists, at: listWords };
    listWords += lists.words.length;
    topologies.set(connections, topology);
    return topology;
  });
  const words = new Uint32Array(listWords);
  for (const { lists, at } of topologies.values()) words.set(lists.words, at);
  const modelWords = (place: number) =>
    blockModelWords(layout, {
      steps: runs[place]!.trials.steps,
      trialCount,
      recurrent: ofRun[place]!.lists.recurrentBlocks,
    });
  const mostOf = (name: "gradient" | "outputs") =>
    runs.reduce((most, _, place) => Math.max(most, modelWords(place)[name]), 0);
  const wordsOf = (place: number) => ofRun[place]!.lists.blocks * side ** 2;
  const placesOf = (place: number) => ({
    layout,
    lists: ofRun[place]!.lists,
  });
  const { hiddenSize, outputSize, outputRows, trials, slot } = layout;
  return {
    kind,
    size,
    layout,
    mostChunks: ofRun.reduce(
      (most, { lists: { chunks } }) => Math.max(most, chunks),
      0,
    ),
    constants: {
      HIDDEN: layout.hidden,
      BATCH: trials,
      INPUTS: layout.inputSize,
      OUTPUTS: outputSize,
      BLOCK: side,
      SLOT: slot,
      COLUMN_BLOCKS: layout.hiddenBlocks,
      INPUT_BLOCKS: layout.inputBlocks,
      OUTPUT_ROWS: outputRows,
      CHUNK: chunk,
    },
    words: (place) => ({
      ...modelWords(place),
      gradient: 0,
      outputs: 0,
      lists: 0,
      turned: 0,
    }),
    // One model is probed at a time.
    sharedWords: {
      gradient: mostOf("gradient"),
      outputs: mostOf("outputs"),
      lists: listWords,
    },
    lists: words,
    fields(place, own) {
      const { lists, at } = ofRun[place]!;
      return {
        parameter_offset: own.parameters,
        moment_offset: own.firstMoment,
        bias_offset: own.parameters + wordsOf(place),
        rows_at: at + lists.at.rows,
        columns_at: at + lists.at.columns,
        blocks_at: at + lists.at.blocks,
        back_at: at + lists.at.back,
        chunks_at: at + lists.at.chunks,
        chunks: lists.chunks,
        readout_block: lists.readoutBlock,
      };
    },
    entries: (place) => ofRun[place]!.lists.recurrentBlocks * side ** 2,
    uploads(place) {
      const run = runs[place]!;
      const parameters = run.state?.parameters ?? run.initial;
      const words = wordsOf(place);
      const all = new Float32Array(words + 2 * layout.hidden);
      all.set(packBlocks(parameters, placesOf(place)));
      all.set(pairBiases(parameters, layout), words);
      const moments = packMoments(
        run,
        (each) => packBlocks(each, placesOf(place)),
      );
      return [["parameters", all], ...moments];
    },
    unpackState(place, { parameters, firstMoment, secondMoment }) {
      const places = placesOf(place);
      return {
        parameters: unpackBlocks(parameters, {
          ...places,
          biases: parameters.subarray(wordsOf(place)),
        }),
        firstMoment: unpackBlocks(firstMoment, places),
        secondMoment: unpackBlocks(secondMoment, places),
      };
    },
    gradientParts: (place) => [{ start: 0, words: wordsOf(place) }],
    unpackGradient(place, values) {
      const gradient = unpackBlocks(values, placesOf(place));
      if (!runs[place]!.trainRecurrent) gradient.weightHh.fill(0);
      return gradient;
    },
    probeShape(place, batchSize) {
      const { steps } = runs[place]!.trials;
      return {
        outputWords: modelWords(place).outputs,
        output(values) {
          const output = new Float32Array(batchSize * steps * outputSize);
          for (let at = 0; at < output.length; at++) {
            const o = at % outputSize;
            const t = Math.floor(at / outputSize) % steps;
            const b = Math.floor(at / outputSize / steps);
            output[at] = values[(t * outputRows + o) * trials + b]!;
          }
          return output;
        },
        hiddenLast: {
          start: steps * slot * trials,
          words: hiddenSize * trials,
        },
        hidden(values) {
          const hidden = new Float32Array(batchSize * hiddenSize);
          for (let at = 0; at < hidden.length; at++) {
            const unit = at % hiddenSize;
            hidden[at] = values[unit * trials + Math.floor(at / hiddenSize)]!;
          }
          return hidden;
        },
      };
    },
  };
}

/**
 * How long the loops of the kernels are. Mesa's llvmpipe ends all loops of an
 * invocation once they have taken 65,535 turns together, without a word, so that
 * sums would lack their ends (`LP_MAX_TGSI_LOOP_ITERATIONS` in its sources; seen
 * with Mesa 22.3).
 *
 * @module
 */

import type { ModelSize } from "../rnn/parameters.ts";
import { makeBlockLayout } from "./blocks/block_layout.ts";
import { readoutLanes } from "./blocks/block_dispatches.ts";
import { blockSide } from "./blocks/block_storage.ts";
import { roundUp } from "./buffers.ts";
import type { StorageKind } from "./storage.ts";

/** Turns that the loops of one invocation may take together on a software adapter. */
export const MOST_TURNS = 65_535;

/** More than the short loops take that go through outputs, rows of a tile or partial sums. */
const SHORT_LOOPS = 128;

/**
 * At least as many turns as the loops of any kernel take on a software adapter.
 *
 * @example
 * ```ts
 * import { loopTurns } from "./src/gpu/loop_turns.ts";
 *
 * const size = { hiddenSize: 220, inputSize: 2, outputSize: 1, batchRows: 128 };
 * loopTurns("dense", { ...size, steps: 21 }); // 5525, most of them those of the read-out's gradient
 * ```
 */
export function loopTurns(
  kind: StorageKind,
  size: ModelSize & {
    /** Trials of the largest batch. */
    readonly batchRows: number;
    /** T */
    readonly steps: number;
  },
): number {
  const { hiddenSize, inputSize, outputSize, batchRows, steps } = size;
  const perUnit = 1 + outputSize;
  if (kind === "dense") {
    const columns = roundUp(hiddenSize, 4) / 4 + inputSize;
    return SHORT_LOOPS + Math.max(
      steps * (1 + batchRows * perUnit),
      // A row's scores go through the outputs four times.
      Math.ceil(batchRows / 64) * (1 + columns * perUnit + 4 * outputSize),
    );
  }
  const layout = makeBlockLayout(size, blockSide(kind));
  const { lanes, trialLanes } = readoutLanes(layout);
  return SHORT_LOOPS + Math.max(
    layout.hiddenBlocks + layout.inputBlocks,
    // Four trials each, of an input's own loop.
    5 * inputSize,
    Math.ceil(layout.hidden * trialLanes / lanes + 1) * perUnit,
    steps * (1 + Math.ceil(layout.trials / 4 / trialLanes)),
  );
}

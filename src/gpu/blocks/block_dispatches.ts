/**
 * The dispatches of a training step on blocks.
 *
 * @module
 */

import type { BlockLayout } from "./block_layout.ts";
import type { BlockStorage } from "./block_storage.ts";
import {
  type Dispatches,
  groupsFor,
  PLAIN_LANES,
  type StepRecorder,
} from "../dispatches.ts";
import type { ShaderConstants } from "../expand_shader.ts";
import type { KernelName } from "../kernels.ts";

/** Chunks of the gradient along the first dimension of a dispatch. */
const CHUNKS_ALONG = 32768;

/** Workgroups along a dimension of a dispatch that every adapter allows. */
const MOST_GROUPS = 65535;

/** How a workgroup of the kernels on blocks is laid out. */
interface BlockTile {
  readonly lanes: number;
  /** Invocations side by side along the trials; a divisor of `lanes`. */
  readonly trialLanes: number;
  /** Vectors of four trials of an invocation. */
  readonly vecs: number;
}

/**
 * A software adapter wants few invocations that do much; a GPU many, side by
 * side along the trials, as far as these reach. Either takes more where there
 * would be too many workgroups along the rows.
 */
function chooseBlockTile(
  { trials, hiddenBlocks }: BlockLayout,
  { software }: { readonly software: boolean },
): BlockTile {
  const vectors = trials / 4;
  let trialLanes = software ? 8 : 1;
  while (!software && trialLanes < Math.min(32, vectors)) trialLanes *= 2;
  let lanes = software ? 8 : 64;
  while (hiddenBlocks * trialLanes > MOST_GROUPS * lanes) lanes *= 2;
  const vecs = software ? Math.min(4, Math.ceil(vectors / trialLanes)) : 1;
  return { lanes, trialLanes, vecs };
}

/** Hidden units that one invocation of a software adapter sums up for the read-out, without help by others. */
const MOST_UNITS_ALONE = 1024;

/** Invocations of a workgroup of the read-out on a software adapter. */
export function readoutLanes(
  { hidden }: BlockLayout,
): Omit<BlockTile, "vecs"> {
  const trialLanes = 8;
  const shares = hidden <= MOST_UNITS_ALONE ? 1 : 8;
  return { lanes: shares * trialLanes, trialLanes };
}

/** Chooses how workgroups are laid out. */
export function createBlockDispatches(
  storage: BlockStorage,
  { software }: { readonly software: boolean },
): Dispatches {
  const { hiddenBlocks, outputSize } = storage.layout;
  const tile = chooseBlockTile(storage.layout, { software });
  // The read-out has few sums, but long ones: many invocations share each. With
  // four outputs 256 would take more than the 16 KiB that every adapter has.
  const readout = software ? readoutLanes(storage.layout) : {
    lanes: outputSize < 4 ? 256 : 128,
    trialLanes: tile.trialLanes,
  };
  const constants: Partial<Record<KernelName, ShaderConstants>> = {
    blockForward: tileConstants(tile),
    blockBackward: tileConstants(tile),
    blockReadout: { LANES: readout.lanes, TRIAL_LANES: readout.trialLanes },
    blockGradient: { LANES: software ? 8 : 32, CHUNKS_ALONG },
  };
  return {
    kernels: [
      "blockLoad",
      "blockForward",
      "blockReadout",
      "finishLoss",
      "blockBackward",
      "blockGradient",
    ],
    products: {
      forward: "blockForward",
      backward: "blockBackward",
      gradient: "blockGradient",
    },
    constants: (kernel) => constants[kernel] ?? { LANES: PLAIN_LANES },
    lossTrials: 4 * readout.trialLanes,
    parts: [0],
    record: (recorder) =>
      record(recorder, {
        tile,
        readout,
        hiddenBlocks,
        mostChunks: storage.mostChunks,
      }),
  };
}

function tileConstants(
  { lanes, trialLanes, vecs }: BlockTile,
): ShaderConstants {
  return { LANES: lanes, TRIAL_LANES: trialLanes, VECS: vecs };
}

function record(
  step: StepRecorder,
  { tile, readout, hiddenBlocks, mostChunks }: {
    readonly tile: BlockTile;
    readonly readout: Omit<BlockTile, "vecs">;
    readonly hiddenBlocks: number;
    readonly mostChunks: number;
  },
): void {
  const { rows, steps, models } = step;
  const vectors = Math.ceil(rows / 4);
  const blocks = groupsFor(hiddenBlocks, tile.lanes / tile.trialLanes);
  const along = groupsFor(vectors, tile.trialLanes * tile.vecs);
  step.use("blockLoad");
  // One slot more than steps: the last has the row of ones for the read-out.
  step.dispatch([groupsFor(vectors, PLAIN_LANES), steps + 1, models]);
  step.use("blockForward");
  for (let t = 1; t <= steps; t++) {
    step.dispatch([blocks, along, step.having(t)], { step: t });
  }
  step.use("blockReadout");
  step.dispatch([steps, groupsFor(vectors, readout.trialLanes), models]);
  step.use("finishLoss");
  step.dispatch([groupsFor(models, 64), 1, 1]);
  if (step.until === "loss") return;
  step.use("blockBackward");
  for (let t = steps; t >= 1; t--) {
    step.dispatch([blocks, along, step.having(t)], { step: t });
  }
  step.use("blockGradient");
  step.dispatch([
    Math.min(mostChunks, CHUNKS_ALONG),
    groupsFor(mostChunks, CHUNKS_ALONG),
    models,
  ]);
}

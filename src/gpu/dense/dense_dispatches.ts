/**
 * The dispatches of a training step on whole matrices.
 *
 * @module
 */

import type { DenseStorage } from "./dense_storage.ts";
import {
  type Dispatches,
  groupsFor,
  PLAIN_LANES,
  type StepRecorder,
} from "../dispatches.ts";
import type { SequenceTile } from "./sequence_tile.ts";
import {
  chooseTiles,
  tileConstants,
  tileGrid,
  type TileOptions,
  type Tiles,
} from "./tiles.ts";

/** Chooses tiles. */
export function createDenseDispatches(
  storage: DenseStorage,
  options: TileOptions,
): Dispatches {
  const { layout, sequence } = storage;
  const tiles = chooseTiles(layout, options);
  const products = {
    forward: sequence === undefined ? "forwardStep" : "forwardSequence",
    backward: sequence === undefined ? "backwardStep" : "backwardSequence",
    gradient: "gradient",
  } as const;
  return {
    kernels: [
      "loadBatch",
      products.forward,
      "readout",
      "finishLoss",
      products.backward,
      "gradient",
      "readoutGradient",
      "optimizer",
    ],
    products,
    constants: (kernel) => tileConstants(kernel, { tiles, sequence }),
    lossTrials: layout.batchRows,
    parts: storage.panels,
    record: (recorder) => record(storage, { tiles, sequence }, recorder),
  };
}

function record(
  { layout, panels }: DenseStorage,
  { tiles, sequence }: {
    readonly tiles: Tiles;
    readonly sequence: SequenceTile | undefined;
  },
  step: StepRecorder,
): void {
  const { rows, steps, models, until } = step;
  const size = { rows, columns: layout.hidden / 4 };
  step.use("loadBatch");
  step.dispatch([groupsFor(rows, PLAIN_LANES), steps, models]);

  if (sequence !== undefined) {
    step.use("forwardSequence");
    step.dispatch([1, groupsFor(rows, sequence.tileRows), models]);
  } else {
    step.use("forwardStep");
    for (let t = 1; t <= steps; t++) {
      step.dispatch(
        [...tileGrid(tiles.forwardStep, size), step.having(t)],
        { step: t },
      );
    }
  }

  step.use("readout");
  step.dispatch([steps, 1, models]);
  step.use("finishLoss");
  step.dispatch([groupsFor(models, 64), 1, 1]);
  if (until === "loss") return;

  if (sequence !== undefined) {
    step.use("backwardSequence");
    step.dispatch([1, groupsFor(rows, sequence.tileRows), models]);
  } else {
    step.use("backwardStep");
    for (let t = steps; t >= 1; t--) {
      step.dispatch(
        [...tileGrid(tiles.backwardStep, size), step.having(t)],
        { step: t },
      );
    }
  }

  const wanted = step.part === undefined ? panels.keys() : [step.part];
  const alongWidth = groupsFor(layout.width / 4, PLAIN_LANES);
  for (const part of wanted) {
    const first = panels[part] as number;
    const end = panels[part + 1] ?? layout.units;
    const hiddenEnd = Math.min(end, layout.hidden);
    if (hiddenEnd > first) {
      step.use("gradient");
      step.dispatch([
        ...tileGrid(tiles.gradient, {
          rows: (hiddenEnd - first) / 4,
          columns: layout.width / 4,
        }),
        models,
      ], { part });
    }
    if (end > layout.hidden) {
      step.use("readoutGradient");
      step.dispatch([alongWidth, 1, models], { part });
    }
    if (until === "update") {
      step.use("optimizer");
      step.dispatch([alongWidth, end - first, models], { part });
    }
  }
}

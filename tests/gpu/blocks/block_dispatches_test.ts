import assert from "node:assert/strict";
import { describe, it } from "../../../src/compat/testing.ts";
import { createBlockDispatches } from "../../../src/gpu/blocks/block_dispatches.ts";
import { makeBlockLayout } from "../../../src/gpu/blocks/block_layout.ts";
import type { BlockStorage } from "../../../src/gpu/blocks/block_storage.ts";

/** The least that every adapter allows. */
const MOST_GROUPS = 65535;

/** Dispatches of a training step, by kernel. */
function dispatchesOf(
  { hiddenSize, side, rows, mostChunks, software }: {
    readonly hiddenSize: number;
    readonly side: 1 | 4;
    readonly rows: number;
    readonly mostChunks: number;
    readonly software: boolean;
  },
) {
  const size = { hiddenSize, inputSize: 2, outputSize: 1, batchRows: rows };
  const layout = makeBlockLayout(size, side);
  // All that the dispatches look at.
  const storage = { layout, mostChunks } as unknown as BlockStorage;
  const dispatches = createBlockDispatches(storage, { software });
  const found = new Map<string, (readonly number[])[]>();
  let kernel = "";
  dispatches.record({
    rows,
    steps: 3,
    models: 5,
    until: "update",
    part: undefined,
    having: (step) => 6 - step,
    use(name) {
      kernel = name;
      found.set(name, []);
    },
    dispatch: (groups) => found.get(kernel)!.push(groups),
  });
  return { layout, dispatches, found };
}

describe("dispatches on blocks", () => {
  it("reach all rows, trials and chunks, within what every adapter allows", () => {
    for (const software of [true, false]) {
      for (
        const size of [
          { hiddenSize: 1, side: 4, rows: 1, mostChunks: 2 },
          { hiddenSize: 220, side: 4, rows: 128, mostChunks: 2000 },
          { hiddenSize: 65_536, side: 1, rows: 128, mostChunks: 9_000_000 },
          { hiddenSize: 65_536, side: 4, rows: 3, mostChunks: 32_769 },
          { hiddenSize: 250_000, side: 1, rows: 300, mostChunks: 40_000 },
        ] as const
      ) {
        const { layout, dispatches, found } = dispatchesOf({
          ...size,
          software,
        });
        for (const groups of [...found.values()].flat()) {
          assert.equal(groups.length, 3);
          for (const count of groups) {
            assert.ok(count >= 1 && count <= MOST_GROUPS, `${groups}`);
          }
        }
        for (const kernel of ["blockForward", "blockBackward"] as const) {
          const { LANES, TRIAL_LANES, VECS } = dispatches.constants(kernel);
          assert.ok(LANES! <= 256);
          assert.equal(LANES! % TRIAL_LANES!, 0);
          const all = found.get(kernel)!;
          // A dispatch a step, of the models that have it.
          assert.deepEqual(
            all.map(([, , models]) => models),
            kernel === "blockForward" ? [5, 4, 3] : [3, 4, 5],
          );
          for (const [x, y] of all) {
            assert.ok(x! * LANES! / TRIAL_LANES! >= layout.hiddenBlocks);
            assert.ok(y! * TRIAL_LANES! * VECS! * 4 >= size.rows);
          }
        }
        const [[x, y, models]] = found.get("blockGradient") as [number[]];
        assert.ok(x! * y! >= size.mostChunks);
        assert.ok(y === 1 || x === 32768, "as block_gradient.wgsl counts them");
        assert.equal(models, 5);
        const [[steps, tiles, all]] = found.get("blockReadout") as [number[]];
        assert.deepEqual([steps, all], [3, 5]);
        assert.ok(tiles! * dispatches.lossTrials >= size.rows);
        assert.equal(
          dispatches.lossTrials,
          4 * dispatches.constants("blockReadout").TRIAL_LANES!,
        );
        assert.equal(found.get("blockLoad")![0]![1], 4);
      }
    }
  });
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { removeTemporaries } from "../../src/train/temporary_files.ts";
import { filesBelow } from "../soak/tiny_experiment.ts";

const SUFFIX = ".77-3-0123abcd.tmp";
const OF_RUN_0_1 = [
  `0/model_state_dict_epoch_9_iter_1.safetensors${SUFFIX}`,
  `runs/0_1.safetensors${SUFFIX}`,
  `runs/0_1.state_9.safetensors${SUFFIX}`,
];
const OF_RUN_10_1 = [
  `runs/10_1.safetensors${SUFFIX}`,
  `runs/10_1.state_9.safetensors${SUFFIX}`,
];
const OF_ALL = [`0/train_loss_all.npy${SUFFIX}`, `experiment.json${SUFFIX}`];
const OTHERS = [
  "0/train_loss_all.npy",
  `figs/plot.svg${SUFFIX}`,
  "notes.tmp",
  "runs/0_1.safetensors",
];

async function withFiles(body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    for (const name of ["0", "figs", "runs"]) {
      await Deno.mkdir(join(folder, name));
    }
    for (const name of [OF_RUN_0_1, OF_RUN_10_1, OF_ALL, OTHERS].flat()) {
      await Deno.writeTextFile(join(folder, name), "half");
    }
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function assertLeft(folder: string, names: readonly string[]) {
  const left = [...(await filesBelow(folder)).keys()].sort();
  assert.deepEqual(left, [...names].sort());
}

describe("removeTemporaries()", () => {
  it("removes all of them, and nothing else, where nobody else writes", () =>
    withFiles(async (folder) => {
      await removeTemporaries(folder, { own: "all" });
      await assertLeft(folder, OTHERS);
    }));

  it("leaves alone what other shards may be writing", () =>
    withFiles(async (folder) => {
      await removeTemporaries(folder, {
        own: [{ combination: 0, iteration: 1 }],
      });
      await assertLeft(folder, [...OF_RUN_10_1, ...OF_ALL, ...OTHERS]);
    }));

  it("removes what nobody has touched for days", () =>
    withFiles(async (folder) => {
      const old = new Date(Date.now() - 3 * 24 * 60 * 60 * 1000);
      await Deno.utime(join(folder, OF_ALL[0] as string), old, old);
      await removeTemporaries(folder, { own: [] });
      await assertLeft(folder, [
        ...OF_RUN_0_1,
        ...OF_RUN_10_1,
        OF_ALL[1] as string,
        ...OTHERS,
      ]);
    }));
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { makeResults } from "../viz/make_results.ts";
import { withFolder } from "../with_folder.ts";
import { assertRefuses, runTask } from "./run_task.ts";

describe("deno task power", () => {
  it("tells the iterations that a guessed spread asks for", async () => {
    const { code, stdout, stderr } = await runTask("power", [
      ...["--sd", "0.2", "--difference", "50", "--iterations", "8"],
    ]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^Spread \(a guess\): standard deviation 0\.2 of log/);
    // 50 % are 2.5 standard deviations of a pair: what the smallest p allows is enough.
    assert.match(stdout, /^a difference of 50 %, over all +7 +5 +100 %$/m);
    assert.match(
      stdout,
      /^equivalence within 10 % of what is learned, over all/m,
    );
  });

  it("measures the spread of a pilot", async () => {
    await withFolder(async (root) => {
      const folders = [0, 1].map((seed) => join(root, `${seed}`));
      for (const [seed, folder] of folders.entries()) {
        await makeResults({
          folder,
          seed,
          epochs: 40,
          iterations: 6,
          grid: { lr: [0.001], pattern_length: [3, 5] },
        });
      }
      const { code, stdout, stderr } = await runTask("power", [
        ...["--results_folders", ...folders, "--difference", "60"],
      ]);
      assert.equal(code, 0, stderr);
      assert.match(
        stdout,
        /2 combinations that were learned\): standard deviation 0\.\d+/,
      );
      assert.match(
        stdout,
        /^a difference of 60 %, in one combination +\d+ +\d+$/m,
      );
    });
  });

  it("tells bad input in one sentence", async () => {
    await assertRefuses("power", [
      [
        ["--difference", "20"],
        /^error: Cannot plan: give either a pilot with --results_folders or a guess with --sd/,
      ],
      [
        ["--sd", "0"],
        /Cannot use --sd "0": it must be a number from .* to 10$/,
      ],
      [
        ["--sd", "1", "--iterations", "1.5"],
        /Cannot use --iterations "1\.5": it must be an integer from 1 to 9999$/,
      ],
      [["--results_folders", "/nowhere"], /there is no such folder/],
    ]);
  });
});

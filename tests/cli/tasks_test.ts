import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { TASKS } from "../../src/tasks/registry.ts";
import { withFolder } from "../with_folder.ts";
import { assertRefuses, runTask } from "./run_task.ts";

describe("deno task tasks", () => {
  it("lists every task with what it is", async () => {
    const { code, stdout } = await runTask("tasks", ["list"]);
    assert.equal(code, 0);
    for (const { name, description } of TASKS.values()) {
      assert.ok(description !== undefined && !description.endsWith("."));
      assert.ok(stdout.includes(name) && stdout.includes(description));
    }
  });

  it("draws trials of numbers, of classes and of pictures", async () => {
    await withFolder(async (folder) => {
      for (const name of ["seq_mem", "match_to_sample", "pic_mem"]) {
        const args = ["show", name, "--out", folder];
        const { code, stdout } = await runTask("tasks", args);
        assert.equal(code, 0, name);
        assert.match(stdout, new RegExp(`^${name}: `));
        const svg = await Deno.readTextFile(join(folder, `trial_${name}.svg`));
        assert.ok(svg.includes("time step") && svg.includes("target"), name);
      }
    });
  });

  it("tells in one sentence what can't be shown", async () => {
    await assertRefuses("tasks", [
      [[], /give list, or show NAME$/],
      [["show", "seq_men"], /did you mean "seq_mem"\?/],
      [["show", "seq_mem", "length=3"], /did you mean "pattern_length"\?/],
      [["show", "seq_mem", "pattern_length=0"], /from 1 to 10000$/],
      [["show", "seq_mem", "pattern_length=1.5"], /a whole number from 1/],
      [["show", "nback_mem", "n_back=5"], /needs a trial_length above 5/],
      [["show", "pic_mem", "rescale=1"], /it must be True or False$/],
      [["show", "seq_mem", "--seed", "-1"], /it must be an integer from 0$/],
    ]);
  });
});

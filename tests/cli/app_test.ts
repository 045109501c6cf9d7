import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { runTask } from "./run_task.ts";
import { withFolder } from "../with_folder.ts";

describe("deno task app --build", () => {
  it("writes the page, again where it is, and over nobody else's", async () => {
    await withFolder(async (folder) => {
      const site = join(folder, "site");
      const index = join(site, "index.html");
      for (let times = 0; times < 2; times++) {
        const { code, stderr } = await runTask("app", ["--build", site]);
        assert.equal(code, 0, stderr);
      }
      assert.match(await Deno.readTextFile(index), /src="page.js"/);
      await Deno.writeTextFile(index, "<title>My own</title>");
      const own = await runTask("app", ["--build", site]);
      assert.equal(own.code, 2);
      assert.match(
        own.stderr,
        /^error: Cannot write the page to .*another page's/,
      );
      assert.match(await Deno.readTextFile(index), /My own/);
      const file = await runTask("app", ["--build", index]);
      assert.equal(file.code, 2);
      assert.match(file.stderr, /^error: Cannot make the folder .* is a file/);
    });
  });
});

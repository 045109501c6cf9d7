import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";

async function hang(patience: number, seconds: number): Promise<string[]> {
  const { code, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--allow-read",
      new URL("./hanging_program.ts", import.meta.url).pathname,
      String(patience),
      String(seconds),
    ],
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(code, 0);
  return new TextDecoder().decode(stderr).split("\n")
    .filter((line) => line.startsWith("warning"));
}

describe("startWatchdog()", () => {
  it("tells of a hanging device, again when the silence has doubled", async () => {
    const lines = await hang(0.5, 1.8);
    assert.equal(lines.length, 2, lines.join("\n"));
    assert.match(
      lines[0] ?? "",
      /no progress for 0:01.*an epoch took 0:0\d at most.*kill -9 \d+.*--resume/,
    );
  });

  it("is silent while there is progress", async () => {
    assert.deepEqual(await hang(5, 0.1), []);
  });
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { makeResults } from "../viz/make_results.ts";

const SCRIPT = new URL("../../src/cli/power.ts", import.meta.url).pathname;

async function power(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-prompt", "--allow-read", SCRIPT, ...args],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  return { code, output: decode(stdout), errors: decode(stderr).trim() };
}

describe("deno task power", () => {
  it("tells the iterations that a guessed spread asks for", async () => {
    const { code, output, errors } = await power(
      ...["--sd", "0.2", "--difference", "50", "--iterations", "8"],
    );
    assert.equal(errors, "");
    assert.equal(code, 0);
    assert.match(output, /^Spread \(a guess\): standard deviation 0\.2 of log/);
    // 50 % are 2.5 standard deviations of a pair: what the smallest p allows is enough.
    assert.match(output, /^a difference of 50 %, over all +7 +5 +100 %$/m);
    assert.match(
      output,
      /^equivalence within 10 % of what is learned, over all/m,
    );
  });

  it("measures the spread of a pilot", async () => {
    const root = await Deno.makeTempDir();
    try {
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
      const { code, output } = await power(
        ...["--results_folders", ...folders, "--difference", "60"],
      );
      assert.equal(code, 0);
      assert.match(
        output,
        /2 combinations that were learned\): standard deviation 0\.\d+/,
      );
      assert.match(
        output,
        /^a difference of 60 %, in one combination +\d+ +\d+$/m,
      );
    } finally {
      await Deno.remove(root, { recursive: true });
    }
  });

  for (
    const [what, args, sentence] of [
      [
        "neither pilot nor guess",
        ["--difference", "20"],
        /give either a pilot with --results_folders or a guess with --sd/,
      ],
      [
        "a spread of nothing",
        ["--sd", "0"],
        /Cannot use --sd "0": it must be a number from .* to 10$/,
      ],
      [
        "half an iteration",
        ["--sd", "1", "--iterations", "1.5"],
        /Cannot use --iterations "1\.5": it must be an integer from 1 to 9999$/,
      ],
      [
        "a folder that is not there",
        ["--results_folders", "/nowhere"],
        /there is no such folder/,
      ],
    ] as const
  ) {
    it(`tells ${what} in one sentence`, async () => {
      const { code, output, errors } = await power(...args);
      assert.equal(code, 2);
      assert.equal(output, "");
      assert.match(errors, /^error: [^\n]*$/);
      assert.match(errors, sentence);
    });
  }
});

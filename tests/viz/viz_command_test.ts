import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { writeNpy } from "../../src/files/npy.ts";
import { makeNetworks } from "./make_networks.ts";
import { makeResults } from "./make_results.ts";

const SCRIPT = new URL("../../src/cli/viz.ts", import.meta.url).pathname;

/** Runs the command with the permissions of its task, no others. */
async function viz(...args: string[]) {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "--no-prompt",
      "--allow-read",
      "--allow-write",
      SCRIPT,
      ...args,
    ],
    env: { NO_COLOR: "1" },
    stdout: "piped",
    stderr: "piped",
  }).output();
  const decode = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  // Deno tells on the same stream what it downloads.
  const errors = decode(stderr).split("\n").filter((line) =>
    line !== "" && !line.startsWith("Download ")
  );
  return { code, output: decode(stdout), errors };
}

const root = await Deno.makeTempDir();
addEventListener("unload", () => Deno.removeSync(root, { recursive: true }));
const bio = join(root, "bio");
const rand = join(root, "rand");
const figs = join(root, "figs");
const SMALL = {
  grid: { lr: [0.001, 1e-6], nonlinearity: ["relu"], pattern_length: [3] },
  iterations: 2,
  epochs: 8,
};
await makeResults({ ...SMALL, folder: bio });
await makeNetworks(bio, { epochs: 8 });
await makeResults({ ...SMALL, folder: rand, seed: 1 });

describe("deno task viz", () => {
  function standard(...more: string[]): string[] {
    return [
      ...["--results_folders", bio, rand, "--results_labels", "bio", "rand"],
      ...["--save_figs", figs, ...more],
    ];
  }

  it("writes every figure in every format, statistics and a report, and says what it found", async () => {
    const { code, output, errors } = await viz(...standard("--ylabel", "loss"));
    assert.deepEqual(errors, []);
    assert.equal(code, 0);
    const figures = [
      "boxplots",
      "effects",
      "loss_00_lr-0.001_relu_pattern_length-3",
      "loss_01_lr-1e-06_relu_pattern_length-3",
      "networks_bio",
      "overview_loss",
      "overview_minimum",
    ];
    assert.deepEqual(
      [...Deno.readDirSync(figs)].map(({ name }) => name).sort(),
      [
        ...figures.flatMap((name) =>
          ["png", "svg", "vl.json"].map((ending) => `${name}.${ending}`)
        ),
        "figures.sha256",
        "report.html",
        "statistics.csv",
      ].sort(),
    );
    assert.match(
      output,
      /^minimum validation loss +runs +beat baseline.*\nbio +4 +2 /,
    );
    assert.match(output, /^ {2}boxplots\.svg \.png \.vl\.json$/m);
    for (const name of figures) {
      const spec = JSON.parse(
        await Deno.readTextFile(join(figs, `${name}.vl.json`)),
      );
      assert.equal(
        spec.$schema,
        "https://vega.github.io/schema/vega-lite/v6.json",
      );
    }
  });

  it("writes one figure on request", async () => {
    const save = join(root, "single");
    const { code, output } = await viz(
      ...["--results_folders", bio, "--results_labels", "bio"],
      ...["--save_figs", save, "--combination", "1", "--formats", "svg"],
    );
    assert.equal(code, 0);
    assert.deepEqual(
      [...Deno.readDirSync(save)].map(({ name }) => name).sort(),
      [
        "loss_01_lr-1e-06_relu_pattern_length-3.svg",
        "figures.sha256",
      ].sort(),
    );
    assert.match(output, /^Wrote 1 file to /);
  });

  it("never replaces a file that is somebody else's, unless told to", async () => {
    const save = join(root, "own");
    const args = [
      ...["--results_folders", bio, "--results_labels", "bio"],
      ...["--save_figs", save, "--only", "boxplots", "--formats", "vl.json"],
    ];
    assert.equal((await viz(...args)).code, 0);
    // Its own files it replaces as often as one likes.
    assert.equal((await viz(...args)).code, 0);
    const file = join(save, "boxplots.vl.json");
    await Deno.writeTextFile(file, "mine");
    const refused = await viz(...args);
    assert.equal(refused.code, 2);
    assert.match(
      refused.errors[0]!,
      /boxplots\.vl\.json in it would be replaced, but was not written by biornn, or changed since\. Choose another folder, or add --overwrite$/,
    );
    assert.equal(await Deno.readTextFile(file), "mine");
    assert.equal((await viz(...args, "--overwrite")).code, 0);
    assert.match(await Deno.readTextFile(file), /vega-lite/);
  });

  it("warns of letters that the font lacks, and draws labels as they are", async () => {
    const { code, errors } = await viz(
      ...[
        "--results_folders",
        bio,
        rand,
        "--results_labels",
        "漢字",
        "valueOf",
      ],
      ...["--save_figs", join(root, "letters"), "--only", "boxplots"],
      ...["--formats", "png", "pdf", "--width", "85", "--dpi", "150"],
    );
    assert.equal(code, 0);
    assert.match(
      errors.join("\n"),
      /the font of the figures has no letters for 漢字/,
    );
  });

  it("draws results of different tasks, but does not compare them", async () => {
    const nback = join(root, "nback");
    await makeResults({
      ...SMALL,
      folder: nback,
      task: "nback_mem",
      grid: { lr: [0.001, 0.1], n_back: [2] },
    });
    const save = join(root, "tasks");
    const { code, errors } = await viz(
      ...["--results_folders", bio, nback, "--results_labels", "bio", "nback"],
      ...["--save_figs", save, "--only", "overview", "--formats", "svg"],
    );
    assert.equal(code, 0, errors.join("\n"));
    assert.match(
      errors.join("\n"),
      /different tasks, so that their numbers are not compared/,
    );
  });

  it("names the curves that it leaves out", async () => {
    const broken = join(root, "broken");
    await makeResults({
      folder: broken,
      iterations: 2,
      epochs: 4,
      grid: { lr: [0.1] },
    });
    await Deno.writeFile(
      join(broken, "0", "validate_loss_all.npy"),
      writeNpy({
        shape: [2, 4],
        data: Float64Array.of(9, 3, 2, 1, 9, NaN, NaN, NaN),
      }),
    );
    const { code, errors } = await viz(
      ...["--results_folders", broken, "--results_labels", "bio"],
      ...["--save_figs", join(root, "left_out"), "--formats", "vl.json"],
    );
    assert.equal(code, 0);
    assert.ok(
      errors.includes(
        "warning: bio: the validation loss of lr 0.1, iteration 1, is NaN or infinite; its curve is not drawn",
      ),
      errors.join("\n"),
    );
  });

  const cases: [string, () => string[] | Promise<string[]>, RegExp][] = [
    [
      "a missing folder",
      () => standard().with(1, join(root, "nowhere")),
      /Cannot read the results in ".*nowhere": there is no such folder$/,
    ],
    [
      "a folder without results",
      () => standard().with(1, root),
      /it is no results folder, as it has no folder_index\.txt; it holds folders that are: .* and /,
    ],
    [
      "fewer labels than folders",
      () => standard().toSpliced(5, 1),
      /there are 2 results folders, and --results_labels names 1; there must be a label for each folder$/,
    ],
    [
      "a label given twice",
      () => standard().with(5, "bio"),
      /two folders have the label "bio"; name each by --results_labels$/,
    ],
    [
      "a folder given twice",
      () => standard().with(2, bio),
      /the folder ".*" is given twice$/,
    ],
    [
      "a label with a line break",
      () => standard().with(5, "bio\nrandom"),
      /the label "bio random" has characters that can't be shown$/,
    ],
    [
      "a truncated file",
      async () => {
        const cut = join(root, "cut");
        await makeResults({
          folder: cut,
          iterations: 1,
          epochs: 4,
          grid: { lr: [0.1] },
        });
        await Deno.truncate(join(cut, "0", "train_loss_all.npy"), 140);
        return standard().with(1, cut);
      },
      /Cannot read ".*train_loss_all\.npy": its header says shape \(1, 4\)/,
    ],
    [
      "a file where the figures' folder should be",
      async () => {
        const file = join(root, "file");
        await Deno.writeTextFile(file, "");
        return standard().with(7, file);
      },
      /Cannot make the folder ".*file": it, or a part of its path, is a file$/,
    ],
    [
      "a figures' folder below a file",
      () => standard().with(7, join(bio, "folder_index.txt", "figs")),
      /Cannot make the folder ".*figs": it, or a part of its path, is a file$/,
    ],
    [
      "a width that no journal has",
      () => standard("--width", "100"),
      /Cannot use --width "100": allowed are 85 and 178$/,
    ],
    [
      "a margin that is none",
      () => standard("--margin", "0"),
      /Cannot use --margin "0": it must be a number above 0, at most 1000$/,
    ],
    [
      "an unknown format",
      () => standard("--formats", "jpg"),
      /Cannot use --formats "jpg": allowed are svg, png, pdf, vl\.json and html/,
    ],
    [
      "a combination that is not there",
      () => standard("--combination", "7"),
      /Cannot draw combination 7: no folder has a curve of it/,
    ],
    [
      "no folder for figures",
      () => standard().slice(0, 6),
      /--save_figs is needed/,
    ],
  ];
  for (const [what, args, sentence] of cases) {
    it(`tells ${what} in one sentence`, async () => {
      const { code, output, errors } = await viz(...await args());
      assert.equal(code, 2);
      assert.equal(output, "");
      assert.equal(errors.length, 1, errors.join("\n"));
      assert.match(errors[0] as string, /^error: /);
      assert.match(errors[0] as string, sentence);
    });
  }
});

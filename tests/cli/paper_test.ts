import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { assertRefuses, runTask } from "./run_task.ts";
import { withFolder } from "../with_folder.ts";

/** One experiment on the connectome that comes along, in small. */
const SHORT = [
  ...["--species", "synthetic", "--task", "seq_mem"],
  ...["--strategies", "random_ranked", "--epochs", "4", "--iterations", "2"],
  ...["--set", "net.nr_neurons=1", "--set", "combos_params.lr=[0.01]"],
  ...["--set", "combos_params.pattern_length=[3]", "--device", "cpu"],
];
const CELL = "synthetic_seq_mem_random_ranked";

describe("deno task paper", () => {
  it("trains an experiment's networks in parts, goes on, and reports on all", async () => {
    await withFolder(async (folder) => {
      const results = join(folder, "paper");
      const args = [
        ...SHORT,
        ...["--arms", "none", "degrees", "--path_to_results", results],
      ];
      const part = await runTask("paper", [...args, "--shard", "0/2"]);
      assert.equal(part.code, 0, part.stderr);
      assert.match(part.stdout, /runs of other parts are still to come/);
      assert.match(part.stdout, /no report yet/);
      const rest = await runTask("paper", [...args, "--shard", "1/2"]);
      assert.equal(rest.code, 0, rest.stderr);
      assert.match(rest.stdout, /^Wrote 5 files about 1 experiment /m);
      const arms = ["bio", "degrees", "degrees_matched"];
      assert.deepEqual(
        [...Deno.readDirSync(join(results, CELL))].map(({ name }) => name)
          .sort(),
        arms,
      );
      const figs = join(results, "figs");
      const table = (await Deno.readTextFile(join(figs, "paper.csv"))).trim()
        .split("\r\n");
      assert.deepEqual(
        table.slice(1).map((line) =>
          /"([^"]*)",(\w+),(\d+),/.exec(line)!.slice(1)
        ),
        arms.map((arm) => [
          "synthetic · seq_mem · random partition, ranked",
          arm,
          "8",
        ]),
      );
      const report = await Deno.readTextFile(join(figs, "report.html"));
      assert.match(
        report,
        /1 experiment, 3 networks, 24 trainings of 4 epochs/,
      );
      await Deno.stat(join(figs, "forest.svg"));
      // Null models that are added later join what is there.
      const more = await runTask("paper", [
        ...SHORT,
        ...["--arms", "none", "permute", "--match", "none", "--resume"],
        ...["--path_to_results", results],
      ]);
      assert.equal(more.code, 0, more.stderr);
      assert.match(
        await Deno.readTextFile(join(figs, "report.html")),
        /1 experiment, 4 networks, 32 trainings/,
      );
    });
  });

  it("counts the trainings without training", async () => {
    await withFolder(async (folder) => {
      const { code, stdout } = await runTask("paper", [
        ...SHORT,
        ...["--arms", "none", "permute", "regions", "--dry-run"],
        ...["--path_to_results", join(folder, "paper")],
      ]);
      assert.equal(code, 0);
      // 5 networks, of which 2 are matched, of 4 combinations and 2 iterations.
      assert.match(
        stdout,
        /synthetic +seq_mem +1 strategy × 5 networks × 8 +40 /,
      );
      assert.deepEqual([...Deno.readDirSync(folder)], []);
    });
  });

  it("goes on without a connectome that can't be had, and says so", async () => {
    await withFolder(async (folder) => {
      const { code, stdout, stderr } = await runTask("paper", [
        ...SHORT,
        ...["--species", "macaque", "synthetic", "--dry-run"],
        ...["--path_to_results", join(folder, "paper")],
      ], {
        // A proxy that is none stands for a machine without a network.
        env: {
          BIORNN_CACHE: join(folder, "cache"),
          HTTPS_PROXY: "http://127.0.0.1:9",
        },
      });
      assert.equal(code, 2);
      assert.match(stderr, /^warning: macaque is left out: Cannot download /m);
      assert.match(stdout, /^synthetic /m);
    });
  });

  it("tells bad input in a sentence", async () => {
    await assertRefuses("paper", [
      [["config.ini"], /^error: Cannot repeat the paper: it takes flags only/],
      [["--species", "macaq"], /--species "macaq": .*did you mean "macaque"/],
      [["--arms", "degree"], /--arms "degree": .*did you mean "degrees"/],
      [
        ["--species", "synthetic", "--set", "net.match=activity"],
        /^error: Cannot use --set net\.match: .*--match/,
      ],
      [
        ["--species", "synthetic", "--epochs", "0"],
        /^error: Cannot use --epochs "0"/,
      ],
      // Before anything is trained.
      [
        ["--species", "synthetic", "--dry-run", "--width", "90"],
        /^error: Cannot use --width "90"/,
      ],
    ]);
  });
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { shellWord } from "../../src/cli/shell.ts";
import { describe, it } from "../../src/compat/testing.ts";
import { withFolder } from "../with_folder.ts";
import { runTask, type TaskOptions, type TaskResult } from "./run_task.ts";

const TINY = [
  ...["--device", "cpu", "--epochs", "1", "--iterations", "1"],
  ...["--set", "net.nr_neurons=1", "--set", "trial_params.nr_of_trials=10"],
];

/** Trains a small experiment in a folder, as a user does who is in it. */
async function trainIn(
  folder: string,
  { args = [], env = {} }: {
    readonly args?: readonly string[];
  } & TaskOptions = {},
): Promise<TaskResult> {
  await Deno.copyFile(
    new URL("../../config/quickstart.ini", import.meta.url),
    join(folder, "mine.ini"),
  );
  return await runTask("train", ["mine.ini", ...TINY, ...args], {
    env: { INIT_CWD: folder, ...env },
  });
}

async function inFolder(
  body: (folder: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => body(await Deno.realPath(folder)));
}

describe("paths of the command line", () => {
  it("begin at the user's folder, wherever the task runs", () =>
    inFolder(async (folder) => {
      const trained = await trainIn(folder, {
        args: ["--path_to_results", "out"],
      });
      assert.equal(trained.code, 0, trained.stderr);
      assert.match(trained.stdout, /The results are in out\n/);
      assert.ok((await Deno.stat(join(folder, "out/experiment.json"))).isFile);
      const env = { INIT_CWD: folder };
      const status = await runTask("status", ["out"], { env });
      assert.match(status.stdout, /^out: seq_mem/);
      const drawn = await runTask(
        "viz",
        [
          ...["--results_folders", "out", "--results_labels", "bio"],
          ...["--save_figs", "figs", "--formats", "svg", "--only", "overview"],
        ],
        { env },
      );
      assert.match(drawn.stdout, /to figs in/, drawn.stderr);
      assert.ok((await Deno.stat(join(folder, "figs"))).isDirectory);
    }));

  it("begin where a program starts the command itself, whatever a task was told", () =>
    inFolder(async (folder) => {
      await trainIn(folder, { args: ["--path_to_results", "out"] });
      const { code, stdout } = await new Deno.Command(Deno.execPath(), {
        args: [
          ...["run", "--quiet", "--allow-read", "--allow-env=INIT_CWD"],
          fileURLToPath(new URL("../../src/cli/status.ts", import.meta.url)),
          "out",
        ],
        cwd: folder,
        env: { INIT_CWD: "/" },
      }).output();
      assert.equal(code, 0);
      assert.match(new TextDecoder().decode(stdout), /^out: seq_mem/);
    }));

  it("that a shell should have written out are refused in a sentence", async () => {
    for (
      const path of [
        "$SCRATCH/x",
        "${HOME}/x",
        "%USERPROFILE%\\x",
        "~bob/x",
        "~",
        '"x"',
        "",
        "x".repeat(300),
      ]
    ) {
      for (
        const [task, args] of [
          ["train", ["config/quickstart.ini", `--path_to_results=${path}`]],
          ["status", [path]],
        ] as const
      ) {
        if (path === "" && task === "train") continue;
        const { code, stderr } = await runTask(task, args);
        assert.equal(code, 2, path);
        assert.match(
          stderr.trim(),
          /^error: Cannot use .* it must be a path[^\n]*$/,
        );
      }
    }
  });
});

describe("the line that is to be pasted", () => {
  it("gives a shell the words that are meant", async () => {
    if (Deno.build.os === "windows") return;
    const words = [
      "results/bio",
      "a b",
      "it's",
      "`x`",
      "$HOME",
      "${HOME}",
      'say "x"',
      "a\\b",
      "-rf",
      "--flag",
      "~/x",
      "*",
      "a;b",
      "a&b",
      "!x",
      "#x",
      "é",
    ];
    const { stdout } = await new Deno.Command("sh", {
      args: ["-c", `printf '%s\\n' ${words.map(shellWord).join(" ")}`],
    }).output();
    assert.deepEqual(
      new TextDecoder().decode(stdout).trimEnd().split("\n"),
      words.map((word) => word.startsWith("-") ? `./${word}` : word),
    );
  });

  it("begins as the user calls Deno, and names biornn's folder where he is in another", () =>
    inFolder(async (folder) => {
      const bin = join(folder, "bin");
      const npx = join(folder, "_npx", "1", "node_modules", ".bin");
      for (const path of [bin, npx]) {
        await Deno.mkdir(path, { recursive: true });
        await Deno.writeTextFile(join(path, "deno"), "");
      }
      for (
        const [path, start] of [
          [bin, "deno task"],
          [npx, `npx -y deno@${Deno.version.deno} task`],
          [folder, `npx -y deno@${Deno.version.deno} task`],
        ] as const
      ) {
        const { stdout } = await trainIn(folder, {
          args: ["--path_to_results", "it's", "--overwrite"],
          env: { PATH: path },
        });
        const [, line = ""] = /^Next: (.*)$/m.exec(stdout) ?? [];
        assert.ok(line.startsWith(`${start} --config /`), line);
        assert.ok(line.includes(`/deno.json viz --results_folders 'it'\\''s'`));
      }
    }));
});

describe("output that nobody can read", () => {
  it("is told in a sentence, and ends no training", () =>
    inFolder(async (folder) => {
      if (Deno.build.os !== "linux") return;
      const run = async (command: string) => {
        const { code, stderr } = await new Deno.Command("sh", {
          args: ["-c", command],
          env: { INIT_CWD: folder, NO_COLOR: "1" },
          cwd: new URL("../../", import.meta.url),
        }).output();
        return { code, stderr: new TextDecoder().decode(stderr) };
      };
      const deno = `${Deno.execPath()} run --quiet -A src/cli`;
      const help = await run(`${deno}/status.ts --help >/dev/full`);
      assert.equal(help.code, 1);
      assert.equal(
        help.stderr,
        "error: Cannot write to standard output: the disk is full\n",
      );
      await trainIn(folder, { args: ["--dry-run"] });
      const trained = await run(
        `${deno}/train.ts mine.ini ${
          TINY.join(" ")
        } --path_to_results out >/dev/full 2>/dev/full`,
      );
      assert.equal(trained.code, 0);
      const status = await run(`${deno}/status.ts out`);
      assert.equal(status.code, 0, status.stderr);
    }));
});

/**
 * Writes the benchmark's models for programs in Python.
 *
 * @module
 */

import type { Flags } from "../src/compat/cli.ts";
import { type Command, print } from "../src/cli/run_command.ts";
import { InputError } from "../src/files/input_error.ts";
import { exportProblem } from "./export_problem.ts";
import { countFlag, countsFlag } from "./flags.ts";
import { gridProblem } from "./grid_problem.ts";

const HELP =
  `Writes the benchmark's models as a folder that bench/peers/*.py read.

Usage: deno task bench:export FOLDER [flags]

With the environment variable BIORNN_CONNECTOMES, a folder, the marmoset's
connectome is taken, without it the synthetic one.

  --models N            the first N models of the grid only
  --iterations N        runs of each of the 24 combinations; default 5
  --pattern_lengths L…  default 3 5 10`;

/** `deno task bench:export` */
export const exportCommand: Command = {
  help: HELP,
  flags: {
    boolean: [],
    string: ["models", "iterations"],
    list: ["pattern_lengths"],
  },
  async run(flags: Flags): Promise<number> {
    const [, folder, more] = flags.positional;
    if (folder === undefined || more !== undefined) {
      throw new InputError("Cannot export: one folder must be named");
    }
    const connectomes = Deno.env.get("BIORNN_CONNECTOMES");
    const { spec, network } = await gridProblem({
      ...(connectomes === undefined ? {} : { connectomes }),
      iterations: countFlag(flags, { name: "iterations", fallback: 5 }),
      patternLengths: countsFlag(flags, {
        name: "pattern_lengths",
        fallback: [3, 5, 10],
      }),
      most: countFlag(flags, { name: "models", fallback: 1_000_000 }),
    });
    await Deno.mkdir(folder, { recursive: true });
    await exportProblem(folder, spec);
    print(`${spec.runs.length} models of ${network} in ${folder}`);
    return 0;
  },
};

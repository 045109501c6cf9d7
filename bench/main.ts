/**
 * Where the benchmarks start: `bench/main.ts COMMAND [flags]`. Also what
 * `bench/gpu_machine/pack.sh` bundles.
 *
 * @module
 */

import {
  type Command,
  printError,
  runCommand,
} from "../src/cli/run_command.ts";
import { compareCommand } from "./compare.ts";
import { exportCommand } from "./export_problem.ts";
import { gridCommand } from "./grid.ts";
import { kernelsCommand } from "./kernels.ts";
import { scalingCommand } from "./scaling.ts";
import { stepCommand } from "./step.ts";

const COMMANDS = new Map<string, Command>([
  ["compare", compareCommand],
  ["export", exportCommand],
  ["grid", gridCommand],
  ["kernels", kernelsCommand],
  ["scaling", scalingCommand],
  ["step", stepCommand],
]);

const [name = ""] = Deno.args;
const command = COMMANDS.get(name);
if (command === undefined) {
  printError(
    `error: ${
      name === "" ? "a command is missing" : `"${name}" is no command`
    }; there are ${[...COMMANDS.keys()].join(", ")}, each with --help`,
  );
  Deno.exit(2);
}
await runCommand(command);

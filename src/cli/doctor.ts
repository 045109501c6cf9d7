/**
 * `deno task doctor`: checks the machine's adapter against PyTorch.
 *
 * @module
 */

import { fileURLToPath } from "node:url";
import type { Flags } from "../compat/cli.ts";
import {
  describeAdapter,
  describeReport,
  reportHeading,
} from "../doctor/describe.ts";
import type { GoldenCase } from "../doctor/golden_case.ts";
import { readCases } from "../doctor/read_cases.ts";
import { replayCase } from "../doctor/replay.ts";
import type { Engine } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { createWebGpuEngine, type WebGpuEngine } from "../gpu/engine.ts";
import { createReferenceEngine } from "../reference/engine.ts";
import { ADAPTER_ADVICE, readDeviceChoice } from "../train/choose_engine.ts";
import { print, printError, runCommand } from "./run_command.ts";

const HELP =
  `Trains small networks that PyTorch has trained in double precision, on this
machine's adapter, and shows how far the numbers are off.

  deno task doctor [flags]

  --cases DIR               replay the cases of that folder (format: tests/golden/README.md)
  --device auto|gpu|cpu     auto: the GPU where there is one, else the float64 reference engine
  --help                    this text

A line a case: the worst relative error of its losses, the relative norm of the
error of its gradients, the worst error of its weights, and "ok" or what is off.
Exit code 0 if all are ok, 1 if any is off, 2 if the cases can't be read.`;

const OWN_CASES = fileURLToPath(new URL("../../tests/golden", import.meta.url));

/** The adapter's engine; undefined where there is none. */
async function openAdapter(): Promise<WebGpuEngine | undefined> {
  try {
    return await createWebGpuEngine();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError) throw error;
    throw new InputError(
      `Cannot use this machine's WebGPU adapter: ${error.message}; --device cpu checks the float64 reference engine`,
      { cause: error },
    );
  }
}

/** The engine to check, with the machine described on the way. */
async function openEngine(flags: Flags): Promise<Engine> {
  const choice = readDeviceChoice(flags.string.device);
  const engine = choice === "cpu" ? undefined : await openAdapter();
  if (engine !== undefined) {
    for (const line of describeAdapter(engine.adapter)) print(line);
    return engine;
  }
  if (choice === "gpu") {
    throw new InputError(
      `Cannot use --device gpu: this machine has no WebGPU adapter; ${ADAPTER_ADVICE}`,
    );
  }
  if (choice === "auto") {
    printError(
      `warning: no WebGPU adapter was found, so the float64 reference engine is checked; ${ADAPTER_ADVICE}`,
    );
  }
  const reference = createReferenceEngine();
  print(`engine: ${reference.description}`);
  return reference;
}

/** Prints a case's line; true if it is ok. */
async function check(
  golden: GoldenCase,
  { engine, nameWidth }: {
    readonly engine: Engine;
    readonly nameWidth: number;
  },
): Promise<boolean> {
  try {
    const report = await replayCase(golden, engine);
    print(describeReport(report, { nameWidth }));
    return report.ok;
  } catch (error) {
    // What a driver has against a case is what this command is to show.
    if (!(error instanceof Error) || error instanceof TypeError) throw error;
    print(`${golden.name.padEnd(nameWidth)}  OFF: ${error.message}`);
    return false;
  }
}

async function run(flags: Flags): Promise<number> {
  if (flags.positional.length > 0) {
    throw new InputError(
      `Cannot use "${
        flags.positional[0]
      }": give a folder of cases with --cases DIR`,
    );
  }
  const { cases, passedOver } = await readCases(
    flags.string.cases ?? OWN_CASES,
  );
  if (flags.string.cases !== undefined && passedOver.length > 0) {
    printError(`no training cases, passed over: ${passedOver.join(", ")}`);
  }
  const engine = await openEngine(flags);
  const nameWidth = Math.max(...cases.map(({ name }) => name.length));
  print("");
  print(reportHeading(nameWidth));
  let off = 0;
  for (const golden of cases) {
    if (!await check(golden, { engine, nameWidth })) off++;
  }
  engine.destroy();
  print("");
  print(
    off === 0
      ? `All ${cases.length} cases are ok.`
      : `${off} of ${cases.length} cases are off.`,
  );
  return off === 0 ? 0 : 1;
}

if (import.meta.main) {
  await runCommand({
    help: HELP,
    flags: { boolean: [], string: ["cases", "device"], list: [] },
    run,
  });
}

/**
 * `deno task doctor`: checks the machine's engines against PyTorch.
 *
 * @module
 */

import type { Flags } from "../compat/cli.ts";
import { type GoldenCase, ownCases, readCases } from "../doctor/golden_case.ts";
import { describeReport, replayCase, reportHeading } from "../doctor/replay.ts";
import type { Engine } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import type { AdapterDescription } from "../gpu/device.ts";
import { createWebGpuEngine, type WebGpuEngine } from "../gpu/engine.ts";
import { createReferenceEngine } from "../reference/engine.ts";
import { createWasmEngine } from "../wasm/engine.ts";
import { type DeviceChoice, readDeviceChoice } from "../train/choose_engine.ts";
import { flagsOnly, pathFlag } from "./flags.ts";
import { print, runCommand } from "./run_command.ts";

const HELP =
  `Trains small networks that PyTorch has trained, on each way of computing that
this machine has, and shows how far the numbers are off. Some of the networks
are saturated, diverge, or are as small as can be.

  deno task doctor [flags]

  --cases DIR               replay the cases of that folder (format: tests/golden/README.md)
  --device NAME             auto: all of them; gpu: the WebGPU adapter; cpu: WebAssembly on the
                            CPU; reference: float64
  --help                    this text

A line a case: the worst relative error of its losses, the relative norm of the
error of its gradients, the worst error of its weights, and "ok" or what is off.
Exit code 0 if all are ok, 1 if any is off, 2 if the cases can't be read.`;

/** PCI numbers of vendors, as an adapter gives them where it has no name. */
const VENDORS: Readonly<Record<string, string>> = {
  "4098": "AMD",
  "4203": "Apple",
  "4318": "NVIDIA",
  "5045": "Arm",
  "20803": "Qualcomm",
  "32902": "Intel",
  "65541": "Mesa",
};

/** Limits that decide how large a model and an ensemble may be. */
const LIMITS: readonly (readonly [name: string, per: number, unit?: string])[] =
  [
    ["maxBufferSize", 2 ** 20, " MiB"],
    ["maxStorageBufferBindingSize", 2 ** 20, " MiB"],
    ["maxStorageBuffersPerShaderStage", 1],
    ["maxComputeWorkgroupStorageSize", 2 ** 10, " KiB"],
    ["maxComputeInvocationsPerWorkgroup", 1],
    ["maxComputeWorkgroupsPerDimension", 1],
  ];

function describeAdapter(adapter: AdapterDescription): string[] {
  const { description, vendor, architecture, device, software, features } =
    adapter;
  const driver = [VENDORS[vendor] ?? vendor, architecture, device]
    .filter((part) => part !== "" && part !== "0").join(", ");
  const limits = LIMITS.map(([name, per, unit = ""]) => {
    const value = adapter.limits[name];
    return `  ${name.padEnd(34)}${
      value === undefined
        ? "unknown"
        : `${Number((value / per).toFixed(1))}${unit}`
    }`;
  });
  return [
    `adapter: ${description}${
      software ? " (software: the CPU does the work)" : ""
    }`,
    `driver: ${driver || "unknown"}`,
    `timestamps: ${features.includes("timestamp-query") ? "yes" : "no"}`,
    "limits:",
    ...limits,
  ];
}

async function* openEngines(choice: DeviceChoice): AsyncGenerator<Engine> {
  if (choice === "auto" || choice === "gpu") {
    const engine = await openAdapter();
    if (engine !== undefined) {
      print(...describeAdapter(engine.adapter));
      yield engine;
    } else if (choice === "gpu") {
      throw new InputError(
        "Cannot use --device gpu: this machine has no WebGPU adapter",
      );
    } else {
      print("engine: no WebGPU, as this machine has no adapter");
    }
  }
  const others = [
    ["cpu", createWasmEngine],
    ["reference", createReferenceEngine],
  ] as const;
  for (const [name, create] of others) {
    if (choice !== "auto" && choice !== name) continue;
    const engine = create();
    print(`engine: ${engine.description}`);
    yield engine;
  }
}

/** The adapter's engine; undefined where there is none. */
async function openAdapter(): Promise<WebGpuEngine | undefined> {
  try {
    return await createWebGpuEngine();
  } catch (error) {
    if (!(error instanceof Error) || error instanceof TypeError) throw error;
    throw new InputError(
      `Cannot use this machine's WebGPU adapter: ${error.message}; --device cpu leaves it out`,
      { cause: error },
    );
  }
}

/** Prints a case's line; true if it is ok. */
async function check(
  golden: GoldenCase,
  engine: Engine,
  nameWidth: number,
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
  flagsOnly(flags, "Cannot check", "; give a folder of cases with --cases DIR");
  const folder = pathFlag(flags, "cases");
  const cases = folder === undefined ? ownCases() : await readCases(folder);
  const nameWidth = Math.max(...cases.map(({ name }) => name.length));
  let anyOff = false;
  const choice = readDeviceChoice(flags.string.device);
  for await (const engine of openEngines(choice)) {
    print("", reportHeading(nameWidth));
    let off = 0;
    for (const golden of cases) {
      if (!await check(golden, engine, nameWidth)) off++;
    }
    const count = off === 0
      ? `All ${cases.length} cases are ok`
      : `${off} of ${cases.length} cases are off`;
    print("", `${count} on the ${engine.kind} engine.`, "");
    engine.destroy();
    anyOff ||= off > 0;
  }
  return anyOff ? 1 : 0;
}

if (import.meta.main) {
  await runCommand({ help: HELP, run });
}

/**
 * What runs in the browser: compiles the kernels and trains the examples, then
 * sends what came of it to `/report`.
 *
 * @module
 */

import { describeAdapter } from "../../src/gpu/device.ts";
import type { AdapterLimits } from "../../src/gpu/layout.ts";
import { WAYS } from "../gpu/example_runs.ts";
import { kernelVariants } from "./kernel_texts.ts";
import {
  type ExampleLosses,
  failedModels,
  trainExample,
} from "./train_example.ts";

/** What the page sends. */
export interface PageReport {
  /** E.g. "google swiftshader"; undefined where the browser has no adapter. */
  readonly adapter: string | undefined;
  /** Kernels compiled. */
  readonly kernels: number;
  /** What the compiler said of them, and which it refused. */
  readonly complaints: readonly string[];
  /** Losses by way, in the order of {@linkcode WAYS}. */
  readonly losses: readonly ExampleLosses[];
  /** Models that were not finite any more, of those of {@linkcode POISONED}, by way. */
  readonly failed: readonly (readonly number[])[];
  /** What made the page give up. */
  readonly failure?: string;
}

/** Compiles every text that is not in `done` yet; pipelines, which take a software adapter long, are those of the trainings alone. */
async function compileKernels(
  device: GPUDevice,
  { done, complaints }: {
    readonly done: Set<string>;
    readonly complaints: string[];
  },
): Promise<void> {
  const limits: AdapterLimits = {
    maxComputeWorkgroupStorageSize:
      device.limits.maxComputeWorkgroupStorageSize,
    maxComputeInvocationsPerWorkgroup:
      device.limits.maxComputeInvocationsPerWorkgroup,
  };
  for (const { of, ...text } of kernelVariants(limits)) {
    const { name, code } = text;
    if (done.has(code)) continue;
    done.add(code);
    device.pushErrorScope("internal");
    device.pushErrorScope("validation");
    const module = device.createShaderModule({ label: name, code });
    const errors = [
      await device.popErrorScope(),
      await device.popErrorScope(),
    ];
    const { messages } = await module.getCompilationInfo();
    for (const { type, message, lineNum } of messages) {
      const line = code.split("\n")[lineNum - 1] ?? "";
      complaints.push(`${name} (${of}): ${type}: ${message}: ${line.trim()}`);
    }
    for (const error of errors) {
      if (error !== null) complaints.push(`${name} (${of}): ${error.message}`);
    }
  }
}

async function run(): Promise<PageReport> {
  const done = new Set<string>();
  const complaints: string[] = [];
  const losses: ExampleLosses[] = [];
  const failed: number[][] = [];
  let adapter: GPUAdapter | null | undefined;
  const report = () => ({
    adapter: adapter ? describeAdapter(adapter).description : undefined,
    kernels: done.size,
    complaints,
    losses,
    failed,
  });
  try {
    // A device with the limits that every adapter grants, and one with this adapter's.
    for (const own of [false, true]) {
      adapter = await navigator.gpu?.requestAdapter();
      if (!adapter) return report();
      const { limits } = adapter;
      const device = await adapter.requestDevice({
        requiredLimits: own
          ? {
            maxComputeWorkgroupStorageSize:
              limits.maxComputeWorkgroupStorageSize,
            maxComputeInvocationsPerWorkgroup:
              limits.maxComputeInvocationsPerWorkgroup,
            maxComputeWorkgroupSizeX: limits.maxComputeWorkgroupSizeX,
          }
          : {},
      });
      await compileKernels(device, { done, complaints });
      device.destroy();
    }
    for (const way of WAYS) {
      losses.push(await trainExample(way));
      failed.push(await failedModels(way));
    }
    return report();
  } catch (error) {
    return { ...report(), failure: String(error) };
  }
}

await fetch("/report", { method: "POST", body: JSON.stringify(await run()) });

/**
 * biornn's own WebGPU engine as a contestant.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import { InputError } from "../src/files/input_error.ts";
import type { WebGpuEngine } from "../src/gpu/engine.ts";
import { lossesOf } from "./compare_losses.ts";
import type { Contestant } from "./contestant.ts";
import type { GridProblem } from "./grid_problem.ts";
import { epochFlop } from "./work.ts";

/**
 * Puts the models on the device and trains the first epoch.
 *
 * @throws {InputError} If the models do not fit the device all at once.
 */
export async function startOurs(
  engine: WebGpuEngine,
  { problem: { spec, size }, epochs }: {
    readonly problem: GridProblem;
    /** Epochs of a round. */
    readonly epochs: number;
  },
): Promise<Contestant> {
  const { groups, reason } = engine.plan(size);
  if (groups.length > 1) {
    throw new InputError(
      `Cannot compare ${spec.runs.length} models: they need ${groups.length} ensembles (${reason}); take fewer with --models`,
    );
  }
  const stopwatch = startStopwatch();
  const ensemble = await engine.createEnsemble(spec);
  const history = await ensemble.train(1);
  const warmup = { ...lossesOf(history), ...stopwatch() };
  return {
    name: "biornn",
    title: "biornn, WebGPU",
    facts: {
      version: `Deno ${Deno.version.deno}`,
      device: engine.description,
      threads: engine.adapter.software ? navigator.hardwareConcurrency : null,
      blas: "WGSL",
      epochFlop: epochFlop(spec),
    },
    warmup,
    async round() {
      const stopwatch = startStopwatch();
      const history = await ensemble.train(epochs);
      return { ...lossesOf(history), ...stopwatch() };
    },
    stop() {
      ensemble.destroy();
      return Promise.resolve();
    },
  };
}

/** Measures from now to each call of what it returns. */
function startStopwatch(): () => { seconds: number; cpuSeconds: number } {
  const began = performance.now();
  const used = cpuUsage();
  return () => {
    const { user, system } = cpuUsage(used);
    return {
      seconds: (performance.now() - began) / 1000,
      cpuSeconds: (user + system) / 1e6,
    };
  };
}

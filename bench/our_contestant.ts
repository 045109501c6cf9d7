/**
 * biornn's own WebGPU engine as a contestant.
 *
 * @module
 */

import { cpuUsage } from "node:process";
import type { Ensemble } from "../src/engine/ensemble.ts";
import type { WebGpuEngine } from "../src/gpu/engine.ts";
import { lossesOf } from "./compare_losses.ts";
import type { Contestant, Losses } from "./contestant.ts";
import type { GridProblem } from "./grid_problem.ts";
import { epochFlop } from "./work.ts";

/** Puts the models on the device, in as many ensembles as its memory plan says, and trains the first epoch. */
export async function startOurs(
  engine: WebGpuEngine,
  { problem: { spec, size }, epochs }: {
    readonly problem: GridProblem;
    /** Epochs of a round. */
    readonly epochs: number;
  },
): Promise<Contestant> {
  const { groups, createEnsemble } = engine.plan(size);
  const ensembles: Ensemble[] = [];

  /** Trains one ensemble after the other. */
  async function train(count: number): Promise<Losses> {
    const losses = { trainLoss: rows(count), validateLoss: rows(count) };
    for (const [i, group] of groups.entries()) {
      const some = lossesOf(await ensembles[i]!.train(count));
      for (const name of ["trainLoss", "validateLoss"] as const) {
        for (let epoch = 0; epoch < count; epoch++) {
          for (const [place, model] of group.entries()) {
            losses[name][epoch]![model] = some[name][epoch]![place]!;
          }
        }
      }
    }
    return losses;
  }

  const stopwatch = startStopwatch();
  for (const group of groups) {
    const runs = group.map((model) => spec.runs[model]!);
    ensembles.push(await createEnsemble(runs));
  }
  const warmup = { ...await train(1), ...stopwatch() };
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
      return { ...await train(epochs), ...stopwatch() };
    },
    stop() {
      for (const ensemble of ensembles) ensemble.destroy();
      return Promise.resolve();
    },
  };
}

/** A row for each epoch. */
function rows(epochs: number): number[][] {
  return Array.from({ length: epochs }, () => []);
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

/**
 * Trains the original's whole `seq_mem` grid and tells how long it took.
 *
 * @module
 */

import type { Flags } from "../src/compat/cli.ts";
import { type Command, print } from "../src/cli/run_command.ts";
import {
  type DeviceProfile,
  type KernelTime,
  profileTable,
  sumProfiles,
} from "../src/engine/device_profile.ts";
import { InputError } from "../src/files/input_error.ts";
import { createWebGpuEngine, type WebGpuEngine } from "../src/gpu/engine.ts";

import { choiceFlag, countFlag } from "../src/cli/flags.ts";
import {
  type GridProblem,
  gridProblem,
  wantedConnectome,
} from "./grid_problem.ts";
import { epochFlop, originOf, saveMeasured, threeDigits } from "./measure.ts";

const HELP =
  `Trains the whole grid of the original's seq_mem experiment, 24 combinations.

Usage: deno task bench:grid [flags]

With the environment variable BIORNN_CONNECTOMES, a folder, the marmoset's
connectome is trained on, without it the synthetic one.

  --connectome NAME        another connectome of the folder
  --iterations N           runs of each combination; default 5
  --epochs N               default 500
  --profile                time every kernel, which makes the whole slower
  --format dense|blocks|connections
                           how weights are kept on the device; default what suits
                           the network
  --out FILE               write the measurements as JSON`;

/** `deno task bench:grid` */
export const gridCommand: Command = {
  help: HELP,
  run: grid,
};

/** What training the grid took. */
interface GridTimes {
  /** Shader compilation and upload. */
  readonly startSeconds: number;
  /** The first epoch, in which drivers compile too. */
  readonly firstEpochSeconds: number;
  /** All other epochs. */
  readonly restSeconds: number;
  /** Mean validation loss of all models, in the first and the last epoch. */
  readonly firstLoss: number;
  readonly lastLoss: number;
  readonly ensembles: number;
  readonly kernels: readonly KernelTime[];
}

async function grid(flags: Flags): Promise<number> {
  const epochs = countFlag(flags, "epochs", 500);
  if (epochs < 2) {
    throw new InputError(
      "Cannot use --epochs 1: the first epoch is timed apart, so there must be 2",
    );
  }
  const began = performance.now();
  const problem = await gridProblem({
    ...wantedConnectome(flags),
    iterations: countFlag(flags, "iterations", 5),
  });
  const prepareSeconds = (performance.now() - began) / 1000;
  const format = choiceFlag(
    flags,
    "format",
    ["dense", "blocks", "connections"] as const,
  );
  const engine = await createWebGpuEngine({
    profile: flags.boolean.profile === true ? "all" : undefined,
    format,
  });
  if (engine === undefined) {
    throw new InputError("Cannot train: this machine has no WebGPU adapter");
  }
  try {
    const times = await trainGrid(engine, { problem, epochs });
    const flop = epochFlop(problem.spec);
    const gflops = flop * (epochs - 1) / times.restSeconds / 1e9;
    const result = {
      format: "biornn-grid/1",
      ...originOf("bench:grid"),
      adapter: engine.adapter,
      network: problem.network,
      density: problem.density,
      hiddenSize: problem.spec.hiddenSize,
      models: problem.spec.runs.length,
      epochs,
      plan: engine.plan(problem.size).reason,
      epochFlop: flop,
      prepareSeconds,
      totalSeconds: times.startSeconds + times.firstEpochSeconds +
        times.restSeconds,
      gflops,
      ...times,
    };
    print(describe(result));
    await saveMeasured(flags, result);
    return Number.isFinite(times.lastLoss) ? 0 : 1;
  } finally {
    engine.destroy();
  }
}

/** Trains one ensemble after the other, as the memory plan cuts the grid. */
async function trainGrid(
  engine: WebGpuEngine,
  { problem: { spec, size }, epochs }: {
    readonly problem: GridProblem;
    readonly epochs: number;
  },
): Promise<GridTimes> {
  const seconds = { start: 0, first: 0, rest: 0 };
  const loss = { first: 0, last: 0 };
  const profiles: DeviceProfile[] = [];
  const { groups, createEnsemble } = engine.plan(size);
  for (const group of groups) {
    const runs = group.map((i) => spec.runs[i]!);
    const time = stopwatch();
    const ensemble = await createEnsemble(runs);
    seconds.start += time();
    const first = await ensemble.train(1);
    seconds.first += time();
    const rest = await ensemble.train(epochs - 1);
    seconds.rest += time();
    for (let model = 0; model < runs.length; model++) {
      loss.first += first.validateLoss[model] as number;
      loss.last += rest.validateLoss[(model + 1) * rest.epochs - 1] as number;
    }
    const profile = ensemble.profile?.();
    if (profile !== undefined) profiles.push(profile);
    ensemble.destroy();
  }
  return {
    startSeconds: seconds.start,
    firstEpochSeconds: seconds.first,
    restSeconds: seconds.rest,
    firstLoss: loss.first / spec.runs.length,
    lastLoss: loss.last / spec.runs.length,
    ensembles: groups.length,
    kernels: sumProfiles(profiles).kernels,
  };
}

/** Seconds since the last call. */
function stopwatch(): () => number {
  let last = performance.now();
  return () => {
    const now = performance.now();
    const seconds = (now - last) / 1000;
    last = now;
    return seconds;
  };
}

function describe(result: {
  readonly network: string;
  readonly models: number;
  readonly hiddenSize: number;
  readonly epochs: number;
  readonly plan: string;
  readonly adapter: { readonly description: string };
  readonly prepareSeconds: number;
  readonly totalSeconds: number;
  readonly startSeconds: number;
  readonly firstEpochSeconds: number;
  readonly restSeconds: number;
  readonly gflops: number;
  readonly ensembles: number;
  readonly firstLoss: number;
  readonly lastLoss: number;
  readonly kernels: readonly KernelTime[];
}): string {
  const s = (seconds: number) => `${threeDigits(seconds)} s`;
  return [
    `${result.models} models, H = ${result.hiddenSize}, ${result.network}, ${result.epochs} epochs, ${result.ensembles} ensemble(s), ${result.adapter.description}`,
    `weights on the device       ${result.plan}`,
    `drawing trials and weights  ${s(result.prepareSeconds)}`,
    `start of the device         ${s(result.startSeconds)}`,
    `first epoch                 ${s(result.firstEpochSeconds)}`,
    `all other epochs            ${s(result.restSeconds)}, ${
      threeDigits(result.gflops)
    } GFLOP/s`,
    `training, all together      ${s(result.totalSeconds)}`,
    `mean validation loss        ${
      threeDigits(result.firstLoss)
    } after the first epoch, ${threeDigits(result.lastLoss)} after the last`,
    ...(result.kernels.length === 0 ? [] : ["", profileTable(result.kernels)]),
  ].join("\n");
}

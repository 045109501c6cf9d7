/**
 * Checks the kernels on this machine's adapter against the float64 reference
 * engine, at odd sizes and in every way of keeping weights, and times them.
 *
 * @module
 */

import { type Command, print } from "../src/cli/run_command.ts";
import type { Flags } from "../src/compat/cli.ts";
import { createEnsemble } from "../src/engine/create_ensemble.ts";
import type { EnsembleSpec } from "../src/engine/ensemble.ts";
import { InputError } from "../src/files/input_error.ts";
import {
  createWebGpuEngine,
  type WebGpuEngineOptions,
} from "../src/gpu/engine.ts";
import { createReferenceEngine } from "../src/reference/engine.ts";
import { type FloatArray, PARAMETER_NAMES } from "../src/rnn/parameters.ts";
import { countFlag } from "../src/cli/flags.ts";
import { gridProblem, wantedConnectome } from "./grid_problem.ts";
import { originOf, saveMeasured, threeDigits } from "./measure.ts";
import { type ScalingPoint, scalingProblem } from "./scaling_problem.ts";

const HELP =
  `Checks the kernels against the float64 reference engine, then times them.

Usage: deno task bench:kernels [flags]

  --connectome NAME  time the grid of another connectome of the folder that
                     BIORNN_CONNECTOMES names
  --iterations N     runs of each of the grid's combinations; default 5
  --epochs N         epochs to time; default 20; 0 only checks
  --out FILE         write the measurements as JSON`;

/** `deno task bench:kernels` */
export const kernelsCommand: Command = {
  help: HELP,
  run: kernels,
};

/** Ways of keeping weights and of going through time. */
const WAYS: readonly (WebGpuEngineOptions & { readonly name: string })[] = [
  { name: "whole matrices", format: "dense" },
  {
    name: "whole matrices, a step at a time",
    format: "dense",
    allSteps: false,
  },
  { name: "blocks", format: "blocks" },
  { name: "single connections", format: "connections" },
];

/** Sizes at which tiles do not come out even. */
const POINTS: readonly Omit<ScalingPoint, "models">[] = [
  { hiddenSize: 1, steps: 3, density: 1, batch: 1 },
  { hiddenSize: 29, steps: 201, density: 0.6, batch: 16 },
  { hiddenSize: 116, steps: 7, density: 0.6, batch: 100 },
  { hiddenSize: 220, steps: 7, density: 0.634, batch: 128 },
  { hiddenSize: 228, steps: 21, density: 0.2, batch: 100 },
  { hiddenSize: 440, steps: 7, density: 0.3, batch: 16 },
  { hiddenSize: 880, steps: 3, density: 0.1, batch: 100 },
];

/** Gradients further off than this are wrong, not rounded. */
const LARGEST_ERROR = 1e-5;

/** What was measured of one way. */
interface KernelsOfWay {
  readonly way: string;
  /** The largest ‖g − g*‖ / ‖g*‖ of all tensors and sizes. */
  readonly worstError: number;
  /** Trillions of operations a second of the recurrent products, as if on whole matrices. */
  readonly teraflops: Readonly<Record<string, number>>;
  /** Milliseconds of each kernel in an epoch. */
  readonly milliseconds: Readonly<Record<string, number>>;
}

async function kernels(flags: Flags): Promise<number> {
  const epochs = flags.string.epochs === "0"
    ? 0
    : countFlag(flags, "epochs", 20);
  const problem = await gridProblem({
    ...wantedConnectome(flags),
    iterations: countFlag(flags, "iterations", 5),
    // 512 train and 128 validate: all batches are of 128.
    trials: 640,
  });
  const oracle = createReferenceEngine();
  const expected = [];
  for (const point of POINTS) {
    const spec = scalingProblem({ ...point, models: 1 });
    const ensemble = await createEnsemble(oracle, spec);
    expected.push({ point, spec, probe: await ensemble.probe(0, 0) });
  }
  const results: KernelsOfWay[] = [];
  let adapter = "";
  for (const { name, ...options } of WAYS) {
    const engine = await createWebGpuEngine({ ...options, profile: "all" });
    if (engine === undefined) {
      throw new InputError(
        "Cannot measure: this machine has no WebGPU adapter",
      );
    }
    adapter = engine.description;
    try {
      let worstError = 0;
      for (const { point, spec, probe } of expected) {
        const ensemble = await createEnsemble(engine, spec);
        const found = await ensemble.probe(0, 0);
        ensemble.destroy();
        const error = Math.max(
          relativeError(found.output, probe.output),
          ...PARAMETER_NAMES.map((tensor) =>
            relativeError(found.gradient[tensor], probe.gradient[tensor])
          ),
        );
        if (!(error <= LARGEST_ERROR)) {
          print(`${name}: wrong at ${JSON.stringify(point)}: off by ${error}`);
        }
        worstError = Math.max(
          worstError,
          Number.isNaN(error) ? Infinity : error,
        );
      }
      const times = epochs === 0
        ? { teraflops: {}, milliseconds: {} }
        : await timeGrid(engine, { problem, epochs });
      const result = { way: name, worstError, ...times };
      results.push(result);
      print(describe(result));
    } finally {
      engine.destroy();
    }
  }
  await saveMeasured(flags, {
    format: "biornn-kernels/1",
    ...originOf("bench:kernels"),
    adapter,
    network: problem.network,
    hiddenSize: problem.spec.hiddenSize,
    models: problem.spec.runs.length,
    results,
  });
  return results.every(({ worstError }) => worstError <= LARGEST_ERROR) ? 0 : 1;
}

/** Times the kernels of the grid, each in a pass of its own, the clock warm. */
async function timeGrid(
  engine: NonNullable<Awaited<ReturnType<typeof createWebGpuEngine>>>,
  { problem: { spec, size }, epochs }: {
    readonly problem: Awaited<ReturnType<typeof gridProblem>>;
    readonly epochs: number;
  },
): Promise<Pick<KernelsOfWay, "teraflops" | "milliseconds">> {
  const plan = engine.plan(size);
  const runs = plan.groups[0]!.map((i) => spec.runs[i]!);
  const ensemble = await plan.createEnsemble(runs);
  try {
    await ensemble.train(Math.max(2, Math.ceil(epochs / 2)));
    const before = new Map(
      ensemble.profile()!.kernels.map((time) => [time.kernel, time]),
    );
    await ensemble.train(epochs);
    const work = denseFlop({ ...spec, runs });
    const teraflops: Record<string, number> = {};
    const milliseconds: Record<string, number> = {};
    for (const { kernel, milliseconds: all } of ensemble.profile()!.kernels) {
      const spent = (all - before.get(kernel)!.milliseconds) / epochs;
      milliseconds[kernel] = spent;
      const flop = work[kernel];
      if (flop !== undefined) teraflops[kernel] = flop / spent / 1e9;
    }
    return { teraflops, milliseconds };
  } finally {
    ensemble.destroy();
  }
}

/** Operations of an epoch's products on whole matrices. */
function denseFlop({ hiddenSize, runs }: EnsembleSpec): Record<string, number> {
  let [train, validate] = [0, 0];
  for (const { trials: { steps, trainBatches, validateBatches } } of runs) {
    const count = (batches: readonly Uint32Array[]) =>
      batches.reduce((sum, batch) => sum + batch.length, 0);
    train += 2 * steps * hiddenSize ** 2 * count(trainBatches);
    validate += 2 * steps * hiddenSize ** 2 * count(validateBatches);
  }
  return { forward: train + validate, backward: train, gradient: train };
}

function relativeError(found: FloatArray, expected: FloatArray): number {
  let [difference, size] = [0, 0];
  for (let i = 0; i < expected.length; i++) {
    difference += (found[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return difference === 0 ? 0 : Math.sqrt(difference / size);
}

function describe(
  { way, worstError, teraflops, milliseconds }: KernelsOfWay,
): string {
  const times = Object.entries(milliseconds).map(([kernel, ms]) => {
    const speed = teraflops[kernel];
    return `${kernel} ${threeDigits(ms)} ms${
      speed === undefined ? "" : ` (${threeDigits(speed)} TFLOP/s)`
    }`;
  });
  return `${way}: gradients off by ${worstError.toExponential(1)} at most${
    times.length === 0 ? "" : `; an epoch: ${times.join(", ")}`
  }`;
}

/**
 * How fast a training step is on this machine, on each of its engines, and the
 * time of each kernel.
 *
 * @module
 */

import { createEnsemble } from "../src/engine/create_ensemble.ts";
import { type Command, print } from "../src/cli/run_command.ts";
import type { Flags } from "../src/compat/cli.ts";
import { type KernelTime, profileTable } from "../src/engine/device_profile.ts";
import type { Engine } from "../src/engine/ensemble.ts";
import { createWebGpuEngine } from "../src/gpu/engine.ts";

import { createReferenceEngine } from "../src/reference/engine.ts";
import { createWasmEngine } from "../src/wasm/engine.ts";
import { countFlag } from "../src/cli/flags.ts";
import {
  epochFlop,
  formatSpread,
  load,
  originOf,
  saveMeasured,
  type Spread,
  spread,
  threeDigits,
  trainFor,
} from "./measure.ts";
import { type ScalingPoint, scalingProblem } from "./scaling_problem.ts";

/** What one engine did. */
interface EngineResult {
  readonly engine: string;
  readonly models: number;
  /** Milliseconds from creating the ensemble to the first finished step, compilation included. */
  readonly firstStepMilliseconds: number;
  readonly gflops: Spread;
  /** GFLOP for each second of CPU time; on a software adapter of use where others take the cores. */
  readonly gflopPerCpuSecond: Spread;
}

const HELP =
  `Measures a whole training step (batch of 128, Adam and RMSprop) on each engine;
counted as 3·2·B·T·H² operations a model.

Usage: deno task bench [flags]

  --models N    models that train side by side; default 24
  --neurons N   H; default 220
  --steps N     T; default 7
  --rounds N    how often to measure; default 5
  --out FILE    write the measurements as JSON`;

/** `deno task bench` */
export const stepCommand: Command = {
  help: HELP,
  run: measureStep,
};

async function measureStep(flags: Flags): Promise<number> {
  const problem: ScalingPoint = {
    models: countFlag(flags, "models", 24),
    hiddenSize: countFlag(flags, "neurons", 220),
    steps: countFlag(flags, "steps", 7),
    density: 0.634,
    batch: 128,
  };
  const rounds = countFlag(flags, "rounds", 5);
  print(
    `H = ${problem.hiddenSize}, T = ${problem.steps}, batch of ${problem.batch}`,
  );
  const results: EngineResult[] = [];
  const add = async (
    engine: Engine,
    options: Parameters<typeof measure>[1],
  ) => {
    const result = await measure(engine, options);
    results.push(result);
    print(
      `${result.engine}, ${result.models} models: ${
        formatSpread(result.gflops)
      } GFLOP/s, ${
        threeDigits(result.gflopPerCpuSecond.median)
      } GFLOP a CPU second; first step after ${
        threeDigits(result.firstStepMilliseconds)
      } ms`,
    );
    engine.destroy();
  };
  const webgpu = await createWebGpuEngine();
  const onGpu = webgpu !== undefined && !webgpu.adapter.software;
  if (webgpu === undefined) print("No WebGPU adapter.");
  else await add(webgpu, { problem, rounds });
  await add(createWasmEngine(), { problem, rounds });
  await add(createWasmEngine({ workers: 1 }), {
    problem,
    rounds,
    what: "one worker",
  });
  const few = { ...problem, models: Math.min(problem.models, 2) };
  await add(createReferenceEngine(), { problem: few, rounds: 1 });
  const kernels = await profile(
    onGpu
      ? (await createWebGpuEngine({ profile: "all" }))!
      : createWasmEngine({ profile: true }),
    problem,
  );
  print(profileTable(kernels));
  await saveMeasured(flags, {
    format: "biornn-bench/1",
    ...originOf("bench"),
    load: load() ?? null,
    problem,
    results,
    kernels,
  });
  return 0;
}

/** Times epochs of one training batch each, for about half a second a round. */
async function measure(
  engine: Engine,
  { problem, rounds, what }: {
    readonly problem: ScalingPoint;
    readonly rounds: number;
    /** Said of the engine beside its description. */
    readonly what?: string;
  },
): Promise<EngineResult> {
  const spec = scalingProblem(problem);
  const start = performance.now();
  const ensemble = await createEnsemble(engine, spec);
  await ensemble.train(1);
  const firstStepMilliseconds = performance.now() - start;
  const gflops: number[] = [];
  const gflopPerCpuSecond: number[] = [];
  let epochs = 1;
  for (let round = 0; round < rounds; round++) {
    const all = await trainFor(ensemble, { milliseconds: 500, epochs });
    epochs = all.epochs;
    const gflop = epochs * epochFlop(spec) / 1e9;
    gflops.push(1000 * gflop / all.milliseconds);
    gflopPerCpuSecond.push(gflop / all.cpuSeconds);
  }
  ensemble.destroy();
  return {
    engine: [`${engine.kind}: ${engine.description}`, what ?? []].flat().join(
      ", ",
    ),
    models: problem.models,
    firstStepMilliseconds,
    gflops: spread(gflops),
    gflopPerCpuSecond: spread(gflopPerCpuSecond),
  };
}

/** Times of the kernels in some steps after the first, which compiles. */
async function profile(
  engine: Engine,
  problem: ScalingPoint,
): Promise<readonly KernelTime[]> {
  try {
    const ensemble = await createEnsemble(engine, scalingProblem(problem));
    await ensemble.train(1);
    const before = ensemble.profile?.()?.kernels ?? [];
    await ensemble.train(4);
    return (ensemble.profile?.()?.kernels ?? []).map((time) => {
      const first = before.find(({ kernel }) => kernel === time.kernel)!;
      return {
        kernel: time.kernel,
        calls: time.calls - first.calls,
        milliseconds: time.milliseconds - first.milliseconds,
        flop: time.flop - first.flop,
      };
    });
  } finally {
    engine.destroy();
  }
}

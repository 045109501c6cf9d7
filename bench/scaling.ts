/**
 * How the time of a training step grows: with the number of models, of neurons,
 * of time steps, and with the density of connections.
 *
 * @module
 */

import type { Flags } from "../src/compat/cli.ts";
import { shapeOf } from "../src/engine/create_ensemble.ts";
import type { EnsembleSpec } from "../src/engine/ensemble.ts";
import { type Command, print } from "../src/cli/run_command.ts";
import { InputError } from "../src/files/input_error.ts";
import {
  createWebGpuEngine,
  type GpuPlan,
  type WebGpuEngine,
} from "../src/gpu/engine.ts";
import type { FormatName } from "../src/gpu/weight_format.ts";
import { countFlag } from "../src/cli/flags.ts";
import {
  epochFlop,
  type Origin,
  originOf,
  saveMeasured,
  threeDigits,
  trainFor,
} from "./measure.ts";
import { type ScalingPoint, scalingProblem } from "./scaling_problem.ts";

/** The curves: one size grows, or H at so many connections a neuron. */
export type ScalingAxis =
  | "models"
  | "hiddenSize"
  | "steps"
  | "density"
  | "sparse";

/** Connections of each neuron in the curve "sparse". */
export const SPARSE_CONNECTIONS = 100;

/** The size that a curve is drawn against. */
export const AXIS_SIZES = {
  models: "models",
  hiddenSize: "hiddenSize",
  steps: "steps",
  density: "density",
  sparse: "hiddenSize",
} as const satisfies Record<ScalingAxis, keyof ScalingPoint>;

/** A measured point. */
export interface ScalingTime extends ScalingPoint {
  readonly axis: ScalingAxis;
  /** Milliseconds of one training step of one model; null where there is none. */
  readonly milliseconds: number | null;
  readonly gflops: number | null;
  /** How weights lay on the device. */
  readonly storage?: FormatName;
  /** Why there is no time, where there is none. */
  readonly skipped?: string;
}

/** All curves, as they are saved. */
export interface Scaling extends Origin {
  readonly format: "biornn-scaling/1";
  readonly adapter: string;
  readonly times: readonly ScalingTime[];
}

const HELP =
  `Measures the time of a training step of one model, batch of 128, against the
number of models, neurons H, time steps T, density, and neurons that have ${SPARSE_CONNECTIONS}
connections each.

Usage: deno task bench:scaling [flags]

  --full             up to 1024 models and 201 steps, 120 models elsewhere; for GPUs
  --milliseconds N   time a point for so long; default 1000
  --peak N           TFLOP/s that the device is good for by its data sheet
  --cublas N         TFLOP/s of cuBLAS on it, by bench/peers/cublas.py
  --out FILE         write the measurements as JSON, for deno task bench:plot`;

/** `deno task bench:scaling` */
export const scalingCommand: Command = {
  help: HELP,
  run: scaling,
};

/** Connections of the marmoset's network, and a size most adapters can be compared at. */
const BASE: ScalingPoint = {
  models: 24,
  hiddenSize: 220,
  steps: 7,
  density: 0.634,
  batch: 128,
};

/** The points of each curve; all others of its sizes are those of the base. */
export function scalingPoints(
  full: boolean,
): { axis: ScalingAxis; point: ScalingPoint }[] {
  const base = full ? { ...BASE, models: 120 } : BASE;
  const values: Record<ScalingAxis, readonly number[]> = full
    ? {
      models: [1, 4, 16, 64, 128, 256, 512, 1024],
      hiddenSize: [116, 220, 440, 880, 1760, 4096],
      steps: [3, 7, 21, 61, 201],
      density: [0.01, 0.03, 0.1, 0.3, 1],
      sparse: [625, 1250, 2500, 5000, 10_000, 20_000],
    }
    : {
      models: [1, 2, 4, 8, 16, 32, 64, 128],
      hiddenSize: [116, 220, 440, 880, 1760, 4096],
      steps: [3, 7, 21, 41],
      density: [0.01, 0.1, 0.3, 1],
      sparse: [625, 1250, 2500, 5000, 10_000, 20_000],
    };
  return (Object.keys(values) as ScalingAxis[]).flatMap((axis) =>
    values[axis].map((value) => {
      const point = { ...base, [AXIS_SIZES[axis]]: value };
      if (axis === "sparse") {
        const density = SPARSE_CONNECTIONS / value;
        return { axis, point: { ...point, models: 1, density } };
      }
      if (axis !== "hiddenSize") return { axis, point };
      // The same work at each H, as far as one model is not more already.
      const models = Math.round(base.models * (base.hiddenSize / value) ** 2);
      return {
        axis,
        point: { ...point, models: Math.max(1, Math.min(models, 512)) },
      };
    })
  );
}

async function scaling(flags: Flags): Promise<number> {
  const engine = await createWebGpuEngine();
  if (engine === undefined) {
    throw new InputError("Cannot measure: this machine has no WebGPU adapter");
  }
  const least = countFlag(flags, "milliseconds", 1000);
  const times: ScalingTime[] = [];
  try {
    print(engine.description);
    for (const { axis, point } of scalingPoints(flags.boolean.full === true)) {
      const time = await measure(engine, { axis, point, milliseconds: least });
      times.push(time);
      print(`${describe(time)}${shares(time, flags)}`);
    }
  } finally {
    engine.destroy();
  }
  const measured: Scaling = {
    format: "biornn-scaling/1",
    ...originOf("bench:scaling"),
    adapter: engine.description,
    times,
  };
  await saveMeasured(flags, measured);
  return 0;
}

async function measure(
  engine: WebGpuEngine,
  { axis, point, milliseconds }: {
    readonly axis: ScalingAxis;
    readonly point: ScalingPoint;
    readonly milliseconds: number;
  },
): Promise<ScalingTime> {
  const none = { axis, ...point, milliseconds: null, gflops: null };
  const spec = scalingProblem(point);
  const plan = planOrReason(engine, spec);
  if (typeof plan === "string") return { ...none, skipped: plan };
  if (plan.groups.length > 1) {
    return { ...none, skipped: `more than one ensemble: ${plan.reason}` };
  }
  const ensemble = await plan.createEnsemble(spec.runs);
  try {
    // Compiles, and gets the device going.
    await ensemble.train(1);
    const all = await trainFor(ensemble, { milliseconds });
    return {
      axis,
      ...point,
      storage: ensemble.format.name,
      milliseconds: all.milliseconds / all.epochs / point.models,
      gflops: epochFlop(spec) * all.epochs / all.milliseconds / 1e6,
    };
  } finally {
    ensemble.destroy();
  }
}

/** The plan, or why there is none. */
function planOrReason(
  engine: WebGpuEngine,
  spec: EnsembleSpec,
): GpuPlan | string {
  try {
    return engine.plan(shapeOf(spec));
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return error.message;
  }
}

/** What a point is of the device's peak and of cuBLAS, where these are told. */
function shares({ gflops }: ScalingTime, { string }: Flags): string {
  return gflops === null ? "" : ["peak", "cublas"].map((name) => {
    const most = Number(string[name]);
    return most > 0
      ? `, ${Math.round(gflops / most / 10)} % of ${
        name === "peak" ? "the peak" : "cuBLAS"
      }`
      : "";
  }).join("");
}

function describe(time: ScalingTime): string {
  const { models, hiddenSize, steps, density } = time;
  const what =
    `${time.axis}: ${models} model(s), H = ${hiddenSize}, T = ${steps}, density ${density}`;
  return time.milliseconds === null || time.gflops === null
    ? `${what}: not measured: ${time.skipped}`
    : `${what}: ${threeDigits(time.milliseconds)} ms a model and step, ${
      threeDigits(time.gflops)
    } GFLOP/s, ${time.storage}`;
}

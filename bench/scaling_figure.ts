/**
 * The scaling curves as a figure: a plot for each axis.
 *
 * @module
 */

import {
  type Drawing,
  FIGURE_PIXELS,
  INK,
  type Json,
  labelColors,
  makeFigure,
  MUTED,
  type Spec,
} from "../src/viz/figure.ts";
import {
  AXIS_SIZES,
  type Scaling,
  type ScalingAxis,
  type ScalingTime,
  SPARSE_CONNECTIONS,
} from "./scaling.ts";
import { threeDigits } from "./measure.ts";
import { type Command, print, runCommand } from "../src/cli/run_command.ts";
import { userPath } from "../src/cli/shell.ts";
import { InputError } from "../src/files/input_error.ts";
import { readTextFile } from "../src/files/read.ts";
import { writeFileWhole } from "../src/files/write.ts";
import { renderSvg } from "../src/viz/render.ts";

const TITLES: Readonly<Record<ScalingAxis, string>> = {
  models: "models in the ensemble",
  hiddenSize: "neurons H",
  steps: "time steps T",
  density: "share of region pairs connected",
  sparse: `neurons H, each with ${SPARSE_CONNECTIONS} connections`,
};

const AXES = Object.keys(TITLES) as ScalingAxis[];

/** A point that was measured. */
type Timed = ScalingTime & { readonly milliseconds: number };

/** Draws the curves: milliseconds of a training step of one model, both axes logarithmic. */
export function scalingFigure({ adapter, times }: Scaling): Drawing {
  const timed = times.filter((time): time is Timed =>
    time.milliseconds !== null
  );
  const width = FIGURE_PIXELS[178];
  const plots = AXES.map((axis) =>
    plot(timed.filter((time) => time.axis === axis), { axis, width })
  ).filter((one) => one !== undefined);
  const caption =
    `Milliseconds of a training step of one model, batch of 128 trials, on ${adapter}. Both axes are logarithmic. What is not on the axis of a plot stays as the plot's title says.`;
  return makeFigure({
    section: "overview",
    title: "Time of a training step",
    caption,
    width,
  }, { concat: plots, columns: 2, spacing: 18 });
}

function plot(
  times: readonly Timed[],
  { axis, width }: { readonly axis: ScalingAxis; readonly width: number },
): Spec | undefined {
  if (times.length === 0) return undefined;
  const values = times.map((time): Json => ({
    x: time[AXIS_SIZES[axis]],
    y: Number(time.milliseconds.toPrecision(4)),
    label: threeDigits(time.milliseconds),
  }));
  const ticks = [...new Set(times.map((time) => time[AXIS_SIZES[axis]]))];
  const most = Math.max(...times.map((time) => time.milliseconds));
  const least = Math.min(...times.map((time) => time.milliseconds));
  const x = {
    field: "x",
    type: "quantitative",
    scale: { type: "log", nice: false, padding: 12 },
    axis: {
      title: TITLES[axis],
      values: ticks,
      format: "~r",
      grid: false,
      labelOverlap: "greedy",
    },
  };
  const y = {
    field: "y",
    type: "quantitative",
    // Room for the numbers at the points, and never so near that noise looks like a trend.
    scale: {
      type: "log",
      domain: [Math.min(least / 1.5, most / 10), most * 2],
      nice: false,
    },
    axis: { title: "ms a model and step", tickCount: 4, format: "~r" },
  };
  const color = labelColors(1)[0] as string;
  return {
    title: { text: constants(times, axis), color: MUTED, fontSize: 9 },
    width: Math.round(width / 2) - 70,
    height: 130,
    data: { values },
    layer: [
      {
        mark: {
          type: "line",
          color,
          strokeWidth: 1.2,
          point: { color, size: 22 },
        },
        encoding: { x, y },
      },
      {
        mark: { type: "text", dy: -8, fontSize: 8, color: INK },
        encoding: { x, y, text: { field: "label", type: "nominal" } },
      },
    ],
  };
}

/** What all points of a curve have in common, e.g. "H = 220, T = 7, density 0.475". */
function constants(times: readonly Timed[], axis: ScalingAxis): string {
  const names = {
    models: (value: string) => value === "1" ? "1 model" : `${value} models`,
    hiddenSize: (value: string) => `H = ${value}`,
    steps: (value: string) => `T = ${value}`,
    density: (value: string) => `density ${value}`,
  };
  const sizes = Object.keys(names) as (keyof typeof names)[];
  return sizes.filter((other) => other !== AXIS_SIZES[axis]).map((other) => {
    const all = times.map((time) => time[other]);
    const [least, most] = [Math.min(...all), Math.max(...all)];
    return names[other](least === most ? String(least) : `${most} to ${least}`);
  }).join(", ");
}

const HELP = `Draws the scaling curves.

Usage: deno task bench:plot FILE.json FILE.svg

FILE.json is what deno task bench:scaling --out FILE.json wrote.`;

function parse(text: string, path: string): Scaling {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch {
    value = undefined;
  }
  if ((value as Partial<Scaling> | undefined)?.format !== "biornn-scaling/1") {
    throw new InputError(
      `Cannot read "${path}": it is no file of bench:scaling --out`,
    );
  }
  return value as Scaling;
}

/** `deno task bench:plot` */
const plotCommand: Command = {
  help: HELP,
  async run({ positional: [from, to] }) {
    if (from === undefined || to === undefined) {
      throw new InputError(
        "Cannot draw: FILE.json and FILE.svg must be named",
      );
    }
    const text = await readTextFile(userPath(from, "the file"), {
      what: "the measurements",
    });
    const figure = scalingFigure(parse(text, from));
    await writeFileWhole(
      userPath(to, "the file"),
      await renderSvg(figure),
    );
    print(figure.caption);
    return 0;
  },
};

// On its own, as the other benchmarks do without vega.
if (import.meta.main) await runCommand(plotCommand);

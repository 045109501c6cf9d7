/// <reference lib="dom" />
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/**
 * What is drawn of a training: curves, the matrix of recurrent weights, a trial.
 * Places are shares of a chart's width and height, so that it fits any window;
 * colours are the style sheet's.
 *
 * @module
 */

import type { ComponentChildren, JSX } from "npm:preact@11.2.0";
import { useEffect, useRef, useState } from "npm:preact@11.2.0/hooks";
// @ts-types="npm:@types/d3-scale@4.0.9"
import { type ScaleLinear, scaleLinear } from "npm:d3-scale@4.0.3";
import type { Task } from "../tasks/task.ts";
import { plural } from "../text/words.ts";
import { plain } from "./form.tsx";
import type { CurvePoint, MatrixPicture, TrialPicture } from "./pictures.ts";

/** A text beside a chart, and where it stands. */
type Label = readonly [share: number, text: string];

/** Names of rows or columns, at their middles. */
function middles(names: readonly (string | number)[]): Label[] {
  return names.map((name, i) => [(i + 0.5) / names.length, `${name}`]);
}

/** Round numbers along a scale, at most so many or hardly more. */
function ticksOf(scale: ScaleLinear<number, number>, count: number): Label[] {
  const text = scale.tickFormat(count);
  return scale.ticks(count).map((tick) => [scale(tick), text(tick)]);
}

function rangeOf(values: readonly number[]): [number, number] {
  if (values.length === 0) return [0, 1];
  // One by one: a trial of images has more numbers than a call takes arguments.
  return [
    values.reduce((a, b) => Math.min(a, b)),
    values.reduce((a, b) => Math.max(a, b)),
  ];
}

/** A chart with what stands left of it and below. */
function Chart({ label, height, left, title, grid = false, ...more }: {
  readonly label: string;
  /** In pixels. */
  readonly height: number;
  readonly left: readonly Label[];
  readonly title?: string;
  /** Draw lines from what stands left. */
  readonly grid?: boolean;
  readonly below?: readonly Label[];
  readonly belowTitle?: string;
  readonly children: ComponentChildren;
}) {
  const texts = (labels: readonly Label[], side: "top" | "left") =>
    labels.map(([share, text]) => (
      <span key={text} style={{ [side]: `${100 * share}%` }}>{text}</span>
    ));
  const lines = left.map(([share]) => `M0 ${share}H1`).join("");
  return (
    <div class="chart" role="img" aria-label={label}>
      <div class="left">
        {texts(left, "top")}
        {title && <b>{title}</b>}
      </div>
      <div class="area" style={{ height: `${height}px` }}>
        {grid && (
          <Lines>
            <path d={lines} />
          </Lines>
        )}
        {more.children}
      </div>
      {more.below && (
        <div class="below">
          {texts(more.below, "left")}
          <b>{more.belowTitle}</b>
        </div>
      )}
    </div>
  );
}

/** Shapes in a square of 1 that is as large as the chart. */
function Lines({ children }: { readonly children: ComponentChildren }) {
  return <svg viewBox="0 0 1 1" preserveAspectRatio="none">{children}</svg>;
}

/** Whether the page is dark; draws again when that changes. */
function useDark(): boolean {
  const query = matchMedia("(prefers-color-scheme: dark)");
  const [dark, set] = useState(query.matches);
  useEffect(() => {
    const follow = () => set(query.matches);
    query.addEventListener("change", follow);
    return () => query.removeEventListener("change", follow);
  }, []);
  return dark;
}

/** A colour of the style sheet as red, green and blue. */
function colorOf(name: string): number[] {
  const style = getComputedStyle(document.documentElement);
  const color = style.getPropertyValue(`--${name}`).trim();
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}

/** A table of numbers, [rows, columns], as colours; NaN is left out. */
function Cells({ values, columns, zero, shareOf, ...about }: {
  readonly values: Float32Array;
  readonly columns: number;
  /** The colour of 0. */
  readonly zero: string;
  /** How much a number has of the colour of 1, or of that of −1. */
  readonly shareOf: (value: number) => number;
} & Pick<JSX.IntrinsicElements["canvas"], "class" | "role" | "aria-label">) {
  const canvas = useRef<HTMLCanvasElement>(null);
  const dark = useDark();
  const height = values.length / columns;
  useEffect(() => {
    const context = canvas.current!.getContext("2d")!;
    const image = context.createImageData(columns, height);
    const [none, above, below] = [zero, "high", "arm-1"].map(colorOf);
    for (const [at, value] of values.entries()) {
      if (Number.isNaN(value)) continue;
      const share = shareOf(value);
      const full = share < 0 ? below! : above!;
      for (const [c, from] of none!.entries()) {
        image.data[4 * at + c] = from + Math.abs(share) * (full[c]! - from);
      }
      image.data[4 * at + 3] = 255;
    }
    context.putImageData(image, 0, 0);
  }, [values, dark]);
  return <canvas ref={canvas} width={columns} height={height} {...about} />;
}

/** The loss of each arm by epoch. */
export function Curves({ arms, epochs, points }: {
  readonly arms: readonly string[];
  readonly epochs: number;
  readonly points: readonly CurvePoint[];
}) {
  const x = scaleLinear([0, epochs], [0, 1]);
  const ends = points.flatMap(({ low, high }) => [low, high]);
  const y = scaleLinear(rangeOf(ends), [1, 0]).nice(6);
  const curves = arms.map((arm, i) => {
    const own = points.filter((point) => point.arm === arm);
    const line = (of: "low" | "middle" | "high") =>
      own.map((point) => `${x(point.epoch)},${y(point[of])}`);
    const band = [...line("low"), ...line("high").reverse()].join(" ");
    return {
      arm,
      band,
      line: line("middle").join(" "),
      color: `var(--arm-${i})`,
      now: own.at(-1)?.middle.toPrecision(3) ?? "none yet",
    };
  });
  const now = curves.map(({ arm, now }) => `${arm} ${now}`).join(", ");
  return (
    <>
      <ul class="legend">
        {curves.map(({ arm, color }) => (
          <li key={arm}>
            <span class="swatch" style={{ background: color }} />
            {arm}
          </li>
        ))}
      </ul>
      <Chart
        label={`Validation loss by epoch; now: ${now}`}
        height={260}
        grid
        title="validation loss"
        left={ticksOf(y, 6)}
        below={ticksOf(x, Math.min(10, epochs))}
        belowTitle="epoch"
      >
        <Lines>
          {curves.map(({ arm, color, band, line }) => (
            <g key={arm} style={{ color }}>
              <polygon points={band} />
              <polyline points={line} />
            </g>
          ))}
        </Lines>
      </Chart>
      <p class="muted">
        Lines are means over runs, bands one standard deviation to either side.
        {epochs > 1 && " The first epoch is left out."}
      </p>
    </>
  );
}

/** More inputs have no names. */
const MOST_NAMES = 8;

/** A trial: inputs, targets, outputs. */
export function Trial({ picture, task }: {
  readonly picture: TrialPicture | undefined;
  readonly task: Task;
}) {
  if (picture === undefined) return <p class="muted">Not trained yet.</p>;
  const { steps, names, inputs, classes, outputs, targets } = picture;
  const classifies = classes.length > 0;
  const many = names.length > MOST_NAMES;
  const shade = scaleLinear(rangeOf([0, ...inputs]), [0, 1]);
  const y = classifies
    ? scaleLinear([0.5, classes.length + 0.5], [0, 1])
    : scaleLinear(rangeOf([0, ...outputs, ...targets]), [1, 0]).nice(4);
  const x = (t: number) => (t + 0.5) / steps;
  // Not more than fit.
  const every = Math.ceil(steps / 20);
  const place = (share: number) => `${100 * share}%`;
  const cells = { columns: steps, zero: "low" };
  return (
    <>
      <Chart
        label={`Inputs over ${steps} time steps`}
        height={many ? 120 : 22 * names.length}
        left={many ? [] : middles(names)}
        title={many ? `${names.length} inputs` : ""}
      >
        <Cells values={inputs} shareOf={shade} {...cells} />
      </Chart>
      <Chart
        label={classifies
          ? "Probability of each class; a ring marks what is right"
          : "Output and targets"}
        height={classifies ? 26 * classes.length : 130}
        left={classifies ? middles(classes) : ticksOf(y, 4)}
        grid={!classifies}
        title={classifies ? "class" : "output"}
        below={middles([...targets.keys()].map((t) => t + 1))
          .filter((_, t) => t % every === 0)}
        belowTitle="time step"
      >
        {classifies
          ? <Cells values={outputs} shareOf={(share) => share} {...cells} />
          : (
            <Lines>
              <polyline
                style={{ color: "var(--arm-0)" }}
                points={Array.from(outputs, (value, t) => `${x(t)},${y(value)}`)
                  .join(" ")}
              />
            </Lines>
          )}
        <svg>
          {Array.from(targets, (target, t) =>
            target !== 0 && (
              <circle key={t} cx={place(x(t))} cy={place(y(target))} r={6} />
            ))}
        </svg>
      </Chart>
      <p class="muted">
        {sentence(plain(task.description ?? task.name))} {classifies
          ? "The stronger a colour, the surer the network is of that class. The ring: what is right."
          : "Line: what the network answers. Rings: what is right."}
      </p>
    </>
  );
}

function sentence(words: string): string {
  return `${words[0]!.toUpperCase()}${words.slice(1)}.`;
}

export function Matrix({ picture, epoch = 0 }: {
  readonly picture: MatrixPicture | undefined;
  readonly epoch: number | undefined;
}) {
  if (picture === undefined) return <p class="muted">Not trained yet.</p>;
  const { cells, neurons, values, full } = picture;
  const largest = picture.largest.toPrecision(2);
  return (
    <>
      <Cells
        class="matrix"
        values={values}
        columns={cells}
        zero="card"
        shareOf={(value) => {
          const share = 0.15 + 0.85 * Math.sqrt(Math.abs(value) / full);
          return Math.min(1, share) * (value < 0 ? -1 : 1);
        }}
        role="img"
        aria-label={`Recurrent weights of ${neurons} neurons, a receiver a row; the strongest is ${largest}`}
      />
      <p class="muted">
        {neurons} neurons after{" "}
        {plural(epoch, "epoch")}: senders from left to right, receivers from top
        to bottom. Violet raises, teal lowers; the strongest is {largest}.
      </p>
    </>
  );
}

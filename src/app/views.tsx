/// <reference lib="dom" />
/** @jsxRuntime automatic */
/** @jsxImportSource npm:preact@11.2.0 */
/**
 * What is seen of a training: curves, the matrix of recurrent weights, a trial,
 * and what came of it.
 *
 * @module
 */

import type { ComponentChildren } from "npm:preact@11.2.0";
import { useEffect, useRef, useState } from "npm:preact@11.2.0/hooks";
import type { Task } from "../tasks/task.ts";
import { plural } from "../text/words.ts";
import {
  type Chart,
  type Colors,
  curvesChart,
  drawChart,
  inputsChart,
  outputsChart,
} from "./charts.ts";
import { plain } from "./form.tsx";
import type { CurvePoint, MatrixPicture, TrialPicture } from "./pictures.ts";
import type { Summary } from "./results.ts";

/** A part of the page under a heading, beside which its tools stand. */
export function Card({ id, title, tools, children }: {
  readonly id: string;
  readonly title: string;
  readonly tools?: ComponentChildren;
  readonly children: ComponentChildren;
}) {
  return (
    <section class="card" aria-labelledby={id}>
      <div class="head">
        <h2 id={id}>{title}</h2>
        {tools}
      </div>
      {children}
    </section>
  );
}

/** The page's colours as they are now: light or dark. */
function colorsNow(): Colors {
  const style = getComputedStyle(document.documentElement);
  const color = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    ink: color("ink"),
    muted: color("muted"),
    line: color("line"),
    card: color("card"),
    low: color("low"),
    high: color("high"),
    arms: Array.from({ length: 13 }, (_, i) => color(`arm-${i}`)),
  };
}

/** Calls again when the page turns light or dark. */
function useColors(): Colors {
  const [colors, set] = useState(colorsNow);
  useEffect(() => {
    const dark = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => set(colorsNow());
    dark.addEventListener("change", follow);
    return () => dark.removeEventListener("change", follow);
  }, []);
  return colors;
}

/** A chart that is made anew where its specification changes, and told the rows. */
function VegaChart({ spec, rows, label }: {
  readonly spec: Parameters<typeof drawChart>[1];
  readonly rows: readonly object[];
  readonly label: string;
}) {
  const host = useRef<HTMLDivElement>(null);
  const chart = useRef<Promise<Chart>>(undefined);
  useEffect(() => {
    const drawn = chart.current = drawChart(host.current!, spec);
    return () => drawn.then((chart) => chart.destroy());
  }, [JSON.stringify(spec)]);
  useEffect(() => {
    chart.current?.then((chart) => chart.update(rows));
  });
  return <div class="chart" ref={host} role="img" aria-label={label} />;
}

/** The loss of each arm by epoch. */
export function Curves({ arms, epochs, points }: {
  readonly arms: readonly string[];
  readonly epochs: number;
  readonly points: readonly CurvePoint[];
}) {
  const colors = useColors();
  const now = arms.flatMap((arm) => {
    const last = points.findLast((point) => point.arm === arm);
    return last === undefined ? [] : [`${arm} ${last.middle.toPrecision(3)}`];
  });
  return (
    <>
      <ul class="legend">
        {arms.map((arm, i) => (
          <li key={arm}>
            <span class="swatch" style={{ background: colors.arms[i] }} />
            {arm}
          </li>
        ))}
      </ul>
      <VegaChart
        label={`Validation loss by epoch; now: ${now.join(", ")}`}
        spec={curvesChart({ arms, epochs, colors })}
        rows={points}
      />
      <p class="muted">
        Lines are means over runs, bands one standard deviation to either side.
        The first epoch is left out.
      </p>
    </>
  );
}

/** A trial: inputs, targets, outputs. */
export function Trial({ picture, task }: {
  readonly picture: TrialPicture | undefined;
  readonly task: Task;
}) {
  const colors = useColors();
  if (picture === undefined) return <p class="muted">Not trained yet.</p>;
  const classifies = picture.classes.length > 0;
  return (
    <>
      <VegaChart
        label={`Inputs over ${picture.steps} time steps`}
        spec={inputsChart(picture, colors)}
        rows={picture.inputs}
      />
      <VegaChart
        label={classifies
          ? "Probability of each class; a ring marks what is right"
          : "Output and targets"}
        spec={outputsChart(picture, colors)}
        rows={picture.outputs}
      />
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
  const canvas = useRef<HTMLCanvasElement>(null);
  const colors = useColors();
  useEffect(() => {
    if (picture !== undefined && canvas.current !== null) {
      paint(canvas.current, picture, colors);
    }
  }, [picture, colors]);
  if (picture === undefined) return <p class="muted">Not trained yet.</p>;
  const { cells, neurons, values } = picture;
  const largest = values.reduce(
    (most, value) => Math.max(most, Math.abs(value) || 0),
    0,
  ).toPrecision(2);
  return (
    <>
      <canvas
        class="matrix"
        ref={canvas}
        width={cells}
        height={cells}
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

function paint(
  canvas: HTMLCanvasElement,
  { cells, values }: MatrixPicture,
  { card, arms, high }: Colors,
): void {
  const context = canvas.getContext("2d")!;
  const image = context.createImageData(cells, cells);
  const found = values.filter((value) => !Number.isNaN(value)).map(Math.abs)
    .sort();
  // A few strong weights would leave all others white.
  const full = found[Math.floor(0.98 * found.length)] || 1;
  const [zero, negative, positive] = [card, arms[1]!, high].map(rgb);
  for (const [at, value] of values.entries()) {
    if (Number.isNaN(value)) continue;
    const share = Math.min(1, 0.15 + 0.85 * Math.sqrt(Math.abs(value) / full));
    const end = value < 0 ? negative! : positive!;
    for (let c = 0; c < 3; c++) {
      image.data[4 * at + c] = zero![c]! + share * (end[c]! - zero![c]!);
    }
    image.data[4 * at + 3] = 255;
  }
  context.putImageData(image, 0, 0);
}

/** #rrggbb as three numbers. */
function rgb(color: string): number[] {
  return [1, 3, 5].map((at) => parseInt(color.slice(at, at + 2), 16));
}

/** A link repeats the run: all settings are in it. */
export function CopyLink() {
  const [copied, set] = useState(false);
  return (
    <button
      type="button"
      onClick={async () => {
        await navigator.clipboard.writeText(location.href);
        set(true);
        setTimeout(() => set(false), 2000);
      }}
    >
      <span role="status">{copied ? "Copied" : "Copy link"}</span>
    </button>
  );
}

/** What came of it: losses, what can be said of them, and all files. */
export function Outcome(
  { summary: { findings, losses }, arms, combinations, packing, pack }: {
    readonly summary: Summary;
    readonly packing: boolean;
    readonly pack: () => void;
    readonly arms: readonly string[];
    readonly combinations: readonly string[];
  },
) {
  const short = (value: number) => Number(value.toPrecision(3)).toString();
  const many = combinations.length > 1;
  return (
    <Card
      id="outcome"
      title="Result"
      tools={
        <button type="button" id="zip" disabled={packing} onClick={pack}>
          {packing ? "Packing …" : "Download results (.zip)"}
        </button>
      }
    >
      <div class="wide" role="region" aria-label="Losses" tabIndex={0}>
        <table>
          <caption>
            Lowest validation loss, mean ± standard deviation over runs
          </caption>
          <thead>
            <tr>
              {many && <th scope="col">combination</th>}
              {arms.map((arm) => <th scope="col" key={arm}>{arm}</th>)}
            </tr>
          </thead>
          <tbody>
            {combinations.map((title, c) => (
              <tr key={title}>
                {many && <th scope="row">{title}</th>}
                {losses.map((own, a) => {
                  const [mean, sd] = own[c]!;
                  return (
                    <td key={arms[a]}>
                      {short(mean)}
                      {Number.isFinite(sd) && ` ± ${short(sd)}`}
                    </td>
                  );
                })}
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      {findings.length > 0 && (
        <details>
          <summary>The comparison in words</summary>
          {findings.map((finding) => <p key={finding}>{finding}</p>)}
        </details>
      )}
      <p class="muted">
        The archive holds a results folder for each arm, as{" "}
        <code>deno task train config.ini</code> writes it;{" "}
        <code>deno task viz</code> reads them.
      </p>
    </Card>
  );
}

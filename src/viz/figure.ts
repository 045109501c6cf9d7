/**
 * What a figure is, a Vega-Lite specification with its name and its caption;
 * what makes every text in it such that it can be drawn; and the look that all
 * share: column widths of journals, one font, sizes that stay readable in
 * print, and colours that everybody can tell apart.
 *
 * @module
 */

import { printable } from "../text/words.ts";

/** A JSON value. */
export type Json =
  | null
  | boolean
  | number
  | string
  | readonly Json[]
  | { readonly [key: string]: Json };

/** A Vega-Lite specification, or a part of one. */
export interface Spec {
  /** A member. */
  readonly [key: string]: Json;
}

/**
 * Name of layers that answer the mouse alone. They have a mark a number, and
 * are left out of still pictures.
 */
export const HOVER = "hover";

/** A figure that has no name yet. */
export interface Drawing {
  /** The part of the report that it belongs to. */
  readonly section: "overview" | "summary" | "loss" | "accuracy" | "networks";
  /** A line for the report's list of figures. */
  readonly title: string;
  /** What is seen, in sentences; also what a screen reader says. */
  readonly caption: string;
  /** Total width in CSS pixels. */
  readonly width: number;
  /** The whole specification, its data included. */
  readonly spec: Spec;
}

/** One figure. */
export interface Figure extends Drawing {
  /** File name without its ending; letters, digits, `.`, `-` and `_`. */
  readonly name: string;
}

/** The type of Vega-Lite in JupyterLab, whose renderer knows what we use of version 6. */
const VEGA_LITE = "application/vnd.vegalite.v5+json";

/**
 * A figure of what is said of it and what is drawn, which Deno's Jupyter kernel
 * shows.
 *
 * @param facts `legends`: the room that legends of labels have.
 * @param own All but what every figure has.
 */
export function makeFigure(
  { legends, ...facts }: Omit<Drawing, "spec"> & {
    readonly legends?: LegendRoom;
  },
  own: Spec,
): Drawing {
  const { title, caption } = facts;
  const spec: Spec = {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    description: caption,
    config: themeConfig(legends) as Spec,
    ...own,
  };
  const display = { [VEGA_LITE]: spec, "text/plain": `${title}: ${caption}` };
  return { ...facts, spec, [Symbol.for("Jupyter.display")]: () => display };
}

/** Longest label that is drawn whole: a legend's entry in one column of a journal. */
const LONGEST_LABEL = 42;

/**
 * Labels as figures have them: long ones without their middle, but such that
 * no two become the same.
 *
 * @param most Signs that fit.
 */
export function drawnLabels(
  labels: readonly string[],
  most = LONGEST_LABEL,
): string[] {
  for (let room = most; room < 1000; room += 20) {
    const short = labels.map((label) =>
      withoutMiddle(drawableText(label), room)
    );
    if (new Set(short).size === labels.length) return short;
  }
  return labels.map(drawableText);
}

/** The beginning and the end of a text; where names differ is most often there. */
function withoutMiddle(text: string, most: number): string {
  const signs = [...text];
  if (signs.length <= most) return text;
  const end = Math.floor((most - 1) / 2);
  return `${signs.slice(0, most - 1 - end).join("")}…${
    signs.slice(-end).join("")
  }`;
}

/**
 * A text that can be drawn: control characters, which no XML file may hold,
 * stand as their codes, and a text such as `constructor`, which Vega would
 * take for a property that every object has, ends in a blank.
 */
export function drawableText(text: string): string {
  const printed = printable(text);
  return printed in {} ? `${printed}\u00a0` : printed;
}

/**
 * A specification in which every text can be drawn, but for those inside
 * expressions.
 *
 * @param options `still`: whether layers named {@linkcode HOVER} are left out; default false.
 */
export function drawable(
  spec: Spec,
  { still = false }: { readonly still?: boolean } = {},
): Spec {
  const walk = (value: Json): Json => {
    if (typeof value === "string") {
      // Addresses of pictures are long, and hold nothing that needs care.
      return value.startsWith("data:") ? value : drawableText(value);
    }
    if (Array.isArray(value)) return value.map(walk);
    if (typeof value !== "object" || value === null) return value;
    const copy: Record<string, Json> = {};
    for (const [key, part] of Object.entries(value)) {
      copy[key] = walk(
        still && key === "layer"
          ? (part as Spec[]).filter(({ name }) => name !== HOVER)
          : part,
      );
    }
    return copy;
  };
  return walk(spec) as Spec;
}

/** How wide a figure is printed, in mm: one column of a journal or two. */
export type FigureWidth = 85 | 178;

const PIXELS_PER_MM = 96 / 25.4;

/** Width of a figure in CSS pixels, of which an inch has 96. */
export const FIGURE_PIXELS: Readonly<Record<FigureWidth, number>> = {
  85: Math.round(85 * PIXELS_PER_MM),
  178: Math.round(178 * PIXELS_PER_MM),
};

/** The font that is bundled, and those of like widths for machines that lack it. */
const FONT = "DejaVu Sans, Verdana, Geneva, sans-serif";

/** Size of the smallest text: 6 points in print. */
export const SMALL_TEXT = 8;

/** Text and lines that carry no data. */
export const INK = "#222222";

/** Reference lines and what explains them. */
export const MUTED = "#6b6b6b";

/**
 * Colours of the results labels, in order. The first two are the dark indigo
 * and the teal of the palette "mako": four times as bright the one as the
 * other, so that a grey print tells them apart too. All have a contrast of 3
 * and more against white, and stay apart under the three kinds of colour
 * blindness.
 */
const PALETTE = "#2e2565 #1f9d94 #e8452c #a082e0 #5a1f10 #a800e6".split(" ");

/**
 * One colour a label; beyond the palette, steps around the colour circle,
 * alternately dark and bright.
 */
export function labelColors(count: number): string[] {
  const more = count - PALETTE.length;
  return Array.from({ length: count }, (_, i) => {
    const step = i - PALETTE.length;
    return PALETTE[i] ??
      `hsl(${Math.round(360 * step / more)}, 60%, ${
        step % 2 === 0 ? 28 : 48
      }%)`;
  });
}

/** Colour scale of quantities from 0 up: bright to dark, as ink is. */
export const SEQUENTIAL: readonly string[] =
  "#b5e7c8 #8fd9b0 #55bfad #38999f #357595 #3d5086 #392c5b #150b18".split(" ");

/** Where a matrix has no connection. */
export const NO_CONNECTION = "#e4e4e4";

/** Colour scale of quantities around 0: teal below, white at 0, indigo above. */
export const DIVERGING: readonly string[] =
  "#00564f #1f9d94 #9ad6d0 #ffffff #b3a9dd #5f4fb0 #2e2565".split(" ");

/** Mean width of a character at a label's size, and an entry's symbol with the gaps around it. */
export const CHARACTER_PIXELS = 5.6;
const SYMBOL_PIXELS = 34;

/** What a figure's legends and their room are. */
interface LegendRoom {
  /** Entries of each legend. */
  readonly legends: readonly (readonly string[])[];
  /** CSS pixels. */
  readonly width: number;
}

/** How many entries stand side by side; undefined where all legends fit in one row. */
function legendColumns({ legends, width }: LegendRoom): number | undefined {
  const widths = legends.flat().map((entry) =>
    CHARACTER_PIXELS * [...entry].length + SYMBOL_PIXELS
  );
  const total = widths.reduce((sum, one) => sum + one, 0);
  return total <= width
    ? undefined
    : Math.max(1, Math.floor(width / Math.max(...widths)));
}

/** Height that legends of more than one row take away from a plot. */
export function legendPixels(room: LegendRoom): number {
  const columns = legendColumns(room);
  if (columns === undefined) return 0;
  const rows = room.legends.map(({ length }) => Math.ceil(length / columns));
  return 12 * (rows.reduce((sum, one) => sum + one, 0) - 1);
}

/** Texts of axes, legends and headers. */
const LABELS = {
  labelFontSize: 9,
  titleFontSize: 10,
  titleFontWeight: "normal",
  labelColor: INK,
  titleColor: INK,
};

/**
 * Vega-Lite's `config` of a figure.
 *
 * @param room Where the figure has legends of labels: they stand in one row if they fit, else one below the other in columns.
 */
function themeConfig(room?: LegendRoom): Record<string, unknown> {
  const columns = room && legendColumns(room);
  return {
    background: "white",
    font: FONT,
    padding: 4,
    view: { stroke: null },
    title: {
      fontSize: 10.5,
      fontWeight: "normal",
      color: INK,
      anchor: "start",
      frame: "group",
      offset: 6,
      subtitleFontSize: 9,
      subtitleColor: MUTED,
    },
    axis: {
      ...LABELS,
      domainColor: INK,
      tickColor: INK,
      tickSize: 3,
      titlePadding: 4,
      labelPadding: 2,
      gridColor: "#ececec",
      gridWidth: 0.6,
      domainWidth: 0.7,
      tickWidth: 0.7,
    },
    legend: {
      ...LABELS,
      titleFontSize: 9,
      orient: "top",
      direction: "horizontal",
      labelLimit: 0,
      symbolStrokeWidth: 1.6,
      symbolSize: 80,
      rowPadding: 1,
      columnPadding: 8,
      offset: 4,
      ...(columns && {
        columns,
        layout: { top: { anchor: "start", direction: "vertical", margin: 2 } },
      }),
    },
    header: { ...LABELS, labelFontWeight: "normal", labelPadding: 3 },
  };
}

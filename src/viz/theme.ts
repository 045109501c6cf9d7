/**
 * The look that all figures share: column widths of journals, one font, sizes
 * that stay readable in print, and colours that everybody can tell apart.
 *
 * @module
 */

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
export interface LegendRoom {
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
export function themeConfig(room?: LegendRoom): Record<string, unknown> {
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

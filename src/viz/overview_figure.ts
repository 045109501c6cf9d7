/**
 * The whole grid at a glance: validation curves as small multiples, a row a
 * kind of network, optimizer and learning rate, a column a difficulty of the
 * task.
 *
 * @module
 */

import type { Baseline, Quantity } from "../analysis/baseline.ts";
import { keyInWords } from "../analysis/match.ts";
import type { Curves } from "../results/results_folder.ts";
import { type Figure, type Json, SCHEMA, type Spec } from "./figure.ts";
import {
  baselineLayer,
  curveLayers,
  DASHES,
  dashes,
  epochAxis,
  labelColor,
  legendParam,
  text,
  whenChosen,
  withAxis,
} from "./layers.ts";
import {
  facetPanels,
  type GridLayout,
  gridLayout,
  panelNames,
  type Parameters,
  SIDES,
} from "./panels.ts";
import { axisTitle, chooseScale, including, scaleProperties } from "./scale.ts";
import {
  drawnValues,
  isPoint,
  MIDDLE_WORDS,
  middleCurve,
  middleRows,
  usableRuns,
} from "./series.ts";
import { FIGURE_PIXELS, type FigureWidth, themeConfig } from "./theme.ts";

const POINTS = 70;
/** Most rows of panels; with more, what would make them becomes dashes. */
const MOST_ROWS = 8;

/** A combination, with the curves of each label that has it. */
export interface OverviewCombination {
  readonly parameters: Parameters;
  readonly byLabel: readonly {
    readonly label: string;
    readonly curves: Curves;
  }[];
}

/** What an overview shows. */
export interface OverviewOptions {
  readonly name: string;
  readonly quantity: Quantity;
  /** Title of the value axis, without the note on a logarithmic scale. */
  readonly axis: string;
  readonly labels: readonly string[];
  readonly baseline: Baseline | undefined;
  readonly width: FigureWidth;
}

/** Where a combination stands. */
interface Place {
  readonly row: string;
  readonly column: string;
  readonly dash: string;
}

/** Curves of one panel that differ in colour and dash can't be told apart: all but the difficulty makes rows, while there is room. */
function placesOf(
  combinations: readonly OverviewCombination[],
  { difficulty, kinds, others }: GridLayout,
): { places: Place[]; dashed: string[] } {
  const name = (keys: readonly string[]) =>
    panelNames(combinations.map(({ parameters }) => parameters), keys);
  const rows = [...others, ...kinds];
  const dashed = new Set(name(rows)).size > MOST_ROWS &&
      new Set(name(others)).size <= DASHES.length
    ? others
    : [];
  const [row, column, dash] = [
    name(rows.filter((key) => !dashed.includes(key))),
    name(difficulty === undefined ? [] : [difficulty]),
    name(dashed),
  ];
  return {
    places: combinations.map((_, i) => ({
      row: row[i]!,
      column: column[i]!,
      dash: dash[i]!,
    })),
    dashed: [...dashed],
  };
}

/**
 * Draws the middle and the spread of the validation curves of all
 * combinations.
 *
 * @returns undefined where there is one combination only, or no curve.
 *
 * @example
 * ```ts
 * import { overviewFigure } from "./src/viz/overview_figure.ts";
 *
 * const curves = { iterations: 1, epochs: 3, values: Float64Array.of(3, 2, 1) };
 * overviewFigure(
 *   [2, 3].map((n_back) => ({
 *     parameters: { n_back },
 *     byLabel: [{ label: "bio", curves }],
 *   })),
 *   {
 *     name: "overview_loss",
 *     quantity: "loss",
 *     axis: "validation loss (NLL)",
 *     labels: ["bio"],
 *     baseline: undefined,
 *     width: "two",
 *   },
 * ); // one row, two columns
 * ```
 */
export function overviewFigure(
  combinations: readonly OverviewCombination[],
  options: OverviewOptions,
): Figure | undefined {
  if (combinations.length < 2) return undefined;
  const layout = gridLayout(combinations.map(({ parameters }) => parameters));
  const { places, dashed } = placesOf(combinations, layout);
  const drawn = combinations.flatMap(({ byLabel }, i) =>
    byLabel.flatMap(({ label, curves }) => {
      const usable = usableRuns(curves, options.quantity);
      return usable.runs.length === 0
        ? []
        : [{ ...places[i]!, label, ...usable }];
    })
  );
  if (drawn.length === 0) return undefined;
  const scale = chooseScale(drawnValues(drawn));
  const middle = scale.log ? "median" : "mean";
  const points = drawn.some(({ runs }) => isPoint({ middle: runs[0]!.values }));
  const dashNames = [...new Set(drawn.map(({ dash }) => dash))];
  const rows = drawn.flatMap(({ runs, start, leftOut: _, ...fields }): Json[] =>
    middleRows({
      start,
      ...middleCurve(runs.map(({ values }) => values), {
        of: middle,
        quantity: options.quantity,
      }),
    }, {
      ...fields,
      points: POINTS,
      banded: runs.length > 1 && fields.dash === dashNames[0],
    })
  );
  const caption = captionOf(layout, { ...options, dashed, middle });
  const total = FIGURE_PIXELS[options.width];
  return {
    name: options.name,
    section: "overview",
    title: `Overview: ${options.axis}`,
    caption,
    width: total,
    spec: {
      $schema: SCHEMA,
      description: caption,
      config: themeConfig({
        legends: [options.labels, dashNames.length > 1 ? dashNames : []],
        width: total - SIDES,
      }) as Spec,
      datasets: { middle: rows },
      data: { name: "middle" },
      ...facetPanels(drawn, {
        width: total,
        height: 84,
        title: axisTitle(options.axis, scale),
        baseline: options.baseline !== undefined,
        layer: panelLayers(options, {
          y: scaleProperties(including(scale, options.baseline?.value)),
          dashNames,
          points,
          bars: drawn.some(({ runs }) =>
            runs.length > 1 && isPoint({ middle: runs[0]!.values })
          ),
          bands: drawn.some(({ runs }) => runs.length > 1),
        }),
      }),
    },
  };
}

function captionOf(
  { difficulty, kinds, others }: GridLayout,
  { axis, baseline, dashed, middle }: OverviewOptions & {
    readonly dashed: readonly string[];
    readonly middle: keyof typeof MIDDLE_WORDS;
  },
): string {
  const { line, band } = MIDDLE_WORDS[middle];
  const rows = [...others, ...kinds].filter((key) => !dashed.includes(key));
  const part = (what: string, keys: readonly string[]) =>
    keys.length === 0 ? "" : `; ${what}: ${keys.map(keyInWords).join(", ")}`;
  return `${axis} against epochs: ${line} (line) and ${band} (band) of the runs${
    part("rows", rows)
  }${part("columns", difficulty === undefined ? [] : [difficulty])}${
    part("dashes, of which the first alone has bands", dashed)
  }.${baseline === undefined ? "" : ` Dotted: ${baseline.label}.`}`;
}

function panelLayers(
  { labels, baseline }: OverviewOptions,
  { y, dashNames, points, bars, bands }: {
    readonly y: ReturnType<typeof scaleProperties>;
    readonly dashNames: readonly string[];
    /** Whether there are curves of one epoch, and any of several runs. */
    readonly points: boolean;
    readonly bars: boolean;
    /** Whether there are bands: an axis has no range of no rows. */
    readonly bands: boolean;
  },
): Spec[] {
  const curves = curveLayers({
    detail: ["dash"],
    x: epochAxis(4),
    color: labelColor(labels, { legend: { symbolType: "stroke" } }),
    strokeDash: dashes("dash", { values: dashNames }),
    opacity: whenChosen("label"),
    strokeWidth: 1.2,
    ...(bands ? { bands: "datum.banded" } : {}),
    points,
    bars,
    tooltip: [
      text("label", "label"),
      text("row", "network and optimizer"),
      text("column", "task"),
    ],
  });
  const [first, ...others] = withAxis([...curves, ...baselineLayer(baseline)], {
    title: null,
    scale: y.scale,
    axis: { ...y.axis, tickCount: 4 },
  });
  return [{ ...first, params: [legendParam("label")] }, ...others];
}

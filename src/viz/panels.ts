/**
 * Lays out a grid of hyper-parameters in rows, columns and dashes of small
 * panels, whatever its keys are.
 *
 * @module
 */

import { combinationName, keyInWords } from "../analysis/match.ts";
import type { Plain } from "../results/experiment_record.ts";
import type { Spec } from "./figure.ts";
import { CHARACTER_PIXELS } from "./theme.ts";

/** Values by key of a combination. */
export type Parameters = Readonly<Record<string, Plain>>;

/** Which keys stand where; those with one value stand nowhere. */
export interface GridLayout {
  /** How difficult the task is. */
  readonly difficulty: string | undefined;
  /** Kinds of network and optimizer. */
  readonly kinds: readonly string[];
  /** All others, such as the learning rate. */
  readonly others: readonly string[];
}

/** How the tasks call their difficulty. */
const DIFFICULTIES = ["n_back", "pattern_length", "trial_length"];

/** Keys that are no difficulty though they are numbers. */
const RATES = /^(lr|learning_rate|weight_decay|momentum)$/;

/**
 * Finds the keys that vary, and what each is: the task's difficulty, a kind (a
 * key with names for values), or something else.
 */
export function gridLayout(combinations: readonly Parameters[]): GridLayout {
  const values = new Map<string, Set<Plain>>();
  for (const parameters of combinations) {
    for (const [key, value] of Object.entries(parameters)) {
      const seen = values.get(key);
      if (seen === undefined) values.set(key, new Set([value]));
      else seen.add(value);
    }
  }
  const varying = [...values].filter(([, seen]) => seen.size > 1);
  const numeric = varying.filter(([key, seen]) =>
    !RATES.test(key) && [...seen].every((value) => typeof value === "number")
  ).map(([key]) => key);
  const difficulty = DIFFICULTIES.find((key) => numeric.includes(key)) ??
    numeric.at(-1);
  const kinds = varying.filter(([, seen]) =>
    [...seen].every((value) => typeof value === "string")
  ).map(([key]) => key);
  const others = varying.map(([key]) => key).filter((key) =>
    key !== difficulty && !kinds.includes(key)
  );
  return { difficulty, kinds, others };
}

/** What a grid of panels is made of. */
interface FacetOptions {
  /** Total width in CSS pixels. */
  readonly width: number;
  /** Height of a panel, where there are few rows. */
  readonly height: number;
  readonly layer: readonly Spec[];
  /** Title of the value axis, once for all panels. */
  readonly title: string;
  /** Whether the name of a baseline stands at the right. */
  readonly baseline: boolean;
}

/** Room for the value axis, the baseline's name, and the rows' titles, which have a line a key. */
const AXIS_PIXELS = 46;
const BASELINE_PIXELS = 66;
const TITLE_PIXELS = 14;
const LINE_PIXELS = 11;
/** Room beside the legends. */
export const SIDES = AXIS_PIXELS + BASELINE_PIXELS;
const SPACING = 8;
/** Rows that have panels of full height, and how low the panels of more may be. */
const FULL_ROWS = 4;
const LOWEST = 56;

/**
 * Names of panels by some keys, a name a combination. One that has none of the
 * keys, as of another task, is a dash: Vega can't draw an empty title.
 */
export function panelNames(
  combinations: readonly Parameters[],
  keys: readonly string[],
): string[] {
  return combinations.map((parameters) =>
    keys.length === 0 ? "" : combinationName(parameters, keys) || "–"
  );
}

/** What a caption says of keys, after the part before: `; rows: learning rate, optimizer`. */
export function keysInWords(what: string, keys: readonly string[]): string {
  return keys.length === 0
    ? ""
    : `; ${what}: ${keys.map(keyInWords).join(", ")}`;
}

/**
 * The part of a specification that lays panels out by the fields `row` and
 * `column` of its data. A field with one value makes no rows or columns.
 *
 * @param places Of all panels, in order.
 */
export function facetPanels(
  places: readonly { readonly row: string; readonly column: string }[],
  { width, height, layer, title, baseline }: FacetOptions,
): Spec {
  const rows = [...new Set(places.map(({ row }) => row))];
  const columns = [...new Set(places.map(({ column }) => column))];
  const sides = AXIS_PIXELS + (baseline ? BASELINE_PIXELS : 0) +
    (rows.length < 2 ? 0 : TITLE_PIXELS +
      LINE_PIXELS * Math.max(...rows.map((row) => row.split(" · ").length)));
  const scale = rows.length <= 1
    ? 1.9
    : rows.length === 2
    ? 1.4
    : Math.min(1, FULL_ROWS / rows.length);
  const panel = {
    width: Math.floor(
      (width - sides - SPACING * (columns.length - 1)) / columns.length,
    ),
    height: Math.max(LOWEST, Math.round(scale * height)),
    layer,
    resolve: { axis: { y: "independent" } },
  };
  if (rows.length < 2 && columns.length < 2) {
    return { ...panel, title: { text: title, offset: 2 } };
  }
  return {
    // One title for all: beside each row there is no room for it.
    title: { text: title, offset: 2 },
    facet: {
      ...(rows.length < 2 ? {} : {
        row: side("row", rows, {
          labelAngle: -90,
          labelOrient: "right",
          labelPadding: 6,
          ...LINE_A_KEY,
        }),
      }),
      ...(columns.length < 2 ? {} : {
        column: side(
          "column",
          columns,
          // Names that would run into each other.
          columns.some((one) => CHARACTER_PIXELS * one.length > panel.width)
            ? LINE_A_KEY
            : {},
        ),
      }),
    },
    spacing: { row: SPACING + 4, column: SPACING },
    spec: panel,
  };
}

/** Names of panels with a line a key. */
const LINE_A_KEY: Spec = {
  labelExpr: "split(datum.label, ' · ')",
  labelLineHeight: 10,
};

function side(field: string, sort: readonly string[], header: Spec): Spec {
  return {
    field,
    type: "nominal",
    title: null,
    sort,
    header: { labelLimit: 0, ...header },
  };
}

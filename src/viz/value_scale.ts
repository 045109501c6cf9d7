/**
 * Which scale an axis of losses or accuracies has.
 *
 * @module
 */

import { type Quantity } from "../analysis/baseline.ts";
import { LOG_RANGE } from "../analysis/summary.ts";

/** The scale of a value axis. */
export interface ValueScale {
  readonly log: boolean;
  /** Lowest and highest value that is drawn. */
  readonly low: number;
  readonly high: number;
}

/**
 * Chooses a logarithmic scale where all values are positive and the highest is
 * more than {@linkcode LOG_RANGE} times the lowest: on a linear one, the lower
 * half of such curves is a flat line.
 *
 * @param values What is drawn; values that are not finite count for nothing.
 *
 * @example
 * ```ts
 * import { chooseScale } from "./src/viz/value_scale.ts";
 *
 * chooseScale([0.001, 0.08]).log; // true
 * ```
 */
export function chooseScale(values: Iterable<number>): ValueScale {
  let low = Infinity;
  let high = -Infinity;
  for (const value of values) {
    if (!Number.isFinite(value)) continue;
    if (value < low) low = value;
    if (value > high) high = value;
  }
  if (low > high) return { log: false, low: 0, high: 1 };
  return { log: low > 0 && high > LOG_RANGE * low, low, high };
}

/** How many signs fit beside a box plot. */
const SHORT_TITLE = 26;

/** A long title in two lines, its unit in the second, for axes that are short. */
export function brokenTitle(title: string): string[] {
  const at = title.indexOf(" (");
  return at < 0 || title.length <= SHORT_TITLE
    ? [title]
    : [title.slice(0, at), title.slice(at + 1)];
}

/** The title of a value axis: a reader must not take a logarithmic scale for a linear one. */
export function axisTitle(quantity: string, { log }: ValueScale): string {
  if (!log) return quantity;
  return quantity.endsWith(")")
    ? `${quantity.slice(0, -1)}, log scale)`
    : `${quantity} (log scale)`;
}

/**
 * Round numbers on a logarithmic scale: 1, 2 and 5 times powers of ten up to
 * two decades, beyond that powers of ten, seven at most.
 *
 * @example
 * ```ts
 * import { logTicks } from "./src/viz/value_scale.ts";
 *
 * logTicks(0.003, 0.2); // [0.005, 0.01, 0.02, 0.05, 0.1, 0.2]
 * ```
 */
export function logTicks(low: number, high: number): number[] {
  const decades = Math.log10(high / low);
  const factors = decades <= 2 ? [1, 2, 5] : [1];
  const step = Math.max(1, Math.ceil(decades / 7));
  const last = Math.floor(Math.log10(high));
  const ticks: number[] = [];
  for (let power = last; 10 ** (power + 1) > low; power -= step) {
    for (const factor of factors.toReversed()) {
      // Decimal text is exact where a product of floats is not: 2e-3.
      const tick = Number(`${factor}e${power}`);
      if (tick >= low && tick <= high) ticks.unshift(tick);
    }
  }
  return ticks;
}

/** Vega-Lite's properties of the scale and the axis. */
export function scaleProperties({ log, low, high }: ValueScale): {
  scale: { [key: string]: boolean | string | number };
  axis: { [key: string]: string | number | number[] };
} {
  if (!log) {
    return {
      scale: { type: "linear", zero: false, nice: true },
      axis: { tickCount: 5 },
    };
  }
  return {
    scale: { type: "log", nice: false, padding: 3 },
    // Vega's own ticks would draw a grid line at each of nine numbers a decade.
    axis: { values: logTicks(low, high), format: "~g" },
  };
}

/**
 * Calculates `low` and `high` of mean ± standard deviation. On a logarithmic
 * scale a band ends at the lowest value that is drawn, as there is no
 * logarithm of what lies below 0.
 *
 * @param limits Numbers that the quantity can't leave, such as 0 and 100 %.
 */
export function bandTransform(
  { log, low }: ValueScale,
  limits: readonly [number, number] | undefined,
): { calculate: string; as: string }[] {
  const floor = log ? low : limits?.[0];
  const lower = "datum.mean - datum.sd";
  const upper = "datum.mean + datum.sd";
  return [
    {
      calculate: floor === undefined ? lower : `max(${lower}, ${floor})`,
      as: "low",
    },
    {
      calculate: limits === undefined ? upper : `min(${upper}, ${limits[1]})`,
      as: "high",
    },
  ];
}

/** What a quantity can't leave: a band of mean ± standard deviation ends there. */
export function limitsOf(
  quantity: Quantity,
): readonly [number, number] | undefined {
  return quantity === "accuracy" ? [0, 100] : undefined;
}

/**
 * Which scale an axis of losses or accuracies has.
 *
 * @module
 */

/** A scale that spans more than this is logarithmic. */
export const LOG_RANGE = 30;

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

/** The title of a value axis: a reader must not take a logarithmic scale for a linear one. */
export function axisTitle(quantity: string, { log }: ValueScale): string {
  if (!log) return quantity;
  return quantity.endsWith(")")
    ? `${quantity.slice(0, -1)}, log scale)`
    : `${quantity} (log scale)`;
}

/** Vega-Lite's properties of the scale and the axis. */
export function scaleProperties({ log, low, high }: ValueScale): {
  scale: { [key: string]: boolean | string | number };
  axis: { [key: string]: string | number };
} {
  if (!log) {
    return {
      scale: { type: "linear", zero: false, nice: true },
      axis: { tickCount: 5 },
    };
  }
  const decades = Math.ceil(Math.log10(high / low));
  return {
    scale: { type: "log", nice: false, padding: 3 },
    // Below four decades, powers of ten alone would leave the axis bare.
    axis: { tickCount: Math.max(5, decades), format: "~g" },
  };
}

/**
 * Calculates `low` and `high` of mean ± standard deviation. On a logarithmic
 * scale a band ends at the lowest value that is drawn, as there is no
 * logarithm of what lies below 0.
 */
export function bandTransform(
  { log, low }: ValueScale,
): { calculate: string; as: string }[] {
  const lower = "datum.mean - datum.sd";
  return [
    { calculate: log ? `max(${lower}, ${low})` : lower, as: "low" },
    { calculate: "datum.mean + datum.sd", as: "high" },
  ];
}

/**
 * Which scale an axis of losses or accuracies has.
 *
 * @module
 */

import { spansDecades } from "../analysis/summary.ts";
import type { Spec } from "./figure.ts";

/** The scale of a value axis. */
export interface ValueScale {
  readonly log: boolean;
  /** Lowest and highest value that is drawn. */
  readonly low: number;
  readonly high: number;
}

/**
 * Chooses a logarithmic scale where all values are positive and the highest is
 * more than 30 times the lowest: on a linear one, the lower half of such
 * curves is a flat line.
 *
 * @param values What is drawn; values that are not finite count for nothing.
 *
 * @example
 * ```ts
 * import { chooseScale } from "./src/viz/scale.ts";
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
  return { log: spansDecades([low, high]), low, high };
}

/** The same scale with room for one more value, such as a baseline. */
export function including(scale: ValueScale, value?: number): ValueScale {
  return value === undefined ? scale : {
    ...scale,
    low: Math.min(scale.low, value),
    high: Math.max(scale.high, value),
  };
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
 * import { logTicks } from "./src/viz/scale.ts";
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

/** Vega-Lite's properties of the scale and the axis; whole numbers have no ticks between them. */
export function scaleProperties(
  { log, low, high }: ValueScale,
  { whole = false }: { readonly whole?: boolean } = {},
): { scale: Spec; axis: Spec } {
  if (log) {
    return {
      scale: { type: "log", nice: false, padding: 4 },
      // Vega's own ticks would draw a grid line at each of nine numbers a decade.
      axis: { values: logTicks(low, high), format: "~g" },
    };
  }
  // Of a single value no axis can be made.
  const room = whole ? 1 : Math.abs(low) * 0.05 || 1;
  const domain = low === high ? [low - room, high + room] : undefined;
  return {
    scale: {
      type: "linear",
      zero: false,
      nice: domain === undefined,
      padding: 4,
      ...(domain === undefined ? {} : { domain }),
    },
    axis: whole
      ? { tickCount: 5, tickMinStep: 1, format: "d" }
      : { tickCount: 5 },
  };
}

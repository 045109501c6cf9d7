/**
 * What SciPy computes; `tests/golden/scipy_statistics.py` wrote the file.
 *
 * @module
 */

import assert from "node:assert/strict";

type Values = number[];

/** The file's content. */
export const SCIPY: {
  readonly normal: [z: number, tail: number][];
  readonly student: [t: number, degreesOfFreedom: number, tail: number][];
  readonly wilcoxon: [differences: Values, statistic: number, p: number][];
  readonly mann_whitney: [
    x: Values,
    y: Values,
    u: number,
    p: number,
    asymptoticP: number,
  ][];
  readonly equivalence: [
    x: Values,
    y: Values,
    margin: number,
    paired: boolean,
    p: number,
  ][];
  readonly holm: [p: Values, corrected: Values][];
  readonly delta_interval: [
    x: Values,
    y: Values,
    delta: number,
    low: number,
    high: number,
  ][];
} = JSON.parse(
  Deno.readTextFileSync(
    new URL("../golden/scipy_statistics.json", import.meta.url),
  ),
);

/** Asserts equality up to a relative difference of 1e-10. */
export function assertClose(found: number, wanted: number, what = ""): void {
  const difference = Math.abs(found - wanted);
  assert.ok(
    difference <= 1e-10 * Math.abs(wanted),
    `${what} found ${found}, SciPy has ${wanted}`,
  );
}

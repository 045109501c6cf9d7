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
  ][];
  readonly equivalence: [
    x: Values,
    y: Values,
    margin: number,
    paired: boolean,
    p: number,
  ][];
  readonly holm: [p: Values, corrected: Values][];
} = readGolden("scipy_statistics.json");

/** What `tests/golden/strata_statistics.py` wrote. */
export const STRATA: {
  readonly student: [t: number, degreesOfFreedom: number, tail: number][];
  readonly student_quantile: [
    tail: number,
    degreesOfFreedom: number,
    t: number,
  ][];
  readonly stratified_signed_rank: [
    strata: Values[],
    method: string,
    statistic: number,
    p: number,
  ][];
  readonly stratified_rank_sum: [
    strata: [x: Values, y: Values][],
    method: string,
    statistic: number,
    p: number,
  ][];
  readonly fisher: [
    tables: [m: number, n: number, a: number, b: number][],
    p: number,
  ][];
  readonly mcnemar: [onlyX: number, onlyY: number, p: number][];
  readonly rank_biserial: [differences: Values, effect: Values][];
  readonly cliffs_delta: [x: Values, y: Values, effect: Values][];
  readonly mean_effect: [strata: Values[], effect: Values][];
  readonly stratified_equivalence: [
    strata: [x: Values, y: Values][],
    paired: boolean,
    p: number,
    low: number,
    high: number,
  ][];
  readonly holm: [p: Values, corrected: Values][];
} = readGolden("strata_statistics.json");

function readGolden(name: string) {
  return JSON.parse(
    Deno.readTextFileSync(new URL(`../golden/${name}`, import.meta.url)),
  );
}

/** Asserts equality up to a relative difference, of 1e-10 unless told otherwise. */
export function assertClose(
  found: number,
  wanted: number,
  what = "",
  tolerance = 1e-10,
): void {
  const difference = Math.abs(found - wanted);
  assert.ok(
    difference <= tolerance * Math.abs(wanted),
    `${what} found ${found}, SciPy has ${wanted}`,
  );
}

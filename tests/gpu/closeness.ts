/**
 * How far numbers of a device are off those of the float64 reference engine.
 *
 * @module
 */

import assert from "node:assert/strict";
import {
  type FloatArray,
  PARAMETER_NAMES,
  type Parameters,
} from "../../src/rnn/parameters.ts";

/** ‖found − expected‖ / ‖expected‖ */
function relativeError(found: FloatArray, expected: FloatArray): number {
  assert.equal(found.length, expected.length);
  let difference = 0;
  let size = 0;
  for (let i = 0; i < expected.length; i++) {
    difference += (found[i]! - expected[i]!) ** 2;
    size += expected[i]! ** 2;
  }
  return size === 0 ? Math.sqrt(difference) : Math.sqrt(difference / size);
}

/** Expects ‖found − expected‖ to be at most `limit` times ‖expected‖. */
export function assertClose(
  found: FloatArray,
  expected: FloatArray,
  { limit, what }: { readonly limit: number; readonly what: string },
): void {
  const error = relativeError(found, expected);
  assert.ok(error <= limit, `${what} is off by ${error}, allowed ${limit}`);
}

/** The same, tensor by tensor. */
export function assertParametersClose(
  found: Parameters,
  expected: Parameters,
  { limit, what }: { readonly limit: number; readonly what: string },
): void {
  for (const name of PARAMETER_NAMES) {
    assertClose(found[name], expected[name], {
      limit,
      what: `${what} ${name}`,
    });
  }
}

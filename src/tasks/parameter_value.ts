/**
 * Reads a task's parameters, which the config reader has checked against the
 * task's schema.
 *
 * @module
 */

import type { TaskParameters } from "./task.ts";

/**
 * A number among a task's parameters.
 *
 * @throws {RangeError} If it is missing or no number.
 */
export function numberParameter(
  parameters: TaskParameters,
  name: string,
): number {
  const value = parameters[name];
  if (typeof value !== "number" || !Number.isFinite(value)) {
    throw new RangeError(
      `Cannot make trials: ${name} must be a number, found ${value}`,
    );
  }
  return value;
}

/**
 * A whole number that is at least `from`, among a task's parameters.
 *
 * @throws {RangeError} If it is missing, no whole number or too small.
 */
export function countParameter(
  parameters: TaskParameters,
  name: string,
  from = 1,
): number {
  const value = numberParameter(parameters, name);
  if (!Number.isSafeInteger(value) || value < from) {
    throw new RangeError(
      `Cannot make trials: ${name} must be a whole number from ${from}, found ${value}`,
    );
  }
  return value;
}

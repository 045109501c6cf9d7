/**
 * Trouble with the device that an engine runs on, as opposed to a fault of the
 * program or of what it was given.
 *
 * @module
 */

/**
 * What went wrong: the device is gone (unplugged, reset, driver restarted); it
 * has no memory left; it was asked for something that WebGPU does not allow;
 * the driver failed for a reason of its own.
 */
export type DeviceTrouble =
  | "lost"
  | "out-of-memory"
  | "validation"
  | "internal";

/**
 * An engine's device failed. All ensembles on it are of no use any more.
 *
 * @example
 * ```ts
 * import { DeviceError } from "./src/engine/device_error.ts";
 *
 * const error = new DeviceError("the device was lost", { reason: "lost" });
 * error.reason; // "lost"
 * ```
 */
export class DeviceError extends Error {
  override name = "DeviceError";
  readonly reason: DeviceTrouble;

  constructor(
    message: string,
    { reason, cause }: {
      readonly reason: DeviceTrouble;
      readonly cause?: unknown;
    },
  ) {
    super(message, { cause });
    this.reason = reason;
  }
}

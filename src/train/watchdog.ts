/**
 * Tells when a training makes no progress. Waiting for the device blocks the
 * event loop, so that a timer would be blocked with it: the watchdog is a
 * thread of its own.
 *
 * @module
 */

import type { WatchdogOrders } from "./watchdog_worker.ts";

/** A watchdog at work. */
export interface Watchdog {
  /** Says that there was progress. */
  beat(): void;
  /** Ends the thread. */
  stop(): void;
}

/** When to bark. */
export interface WatchdogOptions {
  /**
   * Seconds without progress that are always fine, default 120. Where epochs
   * take long, ten times the longest one is fine, too.
   */
  readonly patience?: number;
}

/**
 * Starts a thread that writes a warning to standard error when nobody called
 * `beat` for long, and again each time that the silence has doubled.
 *
 * @example
 * ```ts no-eval
 * import { startWatchdog } from "./src/train/watchdog.ts";
 *
 * const watchdog = startWatchdog();
 * watchdog.beat(); // after each epoch
 * watchdog.stop();
 * ```
 */
export function startWatchdog(
  { patience = 120 }: WatchdogOptions = {},
): Watchdog {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    new URL("./watchdog_worker.ts", import.meta.url),
    { type: "module", name: "watchdog" },
  );
  const orders: WatchdogOrders = { beats, patience, pid: Deno.pid };
  worker.postMessage(orders);
  return {
    beat() {
      Atomics.add(beats, 0, 1);
    },
    stop: () => worker.terminate(),
  };
}

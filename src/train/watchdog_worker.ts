/**
 * The thread of `watchdog.ts`.
 *
 * @module
 */

import { formatDuration } from "../text/words.ts";

/** What the watchdog is told when it starts. */
export interface WatchdogOrders {
  /** One number, raised with each sign of progress. */
  readonly beats: Int32Array<SharedArrayBuffer>;
  /** Seconds. */
  readonly patience: number;
  /** Process to end, should it hang. */
  readonly pid: number;
}

function watch({ beats, patience, pid }: WatchdogOrders): void {
  let seen = Atomics.load(beats, 0);
  let last = performance.now();
  let longest = 0;
  let limit = patience * 1000;
  // Looking now and then, not waiting for the number to change: a thread that waits can't be ended.
  setInterval(() => {
    const now = performance.now();
    const count = Atomics.load(beats, 0);
    if (count !== seen) {
      // The first time is that of preparing, too, and of compiling kernels.
      if (seen > 0) longest = Math.max(longest, now - last);
      seen = count;
      last = now;
      limit = Math.max(patience * 1000, 10 * longest);
    } else if (now - last >= limit) {
      warn(describe({ silence: now - last, longest, seen, pid }));
      limit *= 2;
    }
  }, Math.min(1000, patience * 100));
}

function describe(
  { silence, longest, seen, pid }: {
    silence: number;
    longest: number;
    seen: number;
    pid: number;
  },
): string {
  const before = seen === 0
    ? "the first epoch is still under way"
    : `an epoch took ${formatDuration(longest / 1000)} at most so far`;
  return `warning: no progress for ${
    formatDuration(silence / 1000)
  }, and ${before}; if the device hangs, end this process (kill -9 ${pid}) and go on with --resume`;
}

function warn(line: string): void {
  // On a line of its own, below a progress line that is being redrawn.
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(`\n${line}\n`));
  } catch {
    // Nobody is left to be warned.
  }
}

self.addEventListener("message", (event) => {
  watch((event as MessageEvent<WatchdogOrders>).data);
});

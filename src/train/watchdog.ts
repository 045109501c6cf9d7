/**
 * Tells when a training makes no progress, by a thread of its own: waiting for the
 * device blocks the event loop, and a timer with it.
 *
 * @module
 */

import { formatDuration } from "../text/words.ts";

/** Name of the thread, which runs this module too. */
const THREAD = "biornn watchdog";

/** What the thread is told when it starts. */
interface Orders {
  /** One number, raised with each sign of progress. */
  readonly beats: Int32Array<SharedArrayBuffer>;
  /** Seconds. */
  readonly patience: number;
  /** Process to end, should it hang. */
  readonly pid: number;
}

/**
 * Starts a thread that writes a warning to standard error when nobody called
 * `beat` for long, and again each time that the silence has doubled, until it is stopped.
 *
 * @param options.patience Seconds without progress that are always fine, default 120.
 * Where epochs take long, ten times the longest one is fine, too.
 */
export function startWatchdog(
  { patience = 120 }: { readonly patience?: number } = {},
) {
  const beats = new Int32Array(new SharedArrayBuffer(4));
  const worker = new Worker(
    new URL(import.meta.url),
    { type: "module", name: THREAD },
  );
  worker.postMessage({ beats, patience, pid: Deno.pid } satisfies Orders);
  return {
    beat: () => void Atomics.add(beats, 0, 1),
    stop: () => worker.terminate(),
  };
}

function watch({ beats, patience, pid }: Orders): void {
  let seen = Atomics.load(beats, 0);
  let last = performance.now();
  let longest = 0;
  let limit = patience * 1000;
  // Looking now and then, not waiting for the number to change: a thread that waits can't be ended.
  setInterval(() => {
    const now = performance.now();
    const silence = now - last;
    const count = Atomics.load(beats, 0);
    if (count !== seen) {
      // The first time is that of preparing, too, and of compiling kernels.
      if (seen > 0) longest = Math.max(longest, silence);
      seen = count;
      last = now;
      limit = Math.max(patience * 1000, 10 * longest);
    } else if (silence >= limit) {
      const before = seen === 0
        ? "the first epoch is still under way"
        : `an epoch took ${formatDuration(longest / 1000)} at most so far`;
      warn(
        `warning: no progress for ${
          formatDuration(silence / 1000)
        }, and ${before}; if the device hangs, end this process (kill -9 ${pid}) and go on with --resume`,
      );
      limit *= 2;
    }
  }, Math.min(1000, patience * 100));
}

function warn(line: string): void {
  // On a line of its own, below a progress line that is being redrawn.
  try {
    Deno.stderr.writeSync(new TextEncoder().encode(`\n${line}\n`));
  } catch {
    // Nobody is left to be warned.
  }
}

if (self.name === THREAD) {
  self.addEventListener("message", (event) => {
    watch((event as MessageEvent<Orders>).data);
  });
}

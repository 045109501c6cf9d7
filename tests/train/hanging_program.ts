/**
 * A program of the tests: makes some progress, then hangs as a device does,
 * with its event loop blocked. Arguments: seconds of patience, seconds to hang.
 *
 * @module
 */

import { startWatchdog } from "../../src/train/watchdog.ts";

const [patience, hang] = Deno.args.map(Number) as [number, number];
const nobody = new Int32Array(new SharedArrayBuffer(4));
const block = (seconds: number) => Atomics.wait(nobody, 0, 0, seconds * 1000);

const watchdog = startWatchdog({ patience });
// Time for the thread to start.
await new Promise((resolve) => setTimeout(resolve, 300));
for (let epoch = 0; epoch < 4; epoch++) {
  watchdog.beat();
  block(patience / 20);
}
block(hang);
watchdog.stop();

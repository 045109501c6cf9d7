/**
 * Shows whether kernels read what nobody has written.
 *
 * @module
 */

import type { WatchedDevice } from "../../src/gpu/device.ts";
import type { GpuEnsemble } from "../../src/gpu/ensemble.ts";

/** Fills what the kernels must not read before they wrote it with NaN. */
export function poisonBuffers(
  { device: { queue } }: WatchedDevice,
  { buffers, storage }: GpuEnsemble,
): void {
  const nans = (words: number) => new Float32Array(words).fill(NaN);
  for (
    const name of [
      "delta",
      "gradient",
      "outputs",
      "outputDelta",
      "stepSums",
    ] as const
  ) {
    queue.writeBuffer(buffers[name], 0, nans(buffers[name].size / 4));
  }
  if (storage.kind !== "dense") {
    // All of the first model's states, their padding too, but h_0, which stays 0.
    const { hidden, trials } = storage.layout;
    const words = storage.words(0).state - hidden * trials;
    queue.writeBuffer(buffers.state, 4 * hidden * trials, nans(words));
    return;
  }
  // The hidden part of every state row but those of step 0, which stay 0.
  const { batchRows, width, hidden } = storage.layout;
  const rows = Math.floor(buffers.state.size / 4 / width);
  const row = nans(hidden);
  for (let r = batchRows; r < 2 * batchRows && r < rows; r++) {
    queue.writeBuffer(buffers.state, r * width * 4, row);
  }
}

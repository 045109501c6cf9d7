/**
 * Shows whether kernels read what nobody has written.
 *
 * @module
 */

import type { WatchedDevice } from "../../src/gpu/device.ts";
import type { GpuEnsemble } from "../../src/gpu/engine.ts";
import { rangeBuffer, rangesOf } from "../../src/gpu/layout.ts";

/** Fills what the kernels must not read before they wrote it with NaN. */
export function poisonBuffers(
  { device: { queue } }: WatchedDevice,
  { made: { buffers, models }, format: { layout } }: GpuEnsemble,
): void {
  const { hidden, hiddenSize, inputSize, outputSize, slot, units, vectors } =
    layout;
  const width = 4 * vectors;
  const poison = (name: string, word: number, words: number) =>
    queue.writeBuffer(
      buffers[name]!,
      4 * word,
      new Float32Array(words).fill(NaN),
    );
  for (const name of ["gradient", "outputs", "stepSums"]) {
    poison(name, 0, buffers[name]!.size / 4);
  }
  for (const { run: { trials: { steps, targets } }, at } of models) {
    const firstScored = targets.findIndex((target) => target !== 0) % steps;
    for (const [range, { first, last }] of rangesOf(layout, steps).entries()) {
      const [states, deltas] = [
        rangeBuffer("state", range),
        rangeBuffer("delta", range),
      ];
      for (let t = first; t <= last; t++) {
        const state = at.state + (t - first) * slot * width;
        // h_0, and the rows that fill up, stay 0.
        if (t > 0) poison(states, state, hiddenSize * width);
        poison(states, state + hidden * width, (inputSize + 1) * width);
        const delta = at.delta + (t - first) * units * width;
        if (t < steps) poison(deltas, delta, hiddenSize * width);
        // dy is written at scored steps alone.
        if (t > firstScored) {
          poison(deltas, delta + hidden * width, outputSize * width);
        }
      }
    }
  }
}

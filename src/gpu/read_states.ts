/**
 * The states of models, read back from the device.
 *
 * @module
 */

import type { ModelState } from "../engine/ensemble.ts";
import type { WatchedDevice } from "./device.ts";
import type { EnsembleBuffers } from "./ensemble_buffers.ts";
import { type BufferPart, readBack } from "./read_back.ts";
import { STATE_BUFFERS, type StateArrays, type Storage } from "./storage.ts";

/** Bytes read at once: as much again is taken on the device for the copy. */
const BYTES_AT_ONCE = 1 << 26;

/** Reads parameters and moments of the models at those places. */
export async function readStates(
  gpu: WatchedDevice,
  places: readonly number[],
  options: { readonly storage: Storage; readonly made: EnsembleBuffers },
): Promise<Pick<ModelState, "parameters" | "firstMoment" | "secondMoment">[]> {
  const { storage, made } = options;
  const states = [];
  for (let start = 0; start < places.length;) {
    const parts: BufferPart[] = [];
    const now: number[] = [];
    let bytes = 0;
    while (
      start < places.length && (now.length === 0 || bytes < BYTES_AT_ONCE)
    ) {
      const place = places[start++]!;
      const words = storage.words(place);
      now.push(place);
      for (const name of STATE_BUFFERS) {
        bytes += 4 * words[name];
        parts.push({
          buffer: made.buffers[name],
          firstWord: made.offsets[place]![name],
          words: words[name],
        });
      }
    }
    const arrays = await readBack(gpu, parts);
    for (const [i, place] of now.entries()) {
      const own = STATE_BUFFERS.map((name, n) => [
        name,
        arrays[i * STATE_BUFFERS.length + n],
      ]);
      states.push(
        storage.unpackState(place, Object.fromEntries(own) as StateArrays),
      );
    }
  }
  return states;
}

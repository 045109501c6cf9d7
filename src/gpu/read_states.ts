/**
 * The states of models, read back from the device.
 *
 * @module
 */

import type { ModelRun, ModelState } from "../engine/ensemble.ts";
import type { WatchedDevice } from "./device.ts";
import type { EnsembleBuffers } from "./ensemble_buffers.ts";
import type { Layout } from "./layout.ts";
import { unpackMatrix } from "./pack_parameters.ts";
import { type BufferPart, readBack } from "./read_back.ts";

/** Bytes read at once: as much again is taken on the device for the copy. */
const BYTES_AT_ONCE = 1 << 26;

const NAMES = ["parameters", "biases", "firstMoment", "secondMoment"] as const;

/** Reads parameters and moments of the models at those places. */
export async function readStates(
  gpu: WatchedDevice,
  places: readonly number[],
  options: {
    readonly layout: Layout;
    readonly made: EnsembleBuffers;
    /** In the order of the places. */
    readonly runs: readonly ModelRun[];
  },
): Promise<Pick<ModelState, "parameters" | "firstMoment" | "secondMoment">[]> {
  const { layout, made, runs } = options;
  const words = {
    parameters: layout.units * layout.width,
    biases: 2 * layout.hidden,
    firstMoment: layout.units * layout.width,
    secondMoment: layout.units * layout.width,
  };
  const bytes = 4 * NAMES.reduce((sum, name) => sum + words[name], 0);
  const some = Math.max(1, Math.floor(BYTES_AT_ONCE / bytes));
  const states = [];
  for (let start = 0; start < places.length; start += some) {
    const now = places.slice(start, start + some);
    const arrays = await readBack(
      gpu,
      now.flatMap((place) =>
        NAMES.map((name): BufferPart => ({
          buffer: made.buffers[name],
          firstWord: made.offsets[place]![name],
          words: words[name],
        }))
      ),
    );
    for (let i = 0; i < now.length; i++) {
      const [parameters, biases, first, second] = arrays.slice(4 * i);
      const { connections } = runs[now[i]!]!;
      const places = { layout, connections };
      states.push({
        parameters: unpackMatrix(parameters!, { ...places, biases: biases! }),
        firstMoment: unpackMatrix(first!, places),
        secondMoment: unpackMatrix(second!, places),
      });
    }
  }
  return states;
}

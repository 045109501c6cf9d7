/**
 * Adds a connectome, its network and a model before and after training to a
 * results folder made for tests.
 *
 * @module
 */

import { join } from "node:path";
import { writeNpy } from "../../src/files/npy.ts";
import { encodeSafetensors } from "../../src/files/safetensors.ts";
import { modelName } from "../../src/results/layout.ts";
import { createStream } from "../../src/random/stream.ts";

/** Sizes that fit `experiment.json` of `make_results.ts`. */
export const REGIONS = 12;
export const NEURONS = 4;

/** Writes the matrices of combination 0. */
export async function makeNetworks(
  folder: string,
  { seed = 0, epochs = 500 }: { seed?: number; epochs?: number } = {},
): Promise<void> {
  const stream = createStream({ seed, purpose: "topology" });
  const hidden = REGIONS * NEURONS;
  const connectome = new Float64Array(REGIONS ** 2);
  for (let i = 0; i < REGIONS; i++) {
    for (let j = 0; j < REGIONS; j++) {
      if (i !== j && stream.uniform() < 0.6) {
        connectome[i * REGIONS + j] = Math.exp(-8 * stream.uniform());
      }
    }
  }
  const network = new Float64Array(hidden ** 2);
  for (let a = 0; a < hidden; a++) {
    for (let b = 0; b < hidden; b++) {
      const [i, j] = [Math.floor(a / NEURONS), Math.floor(b / NEURONS)];
      network[a * hidden + b] = i === j
        ? (a === b ? 0 : 0.05 * stream.uniform())
        : (connectome[i * REGIONS + j] as number) * stream.uniform();
    }
  }
  await Deno.writeFile(
    join(folder, "connectome.npy"),
    writeNpy({ shape: [REGIONS, REGIONS], data: connectome }),
  );
  await Deno.writeFile(
    join(folder, "network.npy"),
    writeNpy({ shape: [hidden, hidden], data: network }),
  );
  for (
    const [name, spread] of [["initial", 1], [epochs - 1, 1.5]] as const
  ) {
    const weights = new Float32Array(hidden ** 2);
    for (let a = 0; a < hidden; a++) {
      for (let b = 0; b < hidden; b++) {
        if (network[b * hidden + a] === 0) continue;
        weights[a * hidden + b] = spread * (2 * stream.uniform() - 1) / 7;
      }
    }
    await Deno.writeFile(
      join(folder, "0", modelName({ epoch: name, iteration: 0 })),
      encodeSafetensors([
        { name: "rnn.weight_hh_l0", shape: [hidden, hidden], data: weights },
      ]),
    );
  }
}

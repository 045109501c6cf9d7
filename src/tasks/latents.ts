/**
 * A fixed encoder from 28 × 28 pictures to 50 non-negative latent features, in
 * place of the trained convolutional network that the original's latents come
 * from. It learns nothing and belongs to no measured data.
 *
 * Three layers: how bright each part of the picture is and which way its edges
 * run there; how far that is from a digit of average shape; then 50 fixed
 * random mixtures of it, of which the negative ones are cut off (ReLU).
 *
 * @module
 */

import { createStream } from "../random/stream.ts";
import { DIGIT_SIDE, syntheticDigits } from "./synthetic_digits.ts";
import type { Stimuli } from "./task.ts";

/** Latent features of a picture, as many as the original's. */
const LATENT_SIZE = 50;

/** The encoder is the same in all experiments, so its seed is no experiment's. */
const ENCODER_SEED = 50;

/** Each map is averaged over squares of 4 × 4 pixels. */
const SQUARE = 4;
const GRID = DIGIT_SIDE / SQUARE;

/** Brightness, and the edges along four directions. */
const MAPS = 5;
const MAP_SIZE = GRID * GRID;

/** Digits that the average is taken of: as many of each. */
const AVERAGED = 200;

/** Brings the latents to the mean of the original's, 2.49. */
const GAIN = 2.4;

/** How bright a picture is around each place, and how steep its edges are along four directions. */
function featureMaps(picture: Float32Array): Float64Array {
  const maps = new Float64Array(MAPS * MAP_SIZE);
  const at = (row: number, column: number) =>
    row < 0 || column < 0 || row >= DIGIT_SIDE || column >= DIGIT_SIDE
      ? 0
      : picture[row * DIGIT_SIDE + column]! / 255;
  for (let row = 0; row < DIGIT_SIDE; row++) {
    for (let column = 0; column < DIGIT_SIDE; column++) {
      const square = Math.floor(row / SQUARE) * GRID +
        Math.floor(column / SQUARE);
      const add = (map: number, value: number) => {
        maps[map * MAP_SIZE + square] = maps[map * MAP_SIZE + square]! + value;
      };
      const across = at(row, column + 1) - at(row, column - 1);
      const down = at(row + 1, column) - at(row - 1, column);
      const falling = at(row + 1, column + 1) - at(row - 1, column - 1);
      const rising = at(row - 1, column + 1) - at(row + 1, column - 1);
      add(0, at(row, column));
      add(1, Math.abs(across));
      add(2, Math.abs(down));
      add(3, Math.abs(falling));
      add(4, Math.abs(rising));
    }
  }
  return maps;
}

/** The maps of an average digit. */
function averageMaps(): Float64Array {
  const digits = syntheticDigits({ seed: ENCODER_SEED, count: AVERAGED });
  const average = new Float64Array(MAPS * MAP_SIZE);
  for (let i = 0; i < digits.count; i++) {
    const maps = featureMaps(pictureOf(digits, i));
    for (const [j, value] of maps.entries()) {
      average[j] = average[j]! + value / digits.count;
    }
  }
  return average;
}

function pictureOf({ values, size }: Stimuli, i: number): Float32Array {
  return values.subarray(i * size, (i + 1) * size);
}

/** [LATENT_SIZE, MAPS · MAP_SIZE], standard normal over the square root of the columns. */
function mixtures(): Float64Array {
  const stream = createStream({ seed: ENCODER_SEED, purpose: "images" });
  const columns = MAPS * MAP_SIZE;
  return Float64Array.from(
    { length: LATENT_SIZE * columns },
    () => stream.normal() / Math.sqrt(columns),
  );
}

/**
 * The latent features of 28 × 28 pictures.
 *
 * @throws {RangeError} If the pictures have another size.
 *
 * @example
 * ```ts
 * import { encodeLatents } from "./src/tasks/latents.ts";
 * import { syntheticDigits } from "./src/tasks/synthetic_digits.ts";
 *
 * const latents = encodeLatents(syntheticDigits({ seed: 1 }));
 * latents.size; // 50
 * ```
 */
export function encodeLatents(images: Stimuli): Stimuli {
  if (images.size !== DIGIT_SIDE ** 2) {
    throw new RangeError(
      `Cannot encode pictures of ${images.size} pixels: they must have ${
        DIGIT_SIDE ** 2
      }`,
    );
  }
  const weights = mixtures();
  const average = averageMaps();
  const columns = MAPS * MAP_SIZE;
  const values = new Float32Array(images.count * LATENT_SIZE);
  for (let i = 0; i < images.count; i++) {
    const maps = featureMaps(pictureOf(images, i));
    for (let latent = 0; latent < LATENT_SIZE; latent++) {
      let sum = 0;
      for (let j = 0; j < columns; j++) {
        sum += weights[latent * columns + j]! * (maps[j]! - average[j]!);
      }
      values[i * LATENT_SIZE + latent] = GAIN * Math.max(0, sum);
    }
  }
  return {
    size: LATENT_SIZE,
    count: images.count,
    values,
    labels: images.labels,
    source: `latents of ${images.source}`,
    synthetic: images.synthetic,
  };
}

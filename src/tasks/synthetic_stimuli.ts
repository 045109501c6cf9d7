/**
 * Synthetic digits: pictures of handwriting that nobody wrote, for the picture
 * tasks where no data set is at hand. They are drawn by a program from the
 * strokes below and stand for no measured data.
 *
 * And a fixed encoder from 28 × 28 pictures to 50 non-negative latent features, in
 * place of the trained convolutional network that the original's latents come
 * from. It learns nothing. Three layers: how bright each part of the picture is and
 * which way its edges run there; how far that is from a digit of average shape; then
 * 50 fixed random mixtures of it, of which the negative ones are cut off (ReLU).
 *
 * @module
 */

import { createStream, type RandomStream } from "../random/stream.ts";
import { pictureOf, type Stimuli, type Task } from "./task.ts";

/** Height and width of a picture in pixels, as in MNIST. */
const DIGIT_SIDE = 28;

/** How many pictures an experiment has: 200 of each digit. */
const COUNT = 2000;

/** How one picture differs from the next: half the width of the pen, and where it puts a point of a stroke. */
function drawHand(
  stream: RandomStream,
): { readonly pen: number; readonly move: (point: Point) => Point } {
  const between = (low: number, high: number) =>
    low + (high - low) * stream.uniform();
  // Lengths in parts of the picture's height.
  const width = between(0.85, 1.2);
  const height = between(0.9, 1.15);
  const slant = between(-0.3, 0.3);
  const turn = between(-0.2, 0.2);
  const right = between(-0.07, 0.07);
  const down = between(-0.05, 0.05);
  const [bendX, phaseX] = [between(0, 0.035), between(0, 2 * Math.PI)];
  const [bendY, phaseY] = [between(0, 0.035), between(0, 2 * Math.PI)];
  const pen = between(0.03, 0.06);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  const move = ([x, y]: Point): Point => {
    // Slow waves bend the strokes; then come size, slant, turn and shift.
    const u = x - 0.5 + bendX * Math.sin(2 * Math.PI * y + phaseX);
    const v = y - 0.5 + bendY * Math.sin(2 * Math.PI * x + phaseY);
    return [
      0.5 + right + cos * width * u + (cos * slant - sin) * height * v,
      0.5 + down + sin * width * u + (sin * slant + cos) * height * v,
    ];
  };
  return { pen, move };
}

/** Distance of a point from the line between two others. */
function distance([x, y]: Point, [from, to]: [Point, Point]): number {
  const [dx, dy] = [to[0] - from[0], to[1] - from[1]];
  const [px, py] = [x - from[0], y - from[1]];
  const length = dx * dx + dy * dy;
  const along = length === 0 ? 0 : (px * dx + py * dy) / length;
  const nearest = Math.max(0, Math.min(1, along));
  return Math.hypot(px - nearest * dx, py - nearest * dy);
}

/** Draws one stroke into a picture; where strokes cross, the brighter one counts. */
function ink(picture: Float32Array, stroke: Stroke, pen: number): void {
  const reach = pen + 1 / DIGIT_SIDE;
  const pixel = (coordinate: number) =>
    Math.max(0, Math.min(DIGIT_SIDE - 1, Math.floor(coordinate * DIGIT_SIDE)));
  for (let i = 1; i < stroke.length; i++) {
    const from = stroke[i - 1]!;
    const to = stroke[i]!;
    const top = pixel(Math.min(from[1], to[1]) - reach);
    const bottom = pixel(Math.max(from[1], to[1]) + reach);
    const left = pixel(Math.min(from[0], to[0]) - reach);
    const right = pixel(Math.max(from[0], to[0]) + reach);
    for (let row = top; row <= bottom; row++) {
      for (let column = left; column <= right; column++) {
        const center: Point = [
          (column + 0.5) / DIGIT_SIDE,
          (row + 0.5) / DIGIT_SIDE,
        ];
        // The edge of the pen fades over one pixel.
        const part = (pen - distance(center, [from, to])) * DIGIT_SIDE + 0.5;
        const value = Math.round(255 * Math.max(0, Math.min(1, part)));
        const place = row * DIGIT_SIDE + column;
        if (value > picture[place]!) picture[place] = value;
      }
    }
  }
}

/**
 * The synthetic digits of a seed: ten classes, as many pictures of each (one
 * more of the first ones where `count` is no multiple of ten), 28 × 28 pixels
 * from 0 to 255, white on black.
 */
export function syntheticDigits(
  { seed, count = COUNT }: { readonly seed: number; readonly count?: number },
): Stimuli {
  const stream = createStream({ seed, purpose: "images" });
  const size = DIGIT_SIDE ** 2;
  const values = new Float32Array(count * size);
  const labels = new Uint8Array(count);
  for (let i = 0; i < count; i++) {
    const label = i % DIGIT_STROKES.length;
    labels[i] = label;
    const { pen, move } = drawHand(stream);
    const picture = pictureOf({ values, size }, i);
    for (const stroke of DIGIT_STROKES[label]!) {
      ink(picture, stroke.map(move), pen);
    }
  }
  const source = "synthetic digits";
  return { size, count, values, labels, source, synthetic: true };
}

/** A point, x to the right and y downwards, both from 0 to 1. */
type Point = readonly [x: number, y: number];

type Stroke = readonly Point[];

const ARC_STEP_DEGREES = 24;

/** Points of an ellipse; 0° is to the right, 90° downwards. */
function arc([x, y]: Point, [a, b]: Point, [from, to]: Point): Stroke {
  const count = Math.ceil(Math.abs(to - from) / ARC_STEP_DEGREES);
  return Array.from({ length: count + 1 }, (_, i) => {
    const angle = (from + (to - from) * i / count) * Math.PI / 180;
    return [x + a * Math.cos(angle), y + b * Math.sin(angle)];
  });
}

const DIGIT_STROKES: readonly (readonly Stroke[])[] = [
  [arc([0.5, 0.5], [0.2, 0.32], [-90, 270])],
  [[[0.38, 0.3], [0.52, 0.18], [0.52, 0.5], [0.52, 0.82]]],
  [[
    ...arc([0.49, 0.36], [0.2, 0.18], [190, 390]),
    [0.48, 0.66],
    [0.3, 0.82],
    [0.5, 0.81],
    [0.72, 0.82],
  ]],
  [[
    ...arc([0.47, 0.335], [0.19, 0.16], [205, 440]),
    ...arc([0.47, 0.66], [0.22, 0.17], [280, 515]),
  ]],
  [
    [[0.38, 0.18], [0.33, 0.36], [0.29, 0.54], [0.5, 0.54], [0.74, 0.53]],
    [[0.63, 0.22], [0.62, 0.5], [0.61, 0.83]],
  ],
  [
    [[0.7, 0.19], [0.54, 0.19], [0.38, 0.19], [0.35, 0.46]],
    arc([0.48, 0.63], [0.21, 0.195], [232, 510]),
  ],
  [[
    ...arc([0.68, 0.6], [0.37, 0.43], [258, 180]),
    ...arc([0.49, 0.65], [0.18, 0.175], [180, -185]),
  ]],
  [[
    [0.28, 0.21],
    [0.5, 0.2],
    [0.72, 0.2],
    [0.58, 0.45],
    [0.49, 0.65],
    [0.43, 0.83],
  ]],
  [
    arc([0.5, 0.34], [0.16, 0.155], [90, 450]),
    arc([0.5, 0.66], [0.19, 0.165], [-90, 270]),
  ],
  [[...arc([0.49, 0.36], [0.18, 0.17], [0, -360]), [0.66, 0.6], [0.58, 0.83]]],
];

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
      const slope = (down: number, right: number) =>
        Math.abs(
          at(row + down, column + right) - at(row - down, column - right),
        );
      maps[square]! += at(row, column);
      maps[square + MAP_SIZE]! += slope(0, 1);
      maps[square + 2 * MAP_SIZE]! += slope(1, 0);
      maps[square + 3 * MAP_SIZE]! += slope(1, 1);
      maps[square + 4 * MAP_SIZE]! += slope(-1, 1);
    }
  }
  return maps;
}

function averageMaps(): Float64Array {
  const digits = syntheticDigits({ seed: ENCODER_SEED, count: AVERAGED });
  const average = new Float64Array(MAPS * MAP_SIZE);
  for (let i = 0; i < AVERAGED; i++) {
    const maps = featureMaps(pictureOf(digits, i));
    maps.forEach((value, j) => average[j]! += value / AVERAGED);
  }
  return average;
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
  const source = `latents of ${images.source}`;
  return { ...images, size: LATENT_SIZE, values, source };
}

/** What a user of synthetic stimuli should know, without a full stop: results with them are not the original's. */
export function syntheticNote(
  { name, stimuli }: Pick<Task, "name" | "stimuli">,
): string {
  const remedy = stimuli === "latents"
    ? "[paths] latents = download takes the original's"
    : "[paths] images takes a file of them";
  return `${name} shows synthetic digits, where the original shows MNIST's; ${remedy}`;
}

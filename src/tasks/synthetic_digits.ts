/**
 * Synthetic digits: pictures of handwriting that nobody wrote, for the picture
 * tasks where no data set is at hand. They are drawn by a program from the
 * strokes in `digit_strokes.ts` and stand for no measured data.
 *
 * @module
 */

import { createStream, type RandomStream } from "../random/stream.ts";
import { DIGIT_STROKES, type Point, type Stroke } from "./digit_strokes.ts";
import type { Stimuli } from "./task.ts";

/** Height and width of a picture in pixels, as in MNIST. */
export const DIGIT_SIDE = 28;

/** How many pictures an experiment has: 200 of each digit. */
const COUNT = 2000;

/** Names the pictures in logs and results. */
const SYNTHETIC_DIGITS = "synthetic digits";

/** How one picture differs from the next; lengths in parts of its height. */
interface Hand {
  /** 2 × 2 matrix, row by row: size, slant and turn. */
  readonly matrix: readonly [number, number, number, number];
  readonly shift: Point;
  /** Slow waves that bend the strokes: size and phase along each axis. */
  readonly bend: readonly [Point, Point];
  /** Half the width of the pen. */
  readonly pen: number;
}

function drawHand(stream: RandomStream): Hand {
  const between = (low: number, high: number) =>
    low + (high - low) * stream.uniform();
  const width = between(0.85, 1.2);
  const height = between(0.9, 1.15);
  const slant = between(-0.3, 0.3);
  const turn = between(-0.2, 0.2);
  const [cos, sin] = [Math.cos(turn), Math.sin(turn)];
  return {
    // Turn · slant · size.
    matrix: [
      cos * width,
      (cos * slant - sin) * height,
      sin * width,
      (sin * slant + cos) * height,
    ],
    shift: [between(-0.07, 0.07), between(-0.05, 0.05)],
    bend: [
      [between(0, 0.035), between(0, 2 * Math.PI)],
      [between(0, 0.035), between(0, 2 * Math.PI)],
    ],
    pen: between(0.03, 0.06),
  };
}

function moved([x, y]: Point, { matrix, shift, bend }: Hand): Point {
  const [[bendX, phaseX], [bendY, phaseY]] = bend;
  const u = x - 0.5 + bendX * Math.sin(2 * Math.PI * y + phaseX);
  const v = y - 0.5 + bendY * Math.sin(2 * Math.PI * x + phaseY);
  const [a, b, c, d] = matrix;
  return [0.5 + shift[0] + a * u + b * v, 0.5 + shift[1] + c * u + d * v];
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
 *
 * @example
 * ```ts
 * import { syntheticDigits } from "./src/tasks/synthetic_digits.ts";
 *
 * const digits = syntheticDigits({ seed: 1, count: 20 });
 * digits.values.subarray(0, 784); // the first picture, a 0
 * digits.labels; // 0, 1, … 9, 0, 1, … 9
 * ```
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
    const hand = drawHand(stream);
    const picture = values.subarray(i * size, (i + 1) * size);
    for (const stroke of DIGIT_STROKES[label]!) {
      ink(picture, stroke.map((point) => moved(point, hand)), hand.pen);
    }
  }
  return {
    size,
    count,
    values,
    labels,
    source: SYNTHETIC_DIGITS,
    synthetic: true,
  };
}

/**
 * How the ten digits are written: strokes of a pen in a unit square.
 *
 * @module
 */

/** A point, x to the right and y downwards, both from 0 to 1. */
export type Point = readonly [x: number, y: number];

/** A line of the pen from point to point. */
export type Stroke = readonly Point[];

/** Degrees between two points of an arc. */
const ARC_STEP = 24;

interface Ellipse {
  readonly center: Point;
  readonly radii: readonly [number, number];
}

/** Points of an ellipse; 0° is to the right, 90° downwards. */
function arc({ center, radii }: Ellipse, [from, to]: [number, number]): Stroke {
  const count = Math.ceil(Math.abs(to - from) / ARC_STEP);
  return Array.from({ length: count + 1 }, (_, i) => {
    const angle = (from + (to - from) * i / count) * Math.PI / 180;
    return [
      center[0] + radii[0] * Math.cos(angle),
      center[1] + radii[1] * Math.sin(angle),
    ];
  });
}

/** The strokes of each digit from 0 to 9. */
export const DIGIT_STROKES: readonly (readonly Stroke[])[] = [
  [arc({ center: [0.5, 0.5], radii: [0.2, 0.32] }, [-90, 270])],
  [[[0.38, 0.3], [0.52, 0.18], [0.52, 0.5], [0.52, 0.82]]],
  [[
    ...arc({ center: [0.49, 0.36], radii: [0.2, 0.18] }, [190, 390]),
    [0.48, 0.66],
    [0.3, 0.82],
    [0.5, 0.81],
    [0.72, 0.82],
  ]],
  [[
    ...arc({ center: [0.47, 0.335], radii: [0.19, 0.16] }, [205, 440]),
    ...arc({ center: [0.47, 0.66], radii: [0.22, 0.17] }, [280, 515]),
  ]],
  [
    [[0.38, 0.18], [0.33, 0.36], [0.29, 0.54], [0.5, 0.54], [0.74, 0.53]],
    [[0.63, 0.22], [0.62, 0.5], [0.61, 0.83]],
  ],
  [
    [[0.7, 0.19], [0.54, 0.19], [0.38, 0.19], [0.35, 0.46]],
    arc({ center: [0.48, 0.63], radii: [0.21, 0.195] }, [232, 510]),
  ],
  [[
    ...arc({ center: [0.68, 0.6], radii: [0.37, 0.43] }, [258, 180]),
    ...arc({ center: [0.49, 0.65], radii: [0.18, 0.175] }, [180, -185]),
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
    arc({ center: [0.5, 0.34], radii: [0.16, 0.155] }, [90, 450]),
    arc({ center: [0.5, 0.66], radii: [0.19, 0.165] }, [-90, 270]),
  ],
  [[
    ...arc({ center: [0.49, 0.36], radii: [0.18, 0.17] }, [0, -360]),
    [0.66, 0.6],
    [0.58, 0.83],
  ]],
];

/**
 * The spectral radius of recurrent weights.
 *
 * @module
 */

import type { Connections, FloatArray } from "./connections.ts";
import { createStream } from "../random/stream.ts";

/** Of so many units all eigenvalues are computed; of more, those of a part that grows until the largest stays. */
const MOST_WHOLE = 60;
const MOST_STEPS = 320;
/** Change of the radius, of which it is no better known than that. */
const TOLERANCE = 3e-4;

/**
 * The largest absolute value of an eigenvalue of W_hh, the one number that tells
 * most about what a recurrent network does with its activity: below 1 it fades,
 * above 1 it grows. Time grows with the connections.
 *
 * Source: W. E. Arnoldi, The principle of minimized iterations in the solution of
 * the matrix eigenvalue problem, Q. Appl. Math. 9, 17–29 (1951),
 * https://doi.org/10.1090/qam/42792.
 *
 * @param connections Of a square matrix.
 * @param weights [n], one of each connection.
 * @returns NaN where a weight is NaN or infinite; 0 of a matrix without cycles.
 *
 * @example
 * ```ts
 * import { spectralRadius } from "@biornn/biornn";
 * import { listConnections } from "./src/graph/connections.ts";
 *
 * const all = listConnections({ receivers: 2, senders: 2 });
 * spectralRadius(all, Float64Array.of(0, 2, 2, 0)); // 2
 * ```
 */
export function spectralRadius(
  connections: Connections,
  weights: FloatArray,
): number {
  if (!weights.every(Number.isFinite)) return NaN;
  // Rounding would make a small number of the 0 that it has.
  if (hasNoCycle(connections)) return 0;
  const n = connections.receivers;
  let steps = n <= MOST_WHOLE ? n : 40;
  let radius = radiusOf(connections, { weights, steps });
  while (steps < n && steps < MOST_STEPS) {
    steps = Math.min(n, Math.ceil(1.5 * steps), MOST_STEPS);
    const before = radius;
    radius = radiusOf(connections, { weights, steps });
    if (Math.abs(radius - before) <= TOLERANCE * radius) break;
  }
  return radius;
}

/** The radius of W_hh on the space that so many steps of W_hh span, from a random vector. */
function radiusOf(
  { receivers: n, start, sender }: Connections,
  { weights, steps }: { readonly weights: FloatArray; readonly steps: number },
): number {
  const stream = createStream({ seed: 0, purpose: "weights" });
  const basis = [Float64Array.from({ length: n }, () => stream.normal())];
  scale(basis[0]!, 1 / norm(basis[0]!));
  /** [steps, steps], row-major: W_hh as it acts on the space; no entry more than one below the diagonal. */
  const projected = new Float64Array(steps * steps);
  let size = 0;
  while (size < steps) {
    const next = new Float64Array(n);
    const from = basis[size]!;
    for (let i = 0; i < n; i++) {
      let sum = 0;
      for (let c = start[i]!; c < start[i + 1]!; c++) {
        sum += weights[c]! * from[sender[c]!]!;
      }
      next[i] = sum;
    }
    const before = norm(next);
    // Twice, as once leaves what rounding made of it.
    for (let round = 0; round < 2; round++) {
      for (const [row, vector] of basis.entries()) {
        let product = 0;
        for (let i = 0; i < n; i++) product += vector[i]! * next[i]!;
        for (let i = 0; i < n; i++) next[i]! -= product * vector[i]!;
        projected[row * steps + size]! += product;
      }
    }
    size++;
    const length = norm(next);
    // The space holds all that it leads to.
    if (size === steps || length <= 1e-12 * before) break;
    projected[size * steps + size - 1] = length;
    scale(next, 1 / length);
    basis.push(next);
  }
  return hessenbergRadius(projected, { width: steps, size });
}

/**
 * The largest absolute value of an eigenvalue of a matrix with nothing more than
 * one below its diagonal, by QR steps with shifts in complex numbers: the last
 * row loses its entry beside the diagonal, which then is an eigenvalue.
 *
 * Source: J. G. F. Francis, The QR transformation, Comput. J. 4, 265–271 (1961),
 * https://doi.org/10.1093/comjnl/4.3.265.
 */
function hessenbergRadius(
  matrix: Float64Array,
  { width: m, size }: { readonly width: number; readonly size: number },
): number {
  const re = matrix.slice();
  const im = new Float64Array(re.length);
  const size2 = (at: number) => Math.hypot(re[at]!, im[at]!);
  const cosine = new Float64Array(size);
  const sineRe = new Float64Array(size);
  const sineIm = new Float64Array(size);
  let radius = 0;
  let last = size - 1;
  for (let tries = 0; last >= 0; tries++) {
    let first = last;
    for (; first > 0; first--) {
      const below = first * m + first - 1;
      const beside = size2(below - m) + size2(below + 1);
      if (size2(below) <= Number.EPSILON * beside) break;
    }
    const corner = last * m + last;
    if (first === last || tries > MOST_TRIES) {
      radius = Math.max(radius, size2(corner));
      last--;
      tries = 0;
      continue;
    }
    // A step that leads nowhere is followed by one with another shift.
    const [shiftRe, shiftIm] = tries % 10 === 9
      ? [re[corner]! + size2(corner - 1), im[corner]!]
      : cornerShift(re, im, { corner, m });
    for (let k = first; k <= last; k++) {
      re[k * m + k]! -= shiftRe;
      im[k * m + k]! -= shiftIm;
    }
    // Q is a rotation of rows k and k + 1 for each k; RQ turns the columns.
    for (let k = first; k < last; k++) {
      const a = k * m + k, b = a + m;
      const length = Math.hypot(re[a]!, im[a]!, re[b]!, im[b]!);
      const size = size2(a);
      const c = length === 0 ? 1 : size / length;
      const [ur, ui] = size === 0 ? [1, 0] : [re[a]! / size, im[a]! / size];
      const sr = length === 0 ? 0 : (ur * re[b]! + ui * im[b]!) / length;
      const si = length === 0 ? 0 : (ui * re[b]! - ur * im[b]!) / length;
      cosine[k] = c;
      sineRe[k] = sr;
      sineIm[k] = si;
      for (let j = k; j <= last; j++) {
        const p = k * m + j, q = p + m;
        const pr = re[p]!, pi = im[p]!, qr = re[q]!, qi = im[q]!;
        re[p] = c * pr + sr * qr - si * qi;
        im[p] = c * pi + sr * qi + si * qr;
        re[q] = c * qr - sr * pr - si * pi;
        im[q] = c * qi - sr * pi + si * pr;
      }
    }
    for (let k = first; k < last; k++) {
      const c = cosine[k]!, sr = sineRe[k]!, si = sineIm[k]!;
      const end = Math.min(k + 1, last);
      for (let i = first; i <= end; i++) {
        const p = i * m + k, q = p + 1;
        const pr = re[p]!, pi = im[p]!, qr = re[q]!, qi = im[q]!;
        re[p] = c * pr + sr * qr + si * qi;
        im[p] = c * pi + sr * qi - si * qr;
        re[q] = c * qr - sr * pr + si * pi;
        im[q] = c * qi - sr * pi - si * pr;
      }
    }
    for (let k = first; k <= last; k++) {
      re[k * m + k]! += shiftRe;
      im[k * m + k]! += shiftIm;
    }
  }
  return radius;
}

/** The eigenvalue of the last two rows and columns that is nearer to the last entry. */
function cornerShift(
  re: Float64Array,
  im: Float64Array,
  { corner, m }: { readonly corner: number; readonly m: number },
): [number, number] {
  const a = corner - m - 1, b = corner - m, c = corner - 1;
  // (a − d) / 2, whose square plus b c is the half distance of both, squared.
  const hr = (re[a]! - re[corner]!) / 2, hi = (im[a]! - im[corner]!) / 2;
  const br = re[b]!, bi = im[b]!, cr = re[c]!, ci = im[c]!;
  const dr = hr * hr - hi * hi + br * cr - bi * ci;
  const di = 2 * hr * hi + br * ci + bi * cr;
  const length = Math.hypot(dr, di);
  let rr = Math.sqrt(Math.max(0, (length + dr) / 2));
  let ri = Math.sqrt(Math.max(0, (length - dr) / 2));
  if (di < 0) ri = -ri;
  if (hr * rr + hi * ri > 0) {
    rr = -rr;
    ri = -ri;
  }
  return [re[corner]! + hr + rr, im[corner]! + hi + ri];
}

/** Steps for one eigenvalue; some three are usual. */
const MOST_TRIES = 200;

/** Whether no way along the connections leads back to where it began. */
function hasNoCycle({ receivers: n, start, sender }: Connections): boolean {
  // Units that receive nothing are taken away, again and again.
  const waiting = new Uint32Array(n);
  const sendsTo: number[][] = Array.from({ length: n }, () => []);
  for (let i = 0; i < n; i++) {
    waiting[i] = start[i + 1]! - start[i]!;
    for (let c = start[i]!; c < start[i + 1]!; c++) {
      sendsTo[sender[c]!]!.push(i);
    }
  }
  const free = [...waiting.keys()].filter((i) => waiting[i] === 0);
  let taken = 0;
  while (free.length > 0) {
    taken++;
    for (const i of sendsTo[free.pop()!]!) {
      if (--waiting[i]! === 0) free.push(i);
    }
  }
  return taken === n;
}

function norm(vector: Float64Array): number {
  let sum = 0;
  for (const x of vector) sum += x * x;
  return Math.sqrt(sum);
}

function scale(vector: Float64Array, factor: number): void {
  for (let i = 0; i < vector.length; i++) vector[i]! *= factor;
}

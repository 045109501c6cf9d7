/**
 * The spectral radius of recurrent weights.
 *
 * @module
 */

import type { Connections, FloatArray } from "./connections.ts";
import { createStream } from "../random/stream.ts";

/** Of so many units all eigenvalues are computed; of more, those of a part that grows until the largest is found. */
const MOST_WHOLE = 60;
/** The part's first size, and how much larger each next one is. */
const FIRST_STEPS = 18;
const GROWTH = 1.3;
const MOST_STEPS = 320;
/** Relative residual at which a radius counts as found; its error is some ten times less. */
const TOLERANCE = 1e-3;
/** Multiplications after which no further step is made: about half a second. */
const MOST_WORK = 5e8;

/** A spectral radius, and how well it is known. */
export interface SpectralRadius {
  /** NaN where a weight is NaN or infinite. */
  readonly radius: number;
  /**
   * The relative error it may have: ‖W v − λ v‖ / |λ| of the eigenvalue λ that was found,
   * and its vector v of length 1. 0 where all eigenvalues were computed.
   */
  readonly error: number;
  /** Whether the error is at most a thousandth; else the work came to its bound before. */
  readonly converged: boolean;
}

/**
 * The largest absolute value of an eigenvalue of W_hh, the one number that tells
 * most about what a recurrent network does with its activity: below 1 it fades,
 * above 1 it grows. {@linkcode estimateSpectralRadius} says how well it is known, too.
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
  return estimateSpectralRadius(connections, weights).radius;
}

/**
 * The spectral radius of W_hh with its error: the largest eigenvalue of W_hh on the
 * space that its powers span from a random vector. The space grows by a product with
 * W_hh a step until the eigenvalue is found to a thousandth; of weights without order
 * that takes some 60 steps for 200 neurons, and more than the work that is allowed for
 * tens of thousands.
 *
 * Source: W. E. Arnoldi, The principle of minimized iterations in the solution of
 * the matrix eigenvalue problem, Q. Appl. Math. 9, 17–29 (1951),
 * https://doi.org/10.1090/qam/42792.
 *
 * @param connections Of a square matrix.
 * @param weights [n], one of each connection.
 *
 * @example
 * ```ts
 * import { estimateSpectralRadius } from "@biornn/biornn";
 * import { listConnections } from "./src/graph/connections.ts";
 *
 * const all = listConnections({ receivers: 2, senders: 2 });
 * estimateSpectralRadius(all, Float64Array.of(0, 2, 2, 0)).error; // 0
 * ```
 */
export function estimateSpectralRadius(
  connections: Connections,
  weights: FloatArray,
): SpectralRadius {
  const { receivers: n } = connections;
  let largest = 0;
  for (let c = 0; c < weights.length; c++) {
    const size = Math.abs(weights[c]!);
    if (!(size < Infinity)) return { radius: NaN, error: NaN, converged: true };
    if (size > largest) largest = size;
  }
  // Rounding would make a small number of the 0 that it has.
  if (!hasCycle(connections, weights)) {
    return { radius: 0, error: 0, converged: true };
  }
  const scaled = new Float64Array(weights.length);
  for (let c = 0; c < weights.length; c++) scaled[c] = weights[c]! / largest;

  const most = Math.min(n, MOST_STEPS);
  const stream = createStream({ seed: 0, purpose: "weights" });
  /** Vectors of length 1 at right angles that span the space. */
  const basis = [Float64Array.from({ length: n }, () => stream.normal())];
  scale(basis[0]!, 1 / norm(basis[0]!));
  /** [most, most], row-major: W_hh as it acts on the space; no entry more than one below the diagonal. */
  const projected = new Float64Array(most * most);
  let check = n <= MOST_WHOLE ? n : FIRST_STEPS;
  let work = 0;
  for (let size = 1;; size++) {
    const next = new Float64Array(n);
    multiply(connections, scaled, basis[size - 1]!, next);
    const before = norm(next);
    const removeParts = () => {
      for (const [row, unit] of basis.entries()) {
        const product = dot(unit, next);
        for (let i = 0; i < n; i++) next[i]! -= product * unit[i]!;
        projected[row * most + size - 1]! += product;
      }
      return norm(next);
    };
    let length = removeParts();
    // Where little is left, rounding has made much of it.
    if (length < 0.5 * before) length = removeParts();
    work += weights.length + 2 * n * size;
    const whole = size === n || length <= 1e-12 * before;
    const last = size === most || (work > MOST_WORK && size >= FIRST_STEPS);
    if (whole || last || size >= check) {
      const h = new Float64Array(size * size);
      for (let i = 0; i < size; i++) {
        h.set(projected.subarray(i * most, i * most + size), i * size);
      }
      const [re, im] = largestEigenvalue(h.slice(), size);
      const radius = Math.hypot(re, im);
      const error = whole ? 0 : residualOf(h, [re, im], length) / radius;
      if (whole || last || error <= TOLERANCE) {
        return {
          radius: radius * largest,
          error,
          converged: error <= TOLERANCE,
        };
      }
      check = Math.ceil(GROWTH * size);
    }
    projected[size * most + size - 1] = length;
    scale(next, 1 / length);
    basis.push(next);
  }
}

/** W x, into `result`. */
function multiply(
  { start, sender }: Connections,
  weights: Float64Array,
  x: Float64Array,
  result: Float64Array,
): void {
  for (let i = 0; i < result.length; i++) {
    let sum = 0;
    for (let c = start[i]!, end = start[i + 1]!; c < end; c++) {
      sum += weights[c]! * x[sender[c]!]!;
    }
    result[i] = sum;
  }
}

/**
 * How far W v is from λ v, for the vector v of length 1 that belongs to the eigenvalue
 * λ = re + i im of H, [size, size], which is W on the space; `below` is what leads out of it. Row by row from the
 * last, v's last entry 1, each entry follows from those after it.
 */
function residualOf(
  h: Float64Array,
  [re, im]: readonly [re: number, im: number],
  below: number,
): number {
  const size = Math.sqrt(h.length);
  const vr = new Float64Array(size);
  const vi = new Float64Array(size);
  vr[size - 1] = 1;
  let last = 1;
  let square = 1;
  for (let row = size - 1;; row--) {
    // (λ − H) v in this row, but for the entry that is sought.
    let r = re * vr[row]! - im * vi[row]!;
    let i = re * vi[row]! + im * vr[row]!;
    for (let column = row; column < size; column++) {
      const entry = h[row * size + column]!;
      r -= entry * vr[column]!;
      i -= entry * vi[column]!;
    }
    if (row === 0) return Math.hypot(below * last, r, i) / Math.sqrt(square);
    const beside = h[row * size + row - 1]!;
    vr[row - 1] = r / beside;
    vi[row - 1] = i / beside;
    square += vr[row - 1]! ** 2 + vi[row - 1]! ** 2;
    if (square > 1e200) {
      scale(vr, 1e-100);
      scale(vi, 1e-100);
      last *= 1e-100;
      square *= 1e-200;
    }
  }
}

/** Steps for one eigenvalue, or two; some three are usual. */
const MOST_TRIES = 200;

/**
 * The eigenvalue of largest absolute value of H, [m, m], with nothing more than one below
 * its diagonal, which is used up: by QR steps with two shifts at once, which
 * are the eigenvalues of the last two rows and columns: real or conjugate, so that all
 * numbers stay real. The last one or two rows lose what stands before them.
 *
 * Source: J. G. F. Francis, The QR transformation, Comput. J. 4, 265–271 (1961),
 * https://doi.org/10.1093/comjnl/4.3.265.
 */
function largestEigenvalue(
  h: Float64Array,
  m: number,
): readonly [re: number, im: number] {
  let largest: readonly [number, number] = [0, 0];
  const keep = (re: number, im: number) => {
    if (re * re + im * im > largest[0] ** 2 + largest[1] ** 2) {
      largest = [re, im];
    }
  };
  let last = m - 1;
  for (let tries = 1; last >= 0; tries++) {
    let first = last;
    for (; first > 0; first--) {
      const at = first * m + first;
      const beside = Math.abs(h[at]!) + Math.abs(h[at - m - 1]!);
      if (Math.abs(h[at - 1]!) <= Number.EPSILON * beside) break;
    }
    const corner = last * m + last;
    const d = h[corner]!;
    if (first === last) {
      keep(d, 0);
      last--;
      tries = 0;
      continue;
    }
    const a = h[corner - m - 1]!, bc = h[corner - m]! * h[corner - 1]!;
    if (first === last - 1 || tries > MOST_TRIES) {
      const half = (a - d) / 2;
      const square = half * half + bc;
      if (square < 0) keep(d + half, Math.sqrt(-square));
      else {
        const far = half + Math.sign(half || 1) * Math.sqrt(square);
        keep(d + far, 0);
        keep(far === 0 ? d : d - bc / far, 0);
      }
      last -= 2;
      tries = 0;
      continue;
    }
    // A step that leads nowhere is followed by one with other shifts.
    const odd = tries % 10 === 0;
    const away = Math.abs(h[corner - 1]!) + Math.abs(h[corner - m - 2]!);
    const shifts = odd
      ? { sum: 1.5 * away, product: away * away }
      : { sum: a + d, product: a * d - bc };
    qrStep(h, m, [first, last], shifts);
  }
  return largest;
}

/** A QR step on rows and columns `first` to `last`, with shifts of that sum and product. */
function qrStep(
  h: Float64Array,
  m: number,
  [first, last]: readonly [number, number],
  { sum, product }: { readonly sum: number; readonly product: number },
): void {
  // The first column of (H − s₁)(H − s₂), but for a factor.
  const at = first * m + first;
  const low = h[at + m]!;
  let x = (h[at]! * (h[at]! - sum) + product) / low + h[at + 1]!;
  let y = h[at]! + h[at + m + 1]! - sum;
  let z = h[at + 2 * m + 1]!;
  for (let k = first; k < last; k++) {
    const three = k < last - 1;
    if (k > first) {
      x = h[k * m + k - 1]!;
      y = h[(k + 1) * m + k - 1]!;
      z = three ? h[(k + 2) * m + k - 1]! : 0;
    }
    // A reflection of rows k to k + 2 that leaves of x, y, z the first alone.
    const largest = Math.max(Math.abs(x), Math.abs(y), Math.abs(z));
    if (largest === 0) continue;
    x /= largest;
    y /= largest;
    z /= largest;
    const length = Math.sqrt(x * x + y * y + z * z) * (x < 0 ? -1 : 1);
    const u = (x + length) / length, v = y / length, w = z / length;
    const p = y / (x + length), q = z / (x + length);
    if (k > first) {
      h[k * m + k - 1] = -length * largest;
      h[(k + 1) * m + k - 1] = 0;
      if (three) h[(k + 2) * m + k - 1] = 0;
    }
    for (let j = k; j <= last; j++) {
      const at = k * m + j;
      const dot = h[at]! + p * h[at + m]! + (three ? q * h[at + 2 * m]! : 0);
      h[at]! -= dot * u;
      h[at + m]! -= dot * v;
      if (three) h[at + 2 * m]! -= dot * w;
    }
    const end = Math.min(k + 3, last);
    for (let i = first; i <= end; i++) {
      const at = i * m + k;
      const dot = u * h[at]! + v * h[at + 1]! + (three ? w * h[at + 2]! : 0);
      h[at]! -= dot;
      h[at + 1]! -= dot * p;
      if (three) h[at + 2]! -= dot * q;
    }
  }
}

/** Whether some way along connections whose weight is not 0 leads back to where it began: units that send to none are taken out until none is left. */
function hasCycle(
  { receivers: n, start, sender }: Connections,
  weights: FloatArray,
): boolean {
  /** Connections that lead from each unit to those that are left. */
  const sent = new Uint32Array(n);
  for (let c = 0; c < sender.length; c++) {
    if (weights[c] !== 0) sent[sender[c]!]!++;
  }
  const out: number[] = [];
  for (let unit = 0; unit < n; unit++) if (sent[unit] === 0) out.push(unit);
  // Grows while it is gone through.
  for (const unit of out) {
    for (let c = start[unit]!, end = start[unit + 1]!; c < end; c++) {
      if (weights[c] !== 0 && --sent[sender[c]!]! === 0) out.push(sender[c]!);
    }
  }
  return out.length < n;
}

function dot(a: Float64Array, b: Float64Array): number {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += a[i]! * b[i]!;
  return sum;
}

function norm(vector: Float64Array): number {
  return Math.sqrt(dot(vector, vector));
}

function scale(vector: Float64Array, factor: number): void {
  for (let i = 0; i < vector.length; i++) vector[i]! *= factor;
}

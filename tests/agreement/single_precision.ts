/**
 * A plain float32 trainer: dense, one number after the other, every one rounded
 * to single precision. It leaves the range of numbers where PyTorch does, which
 * the float64 reference engine, with its larger range, can't tell.
 *
 * @module
 */

import type { EnsembleSpec, ModelRun } from "../../src/engine/ensemble.ts";
import { denseMatrix } from "../../src/graph/connections.ts";
import type { RandomStream } from "../../src/random/stream.ts";
import { closePorts } from "../../src/rnn/parameters.ts";

/** What a training gives. */
export interface Trained {
  /** Epoch losses: training, then validation, epoch by epoch. */
  readonly losses: number[];
  /** Whether all losses and all weights at the end are finite. */
  readonly finite: boolean;
}

const f = Math.fround;

/** act(x), and act'(x) · g from h = act(x). */
const ACTIVATIONS = {
  tanh: {
    act: (x: number) => f(Math.tanh(x)),
    back: (g: number, h: number) => f(g * f(1 - f(h * h))),
  },
  relu: {
    act: (x: number) => x < 0 ? 0 : x,
    back: (g: number, h: number) => h <= 0 ? 0 : g,
  },
};

/**
 * Trains one run for some epochs.
 *
 * @param digits Draws whether sums are a last digit away, as in another order.
 */
export function trainSingle(
  run: ModelRun,
  { spec, epochs, digits }: {
    readonly spec: EnsembleSpec;
    readonly epochs: number;
    readonly digits?: RandomStream;
  },
): Trained {
  const { hiddenSize: H, inputSize: I, outputSize: O, loss } = spec;
  const { initial, connections, trials } = run;
  const { steps: T, inputs, targets } = trials;
  const { act, back } = ACTIVATIONS[run.activation];
  const mask = denseMatrix(
    connections,
    new Float32Array(initial.weightHh.length).fill(1),
  );
  const p = {
    ih: initial.weightIh.slice(),
    hh: denseMatrix(connections, initial.weightHh),
    bi: initial.biasIh.slice(),
    bh: initial.biasHh.slice(),
    fc: initial.weightFc.slice(),
    bf: initial.biasFc.slice(),
  };
  const names = Object.keys(p) as (keyof typeof p)[];
  const like = () =>
    Object.fromEntries(
      names.map((name) => [name, new Float32Array(p[name].length)]),
    ) as typeof p;
  const m = like();
  const v = like();
  let step = 0;
  const noisy = (value: number) =>
    digits === undefined
      ? value
      : f(value * (1 + (digits.integer(3) - 1) * 2 ** -23));

  function batchLoss(numbers: Uint32Array, learn: boolean): number {
    const B = numbers.length;
    const h = new Float32Array(B * T * H);
    const dy = new Float32Array(B * T * O);
    let scored = 0;
    for (const n of numbers) {
      for (let t = 0; t < T; t++) if (targets[n * T + t] !== 0) scored++;
    }
    let sum = 0;
    for (let b = 0; b < B; b++) {
      const n = numbers[b]!;
      for (let t = 0; t < T; t++) {
        const now = (b * T + t) * H;
        for (let i = 0; i < H; i++) {
          let z = f(p.bi[i]! + p.bh[i]!);
          for (let j = 0; j < I; j++) {
            z = f(z + f(p.ih[i * I + j]! * inputs[(n * T + t) * I + j]!));
          }
          for (let j = 0; t > 0 && j < H; j++) {
            if (mask[i * H + j] !== 0) {
              z = f(z + f(p.hh[i * H + j]! * h[now - H + j]!));
            }
          }
          const value = noisy(act(noisy(z)));
          h[now + i] = run.activation === "tanh"
            ? Math.max(-1, Math.min(1, value))
            : value;
        }
        const target = targets[n * T + t]!;
        if (target === 0) continue;
        const y = Array.from({ length: O }, (_, o) => {
          let value = p.bf[o]!;
          for (let j = 0; j < H; j++) {
            value = f(value + f(p.fc[o * H + j]! * h[now + j]!));
          }
          return noisy(value);
        });
        const at = (b * T + t) * O;
        if (loss === "mse") {
          const error = f(y[0]! - target);
          sum = f(sum + f(error * error));
          dy[at] = f(f(2 * error) / scored);
        } else {
          const most = Math.max(...y);
          const total = y.reduce(
            (s, value) => f(s + f(Math.exp(f(value - most)))),
            0,
          );
          const shift = f(most + f(Math.log(total)));
          for (let o = 0; o < O; o++) {
            const probability = f(Math.exp(f(y[o]! - shift)));
            dy[at + o] = f(f(probability - (o === target ? 1 : 0)) / scored);
          }
          sum = f(sum - f(y[target]! - shift));
        }
      }
    }
    if (learn) update(gradient(numbers, { h, dy }));
    return f(sum / scored);
  }

  function gradient(
    numbers: Uint32Array,
    { h, dy }: { readonly h: Float32Array; readonly dy: Float32Array },
  ): typeof p {
    const g = like();
    for (const [b, n] of numbers.entries()) {
      let later = new Float32Array(H);
      for (let t = T - 1; t >= 0; t--) {
        const now = (b * T + t) * H;
        const at = (b * T + t) * O;
        const delta = new Float32Array(H);
        for (let i = 0; i < H; i++) {
          let sum = 0;
          for (let o = 0; o < O; o++) {
            sum = f(sum + f(p.fc[o * H + i]! * dy[at + o]!));
          }
          for (let j = 0; t < T - 1 && j < H; j++) {
            if (mask[j * H + i] !== 0) {
              sum = f(sum + f(p.hh[j * H + i]! * later[j]!));
            }
          }
          delta[i] = back(noisy(sum), h[now + i]!);
        }
        for (let i = 0; i < H; i++) {
          const d = delta[i]!;
          for (let j = 0; j < I; j++) {
            const x = inputs[(n * T + t) * I + j]!;
            g.ih[i * I + j] = f(g.ih[i * I + j]! + f(d * x));
          }
          for (let j = 0; t > 0 && j < H; j++) {
            if (mask[i * H + j] === 0) continue;
            g.hh[i * H + j] = f(g.hh[i * H + j]! + f(d * h[now - H + j]!));
          }
          g.bi[i] = f(g.bi[i]! + d);
        }
        for (let o = 0; o < O; o++) {
          const d = dy[at + o]!;
          for (let j = 0; j < H; j++) {
            g.fc[o * H + j] = f(g.fc[o * H + j]! + f(d * h[now + j]!));
          }
          g.bf[o] = f(g.bf[o]! + d);
        }
        later = delta;
      }
    }
    g.bh.set(g.bi);
    closePorts({ weightIh: g.ih, weightFc: g.fc }, run.ports);
    return g;
  }

  function update(g: typeof p): void {
    step++;
    const rate = f(run.learningRate / (1 - 0.9 ** step));
    const root = f(Math.sqrt(1 - 0.999 ** step));
    for (const name of names) {
      if (name === "hh" && !run.trainRecurrent) continue;
      for (let i = 0; i < p[name].length; i++) {
        if (name === "hh" && mask[i] === 0) continue;
        const own = noisy(g[name][i]!);
        let change = f(f(run.learningRate) * own);
        if (run.optimizer === "Adam") {
          m[name][i] = f(f(0.9 * m[name][i]!) + f(0.1 * own));
          v[name][i] = f(f(0.999 * v[name][i]!) + f(0.001 * f(own * own)));
          const scale = f(f(f(Math.sqrt(v[name][i]!)) / root) + 1e-8);
          // As PyTorch does: the product first, which may overflow.
          change = f(f(rate * m[name][i]!) / scale);
        } else if (run.optimizer === "RMSprop") {
          v[name][i] = f(f(0.99 * v[name][i]!) + f(0.01 * f(own * own)));
          change = f(
            f(f(run.learningRate) * own) / f(f(Math.sqrt(v[name][i]!)) + 1e-8),
          );
        }
        p[name][i] = f(p[name][i]! - change);
      }
    }
  }

  const losses: number[] = [];
  const mean = (values: number[]) =>
    values.reduce((a, b) => a + b, 0) / values.length;
  for (let epoch = 0; epoch < epochs; epoch++) {
    losses.push(
      mean(trials.trainBatches.map((batch) => batchLoss(batch, true))),
      mean(trials.validateBatches.map((batch) => batchLoss(batch, false))),
    );
  }
  const finite = losses.every(Number.isFinite) &&
    names.every((name) => p[name].every(Number.isFinite));
  return { losses, finite };
}

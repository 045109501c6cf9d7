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
import { type Arithmetic, NUMBERS } from "../../src/rnn/arithmetic.ts";
import { nonlinearityOf } from "../../src/rnn/nonlinearities.ts";
import { optimizerOf } from "../../src/rnn/optimizers.ts";

/** What a training gives. */
export interface Trained {
  /** Epoch losses: training, then validation, epoch by epoch. */
  readonly losses: number[];
  /** Whether all losses and all weights at the end are finite. */
  readonly finite: boolean;
}

const f = Math.fround;

/** Two numbers or more become one, each rounded. */
const rounded = (of: (...numbers: number[]) => number) =>
(
  ...numbers: number[]
) => f(of(...numbers.map(f)));

/** The arithmetic of rules, every number rounded. */
const SINGLE: Arithmetic<number> = {
  add: rounded(NUMBERS.add),
  subtract: rounded(NUMBERS.subtract),
  multiply: rounded(NUMBERS.multiply),
  divide: rounded(NUMBERS.divide),
  squareRoot: rounded(NUMBERS.squareRoot),
  absolute: rounded(NUMBERS.absolute),
  tanh: rounded(NUMBERS.tanh),
  exponential: rounded(NUMBERS.exponential),
  ifAtMost: NUMBERS.ifAtMost,
  blend: (average, fresh, { keep }) =>
    f(f(f(keep) * average) + f(f(1 - keep) * fresh)),
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
  const act = nonlinearityOf(run.activation);
  const optimizer = optimizerOf(run.optimizer);
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
  let updates = 0;
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
          const value = noisy(act.value(SINGLE, noisy(z)));
          h[now + i] = act.name === "tanh"
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
          delta[i] = act.backward(SINGLE, {
            gradient: noisy(sum),
            output: h[now + i]!,
          });
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
    updates++;
    for (const name of names) {
      if (name === "hh" && !run.trainRecurrent) continue;
      for (let i = 0; i < p[name].length; i++) {
        if (name === "hh" && mask[i] === 0) continue;
        const after = optimizer.update(SINGLE, {
          weight: p[name][i]!,
          gradient: noisy(g[name][i]!),
          first: m[name][i]!,
          second: v[name][i]!,
          learningRate: run.learningRate,
          perUpdate: (of) => of(updates),
        });
        p[name][i] = after.weight;
        m[name][i] = after.first ?? 0;
        v[name][i] = after.second ?? 0;
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

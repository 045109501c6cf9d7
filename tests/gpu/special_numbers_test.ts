import assert from "node:assert/strict";
import { describe, itNeeds } from "../../src/compat/testing.ts";
import type { EnsembleSpec } from "../../src/engine/ensemble.ts";
import { PARAMETER_NAMES } from "../../src/rnn/parameters.ts";
import { engine, missing } from "./adapter.ts";
import { createInWay, exampleSpec, type Way, WAYS } from "./example_runs.ts";

const ACTIVATIONS = ["tanh", "relu"] as const;

/** What h_1 becomes of so many inputs, a trial each: act(1 · x). */
async function activated(
  inputs: Float32Array,
  options: Way & { readonly activation: string },
): Promise<Float32Array> {
  const spec = exampleSpec({
    hiddenSize: 1,
    inputSize: 1,
    steps: [1],
    trainBatches: [inputs.length],
    validateBatches: [1],
  });
  const run = spec.runs[0]!;
  run.initial.weightIh[0] = 1;
  run.initial.biasIh[0] = 0;
  run.initial.biasHh[0] = 0;
  const [batch] = run.trials.trainBatches;
  const { activation } = options;
  for (const [i, trial] of batch!.entries()) {
    run.trials.inputs[trial] = inputs[i]!;
  }
  const gpu = await createInWay(
    engine!.gpu,
    { ...spec, runs: [{ ...run, activation }] },
    options,
  );
  const { hiddenLast } = await gpu.probe(0, 0);
  gpu.destroy();
  return Float32Array.from(hiddenLast);
}

/** Bits of floats that are spread over all exponents. */
function floats(perExponent: number): Float32Array {
  const bits: number[] = [];
  for (let exponent = 0; exponent < 255; exponent++) {
    for (let i = 0; i < perExponent; i++) {
      const mantissa = Math.floor((i + 0.37) / perExponent * 2 ** 23);
      bits.push(exponent * 2 ** 23 + mantissa);
      bits.push(2 ** 31 + exponent * 2 ** 23 + mantissa);
    }
  }
  return new Float32Array(Uint32Array.from(bits).buffer);
}

/** The distance to the next float. */
function spacing(value: number): number {
  const magnitude = Math.max(Math.abs(value), 2 ** -126);
  return 2 ** (Math.floor(Math.log2(magnitude)) - 23);
}

const SPECIAL = Float32Array.of(
  NaN,
  Infinity,
  -Infinity,
  1e-40,
  -1e-40,
  0,
  3e38,
  -3e38,
  1.5,
);

/** Models of all optimizers and activations whose numbers are NaN, in one place each. */
function poisoned(): { readonly spec: EnsembleSpec; readonly sound: number } {
  const spec = exampleSpec({
    hiddenSize: 13,
    loss: "nll",
    steps: [4, 4, 4, 4, 4, 4, 4],
    trainBatches: [6, 6],
  });
  const places = PARAMETER_NAMES.map((name) => name);
  for (const [i, name] of places.entries()) {
    spec.runs[i]!.initial[name].fill(NaN);
  }
  return { spec, sound: places.length };
}

describe(`numbers that are none, on ${engine?.description ?? "no adapter"}`, () => {
  for (const { name: way, ...options } of WAYS) {
    for (const activation of ACTIVATIONS) {
      itNeeds(
        `keeps NaN and infinities in ${activation}: ${way}`,
        missing,
        async () => {
          const found = await activated(SPECIAL, { ...options, activation });
          for (const [i, x] of SPECIAL.entries()) {
            const expected = activation === "tanh"
              ? Math.tanh(x)
              : x > 0
              ? x
              : Number.isNaN(x)
              ? NaN
              : 0;
            if (Number.isFinite(expected)) {
              // Denormal numbers may be taken for 0.
              assert.ok(
                Math.abs(found[i]! - expected) <=
                  2 * spacing(expected) + 2 ** -126,
                `${activation}(${x}) = ${found[i]}`,
              );
            } else {
              assert.equal(found[i], Math.fround(expected), `of ${x}`);
            }
          }
        },
      );
    }

    itNeeds(
      `ends with no number once there was NaN, and leaves other models alone: ${way}`,
      missing,
      async () => {
        const { spec, sound } = poisoned();
        const gpu = await createInWay(engine!.gpu, spec, options);
        const { trainLoss, validateLoss } = await gpu.train(2);
        const states = await gpu.state();
        gpu.destroy();
        for (const [model, { parameters }] of states.entries()) {
          const isSound = model === sound;
          for (const losses of [trainLoss, validateLoss]) {
            for (const epoch of [0, 1]) {
              assert.equal(
                Number.isFinite(losses[2 * model + epoch]!),
                isSound,
                `loss of model ${model} in epoch ${epoch}`,
              );
            }
          }
          const finite = PARAMETER_NAMES.every((name) =>
            parameters[name].every(Number.isFinite)
          );
          assert.equal(finite, isSound, `weights of model ${model}`);
        }
      },
    );
  }

  itNeeds(
    "gives tanh within 2 units of the last place, and never beyond 1",
    missing,
    async () => {
      const inputs = floats(128);
      const found = await activated(inputs, {
        format: "dense",
        activation: "tanh",
      });
      let worst = 0;
      for (const [i, x] of inputs.entries()) {
        assert.ok(Math.abs(found[i]!) <= 1, `tanh(${x}) = ${found[i]}`);
        if (Math.abs(x) < 2 ** -126) continue;
        const expected = Math.tanh(x);
        const error = Math.abs(found[i]! - expected) / spacing(expected);
        worst = Math.max(worst, error);
      }
      assert.ok(worst <= 2, `off by ${worst} units of the last place`);
    },
  );

  itNeeds(
    "gives a sigmoid within 4 units of the last place, of neurons that are off too",
    missing,
    async () => {
      const inputs = floats(128);
      const found = await activated(inputs, {
        format: "dense",
        activation: "sigmoid",
      });
      let worst = 0;
      for (const [i, x] of inputs.entries()) {
        assert.ok(found[i]! >= 0 && found[i]! <= 1, `of ${x}: ${found[i]}`);
        const expected = 1 / (1 + Math.exp(-Math.max(x, -88)));
        const error = Math.abs(found[i]! - expected) / spacing(expected);
        worst = Math.max(worst, error);
      }
      assert.ok(worst <= 4, `off by ${worst} units of the last place`);
    },
  );

  itNeeds(
    "keeps the digits of loss and gradient where answers are sure",
    missing,
    async () => {
      const spec = exampleSpec({ hiddenSize: 5, loss: "nll", steps: [3] });
      const [run] = spec.runs;
      run!.initial.weightFc.fill(0);
      run!.trials.targets.forEach((target, i, all) => {
        all[i] = Math.min(target, 1);
      });
      for (const largest of [0, 10, 300, -1000]) {
        for (const ahead of [0.5, 6, 12, 16]) {
          run!.initial.biasFc.set([largest - ahead, largest, largest - 20]);
          const others = Math.exp(-ahead) + Math.exp(-20);
          const gpu = await createInWay(engine!.gpu, spec);
          const { loss, gradient } = await gpu.probe(0, 0);
          gpu.destroy();
          for (
            const [found, exact] of [
              [loss, Math.log1p(others)],
              [gradient.biasFc[1]!, -others / (1 + others)],
            ] as const
          ) {
            assert.ok(
              Math.abs(found - exact) < 1e-5 * Math.abs(exact),
              `${found}, not ${exact}, ${ahead} ahead`,
            );
          }
        }
      }
    },
  );
});

import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { createEnsemble, shapeOf } from "../../src/engine/create_ensemble.ts";
import {
  DeviceError,
  type Engine,
  type EnsembleSpec,
  type ModelRun,
} from "../../src/engine/ensemble.ts";
import { createStream } from "../../src/random/stream.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { PARAMETER_NAMES } from "../../src/rnn/parameters.ts";
import { createWasmEngine } from "../../src/wasm/engine.ts";
import { fusesMultiplyAdd } from "../../src/wasm/kernels.ts";
import { exampleSpec, withPorts } from "../reference/example_runs.ts";
import { GOLDEN, hashOf, specOf } from "./golden_training.ts";

/** Batches of several chunks, and ragged ones; models of all kinds. */
const MIXED = specOf({
  hiddenSize: 37,
  inputSize: 3,
  trainTrials: 150,
  validateTrials: 70,
  batchSize: 100,
}, [
  { steps: 7 },
  { steps: 3, run: { activation: "relu", optimizer: "RMSprop" } },
  { steps: 1, density: 0.05, run: { optimizer: "SGD" } },
  { steps: 5, density: 1, run: { trainRecurrent: false } },
]);

/** ‖a − b‖ / ‖b‖ */
function distance(a: ArrayLike<number>, b: ArrayLike<number>): number {
  const norm = (values: number[]) => Math.hypot(...values);
  const difference = norm(Array.from(a, (value, i) => value - b[i]!));
  return difference === 0 ? 0 : difference / norm(Array.from(b));
}

describe("createWasmEngine()", () => {
  it("gives the same bytes with any number of workers", async () => {
    for (const loss of ["mse", "nll"] as const) {
      const spec = loss === "mse" ? MIXED : specOf({
        loss,
        hiddenSize: 20,
        trainTrials: 100,
        batchSize: 100,
      }, [{}]);
      const hashes = [];
      for (const workers of [1, 2, 3, 7]) {
        hashes.push(await hashOf(spec, { workers }));
      }
      // Memory for one of them alone.
      if (spec.runs.length === 1) {
        hashes.push(await hashOf(spec, { workers: 3, memoryBytes: 1 }));
      }
      assert.deepEqual(new Set(hashes).size, 1, loss);
    }
  });

  it("gives the same bytes on every machine", async () => {
    for (const { name, spec, fused, hash } of GOLDEN) {
      if (fused && !fusesMultiplyAdd()) continue;
      // Without workers the memory is not shared.
      for (const workers of [0, 1, 2]) {
        assert.equal(await hashOf(spec, { workers, fused }), hash, name);
      }
    }
  });

  it("agrees with the reference engine, gradients too", async () => {
    const engine = createWasmEngine({ workers: 2 });
    const stream = createStream({ seed: 5, purpose: "trials" });
    const pick = <T>(...values: readonly T[]) =>
      values[stream.integer(values.length)]!;
    for (let n = 0; n < 30; n++) {
      const spec = pick((spec: EnsembleSpec) => spec, withPorts)(exampleSpec({
        seed: n,
        loss: pick("mse", "nll"),
        hiddenSize: pick(1, 2, 5, 33, 64),
        inputSize: pick(1, 2, 51),
        steps: pick(1, 2, 7, 12),
        trainTrials: pick(1, 31, 32, 33, 70),
        validateTrials: pick(1, 40),
        batchSize: pick(1, 32, 64),
        density: pick(0, 0.1, 0.5, 1),
        run: {
          activation: pick("relu", "tanh"),
          optimizer: pick("Adam", "RMSprop", "SGD"),
          learningRate: pick(1e-4, 1e-3),
          trainRecurrent: pick(true, true, false),
        },
      }));
      const train = async (on: Engine) => {
        const ensemble = await createEnsemble(on, spec);
        const probe = await ensemble.probe(0, 0);
        const history = await ensemble.train(2);
        const [state] = await ensemble.state();
        ensemble.destroy();
        return { probe, history, state: state! };
      };
      const ours = await train(engine);
      const theirs = await train(createReferenceEngine());
      const what = `example ${n}`;
      const near = (a: ArrayLike<number>, b: ArrayLike<number>) =>
        assert.ok(distance(a, b) < 1e-5, `${what}: ${distance(a, b)}`);
      near(ours.probe.output, theirs.probe.output);
      near(ours.probe.hiddenLast, theirs.probe.hiddenLast);
      assert.equal(ours.probe.accuracy, theirs.probe.accuracy);
      for (const name of PARAMETER_NAMES) {
        near(ours.probe.gradient[name], theirs.probe.gradient[name]);
        near(ours.state.parameters[name], theirs.state.parameters[name]);
      }
      near(ours.history.trainBatchLoss, theirs.history.trainBatchLoss);
      near(ours.history.validateBatchLoss, theirs.history.validateBatchLoss);
      assert.deepEqual(
        ours.history.validateAccuracy,
        theirs.history.validateAccuracy,
      );
    }
    engine.destroy();
  });

  it("lets NaN and infinity through to the losses", async () => {
    const engine = createWasmEngine({ workers: 1 });
    for (const activation of ["relu", "tanh"] as const) {
      for (const bad of [NaN, Infinity]) {
        for (const tensor of PARAMETER_NAMES) {
          const spec = exampleSpec({ density: 1, run: { activation } });
          const run = spec.runs[0]!;
          // W_hh is of no use where there is no step before; b_fc goes past the nonlinearity.
          run.initial[tensor][0] = bad;
          const ensemble = await createEnsemble(engine, spec);
          const { trainLoss } = await ensemble.train(2);
          // tanh brings an infinite sum back to ±1, as it does in PyTorch; the weight then gets the slope 0.
          const tamed = activation === "tanh" && bad === Infinity &&
            tensor !== "weightFc" && tensor !== "biasFc";
          if (!tamed) {
            assert.ok(
              !Number.isFinite(trainLoss[1]),
              `${activation} ${bad} ${tensor}`,
            );
          }
          ensemble.destroy();
        }
      }
    }
    engine.destroy();
  });

  it("holds no more memory than its plan says, nor much less", async () => {
    const sizes: number[] = [];
    const { Memory } = WebAssembly;
    class CountedMemory extends Memory {
      constructor(descriptor: WebAssembly.MemoryDescriptor) {
        super(descriptor);
        sizes.push(descriptor.initial * 2 ** 16);
      }
    }
    WebAssembly.Memory = CountedMemory as typeof Memory;
    const engine = createWasmEngine({ workers: 2 });
    try {
      const large = exampleSpec({
        hiddenSize: 600,
        trainTrials: 300,
        batchSize: 128,
        steps: 9,
      });
      for (const spec of [MIXED, large]) {
        sizes.length = 0;
        const [bytes] = engine.plan(shapeOf(spec)).bytes;
        const ensemble = await createEnsemble(engine, spec);
        assert.equal(sizes.length, 1);
        assert.ok(sizes[0]! <= bytes! && bytes! < 1.1 * sizes[0]! + 5e6);
        ensemble.destroy();
      }
    } finally {
      WebAssembly.Memory = Memory;
      engine.destroy();
    }
  });

  it("says so where a model is too large, or memory is refused", async () => {
    const engine = createWasmEngine({ workers: 1 });
    const units = 3_000_000;
    assert.throws(
      () =>
        engine.plan({
          ...shapeOf(exampleSpec()),
          hiddenSize: units,
          connections: {
            receivers: units,
            senders: units,
            start: Uint32Array.from({ length: units + 1 }, (_, i) => 20 * i),
            sender: new Uint32Array(20 * units),
          },
        }),
      (error) =>
        error instanceof RangeError &&
        /3000000 hidden units and 60000000 connections on the CPU: it needs \d+\.\d GiB, the limit is 4.0 GiB/
          .test(error.message),
    );
    const { Memory } = WebAssembly;
    WebAssembly.Memory = class {
      constructor() {
        throw new RangeError("could not allocate memory");
      }
    } as unknown as typeof Memory;
    try {
      await assert.rejects(
        createEnsemble(engine, exampleSpec()),
        (error) =>
          error instanceof DeviceError && error.reason === "out-of-memory" &&
          /there is no memory for an ensemble of \d+ MiB/.test(error.message),
      );
    } finally {
      WebAssembly.Memory = Memory;
      engine.destroy();
    }
  });

  it("plans as many ensembles as the memory asks for", () => {
    const shape = { ...shapeOf(exampleSpec()), steps: [7, 7, 9] };
    const plan = createWasmEngine().plan(shape);
    assert.deepEqual(plan.groups, [[0, 1, 2]]);
    const small = createWasmEngine({ memoryBytes: 1 }).plan(shape);
    assert.deepEqual(small.groups, [[0], [1], [2]]);
    assert.equal(small.reason, "limited to 0 MiB an ensemble");
  });

  it("tells in a sentence that a worker has died, while it trains and after", async () => {
    const started: Worker[] = [];
    const { Worker } = globalThis;
    class WatchedWorker extends Worker {
      constructor(...options: ConstructorParameters<typeof Worker>) {
        super(...options);
        started.push(this);
      }
    }
    globalThis.Worker = WatchedWorker;
    const engine = createWasmEngine({ workers: 2 });
    try {
      const ensemble = await createEnsemble(engine, MIXED);
      const training = ensemble.train(1_000_000);
      setTimeout(() => {
        const message = "out of memory";
        started[1]!.dispatchEvent(
          new ErrorEvent("error", { message, cancelable: true }),
        );
      }, 50);
      const told = (error: unknown) =>
        error instanceof DeviceError && error.reason === "internal" &&
        error.message ===
          "a worker of the WebAssembly engine failed: out of memory";
      await assert.rejects(training, told);
      await assert.rejects(ensemble.train(1), told);
      await assert.rejects(createEnsemble(engine, MIXED), told);
    } finally {
      globalThis.Worker = Worker;
      engine.destroy();
    }
  });

  it("times its kernels where it is asked to", async () => {
    const engine = createWasmEngine({ workers: 2, profile: true });
    const ensemble = await createEnsemble(engine, MIXED);
    await ensemble.train(3);
    const { busyMilliseconds, kernels } = ensemble.profile!()!;
    const gradient = (width: string) =>
      kernels.find(({ kernel }) => kernel === `gradient${width}`)!;
    assert.ok(busyMilliseconds > 0 && gradient("").milliseconds > 0);
    const recurrent = (run: ModelRun) =>
      run.trainRecurrent
        ? (run.trials.steps - 1) * run.connections.sender.length
        : 0;
    const work = MIXED.runs.reduce((sum, run) => sum + recurrent(run), 0);
    // 100 trials in chunks of 32, the last of them half as wide, and 50 in two; three epochs.
    assert.equal(gradient("").flop, 2 * 3 * work * 5 * 32);
    assert.equal(gradient("16").flop, 2 * 3 * work * 16);
    engine.destroy();
  });
});

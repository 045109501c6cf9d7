import assert from "node:assert/strict";
import { createEnsemble, shapeOf } from "../../src/engine/create_ensemble.ts";
import { describe, it } from "../../src/compat/testing.ts";
import type {
  EnsembleSpec,
  EpochHistory,
  ModelRun,
  ModelState,
} from "../../src/engine/ensemble.ts";
import {
  countConnections,
  listConnections,
} from "../../src/graph/connections.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { createWasmEngine } from "../../src/wasm/engine.ts";
import { exampleSpec, withPorts } from "../reference/example_runs.ts";
import { OPTIMIZERS } from "../../src/rnn/optimizers.ts";
import { closePorts, hasPort } from "../../src/rnn/parameters.ts";

/** Models that differ in all that may differ. */
const MIXED: readonly ModelRun[] = [
  exampleSpec({ seed: 1 }),
  exampleSpec({
    seed: 2,
    steps: 6,
    run: { activation: "relu", optimizer: "RMSprop", learningRate: 0.001 },
  }),
  exampleSpec({
    seed: 3,
    steps: 1,
    density: 0.1,
    run: { optimizer: "SGD", trainRecurrent: false },
  }),
].map((spec) => spec.runs[0]!);

function specOf(runs: readonly ModelRun[]): EnsembleSpec {
  return { ...exampleSpec(), runs };
}

const ENGINES = [
  createReferenceEngine(),
  createWasmEngine({ workers: 2 }),
];

for (const engine of ENGINES) {
  describe(`the ${engine.kind} engine`, () => {
    async function trained(
      runs: readonly ModelRun[],
      epochs: number,
    ): Promise<{ history: EpochHistory; states: ModelState[] }> {
      const ensemble = await createEnsemble(engine, specOf(runs));
      const history = await ensemble.train(epochs);
      return { history, states: await ensemble.state() };
    }

    it("learns", async () => {
      const { history } = await trained(MIXED, 60);
      assert.equal(history.models, 3);
      assert.equal(history.epochs, 60);
      assert.ok(history.trainLoss[59]! < history.trainLoss[0]! / 2);
    });

    it("gives the unweighted mean of the batches as an epoch's loss", async () => {
      const { history } = await trained(MIXED, 2);
      const [a, b, c] = history.trainBatchLoss.slice(3 * 3, 4 * 3);
      assert.equal(history.trainLoss[3], (a! + b! + c!) / 3);
      assert.deepEqual(history.validateLoss, history.validateBatchLoss);
      assert.equal(history.trainAccuracy, undefined);
      const nll = exampleSpec({ loss: "nll" });
      const classified = await createEnsemble(engine, nll);
      const { trainAccuracy } = await classified.train(2);
      assert.equal(trainAccuracy?.length, 2);
      assert.ok(trainAccuracy.every((value) => value >= 0 && value <= 100));
    });

    it("trains a model the same whatever its companions and their order", async () => {
      const together = await trained(MIXED, 4);
      for (const [i, run] of MIXED.entries()) {
        const alone = await trained([run], 4);
        assert.deepEqual(alone.states[0], together.states[i]);
        assert.deepEqual(
          alone.history.trainBatchLoss,
          together.history.trainBatchLoss.slice(i * 12, (i + 1) * 12),
        );
      }
      const reversed = await trained(MIXED.toReversed(), 4);
      assert.deepEqual(reversed.states.toReversed(), together.states);
    });

    it("goes on from a state as if it had never stopped", async () => {
      const whole = await trained(MIXED, 7);
      const first = await trained(MIXED, 3);
      const second = await trained(
        MIXED.map((run, i) => ({ ...run, state: first.states[i]! })),
        4,
      );
      assert.deepEqual(second.states, whole.states);
      assert.deepEqual(
        whole.states.map(({ epoch, updates }) => [epoch, updates]),
        [
          [7, 21],
          [7, 21],
          [7, 21],
        ],
      );
      for (let model = 0; model < 3; model++) {
        assert.deepEqual(
          [
            ...first.history.validateLoss.slice(model * 3, model * 3 + 3),
            ...second.history.validateLoss.slice(model * 4, model * 4 + 4),
          ],
          [...whole.history.validateLoss.slice(model * 7, model * 7 + 7)],
        );
      }
    });

    it("trains the same in one call or many", async () => {
      const whole = await trained(MIXED, 3);
      const ensemble = await createEnsemble(engine, specOf(MIXED));
      for (let i = 0; i < 3; i++) await ensemble.train(1);
      assert.deepEqual(await ensemble.state(), whole.states);
      assert.deepEqual(await ensemble.state(1), [whole.states[1]]);
    });

    it("has a weight and its moments for each connection, and leaves all where they are frozen", async () => {
      const { states } = await trained(MIXED, 5);
      for (const [i, { connections, initial }] of MIXED.entries()) {
        const { parameters, firstMoment, secondMoment } = states[i]!;
        for (const { weightHh } of [parameters, firstMoment, secondMoment]) {
          assert.equal(weightHh.length, countConnections(connections));
        }
        const same = parameters.weightHh.every((w, at) =>
          w === initial.weightHh[at]
        );
        assert.equal(same, i === 2);
      }
    });

    it("leaves frozen weights to the bit, whatever the optimizer", async () => {
      for (const optimizer of OPTIMIZERS.keys()) {
        // Several parts of a list that takes more than one.
        const spec = exampleSpec({
          hiddenSize: 37,
          run: { optimizer, trainRecurrent: false },
        });
        const ensemble = await createEnsemble(engine, spec);
        await ensemble.train(3);
        const [{ parameters, firstMoment, secondMoment }] =
          (await ensemble.state()) as [ModelState];
        const { weightHh, ...others } = spec.runs[0]!.initial;
        assert.deepEqual(new Float32Array(parameters.weightHh), weightHh);
        for (const { weightHh } of [firstMoment, secondMoment]) {
          assert.ok(weightHh.every((moment) => moment === 0));
        }
        for (const [name, before] of Object.entries(others)) {
          const after = parameters[name as keyof typeof others];
          assert.ok(before.every((w, i) => w !== after[i]), name);
        }
      }
    });

    it("trains weights of the input and the read-out where there are ports alone", async () => {
      for (const loss of ["mse", "nll"] as const) {
        const base = exampleSpec({ loss, hiddenSize: 9, inputSize: 3 });
        const spec = withPorts({
          ...base,
          runs: [...OPTIMIZERS.keys()].map((optimizer) => ({
            ...base.runs[0]!,
            optimizer,
          })),
        });
        // The same model, whose weights of 0 are trained too.
        const open = {
          ...spec,
          runs: spec.runs.map(({ ports: _, ...run }) => run),
        };
        const ensemble = await createEnsemble(engine, spec);
        const probe = await ensemble.probe(0, 0);
        const expected = await (await createEnsemble(engine, open)).probe(0, 0);
        const { ports } = spec.runs[0]!;
        assert.ok(closePorts(expected.gradient, ports) > 9);
        assert.deepEqual(probe, expected);
        await ensemble.train(4);
        for (const [model, state] of (await ensemble.state()).entries()) {
          const { parameters, firstMoment, secondMoment } = state;
          const before = spec.runs[model]!.initial;
          for (const tensors of [parameters, firstMoment, secondMoment]) {
            assert.equal(closePorts(tensors, ports), 0);
          }
          parameters.weightIh.forEach((weight, at) => {
            const has = hasPort(ports, Math.floor(at / 3), "input");
            assert.equal(weight !== before.weightIh[at], has);
          });
          parameters.weightFc.forEach((weight, at) => {
            const has = hasPort(ports, at % 9, "output");
            assert.equal(weight !== before.weightFc[at], has);
          });
          assert.ok(
            parameters.biasIh.every((b, at) => b !== before.biasIh[at]),
          );
        }
      }
    });

    it("trains models of different ports and the same connections side by side", async () => {
      const spec = exampleSpec();
      const runs = [...spec.runs, ...withPorts(spec).runs];
      const together = await trained(runs, 3);
      for (const [i, run] of runs.entries()) {
        const alone = await trained([run], 3);
        assert.deepEqual(alone.states[0], together.states[i]);
      }
    });

    it("shows a batch before any update, and changes nothing by it", async () => {
      const ensemble = await createEnsemble(engine, specOf(MIXED));
      const before = await ensemble.state();
      const probe = await ensemble.probe(1, 0);
      assert.deepEqual(await ensemble.state(), before);
      assert.equal(probe.output.length, 5 * 6);
      assert.equal(probe.hiddenLast.length, 5 * 7);
      const { trainBatchLoss } = await ensemble.train(1);
      assert.equal(probe.loss, trainBatchLoss[3]);
      await assert.rejects(ensemble.probe(1, 3), RangeError);
      await assert.rejects(ensemble.probe(3, 0), RangeError);
    });

    it("lets the others go on when a model's loss is no number", async () => {
      const wild = {
        ...MIXED[1]!,
        optimizer: "SGD",
        learningRate: 1e30,
      } as const;
      const { history, states } = await trained([MIXED[0]!, wild], 6);
      const alone = await trained([MIXED[0]!], 6);
      assert.ok(!Number.isFinite(history.trainLoss[11]));
      assert.deepEqual(states[0], alone.states[0]);
    });

    it("stops after the epoch under way when aborted", async () => {
      const ensemble = await createEnsemble(engine, specOf(MIXED));
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 20);
      const history = await ensemble.train(20000, {
        signal: controller.signal,
      });
      assert.ok(history.epochs > 0 && history.epochs < 20000);
      assert.equal(history.trainLoss.length, 3 * history.epochs);
      for (const { epoch } of await ensemble.state()) {
        assert.equal(epoch, history.epochs);
      }
      const { signal } = controller;
      assert.equal((await ensemble.train(5, { signal })).epochs, 0);
    });

    it("can't be used after destroy()", async () => {
      const ensemble = await createEnsemble(engine, specOf(MIXED));
      ensemble.destroy();
      await assert.rejects(ensemble.train(1), /after its destroy/);
      await assert.rejects(ensemble.state(), /after its destroy/);
      await assert.rejects(ensemble.probe(0, 0), /after its destroy/);
    });

    it("refuses a description that disagrees with itself", async () => {
      const [run] = exampleSpec().runs as [ModelRun];
      const wrong: [Partial<ModelRun>, RegExp][] = [
        [
          { connections: listConnections({ receivers: 7, senders: 6 }) },
          /its connections are those of 7 × 6 units, not 7 × 7/,
        ],
        [
          { connections: listConnections({ receivers: 7, senders: 7 }) },
          /its weightHh has \d+ entries, not 49/,
        ],
        [
          {
            connections: {
              ...run.connections,
              sender: run.connections.sender.toReversed(),
            },
          },
          /its list of connections is unsound: the senders of receiver 0 do not rise/,
        ],
        [{ learningRate: 0 }, /its learning rate is 0/],
        [
          { ports: new Uint8Array(6) },
          /its ports are those of 6 neurons, not 7/,
        ],
        [
          { ports: new Uint8Array(7) },
          /it has input or output weights at neurons without a port/,
        ],
        [
          { initial: { ...run.initial, biasIh: new Float32Array(6) } },
          /its biasIh has 6 entries, not 7/,
        ],
        [
          { trials: { ...run.trials, targets: new Float32Array(1) } },
          /144 inputs and 1 targets, not 144 and 72/,
        ],
        [
          { trials: { ...run.trials, trainBatches: [Uint32Array.of(18)] } },
          /a batch names trial 18 of 18/,
        ],
      ];
      for (const [change, message] of wrong) {
        await assert.rejects(
          createEnsemble(engine, specOf([{ ...run, ...change }])),
          (error) => error instanceof RangeError && message.test(error.message),
        );
      }
      await assert.rejects(
        createEnsemble(engine, specOf([])),
        /it has no runs/,
      );
      const other = exampleSpec({ batchSize: 4 }).runs[0]!;
      await assert.rejects(
        createEnsemble(engine, specOf([run, other])),
        /its batches have other sizes/,
      );
      const nll = exampleSpec({ loss: "nll" });
      const trials = {
        ...run.trials,
        targets: run.trials.targets.map(() => 3),
      };
      await assert.rejects(
        createEnsemble(engine, { ...nll, runs: [{ ...nll.runs[0]!, trials }] }),
        /a target is 3; allowed are classes from 1 to 2/,
      );
    });

    it("closes", () => engine.destroy());
  });
}

describe("createReferenceEngine()", () => {
  const engine = createReferenceEngine();

  it("plans one group, or as many as the memory asks for", () => {
    const size = {
      ...shapeOf(exampleSpec()),
      steps: [7, 7, 9],
      trialCount: 100,
      trainCount: 80,
      batchSize: 10,
    };
    const plan = engine.plan(size);
    assert.deepEqual(plan.groups, [[0, 1, 2]]);
    // Inputs and targets alone take 4 · 100 · (7 + 7 + 9) · 3 bytes.
    assert.ok(plan.bytes[0]! > 27600 && plan.bytes[0]! < 100000);
    const small = createReferenceEngine({ memoryBytes: 1 }).plan(size);
    assert.deepEqual(small.groups, [[0], [1], [2]]);
    assert.equal(small.reason, "limited to 0 MiB an ensemble");
  });

  it("plans by the connections, not by the neurons squared", () => {
    const units = 70_000;
    /** A ring with so many connections a unit. */
    const bytesOf = (each: number) =>
      engine.plan({
        ...shapeOf(exampleSpec()),
        hiddenSize: units,
        connections: {
          receivers: units,
          senders: units,
          start: Uint32Array.from({ length: units + 1 }, (_, i) => i * each),
          sender: new Uint32Array(units * each),
        },
        steps: [7],
        trialCount: 100,
        trainCount: 80,
        batchSize: 10,
      }).bytes[0]!;
    // Three parameters, a sender, a receiver and a number, and two more while a batch is under way.
    assert.equal(
      bytesOf(20) - bytesOf(10),
      10 * units * (3 * 8 + 3 * 4 + 2 * 8),
    );
    assert.ok(bytesOf(10) < 200e6);
  });
});

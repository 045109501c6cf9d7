import assert from "node:assert/strict";
import { createEnsemble } from "../../src/engine/create_ensemble.ts";
import { describe, itNeeds } from "../../src/compat/testing.ts";
import type {
  Ensemble,
  EnsembleSpec,
  ModelState,
} from "../../src/engine/ensemble.ts";
import { readBack } from "../../src/gpu/device.ts";
import { createWebGpuEngine, type GpuEnsemble } from "../../src/gpu/engine.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { countConnections } from "../../src/graph/connections.ts";
import { engine, missing } from "./adapter.ts";
import { assertParametersClose } from "./closeness.ts";
import { createInWay, exampleSpec, FORMATS, type Way } from "./example_runs.ts";
import { randomConnections } from "./random_connections.ts";
import { RULES } from "../reference/example_runs.ts";

const suite = `the WebGPU engine on ${engine?.description ?? "no adapter"}`;

async function create(
  spec: EnsembleSpec,
  options: Way = {},
): Promise<GpuEnsemble> {
  return await createInWay(engine!.gpu, spec, options);
}

describe(suite, () => {
  for (const format of FORMATS) {
    const inWay = (what: string) => `${what}, stored as ${format}`;

    itNeeds(
      inWay(
        "leaves weights off the mask and frozen ones untouched, bit by bit",
      ),
      missing,
      async () => {
        const spec = exampleSpec({
          hiddenSize: 23,
          steps: [4, 5, 6, 4, 5],
          density: 0.4,
        });
        const { hiddenSize: h, inputSize, outputSize } = spec;
        const gpu = await create(spec, { format });
        await gpu.train(4);
        const states = await gpu.state();
        // The longest come first on the device.
        for (const [place, model] of [2, 1, 4, 0, 3].entries()) {
          const run = spec.runs[model]!;
          const { topology, at, words } = gpu.made.models[place]!;
          const free = countConnections(run.connections);
          /** Places of weights. */
          const own = new Set(topology.recurrent);
          for (let unit = 0; unit < h; unit++) {
            for (let i = 0; i <= inputSize; i++) {
              own.add(topology.input(unit, i));
            }
          }
          for (let o = 0; o < outputSize; o++) {
            for (let unit = 0; unit <= h; unit++) {
              own.add(topology.output(o, unit));
            }
          }
          assert.equal(
            own.size,
            free + h * (inputSize + 1) + outputSize * (h + 1),
          );
          const { places } = topology.words;
          const [after, moments] = await readBack(engine!.gpu, [
            {
              buffer: gpu.made.buffers.parameters!,
              firstWord: at.parameters,
              words: places,
            },
            {
              buffer: gpu.made.buffers.moments!,
              firstWord: at.moments,
              words: words.moments,
            },
          ]);
          for (let place = 0; place < places; place++) {
            if (own.has(place)) continue;
            assert.ok(Object.is(after![place], 0));
            assert.ok(Object.is(moments![2 * place], 0));
            assert.ok(Object.is(moments![2 * place + 1], 0));
          }
          const { parameters, firstMoment, secondMoment } = states[model]!;
          const moved = parameters.weightHh.filter((weight, i) =>
            weight !== run.initial.weightHh[i]
          ).length;
          if (run.trainRecurrent) {
            assert.ok(moved > 0.3 * free);
          } else {
            assert.equal(moved, 0);
            for (const { weightHh } of [firstMoment, secondMoment]) {
              assert.ok(weightHh.every((value) =>
                Object.is(value, 0)
              ));
            }
          }
        }
        gpu.destroy();
      },
    );

    itNeeds(
      inWay("gives the same bytes twice, and however the models are grouped"),
      missing,
      async () => {
        const spec = exampleSpec({
          hiddenSize: 21,
          steps: [5, 9, 3, 9, 4],
          loss: "nll",
        });
        const train = async (runs: EnsembleSpec["runs"]) => {
          const gpu = await create({ ...spec, runs }, { format });
          const history = await gpu.train(3);
          const states = await gpu.state();
          gpu.destroy();
          return { history, states };
        };
        const whole = await train(spec.runs);
        assert.deepEqual(await train(spec.runs), whole);
        for (const [i, run] of spec.runs.entries()) {
          const alone = await train([run]);
          assert.deepEqual(alone.states[0], whole.states[i]);
          assert.deepEqual(
            alone.history.trainBatchLoss,
            whole.history.trainBatchLoss.slice(i * 9, (i + 1) * 9),
          );
        }
      },
    );

    itNeeds(
      inWay("goes on from a state as if it had never stopped"),
      missing,
      async () => {
        const spec = exampleSpec({ hiddenSize: 18, steps: [5, 4, 6] });
        const straight = await create(spec, { format });
        const first = await straight.train(2);
        const middle = await straight.state();
        const second = await straight.train(3);
        const end = await straight.state();
        straight.destroy();
        assert.equal(first.epochs, 2);
        const resumed = await create({
          ...spec,
          runs: spec.runs.map((run, i) => ({ ...run, state: middle[i]! })),
        }, { format });
        assert.deepEqual(await resumed.train(3), second);
        assert.deepEqual(await resumed.state(), end);
        assert.deepEqual(await resumed.state(1), [end[1]]);
        resumed.destroy();
      },
    );

    itNeeds(
      inWay("keeps a model that diverges to itself and shows it in its losses"),
      missing,
      async () => {
        const spec = exampleSpec({ hiddenSize: 16, steps: [6, 6, 6] });
        const diverging = {
          ...spec,
          runs: spec.runs.map((run, i) =>
            i === 1 ? { ...run, learningRate: 1e30 } : run
          ),
        };
        const results: [Float64Array, ModelState[]][] = [];
        for (const each of [spec, diverging]) {
          const gpu = await create(each, { format });
          const { trainLoss } = await gpu.train(3);
          results.push([trainLoss, await gpu.state()]);
          gpu.destroy();
        }
        const [[losses, states], [lossesBeside, statesBeside]] = results as [
          [Float64Array, ModelState[]],
          [Float64Array, ModelState[]],
        ];
        assert.ok(!Number.isFinite(lossesBeside[5]));
        for (const model of [0, 2]) {
          assert.deepEqual(statesBeside[model], states[model]);
          assert.deepEqual(
            lossesBeside.slice(3 * model, 3 * model + 3),
            losses.slice(3 * model, 3 * model + 3),
          );
        }
      },
    );
  }

  itNeeds(
    "goes on, however weights lie, from a state saved where they lay otherwise",
    missing,
    async () => {
      const spec = exampleSpec({
        hiddenSize: 18,
        steps: [5, 4, 6, 5, 3],
        density: 0.3,
      });
      const oracle = await createEnsemble(createReferenceEngine(), spec);
      await oracle.train(4);
      const expected = await oracle.state();
      for (const before of FORMATS) {
        for (const after of FORMATS) {
          if (before === after) continue;
          const first = await create(spec, { format: before });
          await first.train(2);
          const middle = await first.state();
          first.destroy();
          const second = await create({
            ...spec,
            runs: spec.runs.map((run, i) => ({ ...run, state: middle[i]! })),
          }, { format: after });
          assert.deepEqual(await second.state(), middle);
          await second.train(2);
          const end = await second.state();
          second.destroy();
          for (const [model, state] of end.entries()) {
            const { parameters, firstMoment, secondMoment } = expected[model]!;
            const what = `${before}, then ${after}: model ${model}`;
            assertParametersClose(state.parameters, parameters, {
              limit: 1e-5,
              what: `${what}, weights`,
            });
            assertParametersClose(state.firstMoment, firstMoment, {
              limit: 1e-5,
              what: `${what}, first moment`,
            });
            assertParametersClose(state.secondMoment, secondMoment, {
              limit: 1e-5,
              what: `${what}, second moment`,
            });
          }
        }
      }
    },
  );

  itNeeds(
    "stops at the end of an epoch when it is told to",
    missing,
    async () => {
      const gpu: Ensemble = await create(
        exampleSpec({ hiddenSize: 60, steps: [9, 9, 9] }),
      );
      const controller = new AbortController();
      setTimeout(() => controller.abort(), 100);
      const history = await gpu.train(1e6, { signal: controller.signal });
      assert.ok(history.epochs >= 1 && history.epochs < 1e6);
      assert.ok(history.trainLoss.every((loss) => loss > 0));
      const [state] = await gpu.state(0);
      assert.equal(state!.epoch, history.epochs);
      assert.equal(
        (await gpu.train(5, { signal: controller.signal })).epochs,
        0,
      );
      gpu.destroy();
    },
  );

  itNeeds("learns to tell classes apart", missing, async () => {
    const gpu = await create(
      exampleSpec({ hiddenSize: 30, steps: [4], loss: "nll" }),
    );
    const { trainLoss, trainAccuracy } = await gpu.train(60);
    gpu.destroy();
    assert.ok(trainLoss[59]! < 0.2 * trainLoss[0]!);
    assert.equal(trainAccuracy![59], 100);
  });

  itNeeds("refuses wrong use with a sentence", missing, async () => {
    const spec = exampleSpec({ hiddenSize: 5, steps: [3, 3] });
    await assert.rejects(create({ ...spec, runs: [] }), RangeError);
    const other = exampleSpec({ hiddenSize: 5, trainBatches: [2, 2] }).runs[0]!;
    await assert.rejects(
      create({ ...spec, runs: [spec.runs[0]!, other] }),
      /batches/,
    );
    const [run] = spec.runs;
    const { start } = run!.connections;
    const short = {
      ...run!,
      connections: { ...run!.connections, start: start.subarray(1) },
    };
    await assert.rejects(
      create({ ...spec, runs: [short] }),
      /Cannot train iteration 0: its list of connections is unsound: there are 5 starts of receivers, not 6/,
    );
    const gpu = await create(spec);
    await assert.rejects(gpu.probe(2, 0), RangeError);
    await assert.rejects(gpu.probe(0, 3), RangeError);
    await assert.rejects(gpu.train(1.5), RangeError);
    gpu.destroy();
    await assert.rejects(gpu.train(1), /after its destroy/);
  });

  itNeeds(
    "fails with the error that the device reported",
    missing,
    async () => {
      const other = await createWebGpuEngine();
      const gpu = await createEnsemble(other!, exampleSpec({ hiddenSize: 4 }));
      other!.gpu.device.createBuffer({
        label: "too much of everything",
        size: 16,
        usage: GPUBufferUsage.MAP_READ | GPUBufferUsage.STORAGE,
      });
      await assert.rejects(gpu.train(1), /WebGPU error on .*/);
      await assert.rejects(
        createEnsemble(other!, exampleSpec({ hiddenSize: 4 })),
        /WebGPU error on .*/,
      );
      other!.destroy();
    },
  );

  itNeeds("plans groups that it can create", missing, () => {
    const plan = engine!.plan({
      ...RULES,
      hiddenSize: 220,
      inputSize: 2,
      outputSize: 1,
      loss: "mse",
      connections: randomConnections(220, { count: 30_000, seed: 1 }),
      steps: Array.from({ length: 400 }, () => 21),
      trialCount: 200,
      trainCount: 150,
      batchSize: 128,
    });
    assert.equal(plan.groups.flat().length, 400);
  });
});

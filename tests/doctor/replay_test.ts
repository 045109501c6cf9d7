import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { type GoldenCase, ownCases } from "../../src/doctor/golden_case.ts";
import {
  type CheckName,
  describeReport,
  replayCase,
} from "../../src/doctor/replay.ts";
import type {
  BatchProbe,
  Engine,
  Ensemble,
  EpochHistory,
  ModelState,
} from "../../src/engine/ensemble.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";

const cases = ownCases();

function caseOf(name: string): GoldenCase {
  return cases.find((each) => each.name === `train_${name}`)!;
}

/** Changes what an engine gives; each may change its argument. */
interface Fault {
  readonly probe?: (probe: BatchProbe) => BatchProbe | void;
  readonly history?: (history: EpochHistory) => EpochHistory | void;
  readonly state?: (state: ModelState) => ModelState | void;
}

/** The reference engine with a fault, held to the tolerances of an adapter. */
function brokenEngine({ probe, history, state }: Fault): Engine {
  const engine = createReferenceEngine();
  const wrap = (ensemble: Ensemble): Ensemble => ({
    ...ensemble,
    async probe(...args) {
      const found = await ensemble.probe(...args);
      return probe?.(found) ?? found;
    },
    async train(...args) {
      const found = await ensemble.train(...args);
      return history?.(found) ?? found;
    },
    async state(...args) {
      const states = await ensemble.state(...args);
      return states.map((each) => state?.(each) ?? each);
    },
  });
  return {
    ...engine,
    kind: "webgpu",
    plan(shape) {
      const plan = engine.plan(shape);
      return {
        ...plan,
        createEnsemble: async (runs) => wrap(await plan.createEnsemble(runs)),
      };
    },
  };
}

const FAULTS: readonly {
  readonly what: string;
  readonly golden?: string;
  readonly fault: Fault;
  readonly found: readonly CheckName[];
  readonly where?: string;
}[] = [
  {
    what: "an output that is slightly off",
    fault: { probe: ({ output }) => void (output[3]! += 1e-5) },
    found: ["output"],
  },
  {
    what: "a hidden state that is slightly off",
    fault: { probe: ({ hiddenLast }) => void (hiddenLast[3]! += 1e-5) },
    found: ["hidden state"],
  },
  {
    what: "a gradient that is 0.01 % too large",
    fault: {
      probe: ({ gradient: { weightHh } }) =>
        weightHh.forEach((g, i) => weightHh[i] = g * 1.0001),
    },
    found: ["gradients"],
    where: "W_hh",
  },
  {
    what: "a last validation loss that is 0.1 % too large",
    fault: { history: ({ validateLoss }) => void (validateLoss[4]! *= 1.001) },
    found: ["losses"],
    where: "epoch 5, validate loss",
  },
  {
    what: "a batch's loss that is no number",
    fault: { history: ({ trainBatchLoss }) => void (trainBatchLoss[5] = NaN) },
    found: ["losses"],
    where: "epoch 2, train batch 3",
  },
  {
    what: "a history of too few epochs",
    fault: {
      history: (history) => ({
        ...history,
        validateLoss: history.validateLoss.slice(0, 4),
      }),
    },
    found: ["losses"],
    where: "epoch 5, validate loss",
  },
  {
    what: "one more right answer",
    golden: "nback_mem_tanh_sgd",
    fault: {
      history: ({ validateAccuracy }) => void (validateAccuracy![2]! += 12.5),
    },
    found: ["accuracies"],
    where: "epoch 3, validate",
  },
  {
    what: "no accuracy at all",
    golden: "nback_mem_tanh_sgd",
    fault: {
      history: ({ trainAccuracy: _, ...history }) => history,
    },
    found: ["accuracies"],
  },
  {
    what: "a weight that is slightly off",
    fault: { state: ({ parameters }) => void (parameters.biasFc[0]! += 1e-4) },
    found: ["weights after one update", "weights after all epochs"],
    where: "b_fc",
  },
  {
    what: "a moment that was not updated",
    golden: "seq_mem_relu_rmsprop",
    fault: { state: ({ secondMoment }) => void secondMoment.biasHh.fill(0) },
    found: ["moments"],
    where: "b_hh, second",
  },
  {
    what: "weights of a connection more than there are",
    fault: {
      state: (state) => ({
        ...state,
        parameters: {
          ...state.parameters,
          weightHh: Float64Array.of(...state.parameters.weightHh, 0),
        },
      }),
    },
    found: ["weights after one update", "weights after all epochs"],
    where: "W_hh",
  },
  {
    what: "frozen weights that were trained",
    golden: "seq_mem_tanh_adam_freeze",
    fault: {
      state: ({ parameters: { weightHh } }) =>
        weightHh.forEach((w, i) => weightHh[i] = w * (1 + 1e-7)),
    },
    found: ["frozen weights"],
    where: "after one update",
  },
];

describe("replayCase()", () => {
  it("finds nothing wrong where nothing is", async () => {
    const report = await replayCase(
      caseOf("seq_mem_tanh_sgd"),
      brokenEngine({}),
    );
    assert.ok(report.ok);
    assert.match(
      describeReport(report, { nameWidth: 25 }),
      /^train_seq_mem_tanh_sgd +\S+e-7 +\S+e-7 +\S+e-8 +ok$/,
    );
  });

  for (const { what, golden, fault, found, where } of FAULTS) {
    it(`finds ${what}`, async () => {
      const report = await replayCase(
        caseOf(golden ?? "seq_mem_tanh_sgd"),
        brokenEngine(fault),
      );
      assert.equal(report.ok, false);
      const off = report.checks.filter(({ ok }) => !ok);
      assert.deepEqual(off.map(({ name }) => name), found);
      if (where !== undefined) assert.equal(off[0]!.where, where);
      const line = describeReport(report, { nameWidth: 25 });
      assert.ok(line.includes(`OFF: ${found[0]}`), line);
    });
  }
});

import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import type { ModelState } from "../../src/engine/ensemble.ts";
import { InputError } from "../../src/files/input_error.ts";
import {
  type ModelSize,
  type Parameters,
  parameterShapes,
} from "../../src/rnn/parameters.ts";
import {
  decodeRuns,
  encodeRunRecord,
  encodeRunStates,
  failureOf,
  type RunRecord,
  runsIn,
} from "../../src/results/run_file.ts";
import { RunStore } from "../../src/results/run_store.ts";
import denseState from "./dense_state.json" with { type: "json" };
import { assertRefused, flipBit, namesIn } from "./example_results.ts";
import { withFolder } from "../with_folder.ts";

const SIZE: ModelSize = { hiddenSize: 3, inputSize: 2, outputSize: 1 };

/** A model with five connections. */
function parameters(start: number): Parameters {
  const shapes = Object.entries(parameterShapes(SIZE, 5));
  return Object.fromEntries(shapes.map(([name, shape], i) => {
    const length = shape.reduce((product, n) => product * n, 1);
    return [name, Float32Array.from({ length }, (_, k) => start + i + k / 7)];
  })) as unknown as Parameters;
}

function state(epoch: number): ModelState {
  return {
    epoch,
    updates: epoch * 4,
    parameters: parameters(epoch),
    firstMoment: parameters(0.1),
    secondMoment: parameters(0.2),
  };
}

function record(): RunRecord {
  return {
    id: { combination: 2, iteration: 1 },
    experiment: "abc",
    engine: "reference: test",
    program: "biornn test",
    history: {
      trainLoss: Float64Array.of(0.5, 0.25, NaN),
      validateLoss: Float64Array.of(0.6, 0.3, Infinity),
    },
  };
}

function under(epoch: number) {
  return { ...record(), state: state(epoch) };
}

async function open(folder: string, experiment = "abc") {
  const warnings: string[] = [];
  const store = await RunStore.open({
    folder,
    experiment,
    size: SIZE,
    epochs: 3,
    warn: (line) => warnings.push(line),
  });
  return { store, warnings };
}

const NAMED = { name: "run", size: SIZE };

/** Two runs under way. */
function states(epoch: number) {
  const other = { combination: 2, iteration: 10 };
  return [under(epoch), { ...under(epoch), id: other, engine: "other" }];
}

describe("encodeRunRecord()", () => {
  it("gives a run back to the last bit", () => {
    const known = { ...record(), model: "m", topology: "t" };
    const failed = {
      ...known,
      failure: { epoch: 2, what: "weights became NaN" },
    };
    for (const run of [known, failed]) {
      const read = decodeRuns(encodeRunRecord(run), NAMED);
      assert.deepEqual([...read], [["2_1", run]]);
    }
  });

  it("gives the same bytes for the same run", () => {
    assert.deepEqual(encodeRunRecord(record()), encodeRunRecord(record()));
  });
});

describe("encodeRunStates()", () => {
  it("gives all runs and their states back to the last bit", () => {
    const read = decodeRuns(encodeRunStates(states(2)), NAMED);
    assert.deepEqual([...read.keys()], ["2_1", "2_10"]);
    assert.deepEqual([...read.values()], states(2));
  });

  it("keeps double precision", () => {
    const double = state(2);
    const weights = Object.fromEntries(
      Object.entries(double.parameters).map(([name, values]) => [
        name,
        Float64Array.from(values as Float32Array, (value) => value / 3),
      ]),
    ) as unknown as Parameters;
    const run = {
      ...record(),
      state: {
        ...double,
        parameters: weights,
        firstMoment: weights,
        secondMoment: weights,
      },
    };
    const read = decodeRuns(encodeRunStates([run]), NAMED);
    assert.deepEqual([...read.values()], [run]);
  });
});

describe("decodeRuns()", () => {
  it("refuses a file with any byte changed or cut off", () => {
    for (
      const bytes of [encodeRunRecord(record()), encodeRunStates(states(2))]
    ) {
      fc.assert(
        fc.property(
          fc.nat(bytes.length - 1),
          fc.integer({ min: 1, max: 255 }),
          fc.boolean(),
          (place, flip, cut) => {
            const damaged = cut ? bytes.slice(0, place) : bytes.slice();
            if (!cut) damaged[place]! ^= flip;
            assert.throws(() => decodeRuns(damaged, NAMED), InputError);
          },
        ),
      );
    }
  });

  it("refuses the state of a model of another size", () => {
    const bytes = encodeRunStates(states(2));
    assert.throws(
      () =>
        decodeRuns(bytes, { ...NAMED, size: { ...SIZE, inputSize: 4_000 } }),
      /its state of \d+ numbers is none of 3 hidden units, 4000 inputs/,
    );
  });
});

describe("runsIn()", () => {
  it("tells which runs a file says it holds", () =>
    withFolder(async (folder) => {
      const file = join(folder, "states");
      const bytes = encodeRunStates(states(2));
      await Deno.writeFile(file, bytes);
      assert.deepEqual(await runsIn(file), states(2).map(({ id }) => id));
      for (const length of [0, 5, 8, 100]) {
        await Deno.writeFile(file, bytes.subarray(0, length));
        await assert.rejects(runsIn(file), InputError);
      }
    }));
});

describe("failureOf()", () => {
  it("tells the first loss that is no number, else what is known of the weights", () => {
    assert.deepEqual(failureOf(record()), {
      epoch: 2,
      what: "training loss became NaN",
    });
    const history = {
      trainLoss: Float64Array.of(0.5, 0.25),
      validateLoss: Float64Array.of(0.6, 0.3),
    };
    assert.equal(failureOf({ history }), undefined);
    const failure = { epoch: 1, what: "weights became NaN" };
    assert.deepEqual(failureOf({ history, failure }), failure);
  });
});

describe("RunStore", () => {
  const id = { combination: 2, iteration: 1 };

  it("knows nothing of a run that was never saved", () =>
    withFolder(async (folder) => {
      const { store } = await open(folder);
      assert.equal(await store.finished(id), undefined);
      assert.deepEqual(await store.stateEpochs(id), []);
    }));

  it("keeps the newest two states, and none of a finished run", () =>
    withFolder(async (folder) => {
      const { store } = await open(folder);
      for (const epoch of [1, 2, 10]) await store.saveStates(states(epoch));
      assert.deepEqual(await store.stateEpochs(id), [10, 2]);
      assert.deepEqual(await store.statesAt([id], 10), [under(10)]);
      assert.deepEqual(await namesIn(join(folder, "runs")), [
        "2_1.states_10.safetensors",
        "2_1.states_2.safetensors",
      ]);
      const [first, second] = states(10);
      await store.saveFinished([first!]);
      const left = await namesIn(join(folder, "runs"));
      assert.equal(left.length, 3, "the other run needs its states");
      const reopened = await open(folder);
      assert.equal((await reopened.store.stateEpochs(second!.id)).length, 2);
      await store.saveFinished([second!]);
      assert.deepEqual(await namesIn(join(folder, "runs")), [
        "2_1.safetensors",
        "2_10.safetensors",
      ]);
      assert.deepEqual(await store.finishedRecord(id), record());
    }));

  it("falls back to the state before a damaged one, and says so", () =>
    withFolder(async (folder) => {
      const { store, warnings } = await open(folder);
      for (const epoch of [4, 5]) await store.saveStates([under(epoch)]);
      await flipBit(join(folder, "runs", "2_1.states_5.safetensors"));
      assert.deepEqual(await store.stateEpochs(id), [4]);
      assert.equal(await store.statesAt([id], 5), undefined);
      assert.match(warnings.join(), /states_5.*damaged/);
      await store.saveStates(states(5));
      assert.deepEqual(await store.statesAt([id], 5), [under(5)]);
      const { store: reopened } = await open(folder);
      assert.deepEqual(await reopened.stateEpochs(id), [5, 4]);
    }));

  it("passes over the state of an earlier version, and says so", () =>
    withFolder(async (folder) => {
      const { store } = await open(folder);
      await store.saveStates(states(1));
      await Deno.writeFile(
        join(folder, "runs", "2_1.state_2.safetensors"),
        Uint8Array.fromBase64(denseState.bytes),
      );
      const { store: reopened, warnings } = await open(folder);
      assert.deepEqual(await reopened.stateEpochs(id), [1]);
      assert.match(
        warnings.join(),
        /^warning: Cannot use the run file ".*2_1\.state_2\.safetensors": it holds no state that this version reads; it is passed over$/,
      );
    }));

  it("never removes a file that runs of another process are in", () =>
    withFolder(async (folder) => {
      const first = (await open(folder)).store;
      await first.saveStates(states(1));
      // Parts that were shared out anew: another process has the other run now.
      const { store } = await open(folder);
      for (const epoch of [2, 3, 4]) await store.saveStates([under(epoch)]);
      await store.saveFinished([under(4)]);
      const other = states(1)[1]!.id;
      const { store: theirs } = await open(folder);
      assert.deepEqual(await theirs.stateEpochs(other), [1]);
      await theirs.removeAllStates();
      assert.deepEqual(await theirs.stateEpochs(other), []);
    }));

  it("shares out the states of large models among files", () =>
    withFolder(async (folder) => {
      const { store } = await open(folder);
      const trainLoss = new Float64Array(2 ** 20);
      const history = { trainLoss, validateLoss: trainLoss };
      await store.saveStates(
        [0, 1, 2].map((iteration) => ({
          ...under(1),
          id: { combination: 0, iteration },
          history,
        })),
      );
      assert.deepEqual(await namesIn(join(folder, "runs")), [
        "0_0.states_1.safetensors",
        "0_1.states_1.safetensors",
        "0_2.states_1.safetensors",
      ]);
    }));

  it("takes a damaged finished run as not finished", () =>
    withFolder(async (folder) => {
      await (await open(folder)).store.saveFinished([record()]);
      await Deno.truncate(join(folder, "runs", "2_1.safetensors"), 40);
      const { store, warnings } = await open(folder);
      assert.equal(await store.finished(id), undefined);
      assert.equal(await store.finished(id), undefined);
      assert.equal(warnings.length, 1);
    }));

  it("refuses the runs of another experiment", () =>
    withFolder(async (folder) => {
      const { store } = await open(folder);
      await store.saveFinished([record()]);
      const other = await open(folder, "xyz");
      await assertRefused(
        other.store.finished(id),
        /another experiment.*--overwrite/,
      );
    }));
});

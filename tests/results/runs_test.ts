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
  decodeRunRecord,
  encodeRunRecord,
  failureOf,
  type RunRecord,
  RunStore,
} from "../../src/results/runs.ts";
import denseState from "./dense_state.json" with { type: "json" };

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
    step: epoch * 4,
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

async function withFolder(body: (folder: string) => Promise<void>) {
  const folder = await Deno.makeTempDir();
  try {
    await body(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
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

describe("encodeRunRecord()", () => {
  it("gives a run and its state back to the last bit", () => {
    const bytes = encodeRunRecord(under(2), SIZE);
    const read = decodeRunRecord(bytes, { name: "run", size: SIZE });
    assert.deepEqual(read, under(2));
  });

  it("gives the same bytes for the same run", () => {
    assert.deepEqual(
      encodeRunRecord(record(), SIZE),
      encodeRunRecord(record(), SIZE),
    );
  });
});

describe("decodeRunRecord()", () => {
  it("refuses a file with any byte changed or cut off", () => {
    const bytes = encodeRunRecord(under(2), SIZE);
    fc.assert(
      fc.property(
        fc.nat(bytes.length - 1),
        fc.integer({ min: 1, max: 255 }),
        fc.boolean(),
        (place, flip, cut) => {
          const damaged = cut ? bytes.slice(0, place) : bytes.slice();
          if (!cut) damaged[place] = (damaged[place] as number) ^ flip;
          assert.throws(
            () => decodeRunRecord(damaged, { name: "run", size: SIZE }),
            InputError,
          );
        },
      ),
    );
  });

  it("refuses the state of a model of another size", () => {
    const bytes = encodeRunRecord(under(2), SIZE);
    assert.throws(
      () =>
        decodeRunRecord(bytes, {
          name: "run",
          size: { ...SIZE, hiddenSize: 4 },
        }),
      /expected \[4/,
    );
  });
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

  it("knows nothing of a run that was never saved", async () => {
    await withFolder(async (folder) => {
      const { store } = await open(folder);
      assert.equal(await store.finished(id), undefined);
      assert.equal(await store.newestState(id), undefined);
    });
  });

  it("keeps the newest two states, and none of a finished run", async () => {
    await withFolder(async (folder) => {
      const { store } = await open(folder);
      for (const epoch of [1, 2, 10]) await store.saveStates([under(epoch)]);
      assert.equal((await store.newestState(id))?.state?.epoch, 10);
      const names = async () =>
        (await Array.fromAsync(Deno.readDir(join(folder, "runs"))))
          .map((entry) => entry.name).sort();
      assert.deepEqual(await names(), [
        "2_1.state_10.safetensors",
        "2_1.state_2.safetensors",
      ]);
      await store.saveFinished([under(10)]);
      assert.deepEqual(await names(), ["2_1.safetensors"]);
      assert.deepEqual(await store.finishedRecord(id), record());
    });
  });

  it("falls back to the state before a damaged one, and says so", async () => {
    await withFolder(async (folder) => {
      const { store, warnings } = await open(folder);
      for (const epoch of [4, 5]) await store.saveStates([under(epoch)]);
      const newest = join(folder, "runs", "2_1.state_5.safetensors");
      const bytes = await Deno.readFile(newest);
      bytes[bytes.length - 1] = (bytes[bytes.length - 1] as number) ^ 1;
      await Deno.writeFile(newest, bytes);
      assert.equal((await store.newestState(id))?.state?.epoch, 4);
      assert.match(warnings.join(), /state_5.*damaged/);
    });
  });

  it("passes over the state of a version that kept W_hh as a matrix, and says so", async () => {
    await withFolder(async (folder) => {
      const { store } = await open(folder);
      await store.saveStates([under(1)]);
      await Deno.writeFile(
        join(folder, "runs", "2_1.state_2.safetensors"),
        Uint8Array.fromBase64(denseState.bytes),
      );
      const { store: reopened, warnings } = await open(folder);
      assert.equal((await reopened.newestState(id))?.state?.epoch, 1);
      assert.match(
        warnings.join(),
        /^warning: Cannot use the run file ".*2_1\.state_2\.safetensors": parameters\.weightHh is \[3,3\], expected a list of weights; it is passed over$/,
      );
    });
  });

  it("takes a damaged finished run as not finished", async () => {
    await withFolder(async (folder) => {
      await (await open(folder)).store.saveFinished([record()]);
      await Deno.truncate(join(folder, "runs", "2_1.safetensors"), 40);
      const { store, warnings } = await open(folder);
      assert.equal(await store.finished(id), undefined);
      assert.equal(await store.finished(id), undefined);
      assert.equal(warnings.length, 1);
    });
  });

  it("refuses the runs of another experiment", async () => {
    await withFolder(async (folder) => {
      const { store } = await open(folder);
      await store.saveFinished([record()]);
      const other = await open(folder, "xyz");
      await assert.rejects(
        other.store.finished(id),
        (error) =>
          error instanceof InputError &&
          /another experiment.*--overwrite/.test(error.message),
      );
    });
  });
});

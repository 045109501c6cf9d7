import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { readGoldenCase } from "../../src/doctor/golden_case.ts";
import { readCases } from "../../src/doctor/read_cases.ts";
import { InputError } from "../../src/files/input_error.ts";
import { countConnections } from "../../src/graph/connections.ts";
import { parameterShapes } from "../../src/rnn/parameters.ts";

const FOLDER = fileURLToPath(new URL("../golden", import.meta.url));
const TEXT = await Deno.readTextFile(
  join(FOLDER, "train_nback_mem_tanh_rmsprop.json"),
);
const name = "case.json";

type Json = unknown[] | { [key: string]: unknown };

/** The object or list at the end of a path of keys, and the last key. */
function find(root: Json, path: readonly (string | number)[]): [Json, string] {
  const keys = path.map(String);
  const last = keys.pop()!;
  const parent = keys.reduce(
    (value, key) => (value as Record<string, unknown>)[key] as Json,
    root,
  );
  return [parent, last];
}

/** The case's text with another value somewhere. */
function withValue(path: readonly (string | number)[], value: unknown): string {
  const root = JSON.parse(TEXT) as Json;
  const [parent, key] = find(root, path);
  (parent as Record<string, unknown>)[key] = value;
  return JSON.stringify(root);
}

describe("readGoldenCase()", () => {
  it("gives the run, its trials and what must come out", () => {
    const golden = readGoldenCase(TEXT, { name })!;
    const { ensemble, expected } = golden;
    const [run] = ensemble.runs;
    assert.equal(golden.name, "train_nback_mem_tanh_rmsprop");
    assert.deepEqual(
      [ensemble.hiddenSize, ensemble.inputSize, ensemble.outputSize],
      [13, 2, 3],
    );
    assert.equal(ensemble.loss, "nll");
    assert.equal(run!.optimizer, "RMSprop");
    assert.equal(run!.activation, "tanh");
    assert.equal(run!.learningRate, 0.0005);
    assert.equal(countConnections(run!.connections), 43);
    assert.equal(run!.trials.trialCount, 30);
    assert.deepEqual(
      run!.trials.trainBatches.map((batch) => batch.length),
      [8, 8, 4],
    );
    // Validation trials stand after the 20 training trials.
    assert.deepEqual([...run!.trials.validateBatches[1]!], [27, 22]);
    assert.equal(expected.epochs.length, 5);
    assert.equal(expected.firstBatch.loss, 1.0660769955930036);
    for (const [key, shape] of Object.entries(parameterShapes(ensemble, 43))) {
      const length = shape.reduce((a, b) => a * b);
      const tensor = key as keyof typeof expected.secondMoment;
      assert.equal(expected.secondMoment[tensor].length, length);
      assert.equal(run!.initial[tensor].length, length);
    }
  });

  it("passes over other files", () => {
    assert.equal(readGoldenCase("{}", { name }), undefined);
    const other = withValue(["kind"], "init_bounds");
    assert.equal(readGoldenCase(other, { name }), undefined);
  });

  const wrong: [(string | number)[], unknown, RegExp][] = [
    [["format"], "bio-rnn-golden/2", /format must be "bio-rnn-golden\/1"/],
    [["model", "hidden"], 1e9, /model\.hidden must be an integer from 1/],
    [
      ["model", "hidden"],
      14,
      /mask\.shape must be \[14, 14\], found \[13,13\]/,
    ],
    [["model", "activation"], "elu", /"tanh" or "relu", found "elu"/],
    [["model", "log_softmax"], false, /true where the loss is "nll"/],
    [["model", "mask_nonzeros"], 44, /mask_nonzeros must be 43, as in mask/],
    [["optimizer", "lr"], 0, /optimizer\.lr must be above 0/],
    [["optimizer", "momentum"], 0.9, /optimizer\.momentum must be 0/],
    [["optimizer", "name"], "Lion", /"Adam" or "RMSprop" or "SGD"/],
    [["mask", "data", 0], 2, /mask must be a tensor of 0 and 1/],
    [["init", "b_ih", "dtype"], "float64", /dtype must be "float32"/],
    [["init", "b_ih", "data", 3], 1e300, /must be numbers of float32/],
    [["init", "b_ih", "data", 3], null, /data must be a list of numbers/],
    [["init", "b_fc", "data"], [1], /data must be 3 numbers \(there are 1\)/],
    [["init", "W_hh", "data", 0], 0.5, /W_hh must be 0 where mask is 0/],
    [
      ["expected", "float64", "weights_after_1_step", "W_hh", "data", 0],
      0.5,
      /weights_after_1_step\.W_hh must be 0 where mask is 0/,
    ],
    [
      [
        ...["expected", "float64", "optimizer_state_after_all_epochs", "W_hh"],
        ...["square_avg", "data", 0],
      ],
      0.5,
      /W_hh\.square_avg must be 0 where mask is 0/,
    ],
    [["train", "Y", "data", 5], 3, /train\.Y must be classes from 0 to 2/],
    [["train", "X", "shape", 0], 21, /must be 252 numbers/],
    [["batches", "train", 0, 0], 20, /numbers from 0 to 19, each once/],
    [["batches", "train", 0, 0], 19, /numbers from 0 to 19, each once/],
    [["batches", "validate"], [], /batches\.validate must be lists/],
    [["expected", "float64", "epochs"], [], /a list with an epoch or more/],
    [
      ["expected", "float64", "epochs", 1, "train_batch_losses"],
      [1],
      /epochs\[1\]\.train_batch_losses must be 3 numbers, one a batch/,
    ],
    [
      ["expected", "float64", "epochs", 1, "train_accuracy"],
      null,
      /epochs\[1\]\.train_accuracy must be a number/,
    ],
  ];
  for (const [path, value, message] of wrong) {
    it(`names what is wrong with ${path.join(".")}`, () => {
      assert.throws(
        () => readGoldenCase(withValue(path, value), { name }),
        (error) =>
          error instanceof InputError && message.test(error.message) &&
          error.message.startsWith('Cannot read "case.json": '),
      );
    });
  }

  it("refuses a training too large to be replayed", () => {
    const root = JSON.parse(TEXT);
    const epoch = root.expected.float64.epochs[0];
    const trials = 2e4;
    root.train.X = { ...root.train.X, shape: [trials, 6, 2] };
    root.train.X.data = new Array(trials * 12).fill(0);
    root.train.Y = { ...root.train.Y, shape: [trials, 6, 1] };
    root.train.Y.data = new Array(trials * 6).fill(0);
    root.expected.float64.epochs = new Array(12000).fill(epoch);
    assert.throws(
      () => readGoldenCase(JSON.stringify(root), { name }),
      /too large for a reference case/,
    );
  });

  it("gives a case or an InputError, whatever the file", () => {
    const values = fc.oneof(
      fc.constantFrom(null, -1, 0, 1, 0.5, 1e308, 2 ** 53, "", "train", true),
      fc.constantFrom([], {}, [0], [[0]], { shape: [], data: [] }),
      fc.jsonValue(),
    );
    const steps = fc.array(fc.nat(1000), { minLength: 1, maxLength: 7 });
    fc.assert(
      fc.property(steps, values, fc.boolean(), (choices, value, remove) => {
        const root = JSON.parse(TEXT) as Record<string, unknown>;
        let parent: Record<string, unknown> = root;
        let key = "";
        for (const choice of choices) {
          const keys = Object.keys(parent);
          key = keys[choice % keys.length]!;
          const next = parent[key];
          if (typeof next !== "object" || next === null) break;
          if (choice === choices.at(-1) || Object.keys(next).length === 0) {
            break;
          }
          parent = next as Record<string, unknown>;
        }
        if (remove) delete parent[key];
        else parent[key] = value;
        readOrInputError(JSON.stringify(root));
      }),
      { numRuns: 300 },
    );
  });

  it("gives a case or an InputError, wherever the file is cut off", () => {
    fc.assert(
      fc.property(fc.nat(TEXT.length - 1), fc.string(), (length, end) => {
        readOrInputError(TEXT.slice(0, length) + end);
      }),
      { numRuns: 200 },
    );
  });
});

function readOrInputError(text: string) {
  try {
    readGoldenCase(text, { name });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    assert.match(error.message, /^Cannot read "case\.json": .{5,300}$/s);
  }
}

describe("readCases()", () => {
  it("takes the training cases of a folder and names the other files", async () => {
    const { cases, passedOver } = await readCases(FOLDER);
    assert.equal(cases.length, 15);
    assert.ok(passedOver.includes("init_bounds.json"));
    assert.ok(!passedOver.includes("index.json"));
  });

  it("says what is wrong with a folder", async () => {
    const folder = await Deno.makeTempDir();
    try {
      const file = join(folder, "case.json");
      await assert.rejects(readCases(join(folder, "x")), /no such folder/);
      await assert.rejects(readCases(folder), /none of its \.json files/);
      await Deno.writeTextFile(file, "{");
      await assert.rejects(readCases(folder), /it is no JSON/);
      await assert.rejects(readCases(file), /it is a file, not a folder/);
      await Deno.truncate(file, 2 ** 27);
      await assert.rejects(readCases(folder), /allowed are 67108864/);
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

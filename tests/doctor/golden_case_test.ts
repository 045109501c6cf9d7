import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  readCases,
  readGoldenCase,
  TENSOR_KEYS,
} from "../../src/doctor/golden_case.ts";
import { InputError } from "../../src/files/input_error.ts";
import { countConnections } from "../../src/graph/connections.ts";
import { parameterShapes } from "../../src/rnn/parameters.ts";
import { withFolder } from "../with_folder.ts";

const FOLDER = join(import.meta.dirname!, "../../src/doctor/cases");
const TEXT = await Deno.readTextFile(
  join(FOLDER, "train_nback_mem_tanh_rmsprop.json"),
);
const file = "case.json";

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

/** The case with another value somewhere. */
function withValue(path: readonly (string | number)[], value: unknown): Json {
  const root = JSON.parse(TEXT) as Json;
  const [parent, key] = find(root, path);
  (parent as Record<string, unknown>)[key] = value;
  return root;
}

describe("readGoldenCase()", () => {
  it("gives the run, its trials and what must come out", () => {
    const golden = readGoldenCase(JSON.parse(TEXT), { file })!;
    const { ensemble, expected: { float64: expected, float32 } } = golden;
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
    assert.equal(golden.epochs, 5);
    assert.deepEqual(expected.losses["first batch"], [1.0660769955930036]);
    assert.notDeepEqual(float32.losses, expected.losses);
    assert.equal(Object.keys(expected.losses).length, 1 + 5 * (2 + 3 + 2));
    assert.equal(Object.keys(expected.accuracies).length, 1 + 5 * 2);
    for (const [key, shape] of Object.entries(parameterShapes(ensemble, 43))) {
      const length = shape.reduce((a, b) => a * b);
      const name = key as keyof typeof TENSOR_KEYS;
      assert.equal(expected.moments[TENSOR_KEYS[name]]!.length, length);
      assert.equal(run!.initial[name].length, length);
    }
  });

  it("passes over other files", () => {
    for (const other of [{}, [], null, 3, withValue(["kind"], "init_bounds")]) {
      assert.equal(readGoldenCase(other, { file }), undefined);
    }
  });

  const wrong: [(string | number)[], unknown, RegExp][] = [
    [
      ["format"],
      "bio-rnn-golden/2",
      /format must be "bio-rnn-golden\/1", found "bio-rnn-golden\/2"$/,
    ],
    [["model", "hidden"], "13", /model\.hidden must be number, found "13"$/],
    [
      ["model", "hidden"],
      14,
      /mask must be of shape \[14,14\], found \[13,13\]$/,
    ],
    [
      ["model", "activation"],
      "elu",
      /\("relu" \| "tanh" \| .*\), found "elu"$/,
    ],
    [
      ["optimizer", "name"],
      "Lion",
      /"RMSprop" \| "SGD" \| .*\), found "Lion"$/,
    ],
    [["init", "b_ih", "data", 3], "x", /init\.b_ih\.data must be/],
    [
      ["init", "b_fc", "data"],
      [1],
      /b_fc must be as many numbers as its shape/,
    ],
    [
      ["init", "b_fc"],
      { shape: [1], data: [1] },
      /b_fc must be of shape \[3\]/,
    ],
    [["train", "X", "shape"], [21, 6, 2], /train\.X must be as many numbers/],
    [["train", "Y", "shape"], [120], /train\.Y must be of shape \[20,6,1\]/],
    [["batches", "train", 0], 7, /batches\.train\.0 must be Array, found 7$/],
    [["expected", "float64", "epochs"], null, /float64\.epochs must be Array/],
  ];
  for (const [path, value, message] of wrong) {
    it(`names what is wrong with ${path.join(".")}`, () => {
      assert.throws(
        () => readGoldenCase(withValue(path, value), { file }),
        (error) =>
          error instanceof InputError && message.test(error.message) &&
          error.message.startsWith(
            'Cannot read the reference case "case.json": ',
          ),
        String(message),
      );
    });
  }

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
        try {
          readGoldenCase(root, { file });
        } catch (error) {
          assert.ok(error instanceof InputError, String(error));
        }
      }),
      { numRuns: 300 },
    );
  });
});

describe("readCases()", () => {
  it("takes the training cases of a folder and passes over other files", async () => {
    assert.equal((await readCases(FOLDER)).length, 31);
    await assert.rejects(
      readCases(join(FOLDER, "../../../tests/golden")),
      /none of its \.json files is of kind "train"$/,
    );
  });

  it("says what is wrong with a folder", async () => {
    await withFolder(async (folder) => {
      const path = join(folder, "case.json");
      await assert.rejects(readCases(join(folder, "x")), /no such folder$/);
      await assert.rejects(readCases(folder), /none of its \.json files/);
      await Deno.writeTextFile(path, "{");
      await assert.rejects(readCases(folder), /case "[^"]*case\.json": .*JSON/);
      await assert.rejects(readCases(path), /there is no such folder$/);
    });
  });
});

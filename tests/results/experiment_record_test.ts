import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import {
  differencesOf,
  encodeExperimentRecord,
  parseExperimentRecord,
} from "../../src/results/experiment_record.ts";
import { exampleRecord } from "./example_results.ts";

const name = "results/experiment.json";

/** The message of the error that a changed record gives. */
function messageOf(change: (record: Record<string, unknown>) => void): string {
  const record = JSON.parse(encodeExperimentRecord(exampleRecord()));
  change(record);
  return messageOfText(JSON.stringify(record));
}

function messageOfText(text: string): string {
  try {
    parseExperimentRecord(text, { name });
  } catch (error) {
    assert.ok(error instanceof InputError);
    return error.message;
  }
  throw new Error("It was read");
}

describe("parseExperimentRecord()", () => {
  it("reads back what encodeExperimentRecord() wrote", () => {
    for (
      const record of [
        exampleRecord(),
        exampleRecord({
          stimuli: { source: "synthetic digits", synthetic: true },
          failures: [],
        }),
      ]
    ) {
      const text = encodeExperimentRecord(record);
      const read = parseExperimentRecord(text, { name });
      assert.deepEqual(read, record);
      // In the same order, as it is written again when parts are agreed on.
      assert.equal(encodeExperimentRecord(read), text);
    }
  });

  it("passes over members that a later version may add", () => {
    const text = JSON.stringify({ ...exampleRecord(), mood: "good" });
    assert.deepEqual(parseExperimentRecord(text, { name }), exampleRecord());
  });

  it("takes files from before they said how weights are split, and between how many", () => {
    const {
      randPartition: _split,
      targetSparsity: _share,
      targetSparsityIntrinsic: _within,
      ...before
    } = exampleRecord();
    assert.deepEqual(parseExperimentRecord(JSON.stringify(before), { name }), {
      ...before,
      targetSparsity: 0.8,
      targetSparsityIntrinsic: 1,
    });
    assert.equal(
      messageOf((record) => {
        record.randPartition = "True";
      }),
      `Cannot read "${name}": randPartition must be true or false, found "True"`,
    );
    for (const wrong of [0, 1.1, "1", null]) {
      assert.equal(
        messageOf((record) => {
          record.targetSparsity = wrong;
        }),
        `Cannot read "${name}": targetSparsity must be a number above 0 and at most 1, found ${
          JSON.stringify(wrong)
        }`,
      );
    }
  });

  it("names the member that is missing or wrong, and what was found", () => {
    assert.equal(
      messageOf((record) => delete record.seed),
      `Cannot read "${name}": seed must be an integer from 0 to 9007199254740991, found nothing`,
    );
    assert.equal(
      messageOf((record) => {
        (record.task as Record<string, unknown>).loss = "hinge";
      }),
      `Cannot read "${name}": task.loss must be "mse" or "nll", found "hinge"`,
    );
    assert.match(
      messageOf((record) => record.failures = [{ combination: -1 }]),
      /failures\[0\]\.combination must be an integer from 0/,
    );
    assert.match(
      messageOf((record) => {
        record.grid = { keys: ["lr"], combinations: [[0.1, 2]] };
      }),
      /grid\.combinations must be a list of lists of 1 plain values/,
    );
    assert.match(
      messageOf((record) => record.epochs = 1.5),
      /epochs must be an integer from 1 .*, found 1\.5/,
    );
  });

  it("refuses another format, text that is no JSON, and keys that stand twice", () => {
    assert.match(
      messageOf((record) => record.format = "biornn-results/9"),
      /its format is "biornn-results\/9"; this version reads "biornn-results\/1"/,
    );
    assert.match(messageOfText("{"), /it is no JSON/);
    assert.match(messageOfText("[1]"), /must hold a JSON object, found \[1\]/);
    assert.match(messageOfText('{"format": "a", "format": "b"}'), /twice/);
  });

  it("refuses a text that was changed, and takes one without a checksum", () => {
    const text = encodeExperimentRecord(exampleRecord());
    assert.match(
      messageOfText(text.replace('"seed": 7', '"seed": 8')),
      /does not fit its checksum/,
    );
    const { checksum: _sum, ...rest } = JSON.parse(text);
    const record = parseExperimentRecord(JSON.stringify(rest), { name });
    assert.deepEqual(record, exampleRecord());
  });

  it("does not let a file change what other objects inherit", () => {
    const text = encodeExperimentRecord(exampleRecord())
      .replace('"seed": 7\n', '"__proto__": 7\n')
      .replace(/,\s+"checksum": ".*"/, "");
    const record = parseExperimentRecord(text, { name });
    assert.deepEqual(Object.keys(record.overrides), ["__proto__"]);
    assert.equal(({} as Record<string, unknown>).seed, undefined);
  });
});

describe("differencesOf()", () => {
  it("names those first that come first in the file", () => {
    const record = exampleRecord();
    const there = parseExperimentRecord(encodeExperimentRecord(record), {
      name,
    });
    const here = {
      ...record,
      match: "activity",
      init: "he",
      seed: 5,
      epochs: 99,
      task: { ...record.task, name: "nback_mem" },
    };
    assert.deepEqual(differencesOf(there, here), [
      'task.name is "seq_mem" there and "nback_mem" here',
      "epochs is 12 there and 99 here",
      "seed is 7 there and 5 here",
      "and 2 more",
    ]);
  });
});

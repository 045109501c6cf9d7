import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import type { Plain } from "../../src/results/experiment_record.ts";
import {
  checkConditions,
  haveSameTrials,
  matchCombinations,
} from "../../src/analysis/match.ts";
import type { ResultsFolder } from "../../src/results/results_folder.ts";
import {
  alike,
  exampleRecord,
  falling,
  resultsOf,
} from "../results/example_results.ts";

function folderOf(
  path: string,
  ...parameters: Record<string, Plain>[]
): ResultsFolder {
  return resultsOf(
    parameters.map((values) => ({
      title: JSON.stringify(values),
      parameters: values,
      ...alike(falling([0.1])),
    })),
    { path },
  );
}

/** Numbers of the combinations that were matched. */
function indices(...folders: ResultsFolder[]): (number | undefined)[][] {
  return matchCombinations(folders).combinations.map(({ members }) =>
    members.map((member) => member?.index)
  );
}

describe("matchCombinations()", () => {
  it("matches by parameters, whatever numbers and order they have", () => {
    assert.deepEqual(
      indices(
        folderOf("a", { lr: 1, n_back: 2 }, { lr: 2, n_back: 2 }),
        folderOf("b", { n_back: 2, lr: 2 }, { n_back: 2, lr: 1 }),
      ),
      [[0, 1], [1, 0]],
    );
  });

  it("keeps combinations that one folder lacks, and names them", () => {
    const a = folderOf("a", { lr: 1 }, { lr: 2 });
    const b = folderOf("b", { lr: 3 }, { lr: 1 });
    assert.deepEqual(indices(a, b), [[0, 1], [1, undefined], [undefined, 0]]);
    assert.deepEqual(matchCombinations([a, b]).warnings, [
      "a: 1 of 3 combinations are in other folders only: lr 3",
      "b: 1 of 3 combinations are in other folders only: lr 2",
    ]);
  });

  it("warns of a folder that has a combination twice", () => {
    const { combinations, warnings } = matchCombinations([
      folderOf("a", { lr: 1 }, { lr: 1 }),
    ]);
    assert.equal(combinations.length, 1);
    assert.match(
      warnings[0]!,
      /^a: combination 1 has the parameters of combination 0, .*left out$/,
    );
  });

  it("does not take one task's difficulty for another's", () => {
    assert.deepEqual(
      indices(folderOf("a", { n_back: 3 }), folderOf("b", { pattern: 3 })),
      [[0, undefined], [undefined, 0]],
    );
  });

  it("tells numbers from text", () => {
    assert.equal(
      indices(folderOf("a", { x: 1 }), folderOf("b", { x: "1" })).length,
      2,
    );
  });

  it("takes names that a folder does not tell from one that does", () => {
    const original = folderOf("a", { lr: 0.1, "parameter 2": 5 });
    const ours = folderOf("b", { lr: 0.1, delay: 5 });
    assert.deepEqual(indices(original, ours), [[0, 0]]);
    assert.deepEqual(
      matchCombinations([original, ours]).combinations[0]?.parameters,
      { lr: 0.1, delay: 5 },
    );
    assert.equal(
      indices(original, folderOf("b", { momentum: 0.1, delay: 5 })).length,
      2,
    );
  });
});

describe("haveSameTrials()", () => {
  const record = exampleRecord();

  it("holds for experiments that differ in their network only", () => {
    const other = exampleRecord({ randomW: true, fingerprint: "other" });
    assert.ok(haveSameTrials(record, other));
  });

  it("holds whatever the numbers of iterations and epochs: trials don't depend on them", () => {
    assert.ok(haveSameTrials(record, exampleRecord({ iterations: 4 })));
    assert.ok(haveSameTrials(record, exampleRecord({ epochs: 13 })));
  });

  it("does not hold where trials are others, or not known", () => {
    for (
      const other of [
        exampleRecord({ seed: 8 }),
        exampleRecord({ task: { ...record.task, name: "nback_mem" } }),
        exampleRecord({ task: { ...record.task, parameters: {} } }),
        exampleRecord({ stimuli: { source: "mnist", synthetic: false } }),
        undefined,
      ]
    ) {
      assert.ok(!haveSameTrials(record, other));
    }
  });

  it("knows pictures by their checksum, not by the name of their file", () => {
    const of = (sha256?: string, source = "mnist.npy", synthetic = false) =>
      exampleRecord({
        stimuli: {
          source,
          synthetic,
          ...(sha256 === undefined ? {} : { sha256 }),
        },
      });
    assert.ok(haveSameTrials(of("a"), of("a", "copy.npy")));
    assert.ok(!haveSameTrials(of("a"), of("b")));
    assert.ok(!haveSameTrials(of(), of()));
    assert.ok(!haveSameTrials(of("a"), of()));
    const synthetic = of(undefined, "synthetic digits", true);
    assert.ok(haveSameTrials(synthetic, synthetic));
  });
});

describe("checkConditions()", () => {
  const labelled = (label: string, changes = {}, epochs = 12) => ({
    label,
    results: {
      ...folderOf(label),
      experiment: exampleRecord(changes),
      combinations: [{
        index: 0,
        title: "(1,)",
        parameters: {},
        ...alike(falling([0.1], epochs)),
      }],
    },
  });

  it("has nothing to say of experiments that differ in their network", () => {
    assert.deepEqual(
      checkConditions([labelled("bio"), labelled("rand", { randomW: true })]),
      { warnings: [], commonEpochs: 12, sameTask: true },
    );
  });

  it("names what experiments differ in besides", () => {
    const { task } = exampleRecord();
    const { warnings, commonEpochs } = checkConditions([
      labelled("bio", { seed: 1 }),
      labelled("rand", {
        seed: 2,
        batchSize: 64,
        task: { ...task, parameters: { ...task.parameters, nr_of_trials: 50 } },
      }, 8),
    ]);
    assert.equal(commonEpochs, 8);
    assert.deepEqual(warnings, [
      "the experiments differ in epochs (bio 12, rand 8): the statistics compare their first 8 epochs",
      "the experiments differ in seed (bio 1, rand 2), batch size (bio 128, rand 64), trials (bio 100, rand 50): a difference of their numbers may come from there",
    ]);
  });

  it("does not let different tasks be compared", () => {
    const { task } = exampleRecord();
    const other = labelled("rand", { task: { ...task, name: "nback_mem" } });
    const found = checkConditions([labelled("bio"), other]);
    assert.equal(found.sameTask, false);
    assert.match(
      found.warnings[0]!,
      /different tasks.*bio of seq_mem, rand of/,
    );
  });

  it("says so where pictures have no checksum", () => {
    const stimuli = { source: "mnist.npy", synthetic: false };
    const { warnings } = checkConditions([
      labelled("bio", { stimuli }),
      labelled("rand", { stimuli }),
    ]);
    assert.match(
      warnings[0]!,
      /records of bio, rand do not all have the checksum/,
    );
  });
});

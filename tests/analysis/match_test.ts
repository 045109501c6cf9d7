import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import type { Plain } from "../../src/results/experiment_record.ts";
import { haveSameTrials, matchCombinations } from "../../src/analysis/match.ts";
import type { ResultsFolder } from "../../src/results/results_folder.ts";
import { alike, exampleRecord, falling } from "../results/example_results.ts";

function folderOf(
  path: string,
  ...parameters: Record<string, Plain>[]
): ResultsFolder {
  return {
    path,
    experiment: undefined,
    combinations: parameters.map((values, index) => ({
      index,
      title: JSON.stringify(values),
      parameters: values,
      ...alike(falling([0.1])),
    })),
    warnings: [],
  };
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
      'a: 1 of 3 combinations are in other folders only: {"lr":3}',
      'b: 1 of 3 combinations are in other folders only: {"lr":2}',
    ]);
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

  it("does not hold where trials are others, or not known", () => {
    for (
      const other of [
        exampleRecord({ seed: 8 }),
        exampleRecord({ iterations: 4 }),
        exampleRecord({ epochs: 13 }),
        exampleRecord({ task: { ...record.task, name: "nback_mem" } }),
        exampleRecord({ task: { ...record.task, parameters: {} } }),
        exampleRecord({ stimuli: { source: "mnist", synthetic: false } }),
        undefined,
      ]
    ) {
      assert.ok(!haveSameTrials(record, other));
    }
  });
});

import assert from "node:assert/strict";
import { Papa } from "../../src/text/csv.ts";
import { describe, it } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import { compareLabels } from "../../src/analysis/compare.ts";
import {
  type CombinationCurves,
  readResultsFolder,
} from "../../src/results/results_folder.ts";
import { formatStatisticsCsv } from "../../src/analysis/statistics_csv.ts";
import {
  alike,
  curves,
  exampleRecord,
  falling,
  inFolder,
  scatter,
  TITLES,
  writeExample,
} from "../results/example_results.ts";

interface Label {
  readonly label: string;
  readonly combinations: readonly CombinationCurves[];
  /** Seed of its experiment; without one it is a folder of the original program. */
  readonly seed?: number;
  readonly titles?: readonly string[];
}

/** Compares results that were written to disk and read again. */
async function compare(
  labels: readonly Label[],
  options?: Parameters<typeof compareLabels>[1],
): Promise<ReturnType<typeof compareLabels>> {
  let compared: ReturnType<typeof compareLabels> | undefined;
  await inFolder(async (folder) => {
    const read = [];
    for (const { label, seed, ...example } of labels) {
      const iterations = example.combinations[0]?.validateLoss.iterations ?? 1;
      const path = await writeExample(folder, label, {
        ...example,
        ...(seed === undefined
          ? {}
          : { record: exampleRecord({ seed, iterations }) }),
      });
      read.push({ label, results: await readResultsFolder(path) });
    }
    compared = compareLabels(read, options);
  });
  assert.ok(compared !== undefined);
  return compared;
}

/** Loss curves whose minima scatter around a mean. */
function around(mean: number, { n = 12, seed = 1 } = {}): CombinationCurves {
  return alike(falling(scatter(n, { mean, sd: 0.01, seed })));
}

describe("compareLabels()", () => {
  it("compares in pairs where both experiments have the same seed", async () => {
    const bio = [around(0.2), around(0.3)];
    const rand = [around(0.25, { seed: 2 }), around(0.3, { seed: 3 })];
    const { rows, warnings } = await compare([
      { label: "bio", combinations: bio, seed: 7 },
      { label: "rand", combinations: rand, seed: 7 },
    ]);
    assert.deepEqual(warnings, []);
    assert.deepEqual(
      rows.map((row) => [row.measure, row.combination?.title]),
      ["minLoss", "epoch99"].flatMap((measure) => [
        [measure, undefined],
        [measure, TITLES[0]],
        [measure, TITLES[1]],
      ]),
    );
    const [all, first, second] = rows;
    assert.ok(all && first && second);
    assert.ok(rows.every((row) => row.test === "Wilcoxon signed-rank"));
    assert.equal(all.reference.n, 24);
    assert.equal(all.pHolm, undefined);
    assert.equal(first.reference.n, 12);
    assert.equal(first.p, 2 ** -11);
    assert.equal(first.pHolm, 2 ** -10);
    assert.equal(first.delta, -1);
    assert.ok((second.pHolm ?? 0) > 0.05);
    assert.match(
      first.sentence,
      /^Minimum validation loss, \(0\.0001, 'relu', 'Adam', 3\): bio 0\.\d+ \(sd .*\) and rand .* \(12 pairs of runs on the same trials\); bio tends to be lower, which is better \(Wilcoxon signed-rank, p < 0\.001 after Holm's correction, .*Cliff's delta -1, .*\.$/,
    );
    assert.match(
      second.sentence,
      /; no evidence of a difference \(.*; the means are equivalent within 10 % of rand's mean/,
    );
  });

  it("compares groups where seeds differ or are not known, also when numbers differ", async () => {
    for (const seeds of [[7, 8], [7, undefined], [undefined, undefined]]) {
      const [a, b] = seeds;
      const { rows } = await compare([
        {
          label: "bio",
          combinations: [around(0.2), around(0.3)],
          ...(a === undefined ? {} : { seed: a }),
        },
        {
          label: "rand",
          titles: TITLES.toReversed(),
          combinations: [around(0.3, { n: 9 }), around(0.25, { n: 9 })],
          ...(b === undefined ? {} : { seed: b }),
        },
      ]);
      assert.ok(rows.every((row) => row.test === "Mann-Whitney U"));
      const first = rows[1];
      assert.equal(first?.combination?.title, TITLES[0]);
      assert.equal(first?.delta, -1);
      assert.equal(first?.statistic, 0);
      assert.deepEqual([first?.reference.n, first?.other.n], [12, 9]);
    }
  });

  it("does not pair combinations whose numbers differ: their trials do too", async () => {
    const combinations = [around(0.2), around(0.3)];
    const { rows } = await compare([
      { label: "bio", combinations, seed: 7 },
      { label: "rand", combinations, seed: 7, titles: TITLES.toReversed() },
    ]);
    assert.ok(rows.every((row) => !row.paired));
  });

  it("leaves out a pair of which one run has no number, and says so", async () => {
    const diverged = falling([0.1, 0.2, 0.3, 0.4]);
    diverged.values[15] = NaN;
    const titles = TITLES.slice(0, 1);
    const { rows, warnings } = await compare([
      { label: "bio", combinations: [alike(diverged)], seed: 7, titles },
      { label: "rand", combinations: [around(0.2, { n: 4 })], seed: 7, titles },
    ]);
    assert.equal(warnings.length, 1);
    assert.match(
      warnings[0] ?? "",
      /iteration 1, is not a number from epoch 3/,
    );
    assert.deepEqual([rows[1]?.reference.n, rows[1]?.other.n], [3, 3]);
  });

  it("says that few runs can show no difference, rather than that there is none", async () => {
    const { rows } = await compare([
      { label: "bio", combinations: [around(0.2, { n: 5 })], seed: 7 },
      { label: "rand", combinations: [around(0.5, { n: 5 })], seed: 7 },
    ]);
    assert.equal(rows[0]?.p, 0.0625);
    assert.match(
      rows[0]?.sentence ?? "",
      /too few runs to show a difference, as p cannot fall below 0\.0625/,
    );
    const single = await compare([
      { label: "bio", combinations: [around(0.2, { n: 1 })] },
      { label: "rand", combinations: [around(0.5, { n: 3 })] },
    ]);
    assert.match(single.rows[0]?.sentence ?? "", /too few runs to test\.$/);
    assert.ok(Number.isNaN(single.rows[0]?.p));
  });

  it("compares accuracies, of which higher is better, with a margin in points", async () => {
    const of = (mean: number, seed: number) => {
      const loss = falling(scatter(10, { mean: 0.2, sd: 0.01, seed }));
      const ends = scatter(10, { mean, sd: 0.5, seed });
      return [alike(loss, curves(...ends.map((end) => Array(12).fill(end))))];
    };
    const titles = TITLES.slice(0, 1);
    const { rows } = await compare([
      { label: "bio", combinations: of(90, 1), titles },
      { label: "rand", combinations: of(88, 2), titles },
    ], { measures: ["finalAccuracy"] });
    assert.equal(rows.length, 2);
    assert.match(
      rows[0]?.sentence ?? "",
      /bio tends to be higher, which is better .* equivalent within 5 percentage points/,
    );
  });

  it("says that the reference is not worse, where it is better than equivalent", async () => {
    const accuracy = (mean: number) =>
      alike(
        falling(scatter(8, { mean: 0.2, sd: 0.01, seed: 1 })),
        curves(
          ...scatter(8, { mean, sd: 1, seed: mean }).map((end) =>
            Array(12).fill(end)
          ),
        ),
      );
    const titles = TITLES.slice(0, 1);
    const labels = [
      { label: "good", combinations: [accuracy(95)], titles },
      { label: "bad", combinations: [accuracy(70)], titles },
    ];
    const measures = ["finalAccuracy"] as const;
    const [good] = (await compare(labels, { measures })).rows;
    assert.match(
      good?.sentence ?? "",
      /good tends to be higher, .*; good is not worse by more than 5 percentage points \(one-sided t test, p < 0\.001\), though equivalence within that margin is not shown/,
    );
    const [bad] = (await compare(labels, { measures, reference: "bad" })).rows;
    assert.match(
      bad?.sentence ?? "",
      /bad tends to be lower, which is worse .*; equivalence of the means within 5 percentage points is not shown/,
    );
    assert.ok((bad?.notWorseP ?? 0) > 0.99);
  });

  it("says that correction for many combinations leaves no chance to so few runs", async () => {
    const labels = [["bio", 0.2], ["rand", 0.5]] as const;
    const { rows } = await compare(labels.map(([label, mean]) => ({
      label,
      seed: 7,
      combinations: [around(mean, { n: 6 }), around(mean, { n: 6, seed: 2 })],
    })));
    assert.equal(rows[1]?.p, 0.03125);
    assert.equal(rows[1]?.smallestPHolm, 0.0625);
    assert.match(
      rows[1]?.sentence ?? "",
      /too few runs to show a difference, as p after Holm's correction cannot fall below 0\.0625 \(.*p = 0\.031 before it/,
    );
    assert.match(rows[0]?.sentence ?? "", /bio tends to be lower/);
  });

  it("says so where all values are equal or none are left", async () => {
    const equal = alike(falling([0.2, 0.2, 0.2]));
    const { rows } = await compare([
      { label: "bio", combinations: [equal] },
      { label: "rand", combinations: [equal] },
    ]);
    assert.match(rows[0]?.sentence ?? "", /; all values are equal\.$/);
    assert.equal(rows[0]?.p, 1);
    const none = await compare([
      { label: "bio", combinations: [alike(curves([1, NaN], [1, NaN]))] },
      { label: "rand", combinations: [equal] },
    ]);
    assert.match(
      none.rows[0]?.sentence ?? "",
      /: bio has no run with a value, so nothing can be compared\.$/,
    );
  });

  it("compares the reference with each other label, and takes another margin", async () => {
    const { rows } = await compare([
      { label: "rand", combinations: [around(0.2, { seed: 2 })] },
      { label: "bio", combinations: [around(0.2, { seed: 3 })] },
      { label: "lattice", combinations: [around(0.2, { seed: 4 })] },
    ], {
      reference: "bio",
      measures: ["minLoss"],
      margins: { minLoss: { kind: "absolute", value: 1e-6 } },
    });
    assert.deepEqual(
      rows.map((row) => `${row.reference.label} ${row.other.label}`),
      ["bio rand", "bio rand", "bio lattice", "bio lattice"],
    );
    assert.ok(rows.every(({ margin }) => margin === 1e-6));
    assert.match(rows[0]?.sentence ?? "", /0\.000001 is not shown/);
  });

  it("gives the same numbers again, and others with another seed", async () => {
    const labels = [
      { label: "bio", combinations: [around(0.2)] },
      { label: "rand", combinations: [around(0.205, { seed: 2 })] },
    ];
    const [first, again, other] = [
      await compare(labels),
      await compare(labels, { seed: 0 }),
      await compare(labels, { seed: 1 }),
    ];
    const intervals = ({ rows }: typeof first) =>
      rows.map((row) => row.deltaInterval);
    assert.deepEqual(intervals(first), intervals(again));
    assert.notDeepEqual(intervals(first), intervals(other));
  });

  it("refuses a label given twice and a reference that is no label", () => {
    const results = {
      path: "a",
      experiment: undefined,
      combinations: [],
      warnings: [],
    };
    const twice = [{ label: "a", results }, { label: "a", results }];
    assert.throws(() => compareLabels(twice), InputError);
    assert.throws(
      () => compareLabels([{ label: "a", results }], { reference: "b" }),
      /Cannot compare results with "b": the labels are "a"/,
    );
    assert.deepEqual(compareLabels([{ label: "a", results }]).rows, []);
  });
});

describe("formatStatisticsCsv()", () => {
  it("writes a table that reads back with all digits, whatever labels hold", async () => {
    const label = 'bio, "4x"\nnew';
    const { rows } = await compare([
      { label: "rand", combinations: [around(0.2), around(0.3)] },
      { label: "other", combinations: [around(0.21), around(0.3)] },
    ]);
    const renamed = rows.map((row) => ({
      ...row,
      other: { ...row.other, label },
    }));
    const text = formatStatisticsCsv(renamed);
    assert.ok(text.endsWith("\r\n"));
    const { data, errors } = Papa.parse<Record<string, string>>(text, {
      header: true,
      skipEmptyLines: true,
    });
    assert.deepEqual(errors, []);
    assert.equal(data.length, rows.length);
    for (const [i, row] of rows.entries()) {
      const line = data[i] ?? {};
      assert.equal(Number(line.p), row.p);
      assert.equal(line.other, label);
      assert.equal(line.p_holm, row.pHolm === undefined ? "" : `${row.pHolm}`);
      assert.equal(line.combination, row.combination?.title ?? "all");
      assert.equal(
        line.pattern_length,
        `${row.combination?.parameters.pattern_length ?? ""}`,
      );
      assert.equal(line.sentence, row.sentence);
    }
  });
});

import assert from "node:assert/strict";
import { Papa } from "../../src/text/csv.ts";
import { describe, it } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import { compareLabels } from "../../src/analysis/compare.ts";
import {
  type CombinationCurves,
  formatFolderIndex,
  parseFolderIndex,
} from "../../src/results/data_files.ts";
import {
  formatFindings,
  formatStatisticsCsv,
} from "../../src/analysis/tables.ts";
import {
  alike,
  curves,
  exampleRecord,
  falling,
  resultsOf,
  scatter,
  TITLES,
} from "../results/example_results.ts";

interface Label {
  readonly label: string;
  readonly combinations: readonly CombinationCurves[];
  /** Seed of its experiment; without one it is a folder of the original program. */
  readonly seed?: number;
  readonly titles?: readonly string[];
}

/** Compares results. */
function compare(
  labels: readonly Label[],
  options?: Parameters<typeof compareLabels>[1],
): ReturnType<typeof compareLabels> {
  const read = labels.map(({ label, seed, titles = TITLES, combinations }) => {
    const entries = parseFolderIndex(formatFolderIndex(titles), { name: "" });
    const { keys } = exampleRecord().grid;
    const iterations = combinations[0]?.validateLoss.iterations ?? 1;
    const own = combinations.map((curves, i) => ({
      title: titles[i]!,
      parameters: Object.fromEntries(
        entries[i]!.values.map((value, k) => [keys[k]!, value]),
      ),
      ...curves,
      ...(seed === undefined
        ? {}
        : { networks: new Array<string>(iterations).fill("") }),
    }));
    return {
      label,
      results: resultsOf(own, {
        path: label,
        ...(seed === undefined ? {} : {
          experiment: exampleRecord({ seed, iterations, failures: [] }),
        }),
      }),
    };
  });
  return compareLabels(read, options);
}

/** Two labels, with their combinations, and the seed of both. */
function pair(
  bio: readonly CombinationCurves[],
  rand: readonly CombinationCurves[],
  seed?: number,
): Label[] {
  const own = seed === undefined ? {} : { seed };
  return [
    { label: "bio", combinations: bio, ...own },
    { label: "rand", combinations: rand, ...own },
  ];
}

/** What the combinations of TITLES are called in words. */
const NAMES = [
  "lr 1e-4 · relu · Adam · length 3",
  "lr 1e-6 · tanh · SGD · length 10",
];

/** Loss curves whose minima scatter around a tenth of a number, well below what learning nothing gives. */
function around(tenfold: number, { n = 12, seed = 1 } = {}): CombinationCurves {
  return alike(falling(scatter(n, { mean: tenfold / 10, sd: 0.001, seed })));
}

describe("compareLabels()", () => {
  it("compares in pairs where both experiments have the same seed", () => {
    const bio = [around(0.2), around(0.3)];
    const rand = [around(0.25, { seed: 2 }), around(0.3, { seed: 3 })];
    const { rows, warnings } = compare(pair(bio, rand, 7));
    assert.deepEqual(warnings, []);
    assert.deepEqual(
      rows.map((row) => [row.measure, row.combination?.title]),
      ["minLoss", "epoch99"].flatMap((measure) => [
        [measure, undefined],
        [measure, NAMES[0]],
        [measure, NAMES[1]],
      ]),
    );
    const [all, first, second] = rows;
    assert.ok(all && first && second);
    assert.ok(rows.every((row) => row.test === "Wilcoxon signed-rank"));
    assert.equal(all.reference.n, 24);
    assert.equal(first.reference.n, 12);
    assert.equal(first.p, 2 ** -11);
    // Of two combinations and two measures, all four are tested.
    assert.equal(first.holm.p, 2 ** -9);
    assert.equal(first.effect.estimate, -1);
    assert.equal(first.effectName, "rank-biserial correlation");
    assert.ok(second.holm.p > 0.05);
    assert.match(
      first.sentence,
      /^Minimum validation loss, lr 1e-4 · relu · Adam · length 3: bio 0\.\d+ and rand .* \(medians; 12 pairs of runs on the same trials\); bio tends to be lower, which is better \(Wilcoxon signed-rank, p = 0.002 after Holm's correction, p < 0.001 before it; rank-biserial correlation −1, 95 % interval −1 to −0\.\d+\); bio is not worse by more than 10 % of what the better one learned beyond predicting the mean \(1\/12\) \(one-sided t test, p < 0\.001\), though equivalence is not shown \(TOST, .*; 90 % interval −10\.4 to −8\.23 %\)\. 12 of bio's 12 and 12 of rand's 12 runs beat predicting the mean \(1\/12\)\.$/,
    );
    assert.match(
      second.sentence,
      /; no evidence of a difference \(.*; the means are equivalent within 10 % of what/,
    );
  });

  it("compares groups where seeds differ or are not known, also when numbers differ", () => {
    for (const seeds of [[7, 8], [7, undefined], [undefined, undefined]]) {
      const [a, b] = seeds;
      const { rows } = compare([
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
      assert.equal(first?.combination?.title, NAMES[0]);
      assert.equal(first?.effect.estimate, -1);
      assert.equal(first?.effectName, "Cliff's delta");
      assert.equal(first?.statistic, 0);
      assert.deepEqual([first?.reference.n, first?.other.n], [12, 9]);
    }
  });

  it("does not pair combinations whose numbers differ: their trials do too", () => {
    const combinations = [around(0.2), around(0.3)];
    const { rows } = compare([
      { label: "bio", combinations, seed: 7 },
      { label: "rand", combinations, seed: 7, titles: TITLES.toReversed() },
    ]);
    assert.ok(rows.every(({ pairs }) => pairs === undefined));
  });

  it("counts a run that diverged as the worst of all", () => {
    const diverged = falling([0.01, 0.02, 0.03, 0.02]);
    diverged.values[15] = NaN;
    const { rows, warnings } = compare(
      pair([alike(diverged)], [around(0.4, { n: 4 })], 7),
    );
    assert.equal(warnings.length, 1);
    assert.match(warnings[0]!, /iteration 1 from epoch 3 on diverged/);
    const [row] = rows;
    assert.deepEqual([row?.reference.n, row?.other.n], [3, 4]);
    assert.deepEqual([row?.reference.failed, row?.other.failed], [1, 0]);
    // Of four pairs three are lower, and the largest difference is the other way.
    assert.equal(row?.pairs, 4);
    assert.equal(row?.statistic, 4);
    assert.equal(row?.failureP, 1);
    // A quarter of the runs has no value: means say nothing of all.
    assert.ok(Number.isNaN(row?.equivalenceP));
    assert.match(
      row!.sentence,
      /\. 1 of bio's 4 runs diverged, none of rand's \(McNemar's exact test, p = 1\); they count as the worst\./,
    );
  });

  it("says that few runs can show no difference, rather than that there is none", () => {
    const { rows } = compare(
      pair([around(0.2, { n: 5 })], [around(0.5, { n: 5 })], 7),
    );
    assert.equal(rows[0]?.p, 0.0625);
    assert.equal(rows[0]?.smallestPHolm, 0.125);
    assert.match(
      rows[0]?.sentence ?? "",
      /too few runs to show a difference, as p cannot fall below 0\.125 \(.*p = 0\.13 after Holm's correction, p = 0\.063 before it/,
    );
    const single = compare(
      pair([around(0.2, { n: 1 })], [around(0.5, { n: 3 })]),
    );
    assert.match(single.rows[0]?.sentence ?? "", /too few runs to test\.( |$)/);
    assert.ok(Number.isNaN(single.rows[0]?.p));
  });

  it("compares accuracies, of which higher is better, with a margin in points", () => {
    const of = (mean: number, seed: number) => {
      const loss = falling(scatter(10, { mean: 0.2, sd: 0.01, seed }));
      const ends = scatter(10, { mean, sd: 0.5, seed });
      return [alike(loss, curves(...ends.map((end) => Array(12).fill(end))))];
    };
    const { rows } = compare(pair(of(90, 1), of(88, 2)), {
      measures: ["finalAccuracy"],
    });
    assert.equal(rows.length, 2);
    assert.match(
      rows[0]?.sentence ?? "",
      /bio tends to be higher, but the difference is negligible .* equivalent within 5 percentage points .*90 % interval .* points/,
    );
  });

  it("takes the margin of accuracies of the points above chance, however many classes there are", () => {
    const of = (label: string, mean: number, seed: number) => {
      const loss = falling(scatter(10, { mean: 0.2, sd: 0.01, seed }));
      const ends = scatter(10, { mean, sd: 0.5, seed });
      const experiment = exampleRecord({
        task: { name: "classes", loss: "nll", parameters: {} },
        size: { hiddenSize: 2, inputSize: 2, outputSize: 5 },
        failures: [],
      });
      const accuracy = curves(...ends.map((end) => Array(12).fill(end)));
      return {
        label,
        results: resultsOf([alike(loss, accuracy)], { experiment }),
      };
    };
    const { rows } = compareLabels([of("bio", 90, 1), of("rand", 88, 2)], {
      measures: ["finalAccuracy"],
    });
    assert.equal(rows[0]?.points, 75);
    assert.match(rows[0].sentence, /equivalent within 7\.5 percentage points/);
    assert.match(
      formatStatisticsCsv(rows),
      /,share of 75 percentage points,/,
    );
  });

  it("says that the reference is not worse, where it is better than equivalent", () => {
    const accuracy = (mean: number) =>
      alike(
        falling(scatter(8, { mean: 0.2, sd: 0.01, seed: 1 })),
        curves(
          ...scatter(8, { mean, sd: 1, seed: mean }).map((end) =>
            Array(12).fill(end)
          ),
        ),
      );
    const labels = [
      { label: "good", combinations: [accuracy(95)] },
      { label: "bad", combinations: [accuracy(70)] },
    ];
    const measures = ["finalAccuracy"] as const;
    const [good] = compare(labels, { measures }).rows;
    assert.match(
      good?.sentence ?? "",
      /good tends to be higher, .*; good is not worse by more than 5 percentage points \(one-sided t test, p < 0\.001\), though equivalence is not shown/,
    );
    const [bad] = (compare(labels, { measures, reference: "bad" })).rows;
    assert.match(
      bad?.sentence ?? "",
      /bad tends to be lower, which is worse .*; equivalence within 5 percentage points is not shown/,
    );
    assert.ok((bad?.notWorseP ?? 0) > 0.99);
  });

  it("says that correction for many tests leaves no chance to so few runs", () => {
    const labels = [["bio", 0.2], ["rand", 0.5]] as const;
    const { rows } = compare(labels.map(([label, mean]) => ({
      label,
      seed: 7,
      combinations: [around(mean, { n: 6 }), around(mean, { n: 6, seed: 2 })],
    })));
    assert.equal(rows[1]?.p, 0.03125);
    assert.equal(rows[1]?.smallestPHolm, 0.125);
    assert.match(
      rows[1]?.sentence ?? "",
      /too few runs to show a difference, as p cannot fall below 0\.125 \(.*p = 0\.031 before it/,
    );
    assert.match(rows[0]?.sentence ?? "", /bio tends to be lower/);
  });

  it("says so where all values are equal or none are left", () => {
    const equal = alike(falling([0.2, 0.2, 0.2]));
    const { rows } = compare(pair([equal], [equal]));
    assert.match(
      rows[0]?.sentence ?? "",
      /; all values are equal\.?/,
    );
    assert.equal(rows[0]?.p, 1);
    const none = compare(pair([alike(curves([1, NaN], [1, NaN]))], [equal]));
    assert.match(
      none.rows[0]?.sentence ?? "",
      /no evidence of a difference .*\. 2 of bio's 2 runs diverged, none of rand's \(Fisher's exact test, p = 0\.1\); they count as the worst\.$/,
    );
  });

  it("compares the reference with each other label, and takes another margin", () => {
    const { rows } = compare([
      { label: "rand", combinations: [around(0.2, { seed: 2 })] },
      { label: "bio", combinations: [around(0.2, { seed: 3 })] },
      { label: "lattice", combinations: [around(0.2, { seed: 4 })] },
    ], {
      reference: "bio",
      measures: ["minLoss"],
      margin: 1e-6,
    });
    assert.deepEqual(
      rows.map((row) => `${row.reference.label} ${row.other.label}`),
      ["bio rand", "bio rand", "bio lattice", "bio lattice"],
    );
    assert.ok(rows.every(({ margin }) => margin === 1e-6));
    assert.match(
      rows[0]?.sentence ?? "",
      /within 0\.0001 % of rand's mean is not shown/,
    );
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
    assert.throws(
      () => compareLabels([{ label: "a", results }], { margin: 0 }),
      /margin must be above 0, found 0/,
    );
    assert.deepEqual(compareLabels([{ label: "a", results }]).rows, []);
  });
});

describe("compareLabels() over several combinations", () => {
  const labels = (
    bio: readonly number[],
    rand: readonly number[],
    seed: number | undefined = 7,
  ) => {
    const [a, b] = [bio, rand].map((means, side) =>
      means.map((mean, k) => {
        const spread = { mean, sd: mean / 200, seed: 10 * side + k };
        return alike(falling(scatter(10, spread), 30));
      })
    );
    return pair(a!, b!, seed);
  };

  for (const seed of [7, undefined]) {
    const kind = seed === undefined ? "groups" : "pairs";
    it(`takes the mean of what combinations say, of ${kind}`, () => {
      // Lower in every run of every combination, whose losses differ a hundredfold.
      const { rows } = compare(labels([4e-4, 0.04], [6e-4, 0.06], seed), {
        measures: ["minLoss"],
      });
      const [all] = rows;
      assert.equal(all?.effect.estimate, -1);
      assert.ok(all.effect.low <= -1 && all.effect.high < -0.6);
      assert.deepEqual([all.lower, all.higher], [2, 0]);
      assert.ok(all.p < 1e-5);
      // Both are two thirds: so is their mean, whatever their sizes.
      assert.ok(Math.abs(all.ratio! - 2 / 3) < 0.02, `${all.ratio}`);
      assert.match(all.sentence, /mean (rank-biserial|Cliff's delta)/);
    });
  }

  it("says so where combinations disagree, and calls them not equivalent", () => {
    const { rows } = compare(labels([4e-4, 0.06], [6e-4, 0.04]), {
      measures: ["minLoss"],
    });
    const [all] = rows;
    assert.equal(all?.effect.estimate, 0);
    assert.equal(all.p, 1);
    assert.match(
      all.sentence,
      /no evidence of one difference over all: bio is lower in 1 combination, higher in 1 /,
    );
    assert.match(
      all.sentence,
      /is not shown, as \d combinations? differs? by more/,
    );
  });

  it("claims nothing of networks that learned nothing", () => {
    const { rows } = compare(labels([0.082, 0.0825], [0.0824, 0.0829]));
    for (const row of rows) {
      assert.ok(Number.isNaN(row.p) && Number.isNaN(row.equivalenceP));
      assert.match(
        row.sentence,
        /: none of bio's \d+ and rand's \d+ runs beat predicting the mean \(1\/12\); of networks that learned nothing, nothing is claimed\.$/,
      );
    }
  });

  it("says so where every run diverged", () => {
    const nothing = alike(curves([1, NaN], [1, NaN], [1, NaN]));
    const { rows } = compare(pair([nothing], [nothing], 7));
    assert.match(
      rows[0]?.sentence ?? "",
      /none of bio's 3 and rand's 3 runs beat .* 3 of bio's 3 and 3 of rand's 3 runs diverged \(McNemar's exact test, p = 1\); they count as the worst\.$/,
    );
  });

  it("leaves combinations that nobody learned outside the claim, and names them", () => {
    const { rows } = compare(labels([0.02, 0.0825], [0.03, 0.0829]), {
      measures: ["minLoss"],
    });
    const [all, , second] = rows;
    assert.equal(all?.combinations, 1);
    assert.equal(all.effect.estimate, -1);
    assert.deepEqual([all.reference.n, all.reference.runs], [10, 20]);
    assert.equal(all.reference.learned, 10);
    assert.match(
      all.sentence,
      /over the 1 of 2 combinations that were learned.*10 of bio's 20 and 10 of rand's 20 runs beat .*; none did in lr 1e-6 · tanh · SGD · length 10, which stands outside the claim\.$/,
    );
    assert.ok(Number.isNaN(second?.p));
  });

  it("takes epochs of curves that still fall for censored, and says how many", () => {
    const slow = (speed: number) =>
      curves(
        ...Array.from({ length: 6 }, (_, i) =>
          Array.from(
            { length: 40 },
            (_, e) => Math.exp(-(speed + i / 1000) * e) / 20,
          )),
      );
    const { rows } = compare(pair([alike(slow(0.3))], [alike(slow(0.02))], 7), {
      measures: ["epoch99"],
    });
    const [row] = rows;
    assert.deepEqual([row?.reference.stillFalling, row?.other.stillFalling], [
      0,
      6,
    ]);
    assert.equal(row?.effect.estimate, -1);
    assert.ok(Number.isNaN(row?.equivalenceP));
    assert.match(
      row!.sentence,
      /The loss still falls at the last epoch in 0 of bio's and 6 of rand's runs, which are taken for as late as can be \(censored\)\./,
    );
  });

  it("compares experiments of different lengths on the epochs that both have", () => {
    const cut = (epochs: number) => alike(falling([0.01, 0.02, 0.03], epochs));
    const { rows, warnings } = compare([
      { label: "short", combinations: [cut(9)], seed: 7 },
      { label: "long", combinations: [cut(20)], seed: 7 },
    ]);
    assert.match(
      warnings[0]!,
      /differ in epochs \(short 9, long 20\): the statistics compare their first 9/,
    );
    assert.match(rows[0]!.sentence, /all values are equal/);
  });

  it("compares all pairs of labels on request, and corrects for their number", () => {
    const three = ["a", "b", "c"].map((label, i) => ({
      label,
      seed: 7,
      combinations: [around(0.2 + i / 10, { seed: i + 1 })],
    }));
    const pairs = (rows: ReturnType<typeof compare>["rows"]) =>
      rows.filter(({ combination }) => combination === undefined)
        .map(({ reference, other }) => reference.label + other.label);
    const measures = ["minLoss"] as const;
    const first = compare(three, { measures });
    assert.deepEqual(pairs(first.rows), ["ab", "ac"]);
    const all = compare(three, { measures, allPairs: true });
    assert.deepEqual(pairs(all.rows), ["ab", "ac", "bc"]);
    const over = all.rows.filter(({ combination }) =>
      combination === undefined
    );
    assert.ok(over.every(({ p, holm }) => Math.abs(holm.p - 3 * p) < 1e-12));
  });
});

describe("formatFindings()", () => {
  it("gives a table and its sentence a measure", () => {
    const { rows } = compare(
      pair([around(0.2), around(0.3)], [around(0.25), around(0.3)], 7),
      { measures: ["minLoss"] },
    );
    const [head, first, second, sentence] = formatFindings(rows);
    assert.match(
      head!,
      /^minimum validation loss +runs +beat baseline +diverged +median +effect/,
    );
    assert.match(first!, /^bio +24 +24 +0 +0\.02\d+ +−/);
    assert.match(second!, /^rand +24 +24 +0 +0\.02\d+$/);
    assert.equal(sentence, rows[0]?.sentence);
  });
});

describe("formatStatisticsCsv()", () => {
  it("writes no text that a spreadsheet would take for a formula", () => {
    const { rows } = compare([
      { label: "=cmd|' /C calc'!A0", combinations: [around(0.2)] },
      { label: "@SUM(A1)", combinations: [around(0.3)] },
    ]);
    const { data } = Papa.parse<string[]>(formatStatisticsCsv(rows));
    for (const cell of data.flat()) {
      assert.ok(!/^[=+@\t\r]|^-[^0-9]/.test(cell), cell);
    }
  });

  it("writes a table that reads back with all digits, whatever labels hold", () => {
    const label = 'bio, "4x"\nnew';
    const { rows } = compare([
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
      assert.equal(line.p_holm, `${row.holm.p}`);
      assert.equal(line.effect_low, `${row.effect.low}`);
      assert.equal(line.reference_failed, "0");
      assert.equal(line.combination, row.combination?.title ?? "all");
      assert.equal(
        line.pattern_length,
        `${row.combination?.parameters.pattern_length ?? ""}`,
      );
      assert.equal(line.sentence, row.sentence);
    }
  });
});

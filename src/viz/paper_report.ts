/**
 * The report of many experiments that ask one question: the numbers of each as
 * a table, and how the biological network compares with random ones in all of
 * them, as a forest plot.
 *
 * @module
 */

import { compareLabels, correctRows } from "../analysis/compare.ts";
import {
  ALPHA,
  type Comparison,
  isEquivalent,
  short,
  tableP,
} from "../analysis/comparison.ts";
import type { LabelledResults } from "../analysis/match.ts";
import { gridMean, type Interval } from "../analysis/means.ts";
import {
  baselineOf,
  type Measure,
  MEASURES,
  type RunSummary,
  spansDecades,
  summarizeResults,
  taskFacts,
} from "../analysis/summary.ts";
import { Papa } from "../text/csv.ts";
import { plural } from "../text/words.ts";
import { cellFigures } from "./dot_figures.ts";
import { citeOf } from "./experiment_facts.ts";
import {
  type Column,
  fold,
  type Html,
  html,
  list,
  NONE,
  numberTable,
  type Part,
  startPage,
  warningList,
} from "./page.ts";
import type { FigureWidth } from "./figure.ts";
import { openFigureFolder, type WriteOptions } from "./write_figures.ts";

/** An experiment of the report: its name, and the biological network's results before those of random ones. */
export interface ReportedCell {
  readonly name: string;
  readonly arms: readonly LabelledResults[];
}

/** An arm, a row of the table. */
interface Arm {
  readonly label: string;
  readonly runs: readonly RunSummary[];
  /** Those of combinations that are described: what nobody learned is where there is nothing else. */
  readonly kept: readonly RunSummary[];
  /** Those that beat the baseline; undefined where the task's is not known. */
  readonly learned: number | undefined;
  /** Whether losses of the experiment span decades. */
  readonly log: boolean;
  readonly spectralRadius: number;
  /** Against the biological network, over all combinations that were learned. */
  readonly compared: ReadonlyMap<Measure, Comparison>;
}

type CellTable = ReturnType<typeof tableOf>;

/** Logarithm of the ratio of spectral radii from which starts are told to be apart. */
const APART = Math.log(1.1);

const TABLE = "paper.csv";
const REPORT = "report.html";

/**
 * Compares the arms of every experiment with its first one, corrects over all
 * of them, and writes the table, the forest plot and a page with both.
 *
 * @param cells Experiments of which all arms are trained.
 * @returns What was written, and what was found.
 * @throws {InputError} If a file can't be written or would replace somebody else's.
 */
export async function writePaperReport(
  cells: readonly ReportedCell[],
  { title, width = 178, missing, ...options }:
    & Omit<WriteOptions, "formats">
    & {
      readonly title: string;
      readonly width?: FigureWidth;
      /** One sentence each: what is not in it. */
      readonly missing: readonly string[];
    },
): Promise<{ files: readonly string[]; findings: readonly string[] }> {
  const compared = cells.map(({ arms }) => compareLabels(arms));
  const over = compared.map(({ rows }) =>
    rows.filter(({ combination }) => combination === undefined)
  );
  const rows = correctRows(over.flat());
  const rest = [...rows];
  const all = cells.map((cell, i) => {
    const comparisons = rest.splice(0, over[i]!.length);
    const { warnings } = compared[i]!;
    return { ...cell, comparisons, warnings };
  });
  const tables = all.map(tableOf);
  const figures = cellFigures(all, { width }).map((drawing, i, { length }) => ({
    name: length === 1 ? "forest" : `forest_${i + 1}`,
    ...drawing,
  }));
  const folder = await openFigureFolder([TABLE, REPORT], {
    ...options,
    figures,
  });
  const page = startPage();
  for (const figure of figures) {
    await folder.draw(figure);
    page.add(figure);
  }
  const findings = [...findingsOf(rows), ...startsOf(tables)];
  await folder.write(TABLE, csvOf(tables));
  const report = await page.finish({
    title,
    lead: html`<p class="lead">${leadOf(cells)}</p>`,
    findings: findings.length === 0 ? "" : list(findings, "findings"),
    warnings: missing,
    sections: [
      [
        "effects",
        "Effects over all experiments",
        rows.length === 0
          ? ""
          : [countsTable(rows), page.figuresOf("overview")],
      ],
      ["table", "Losses and epochs", tableHtml(tables)],
      [
        "sentences",
        "Each comparison in words",
        all.map(({ name, comparisons, warnings }) =>
          fold(name, [
            list(comparisons.map(({ sentence }) => sentence)),
            warningList(warnings),
          ])
        ),
      ],
      ["cite", "How to cite", citeOf(cells.flatMap(({ arms }) => arms))],
    ],
  });
  await folder.write(REPORT, report);
  await folder.finish();
  return { files: folder.files, findings };
}

function tableOf(
  { name, arms, comparisons }: ReportedCell & {
    readonly comparisons: readonly Comparison[];
  },
) {
  const results = arms.map((arm) => arm.results);
  const summaries = results.map((one) => summarizeResults(one).runs);
  const all = summaries.flat();
  const baseline = baselineOf(taskFacts(results), "loss");
  const hasLearned = ({ minLoss = Infinity }: RunSummary) =>
    baseline === undefined || minLoss < baseline.beaten;
  const combinationsOf = (runs: readonly RunSummary[]) =>
    new Set(runs.map(({ combination }) => combination));
  const learned = combinationsOf(all.filter(hasLearned));
  const combinations = combinationsOf(all);
  const shown = learned.size > 0 ? learned : combinations;
  const log = spansDecades(all.flatMap(({ minLoss }) => minLoss ?? []));
  return {
    name,
    heading: `${name} (${learned.size} of ${
      plural(combinations.size, "combination")
    } learned)`,
    arms: arms.map(({ label, results: { experiment } }, i): Arm => {
      const runs = summaries[i]!;
      const own = comparisons.filter(({ other }) => other.label === label);
      return {
        label,
        runs,
        kept: runs.filter(({ combination }) => shown.has(combination)),
        learned: baseline && runs.filter(hasLearned).length,
        log,
        spectralRadius: experiment?.networkStates?.initial.spectralRadius ??
          NaN,
        compared: new Map(own.map((row) => [row.measure, row])),
      };
    }),
  };
}

/** How many comparisons came out lower, higher and open, in how many nothing was learned of which to claim anything, and how many are equivalent. */
function countsOf(rows: readonly Comparison[]) {
  const known = rows.filter(({ combinations }) => combinations > 0);
  const differ = known.filter(({ holm }) => holm.p < ALPHA);
  const lower = differ.filter(({ effect }) => effect.estimate < 0).length;
  return {
    lower,
    higher: differ.length - lower,
    open: known.length - differ.length,
    unlearned: rows.length - known.length,
    equivalent: known.filter(isEquivalent).length,
  };
}

function findingsOf(rows: readonly Comparison[]): string[] {
  const byMeasure = Map.groupBy(rows, ({ measure }) => measure);
  return [...byMeasure].map(([measure, own]) => {
    const { lower, higher, open, unlearned, equivalent } = countsOf(own);
    const { name } = MEASURES[measure];
    const reference = own[0]!.reference.label;
    return `${name[0]!.toUpperCase()}${name.slice(1)}: of ${
      plural(own.length, "comparison")
    } with ${reference}, ${reference} is lower in ${lower}, higher in ${higher}, and there is no evidence of a difference in ${open}${
      unlearned === 0
        ? ""
        : ` (in ${unlearned} no run learned anything, and nothing is claimed)`
    }; ${equivalent} are equivalent within the margin (after Holm's correction over all experiments, measures and networks).`;
  });
}

/** How far random networks began from the biological one, which decides much of what they learn. */
function startsOf(tables: readonly CellTable[]): string[] {
  const ratios = tables.flatMap(({ arms: [biological, ...random] }) =>
    random.map(({ label, spectralRadius: own }) => {
      return { label, ratio: own / biological!.spectralRadius };
    })
  ).filter(({ ratio }) => Number.isFinite(ratio));
  const apart = ratios.filter(({ ratio }) => Math.abs(Math.log(ratio)) > APART);
  if (apart.length === 0) return [];
  const all = apart.map(({ ratio }) => ratio);
  const ends = new Set([Math.min(...all), Math.max(...all)].map(short));
  return [
    `${apart.length} of ${plural(ratios.length, "random network")} (${
      [...new Set(apart.map(({ label }) => label))].join(", ")
    }) began at ${
      [...ends].join(" to ")
    } times the biological spectral radius: what differs from these may come from there and not from topology.`,
  ];
}

function countsTable(rows: readonly Comparison[]): Part {
  const reference = rows[0]!.reference.label;
  const measures = [...new Set(rows.map(({ measure }) => measure))];
  const titles = {
    lower: `${reference} lower`,
    higher: `${reference} higher`,
    open: "no evidence",
    unlearned: "nothing learned",
    equivalent: "equivalent",
  } as const;
  const rowsOf = (label: string, measure: Measure) =>
    rows.filter((row) => row.other.label === label && row.measure === measure);
  const labels = [...new Set(rows.map(({ other }) => other.label))];
  return numberTable(labels, {
    label: "What was found",
    corner: "compared with",
    header: (label) => label,
    groups: [
      ["", [["experiments", (label) => rowsOf(label, measures[0]!).length]]],
      ...measures.map((measure) =>
        [
          MEASURES[measure].name,
          Object.entries(titles).map(([key, title]): Column<string> => [
            title,
            (label) =>
              countsOf(rowsOf(label, measure))[key as keyof typeof titles],
          ]),
        ] as const
      ),
    ],
  });
}

type Value = Interval | number | undefined;

/** A column of the table and, with the ends of an interval, of the CSV file. */
interface ArmColumn {
  readonly title: string;
  /** In the CSV file; default the title in letters. */
  readonly name?: string;
  readonly of: (arm: Arm) => Value;
  readonly text?: (value: Value) => string;
}

const COLUMNS: readonly ArmColumn[] = [
  { title: "runs", of: ({ runs }) => runs.length },
  { title: "beat baseline", of: ({ learned }) => learned },
  {
    title: "diverged",
    of: ({ runs }) =>
      runs.filter(({ minLoss }) => minLoss === undefined).length,
  },
  {
    title: "minimum loss",
    of: ({ kept, log }) => gridMean(kept, "minLoss", log),
  },
  {
    title: "epoch of minimum",
    of: ({ kept }) => gridMean(kept, "minLossEpoch"),
  },
  { title: "epoch of 99 %", of: ({ kept }) => gridMean(kept, "epoch99") },
  {
    title: "spectral radius at the start",
    name: "spectral_radius_initial",
    of: ({ spectralRadius }) => spectralRadius,
  },
  ...comparedColumns("minLoss", "minimum loss"),
  ...comparedColumns("epoch99", "epoch of 99 %"),
];

function comparedColumns(measure: Measure, of: string): ArmColumn[] {
  return [
    {
      title: `effect on ${of}`,
      of: ({ compared }) => compared.get(measure)?.effect,
      text: (value) => cellText((value as Interval).estimate),
    },
    {
      title: "p (Holm)",
      name: `p_holm_${nameOf(of)}`,
      of: ({ compared }) => compared.get(measure)?.holm.p,
      text: (value) => tableP(value as number),
    },
  ];
}

/** A title as it stands in the CSV file. */
function nameOf(title: string): string {
  return title.replaceAll(" ", "_").replace("%", "percent");
}

function cellText(value: Value): string {
  if (typeof value === "number") {
    return Number.isNaN(value) ? NONE : short(value);
  }
  const { estimate = NaN, low = NaN, high = NaN } = value ?? {};
  const interval = `${short(low)} to ${short(high)}`;
  return `${cellText(estimate)}${Number.isNaN(low) ? "" : ` [${interval}]`}`;
}

function tableHtml(tables: readonly CellTable[]): Html {
  const rows = tables.flatMap(({ heading, arms }) =>
    arms.map((arm) => ({ heading, arm }))
  );
  return html`<p>Minimum validation loss, the epoch that has it, and the first epoch within 1 % of the curve’s range above it: means of the combinations’ means with 95 % intervals, of losses that span decades geometric means. Combinations that no run of an experiment learned are left out. Effects are those of the biological network against the row’s, below 0 where the biological one is lower; their intervals are in the figure and, with all numbers, in ${TABLE}.</p>${
    numberTable(rows, {
      label: "Losses and epochs",
      corner: "network",
      header: ({ arm }) => arm.label,
      heading: ({ heading }) => heading,
      groups: [[
        "",
        COLUMNS.map(({ title, of, text = cellText }) => [
          title,
          ({ arm }) => {
            const value = of(arm);
            return value === undefined ? NONE : text(value);
          },
        ]),
      ]],
    })
  }`;
}

function csvOf(tables: readonly CellTable[]): string {
  const arms = tables.flatMap((table) => table.arms);
  const columns = COLUMNS.flatMap(({ title, name = nameOf(title), of }) => {
    const ends = arms.some((arm) => typeof of(arm) === "object")
      ? ["estimate", "low", "high"] as const
      : ["estimate"] as const;
    return ends.map((end) => ({
      name: end === "estimate" ? name : `${name}_${end}`,
      of: (arm: Arm) => {
        const found = of(arm);
        const value = typeof found === "object" ? found[end] : found ?? NaN;
        return Number.isNaN(value) ? "" : String(Number(value.toPrecision(6)));
      },
    }));
  });
  const rows = tables.flatMap(({ name, arms }) =>
    arms.map((arm) => [name, arm.label, ...columns.map(({ of }) => of(arm))])
  );
  const head = ["experiment", "network", ...columns.map(({ name }) => name)];
  return `${Papa.unparse([head, ...rows], { newline: "\r\n" })}\r\n`;
}

function leadOf(cells: readonly ReportedCell[]): string {
  const arms = cells.flatMap((cell) => cell.arms);
  const runs = arms.flatMap(({ results }) => results.combinations)
    .reduce((sum, { validateLoss }) => sum + validateLoss.iterations, 0);
  const epochs = new Set(
    arms.flatMap(({ results }) => results.experiment?.epochs ?? []),
  );
  return `${plural(cells.length, "experiment")}, ${
    plural(arms.length, "network")
  }, ${plural(runs, "training")} of ${
    [...epochs].sort((a, b) => a - b).join(" or ")
  } epochs.`;
}

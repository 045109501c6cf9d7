/**
 * The report of many experiments that ask one question: the numbers of each as
 * a table, and how the biological network compares with random ones in all of
 * them, as a forest plot.
 *
 * @module
 */

import { compareLabels, correctRows } from "../analysis/compare.ts";
import type { LabelledResults } from "../analysis/match.ts";
import {
  ALPHA,
  type Comparison,
  isEquivalent,
  short,
  tableP,
} from "../analysis/comparison.ts";
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
  figuresOf,
  type Html,
  html,
  NONE,
  numberTable,
  pageBody,
  type Part,
  startPage,
  warningList,
} from "./page.ts";
import type { FigureWidth } from "./theme.ts";
import { openFigureFolder, type WriteOptions } from "./write_figures.ts";

/** An experiment of the report: its name, and the biological network's results before those of random ones. */
export interface ReportedCell {
  readonly name: string;
  readonly arms: readonly LabelledResults[];
}

/** An arm's row of the table. */
interface ArmRow {
  readonly cell: string;
  readonly label: string;
  readonly runs: number;
  /** Those that beat the baseline; undefined where the task's is not known. */
  readonly learned: number | undefined;
  readonly diverged: number;
  readonly minLoss: Interval;
  readonly minLossEpoch: Interval;
  readonly epoch99: Interval;
  readonly spectralRadius: number;
  /** Against the biological network, over all combinations that were learned. */
  readonly compared: ReadonlyMap<Measure, Comparison>;
}

interface CellTable {
  readonly name: string;
  /** Combinations that a run learned, and all. */
  readonly learned: number;
  readonly combinations: number;
  readonly rows: readonly ArmRow[];
}

/** What was written, and what was found. */
interface WrittenReport {
  readonly files: readonly string[];
  readonly findings: readonly string[];
}

/** Logarithm of the ratio of spectral radii from which starts are told to be apart. */
const APART = Math.log(1.1);

const TABLE = "paper.csv";
const REPORT = "report.html";

/**
 * Compares the arms of every experiment with its first one, corrects over all
 * of them, and writes the table, the forest plot and a page with both.
 *
 * @param cells Experiments of which all arms are trained.
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
): Promise<WrittenReport> {
  const compared = cells.map(({ arms }) => compareLabels(arms));
  const over = compared.map(({ rows }) =>
    rows.filter(({ combination }) => combination === undefined)
  );
  const corrected = correctRows(over.flat());
  const byCell = over.map((rows) => corrected.splice(0, rows.length));
  const tables = cells.map((cell, i) => tableOf(cell, byCell[i]!));
  const figures = cellFigures(
    cells.map(({ name }, i) => ({ name, comparisons: byCell[i]! })),
    { width },
  ).map((drawing, i, { length }) => ({
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
  const rows = byCell.flat();
  const findings = [...findingsOf(rows), ...startsOf(tables)];
  await folder.write(TABLE, csvOf(tables));
  await folder.write(
    REPORT,
    await page.finish(
      title,
      pageBody([
        {
          id: "effects",
          name: "Effects over all experiments",
          content: rows.length === 0
            ? ""
            : [countsTable(rows), figuresOf("overview", page.figures)],
        },
        { id: "table", name: "Losses and epochs", content: tableHtml(tables) },
        {
          id: "sentences",
          name: "Each comparison in words",
          content: cells.map(({ name }, i) => {
            const { warnings } = compared[i]!;
            return html`
              <details
                class="fold"><summary>${name}</summary><ul>${byCell[i]!.map((
                  { sentence },
                ) => html`<li>${sentence}</li>`)}</ul>${warningList(
                  warnings,
                )}</details>
            `;
          }),
        },
        {
          id: "cite",
          name: "How to cite",
          content: citeOf(cells.flatMap(({ arms }) => arms)),
        },
      ], {
        title,
        lead: html`<p class="lead">${leadOf(cells)}</p>`,
        front: [
          findings.length === 0
            ? ""
            : html`<ul class="findings">${
              findings.map((sentence) => html`<li>${sentence}</li>`)
            }</ul>`,
          warningList(missing),
        ],
        figures: figures.length,
      }),
    ),
  );
  await folder.finish();
  return { files: folder.files, findings };
}

function tableOf(
  { name, arms }: ReportedCell,
  comparisons: readonly Comparison[],
): CellTable {
  const summaries = arms.map(({ results }) => summarizeResults(results).runs);
  const all = summaries.flat();
  const baseline = baselineOf(
    taskFacts(arms.map(({ results }) => results)),
    "loss",
  );
  const hasLearned = ({ loss }: RunSummary) =>
    baseline === undefined ||
    (loss !== undefined && loss.minLoss < baseline.beaten);
  const learned = new Set(
    all.filter(hasLearned).map(({ combination }) => combination),
  );
  const combinations = new Set(all.map(({ combination }) => combination));
  // What nobody learned is described where there is nothing else.
  const shown = learned.size > 0 ? learned : combinations;
  const log = spansDecades(all.flatMap(({ loss }) => loss?.minLoss ?? []));
  return {
    name,
    learned: learned.size,
    combinations: combinations.size,
    rows: arms.map(({ label, results }, i) => {
      const runs = summaries[i]!;
      const kept = runs.filter(({ combination }) => shown.has(combination));
      const mean = (of: keyof NonNullable<RunSummary["loss"]>, log = false) =>
        gridMean(kept, {
          valueOf: ({ loss }) => loss?.[of] as number | undefined,
          log,
        });
      const own = comparisons.filter(({ other }) => other.label === label);
      return {
        cell: name,
        label,
        runs: runs.length,
        learned: baseline && runs.filter(hasLearned).length,
        diverged: runs.filter(({ loss }) => loss === undefined).length,
        minLoss: mean("minLoss", log),
        minLossEpoch: mean("minLossEpoch"),
        epoch99: mean("epoch99"),
        spectralRadius:
          results.experiment?.networkStates?.initial.spectralRadius ?? NaN,
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

/** A sentence a measure. */
function findingsOf(rows: readonly Comparison[]): string[] {
  return [...Map.groupBy(rows, ({ measure }) => measure)].map((
    [measure, own],
  ) => {
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
  const ratios = tables.flatMap(({ rows: [biological, ...random] }) =>
    random.map(({ label, spectralRadius }) => ({
      label,
      ratio: spectralRadius / biological!.spectralRadius,
    }))
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

/** The findings for each random network, by measure. */
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
  type Own = [label: string, rows: Comparison[]];
  const of = ([, own]: Own, measure: Measure) =>
    own.filter((row) => row.measure === measure);
  return numberTable([
    ...Map.groupBy(rows, ({ other }) => other.label),
  ], {
    label: "What was found",
    corner: "compared with",
    header: ([label]) => label,
    groups: [
      ["", [["experiments", (own) => of(own, measures[0]!).length]]],
      ...measures.map((measure) =>
        [
          MEASURES[measure].name,
          Object.entries(titles).map(([key, title]): Column<Own> => [
            title,
            (own) => countsOf(of(own, measure))[key as keyof typeof titles],
          ]),
        ] as const
      ),
    ],
  });
}

type Value = Interval | number | undefined;

/** A column of the table and, with the ends of an interval, of the CSV file. */
type ArmColumn = readonly [
  title: string,
  name: string,
  of: (row: ArmRow) => Value,
  text?: (value: Value) => string,
];

const COLUMNS: readonly ArmColumn[] = [
  ["runs", "runs", (row) => row.runs],
  ["beat baseline", "beat_baseline", (row) => row.learned],
  ["diverged", "diverged", (row) => row.diverged],
  ["minimum loss", "minimum_loss", (row) => row.minLoss],
  ["epoch of minimum", "epoch_of_minimum", (row) => row.minLossEpoch],
  ["epoch of 99 %", "epoch_of_99_percent", (row) => row.epoch99],
  [
    "spectral radius at the start",
    "spectral_radius_initial",
    (row) => row.spectralRadius,
  ],
  ...comparedColumns("minLoss", "minimum loss"),
  ...comparedColumns("epoch99", "epoch of 99 %"),
];

function comparedColumns(measure: Measure, of: string): ArmColumn[] {
  const name = of.replaceAll(" ", "_").replace("%", "percent");
  return [
    [
      `effect on ${of}`,
      `effect_on_${name}`,
      ({ compared }) => compared.get(measure)?.effect,
      (value) => cellText((value as Interval).estimate),
    ],
    [
      "p (Holm)",
      `p_holm_${name}`,
      ({ compared }) => compared.get(measure)?.holm.p,
      (value) => tableP(value as number),
    ],
  ];
}

function cellText(value: Value): string {
  if (value === undefined) return NONE;
  const { estimate, low, high } = typeof value === "number"
    ? { estimate: value, low: NaN, high: NaN }
    : value;
  if (Number.isNaN(estimate)) return NONE;
  return Number.isNaN(low)
    ? short(estimate)
    : `${short(estimate)} [${short(low)} to ${short(high)}]`;
}

function tableHtml(tables: readonly CellTable[]): Html {
  const headings = new Map(
    tables.map(({ name, learned, combinations }) => [
      name,
      `${name} (${learned} of ${plural(combinations, "combination")} learned)`,
    ]),
  );
  return html`<p>Minimum validation loss, the epoch that has it, and the first epoch within 1 % of the curve’s range above it: means of the combinations’ means with 95 % intervals, of losses that span decades geometric means. Combinations that no run of an experiment learned are left out. Effects are those of the biological network against the row’s, below 0 where the biological one is lower; their intervals are in the figure and, with all numbers, in ${TABLE}.</p>${
    numberTable(tables.flatMap(({ rows }) => rows), {
      label: "Losses and epochs",
      corner: "network",
      header: ({ label }) => label,
      heading: ({ cell }) => headings.get(cell)!,
      groups: [[
        "",
        COLUMNS.map(([title, , of, text = cellText]) => [
          title,
          (row) => {
            const value = of(row);
            return value === undefined ? NONE : text(value);
          },
        ]),
      ]],
    })
  }`;
}

function csvOf(tables: readonly CellTable[]): string {
  const rows = tables.flatMap(({ rows }) => rows);
  const columns = COLUMNS.flatMap(([, name, of]) =>
    rows.some((row) => typeof of(row) === "object")
      ? (["estimate", "low", "high"] as const).map((end) =>
        [
          end === "estimate" ? name : `${name}_${end}`,
          (row: ArmRow) => (of(row) as Interval | undefined)?.[end],
        ] as const
      )
      : [[name, (row: ArmRow) => of(row) as number | undefined] as const]
  );
  const text = Papa.unparse([
    ["experiment", "network", ...columns.map(([name]) => name)],
    ...rows.map((row) => [
      row.cell,
      row.label,
      ...columns.map(([, of]) => {
        const value = of(row) ?? NaN;
        return Number.isNaN(value) ? "" : String(Number(value.toPrecision(6)));
      }),
    ]),
  ], { newline: "\r\n" });
  return `${text}\r\n`;
}

function leadOf(cells: readonly ReportedCell[]): string {
  const arms = cells.flatMap((cell) => cell.arms);
  const runs = arms.reduce(
    (sum, { results }) =>
      sum + results.combinations.reduce(
        (own, { validateLoss }) => own + validateLoss.iterations,
        0,
      ),
    0,
  );
  const epochs = [
    ...new Set(
      arms.flatMap(({ results }) => results.experiment?.epochs ?? []),
    ),
  ].sort((a, b) => a - b);
  return `${plural(cells.length, "experiment")}, ${
    plural(arms.length, "network")
  }, ${plural(runs, "training")} of ${epochs.join(" or ")} epochs.`;
}

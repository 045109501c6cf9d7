/**
 * Makes results folders with curves that decay, for the tests of figures.
 *
 * @module
 */

import { join } from "node:path";
import { reprFloat, reprString, reprTuple } from "../../src/python/repr.ts";
import { writeNpy } from "../../src/files/npy.ts";
import { createStream } from "../../src/random/stream.ts";
import {
  encodeExperimentRecord,
  type ExperimentRecord,
} from "../../src/results/experiment_record.ts";
import { exampleRecord } from "../results/example_results.ts";

/** What to make. */
export interface ResultsOptions {
  readonly folder: string;
  readonly task?: "seq_mem" | "nback_mem";
  /** Lists of the grid, in order. */
  readonly grid?: Readonly<Record<string, readonly (number | string)[]>>;
  readonly iterations?: number;
  readonly epochs?: number;
  /** Makes two folders different. */
  readonly seed?: number;
  /** As the original program writes them: no `experiment.json`. */
  readonly original?: boolean;
}

/** The grid of the original's configs: 24 combinations. */
export const FULL_GRID = {
  lr: [0.0001, 0.000001],
  nonlinearity: ["relu", "tanh"],
  optimizer: ["Adam", "RMSprop"],
  pattern_length: [3, 5, 10],
};

type Cell = Readonly<Record<string, number | string>>;

/** Loss and accuracy of one run, falling and rising with noise. */
function drawRun(
  cell: Cell,
  { task, epochs, seed, combination, iteration }: {
    task: "seq_mem" | "nback_mem";
    epochs: number;
    seed: number;
    combination: number;
    iteration: number;
  },
): { loss: number[][]; accuracy: number[][] } {
  const stream = createStream({
    seed,
    purpose: "trials",
    combination,
    iteration,
  });
  const difficulty = Number(cell.pattern_length ?? cell.n_back ?? 3);
  const speed = (Number(cell.lr ?? 1e-3) < 1e-5 ? 0.4 : 6) / epochs *
    (cell.nonlinearity === "tanh" ? 1.6 : 1) * (0.8 + 0.4 * stream.uniform());
  const [start, floor] = task === "seq_mem"
    ? [0.4, 0.0004 * difficulty ** 2 * (1 + 0.2 * seed)]
    : [Math.log(3), 0.05 * difficulty * (1 + 0.2 * seed)];
  const loss: number[][] = [[], []];
  const accuracy: number[][] = [[], []];
  for (let e = 0; e < epochs; e++) {
    for (const split of [0, 1]) {
      const noise = 1 + 0.015 * stream.normal();
      const value = (floor * (1 + 0.3 * split) +
        (start - floor) * Math.exp(-speed * e)) * noise;
      (loss[split] as number[]).push(Math.max(value, floor / 2));
      (accuracy[split] as number[]).push(
        Math.min(100, 100 - 50 * Math.min(1, value / Math.LN2)),
      );
    }
  }
  return { loss, accuracy };
}

/** What `experiment.json` says. */
function recordOf(
  {
    task = "seq_mem",
    grid = FULL_GRID,
    iterations = 5,
    epochs = 500,
    seed = 0,
  }: ResultsOptions,
  cells: readonly Cell[],
): ExperimentRecord {
  return exampleRecord({
    fingerprint: `test-${seed}`,
    config: { file: "config.ini", text: "[net]\nnet_name = Test\n" },
    overrides: {},
    task: {
      name: task,
      loss: task === "seq_mem" ? "mse" : "nll",
      parameters: { nr_of_trials: 500, train_size: 0.8 },
    },
    grid: {
      keys: Object.keys(grid),
      combinations: cells.map((cell) => Object.values(cell)),
    },
    epochs,
    iterations,
    seed: 1,
    randomW: seed > 0,
    connectome: {
      name: "Test_12",
      species: "test animal",
      regions: 12,
      neurons: 4,
      sha256: "0".repeat(64),
      source: "drawn for tests",
      synthetic: true,
      citations: [
        "A. Author, A paper, J. Test. 1, 1 (2020), https://doi.org/10.1000/1",
      ],
      regionNames: Array.from({ length: 12 }, (_, i) => `R${i + 1}`),
    },
    engine: { kind: "test", description: "drawn numbers" },
    size: {
      hiddenSize: 48,
      inputSize: 2,
      outputSize: task === "seq_mem" ? 1 : 3,
    },
    failures: [],
  });
}

/** Makes a results folder. */
export async function makeResults(options: ResultsOptions): Promise<void> {
  const {
    folder,
    task = "seq_mem",
    grid = FULL_GRID,
    iterations = 5,
    epochs = 500,
    seed = 0,
    original = false,
  } = options;
  const cells = Object.entries(grid).reduce<Cell[]>(
    (cells, [key, values]) =>
      cells.flatMap((cell) =>
        values.map((value): Cell => ({ ...cell, [key]: value }))
      ),
    [{}],
  );
  const repr = (cell: Cell) =>
    Object.entries(cell).map(([key, v]) =>
      typeof v === "string"
        ? reprString(v)
        : key === "lr"
        ? reprFloat(v)
        : String(v)
    );
  await Deno.mkdir(folder, { recursive: true });
  await Deno.writeTextFile(
    join(folder, "folder_index.txt"),
    cells.map((cell, i) => `${i} ${reprTuple(repr(cell))}\n`).join(""),
  );
  for (const [combination, cell] of cells.entries()) {
    const path = join(folder, String(combination));
    await Deno.mkdir(path, { recursive: true });
    const runs = Array.from(
      { length: iterations },
      (_, iteration) =>
        drawRun(cell, { task, epochs, seed, combination, iteration }),
    );
    const write = (name: string, of: (run: typeof runs[0]) => number[]) =>
      Deno.writeFile(
        join(path, name),
        writeNpy({
          shape: [iterations, epochs],
          data: Float64Array.from(runs.flatMap(of)),
        }),
      );
    await write("train_loss_all.npy", ({ loss }) => loss[0] as number[]);
    await write("validate_loss_all.npy", ({ loss }) => loss[1] as number[]);
    if (task === "seq_mem") continue;
    await write("train_metrics_all.npy", (run) => run.accuracy[0] as number[]);
    await write(
      "validate_metrics_all.npy",
      (run) => run.accuracy[1] as number[],
    );
  }
  if (original) return;
  await Deno.writeTextFile(
    join(folder, "experiment.json"),
    encodeExperimentRecord(recordOf(options, cells)),
  );
}

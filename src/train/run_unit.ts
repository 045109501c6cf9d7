/**
 * A run, the unit of training: one iteration of one combination. Whatever is
 * saved, resumed, shared out among machines or reported is a run.
 *
 * @module
 */

/** One iteration of one combination of the grid. */
export interface RunUnit {
  /** Number of the combination, as in `folder_index.txt`. */
  readonly combination: number;
  /** Number of the iteration, from 0. */
  readonly iteration: number;
}

/** All runs of an experiment, combination by combination. */
export function allRuns(
  combinations: number,
  iterations: number,
): RunUnit[] {
  const runs: RunUnit[] = [];
  for (let combination = 0; combination < combinations; combination++) {
    for (let iteration = 0; iteration < iterations; iteration++) {
      runs.push({ combination, iteration });
    }
  }
  return runs;
}

/** All runs of an experiment. */
export function runsOf({ grid, training }: {
  readonly grid: { readonly combinations: readonly unknown[] };
  readonly training: { readonly iterations: number };
}): RunUnit[] {
  return allRuns(grid.combinations.length, training.iterations);
}

/** Names a run in messages. */
export function runLabel({ combination, iteration }: RunUnit): string {
  return `combination ${combination}, iteration ${iteration}`;
}

/** Names a run in file names: `3_0` for combination 3, iteration 0. */
export function runKey({ combination, iteration }: RunUnit): string {
  return `${combination}_${iteration}`;
}

/**
 * Reads what a training measured of its networks: what a null model changed,
 * and what each run's network was and did before and after training.
 *
 * @module
 */

import { readIfThere } from "../files/read.ts";
import { join } from "node:path";
import { Papa } from "../text/csv.ts";
import { MEASURES_FILE, NULL_MODEL_FILE } from "./layout.ts";
import { refuseDamaged } from "./results_folder.ts";

/** Means over runs by measure in words, such as `spectral radius, before training`. */
export type RunMeasures = ReadonlyMap<string, number>;

/** A measure of the network before and after a null model; NaN where it was not computed. */
export interface NullMeasure {
  readonly measure: string;
  readonly biological: number;
  /** Mean over samples. */
  readonly random: number;
}

/** When a column of `measures.csv` was measured, by the end of its name. */
const WHEN = [["_initial", "before training"], ["_trained", "after training"]];

/** Rows of a table of a results folder by the names of its columns; none where there is no such file. */
async function readRows(
  folder: string,
  name: string,
): Promise<Record<string, string>[]> {
  const bytes = await readIfThere(join(folder, name), { what: "the table" });
  if (bytes === undefined) return [];
  await refuseDamaged(folder, { name, bytes });
  const text = new TextDecoder().decode(bytes);
  return Papa.parse<Record<string, string>>(text, {
    header: true,
    skipEmptyLines: true,
  }).data;
}

/** A number of a table; NaN where its cell is empty. */
function numberOf(cell: string | undefined): number {
  return cell === undefined || cell === "" ? NaN : Number(cell);
}

/**
 * What the null model changed.
 *
 * @param folder A results folder; one without a null model has no measures.
 * @throws {InputError} If the file is damaged.
 */
export async function readNullMeasures(folder: string): Promise<NullMeasure[]> {
  return (await readRows(folder, NULL_MODEL_FILE)).map((row) => {
    const [measure, biological, random] = Object.values(row);
    return {
      measure: measure ?? "",
      biological: numberOf(biological),
      random: numberOf(random),
    };
  });
}

/**
 * Means over the runs of what was measured before and after training.
 *
 * @param folder A results folder; one whose training is not finished has no measures.
 * @throws {InputError} If the file is damaged.
 */
export async function readRunMeasures(folder: string): Promise<RunMeasures> {
  const rows = await readRows(folder, MEASURES_FILE);
  const means = new Map<string, number>();
  for (const column of Object.keys(rows[0] ?? {})) {
    for (const [ending, when] of WHEN) {
      if (!column.endsWith(ending!)) continue;
      const values = rows.map((row) => numberOf(row[column])).filter(
        Number.isFinite,
      );
      if (values.length === 0) continue;
      const name = column.slice(0, -ending!.length).replaceAll("_", " ");
      means.set(
        `${name}, ${when}`,
        values.reduce((sum, value) => sum + value, 0) / values.length,
      );
    }
  }
  return means;
}

/**
 * A comparison as a Markdown table.
 *
 * @module
 */

import type { Machine } from "./machine.ts";
import type { Measured } from "./take_turns.ts";
import { formatSpread, spread, threeDigits } from "./work.ts";

/** All of a comparison, as it is saved. */
export interface Comparison {
  readonly format: "biornn-comparison/1";
  readonly command: string;
  readonly machine: Machine;
  readonly network: string;
  /** Share of W_hh's elements that exist. */
  readonly density: number;
  readonly hiddenSize: number;
  readonly models: number;
  /** T, each that occurs. */
  readonly steps: readonly number[];
  readonly epochFlop: number;
  readonly epochsOfRound: number;
  /** Load of the machine before and after; null where it is not known. */
  readonly load: readonly (number | null)[];
  readonly measured: readonly Measured[];
}

/** The comparison as text: what was trained, then a row a program. */
export function comparisonTable(comparison: Comparison): string {
  const { machine, measured, load } = comparison;
  const rounds = measured[0]?.seconds.length ?? 0;
  const loads = load.map((value) => value === null ? "?" : threeDigits(value));
  const rows = measured.map((one) => [
    one.title,
    `${one.facts.version}; ${one.facts.device}`,
    one.facts.threads === null ? "–" : String(one.facts.threads),
    one.facts.blas,
    threeDigits(one.warmupSeconds),
    threeDigits(spread(one.seconds).median / comparison.epochsOfRound),
    threeDigits(spread(one.cpuSeconds).median / comparison.epochsOfRound),
    formatSpread(spread(one.gflops)),
    formatSpread(spread(one.ratio)),
    `${one.lossDifference.first.toExponential(1)}, ${
      one.lossDifference.last.toExponential(1)
    }`,
  ]);
  return [
    `${comparison.models} models, H = ${comparison.hiddenSize}, T = ${
      comparison.steps.join(", ")
    }, ${comparison.network}, ${
      threeDigits(comparison.density * 100)
    } % of W_hh connected`,
    `${
      threeDigits(comparison.epochFlop / 1e9)
    } GFLOP an epoch; ${rounds} rounds of ${comparison.epochsOfRound} epoch${
      comparison.epochsOfRound === 1 ? "" : "s"
    } each, in turn; median (least to most)`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.system}, load ${
      loads.join(" to ")
    }`,
    "",
    ...markdownTable([
      "program",
      "version; device",
      "CPU threads",
      "kernels",
      "start and first epoch, s",
      "epoch, s",
      "of all cores, s",
      "GFLOP/s",
      "speed of the first ÷ this",
      "losses differ by: first epochs, last",
    ], rows),
  ].join("\n");
}

/** Lines of a Markdown table, columns padded to one width. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  const line = (cells: readonly string[]) =>
    `| ${
      widths.map((width, i) => (cells[i] ?? "").padEnd(width)).join(" | ")
    } |`;
  return [
    line(head),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map(line),
  ];
}

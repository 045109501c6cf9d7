/**
 * Which neurons excite and which inhibit, by what they release.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import type { ByteSource } from "../files/read.ts";
import { plural } from "../text/words.ts";
import { readRows } from "./rows.ts";
import { isMissing, quoted } from "./tables.ts";

/** Signs by what is written, in small letters; 0 of transmitters that do either. */
const SIGNS: Readonly<Record<string, number>> = {
  ...signs(1, "+ +1 1 e exc excitatory ach acetylcholine cholinergic"),
  ...signs(-1, "- -1 − i inh inhibitory gaba gabaergic gly glycine"),
  // Inhibitory in the fly; of other animals the sign itself is to be given.
  ...signs(-1, "glu glut glutamate glutamatergic"),
  ...signs(0, "0 unknown da dopamine ser serotonin 5ht 5-ht oct octopamine"),
  ...signs(0, "tyr tyramine his histamine ne norepinephrine nitric_oxide"),
};

function signs(sign: number, words: string): Record<string, number> {
  return Object.fromEntries(words.split(" ").map((word) => [word, sign]));
}

/** The sign that a sign or a transmitter stands for, 0 where it is not known; undefined of any other word. */
export function signOf(cell: string): number | undefined {
  return isMissing(cell) && cell !== "-" ? 0 : SIGNS[cell.toLowerCase()];
}

/** Names of the column that holds signs or transmitters. */
const SIGN_HEADER =
  /^(?:sign|signs|nt|nttype|topnt|predictednt|transmitter|neurotransmitter|ntpredicted|type)$/;

/**
 * The signs of neurons in a table: a row a neuron, its id in the first column, and in the one
 * whose header says so, else in the second, its sign (+, −, 1, -1, excitatory, inhibitory) or what it releases:
 * acetylcholine excites, GABA and glycine inhibit, and so does glutamate in the fly.
 *
 * @throws {InputError} With file and row, if it holds another word.
 */
export async function readSigns(
  file: ByteSource,
): Promise<ReadonlyMap<string, number>> {
  const found = new Map<string, number>();
  let column = 1;
  let first = true;
  await readRows(file, (cells, row) => {
    if (first) {
      first = false;
      const at = cells.findIndex((cell, i) =>
        i > 0 && SIGN_HEADER.test(cell.toLowerCase().replaceAll(/\W|_/g, ""))
      );
      if (at > 0) column = at;
      if (at > 0 || signOf(cells[1] ?? "") === undefined) return;
    }
    const sign = signOf(cells[column] ?? "");
    if (sign === undefined) {
      throw new InputError(
        `Cannot read the signs "${file.name}": row ${row} has ${
          JSON.stringify(cells[column]!.slice(0, 40))
        } in column ${
          column + 1
        }, allowed are +, -, ACh, GABA, Glu, and transmitters that do either`,
      );
    }
    found.set(cells[0]!, sign);
  });
  return found;
}

/** [N], the signs of the regions of these names; 0 where there is none. */
export function signsOf(
  names: readonly string[],
  known: ReadonlyMap<string, number>,
): Int8Array {
  return Int8Array.from(names, (name) => known.get(name) ?? 0);
}

/** A table that {@linkcode readSigns} reads, of the regions whose signs are known. */
export function signsTable(
  names: readonly string[],
  signs: Int8Array,
): string {
  const rows = names.flatMap((name, region) =>
    signs[region] === 0
      ? []
      : [`${quoted(name)},${signs[region]! > 0 ? "+" : "-"}\n`]
  );
  return `id,sign\n${rows.join("")}`;
}

/** A character a region: +, - or 0. */
export function signsText(signs: Int8Array): string {
  return Array.from(signs, (sign) => sign > 0 ? "+" : sign < 0 ? "-" : "0")
    .join("");
}

/** How many there are of each sign, e.g. "2 regions excite, 1 inhibits, of 3 it is not known". */
export function describeSigns(signs: Int8Array): string {
  const count = (sign: number) =>
    signs.reduce((sum, each) => sum + (each === sign ? 1 : 0), 0);
  const [plus, minus, none] = [count(1), count(-1), count(0)];
  return `${plural(plus, "region")} excite${
    plus === 1 ? "s" : ""
  }, ${minus} inhibit${minus === 1 ? "s" : ""}${
    none === 0 ? "" : `, of ${none} it is not known`
  }`;
}

/**
 * What a connectome is: a weighted, directed graph of brain regions, or of
 * single neurons, and which of these excite and which inhibit, by what they release.
 *
 * @module
 */

import { sha256Hex } from "../files/bytes.ts";
import { cannotRead, type Fail, InputError } from "../files/input_error.ts";
import type { ByteSource } from "../files/read.ts";
import { type Graph, sortGraph } from "../graph/graph.ts";
import { plural } from "../text/words.ts";
import { isMissing, quoted, readTable } from "./rows.ts";

/** Connections between the regions of a brain, or between its neurons. */
export interface Connectome {
  /** The name it is asked for by, e.g. "Macaque_Normalized". */
  readonly name: string;
  /** In words, e.g. "macaque"; "unknown" where nothing says. */
  readonly species: string;
  /** N, the number of regions. */
  readonly regions: number;
  /**
   * The connections, an edge each from the region that sends to the one that
   * receives, with weights above 0; none from a region to itself.
   */
  readonly graph: Graph;
  /** N names, in the order of the nodes. */
  readonly regionNames: readonly string[];
  /** N densities in neurons per mm³; NaN where it was not measured. */
  readonly neuronDensity?: Float64Array | undefined;
  /** Distances between regions, [N, N], row-major, e.g. in mm. */
  readonly distances?: Float64Array | undefined;
  /** N signs, 1 of regions that excite, −1 of those that inhibit, 0 where it is not known. */
  readonly signs?: Int8Array | undefined;
  /** What to cite, one paper an element, each with its DOI. */
  readonly citations: readonly string[];
  /** True where the connections were generated, not measured. */
  readonly synthetic: boolean;
  /** Where it was read: a path, or "embedded". */
  readonly source: string;
  /** Which regions the rows of its file are. */
  readonly fileRows: RowMeaning;
  /** SHA-256 of the file of the weights, 64 hexadecimal digits. */
  readonly sha256: string;
}

/** Whether a row of a file holds what a region sends, or what it receives. */
export type RowMeaning = "source" | "target";

/** The least and the largest weight a connection may have. */
const SMALLEST_WEIGHT = 1e-100;
const LARGEST_WEIGHT = 1e100;

/** Says why a connectome can't be used; `file` is what messages call it. */
export function cannotUse(file: string): Fail {
  return (why) => {
    throw new InputError(`Cannot use the connectome "${file}": ${why}`);
  };
}

/**
 * Checks that a graph can be a connectome: weights finite and above 0, no region
 * connected to itself, at least one connection, a name for each region.
 *
 * Nothing may connect to itself because `bio2art` makes a region's connections to
 * itself from its other weights. Weights from 1e-100 to 1e100 are allowed, so
 * that neither a sum nor a split of them can leave the range of a double.
 *
 * @param connectome The graph with what names it.
 * @param file What messages call it, e.g. the path it was read from.
 * @throws {InputError} With file, entry (counted from 0, as NumPy does) and the names of its regions.
 */
export function validateConnectome(
  { graph, regionNames, neuronDensity, distances, signs }: Pick<
    Connectome,
    "graph" | "regionNames" | "neuronDensity" | "distances" | "signs"
  >,
  file: string,
): void {
  const { nodes: n, from, to, weight } = graph;
  const fail = cannotUse(file);
  if (n < 2) fail(`it has ${plural(n, "region")}, at least 2 are needed`);
  const lists = [
    [regionNames, n, "region names"],
    [neuronDensity, n, "neuron densities"],
    [distances, n * n, "distances"],
    [signs, n, "signs"],
  ] as const;
  for (const [list, length, what] of lists) {
    if (list === undefined || list.length === length) continue;
    fail(`it has ${n} regions but ${list.length} ${what}`);
  }
  for (let edge = 0; edge < weight.length; edge++) {
    const i = from[edge]!, j = to[edge]!, w = weight[edge]!;
    if (i !== j && w >= SMALLEST_WEIGHT && w <= LARGEST_WEIGHT) continue;
    fail(
      `C[${i}, ${j}] ("${regionNames[i]}" to "${regionNames[j]}") is ${w}, ${
        whyNoWeight(w, i === j)
      }`,
    );
  }
  if (weight.length === 0) fail("it has no connection, all weights are 0");
}

function whyNoWeight(weight: number, isOnDiagonal: boolean): string {
  if (!Number.isFinite(weight)) return "allowed are finite numbers";
  if (weight < 0) return "allowed are 0 and above";
  return isOnDiagonal
    ? "but the diagonal must be 0: connections within a region are made from its other weights"
    : `allowed are ${SMALLEST_WEIGHT} to ${LARGEST_WEIGHT}`;
}

/**
 * A connectome of which nothing is known but what is given.
 *
 * @param file What messages call it.
 * @throws {InputError} As {@linkcode validateConnectome}.
 */
export function connectomeOf(
  known:
    & Pick<Connectome, "name" | "graph" | "regionNames" | "source" | "sha256">
    & Partial<Connectome>,
  file: string = known.source,
): Connectome {
  const connectome: Connectome = {
    ...known,
    species: known.species ?? "unknown",
    regions: known.graph.nodes,
    citations: known.citations ?? [],
    synthetic: known.synthetic ?? false,
    fileRows: known.fileRows ?? "source",
  };
  validateConnectome(connectome, file);
  return connectome;
}

/** What a connectome is besides its connections; only its name must be given. */
export interface CreateConnectomeOptions extends
  Partial<
    Omit<Connectome, "name" | "regions" | "graph" | "fileRows" | "sha256">
  > {
  /** What it is called in results. */
  readonly name: string;
}

/**
 * A connectome of one's own, to be given to `prepare()`. Its checksum is that of
 * its connections, so that results tell it from others.
 *
 * @param graph An edge each from the region that sends to the one that receives, in any order.
 * @param options Regions are numbered where no names are given.
 * @throws {InputError} If it can't be a connectome: a region is connected to itself, a weight is not above 0, two edges are of one pair.
 *
 * @example
 * ```ts
 * import { createConnectome, graphOfMatrix } from "@biornn/biornn";
 *
 * const matrix = [0, 0.5, 0.25, 0]; // row = from, column = to
 * await createConnectome(graphOfMatrix(matrix, 2), { name: "Pair" });
 * ```
 */
export async function createConnectome(
  graph: Graph,
  options: CreateConnectomeOptions,
): Promise<Connectome> {
  const { name } = options;
  const { nodes } = graph;
  const fail = cannotUse(name);
  const isOutside = (region: number) => region >= nodes;
  const outside = graph.from.find(isOutside) ?? graph.to.find(isOutside);
  if (outside !== undefined) {
    fail(`a connection names region ${outside} of ${nodes}`);
  }
  const { from, to, weight } = sortGraph(graph);
  const regionNames = options.regionNames ??
    Array.from({ length: nodes }, (_, region) => String(region));
  const twice = from.findIndex((region, edge) =>
    region === from[edge - 1] && to[edge] === to[edge - 1]
  );
  if (twice >= 0) {
    fail(
      `there are two connections from "${regionNames[from[twice]!]}" to "${
        regionNames[to[twice]!]
      }"`,
    );
  }
  const sums: string[] = [String(nodes)];
  for (const { buffer, byteOffset, byteLength } of [from, to, weight]) {
    sums.push(await sha256Hex(new Uint8Array(buffer, byteOffset, byteLength)));
  }
  return connectomeOf({
    ...options,
    source: options.source ?? "given by a program",
    graph: { nodes, from, to, weight },
    regionNames,
    sha256: await sha256Hex(new TextEncoder().encode(sums.join("\n"))),
  }, name);
}

/**
 * Why the connections of a connectome may run the other way, as a sentence;
 * undefined where nothing speaks for it.
 *
 * Fractions of labelled neurons are shares of what one region receives. So
 * they sum to at most 1 into every region; where they do so out of every
 * region instead, and to more into some, sources and targets are exchanged.
 */
export function orientationDoubt(
  { graph, regionNames, fileRows }: Pick<
    Connectome,
    "graph" | "regionNames" | "fileRows"
  >,
): string | undefined {
  const { nodes, from, to, weight } = graph;
  const sent = new Float64Array(nodes);
  const received = new Float64Array(nodes);
  for (let edge = 0; edge < weight.length; edge++) {
    sent[from[edge]!]! += weight[edge]!;
    received[to[edge]!]! += weight[edge]!;
  }
  const largest = (sums: Float64Array) => sums.reduce((a, b) => Math.max(a, b));
  // Rounded fractions sum to a little more than 1.
  const most = 1.001;
  const into = largest(received);
  if (largest(sent) > most || into <= most) return undefined;
  const other = fileRows === "source" ? "target" : "source";
  return `the weights out of each region sum to at most 1, but those into "${
    regionNames[received.indexOf(into)]
  }" to ${
    Number(into.toPrecision(3))
  }: fractions of what a region receives can't sum to more than 1. ` +
    `The rows of the file may be ${other}s, not ${fileRows}s; ` +
    `"connectome import FILE --rows ${other} --out DIR" turns them round`;
}

/** Signs by what is written, in small letters; 0 of transmitters that do either. */
const SIGNS = new Map<string, number>([
  ...signs(1, "+ +1 1 e exc excitatory ach acetylcholine cholinergic"),
  ...signs(-1, "- -1 − i inh inhibitory gaba gabaergic gly glycine"),
  // Inhibitory in the fly; of other animals the sign itself is to be given.
  ...signs(-1, "glu glut glutamate glutamatergic"),
  ...signs(0, "0 unknown da dopamine ser serotonin 5ht 5-ht oct octopamine"),
  ...signs(0, "tyr tyramine his histamine ne norepinephrine nitric_oxide"),
]);

function signs(sign: number, words: string) {
  return words.split(" ").map((word) => [word, sign] as const);
}

/** The sign that a sign or a transmitter stands for, 0 where it is not known; undefined of any other word. */
export function signOf(cell: string): number | undefined {
  return isMissing(cell) && cell !== "-" ? 0 : SIGNS.get(cell.toLowerCase());
}

/** What a message says of a word that is no sign. */
export const SIGNS_ALLOWED =
  "allowed are +, -, ACh, GABA, Glu, and transmitters that do either";

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
  let column: number | undefined;
  return await readTable(file, {
    add: (cells, row) => {
      if (column === undefined) {
        const named = cells.findIndex((cell, i) =>
          i > 0 && SIGN_HEADER.test(cell.toLowerCase().replaceAll(/\W|_/g, ""))
        );
        column = Math.max(1, named);
        if (named > 0 || signOf(cells[1] ?? "") === undefined) return;
      }
      const sign = signOf(cells[column] ?? "") ??
        cannotRead(file.name, "the signs")(
          `row ${row} has ${
            JSON.stringify(cells[column]!.slice(0, 40))
          } in column ${column + 1}, ${SIGNS_ALLOWED}`,
        );
      found.set(cells[0]!, sign);
    },
    finish: () => found,
  });
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

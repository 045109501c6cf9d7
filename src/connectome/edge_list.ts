/**
 * Reads a connectome from a list of its connections, a line a connection.
 *
 * @module
 */

import { cannotRead, type Fail } from "../files/input_error.ts";
import { filterGraph, type Graph, GraphBuilder } from "../graph/graph.ts";
import { plural } from "../text/words.ts";
import { type Connectome, signOf, SIGNS_ALLOWED } from "./connectome.ts";
import { cellNumber, isMissing, type TableReader } from "./rows.ts";

/** How a list is read. */
export interface EdgeListOptions {
  /** Header of the column of the region a connection comes from, or its number from 1. */
  readonly source?: string | undefined;
  /** That of the region it goes to. */
  readonly target?: string | undefined;
  /** That of its weight. */
  readonly weight?: string | undefined;
  /** That of what the region releases that a connection comes from, or of its sign. */
  readonly signs?: string | undefined;
  /** What becomes of several lines for one pair; default "sum". */
  readonly duplicates?: "sum" | "error" | undefined;
  /** Lines of these types alone are read, as the column `type` has them. */
  readonly types?: readonly string[] | undefined;
  /** Connections of less weight are left out, once all lines are summed. */
  readonly minWeight?: number | undefined;
  /** Regions that are kept, with the connections between them; all without it. */
  readonly subset?: ReadonlySet<string> | undefined;
  /** Is told now and then how many lines have been read. */
  readonly onProgress?: (line: string) => void;
}

/**
 * A connectome as a list gives it: names in the order in which they first occur, signs, where their
 * column is asked for, that most of the weight has that a region sends.
 */
export interface EdgeList
  extends Pick<Connectome, "graph" | "regionNames" | "signs"> {
  /** What was done with the lines, a fact an element, e.g. "12 rows used". */
  readonly notes: readonly string[];
}

/** How often something happened, and a note of it. */
type Fact = readonly [count: number, note: string];

/** That so many were left out, e.g. "2 rows outside the subset left out". */
export function leftOut(count: number, noun: string, which: string): Fact {
  return [count, `${plural(count, noun)} ${which} left out`];
}

/** Notes of what happened at all. */
export function notesOf(facts: readonly Fact[]): string[] {
  return facts.flatMap(([count, note]) => count === 0 ? [] : [note]);
}

/** Names of columns, without case and what is no letter or digit. */
const HEADERS = {
  source:
    /^(?:pre|source|src|from|sender|tail|start|origin|presynaptic|presyn|upstream|(?:pre|source|src|from)(?:pt)?(?:root|body|segment|seg|skeleton|cell|neuron|node|region|area)?(?:id|name|label)?|(?:body|root|cell|neuron|node|region|area|id)(?:id)?(?:pre|source|from)|(?:neuron|node|region|cell|roi)(?:id)?1)$/,
  target:
    /^(?:post|target|tgt|dst|dest|destination|to|receiver|head|end|postsynaptic|postsyn|downstream|(?:post|target|tgt|to)(?:pt)?(?:root|body|segment|seg|skeleton|cell|neuron|node|region|area)?(?:id|name|label)?|(?:body|root|cell|neuron|node|region|area|id)(?:id)?(?:post|target|to)|(?:neuron|node|region|cell|roi)(?:id)?2)$/,
  weight:
    /^(?:weights?|w|wt|strength|fln|flne|value|count|counts|edgeweight|connectionweight|(?:n|nr|num|nb|nbr|number|numberof|total)?(?:of)?syn(?:apse|apses)?(?:count|counts|nr|number|weight)?|syncount|nsyn|(?:n|nr|num|number|numberof)(?:of)?(?:connections|contacts|streamlines))$/,
  type:
    /^(?:type|types|kind|synapsetype|syntype|connectiontype|edgetype|nttype)$/,
} as const;

/** Where the cells of a line stand that count, from 0. */
interface Columns {
  readonly source: number;
  readonly target: number;
  /** Undefined where each line is a connection of weight 1. */
  readonly weight: number | undefined;
  readonly type: number | undefined;
  readonly signs: number | undefined;
}

/** Lines between two reports of progress. */
const TOLD_EVERY = 2_000_000;
/** Most regions of a ring that is no column of row numbers. */
const MOST_IN_RING = 5;
/** Row numbers that a message lists. */
const LISTED = 5;

/**
 * Reads a list of connections, row by row. Columns are found by the names in its header
 * (pre, post, from, to, source, target, weight, syn_count, …); without a header
 * the first two are the regions and the weight is in the third of three columns, or of
 * more in the last but one, as bio2art has it. Without a column of weights each
 * row is a connection of weight 1.
 *
 * Rows for one pair are summed. A row without a weight or a region is left
 * out, and the notes count them; a row from a region to itself makes the
 * region known, but no connection.
 */
export class EdgeListReader implements TableReader<EdgeList> {
  readonly #options: EdgeListOptions;
  readonly #fail: Fail;
  readonly #names = new Map<string, number>();
  readonly #edges = new GraphBuilder();
  /** Weight that each region sends with +, less that with −. */
  readonly #votes: number[] = [];
  /** Rows that lack something, the first of them. */
  readonly #lacking: number[] = [];
  readonly #count = { used: 0, lacking: 0, others: 0, itself: 0, outside: 0 };
  #columns: Columns | undefined;
  /** Cells of the header; 0 where there is none. */
  #header = 0;
  /** Whether there are more columns than two regions and a weight take. */
  #wide = false;
  /** What stands before the decimals, known from the first number that has some. */
  #mark: "." | "," | undefined;
  #row = 0;
  #belowHeader = false;
  /** Rows whose first cell is their number. */
  #counted = 0;

  /** @param file What messages call the file. */
  constructor(file: string, options: EdgeListOptions = {}) {
    this.#options = options;
    this.#fail = cannotRead(file, "the list of connections");
  }

  /**
   * Takes a row, the header first where there is one.
   *
   * @throws {InputError} With file and row, if columns can't be told apart or a weight is no number from 0.
   */
  add(cells: readonly string[], row: number): void {
    this.#row = row;
    if (this.#columns === undefined) {
      this.#columns = this.#findColumns(cells);
      const { types } = this.#options;
      if (types !== undefined && this.#columns.type === undefined) {
        this.#fail("--types needs a column called type, and it has none");
      }
      this.#wide = cells.length > 3;
      this.#belowHeader = this.#header > 0;
      if (this.#belowHeader) return;
    }
    if (this.#belowHeader) {
      this.#belowHeader = false;
      // R's write.table() gives no name to the column that counts the rows.
      if (cells.length === this.#header + 1 && /^[01]$/.test(cells[0]!)) {
        this.#columns = besideCounter(this.#columns);
      }
    }
    this.#read(cells, this.#columns);
    if (row % TOLD_EVERY === 0) {
      this.#options.onProgress?.(
        `read ${row} rows, ${this.#names.size} regions`,
      );
    }
  }

  #findColumns(cells: readonly string[]): Columns {
    const options = this.#options;
    const plain = cells.map(plainHeader);
    const found = (at: number) => at < 0 ? undefined : at;
    const named = (kind: keyof typeof HEADERS) =>
      found(plain.findIndex((cell) => HEADERS[kind].test(cell)));
    const asked = (kind: "source" | "target" | "weight" | "signs") => {
      const wanted = options[kind];
      if (wanted === undefined) return undefined;
      // A number is a column's, not a region's of that name in the first row.
      const number = Number(wanted);
      if (Number.isInteger(number) && number >= 1 && number <= cells.length) {
        return number - 1;
      }
      const flag = kind === "signs" ? "sign_column" : kind;
      return found(cells.indexOf(wanted)) ??
        found(plain.indexOf(plainHeader(wanted))) ??
        this.#fail(
          `--${flag} ${wanted} is none of its columns: ${cells.join(", ")}`,
        );
    };
    const [from, to] = [named("source"), named("target")];
    const source = asked("source") ?? from;
    const target = asked("target") ?? to;
    const weight = asked("weight") ?? named("weight");
    const others = { signs: asked("signs"), type: named("type") };
    const words = cells.every((cell) =>
      !isMissing(cell) && Number.isNaN(cellNumber(cell))
    );
    const askedByName = [options.source, options.target, options.weight].some(
      (wanted) =>
        wanted !== undefined && !/^\d+$/.test(wanted) &&
        plain.includes(plainHeader(wanted)),
    );
    // Two words may as well be two regions.
    const header = (words && cells.length > 2) || askedByName ||
      (from !== undefined && to !== undefined);
    if (header) this.#header = cells.length;
    if (header && source !== undefined && target !== undefined) {
      return {
        source,
        target,
        weight: weight ?? this.#onlyOther(cells, [source, target, others.type]),
        ...others,
      };
    }
    if (header && (from === undefined) !== (to === undefined)) {
      this.#fail(
        `its header (${
          cells.join(", ")
        }) does not say which columns are source and target; --source and --target name them`,
      );
    }
    if (cells.length < 2) {
      this.#fail(
        `row ${this.#row} has 1 column, at least 2 are needed: the region a connection comes from, and the one it goes to`,
      );
    }
    return {
      source: source ?? 0,
      target: target ?? 1,
      weight: weight ??
        (cells.length === 2 ? undefined : Math.max(2, cells.length - 2)),
      ...others,
    };
  }

  /** The column of weights where its header has no known name: the only other one. */
  #onlyOther(
    cells: readonly string[],
    known: readonly (number | undefined)[],
  ): number | undefined {
    const others = [...cells.keys()].filter((at) =>
      !known.includes(at) && cells[at] !== ""
    );
    if (others.length <= 1) return others[0];
    return this.#fail(
      `its header (${
        cells.join(", ")
      }) does not say which column holds the weights; --weight names it`,
    );
  }

  #read(cells: readonly string[], place: Columns): void {
    const { types, subset } = this.#options;
    const count = this.#count;
    if (cells.length <= Math.max(place.source, place.target)) {
      if (cells.every((cell) => cell === "")) return;
      this.#fail(
        `row ${this.#row} has ${plural(cells.length, "column")}, but ` +
          `the regions stand in columns ${place.source + 1} and ${
            place.target + 1
          }`,
      );
    }
    if (
      cells[0] === String(count.used) || cells[0] === String(count.used + 1)
    ) {
      this.#counted++;
    }
    if (types !== undefined && !types.includes(cells[place.type!] ?? "")) {
      count.others++;
      return;
    }
    const from = cells[place.source]!;
    const to = cells[place.target]!;
    const cell = place.weight === undefined ? "1" : cells[place.weight] ?? "";
    if (isMissing(from) || isMissing(to) || isMissing(cell)) {
      count.lacking++;
      if (this.#lacking.length < LISTED) this.#lacking.push(this.#row);
      return;
    }
    const weight = this.#numberIn(cell);
    if (!(weight >= 0 && weight < Infinity)) {
      this.#fail(
        `row ${this.#row} has the weight ${
          JSON.stringify(cell.slice(0, 40))
        } in column ${place.weight! + 1}, allowed are numbers from 0${
          cell.includes(",")
            ? ", with a decimal point and nothing between thousands"
            : ""
        }`,
      );
    }
    if (subset !== undefined && !(subset.has(from) && subset.has(to))) {
      count.outside++;
      return;
    }
    const a = this.#regionOf(from);
    const b = this.#regionOf(to);
    if (place.signs !== undefined) {
      this.#vote(a, cells[place.signs] ?? "", weight);
    }
    count.used++;
    if (a === b) count.itself++;
    else if (weight > 0) this.#edges.add(a, b, weight);
  }

  /** NaN for what is no number, or may be another than it seems: all have decimal points, or all decimal commas. */
  #numberIn(cell: string): number {
    if (cell.includes(".")) {
      if (this.#mark === ",") return NaN;
      this.#mark = ".";
    }
    if (!cell.includes(",")) return cellNumber(cell);
    // 1,234 may be a thousand and more.
    const thousands = /^[1-9]\d{0,2},\d{3}$/.test(cell);
    if (this.#mark === "." || (thousands && this.#mark === undefined)) {
      return NaN;
    }
    this.#mark = ",";
    return cellNumber(cell.replace(",", "."));
  }

  /** Counts a row's weight for the sign of its sender. */
  #vote(region: number, cell: string, weight: number): void {
    const sign = signOf(cell) ??
      this.#fail(
        `row ${this.#row} has ${
          JSON.stringify(cell.slice(0, 40))
        } in the column of signs, ${SIGNS_ALLOWED}`,
      );
    this.#votes[region] = (this.#votes[region] ?? 0) + sign * weight;
  }

  #regionOf(name: string): number {
    const region = this.#names.get(name);
    if (region !== undefined) return region;
    // A quote that does not end takes other rows for a name.
    if (name.includes("\n")) {
      this.#fail(`row ${this.#row} has a quote that does not end in its line`);
    }
    this.#names.set(name, this.#names.size);
    return this.#names.size - 1;
  }

  /** @throws {InputError} If there was no row, or none of the columns names regions. */
  finish(): EdgeList {
    const { duplicates, minWeight = 0, source } = this.#options;
    const count = this.#count;
    if (this.#columns === undefined) return this.#fail("it is empty");
    if (
      this.#header === 0 && this.#columns.source === 0 &&
      this.#counted === count.used && source === undefined &&
      // In a small ring of regions, too, each sends once, in their order.
      count.used > (this.#wide ? 2 : MOST_IN_RING)
    ) {
      this.#fail(
        "its first column counts the rows; name the columns in a header, or by --source, --target and --weight with their numbers from 1",
      );
    }
    const names = [...this.#names.keys()];
    const { graph, joined } = this.#edges.build(names.length, (a, b) => {
      if (duplicates !== "error") return;
      this.#fail(
        `it has several rows from "${names[a]}" to "${
          names[b]
        }", and --duplicates error forbids that; else they are summed`,
      );
    });
    const { weight } = graph;
    const kept = minWeight <= 0
      ? graph
      : filterGraph(graph, (_, __, edge) => weight[edge]! >= minWeight);
    const weak = weight.length - kept.weight.length;
    const rows = (number: number) => plural(number, "row");
    return {
      graph: kept,
      regionNames: names,
      signs: this.#columns.signs === undefined ? undefined : Int8Array.from(
        names,
        (_, region) => Math.sign(this.#votes[region] ?? 0),
      ),
      notes: [
        `${rows(count.used)} used`,
        ...notesOf([
          [joined, `${joined} of them summed with others of the same pair`],
          [
            count.lacking,
            `${rows(count.lacking)} left out that lack a region or a weight (${
              count.lacking === 1 ? "row" : "rows"
            } ${this.#lacking.join(", ")}${
              count.lacking > LISTED ? ", …" : ""
            })`,
          ],
          leftOut(count.others, "row", "of other types"),
          leftOut(count.outside, "row", "outside the subset"),
          [
            count.itself,
            `${rows(count.itself)} from a region to itself, which ${
              count.itself === 1 ? "makes" : "make"
            } no connection`,
          ],
          leftOut(weak, "connection", `of less than ${minWeight}`),
          [
            Number(isOneWay(graph)),
            "warning: no region both sends and receives; are the columns of sources and targets the right ones? --source and --target name others",
          ],
        ]),
      ],
    };
  }
}

/** Whether connections lead from some regions to others alone, as where a column is no region's; of a few nothing follows. */
function isOneWay({ from, to }: Graph): boolean {
  if (from.length < 4) return false;
  const senders = new Set(from);
  return to.every((receiver) => !senders.has(receiver));
}

/** Whether cells are a header that names where connections come from and where they go to. */
export function isListHeader(cells: readonly string[]): boolean {
  return [HEADERS.source, HEADERS.target].every((names) =>
    cells.some((cell) => names.test(plainHeader(cell)))
  );
}

/** A header's cell as {@linkcode HEADERS} has it. */
function plainHeader(cell: string): string {
  return cell.toLowerCase().replaceAll(/[^a-z0-9]/g, "");
}

/** Columns one further to the right. */
function besideCounter(
  { source, target, weight, type, signs }: Columns,
): Columns {
  const next = (at: number | undefined) => at === undefined ? at : at + 1;
  return {
    source: source + 1,
    target: target + 1,
    weight: next(weight),
    type: next(type),
    signs: next(signs),
  };
}

/**
 * Lists of connections in files that are no plain text: Parquet, Arrow and GraphML.
 * All become rows of cells, the names of the columns first, which are then read as those of any other list.
 *
 * @module
 */

import { cannotRead, InputError } from "../files/input_error.ts";
import { unpackLz4 } from "../files/lz4.ts";
import type { ByteSource } from "../files/read.ts";
import { packageFor } from "./matrix_files.ts";
import type { TableReader } from "./rows.ts";

/** Whether a file holds a list in a form that is no table of text. */
export function isGraphFile(path: string): boolean {
  return /\.(?:parquet|feather|arrows?|graphml)$/i.test(path);
}

/**
 * Gives the rows of such a file to what reads it; whole numbers of 64 bits stay exact.
 *
 * @throws {InputError} If it can't be read, or is packed in a way that is not known.
 */
export async function readGraphFile<Found>(
  file: ByteSource,
  reader: TableReader<Found>,
): Promise<Found> {
  const rowsOf = /\.parquet$/i.test(file.name)
    ? parquetRows
    : /\.graphml$/i.test(file.name)
    ? graphmlRows
    : arrowRows;
  let row = 1;
  for await (const rows of rowsOf(file)) {
    for (const cells of rows) reader.add(cells, row++);
  }
  return reader.finish();
}

/** Rows of a file's table, some at a time. */
type Rows = AsyncGenerator<Iterable<string[]>>;

/** Rows of a Parquet file that are held at once. */
const ROWS_AT_ONCE = 500_000;

async function* parquetRows(file: ByteSource): Rows {
  const { name: path } = file;
  const [{ parquetMetadataAsync, parquetReadObjects }, { compressors }] =
    await packageFor(
      () =>
        Promise.all([
          import("npm:hyparquet@1.33.0"),
          import("npm:hyparquet-compressors@1.1.2"),
        ]),
      { path, name: "hyparquet" },
    );
  try {
    const source = {
      byteLength: await file.size(),
      slice: async (start: number, end?: number) =>
        await file.slice(start, end ?? source.byteLength),
    };
    const metadata = await parquetMetadataAsync(source);
    const rows = Number(metadata.num_rows);
    let names: string[] | undefined;
    for (let rowStart = 0; rowStart < rows; rowStart += ROWS_AT_ONCE) {
      const rowEnd = Math.min(rows, rowStart + ROWS_AT_ONCE);
      const found = await parquetReadObjects({
        file: source,
        metadata,
        compressors,
        rowStart,
        rowEnd,
      });
      if (found.length < rowEnd - rowStart) {
        throw new Error(`it has fewer than the ${rows} rows it claims`);
      }
      if (names === undefined) yield [names = Object.keys(found[0]!)];
      const columns = names;
      yield found.values().map((row) =>
        columns.map((name) => cellOf(row[name]))
      );
    }
  } catch (cause) {
    // That there is no such file, e.g.
    if (cause instanceof InputError) throw cause;
    const { message } = cause as Error;
    cannotRead(path)(`it is no Parquet file that can be read (${message})`, {
      cause,
    });
  }
}

/** A value as the cell of a table. */
function cellOf(value: unknown): string {
  return value === null || value === undefined ? "" : String(value).trim();
}

/** Arrow's file and stream, as Feather of version 2 is; packed by LZ4 or ZSTD or not. */
async function* arrowRows(file: ByteSource): Rows {
  const { name: path } = file;
  const bytes = await file.bytes();
  const [{ tableFromIPC, setCompressionCodec, CompressionType }, zstd] =
    await packageFor(
      () =>
        Promise.all([
          import("npm:@uwdata/flechette@2.6.0"),
          import("npm:fzstd@0.1.1"),
        ]),
      { path, name: "@uwdata/flechette" },
    );
  const encode = (data: Uint8Array) => data;
  setCompressionCodec(CompressionType.LZ4_FRAME, {
    encode,
    decode: unpackLz4,
  });
  setCompressionCodec(CompressionType.ZSTD, {
    encode,
    decode: (data) => zstd.decompress(data),
  });
  let columns: ArrayLike<unknown>[];
  try {
    if (new TextDecoder().decode(bytes.subarray(0, 4)) === "FEA1") {
      throw new Error("Feather of version 1 is not, version 2 is");
    }
    const table = withinFile(
      bytes.length,
      () => tableFromIPC(bytes, { useBigInt: true }),
    );
    const names = [...table.names].map(String);
    columns = names.map((_, at) => table.getChildAt(at).toArray());
    yield [names];
  } catch (cause) {
    const { message } = cause as Error;
    return cannotRead(path)(
      `it is no Arrow or Feather file that can be read (${message})`,
      { cause },
    );
  }
  yield rowsOfColumns(columns);
}

function* rowsOfColumns(columns: readonly ArrayLike<unknown>[]) {
  const rows = columns[0]?.length ?? 0;
  for (let row = 0; row < rows; row++) {
    yield columns.map((column) => cellOf(column[row]));
  }
}

/** Rows that a byte of a file may hold, packed, and rows of a file, at most. */
const MOST_ROWS_A_BYTE = 1000;
const MOST_ROWS = 2 ** 28;

/**
 * What flechette makes of a file, or an error where that claims more parts than it has
 * bytes, or far more rows. flechette itself believes any claim, by `Array.from({ length })`,
 * and takes minutes over a byte that is wrong; it offers no other place to stop it.
 */
function withinFile<T>(bytes: number, decode: () => T): T {
  const { from } = Array;
  const most = Math.min(MOST_ROWS_A_BYTE * bytes, MOST_ROWS);
  let left = bytes;
  Array.from = (
    source: Iterable<unknown> | ArrayLike<unknown>,
    each?: Each,
  ) => {
    left -= "length" in source ? source.length : 0;
    const parts = left < 0 ? [] : from.call(Array, source, each!);
    const isSound = (part: unknown) =>
      !((part as { length?: number } | undefined)?.length! > most);
    if (left >= 0 && parts.every(isSound)) return parts as never[];
    throw new Error("its metadata claims more than it can hold");
  };
  try {
    return decode();
  } finally {
    Array.from = from;
  }
}

type Each = (value: unknown, index: number) => unknown;

/** An element of GraphML as the parser gives it: attributes have an @ before their names. */
interface Element {
  readonly [name: string]: unknown;
}

/**
 * The edges of a GraphML file: source, target, and what the file
 * says of each edge under the names it gives. Nodes have their names where the file
 * has some, else their ids; an edge without direction goes both ways.
 *
 * Format: http://graphml.graphdrawing.org/specification.html
 */
async function* graphmlRows(file: ByteSource): Rows {
  const { name: path } = file;
  const fail = cannotRead(path, "the graph");
  const bytes = await file.bytes();
  let text: string;
  try {
    text = new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch (cause) {
    return fail("it is no text in UTF-8", { cause });
  }
  const { XMLParser } = await packageFor(
    () => import("npm:fast-xml-parser@4.5.3"),
    { path, name: "fast-xml-parser" },
  );
  const parse = () => {
    try {
      return new XMLParser({
        ignoreAttributes: false,
        attributeNamePrefix: "@",
        parseAttributeValue: false,
        parseTagValue: false,
        processEntities: true,
        isArray: (name: string) =>
          ["node", "edge", "key", "data"].includes(name),
      }).parse(text, true) as Element;
    } catch (error) {
      return fail(`it is no XML (${(error as Error).message})`);
    }
  };
  const graphml = parse().graphml as Element | undefined;
  const graph = graphml?.graph as Element | undefined;
  if (graphml === undefined || graph === undefined || Array.isArray(graph)) {
    return fail("it holds no graph, or more than one");
  }
  const elements = (of: Element, name: string) =>
    (of[name] ?? []) as readonly Element[];
  const keysFor = (kind: "node" | "edge") =>
    elements(graphml, "key").filter((key) =>
      key["@for"] === kind || key["@for"] === "all"
    );
  const valueOf = (element: Element, key: unknown) => {
    const data = elements(element, "data").find((each) => each["@key"] === key);
    return String(data?.["#text"] ?? "");
  };
  const label = keysFor("node").find((key) =>
    ["name", "label"].includes(String(key["@attr.name"]).toLowerCase())
  );
  const names = new Map(
    elements(graph, "node").map((node) => {
      const id = String(node["@id"]);
      const name = label === undefined ? "" : valueOf(node, label["@id"]);
      return [id, name === "" ? id : name];
    }),
  );
  // Names that stand twice would join different nodes.
  const unique = new Set(names.values()).size === names.size;
  const nameOf = (id: unknown) =>
    unique ? names.get(String(id)) ?? String(id) : String(id);
  // One name may have several keys: networkx gives whole and other numbers one each.
  const columns = Map.groupBy(
    keysFor("edge").filter((key) =>
      !/^(?:source|target)$/i.test(String(key["@attr.name"]))
    ),
    (key) => String(key["@attr.name"]),
  );
  yield [["source", "target", ...columns.keys()]];
  yield elements(graph, "edge").values().flatMap((edge) => {
    const ends = [nameOf(edge["@source"]), nameOf(edge["@target"])];
    const values = Array.from(
      columns.values(),
      (keys) =>
        keys.map((key) => valueOf(edge, key["@id"]))
          .find((value) => value !== "") ?? "",
    );
    const directed = edge["@directed"] === undefined
      ? graph["@edgedefault"] !== "undirected"
      : edge["@directed"] === "true";
    return directed || ends[0] === ends[1]
      ? [[...ends, ...values]]
      : [[...ends, ...values], [...ends.toReversed(), ...values]];
  });
}

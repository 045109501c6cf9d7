/**
 * Lists of connections in files that are no plain text: Parquet and GraphML. Both
 * become the lines of a list, which is then read as any other.
 *
 * @module
 */

import { XMLParser } from "npm:fast-xml-parser@4.5.3";
import { parquetMetadataAsync, parquetReadObjects } from "npm:hyparquet@1.33.0";
import { InputError } from "../files/input_error.ts";

/** Rows of a Parquet file that are held at once. */
const ROWS_AT_ONCE = 500_000;

/**
 * The rows of a Parquet file as lines of cells, the names of its columns first.
 * Whole numbers of 64 bits stay exact.
 *
 * @throws {InputError} If it is no Parquet file, or one packed in a way that can't be read.
 */
export async function* parquetLines(path: string): AsyncGenerator<string> {
  const file = await Deno.open(path);
  try {
    const { size } = await file.stat();
    const source = {
      byteLength: size,
      async slice(start: number, end = size) {
        const bytes = new Uint8Array(end - start);
        await file.seek(start, Deno.SeekMode.Start);
        for (let done = 0; done < bytes.length;) {
          const read = await file.read(bytes.subarray(done));
          if (read === null) break;
          done += read;
        }
        return bytes.buffer;
      },
    };
    const metadata = await parquetMetadataAsync(source);
    const rows = Number(metadata.num_rows);
    let names: string[] | undefined;
    for (let rowStart = 0; rowStart < rows; rowStart += ROWS_AT_ONCE) {
      const found = await parquetReadObjects({
        file: source,
        metadata,
        rowStart,
        rowEnd: Math.min(rows, rowStart + ROWS_AT_ONCE),
      });
      let text = "";
      for (const row of found) {
        if (names === undefined) {
          names = Object.keys(row);
          text += line(names);
        }
        text += line(names.map((name) => row[name]));
      }
      yield text;
    }
  } catch (error) {
    if (error instanceof InputError) throw error;
    throw new InputError(
      `Cannot read "${path}": it is no Parquet file that can be read (${
        (error as Error).message
      })`,
      { cause: error },
    );
  } finally {
    file.close();
  }
}

/** A line with tabs between its cells. */
function line(cells: readonly unknown[]): string {
  const texts = cells.map((cell) => {
    const text = cell === null || cell === undefined ? "" : String(cell);
    return /["\t\r\n]/.test(text)
      ? `"${text.replaceAll('"', '""').replaceAll(/[\t\r\n]/g, " ")}"`
      : text;
  });
  return `${texts.join("\t")}\n`;
}

/** An element of GraphML as the parser gives it: attributes have an @ before their names. */
interface Element {
  readonly [name: string]: unknown;
}

/**
 * The edges of a GraphML file as lines of cells: source, target, and what the file
 * says of each edge under the names it gives. Nodes have their names where the file
 * has some, else their ids; an edge without direction goes both ways.
 *
 * Format: http://graphml.graphdrawing.org/specification.html
 *
 * @throws {InputError} If it is no GraphML.
 */
export function graphmlLines(text: string, file: string): string {
  const fail = (what: string): never => {
    throw new InputError(`Cannot read the graph "${file}": ${what}`);
  };
  let root: Element;
  try {
    root = new XMLParser({
      ignoreAttributes: false,
      attributeNamePrefix: "@",
      parseAttributeValue: false,
      parseTagValue: false,
      processEntities: true,
      isArray: (name: string) => ["node", "edge", "key", "data"].includes(name),
    }).parse(text, true) as Element;
  } catch (error) {
    return fail(`it is no XML (${(error as Error).message})`);
  }
  const graphml = root.graphml as Element | undefined;
  const graph = graphml?.graph as Element | undefined;
  if (graphml === undefined || graph === undefined || Array.isArray(graph)) {
    return fail("it holds no graph, or more than one");
  }
  const elements = (of: Element, name: string) =>
    (of[name] ?? []) as readonly Element[];
  const keys = elements(graphml, "key");
  const named = (kind: "node" | "edge") =>
    keys.filter((key) => key["@for"] === kind || key["@for"] === "all");
  const valueOf = (element: Element, key: unknown) => {
    const data = elements(element, "data").find((each) => each["@key"] === key);
    return data === undefined ? "" : String(data["#text"] ?? "");
  };
  const label = named("node").find((key) =>
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
  const columns = new Map<string, unknown[]>();
  for (const key of named("edge")) {
    const name = String(key["@attr.name"]);
    if (/^(?:source|target)$/i.test(name)) continue;
    columns.set(name, [...columns.get(name) ?? [], key["@id"]]);
  }
  const lines = [line(["source", "target", ...columns.keys()])];
  for (const edge of elements(graph, "edge")) {
    const ends = [nameOf(edge["@source"]), nameOf(edge["@target"])];
    const values = Array.from(
      columns.values(),
      (ids) => ids.map((id) => valueOf(edge, id)).find((value) => value) ?? "",
    );
    lines.push(line([...ends, ...values]));
    const directed = edge["@directed"] === undefined
      ? graph["@edgedefault"] !== "undirected"
      : edge["@directed"] === "true";
    if (!directed && ends[0] !== ends[1]) {
      lines.push(line([...ends.reverse(), ...values]));
    }
  }
  return lines.join("");
}

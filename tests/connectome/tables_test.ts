import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { matrixTable } from "../../src/connectome/tables.ts";
import { parseMatrixTable } from "./parse.ts";
import { graphOfMatrix, matrixOfGraph } from "../../src/graph/graph.ts";
import { InputError } from "../../src/files/input_error.ts";

function refused(text: string, expected: RegExp): void {
  assert.throws(
    () => parseMatrixTable(text, "C.csv"),
    (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.ok(error.message.includes("C.csv"));
      assert.match(error.message, expected);
      return true;
    },
    `${JSON.stringify(text)} was read`,
  );
}

/** Rows of numbers as text, with such marks between cells and in numbers. */
function table(
  rows: readonly (readonly (number | string)[])[],
  { delimiter = ",", point = "." } = {},
): string {
  return rows.map((row) =>
    `${row.map((cell) => String(cell).replace(".", point)).join(delimiter)}\n`
  ).join("");
}

const ROWS = [[0, 0.95, 0.125], [0.5, 0, 0.25], [0.75, 1e-7, 0]];

describe("parseMatrixTable()", () => {
  it("reads back what matrixTable() writes, whatever the names", () => {
    const anyName = fc.oneof(
      fc.string({ minLength: 1 }).map((text) => `x${text.trim()}`),
      fc.bigInt({ min: 0n, max: 10n ** 19n }).map(String),
    );
    fc.assert(fc.property(
      fc.uniqueArray(anyName, { minLength: 2, maxLength: 6 }),
      fc.infiniteStream(fc.double({ min: 0, noNaN: true, max: 1e300 })),
      (names, values) => {
        const weights = Float64Array.from(
          { length: names.length ** 2 },
          () => values.next().value as number + 0,
        );
        const found = parseMatrixTable(
          matrixTable(names, graphOfMatrix(weights, names.length)),
          "C.csv",
        );
        assert.deepEqual(found.regionNames, names);
        assert.deepEqual(matrixOfGraph(found.graph), weights);
      },
    ));
  });

  it("takes a first column of names without a header, and regions counted in a header", () => {
    const column = parseMatrixTable("V1\t0\t1\nV2\t2\t0\n", "C.tsv");
    assert.deepEqual(column.regionNames, ["V1", "V2"]);
    assert.deepEqual([...matrixOfGraph(column.graph)], [0, 1, 2, 0]);
    const numbers = parseMatrixTable("1;2\n0;1\n2;0\n", "C.csv");
    assert.deepEqual(numbers.regionNames, ["1", "2"]);
    assert.deepEqual([...matrixOfGraph(numbers.graph)], [0, 1, 2, 0]);
    const corner = parseMatrixTable(",a,b\na,0,1\nb,2,0\n", "C.csv");
    assert.deepEqual(corner.regionNames, ["a", "b"]);
  });

  it("reads tables as MRtrix, Excel, R, pandas and MATLAB write them", () => {
    const blanks = table(ROWS, { delimiter: " " });
    const texts = {
      blanks,
      "blanks to line up": blanks.replaceAll(" ", "   ").replace(/^/gm, "  "),
      "MRtrix's line": `# command_history: tck2connectome a, b; c\n${
        table(ROWS)
      }`,
      "MRtrix with blanks": `# command_history: x\n\n${blanks}`,
      "MATLAB's comment": `% made by writematrix\n${table(ROWS)}`,
      "Excel's line": `sep=;\r\n${
        table(ROWS, { delimiter: ";" }).replaceAll("\n", "\r\n")
      }`,
      "Excel's line, quoted": `"sep=,"\n${table(ROWS)}`,
      "a bar": `sep=|\n${table(ROWS, { delimiter: "|" })}`,
      "decimal commas": table(ROWS, { delimiter: ";", point: "," }),
      "decimal commas and tabs": table(ROWS, { delimiter: "\t", point: "," }),
      "decimal commas and blanks": table(
        ROWS.map((row) => row.map((w) => w.toFixed(8))),
        { delimiter: " ", point: "," },
      ),
      "decimal commas in quotes": table(
        ROWS.map((row) => row.map((w) => `"${String(w).replace(".", ",")}"`)),
      ),
      "commas at the end": table(ROWS).replaceAll("\n", ",\n"),
      "semicolons at the end": table(ROWS, { delimiter: ";" })
        .replaceAll("\n", ";\n"),
      "byte order mark": `\uFEFF${table(ROWS)}`,
      "old Macintosh": table(ROWS).replaceAll("\n", "\r"),
      "no line break at the end": table(ROWS).trimEnd(),
      "empty lines": `\n${table(ROWS)}\n\n`,
      "signs and exponents": "+0,.95,1.25E-1\n5e-1,0.,0.25\n7.5e-01,1e-7,0.0\n",
    };
    for (const [name, text] of Object.entries(texts)) {
      const { graph } = parseMatrixTable(text, "C.csv");
      assert.deepEqual([...matrixOfGraph(graph)], ROWS.flat(), name);
    }
  });

  it("takes names as R, pandas and atlases have them", () => {
    const body = (names: readonly (string | number)[]) =>
      table(ROWS.map((row, i) => [names[i]!, ...row]));
    const named = {
      "R's write.csv": [
        `"","A","B","C"\n${body(['"1"', '"2"', '"3"'])}`,
        "A,B,C",
      ],
      "R with row names": [`"","A","B","C"\n${body(["A", "B", "C"])}`, "A,B,C"],
      "R's write.table": [
        `"A" "B" "C"\n${body(['"A"', '"B"', '"C"']).replaceAll(",", " ")}`,
        "A,B,C",
      ],
      "label numbers": [`,7,12,1001\n${body([7, 12, 1001])}`, "7,12,1001"],
      "label numbers out of order": [
        `region,12,7,1001\n${body([12, 7, 1001])}`,
        "12,7,1001",
      ],
      "a comma at the end of names": [
        `from,A,B,C,\n${body(["A", "B", "C"]).replaceAll("\n", ",\n")}`,
        "A,B,C",
      ],
      "a header without a comma at the end": [
        `A,B,C\n${table(ROWS).replaceAll("\n", ",\n")}`,
        "A,B,C",
      ],
      "words with digits": [
        `,V1,7m,24a\n${body(["V1", "7m", "24a"])}`,
        "V1,7m,24a",
      ],
    } as const;
    for (const [name, [text, names]] of Object.entries(named)) {
      const found = parseMatrixTable(text, "C.csv");
      assert.deepEqual([...matrixOfGraph(found.graph)], ROWS.flat(), name);
      assert.equal(found.regionNames?.join(), names, name);
    }
  });

  it("tells a region without data in a sentence, wherever it stands and however it is written", () => {
    const signs = [
      ...["nan", "NaN", "NA", "n/a", "N/A", "-", "--", "", ".", "?", "null"],
      ...["None", "#DIV/0!", "#N/A", "#NUM!", "#VALUE!", "<NA>", "missing"],
    ];
    const n = 5;
    for (const sign of signs) {
      for (let region = 0; region < n; region++) {
        for (const whole of [true, false]) {
          const rows = Array.from(
            { length: n },
            (_, i) =>
              Array.from({ length: n }, (_, j) => {
                const lacks = whole
                  ? i === region || j === region
                  : i === region && j === region ||
                    i === region && j === (region + 3) % n ||
                    j === region && i === (region + 3) % n;
                return lacks ? sign : i === j ? 0 : (i + j) / 20;
              }),
          );
          refused(table(rows, { delimiter: ";" }), /holds no value|empty/);
        }
      }
    }
    // Whole rows of weights, in the first row and column alone.
    refused(
      "nan,5,6,nan\n5,0,1,2\n6,1,0,3\nnan,2,3,0\n",
      /row 1, column 1 holds no value \("nan"\)/,
    );
    refused("-,0.5\n0.5,0\n", /row 1, column 1 holds no value \("-"\)/);
    refused(
      ",0.5,0.25\n0.5,0,0.1\n0.25,0.1,0\n",
      /row 1, column 1 holds no value \(it is empty\)/,
    );
    refused("from,V1,nan\nV1,0,1\nnan,1,0\n", /row 1, column/);
    refused(
      "V1,,V3\n0,1,2\n1,0,2\n1,2,0\n",
      /a header needs a word in each cell, but row 1 has ""/,
    );
  });

  it("says what is wrong, and where", () => {
    refused("", /it is empty/);
    refused("1,2,3\n4,5,6\n", /2 rows and 3 columns/);
    refused("0,5\n2,0\n3,4\n", /3 rows and 2 columns/);
    refused("0,1\n2,0\n3,4\n5,6\n", /4 rows and 2 columns/);
    refused("0,1\n2,zero\n", /row 2, column 2 must be a number, found "zero"/);
    refused("0,1\n2,\n", /row 2, column 2 holds no value/);
    refused("0,1,2\n3,0\n4,5,0\n", /row 2 has 2 cells/);
    refused("0,1\n0x1F,0\n", /row 2, column 1 must be a number, found "0x1F"/);
    refused("0,1\n1_000,0\n", /must be a number, found "1_000"/);
    refused(
      "O,0.5,0.2\n0.5,0,0.1\n0.2,0.1,0\n",
      /row 1, column 1 must be a number, found "O" \(names .* words/,
    );
    refused("O,5,2\n5,0,1\n2,1,0\n", /row 1, column 1 must be a number/);
    refused(
      "from,a,b\nb,0,1\na,2,0\n",
      /column 2 is "a" but row 2 is "b".* same order/,
    );
    refused(
      "0,5,0,25\n0,125,0,5\n",
      /decimal commas, part the cells by semicolons/,
    );
    refused(
      "0;1,5\n2.5;0\n",
      /decimal commas and decimal points: row 1, column 2 \("1,5"\) and row 2, column 1/,
    );
    refused(
      "0;1,234\n2,345;0\n",
      /comma of row 1, column 2 \("1,234"\) may be a decimal comma or part thousands/,
    );
    refused("# x\n0,1\n2,b\n", /row 3, column 2 must be a number/);
    refused('0,"1\n2,0\n', /quote/);
  });
});

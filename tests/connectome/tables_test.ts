import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { parseEdgeList } from "../../src/connectome/edge_list.ts";
import { connectomeCsv } from "../../src/connectome/embedded_connectome.ts";
import { parseMatrixTable } from "../../src/connectome/matrix_table.ts";
import { InputError } from "../../src/files/input_error.ts";

describe("parseEdgeList()", () => {
  it("takes the first two columns and the last but one, regions in order of appearance", () => {
    const list = parseEdgeList(
      [
        "source,target,method,weight,comment",
        "V2,V1,tracer,0.25,a",
        " V1 ,V2,tracer,0.5,b",
        'V1,"MT, dorsal",tracer,1e-3,c',
      ].join("\n"),
      "list.csv",
    );
    assert.deepEqual(list.regionNames, ["V2", "V1", "MT, dorsal"]);
    assert.deepEqual([...list.weights], [0, 0.25, 0, 0.5, 0, 0.001, 0, 0, 0]);
  });

  it("keeps the last connection, skips lines with an empty cell, needs no header", () => {
    const list = parseEdgeList(
      "A,B,1,x\nB,A,,x\nA,C,7,\nA,A,5,x\n\nC,D,4,x\nA,B,2,x\nB,D,3,x",
      "list.csv",
    );
    assert.deepEqual(list.regionNames, ["A", "B", "C", "D"]);
    assert.deepEqual([...list.weights], [
      ...[0, 2, 0, 0],
      ...[0, 0, 0, 3],
      ...[0, 0, 0, 4],
      ...[0, 0, 0, 0],
    ]);
  });

  it("says which row is wrong", () => {
    const refused = (text: string, expected: RegExp) =>
      assert.throws(
        () => parseEdgeList(text, "list.csv"),
        (error) =>
          error instanceof InputError && error.message.includes("list.csv") &&
          expected.test(error.message),
      );
    refused("a,b,w,c\nA,B,-1,x\n", /row 2 has the weight "-1"/);
    refused("a,b,w,c\nA,B,1,x\nA,B,much,x\n", /row 3 has the weight "much"/);
    refused("a,b,w,c\nA,B,inf,x\n", /row 2 has the weight "inf"/);
    refused("A,B,1\n", /row 1 has 3 columns, at least 4/);
    refused("", /names 0 regions/);
    refused('A,"B,1,x\n', /quote that does not end/);
  });
});

describe("parseMatrixTable()", () => {
  it("reads back what connectomeCsv() writes, whatever the names", () => {
    fc.assert(fc.property(
      fc.uniqueArray(
        fc.string({ minLength: 1 }).map((text) => `x${text.trim()}`),
        { minLength: 2, maxLength: 6, selector: (name) => name },
      ),
      fc.infiniteStream(fc.double({ min: 0, noNaN: true, max: 1e300 })),
      (names, values) => {
        const weights = Float64Array.from(
          { length: names.length ** 2 },
          () => values.next().value as number + 0,
        );
        const table = parseMatrixTable(
          connectomeCsv({ names, weights }),
          "C.csv",
        );
        assert.equal(table.regions, names.length);
        assert.deepEqual(table.names, names);
        assert.deepEqual(table.weights, weights);
      },
    ));
  });

  it("takes a first column of names without a header, and regions counted in a header", () => {
    const column = parseMatrixTable("V1\t0\t1\nV2\t2\t0\n", "C.tsv");
    assert.deepEqual(column.names, ["V1", "V2"]);
    assert.deepEqual([...column.weights], [0, 1, 2, 0]);
    const numbers = parseMatrixTable("1;2\n0;1\n2;0\n", "C.csv");
    assert.deepEqual(numbers.names, ["1", "2"]);
    assert.deepEqual([...numbers.weights], [0, 1, 2, 0]);
    const corner = parseMatrixTable(",a,b\na,0,1\nb,2,0\n", "C.csv");
    assert.deepEqual(corner.names, ["a", "b"]);
  });

  it("says what is wrong, and where", () => {
    const refused = (text: string, expected: RegExp) =>
      assert.throws(
        () => parseMatrixTable(text, "C.csv"),
        (error) =>
          error instanceof InputError && error.message.includes("C.csv") &&
          expected.test(error.message),
      );
    refused("", /it is empty/);
    refused("1,2,3\n4,5,6\n", /2 rows and 3 columns/);
    refused("0,5\n2,0\n3,4\n", /3 rows and 2 columns/);
    refused("0,1\n2,0\n3,4\n5,6\n", /4 rows and 2 columns/);
    refused("0,1\n2,zero\n", /row 2, column 2 must be a number, found "zero"/);
    refused("0,1\n2,\n", /row 2, column 2 must be a number, found ""/);
    refused("0,1,2\n3,0\n4,5,0\n", /row 2 has 2 cells/);
    refused(
      "O,0.5,0.2\n0.5,0,0.1\n0.2,0.1,0\n",
      /row 1, column 1 must be a number, found "O" \(names .* words/,
    );
    refused(
      "from,a,b\nb,0,1\na,2,0\n",
      /column 2 is "a" but row 2 is "b".* same order/,
    );
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  type EdgeListOptions,
  EdgeListReader,
} from "../../src/connectome/edge_list.ts";
import { RowReader } from "../../src/connectome/rows.ts";
import { InputError } from "../../src/files/input_error.ts";
import { parseEdgeList } from "./parse.ts";

function read(text: string, options: EdgeListOptions = {}) {
  const { graph, regionNames, notes } = parseEdgeList(text, {
    file: "list.csv",
    ...options,
  });
  const edges = [...graph.weight].map((weight, edge) =>
    `${regionNames[graph.from[edge]!]}>${
      regionNames[graph.to[edge]!]
    }:${weight}`
  );
  return { edges: edges.sort().join(" "), names: regionNames.join(), notes };
}

function refused(
  text: string,
  expected: RegExp,
  options: EdgeListOptions = {},
): void {
  assert.throws(
    () => parseEdgeList(text, { file: "list.csv", ...options }),
    (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.ok(error.message.includes("list.csv"));
      assert.match(error.message, expected);
      return true;
    },
    `${JSON.stringify(text)} was read`,
  );
}

describe("parseEdgeList()", () => {
  it("finds columns by the names that programs give them, in any order", () => {
    const headers = [
      ...["source,target,weight", "Source,Target,Weight", "from,to,weight"],
      ...["pre,post,synapses", "pre_root_id,post_root_id,syn_count"],
      ...["pre_pt_root_id,post_pt_root_id,size of,weight", "u1,from,to,w"],
      ...["body_pre,body_post,weight", "bodyId_pre,bodyId_post,weight"],
      ...["presynaptic,postsynaptic,Number of synapses"],
      ...["SOURCE_ID,TARGET_ID,n_syn", '"from","to","fln"'],
      ...["to,weight,from", "syn_count,note,post_id,pre_id", ",from,to,weight"],
      ...["from_region,to_region,streamlines", "source,target,anything"],
      ...["Pre Neuron,Post Neuron,Nr Synapses", "origin,destination,count"],
    ];
    for (const header of headers) {
      const cells = header.replaceAll('"', "").split(",");
      const plain = cells.map((cell) => cell.toLowerCase());
      const at = (pattern: RegExp) => plain.findIndex((c) => pattern.test(c));
      const from = at(/pre|source|from|origin/);
      const to = at(/post|target|^to|dest/);
      const row = (a: string, b: string, w: number) =>
        cells.map((_, i) =>
          i === from ? a : i === to ? b : plain[i] === "note" ? "" : `${w}`
        ).join();
      const text = [header, row("A", "B", 7), row("B", "C", 3)].join("\n");
      assert.equal((read(text)).edges, "A>B:7 B>C:3", header);
    }
  });

  it("takes columns that flags name, and the ways a list without a header is written", () => {
    const odd = "x,y,z,q\nA,B,1,5\nB,A,2,6\n";
    assert.equal(
      (read(odd, { source: "y", target: "x", weight: "q" })).edges,
      "A>B:6 B>A:5",
    );
    assert.equal(
      (read("A,B,5\nB,A,6\n", { source: "2", target: "1" })).edges,
      "A>B:6 B>A:5",
    );
    assert.equal((read("A,B,5\nB,A,6\n")).edges, "A>B:5 B>A:6");
    assert.equal((read("A,B,5,x\nB,A,6,y\n")).edges, "A>B:5 B>A:6");
    assert.equal((read("A B 5\nB A 6\n")).edges, "A>B:5 B>A:6");
    assert.equal((read("A\tB\nB\tA\nA\tB")).edges, "A>B:2 B>A:1");
    assert.equal((read("a,b,w,c\nA,B,5,x\n")).edges, "A>B:5");
    assert.equal((read("pre,post\nA,B\nA,C\n")).edges, "A>B:1 A>C:1");
    refused(odd, /--source nix is none of its columns: x, y, z, q/, {
      source: "nix",
    });
  });

  it("sums the rows of a pair, whatever their order, and says how many", () => {
    const fly = "pre_root_id,post_root_id,neuropil,syn_count,nt_type\n" +
      "720575940612345678,720575940612345679,AL_L,7,ACH\n" +
      "720575940612345679,720575940612345678,LH_L,2,GABA\n" +
      "720575940612345678,720575940612345679,LH_L,30,ACH\n";
    const { edges, notes } = read(fly);
    assert.equal(
      edges,
      "720575940612345678>720575940612345679:37 720575940612345679>720575940612345678:2",
    );
    assert.deepEqual(notes, [
      "3 rows used",
      "2 of them summed with others of the same pair",
    ]);
    refused(
      fly,
      /several rows from "720575940612345678" to "720575940612345679", and --duplicates error/,
      { duplicates: "error" },
    );
    fc.assert(
      fc.property(
        fc.array(
          fc.tuple(fc.nat(5), fc.nat(5), fc.integer({ min: 1, max: 99 })),
          { minLength: 4, maxLength: 60 },
        ),
        (rows) => {
          const sums = new Map<string, number>();
          for (const [a, b, w] of rows) {
            if (a === b) continue;
            sums.set(`n${a}>n${b}`, (sums.get(`n${a}>n${b}`) ?? 0) + w);
          }
          const text = rows.map(([a, b, w]) => `n${a},n${b},${w}\n`).join("");
          const expected = [...sums].map(([pair, w]) => `${pair}:${w}`).sort();
          assert.equal((read(text)).edges, expected.join(" "));
        },
      ),
    );
  });

  it("leaves out rows without a region or a weight, and counts them; other cells may be empty", () => {
    const { edges, names, notes } = read(
      "from,to,weight,comment\nA,B,NA,x\nA,B,1,\nB,A,,x\nA,C,7,\n,B,3,\nC,C,5,x\n\nC,D,0,x\n",
    );
    assert.equal(edges, "A>B:1 A>C:7");
    assert.equal(names, "A,B,C,D");
    assert.deepEqual(notes, [
      "4 rows used",
      "3 rows left out that lack a region or a weight (rows 2, 4, 6)",
      "1 row from a region to itself, which makes no connection",
    ]);
    const first = read("A,B,NA,x\nA,C,2,x\n");
    assert.equal(first.edges, "A>C:2");
    assert.match(first.notes[1]!, /^1 row left out .*\(row 1\)$/);
  });

  it("keeps types, weights and regions that are asked for", () => {
    const worm = "Source,Target,Weight,Type\nI1L , I2L      ,10,chemical\n" +
      "I1L , I3 ,3,chemical\nI1L,I3,1,electrical\nI3,I1L,1,electrical\n";
    assert.equal((read(worm)).edges, "I1L>I2L:10 I1L>I3:4 I3>I1L:1");
    const chemical = read(worm, { types: ["chemical"] });
    assert.equal(chemical.edges, "I1L>I2L:10 I1L>I3:3");
    assert.ok(chemical.notes.includes("2 rows of other types left out"));
    const strong = read(worm, { minWeight: 4 });
    assert.equal(strong.edges, "I1L>I2L:10 I1L>I3:4");
    const part = read(worm, { subset: new Set(["I1L", "I3"]) });
    assert.equal(part.edges, "I1L>I3:4 I3>I1L:1");
    assert.equal(part.names, "I1L,I3");
    refused("a,b,w\nA,B,1\n", /--types needs a column called type/, {
      types: ["chemical"],
    });
  });

  it("reads decimal commas where they can be nothing else, marks and quotes", () => {
    assert.equal(
      (read("from;to;weight\nA;B;0,5\nB;A;1,25\n")).edges,
      "A>B:0.5 B>A:1.25",
    );
    assert.equal(
      (read('\uFEFF"from","to","w"\r\n"A, left","B ""b""",2\r\n')).edges,
      'A, left>B "b":2',
    );
    assert.equal(
      (read("# made by x\nsep=;\nfrom;to;w\nA;B;2\n")).edges,
      "A>B:2",
    );
    refused("from;to;w\nA;B;1,234\n", /weight "1,234" .*decimal point/);
    refused("from;to;w\nA;B;0.5\nA;C;0,5\n", /weight "0,5"/);
  });

  it("reads the same in pieces, wherever they are cut", () => {
    const text = "from,to,weight\r\nA,B,10\r\nB,C,20\rC,A,30\nA,B,5";
    const whole = read(text);
    for (let cut = 0; cut <= text.length; cut++) {
      const list = new EdgeListReader("list.csv");
      const reader = new RowReader(
        "list.csv",
        (cells, row) => list.add(cells, row),
      );
      reader.add(text.slice(0, cut));
      reader.add(text.slice(cut, cut + 1));
      reader.add(text.slice(cut + 1));
      reader.end();
      assert.equal(whole.edges, "A>B:15 B>C:20 C>A:30");
      assert.deepEqual(
        [...list.finish().graph.weight],
        [15, 20, 30],
        `cut at ${cut}`,
      );
    }
  });

  it("takes no column that counts the rows for regions", () => {
    const pairs = ["10,20", "20,30", "30,10", "10,30", "20,10", "30,20"];
    for (const first of [0, 1]) {
      for (const weight of ["", ",0.5", ",0.5,x"]) {
        const text = pairs.map((pair, row) => `${row + first},${pair}${weight}`)
          .join("\n");
        assert.throws(
          () => parseEdgeList(text, { file: "list.csv" }),
          /its first column counts the rows; .* --source/,
          text,
        );
      }
    }
    const text = pairs.map((pair, row) => `${row},${pair},2`).join("\n");
    const named = { source: "2", target: "3", weight: "4" };
    const { graph } = parseEdgeList(text, { file: "list.csv", ...named });
    assert.deepEqual([...graph.weight], [2, 2, 2, 2, 2, 2]);
  });

  it("warns where no region both sends and receives", () => {
    const notes = (...rows: string[]) =>
      parseEdgeList(rows.join("\n"), { file: "list.csv" }).notes.join();
    const rows = ["V1,4,2", "V2,5,1", "V3,6,1", "V4,7,2"];
    assert.match(notes(...rows), /warning: no region both sends and receives/);
    assert.doesNotMatch(notes(...rows, "4,V1,1"), /warning/);
  });

  it("says which row is wrong", () => {
    refused("a,b,w,c\nA,B,-1,x\n", /row 2 has the weight "-1"/);
    refused(
      "a,b,w,c\nA,B,1,x\nA,B,much,x\n",
      /row 3 has the weight "much"/,
    );
    refused("a,b,w,c\nA,B,inf,x\n", /row 2 has the weight "inf"/);
    refused("a,b,w,c\nA,B,0x1F,x\n", /row 2 has the weight "0x1F"/);
    refused("", /it is empty/);
    refused("A\nB\n", /row 1 has 1 column/);
    refused("from,to,weight\nA\n", /row 2 has 1 column, but the regions/);
    refused('A,"B,1,x\n', /row 1 has a quote that does not end/);
    refused("source,b,c,d\nA,B,1,2\n", /does not say which columns/);
    refused("from,to,x,y\nA,B,1,2\n", /which column holds the weights/);
    refused(
      "0,A,B,0.5,x\n1,B,C,0.2,x\n2,C,A,0.1,x\n",
      /first column counts the rows/,
    );
  });
});

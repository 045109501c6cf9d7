import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import {
  connectedValues,
  type Connections,
  countBlocks,
  countConnections,
  denseMask,
  denseMatrix,
  findConnectionProblem,
  forEachBlockRow,
  listConnections,
  transposeConnections,
  transposedValues,
} from "../../src/graph/connections.ts";

/** A mask, empty rows and columns, and none at all among them. */
const masks = fc.record({
  receivers: fc.integer({ min: 1, max: 9 }),
  senders: fc.integer({ min: 1, max: 9 }),
  density: fc.constantFrom(0, 0.1, 0.6, 1),
}).chain(({ receivers, senders, density }) =>
  fc.array(fc.double({ min: 0, max: 1, noNaN: true }), {
    minLength: receivers * senders,
    maxLength: receivers * senders,
  }).map((numbers) => ({
    receivers,
    senders,
    mask: Uint8Array.from(numbers, (x) => x < density ? 1 : 0),
  }))
);

const numbered = (length: number) =>
  Float64Array.from({ length }, (_, i) => i + 1);

describe("listConnections()", () => {
  it("lists the entries that exist row by row, and leads back to the mask", () => {
    fc.assert(fc.property(masks, ({ receivers, senders, mask }) => {
      const list = listConnections({ receivers, senders }, mask);
      assert.equal(findConnectionProblem(list), undefined);
      assert.equal(countConnections(list), mask.reduce((a, b) => a + b, 0));
      assert.deepEqual(denseMask(list), mask);
      for (let i = 0; i < receivers; i++) {
        const row = mask.subarray(i * senders, (i + 1) * senders);
        assert.deepEqual(
          [...list.sender.subarray(list.start[i], list.start[i + 1])],
          [...row.keys()].filter((j) => row[j] === 1),
        );
      }
    }));
  });

  it("lists all entries without a mask", () => {
    const { start, sender } = listConnections({ receivers: 2, senders: 3 });
    assert.deepEqual([...start], [0, 3, 6]);
    assert.deepEqual([...sender], [0, 1, 2, 0, 1, 2]);
  });

  it("knows a single unit, and a network without connections", () => {
    const one = { receivers: 1, senders: 1 };
    assert.deepEqual([...listConnections(one).start], [0, 1]);
    for (const size of [one, { receivers: 3, senders: 3 }]) {
      const none = listConnections(
        size,
        new Uint8Array(size.receivers * size.senders),
      );
      assert.equal(countConnections(none), 0);
      assert.equal(findConnectionProblem(none), undefined);
      assert.deepEqual(
        [...denseMatrix(none, new Float32Array())],
        new Array(size.receivers * size.senders).fill(0),
      );
      assert.equal(countConnections(transposeConnections(none)), 0);
    }
  });

  it("refuses a mask of another size", () => {
    assert.throws(
      () => listConnections({ receivers: 2, senders: 2 }, new Uint8Array(3)),
      /must have 2 × 2 entries, found 3/,
    );
  });
});

describe("transposeConnections()", () => {
  it("lists the columns, and where their values were", () => {
    fc.assert(fc.property(masks, ({ receivers, senders, mask }) => {
      const list = listConnections({ receivers, senders }, mask);
      const turned = transposeConnections(list);
      assert.equal(findConnectionProblem(turned), undefined);
      const values = numbered(countConnections(list));
      const matrix = denseMatrix(list, values);
      const back = denseMatrix(turned, transposedValues(turned, values));
      for (const [at, value] of matrix.entries()) {
        const [i, j] = [Math.floor(at / senders), at % senders];
        assert.equal(back[j * receivers + i], value);
      }
      const { position: _, ...twice } = transposeConnections(turned);
      assert.deepEqual(twice, list);
    }));
  });
});

describe("denseMatrix()", () => {
  it("is undone by connectedValues(), and +0 where nothing is", () => {
    fc.assert(fc.property(masks, ({ receivers, senders, mask }) => {
      const list = listConnections({ receivers, senders }, mask);
      const values = numbered(countConnections(list));
      const matrix = denseMatrix(list, values);
      for (const [at, bit] of mask.entries()) {
        if (bit === 0) assert.ok(Object.is(matrix[at], 0));
      }
      assert.deepEqual(connectedValues(list, matrix), values);
    }));
  });

  it("gives an array of the kind that it is given", () => {
    const list = listConnections({ receivers: 1, senders: 2 });
    for (const Kind of [Float32Array, Float64Array, Uint8Array]) {
      const values = Kind.of(1, 2);
      assert.equal(denseMatrix(list, values).constructor, Kind);
      assert.equal(connectedValues(list, values).constructor, Kind);
    }
  });
});

describe("findConnectionProblem()", () => {
  const sound = listConnections(
    { receivers: 3, senders: 3 },
    Uint8Array.of(0, 1, 1, 0, 0, 0, 1, 0, 1),
  );
  const faults: [string, Partial<Connections>, RegExp][] = [
    [
      "too few starts",
      { start: Uint32Array.of(0, 2, 4) },
      /there are 3 starts of receivers, not 4/,
    ],
    [
      "a first start that is not 0",
      { start: Uint32Array.of(1, 2, 2, 4) },
      /go from 1 to 4, not from 0 to 4/,
    ],
    [
      "a last start that is not the end",
      { start: Uint32Array.of(0, 2, 2, 3) },
      /go from 0 to 3, not from 0 to 4/,
    ],
    [
      "starts that fall",
      { start: Uint32Array.of(0, 9, 2, 4) },
      /start of receiver 2 is 2, before that of receiver 1, 9/,
    ],
    [
      "a sender that there is not",
      { sender: Uint32Array.of(1, 3, 0, 2) },
      /connection 1 of receiver 0 comes from sender 3 of 3/,
    ],
    [
      "senders that fall",
      { sender: Uint32Array.of(2, 1, 0, 2) },
      /senders of receiver 0 do not rise: 2 is followed by 1/,
    ],
    [
      "a connection that is there twice",
      { sender: Uint32Array.of(1, 2, 2, 2) },
      /senders of receiver 2 do not rise: 2 is followed by 2/,
    ],
  ];
  for (const [what, change, message] of faults) {
    it(`finds ${what}`, () => {
      assert.match(
        findConnectionProblem({ ...sound, ...change }) ?? "",
        message,
      );
    });
  }
});

/** A mask and its size. */
const MASKS = fc.integer({ min: 1, max: 23 }).chain((receivers) =>
  fc.integer({ min: 1, max: 23 }).chain((senders) =>
    fc.record({
      receivers: fc.constant(receivers),
      senders: fc.constant(senders),
      mask: fc.array(fc.constantFrom(0, 0, 0, 0, 1), {
        minLength: receivers * senders,
        maxLength: receivers * senders,
      }),
    })
  )
);

describe("forEachBlockRow() and countBlocks()", () => {
  it("find the blocks that a search through the mask finds", () => {
    fc.assert(
      fc.property(
        MASKS,
        fc.constantFrom(1, 2, 4),
        ({ receivers, senders, mask }, side) => {
          const expected: number[][] = [];
          for (let i = 0; i < receivers; i++) {
            const row = expected[Math.floor(i / side)] ??= [];
            for (let j = 0; j < senders; j++) {
              const column = Math.floor(j / side);
              if (mask[i * senders + j] !== 0 && !row.includes(column)) {
                row.push(column);
              }
            }
          }
          for (const row of expected) row.sort((a, b) => a - b);
          const connections = listConnections({ receivers, senders }, mask);
          const found: number[][] = [];
          forEachBlockRow(connections, side, (columns, row) => {
            assert.equal(row, found.length);
            found.push([...columns]);
          });
          assert.deepEqual(found, expected);
          assert.equal(countBlocks(connections, side), expected.flat().length);
        },
      ),
      { seed: 13, numRuns: 300 },
    );
  });
});

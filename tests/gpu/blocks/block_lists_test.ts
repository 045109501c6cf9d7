import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../../src/compat/testing.ts";
import {
  type BlockLayout,
  makeBlockLayout,
} from "../../../src/gpu/blocks/block_layout.ts";
import {
  type BlockLists,
  canNumberBlocks,
  listWords,
  makeBlockLists,
} from "../../../src/gpu/blocks/block_lists.ts";
import { createStream } from "../../../src/random/stream.ts";
import {
  type Connections,
  denseMask,
  listConnections,
} from "../../../src/graph/connections.ts";

interface Example {
  readonly layout: BlockLayout;
  readonly chunk: number;
  readonly connections: Connections;
}

function makeExample(
  { hiddenSize, inputSize, outputSize, side, density, seed, chunk }: {
    readonly hiddenSize: number;
    readonly inputSize: number;
    readonly outputSize: number;
    readonly side: 1 | 4;
    readonly density: number;
    readonly seed: number;
    readonly chunk: number;
  },
): Example {
  const stream = createStream({ seed, purpose: "topology" });
  const mask = Uint8Array.from(
    { length: hiddenSize ** 2 },
    () => stream.uniform() < density ? 1 : 0,
  );
  const size = { hiddenSize, inputSize, outputSize, batchRows: 5 };
  return {
    layout: makeBlockLayout(size, side),
    chunk,
    connections: listConnections(
      { receivers: hiddenSize, senders: hiddenSize },
      mask,
    ),
  };
}

const EXAMPLES: fc.Arbitrary<Example> = fc.record({
  hiddenSize: fc.constantFrom(1, 3, 4, 5, 37),
  inputSize: fc.constantFrom(1, 2, 51),
  outputSize: fc.constantFrom(1, 3, 4),
  side: fc.constantFrom(1 as const, 4 as const),
  density: fc.constantFrom(0, 0.02, 0.2, 0.7, 1),
  seed: fc.nat(10_000),
  chunk: fc.constantFrom(1, 2, 4, 16, 24),
}).map(makeExample);

/** The whole matrix, padded: 1 where there is an entry. */
function wholeMatrix({ layout, connections }: Example): {
  readonly rows: number;
  readonly columns: number;
  at(row: number, column: number): number;
} {
  const { hidden, hiddenSize, inputSize, outputSize, outputRows } = layout;
  const mask = denseMask(connections);
  return {
    rows: hidden + outputRows,
    columns: layout.slot,
    at(row, column) {
      const isOne = column === hidden + inputSize;
      if (row < hidden) {
        if (row >= hiddenSize) return 0;
        if (column >= hidden) return column <= hidden + inputSize ? 1 : 0;
        return column < hiddenSize ? mask[row * hiddenSize + column]! : 0;
      }
      if (row >= hidden + outputSize) return 0;
      return isOne || column < hiddenSize ? 1 : 0;
    },
  };
}

/** The blocks that are to be there, by the plainest rule: row, column, entries. */
function plainBlocks(example: Example) {
  const { side, hiddenBlocks, inputBlocks, inputSize } = example.layout;
  const matrix = wholeMatrix(example);
  const blocks: { row: number; column: number; entries: number[] }[] = [];
  for (let row = 0; row < matrix.rows / side; row++) {
    for (let column = 0; column < hiddenBlocks + inputBlocks; column++) {
      const entries = Array.from(
        { length: side ** 2 },
        (_, n) =>
          matrix.at(
            row * side + Math.floor(n / side),
            column * side + n % side,
          ),
      );
      const isReadout = row >= hiddenBlocks;
      const isInput = column >= hiddenBlocks;
      const whole = isReadout
        ? !isInput ||
          column === hiddenBlocks + Math.floor(inputSize / side)
        : isInput;
      if (whole || entries.includes(1)) blocks.push({ row, column, entries });
    }
  }
  return blocks;
}

function part(
  { words, at, blocks, recurrentBlocks, chunks }: BlockLists,
  { rows, columns }: { readonly rows: number; readonly columns: number },
) {
  const take = (start: number, length: number) => [
    ...words.subarray(start, start + length),
  ];
  return {
    rows: take(at.rows, rows + 1),
    columns: take(at.columns, columns + 1),
    blocks: take(at.blocks, blocks),
    back: take(at.back, 2 * recurrentBlocks),
    chunks: take(at.chunks, 2 * chunks),
  };
}

function check(body: (example: Example) => void): void {
  fc.assert(fc.property(EXAMPLES, body), { seed: 11, numRuns: 300 });
}

describe("makeBlockLists()", () => {
  it("lists each block that holds something once, row by row, with its entries' bits", () => {
    check((example) => {
      const { layout, connections } = example;
      const { side, hiddenBlocks, outputBlocks } = layout;
      const lists = makeBlockLists(connections, example);
      const found = part(lists, {
        rows: hiddenBlocks + outputBlocks,
        columns: hiddenBlocks,
      });
      const expected = plainBlocks(example);
      assert.equal(lists.blocks, expected.length);
      assert.deepEqual(
        found.blocks,
        expected.map(({ column, entries }) =>
          side === 1 ? column : column * 2 ** 16 +
            entries.reduce((sum, bit, n) => sum + bit * 2 ** n, 0)
        ),
      );
      assert.deepEqual(
        found.rows,
        Array.from(
          { length: hiddenBlocks + outputBlocks + 1 },
          (_, row) => expected.filter((block) => block.row < row).length,
        ),
      );
      const recurrent = expected.filter(({ row, column }) =>
        row < hiddenBlocks && column < hiddenBlocks
      );
      assert.equal(lists.recurrentBlocks, recurrent.length);
      assert.equal(lists.readoutBlock, found.rows[hiddenBlocks]);
      for (const [row, first] of lists.inputBlock.entries()) {
        assert.equal(
          first,
          found.rows[row]! + recurrent.filter((b) => b.row === row).length,
        );
      }
    });
  });

  it("gives each connection the place of its own entry", () => {
    check((example) => {
      const { layout: { side }, connections } = example;
      const { place } = makeBlockLists(connections, example);
      const blocks = plainBlocks(example);
      const found: [number, number][] = [...place].map((at) => {
        const { row, column, entries } = blocks[Math.floor(at / side ** 2)]!;
        const within = at % side ** 2;
        assert.equal(entries[within], 1);
        return [
          row * side + Math.floor(within / side),
          column * side + within % side,
        ];
      });
      const expected: [number, number][] = [];
      for (let i = 0; i < connections.receivers; i++) {
        for (
          let n = connections.start[i]!;
          n < connections.start[i + 1]!;
          n++
        ) {
          expected.push([i, connections.sender[n]!]);
        }
      }
      assert.deepEqual(found, expected);
    });
  });

  it("lists the blocks among hidden units by column, too", () => {
    check((example) => {
      const { layout, connections } = example;
      const { hiddenBlocks, outputBlocks } = layout;
      const lists = makeBlockLists(connections, example);
      const { columns, back } = part(lists, {
        rows: hiddenBlocks + outputBlocks,
        columns: hiddenBlocks,
      });
      const recurrent = plainBlocks(example).map((block, number) => ({
        ...block,
        number,
      })).filter(({ row, column }) =>
        row < hiddenBlocks && column < hiddenBlocks
      );
      const expected = recurrent.toSorted((a, b) =>
        a.column - b.column || a.row - b.row
      );
      assert.deepEqual(
        back,
        expected.flatMap(({ row, number }) => [row, number]),
      );
      assert.deepEqual(
        columns,
        Array.from(
          { length: hiddenBlocks + 1 },
          (_, column) => expected.filter((b) => b.column < column).length,
        ),
      );
    });
  });

  it("cuts all blocks into chunks, none of more than one row", () => {
    check((example) => {
      const { layout, connections, chunk } = example;
      const { hiddenBlocks, outputBlocks } = layout;
      const lists = makeBlockLists(connections, example);
      const { rows, chunks } = part(lists, {
        rows: hiddenBlocks + outputBlocks,
        columns: hiddenBlocks,
      });
      const seen: number[] = [];
      for (let n = 0; n < chunks.length; n += 2) {
        const [row, first] = [chunks[n]!, chunks[n + 1]!];
        // As block_gradient.wgsl finds the end.
        const end = rows[row + 1]!;
        assert.ok(first >= rows[row]! && first < end);
        for (let b = first; b < Math.min(first + chunk, end); b++) seen.push(b);
      }
      assert.deepEqual(seen, Array.from({ length: lists.blocks }, (_, b) => b));
    });
  });

  it("takes as many words as listWords() says, or a few less", () => {
    check((example) => {
      const { layout, connections, chunk } = example;
      const { words, recurrentBlocks } = makeBlockLists(connections, example);
      const most = listWords(layout, { recurrent: recurrentBlocks, chunk });
      assert.ok(words.length <= most, `${words.length} of ${most}`);
      // A chunk a row that is not full.
      const rows = layout.hiddenBlocks + layout.outputBlocks;
      assert.ok(most - words.length <= 2 * rows);
    });
  });
});

describe("canNumberBlocks()", () => {
  it("leaves 16 bits of a word to the entries", () => {
    const can = (hiddenSize: number, inputSize: number, side: 1 | 4) =>
      canNumberBlocks(
        makeBlockLayout(
          { hiddenSize, inputSize, outputSize: 1, batchRows: 1 },
          side,
        ),
      );
    // 65,535 columns of hidden units and one of three inputs and the one.
    assert.ok(can(4 * 65_535, 3, 4));
    assert.ok(!can(4 * 65_535, 4, 4));
    assert.ok(!can(4 * 65_536, 1, 4));
    assert.ok(can(4 * 65_536, 1, 1));
  });
});

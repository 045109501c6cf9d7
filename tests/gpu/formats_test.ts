import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { formatOf } from "../../src/gpu/plan.ts";
import { placeBatches } from "../../src/gpu/layout.ts";
import {
  packWeights,
  type Topology,
  unpackWeights,
  type WeightFormat,
} from "../../src/gpu/weight_format.ts";
import {
  type Connections,
  countBlocks,
  countConnections,
  denseMask,
  listConnections,
} from "../../src/graph/connections.ts";
import { createStream } from "../../src/random/stream.ts";
import { parameterShapes } from "../../src/rnn/parameters.ts";
import { DEFAULT_LIMITS, FORMATS } from "./example_runs.ts";

interface Example {
  readonly format: WeightFormat;
  readonly connections: Connections;
  readonly topology: Topology;
}

const EXAMPLES: fc.Arbitrary<Example> = fc.record({
  name: fc.constantFrom(...FORMATS),
  hiddenSize: fc.constantFrom(1, 3, 4, 5, 37),
  inputSize: fc.constantFrom(1, 2, 51),
  outputSize: fc.constantFrom(1, 3, 4),
  density: fc.constantFrom(0, 0.02, 0.2, 0.7, 1),
  seed: fc.nat(10_000),
}).map(({ name, density, seed, ...size }) => {
  const stream = createStream({ seed, purpose: "topology" });
  const units = size.hiddenSize;
  const connections = listConnections(
    { receivers: units, senders: units },
    Uint8Array.from(
      { length: units ** 2 },
      () => stream.uniform() < density ? 1 : 0,
    ),
  );
  const format = formatOf(name, {
    size,
    batches: placeBatches([5], []),
    limits: DEFAULT_LIMITS,
  });
  return { format, connections, topology: format.topology(connections) };
});

describe("the formats of weights", () => {
  it("give each weight a place of its own, from which it comes back", () => {
    fc.assert(fc.property(EXAMPLES, ({ format, connections, topology }) => {
      const { layout } = format;
      const shapes = parameterShapes(layout, countConnections(connections));
      let next = 0;
      const numbers = (shape: readonly number[]) =>
        Float32Array.from(
          { length: shape.reduce((a, b) => a * b) },
          () => ++next,
        );
      const parameters = {
        weightIh: numbers(shapes.weightIh),
        weightHh: numbers(shapes.weightHh),
        biasIh: numbers(shapes.biasIh),
        biasHh: new Float32Array(layout.hiddenSize),
        weightFc: numbers(shapes.weightFc),
        biasFc: numbers(shapes.biasFc),
      };
      const into = new Float32Array(topology.words.places);
      packWeights(topology, { layout, parameters, into });
      assert.equal(into.filter((value) => value !== 0).length, next);
      assert.deepEqual(
        unpackWeights(topology, {
          layout,
          values: (place) => into[place]!,
        }),
        { ...parameters, biasHh: parameters.biasIh },
      );
    }));
  });

  it("take no more words than was planned", () => {
    fc.assert(fc.property(EXAMPLES, ({ format, connections, topology }) => {
      const planned = format.words({
        connections: countConnections(connections),
        blocks: countBlocks(connections, 4),
      });
      const { words } = topology;
      assert.equal(words.lists, topology.lists.length);
      assert.equal(words.back, topology.back.length);
      for (const name of ["lists", "back", "places", "parameters"] as const) {
        assert.ok(words[name] <= planned[name], name);
      }
    }));
  });
});

describe("the lists of blocks", () => {
  const blocks = EXAMPLES.filter(({ format }) => format.name !== "dense");

  it("lead forward and back to the connections, and to no others", () => {
    fc.assert(fc.property(blocks, ({ format, connections, topology }) => {
      const { layout, constants } = format;
      const side = constants.BLOCK!;
      const { lists, back } = topology;
      const at = topology.fields({ lists: 0, back: 0 });
      const units = connections.receivers;
      const columnOf = (word: number) =>
        side === 1 ? word % 2 ** 31 : word >>> 16;
      const isWeight = (word: number, within: number) =>
        side === 1 ? word < 2 ** 31 : ((word >>> within) & 1) === 1;
      const mask = new Uint8Array(units ** 2);
      for (let row = 0; row < constants.COLUMN_BLOCKS!; row++) {
        const begin = lists[at.rows_at! + row]!;
        const end = lists[at.rows_at! + row + 1]!;
        assert.equal((end - begin) % constants.AHEAD!, 0);
        for (let n = begin; n < end; n++) {
          const word = lists[at.blocks_at! + n]!;
          for (let within = 0; within < side ** 2; within++) {
            if (!isWeight(word, within)) continue;
            const unit = row * side + Math.floor(within / side);
            const column = columnOf(word) * side + within % side;
            if (column >= layout.hidden) {
              // The inputs come first.
              assert.ok(n < begin + constants.INPUT_BLOCKS!);
            } else mask[unit * units + column]!++;
          }
        }
      }
      assert.deepEqual(mask, denseMask(connections));
      // Back: each column's blocks, by the numbers that they have in the rows.
      const found = new Uint8Array(units ** 2);
      for (let column = 0; column < constants.COLUMN_BLOCKS!; column++) {
        const begin = back[at.columns_at! + column]!;
        const end = back[at.columns_at! + column + 1]!;
        assert.equal((end - begin) % constants.AHEAD!, 0);
        for (let n = begin; n < end; n++) {
          const row = back[at.back_at! + 2 * n]!;
          const word = lists[at.blocks_at! + back[at.back_at! + 2 * n + 1]!]!;
          for (let within = 0; within < side ** 2; within++) {
            if (!isWeight(word, within)) continue;
            assert.equal(columnOf(word), column);
            const unit = row * side + Math.floor(within / side);
            if (unit >= layout.hidden) {
              assert.ok(n < begin + constants.OUTPUT_BLOCKS!);
            } else found[unit * units + column * side + within % side]!++;
          }
        }
      }
      assert.deepEqual(found, mask);
    }));
  });

  it("put each row into one pair and each block into one chunk", () => {
    fc.assert(fc.property(blocks, ({ format, topology }) => {
      const count = format.constants.COLUMN_BLOCKS!;
      const { lists, back, chunks } = topology;
      const at = topology.fields({ lists: 0, back: 0 });
      for (
        const pairs of [
          lists.subarray(at.row_pairs_at),
          back.subarray(at.column_pairs_at),
        ]
      ) {
        const rows = [...pairs.subarray(0, 2 * Math.ceil(count / 2))]
          .filter((row) => row < count).sort((a, b) => a - b);
        assert.deepEqual(rows, Array.from({ length: count }, (_, i) => i));
      }
      let next = 0;
      for (let chunk = 0; chunk < chunks; chunk++) {
        const row = lists[at.chunks_at! + 2 * chunk]!;
        const first = lists[at.chunks_at! + 2 * chunk + 1]!;
        assert.equal(first, next);
        next = Math.min(
          first + Number(format.gradient.constants.CHUNK),
          lists[at.rows_at! + row + 1]!,
        );
      }
    }));
  });
});

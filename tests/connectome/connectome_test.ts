import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { createConnectome } from "../../src/connectome/connectome.ts";
import { InputError } from "../../src/files/input_error.ts";

const graph = (edges: readonly (readonly [number, number, number])[]) => ({
  nodes: 3,
  from: Uint32Array.from(edges, ([from]) => from),
  to: Uint32Array.from(edges, ([, to]) => to),
  weight: Float64Array.from(edges, ([, , weight]) => weight),
});

describe("createConnectome()", () => {
  it("sorts edges, numbers regions, and has a checksum of the connections alone", async () => {
    const mine = await createConnectome(graph([[2, 0, 1], [0, 1, 0.5]]), {
      name: "Mine",
    });
    assert.deepEqual(mine.graph, graph([[0, 1, 0.5], [2, 0, 1]]));
    assert.deepEqual(mine.regionNames, ["0", "1", "2"]);
    const named = await createConnectome(mine.graph, {
      ...mine,
      name: "Other",
      regionNames: ["A", "B", "C"],
    });
    assert.equal(named.sha256, mine.sha256);
    const changed = await createConnectome(graph([[2, 0, 1], [0, 1, 0.25]]), {
      ...mine,
    });
    assert.notEqual(changed.sha256, mine.sha256);
  });

  it("refuses what can't be a connectome", async () => {
    for (
      const [edges, sentence] of [
        [[[0, 1, 1], [0, 1, 2]], 'there are two connections from "0" to "1"'],
        [[[0, 3, 1]], "a connection names region 3 of 3"],
        [[[3, 0, 1]], "a connection names region 3 of 3"],
        [
          [[1, 1, 1]],
          'C[1, 1] ("1" to "1") is 1, but the diagonal must be 0: connections within a region are made from its other weights',
        ],
        [
          [[0, 1, -1]],
          'C[0, 1] ("0" to "1") is -1, allowed are 0 and above',
        ],
        [
          [[0, 1, NaN]],
          'C[0, 1] ("0" to "1") is NaN, allowed are finite numbers',
        ],
        [[], "it has no connection, all weights are 0"],
      ] as const
    ) {
      await assert.rejects(
        createConnectome(graph(edges), { name: "Mine" }),
        new InputError(`Cannot use the connectome "Mine": ${sentence}`),
      );
    }
    await assert.rejects(
      createConnectome(graph([[0, 1, 1]]), { name: "Mine", regionNames: [] }),
      /3 regions but 0 region names/,
    );
  });
});

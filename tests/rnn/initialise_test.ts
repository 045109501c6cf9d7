import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { scaleConnectome } from "../../src/connectome/scale.ts";
import { graphOfMatrix, rowsOf } from "../../src/graph/graph.ts";
import { sha256Hex } from "../../src/files/bytes.ts";
import { spectralRadius } from "../../src/graph/spectrum.ts";
import { createStream } from "../../src/random/stream.ts";
import {
  connectedValues,
  denseMatrix,
  listConnections,
} from "../../src/graph/connections.ts";
import { initialParameters } from "../../src/rnn/initialise.ts";
import type { Initialisation } from "../../src/rnn/initialisations.ts";
import { rankOrder } from "../../src/rnn/initialise.ts";
import type { Parameters } from "../../src/rnn/parameters.ts";
import golden from "../golden/init_bounds.json" with { type: "json" };

const TENSORS = {
  W_ih: "weightIh",
  W_hh: "weightHh",
  b_ih: "biasIh",
  b_hh: "biasHh",
  W_fc: "weightFc",
  b_fc: "biasFc",
} as const satisfies Record<string, keyof Parameters>;

const list = (hiddenSize: number, mask?: Uint8Array) =>
  listConnections({ receivers: hiddenSize, senders: hiddenSize }, mask);

const weights = (seed: number, iteration = 0) =>
  createStream({ seed, purpose: "weights", iteration });

describe("initialParameters()", () => {
  for (const golds of golden.cases) {
    const size = {
      hiddenSize: golds.hidden,
      inputSize: golds.input_size,
      outputSize: golds.output_size,
    };
    const scheme = golds.scheme;
    it(`spreads as PyTorch does: ${scheme}, H ${golds.hidden}, I ${golds.input_size}, O ${golds.output_size}`, () => {
      const connections = list(golds.hidden);
      const draws = Array.from(
        { length: 10 },
        (_, iteration) =>
          initialParameters(size, {
            initialisation: scheme,
            connections,
            stream: weights(11, iteration),
          }),
      );
      for (const [name, key] of Object.entries(TENSORS)) {
        const { bound, std, shape } =
          golds.tensors[name as keyof typeof TENSORS];
        const values = draws.flatMap((parameters) => [...parameters[key]]);
        const n = values.length;
        assert.equal(n, 10 * shape.reduce((product, d) => product * d, 1));
        const largest = values.reduce((a, b) => Math.max(a, Math.abs(b)), 0);
        assert.ok(largest <= bound);
        // No more than ten times what is to be expected of so many.
        assert.ok(largest > bound * (1 - 10 / n));
        // Five standard errors of the mean, and of the mean square.
        const mean = values.reduce((sum, v) => sum + v, 0) / n;
        assert.ok(Math.abs(mean) <= 5 * std / Math.sqrt(n));
        const square = values.reduce((sum, v) => sum + v * v, 0) / n;
        const spread = bound ** 2 * Math.sqrt(4 / 45 / n);
        assert.ok(Math.abs(square - std ** 2) <= 5 * spread);
      }
    });
  }

  it("draws the same weights whichever other connections there are", () => {
    fc.assert(fc.property(
      fc.integer({ min: 1, max: 9 }).chain((h) =>
        fc.uint8Array({ min: 0, max: 1, minLength: h * h, maxLength: h * h })
      ),
      fc.constantFrom("default", "xavier", "he", "auto"),
      fc.boolean(),
      fc.nat(1e9),
      (mask, initialisation, remap, seed) => {
        const hiddenSize = Math.sqrt(mask.length);
        const size = { hiddenSize, inputSize: 2, outputSize: 3 };
        const connections = list(hiddenSize, mask);
        const order = rankOrder(
          connectedValues(
            connections,
            Float64Array.from(mask, (_, i) => (i * 7) % 5 + 1),
          ),
        );
        const masked = initialParameters(size, {
          initialisation,
          connections,
          stream: weights(seed),
          ...(remap ? { rankOrder: order } : {}),
        });
        const full = initialParameters(size, {
          initialisation,
          connections: list(hiddenSize),
          stream: weights(seed),
        });
        const expected = connectedValues(connections, full.weightHh);
        if (!remap) assert.deepEqual(masked.weightHh, expected);
        assert.deepEqual(masked.weightHh.toSorted(), expected.toSorted());
        const { weightHh: _a, ...rest } = masked;
        const { weightHh: _b, ...fullRest } = full;
        assert.deepEqual(rest, fullRest);
      },
    ));
  });

  it("draws what it drew when W_hh was drawn whole and then masked", async () => {
    // SHA-256 of the six tensors, computed by the version that did so.
    const before = {
      weightHh: {
        default:
          "3b5a432394fdd41434181335de5401156fa59479d763963d653812321f8d7e1b",
        xavier:
          "5dff4b8f1e5c121b5596858b00a315ad3d4183dee86c3dca38acb98c35814dd6",
        he: "d0398af80df72fa9d59c68150e43a007bcdcb936d5c02ec56026d369f67f40b1",
      },
      weightIh: {
        default:
          "50f3e3b7965a713f317567b51f78c645a1c3bcdcc9d9260187ce7c2dc8c257c6",
        xavier:
          "85d6776df490b1e237099cd38e873a28284385ed14c85a45808eca0809698e45",
        he: "fdf3de92f62c0a552a32dc18e65ab51ef6e25b592273eaddfe5911f8247f6d6c",
      },
      biasHh:
        "95e6eb4747cd78381c90e40554a3dba3af50383d101c475281a69200915ff537",
      biasFc:
        "bce01508163ba798883b0a45ecfc82b96e225abc17d00ea08a9d1c208d87e394",
    };
    const network = scaleConnectome(
      graphOfMatrix([0, .1, 0, .4, 0, 0, .2, 0, 0, 0, 0, .3, 0, 0, 0, 0], 4),
      {
        neuronDensity: [5, 5, 5, 5],
        randPartition: true,
        stream: createStream({ seed: 1, purpose: "bio2art" }),
      },
    );
    for (const scheme of ["default", "xavier", "he"] as const) {
      // As they stand: the version before had no need to transpose here.
      const { weights: template, ...connections } = rowsOf(network, {
        transpose: false,
      });
      const found = initialParameters(
        { hiddenSize: 20, inputSize: 2, outputSize: 3 },
        {
          initialisation: scheme,
          connections,
          stream: weights(3),
          ...(scheme === "default" ? {} : { rankOrder: rankOrder(template) }),
        },
      );
      const hash = (tensor: Float32Array) =>
        sha256Hex(new Uint8Array(tensor.buffer));
      assert.equal(
        await hash(denseMatrix(connections, found.weightHh)),
        before.weightHh[scheme],
      );
      assert.equal(await hash(found.weightIh), before.weightIh[scheme]);
      assert.equal(await hash(found.biasHh), before.biasHh);
      assert.equal(await hash(found.biasFc), before.biasFc);
    }
  });

  it("gives the largest weight to the strongest connection", () => {
    const connections = list(3, Uint8Array.of(0, 1, 1, 1, 0, 1, 1, 1, 0));
    const order = rankOrder(Float64Array.of(4, 1, 6, 2, 3, 5));
    const { weightHh } = initialParameters(
      { hiddenSize: 3, inputSize: 2, outputSize: 1 },
      {
        initialisation: "he",
        connections,
        rankOrder: order,
        stream: weights(2),
      },
    );
    const places = [2, 5, 0, 4, 3, 1];
    const values = places.map((place) => weightHh[place] as number);
    assert.deepEqual(values, values.toSorted((a, b) => b - a));
  });

  it("draws the same for a seed, and something else for another iteration", () => {
    const draw = (iteration: number) =>
      initialParameters({ hiddenSize: 4, inputSize: 2, outputSize: 1 }, {
        initialisation: "default",
        connections: list(4),
        stream: weights(5, iteration),
      });
    assert.deepEqual(draw(0), draw(0));
    assert.notDeepEqual(draw(0), draw(1));
  });

  it("refuses the connections of a network of another size", () => {
    assert.throws(
      () =>
        initialParameters({ hiddenSize: 3, inputSize: 2, outputSize: 1 }, {
          initialisation: "default",
          connections: list(2),
          stream: weights(1),
        }),
      RangeError,
    );
  });

  it("draws normal weights whose spectral radius does not depend on the density", () => {
    const hiddenSize = 150;
    const size = { hiddenSize, inputSize: 4, outputSize: 1 };
    const draw = (share: number, seed: number) => {
      const stream = createStream({ seed, purpose: "topology" });
      const mask = Uint8Array.from(
        { length: hiddenSize ** 2 },
        () => stream.uniform() < share ? 1 : 0,
      );
      const connections = list(hiddenSize, mask);
      return {
        connections,
        mask,
        ...initialParameters(size, {
          initialisation: "normal",
          connections,
          stream: weights(seed),
        }),
      };
    };
    for (const share of [0.1, 0.5, 1]) {
      const { connections, weightHh, weightIh, biasIh } = draw(share, 3);
      const radius = spectralRadius(connections, weightHh);
      assert.ok(Math.abs(radius - 1) < 0.15, `${radius} at ${share}`);
      const square = weightIh.reduce((sum, w) => sum + w * w, 0) /
        weightIh.length;
      assert.ok(Math.abs(square * 4 - 1) < 5 * Math.sqrt(2 / weightIh.length));
      assert.ok(biasIh.every((b) => Math.abs(b) <= 1 / Math.sqrt(hiddenSize)));
    }
    // Apart from the scale a weight is the same whichever others there are.
    const [some, all] = [draw(0.5, 4), draw(1, 4)];
    const scale = Math.sqrt(hiddenSize ** 2 / some.weightHh.length);
    connectedValues(some.connections, all.weightHh).forEach((weight, i) =>
      assert.ok(Math.abs(some.weightHh[i]! - scale * weight) < 1e-6)
    );
    assert.deepEqual(some.weightFc, all.weightFc);
  });

  it("takes one of one's own, which may draw a tensor whole", () => {
    const ones: Initialisation = {
      name: "ones",
      description: "1",
      source: "this test",
      draw: ({ rows, columns = 1, connections }) =>
        new Float64Array(connections?.sender.length ?? rows * columns).fill(1),
    };
    const draw = (initialisation: Initialisation | string) =>
      initialParameters({ hiddenSize: 2, inputSize: 1, outputSize: 1 }, {
        initialisation,
        connections: list(2),
        stream: weights(1),
      });
    assert.deepEqual(draw(ones).weightHh, Float32Array.of(1, 1, 1, 1));
    const short = { ...ones, draw: () => new Float64Array(1) };
    assert.throws(
      () => draw(short),
      /^RangeError: .* ones: it draws 1 values of weightIh, which has 2$/,
    );
    assert.throws(() => draw("xaver"), /did you mean "xavier"/);
  });
});

import assert from "node:assert/strict";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
} from "../../src/files/safetensors.ts";
import {
  decodeCheckpoint,
  encodeCheckpoint,
} from "../../src/rnn/checkpoint.ts";
import {
  connectedValues,
  denseMatrix,
  listConnections,
} from "../../src/graph/connections.ts";
import {
  makeParameters,
  type ModelSize,
  PARAMETER_NAMES,
  type Parameters,
  parameterShapes,
} from "../../src/rnn/parameters.ts";
import stateDicts from "./state_dicts.json" with { type: "json" };

const name = "model.safetensors";

function numbered(
  size: ModelSize,
  value = (i: number, k: number) => (i + 10 * k + 1) / 64,
): Parameters<Float32Array> {
  const shapes = parameterShapes(size, size.hiddenSize ** 2);
  return makeParameters((key) => {
    const k = PARAMETER_NAMES.indexOf(key);
    const length = shapes[key].reduce((product, d) => product * d, 1);
    return Float32Array.from({ length }, (_, i) => value(i, k));
  });
}

/** All of W_hh. */
const full = ({ hiddenSize }: ModelSize) =>
  listConnections({ receivers: hiddenSize, senders: hiddenSize });

/** Tensors of a safetensors file by name, shape and number of elements. */
function file(tensors: Record<string, number[]>): Uint8Array {
  return encodeSafetensors(
    Object.entries(tensors).map(([name, shape]) => ({
      name,
      shape,
      data: new Float32Array(shape.reduce((product, d) => product * d, 1)),
    })),
    {},
  );
}

const rnn = (prefix = "rnn.", h = 3, i = 2) => ({
  [`${prefix}weight_ih_l0`]: [h, i],
  [`${prefix}weight_hh_l0`]: [h, h],
  [`${prefix}bias_ih_l0`]: [h],
  [`${prefix}bias_hh_l0`]: [h],
});
const linear = (prefix = "fc.", o = 1, h = 3) => ({
  [`${prefix}weight`]: [o, h],
  [`${prefix}bias`]: [o],
});

describe("encodeCheckpoint()", () => {
  it("writes float32 tensors under PyTorch's names, after a JSON header", () => {
    const size = { hiddenSize: 2, inputSize: 1, outputSize: 1 };
    const bytes = encodeCheckpoint(numbered(size), {
      size,
      connections: full(size),
      metadata: { seed: "1", epoch: "499" },
    });
    const { metadata } = decodeCheckpoint(bytes, { name });
    const header =
      `{"__metadata__":{"checksum":"${metadata.checksum}","epoch":"499","format":"biornn-model/1","seed":"1"},` +
      '"rnn.weight_ih_l0":{"dtype":"F32","shape":[2,1],"data_offsets":[0,8]},' +
      '"rnn.weight_hh_l0":{"dtype":"F32","shape":[2,2],"data_offsets":[8,24]},' +
      '"rnn.bias_ih_l0":{"dtype":"F32","shape":[2],"data_offsets":[24,32]},' +
      '"rnn.bias_hh_l0":{"dtype":"F32","shape":[2],"data_offsets":[32,40]},' +
      '"fc.weight":{"dtype":"F32","shape":[1,2],"data_offsets":[40,48]},' +
      '"fc.bias":{"dtype":"F32","shape":[1],"data_offsets":[48,52]}}';
    const padded = header.padEnd(Math.ceil(header.length / 8) * 8);
    const length = new Uint8Array(8);
    new DataView(length.buffer).setBigUint64(0, BigInt(padded.length), true);
    assert.deepEqual(bytes.subarray(0, 8), length);
    assert.equal(
      new TextDecoder().decode(bytes.subarray(8, 8 + padded.length)),
      padded,
    );
    assert.equal(
      bytes.subarray(8 + padded.length).toHex(),
      "0000803c0000003d" + // W_ih
        "0000303e0000403e0000503e0000603e" + // W_hh
        "0000a83e0000b03e" + // b_ih
        "0000f83e0000003f" + // b_hh
        "0000243f0000283f" + // W_fc
        "00004c3f", // b_fc
    );
  });

  it("is read back to the bit, whatever the size", () => {
    const sizes = fc.record({
      hiddenSize: fc.integer({ min: 1, max: 12 }),
      inputSize: fc.integer({ min: 1, max: 6 }),
      outputSize: fc.integer({ min: 1, max: 4 }),
    });
    fc.assert(
      fc.property(
        sizes,
        fc.dictionary(fc.string(), fc.string()),
        (size, metadata) => {
          // No weight is 0, which would be no connection: W_hh has sin(1), sin(8) …
          const parameters = numbered(size, (i, k) => Math.sin(i * 7 + k));
          const connections = full(size);
          const bytes = encodeCheckpoint(parameters, {
            size,
            connections,
            metadata,
          });
          const found = decodeCheckpoint(bytes, { name, size });
          assert.deepEqual(found.parameters, parameters);
          assert.deepEqual(found.connections, connections);
          assert.deepEqual(found.size, { ...size });
          const { checksum: _sum, ...rest } = found.metadata;
          assert.deepEqual(rest, { ...metadata, format: "biornn-model/1" });
        },
      ),
    );
  });

  it("rounds double parameters to float32", () => {
    const size = { hiddenSize: 1, inputSize: 1, outputSize: 1 };
    const bytes = encodeCheckpoint(
      makeParameters(() => Float64Array.of(0.1)),
      { size, connections: full(size), metadata: {} },
    );
    const { parameters } = decodeCheckpoint(bytes, { name });
    assert.equal(parameters.weightHh[0], Math.fround(0.1));
  });
});

describe("encodeCheckpoint() of a large network", () => {
  const size = { hiddenSize: 4097, inputSize: 1, outputSize: 1 };
  /** Each neuron gets something from the next but one, every third from itself too. */
  function largeModel() {
    const start = new Uint32Array(4098);
    const sender: number[] = [];
    for (let i = 0; i < 4097; i++) {
      if (i % 3 === 0) sender.push(i);
      if (i + 2 < 4097) sender.push(i + 2);
      start[i + 1] = sender.length;
    }
    const connections = {
      receivers: 4097,
      senders: 4097,
      start,
      sender: Uint32Array.from(sender),
    };
    const parameters: Parameters<Float32Array> = {
      weightIh: new Float32Array(4097).fill(0.5),
      // Connections that are 0 stay connections.
      weightHh: Float32Array.from(sender, (_, i) => i % 5),
      biasIh: new Float32Array(4097),
      biasHh: new Float32Array(4097),
      weightFc: new Float32Array(4097).fill(-0.5),
      biasFc: new Float32Array(1),
    };
    return { connections, parameters };
  }

  it("has W_hh's connections in three tensors, and gives them back", () => {
    const { connections, parameters } = largeModel();
    const bytes = encodeCheckpoint(parameters, {
      size,
      connections,
      metadata: { epoch: "1" },
    });
    const { tensors } = decodeSafetensors(bytes, { name });
    const n = connections.sender.length;
    assert.deepEqual(
      tensors.map(({ name, shape, dtype }) => `${name} [${shape}] ${dtype}`)
        .sort(),
      [
        "fc.bias [1] F32",
        "fc.weight [1,4097] F32",
        "rnn.bias_hh_l0 [4097] F32",
        "rnn.bias_ih_l0 [4097] F32",
        `rnn.weight_hh_l0.col_indices [${n}] I64`,
        "rnn.weight_hh_l0.crow_indices [4098] I64",
        `rnn.weight_hh_l0.values [${n}] F32`,
        "rnn.weight_ih_l0 [4097,1] F32",
      ],
    );
    const found = decodeCheckpoint(bytes, { name, size });
    assert.deepEqual(found.connections, connections);
    assert.deepEqual(found.parameters, parameters);
    assert.equal(found.metadata.epoch, "1");
  });

  it("refuses weights that are not those of the connections", () => {
    const { connections, parameters } = largeModel();
    assert.throws(
      () =>
        encodeCheckpoint(
          { ...parameters, weightHh: new Float32Array(3) },
          { size, connections, metadata: {} },
        ),
      /it has 3 recurrent weights, and 5461 connections of 4097 × 4097 units/,
    );
  });

  /** A model of three units in the same form. */
  function smallSparse(changes: Record<string, NamedTensor["data"]> = {}) {
    const tensors: Record<string, NamedTensor["data"]> = {
      crow_indices: BigInt64Array.of(0n, 1n, 1n, 3n),
      col_indices: BigInt64Array.of(2n, 0n, 1n),
      values: Float32Array.of(1, 2, 3),
      ...changes,
    };
    return encodeSafetensors([
      ...Object.entries(tensors).map(([part, data]) => ({
        name: `features.0.weight_hh_l0.${part}`,
        shape: [data.length],
        data,
      })),
      ...Object.entries({
        "features.0.weight_ih_l0": [3, 2],
        "features.0.bias_ih_l0": [3],
        "features.0.bias_hh_l0": [3],
        "features.1.weight": [1, 3],
        "features.1.bias": [1],
      }).map(([name, shape]) => ({
        name,
        shape,
        data: new Float32Array(shape.reduce((a, b) => a * b)),
      })),
    ]);
  }

  it("is read under any name, whatever the size, and with 32-bit indices", () => {
    for (
      const changes of [{}, {
        crow_indices: Int32Array.of(0, 1, 1, 3),
        col_indices: Int32Array.of(2, 0, 1),
        values: Float64Array.of(1, 2, 3),
      }]
    ) {
      const found = decodeCheckpoint(smallSparse(changes), { name });
      assert.deepEqual(found.size, {
        hiddenSize: 3,
        inputSize: 2,
        outputSize: 1,
      });
      assert.deepEqual(
        [...denseMatrix(found.connections, found.parameters.weightHh)],
        [0, 0, 1, 0, 0, 0, 2, 3, 0],
      );
    }
  });

  const faults: [string, Record<string, NamedTensor["data"]>, RegExp][] = [
    [
      "a sender that there is not",
      { col_indices: BigInt64Array.of(3n, 0n, 1n) },
      /connections of its features\.0\.weight_hh_l0 are unsound: connection 0 of receiver 0 comes from sender 3 of 3/,
    ],
    [
      "rows that end beyond the list",
      { crow_indices: BigInt64Array.of(0n, 1n, 1n, 4n) },
      /are unsound: the starts of receivers go from 0 to 4/,
    ],
    [
      "an index below 0",
      { col_indices: BigInt64Array.of(-1n, 0n, 1n) },
      /col_indices holds -1/,
    ],
    [
      "an index beyond all bounds",
      { crow_indices: BigInt64Array.of(0n, 1n, 1n, 2n ** 40n) },
      /crow_indices holds 1099511627776/,
    ],
    [
      "indices that are no integers",
      { crow_indices: Float32Array.of(0, 1, 1, 3) },
      /crow_indices holds no int64 or int32 numbers/,
    ],
    [
      "too few values",
      { values: Float32Array.of(1, 2) },
      /4 crow_indices, 3 col_indices and 2 values/,
    ],
    [
      "no rows",
      { crow_indices: new BigInt64Array(1) },
      /1 crow_indices, 3 col_indices and 3 values/,
    ],
  ];
  for (const [what, changes, message] of faults) {
    it(`is refused with ${what}`, () => {
      assert.throws(
        () => decodeCheckpoint(smallSparse(changes), { name }),
        (error) => error instanceof InputError && message.test(error.message),
      );
    });
  }

  it("is refused where a tensor is missing, or of another layer", () => {
    const bytes = (names: string[]) =>
      encodeSafetensors(
        names.map((name) => ({ name, shape: [1], data: new Float32Array(1) })),
      );
    assert.throws(
      () => decodeCheckpoint(bytes(["rnn.weight_hh_l0.values"]), { name }),
      /it has no tensor rnn\.weight_hh_l0\.crow_indices/,
    );
    assert.throws(
      () => decodeCheckpoint(bytes(["rnn.weight_hh_l1.values"]), { name }),
      /only one layer in one direction/,
    );
  });
});

describe("decodeCheckpoint()", () => {
  for (const format of ["legacy", "zip"] as const) {
    it(`reads the original's .pth in PyTorch's ${format} format`, () => {
      const bytes = Uint8Array.fromBase64(stateDicts[format]);
      const found = decodeCheckpoint(bytes, { name: "model.pth" });
      const size = { hiddenSize: 3, inputSize: 2, outputSize: 1 };
      assert.deepEqual(found.size, { ...size });
      const connections = listConnections(
        { receivers: 3, senders: 3 },
        Uint8Array.of(0, 1, 1, 1, 0, 0, 1, 1, 0),
      );
      const expected = numbered(size);
      assert.deepEqual(found.connections, connections);
      assert.deepEqual(found.parameters, {
        ...expected,
        weightHh: connectedValues(connections, expected.weightHh),
      });
    });
  }

  it("takes an RNN and a read-out of any names, where there is one of each", () => {
    const { size } = decodeCheckpoint(
      file({ ...rnn("features.0."), ...linear("features.1.", 3) }),
      { name },
    );
    assert.deepEqual(size, { hiddenSize: 3, inputSize: 2, outputSize: 3 });
    decodeCheckpoint(file({ ...rnn(""), ...linear("1.") }), { name });
    // Named as usual, these are the ones that are meant.
    decodeCheckpoint(
      file({ ...rnn(), ...rnn("other."), ...linear(), ...linear("more.", 2) }),
      { name },
    );
  });

  const faults: [string, Record<string, number[]>, RegExp][] = [
    ["no recurrent layer", linear(), /no tensor rnn\.weight_hh_l0/],
    ["no read-out", rnn(), /no read-out/],
    ["a gated network", {
      ...rnn(),
      "rnn.weight_hh_l0": [12, 3],
      ...linear(),
    }, /\[12,3\], but a plain \(Elman\) RNN has a square one/],
    ["two layers", {
      ...rnn(),
      "rnn.weight_hh_l1": [3, 3],
      ...linear(),
    }, /weight_hh_l1, but only one layer in one direction/],
    ["two directions", {
      ...rnn(),
      "rnn.weight_hh_l0_reverse": [3, 3],
      ...linear(),
    }, /only one layer in one direction/],
    [
      "two networks",
      { ...rnn("a."), ...rnn("b."), ...linear() },
      /2 recurrent layers \(a, b\)/,
    ],
    [
      "two read-outs",
      { ...rnn(), ...linear("a."), ...linear("b.") },
      /2 read-outs \(a, b\)/,
    ],
    ["a tensor of another shape", {
      ...rnn(),
      "rnn.bias_hh_l0": [4],
      ...linear(),
    }, /rnn\.bias_hh_l0 is \[4\]/],
    [
      "no inputs",
      { ...rnn("rnn.", 3, 0), ...linear() },
      /weight_ih_l0 is \[3,0\]/,
    ],
  ];
  for (const [what, tensors, message] of faults) {
    it(`refuses ${what} in one sentence`, () => {
      assert.throws(
        () => decodeCheckpoint(file(tensors), { name }),
        (error) => {
          assert.ok(error instanceof InputError);
          assert.match(
            error.message,
            /^Cannot use the model "model.safetensors": /,
          );
          assert.match(error.message, message);
          return true;
        },
      );
    });
  }

  it("refuses a model of another size", () => {
    const bytes = file({ ...rnn(), ...linear() });
    const size = { hiddenSize: 3, inputSize: 2, outputSize: 3 };
    assert.throws(() => decodeCheckpoint(bytes, { name, size }), {
      name: "InputError",
      message:
        'Cannot use the model "model.safetensors": it has 3 hidden units, 2 inputs and 1 output, but 3 hidden units, 2 inputs and 3 outputs are needed',
    });
  });

  it("refuses integers", () => {
    const tensors = Object.entries({ ...rnn(), ...linear() }).map(
      ([name, shape]) => ({
        name,
        shape,
        data: new Int32Array(shape.reduce((product, d) => product * d, 1)),
      }),
    );
    assert.throws(
      () => decodeCheckpoint(encodeSafetensors(tensors, {}), { name }),
      /holds no float32 or float64 numbers/,
    );
  });

  it("answers broken bytes with an InputError, never anything else", () => {
    const whole = [
      file({ ...rnn(), ...linear() }),
      Uint8Array.fromBase64(stateDicts.legacy),
      Uint8Array.fromBase64(stateDicts.zip),
    ];
    const broken = fc.oneof(
      fc.uint8Array({ maxLength: 64 }),
      fc.record({
        of: fc.constantFrom(...whole),
        end: fc.nat(),
        changes: fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 4 }),
      }).map(({ of, end, changes }) => {
        const bytes = of.slice(0, of.length - end % 8);
        for (const [place, byte] of changes) bytes[place % bytes.length] = byte;
        return bytes;
      }),
    );
    fc.assert(
      fc.property(broken, (bytes) => {
        try {
          decodeCheckpoint(bytes, { name });
        } catch (error) {
          assert.ok(error instanceof InputError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import { writeNpy } from "../../src/files/npy.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
} from "../../src/files/safetensors.ts";
import { createStream } from "../../src/random/stream.ts";
import { modelName } from "../../src/results/layout.ts";
import { encodeCheckpoint } from "../../src/rnn/checkpoint.ts";
import { denseMask, listConnections } from "../../src/graph/connections.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import {
  filesBelow,
  tinyConfig,
  type TinyExperiment,
} from "../soak/tiny_experiment.ts";
import { prepareText, trainTiny } from "./tiny_training.ts";
import { initialParameters } from "../../src/rnn/initialise.ts";
import { loadPretrained } from "../../src/train/pretrained.ts";
import stateDicts from "../rnn/state_dicts.json" with { type: "json" };
import { withFolder } from "../with_folder.ts";

const seqMem = { hiddenSize: 3, inputSize: 2, outputSize: 1 };
const nbackMem = { ...seqMem, outputSize: 3 };
const connections = listConnections(
  { receivers: 3, senders: 3 },
  Uint8Array.of(0, 1, 1, 1, 0, 0, 1, 1, 0),
);
const readout = (iteration = 0) =>
  createStream({ seed: 1, purpose: "readout", iteration });
const options = {
  combination: 0,
  epoch: 9,
  iteration: 0,
  size: nbackMem,
  stream: readout(),
};

/** Runs with a folder of one combination's checkpoints. */
async function withModels(
  files: Record<string, Uint8Array>,
  body: (folder: string) => Promise<void>,
): Promise<void> {
  await withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "0"));
    for (const [name, bytes] of Object.entries(files)) {
      await Deno.writeFile(join(folder, "0", name), bytes);
    }
    await body(folder);
  });
}

function trained(size = seqMem) {
  return initialParameters(size, {
    initialisation: "default",
    connections,
    stream: createStream({ seed: 3, purpose: "weights" }),
  });
}

const checkpoint = (size = seqMem) =>
  encodeCheckpoint(trained(size), { size, connections, metadata: {} });

async function sentence(folder: string, changes: Partial<typeof options> = {}) {
  let message = "";
  await assert.rejects(
    loadPretrained(folder, { ...options, ...changes }),
    (error) => {
      assert.ok(error instanceof InputError);
      message = error.message;
      return true;
    },
  );
  return message;
}

describe("loadPretrained()", () => {
  it("keeps the network and its connections, and gives nback_mem a read-out of its own", async () => {
    await withModels(
      { [modelName({ epoch: 9, iteration: 0 })]: checkpoint() },
      async (folder) => {
        const before = trained();
        const model = await loadPretrained(folder, {
          ...options,
          stream: readout(),
        });
        assert.equal(model.freshReadout, true);
        assert.deepEqual(model.connections, connections);
        for (
          const name of ["weightIh", "weightHh", "biasIh", "biasHh"] as const
        ) {
          assert.deepEqual(model.parameters[name], before[name]);
        }
        const { weightFc, biasFc } = model.parameters;
        assert.equal(weightFc.length, 9);
        assert.equal(biasFc.length, 3);
        const bound = 1 / Math.sqrt(3);
        assert.ok([...weightFc, ...biasFc].every((w) => Math.abs(w) <= bound));
        assert.equal(new Set([...weightFc, ...biasFc]).size, 12);
        const again = await loadPretrained(folder, {
          ...options,
          stream: readout(),
        });
        assert.deepEqual(again, model);
        const other = await loadPretrained(folder, {
          ...options,
          stream: readout(1),
        });
        assert.notDeepEqual(other.parameters.weightFc, weightFc);
      },
    );
  });

  it("gives seq_mem a read-out of its own too", async () => {
    const files = {
      [modelName({ epoch: 9, iteration: 0 })]: checkpoint(nbackMem),
    };
    await withModels(files, async (folder) => {
      const model = await loadPretrained(folder, { ...options, size: seqMem });
      assert.equal(model.freshReadout, true);
      assert.equal(model.parameters.weightFc.length, 3);
      assert.equal(model.parameters.biasFc.length, 1);
    });
  });

  it("goes on with the read-out where the number of outputs is the same", async () => {
    await withModels(
      { [modelName({ epoch: 9, iteration: 0 })]: checkpoint() },
      async (folder) => {
        const model = await loadPretrained(folder, {
          ...options,
          size: seqMem,
        });
        assert.equal(model.freshReadout, false);
        assert.deepEqual(model.parameters, trained());
      },
    );
  });

  it("takes the original's .pth where there is no checkpoint of ours", async () => {
    const pth = Uint8Array.fromBase64(stateDicts.legacy);
    const files = { "model_state_dict_epoch_9_iter_0.pth": pth };
    await withModels(files, async (folder) => {
      const model = await loadPretrained(folder, options);
      assert.equal(
        model.file,
        join(folder, "0", Object.keys(files)[0] as string),
      );
      assert.deepEqual(model.connections, connections);
      assert.equal(model.parameters.weightIh[0], 1 / 64);
    });
  });

  it("takes a weight of 0 or -0 for no connection", async () => {
    const parameters = trained();
    parameters.weightHh.set([0, -0], 1);
    const bytes = encodeCheckpoint(parameters, {
      size: seqMem,
      connections,
      metadata: {},
    });
    await withModels(
      { [modelName({ epoch: 9, iteration: 0 })]: bytes },
      async (folder) => {
        const model = await loadPretrained(folder, options);
        assert.deepEqual(
          [...denseMask(model.connections)],
          [0, 1, 0, 0, 0, 0, 1, 1, 0],
        );
        assert.equal(model.parameters.weightHh.length, 3);
      },
    );
  });

  it("tells what is missing and what is there", async () => {
    const files = Object.fromEntries(
      [0, 10, 20, 30, 40, 50, 60].map((
        epoch,
      ) => [
        modelName({ epoch, iteration: epoch === 60 ? 1 : 0 }),
        checkpoint(),
      ]),
    );
    await withModels(files, async (folder) => {
      const missing = join(folder, "none");
      assert.equal(
        await sentence(missing),
        `Cannot load the pretrained models: there is no folder "${missing}"`,
      );
      assert.equal(
        await sentence(folder, { combination: 3 }),
        `Cannot load the pretrained models: "${folder}" has no folder "3" for combination 3; it has 0`,
      );
      assert.equal(
        await sentence(folder),
        `Cannot load the pretrained models: "${
          join(folder, "0")
        }" has no model of epoch 9, iteration 0 (model_state_dict_epoch_9_iter_0.safetensors or .pth); there are epochs 0, 10, 20, 30, 40 … 60 of iterations 0, 1`,
      );
      await Deno.writeTextFile(join(folder, "file"), "");
      assert.match(await sentence(join(folder, "file")), /there is no folder/);
    });
    await withModels({}, async (folder) => {
      assert.match(await sentence(folder), /; it has none at all$/);
      assert.match(
        await sentence(join(folder, "0")),
        /for combination 0; it is no results folder$/,
      );
    });
  });

  it("tells both sizes where they do not fit", async () => {
    await withModels(
      { [modelName({ epoch: 9, iteration: 0 })]: checkpoint() },
      async (folder) => {
        const path = join(folder, "0", modelName({ epoch: 9, iteration: 0 }));
        assert.equal(
          await sentence(folder, { size: { ...nbackMem, hiddenSize: 220 } }),
          `Cannot use the pretrained model "${path}": it has 3 hidden units and 2 inputs, but this experiment has 220 and 2`,
        );
        assert.match(
          await sentence(folder, { size: { ...nbackMem, inputSize: 51 } }),
          /3 hidden units and 2 inputs, but this experiment has 3 and 51$/,
        );
      },
    );
  });

  it("refuses a model whose training went wrong", async () => {
    const parameters = trained();
    parameters.biasHh[1] = NaN;
    const bytes = encodeCheckpoint(parameters, {
      size: seqMem,
      connections,
      metadata: {},
    });
    await withModels(
      { [modelName({ epoch: 9, iteration: 0 })]: bytes },
      async (folder) => {
        assert.match(
          await sentence(folder),
          /some of its weights are NaN or infinite$/,
        );
      },
    );
  });
});

describe("prepare() with pretrained models", () => {
  const engine = createReferenceEngine();
  const fine = {
    task: "nback_mem",
    pretrained: "results",
    pretrainedEpoch: 1,
    results: "fine_tuned",
  } as const;
  const prepareTiny = (
    folder: string,
    { change = (text: string) => text, ...tiny }: TinyExperiment & {
      change?: (text: string) => string;
    },
  ) => prepareText(change(tinyConfig({ ...fine, ...tiny })), folder);

  async function withTrained(
    tiny: TinyExperiment,
    body: (folder: string) => Promise<void>,
  ) {
    await withFolder(async (folder) => {
      await trainTiny(folder, { engine, tiny: { epochs: 2, ...tiny } });
      await body(folder);
    });
  }

  const assertRefused = (promise: Promise<unknown>, message: RegExp) =>
    assert.rejects(promise, (error) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      return true;
    });

  /** Writes the models again without what they say of themselves, as earlier versions did. */
  async function forgetOrigin(folder: string): Promise<void> {
    for (const combination of ["0", "1"]) {
      const path = join(folder, "results", combination);
      for (const [name, bytes] of await filesBelow(path)) {
        if (!name.startsWith("model")) continue;
        const { tensors } = decodeSafetensors(bytes, { name });
        await Deno.writeFile(join(path, name), encodeSafetensors(tensors));
      }
    }
  }

  it("says in experiment.json where the models come from", () =>
    withTrained({}, async (folder) => {
      const { pretrained } = await prepareTiny(folder, {});
      assert.deepEqual(
        { ...pretrained!.record, sha256: "" },
        { folder: "results", epoch: 1, iteration: 0, sha256: "" },
      );
      assert.match(pretrained!.record.sha256, /^[0-9a-f]{64}$/);
    }));

  it("refuses models of another topology than the config's, with and without metadata", async () => {
    for (const randomW of [false, true]) {
      await withTrained({ randomW }, async (folder) => {
        await prepareTiny(folder, { randomW });
        await assertRefused(
          prepareTiny(folder, { randomW: !randomW }),
          new RegExp(`random_w = ${randomW ? "True" : "False"}`),
        );
        await forgetOrigin(folder);
        await prepareTiny(folder, { randomW });
        await assertRefused(
          prepareTiny(folder, { randomW: !randomW }),
          randomW
            ? /of its \d+ connections are between regions that .* does not connect, so that it was trained with another connectome, a random topology or none/
            : /they are no random ones; set \[net\] random_w = False/,
        );
      });
    }
  });

  it("refuses models of another null model", () =>
    withTrained({ randomW: true }, (folder) =>
      assertRefused(
        prepareTiny(folder, {
          change: (text) =>
            text.replace("[net]", "[net]\nnull_model = degrees"),
        }),
        /has random connections \(null_model permute\).* asks for random connections \(null_model degrees\); set \[net\] random_w = True/,
      )));

  it("refuses models whose W_hh lies the other way round", () =>
    withTrained({}, async (folder) => {
      const original = {
        change: (text: string) =>
          text.replace("[net]", "[net]\ncompatibility = original"),
      };
      await assertRefused(prepareTiny(folder, original), /compatibility/);
      await forgetOrigin(folder);
      await assertRefused(
        prepareTiny(folder, original),
        /none are the other way round: set \[net\] compatibility = described/,
      );
    }));

  it("refuses models of another connectome of the same size", () =>
    withTrained({}, async (folder) => {
      const weights = new Float64Array(29 * 29);
      for (let i = 0; i < 29; i++) weights[i * 29 + (i + 1) % 29] = 0.5;
      await Deno.writeFile(
        join(folder, "C_Ring.npy"),
        writeNpy({ shape: [29, 29], data: weights }),
      );
      const ring = { connectome: "Ring", network: folder };
      await assertRefused(
        prepareTiny(folder, ring),
        /trained with the connectome Synthetic_Macaque_29, and this experiment's is Ring/,
      );
      await forgetOrigin(folder);
      await assertRefused(prepareTiny(folder, ring), /Ring does not connect/);
    }));

  it("refuses to begin with models that its results would replace, by whatever path", () =>
    withTrained({}, async (folder) => {
      await Deno.symlink("results", join(folder, "link"));
      await Deno.mkdir(join(folder, "linked"));
      await Deno.symlink("../results/0", join(folder, "linked", "0"));
      for (
        const results of [
          "results",
          "./x/../results/",
          join(folder, "results"),
          "link",
          "linked",
        ]
      ) {
        await assertRefused(
          prepareTiny(folder, { results }),
          /^Cannot begin with the models in .*: they lie in the results folder of this training, .*--path_to_results$/,
        );
      }
    }));

  it("refuses a model with a flipped bit", () =>
    withTrained({}, async (folder) => {
      const name = modelName({ epoch: 1, iteration: 0 });
      const file = join(folder, "results", "1", name);
      const bytes = await Deno.readFile(file);
      bytes[bytes.length - 100]! ^= 1;
      await Deno.writeFile(file, bytes);
      await assertRefused(
        prepareTiny(folder, {}),
        /checksum does not fit its content, so it is damaged/,
      );
    }));
});

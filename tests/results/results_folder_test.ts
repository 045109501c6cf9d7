import assert from "node:assert/strict";
import { join } from "node:path";
import fc from "fast-check";
import { describe, it } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import { writeNpy } from "../../src/files/npy.ts";
import {
  inferGridKeys,
  parseFolderIndex,
} from "../../src/results/data_files.ts";
import { openFolder } from "../../src/results/open_folder.ts";
import { readResultsFolder } from "../../src/results/results_folder.ts";
import { encodeRunRecord, sumsOf } from "../../src/results/run_file.ts";
import { RunStore } from "../../src/results/run_store.ts";
import { readStatus } from "../../src/results/status.ts";
import {
  alike,
  assertRefused,
  curves,
  exampleRecord,
  falling,
  flipBit,
  TITLES,
  writeExample,
} from "./example_results.ts";
import { filesBelow } from "../soak/tiny_experiment.ts";
import { withFolder } from "../with_folder.ts";

const encode = (text: string) => new TextEncoder().encode(text);
const assertUnread = (path: string, message: RegExp) =>
  assertRefused(readResultsFolder(path), message);

describe("readResultsFolder()", () => {
  it("reads back what was written, with the grid's keys", () =>
    withFolder(async (folder) => {
      const first = alike(falling([0.1, 0.2, 0.3]));
      const second = alike(curves([0.5, NaN], [Infinity, 0.25]));
      const record = exampleRecord();
      const path = await writeExample(folder, "bio", {
        combinations: [first, second],
        record,
      });
      const results = await readResultsFolder(path);
      assert.deepEqual(results, {
        path,
        experiment: record,
        combinations: [{
          index: 0,
          title: TITLES[0],
          parameters: {
            lr: 0.0001,
            nonlinearity: "relu",
            optimizer: "Adam",
            pattern_length: 3,
          },
          ...first,
          networks: ["", "", ""],
        }, {
          index: 1,
          title: TITLES[1],
          parameters: {
            lr: 1e-6,
            nonlinearity: "tanh",
            optimizer: "SGD",
            pattern_length: 10,
          },
          ...second,
          networks: ["", "", ""],
        }],
        warnings: [],
      });
    }));

  it("reads the tables of networks, unless they are damaged", () =>
    withFolder(async (folder) => {
      const loss = alike(falling([0.1]));
      const path = await writeExample(folder, "bio", {
        combinations: [loss, loss],
      });
      const file = join(path, "null_model.csv");
      const bytes = encode(
        'measure,biological,permute\r\n"out-degree, spread",1,2\r\n',
      );
      await Deno.writeFile(file, bytes);
      await Deno.writeFile(
        join(path, "SHA256SUMS"),
        sumsOf([["null_model.csv", () => bytes]]),
      );
      const sound = await readResultsFolder(path);
      assert.deepEqual(sound.nullMeasures, [
        { measure: "out-degree, spread", biological: 1, random: 2 },
      ]);
      assert.equal(sound.runMeasures, undefined);
      await Deno.writeTextFile(file, "measure,biological,permute\n");
      const damaged = await readResultsFolder(path);
      assert.equal(damaged.nullMeasures, undefined);
      assert.match(
        damaged.warnings.join(),
        /null_model\.csv does not fit its checksum in SHA256SUMS and is left out/,
      );
    }));

  it("reads a folder of the original program, and infers the keys", () =>
    withFolder(async (folder) => {
      const loss = falling([0.1, 0.2]);
      const path = await writeExample(folder, "original", {
        combinations: [alike(loss), alike(loss)],
      });
      const { experiment, combinations } = await readResultsFolder(path);
      assert.equal(experiment, undefined);
      assert.deepEqual(combinations[1]?.parameters, {
        lr: 1e-6,
        nonlinearity: "tanh",
        optimizer: "SGD",
        pattern_length: 10,
      });
    }));

  it("calls the difficulty n_back where there are accuracies, and keeps those of one iteration only", () =>
    withFolder(async (folder) => {
      const path = await writeExample(folder, "original", {
        combinations: [
          alike(falling([0.1, 0.2]), falling([50])),
          alike(falling([0.1, 0.2])),
        ],
      });
      const results = await readResultsFolder(path);
      const [first, second] = results.combinations;
      assert.equal(first?.parameters.n_back, 3);
      assert.equal(first?.validateMetrics?.iterations, 1);
      assert.equal(second?.validateMetrics, undefined);
      assert.deepEqual(results.warnings, [
        `${path}: combination 0 has accuracies of 1 of its 2 iterations`,
      ]);
    }));

  it("takes an empty accuracy file for none, and one dimension for one iteration", () =>
    withFolder(async (folder) => {
      const path = await writeExample(folder, "original", {
        combinations: [alike(falling([0.1])), alike(falling([0.2]))],
      });
      await Deno.writeFile(
        join(path, "0", "validate_metrics_all.npy"),
        writeNpy({ shape: [0], data: new Float64Array(0) }),
      );
      await Deno.writeFile(
        join(path, "0", "validate_loss_all.npy"),
        writeNpy({ shape: [3], data: Float64Array.of(3, 2, 1) }),
      );
      const [first] = (await readResultsFolder(path)).combinations;
      assert.equal(first?.validateMetrics, undefined);
      assert.deepEqual(first?.validateLoss, curves([3, 2, 1]));
    }));

  it("leaves out unfinished combinations and names them", () =>
    withFolder(async (folder) => {
      const path = await writeExample(folder, "bio", {
        combinations: [undefined, alike(falling([0.1]))],
      });
      await Deno.mkdir(join(path, "0"));
      const { combinations, warnings } = await readResultsFolder(path);
      assert.deepEqual(combinations.map(({ index }) => index), [1]);
      assert.deepEqual(warnings, [
        `${path}: 1 of 2 combinations have no losses yet and are left out: 0`,
      ]);
    }));

  it("leaves out curves that do not fit their checksum", () =>
    withFolder(async (folder) => {
      const loss = alike(falling([0.1]));
      const path = await writeExample(folder, "bio", {
        combinations: [loss, loss],
      });
      const files = (await filesBelow(path)).entries()
        .filter(([name]) => name.endsWith(".npy"))
        .map(([name, bytes]) => [name, () => bytes] as const);
      await Deno.writeFile(join(path, "SHA256SUMS"), sumsOf([...files]));
      assert.equal((await readResultsFolder(path)).warnings.length, 0);
      await flipBit(join(path, "1", "validate_loss_all.npy"), 3);
      const { combinations, warnings } = await readResultsFolder(path);
      assert.deepEqual(combinations.map(({ index }) => index), [0]);
      assert.equal(warnings.length, 1);
      assert.match(
        warnings[0]!,
        /1\/validate_loss_all\.npy does not fit its checksum .* combination 1 is left out; .*--resume/,
      );
    }));

  it("holds curves whose checksum was lost against the runs", () =>
    withFolder(async (folder) => {
      const record = exampleRecord({ iterations: 1 });
      const loss = alike(falling([0.1]));
      const path = await writeExample(folder, "bio", {
        combinations: [loss, loss],
        record,
      });
      await Deno.mkdir(join(path, "runs"));
      for (const combination of [0, 1]) {
        await Deno.writeFile(
          join(path, "runs", `${combination}_0.safetensors`),
          encodeRunRecord({
            id: { combination, iteration: 0 },
            experiment: record.fingerprint,
            engine: "reference",
            program: "biornn",
            history: {
              trainLoss: loss.trainLoss.values,
              validateLoss: loss.validateLoss.values,
            },
          }),
        );
      }
      const files = (await filesBelow(path)).entries()
        .filter(([name]) => name.endsWith("validate_loss_all.npy"))
        .map(([name, bytes]) => [name, () => bytes] as const);
      await Deno.writeFile(join(path, "SHA256SUMS"), sumsOf([...files]));
      assert.deepEqual((await readResultsFolder(path)).warnings, []);
      await flipBit(join(path, "1", "train_loss_all.npy"), 3);
      const { combinations, warnings } = await readResultsFolder(path);
      assert.deepEqual(combinations.map(({ index }) => index), [0]);
      assert.match(
        warnings.join(),
        /the curves of combination 1 are not those of its runs, .*left out/,
      );
    }));

  it("says where the list of combinations contradicts the record, or repeats itself", () =>
    withFolder(async (folder) => {
      const loss = alike(falling([0.1]));
      const path = await writeExample(folder, "bio", {
        titles: TITLES.slice(0, 1),
        combinations: [loss, loss],
        record: exampleRecord(),
      });
      const { warnings } = await readResultsFolder(path);
      assert.match(
        warnings.join(),
        /folder_index\.txt lists 1 combinations, and experiment\.json 2; missing or otherwise there: 1; .*--resume/,
      );
      await Deno.writeTextFile(
        join(path, "folder_index.txt"),
        `0 ${TITLES[0]}\n1 ${TITLES[0]}\n`,
      );
      const twice = await readResultsFolder(path);
      assert.deepEqual(twice.combinations.map(({ index }) => index), [0]);
      assert.match(
        twice.warnings.join(),
        /combination 1 has the same values as combination 0 and is left out/,
      );
    }));

  it("refuses a missing folder, a file, and a folder without an index", () =>
    withFolder(async (folder) => {
      await assertUnread(join(folder, "none"), /there is no such folder/);
      const file = join(folder, "file");
      await Deno.writeTextFile(file, "");
      await assertUnread(file, /it is a file, not a folder/);
      await assertUnread(folder, /no results folder, as it has no folder_ind/);
    }));

  it("refuses damaged files: one sentence that names the file", () =>
    withFolder(async (folder) => {
      const loss = alike(falling([0.1]));
      const path = await writeExample(folder, "bio", {
        combinations: [loss, loss],
        record: exampleRecord(),
      });
      const cases: [string, Uint8Array | string, RegExp][] = [
        [
          "1/validate_loss_all.npy",
          (await Deno.readFile(join(path, "1/validate_loss_all.npy")))
            .subarray(0, 150),
          /1.validate_loss_all\.npy": its header says shape \(1, 12\)/,
        ],
        [
          "1/train_loss_all.npy",
          writeNpy({ shape: [1, 1, 1], data: Float64Array.of(1) }),
          /must be \(iterations, epochs\), found \(1, 1, 1\)/,
        ],
        ["folder_index.txt", "0 (0.1, 'relu')\nnonsense\n", /line 2 must be/],
        ["folder_index.txt", "", /lists no combination/],
        ["folder_index.txt", "0 (0.1, __import__('os'))", /no Python tuple/],
        ["folder_index.txt", "0 (1, 2, 3, 4, 5)", /5 values .* names 4/],
        ["folder_index.txt", "0 (1, 2)\n0 (1, 3)", /line 2 gives combination/],
        ["experiment.json", "{}", /experiment\.json": format must be/],
      ];
      for (const [name, content, message] of cases) {
        const file = join(path, name);
        const sound = await Deno.readFile(file);
        await Deno.writeFile(
          file,
          typeof content === "string" ? encode(content) : content,
        );
        await assertUnread(path, message);
        await Deno.writeFile(file, sound);
      }
      assert.equal((await readResultsFolder(path)).combinations.length, 2);
    }));
});

describe("parseFolderIndex()", () => {
  const parse = (text: string) => parseFolderIndex(text, { name: "index" });

  it("keeps the tuple's text and reads its values, whatever the line ends", () => {
    assert.deepEqual(parse("0 (1e-06, 'relu', True, None)\r\n\r\n12 (3,)"), [
      {
        index: 0,
        title: "(1e-06, 'relu', True, None)",
        values: [1e-6, "relu", true, "None"],
      },
      { index: 12, title: "(3,)", values: [3] },
    ]);
  });

  it("takes lines that a second start wrote again", () => {
    assert.equal(parse("0 (1,)\n1 (2,)\n0 (1,)\n").length, 2);
  });

  it("refuses numbers that would name other folders", () => {
    for (const number of ["-1", "01", "1.5", "../0", "1e3", "9999999999"]) {
      assert.throws(() => parse(`${number} (1,)`), InputError);
    }
  });

  it("reads or refuses any text, with an InputError", () => {
    fc.assert(fc.property(fc.string({ unit: "binary" }), (text) => {
      try {
        parse(`0 (${text})`);
      } catch (error) {
        assert.ok(error instanceof InputError, String(error));
      }
    }));
  });
});

describe("inferGridKeys()", () => {
  it("tells the keys by their values, in any order", () => {
    assert.deepEqual(
      inferGridKeys([["SGD", 2, 0.01, "tanh"], ["Adam", 3, 0.01, "tanh"]], {
        accuracy: true,
      }),
      ["optimizer", "n_back", "lr", "nonlinearity"],
    );
  });

  it("numbers what it can't tell", () => {
    assert.deepEqual(
      inferGridKeys([[0.1, "relu", 3, 5, "x"]], { accuracy: false }),
      ["lr", "nonlinearity", "parameter 3", "parameter 4", "parameter 5"],
    );
    assert.deepEqual(inferGridKeys([], { accuracy: false }), []);
  });
});

describe("a pipe in place of a file of results", () => {
  const names = [
    "folder_index.txt",
    "experiment.json",
    "0/validate_loss_all.npy",
    "SHA256SUMS",
    "runs/0_0.safetensors",
    "runs/0_1.states_3.safetensors",
    "training.lock",
  ];
  for (const name of names) {
    it(`is refused or passed over, and nobody waits for its writer: ${name}`, () =>
      withFolder(async (folder) => {
        if (Deno.build.os === "windows") return;
        const loss = alike(falling([0.1, 0.2, 0.3]));
        const record = exampleRecord({ trainedBy: [], failures: [] });
        const path = await writeExample(folder, "bio", {
          combinations: [loss, loss],
          record,
        });
        await Deno.mkdir(join(path, "runs"));
        const file = join(path, name);
        await Deno.remove(file).catch(() => {});
        await new Deno.Command("mkfifo", { args: [file] }).output();
        const said: string[] = [];
        const warn = (line: string) => said.push(line);
        for (
          const read of [
            async () => warn((await readResultsFolder(path)).warnings.join()),
            async () => warn((await readStatus(path)).warnings.join()),
            async () => {
              const store = await RunStore.open({
                folder: path,
                experiment: record.fingerprint,
                size: record.size,
                epochs: record.epochs,
                warn,
              });
              await store.finished({ combination: 0, iteration: 0 });
            },
            async () =>
              await (await openFolder(path, {
                record,
                mode: "join",
                part: undefined,
                ids: [],
                files: [],
                deadAfter: 10,
                warn,
              })).release(),
          ]
        ) {
          await read().catch((error) => {
            assert.ok(error instanceof InputError, String(error));
            said.push(error.message);
          });
        }
        // Without checksums the curves are held against the runs.
        if (name === "SHA256SUMS") return;
        assert.match(said.join("\n"), /but a pipe|another process ended/);
      }));
  }
});

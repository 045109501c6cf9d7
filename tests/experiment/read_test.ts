import assert from "node:assert/strict";
import { INITIALISATIONS } from "../../src/rnn/initialisations.ts";
import { NONLINEARITIES } from "../../src/rnn/nonlinearities.ts";
import { OPTIMIZERS } from "../../src/rnn/optimizers.ts";
import { resolve } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import {
  describeExperiment,
  type Experiment,
  regionsMismatch,
} from "../../src/experiment/experiment.ts";
import {
  type ExperimentOverrides,
  readArms,
  readExperiment,
} from "../../src/experiment/read.ts";

/** As the original's config files look: no `[pretrainedparams]`, absolute paths. */
const ORIGINAL = `[paths]
path_to_network = /data/connectomes/
path_to_results = /data/results/test
pretrained = 

[net]
net_name = Marmoset_Normalized
rnn_size = 55
nr_neurons = 4
rand_partition = True
random_w = False

[trainvalidate]
epochs = 500
iterations = 5
init = default
freeze_layer = False
remap_w = True

[trialparams]
trial_params = {"task_name":"seq_mem", "nr_of_trials":500, "train_size":0.8}

[combosparams]
combos_params = {"lr":[0.0001,0.000001], "nonlinearity":["relu","tanh"], "optimizer":["Adam","RMSprop"], "pattern_length": [3, 5, 10]}
`;

const KEYS = ["lr", "nonlinearity", "optimizer", "pattern_length"];

function read(text: string, overrides: ExperimentOverrides = {}, folder = ".") {
  return readExperiment(text, { file: "folder/c.ini", overrides, folder });
}

/** The original's config with pieces replaced. */
function changed(pieces: Readonly<Record<string, string>>): string {
  return Object.entries(pieces).reduce((text, [from, to]) => {
    assert(text.includes(from), from);
    return text.replace(from, to);
  }, ORIGINAL);
}

/** More lines of `[net]`. */
const inNet = (...lines: string[]) => ({
  "random_w = False": ["random_w = False", ...lines].join("\n"),
});

/** A task with pictures, `task` with what stands behind its name. */
const showing = (task: string, n = "[2]") => ({
  '"seq_mem",': task,
  '"pattern_length": [3, 5, 10]': `"n_back":${n}`,
});

describe("readExperiment()", () => {
  it("reads a config file of the original", () => {
    const { grid, task, source, ...rest } = read(ORIGINAL);
    assert.deepEqual(rest, {
      file: "folder/c.ini",
      arm: undefined,
      paths: {
        results: resolve("/data/results/test"),
        network: resolve("/data/connectomes"),
        pretrained: undefined,
        latents: undefined,
        images: undefined,
      },
      net: {
        name: "Marmoset_Normalized",
        regions: 55,
        neuronsPerRegion: 4,
        randPartition: true,
        nullModel: "none",
        nullSamples: 0,
        match: "none",
        sharedInit: false,
        freshNetwork: false,
        compatibility: "described",
        targetSparsity: 0.8,
        targetSparsityIntrinsic: 1,
      },
      nullModel: undefined,
      initialisation: INITIALISATIONS.get("default"),
      training: {
        epochs: 500,
        iterations: 5,
        init: "default",
        freezeLayer: false,
        remapW: true,
      },
      pretrained: { epoch: 0, iteration: 0 },
      run: { seed: 0, batchSize: 128, storeEveryEpoch: 0 },
    });
    assert.deepEqual({ ...task, task: task.task.name }, {
      task: "seq_mem",
      nrOfTrials: 500,
      trainSize: 0.8,
      parameters: { low: 0, high: 1 },
    });
    assert.deepEqual(grid.keys, KEYS);
    assert.equal(source.text, ORIGINAL);
    assert.equal(source.lines.rnn_size, 8);
  });

  it("makes the grid in the original's order, as Python writes it", () => {
    const { combinations } = read(ORIGINAL).grid;
    assert.equal(combinations.length, 24);
    const shown = combinations.map(({ index, repr }) => `${index} ${repr}`);
    assert.deepEqual([0, 1, 2, 3, 6, 12, 23].map((i) => shown[i]), [
      "0 (0.0001, 'relu', 'Adam', 3)",
      "1 (0.0001, 'relu', 'Adam', 5)",
      "2 (0.0001, 'relu', 'Adam', 10)",
      "3 (0.0001, 'relu', 'RMSprop', 3)",
      "6 (0.0001, 'tanh', 'Adam', 3)",
      "12 (1e-06, 'relu', 'Adam', 3)",
      "23 (1e-06, 'tanh', 'RMSprop', 10)",
    ]);
    assert.deepEqual(combinations[23], {
      index: 23,
      values: [
        { value: 0.000001, repr: "1e-06" },
        { value: "tanh", repr: "'tanh'" },
        { value: "RMSprop", repr: "'RMSprop'" },
        { value: 10, repr: "10" },
      ],
      repr: "(1e-06, 'tanh', 'RMSprop', 10)",
      learningRate: 0.000001,
      activation: NONLINEARITIES.get("tanh"),
      optimizer: OPTIMIZERS.get("RMSprop"),
      parameters: { low: 0, high: 1, pattern_length: 10, nr_of_trials: 500 },
    });
  });

  it("follows the config's order of keys, and takes tuples as lists", () => {
    const { grid } = read(changed({
      [ORIGINAL.slice(ORIGINAL.indexOf("combos_params = "))]: `combos_params = {
        'pattern_length': (4, 2),  # the first key changes slowest
        'optimizer': ['SGD'],

        'lr': [1, 0.5,],
        'nonlinearity': ['tanh'],
        }
`,
    }));
    assert.deepEqual(grid.combinations.map(({ repr }) => repr), [
      "(4, 'SGD', 1, 'tanh')",
      "(4, 'SGD', 0.5, 'tanh')",
      "(2, 'SGD', 1, 'tanh')",
      "(2, 'SGD', 0.5, 'tanh')",
    ]);
    assert.equal(grid.combinations[2]?.learningRate, 1);
    assert.equal(grid.combinations[2]?.parameters.pattern_length, 2);
  });

  it("reads the n-back tasks' parameters", () => {
    const own = '"pic_mem", "trial_length":5, "rescale":False,';
    const { task, grid } = read(changed(showing(own, "[2,4]")));
    assert.equal(task.task.name, "pic_mem");
    assert.deepEqual(grid.combinations.at(-1)?.parameters, {
      trial_length: 5,
      rescale: false,
      n_back: 4,
      nr_of_trials: 500,
    });
  });

  it('takes "True" in quotes for True, as it stands in some configs', () => {
    for (const value of [true, false]) {
      const given = value ? '"True"' : '"False"';
      const own = `"pic_latent_mem", "trial_length":5, "rescale":${given},`;
      const { task } = read(changed(showing(own)));
      assert.equal(task.parameters.rescale, value);
    }
  });

  it("takes every boolean that getboolean takes", () => {
    const { net, training } = read(
      changed({ "_w = False": "_w = ON", "remap_w = True": "remap_w = 0" }),
    );
    assert.equal(net.nullModel, "permute");
    assert.equal(training.remapW, false);
  });

  it("reads the keys that are its own", () => {
    const text = changed({
      ...inNet(
        "compatibility = original",
        "target_sparsity = .5",
        "target_sparsity_intrinsic=1",
      ),
      "pretrained = ": "pretrained = old",
    }) +
      "[run]\nseed = 7\nbatch_size = 32\nstore_every_epoch = 10\n" +
      "[pretrainedparams]\npretrained_epoch = 499\npretrained_iteration = 4\n";
    const { net, paths, run, pretrained } = read(text);
    assert.equal(net.compatibility, "original");
    assert.equal(net.targetSparsity, 0.5);
    assert.equal(net.targetSparsityIntrinsic, 1);
    assert.equal(paths.pretrained, resolve("folder/old"));
    assert.deepEqual(run, { seed: 7, batchSize: 32, storeEveryEpoch: 10 });
    assert.deepEqual(pretrained, { epoch: 499, iteration: 4 });
  });

  it("reads the file of a task with pictures, and no other that is empty or for all sections", () => {
    const cases = [
      ["pic_latent_mem", "latents", "images"],
      ["pic_mem", "images", "latents"],
    ] as const;
    for (const [task, key, other] of cases) {
      const text = changed({
        ...showing(`"${task}", "trial_length":5,`),
        "pretrained = ": `${key} = p.npy\n${other} =`,
      });
      const { paths } = read(text);
      assert.equal(paths[key], resolve("folder/p.npy"));
      assert.equal(paths[other], undefined);
      const { paths: all } = read(
        `[DEFAULT]\n${other} = o.npy\n${text.replace(`\n${other} =`, "")}`,
      );
      assert.equal(all[key], resolve("folder/p.npy"));
    }
    const { paths } = read(changed({ "pretrained = ": "latents =" }));
    assert.equal(paths.latents, undefined);
  });

  it("takes any init but default for auto where it follows the original", () => {
    const withInit = (init: string, more = {}) =>
      read(changed({ "init = default": `init = ${init}`, ...more }));
    const followed = inNet("compatibility = original");
    assert.equal(withInit("kaiming", followed).training.init, "auto");
    for (const init of INITIALISATIONS.keys()) {
      assert.equal(withInit(init).training.init, init);
      assert.equal(withInit(init).initialisation.name, init);
      const original = withInit(init, followed);
      assert.equal(original.training.init, init);
      assert.equal(
        original.initialisation.name,
        ["xavier", "he"].includes(init) ? "auto" : init,
      );
    }
  });

  it("begins relative paths at the config file's folder", () => {
    const { paths } = read(changed({
      "/data/results/test": "../out",
      "/data/connectomes/": "nets",
    }));
    assert.equal(paths.results, resolve("out"));
    assert.equal(paths.network, resolve("folder/nets"));
  });

  it("needs no folder with connectomes", () => {
    const key = "path_to_network = /data/connectomes/\n";
    for (const instead of ["", "path_to_network =\n"]) {
      const { paths } = read(changed({ [key]: instead }));
      assert.equal(paths.network, undefined);
    }
  });

  it("lets the command line stand in for the config", () => {
    const text = ORIGINAL.replace(/path_to_results.*\n/, "")
      .replace("epochs = 500", "epochs = many")
      .replace(/iterations = 5\n/, "");
    const { paths, training, run } = read(text, {
      pathToResults: "out",
      pathToNetwork: "nets",
      seed: "12",
      epochs: 3,
      iterations: "2",
    });
    assert.equal(paths.results, resolve("out"));
    assert.equal(paths.network, resolve("nets"));
    assert.equal(training.epochs, 3);
    assert.equal(training.iterations, 2);
    assert.equal(run.seed, 12);
  });

  it("takes values from [DEFAULT] and puts references in", () => {
    const text = "[DEFAULT]\nhome = /data\nseed = 5\n" +
      changed({ "/data/results/test": "%(home)s/100%%" }) + "[run]\n";
    const { paths, run } = read(text);
    assert.equal(paths.results, resolve("/data/100%"));
    assert.equal(run.seed, 5);
  });
});

describe("describeExperiment()", () => {
  it("says what will be trained", () => {
    assert.deepEqual(describeExperiment(read(ORIGINAL)).split("\n"), [
      "config       folder/c.ini",
      `results      ${resolve("/data/results/test")}`,
      "task         seq_mem, low 0, high 1, 400 trials to train and 100 to validate",
      "net          Marmoset_Normalized, 55 regions of 4 neurons, random partition",
      "weights      init default, remapped to the connectome's ranks",
      "training     500 epochs, batches of 128, seed 0, models stored at the end",
      "grid         lr: 0.0001, 1e-06",
      "             nonlinearity: 'relu', 'tanh'",
      "             optimizer: 'Adam', 'RMSprop'",
      "             pattern_length: 3, 5, 10",
      "models       120: 24 combinations, 5 iterations of each",
    ]);
  });

  it("names what departs from the usual", () => {
    const text = changed({
      "freeze_layer = False": "freeze_layer = True",
      "random_w = False":
        "random_w = True\ncompatibility = original\ntarget_sparsity = 0.5\ntarget_sparsity_intrinsic = 2e-1",
      "rand_partition = True": "rand_partition = False",
      "pretrained = ": "pretrained = /old",
    }) + "[run]\nstore_every_epoch = 1\n";
    const description = describeExperiment(read(text));
    const parts = [
      "equal partition, target sparsity 0.5, target sparsity 0.2 within regions, random topology (null model permute), compatibility original",
      `pretrained, epoch 0 of iteration 0 in ${resolve("/old")}`,
      "recurrent layer frozen",
      "models stored every 1 epoch and at the end",
    ];
    for (const part of parts) assert(description.includes(part), part);
    assert(!description.includes("remapped"), "pretrained models are not");
  });
});

describe("regionsMismatch()", () => {
  it("names the line or the flag, what was found and what is allowed", () => {
    const written = read(changed({ "= 55": "= 54" }));
    const flagged = read(ORIGINAL, { set: { "net.rnn_size": "54" } });
    const problem =
      "[net] rnn_size must be 55, the number of regions of Marmoset_Normalized, found 54";
    assert.deepEqual(
      [written, flagged].map((each) => regionsMismatch(each, 55).message),
      [
        `Cannot read "folder/c.ini", line 8: ${problem}`,
        `Cannot use --set net.rnn_size: ${problem}`,
      ],
    );
  });
});

describe("config/", () => {
  const readFile = (name: string) => {
    const file = `config/${name}`;
    return readExperiment(Deno.readTextFileSync(file), { file });
  };

  it("has templates that can all be read, with results outside of it", () => {
    const filesIn = (folder: string): string[] =>
      [...Deno.readDirSync(folder)].flatMap(({ name, isDirectory }) => {
        const path = `${folder}/${name}`;
        return isDirectory ? filesIn(path) : [path];
      });
    const files = filesIn("config");
    assert(files.length >= 8);
    for (const file of files) {
      for (const arm of readArms(Deno.readTextFileSync(file), { file })) {
        const { results } = arm.paths;
        assert(results.startsWith(resolve("results")), `${file}: ${results}`);
      }
    }
  });

  for (const task of ["seq_mem", "nback_mem", "pic_latent_mem", "pic_mem"]) {
    it(`has config_${task}.ini, the original's experiment`, () => {
      const experiment = readFile(`config_${task}.ini`);
      const original = read(ORIGINAL);
      assert.equal(experiment.task.task.name, task);
      for (const part of ["net", "training", "run"] as const) {
        assert.deepEqual(experiment[part], original[part]);
      }
      const { combinations } = experiment.grid;
      assert.equal(combinations.length, 24);
      const last = `(1e-06, 'tanh', 'RMSprop', ${task === "seq_mem" ? 10 : 4})`;
      assert.equal(combinations[23]?.repr, last);
    });
  }

  it("has quickstart.ini, which needs no download", () => {
    const { net, grid, task } = readFile("quickstart.ini");
    assert.equal(net.name, "Synthetic_Macaque_29");
    assert.equal(net.regions, 29);
    assert.equal(task.task.name, "seq_mem");
    const activations = new Set(
      grid.combinations.map((c) => c.activation.name),
    );
    assert.deepEqual([...activations].sort(), ["relu", "tanh"]);
  });
});

describe("readExperiment() with overrides", () => {
  /** A key, another value for it, and the line that the config has; without one the line is new. */
  const CHANGES: [key: string, value: string, line?: string][] = [
    ["net.net_name", "Macaque_Normalized", "net_name = Marmoset_Normalized"],
    ["net.rnn_size", "29", "rnn_size = 55"],
    ["net.nr_neurons", "3", "nr_neurons = 4"],
    ["net.rand_partition", "False", "rand_partition = True"],
    ["net.RANDOM_W", "yes", "random_w = False"],
    ["net.target_sparsity", ".5"],
    ["net.target_sparsity_intrinsic", "0.25"],
    ["net.compatibility", "original"],
    ["trainvalidate.epochs", "7", "epochs = 500"],
    ["trainvalidate.iterations", "2", "iterations = 5"],
    ["trainvalidate.init", "he", "init = default"],
    ["trainvalidate.freeze_layer", "1", "freeze_layer = False"],
    ["trainvalidate.remap_w", "off", "remap_w = True"],
    ["paths.pretrained", "/data/old", "pretrained = "],
    ["pretrainedparams.pretrained_epoch", "3"],
    ["pretrainedparams.pretrained_iteration", "1"],
    ["run.seed", "9"],
    ["run.batch_size", "64"],
    ["run.store_every_epoch", "10"],
  ];

  const facts = ({ source: _, ...experiment }: Experiment) => experiment;

  for (const [name, value, line] of CHANGES) {
    it(`takes ${name} as a config that says so`, () => {
      const [section = "", key] = name.split(".");
      const header = `[${section}]\n`;
      const text = line !== undefined
        ? changed({ [`${line}\n`]: `${key} = ${value}\n` })
        : ORIGINAL.includes(header)
        ? changed({ [header]: `${header}${key} = ${value}\n` })
        : `${ORIGINAL}\n${header}${key} = ${value}\n`;
      const flagged = read(ORIGINAL, { set: { [name]: value } });
      assert.deepEqual(facts(flagged), facts(read(text)));
      assert.deepEqual(flagged.source.overrides, { [name]: value });
    });
  }

  it("takes keys of the dicts, and leaves their others", () => {
    const { grid, task } = read(ORIGINAL, {
      set: {
        "combos_params.lr": "[1e-3]",
        "combos_params.pattern_length": "[2, 4]",
        "trial_params.nr_of_trials": "30",
        "trial_params.high": "2",
      },
    });
    assert.deepEqual(grid.keys, KEYS);
    assert.equal(grid.combinations.length, 8);
    assert.equal(grid.combinations[1]?.repr, "(0.001, 'relu', 'Adam', 4)");
    assert.equal(task.nrOfTrials, 30);
    assert.equal(task.parameters.high, 2);
  });

  it("puts flags of their own above --set, and takes values as they stand", () => {
    const { run, paths } = read(ORIGINAL, {
      seed: 3,
      set: { "run.seed": "4", "paths.pretrained": "a%(b)s%" },
    });
    assert.equal(run.seed, 3);
    assert.equal(paths.pretrained, resolve("a%(b)s%"));
  });

  it("begins relative paths at the folder that is given, the config's at its own", () => {
    const text = changed({ "/data/connectomes/": "nets" });
    const { paths } = read(text, { pathToResults: "out" }, "/home/me");
    assert.equal(paths.results, resolve("/home/me/out"));
    assert.equal(paths.network, resolve("/home/me/folder/nets"));
  });

  it("writes down the config that counts, which means the same when it is read", () => {
    const text = changed({
      "[net]": "[DEFAULT]\nn = 4\n[net]",
      "nr_neurons = 4": "nr_neurons = %(n)s",
    });
    const experiment = read(text, {
      set: { "net.random_w": "True", "combos_params.lr": "[0.5]" },
      epochs: 3,
      pathToResults: "/elsewhere",
    });
    const { effective } = experiment.source;
    // Where things lie is no part of it.
    assert.ok(!effective.includes("elsewhere"));
    assert.match(effective, /^nr_neurons = 4$/m);
    assert.match(effective, /^random_w = True$/m);
    assert.match(effective, /^target_sparsity = 0.8$/m);
    const again = read(effective, { pathToResults: "/elsewhere" });
    assert.deepEqual(facts(again), facts(experiment));
    assert.equal(again.source.effective, effective);
    // A percent sign is none of an interpolation.
    const percent = read(changed({ "/data/results/test": "/data/100%%" }));
    assert.deepEqual(facts(read(percent.source.effective)), facts(percent));
  });
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import denoConfig from "../deno.json" with { type: "json" };
import {
  buildRun,
  chooseEngine,
  compareLabels,
  drawFigures,
  type Initialisation,
  InputError,
  type Nonlinearity,
  type NullModel,
  type Optimizer,
  prepare,
  readModel,
  readResultsFolder,
  type RunId,
  simulate,
  type Task,
  train,
  type TrainOptions,
} from "../mod.ts";
import { describe, it } from "../src/compat/testing.ts";
import { createReferenceEngine } from "../src/reference/engine.ts";
import { sortGraph } from "../src/graph/graph.ts";
import { seqMem } from "../src/tasks/seq_mem.ts";

const CONFIG = new URL("../config/quickstart.ini", import.meta.url);

/** The quickstart in small. */
function prepareQuickstart() {
  return prepare(CONFIG, { overrides: { epochs: 3, iterations: 2 } });
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "biornn_mod_" });
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

describe("mod.ts", () => {
  it("trains in memory what it trains into a folder", async () => {
    const prepared = await prepareQuickstart();
    const run: RunId = { combination: 1, iteration: 1 };
    const engine = createReferenceEngine();
    const options: TrainOptions = { engine };
    await inFolder(async (folder) => {
      const stored = await train(prepared, { ...options, folder });
      const seen: number[] = [];
      const kept = await train(prepared, {
        ...options,
        onProgress: ({ done, total }) => seen.push(done / total),
      });
      assert.deepEqual(kept.results.combinations, stored.results.combinations);
      assert.equal(kept.results.combinations.length, 2);
      assert.deepEqual(kept.results.experiment, stored.results.experiment);
      assert.equal(seen.at(-1), 1);
      assert.ok(kept.finished && stored.finished);

      const { parameters, ...model } = await kept.model(run);
      const read = await readModel(folder, run);
      const { parameters: rounded, ...others } = read;
      assert.deepEqual(model, others);
      assert.deepEqual(
        new Float32Array(parameters.weightHh),
        rounded.weightHh,
      );
    });
  });

  it("trains the runs that are asked for", async () => {
    const prepared = await prepareQuickstart();
    const engine = createReferenceEngine();
    const runs = [{ combination: 1, iteration: 1 }];
    const { results, model } = await train(prepared, { engine, runs });
    const all = await train(prepared, { engine });
    assert.equal(results.combinations.length, 1);
    assert.deepEqual(
      results.combinations[0]!.validateLoss.values,
      all.results.combinations[1]!.validateLoss.values.slice(3),
    );
    await assert.rejects(
      model({ combination: 0, iteration: 0 }),
      new InputError(
        "Cannot give the model of combination 0, iteration 0: it was not trained",
      ),
    );
  });

  it("trains a null model of one's own, matched to the biological start", async () => {
    /** Every neuron sends what it sent to the next one. */
    const shifted: NullModel = {
      keeps: "how much every neuron sends, and to how many",
      randomise: ({ network: { nodes, from, to, weight } }) =>
        sortGraph({
          nodes,
          from,
          to: to.map((neuron) => (neuron + 1) % nodes),
          weight,
        }),
    };
    const set = { "net.null_model": "shifted" };
    const overrides = { epochs: 1, iterations: 1, set };
    await assert.rejects(
      prepare(CONFIG, { overrides }),
      /null_model "shifted": it must be none, permute/,
    );
    const nullModels = { shifted };
    const prepared = await prepare(CONFIG, { overrides, nullModels });
    const run = { combination: 0, iteration: 0 };
    const mine = await buildRun(prepared, run);
    const bio = await buildRun(
      await prepare(CONFIG, { overrides: { epochs: 1, iterations: 1 } }),
      run,
    );
    assert.equal(mine.connections.sender.length, bio.connections.sender.length);
    assert.notDeepEqual(mine.connections, bio.connections);
    assert.deepEqual(mine.trials, bio.trials);
    const engine = createReferenceEngine();
    const { results } = await train(prepared, { engine, runs: [run] });
    assert.equal(results.experiment?.nullModel, "shifted");
  });

  it("takes rules and initialisations of one's own, and tells them by their names", async () => {
    const halved: Nonlinearity = {
      name: "halved",
      description: "x / 2",
      source: "this test",
      value: (a, x) => a.multiply(0.5, x),
      backward: (a, { gradient }) => a.multiply(0.5, gradient),
    };
    const half: Optimizer = {
      name: "Half",
      description: "half of SGD",
      source: "this test",
      update: (a, { weight, gradient, learningRate }) => ({
        weight: a.subtract(
          weight,
          a.multiply(a.multiply(0.5, learningRate), gradient),
        ),
      }),
    };
    const tenth: Initialisation = {
      name: "tenth",
      description: "0.1",
      source: "this test",
      draw: (tensor) => tensor.each(() => 0.1),
    };
    const own = {
      nonlinearities: [halved],
      optimizers: [half],
      initialisations: [tenth],
    };
    const set = {
      "combos_params.nonlinearity": "['halved']",
      "combos_params.optimizer": "['Half']",
      "trainvalidate.init": "tenth",
    };
    const overrides = { epochs: 2, iterations: 1, set };
    const prepared = await prepare(CONFIG, { ...own, overrides });
    const run = await buildRun(prepared, { combination: 0, iteration: 0 });
    assert.ok(run.initial.weightHh.every((w) => w === Math.fround(0.1)));
    await inFolder(async (folder) => {
      const engine = createReferenceEngine();
      const { results } = await train(prepared, { engine, folder });
      assert.match(results.combinations[0]!.title, /'halved', 'Half'/);
      const { fingerprint } = await prepare(CONFIG, {
        ...own,
        overrides: {
          ...overrides,
          set: { ...set, "trainvalidate.init": "he" },
        },
      });
      assert.notEqual(fingerprint, prepared.fingerprint);
      const which = { combination: 0, iteration: 0 };
      await assert.rejects(
        readModel(folder, which),
        /its nonlinearity halved is none of biornn's; give it in "nonlinearities"$/,
      );
      const model = await readModel(folder, {
        ...which,
        nonlinearities: [halved],
      });
      assert.equal(model.activation, halved);
      await assert.rejects(
        readModel(folder, {
          combination: 0,
          iteration: 1,
          epoch: 0,
          nonlinearities: [halved],
        }),
        /there is no such file; of this run (no model is|those of epoch \d+ are) stored$/,
      );
    });
    await assert.rejects(
      prepare(CONFIG, {
        ...own,
        overrides: { set: { "trainvalidate.init": "tent" } },
      }),
      /\(did you mean "tenth"\?\)/,
    );
    for (
      const [what, options] of [
        ["optimizer Adam", { optimizers: [{ ...half, name: "Adam" }] }],
        ["nonlinearity relu", {
          nonlinearities: [{ ...halved, name: "relu" }],
        }],
        ["initialisation he", { initialisations: [{ ...tenth, name: "he" }] }],
      ] as const
    ) {
      await assert.rejects(
        prepare(CONFIG, options),
        new RegExp(`Cannot add the ${what}: there is one of that name`),
      );
    }
  });

  it("takes no task or null model of one's own for one that has its name", async () => {
    const wrong = (what: string) =>
      new InputError(
        `Cannot add the ${what}: there is one of that name already; give it another`,
      );
    const mine = { ...seqMem, name: "mine" };
    await assert.rejects(
      prepare(CONFIG, { tasks: [{ ...seqMem }] }),
      wrong("task seq_mem"),
    );
    await assert.rejects(
      prepare(CONFIG, { tasks: [mine, mine] }),
      wrong("task mine"),
    );
    const nullModel: NullModel = {
      keeps: "all",
      randomise: ({ network }) => network,
    };
    for (const name of ["degrees", "none"]) {
      await assert.rejects(
        prepare(CONFIG, { nullModels: { [name]: nullModel } }),
        wrong(`null model ${name}`),
      );
    }
  });

  it("opens an engine that trains several experiments", async () => {
    const engine = await chooseEngine();
    const run = { combination: 0, iteration: 0 };
    for (const seed of [1, 2]) {
      const overrides = { epochs: 2, iterations: 1, seed };
      const prepared = await prepare(CONFIG, { overrides });
      const { finished } = await train(prepared, { engine, runs: [run] });
      assert.ok(finished);
    }
    engine.destroy();
  });

  it("stops a training in memory after the epoch under way", async () => {
    const prepared = await prepareQuickstart();
    const controller = new AbortController();
    controller.abort();
    const { finished, results } = await train(prepared, {
      engine: createReferenceEngine(),
      signal: controller.signal,
    });
    assert.equal(finished, false);
    assert.deepEqual(results.combinations, []);
  });

  it("gives a model's output and hidden states over time, on which its loss can be checked", async () => {
    const prepared = await prepareQuickstart();
    const run = { combination: 0, iteration: 0 };
    const { results, model } = await train(prepared, {
      engine: createReferenceEngine(),
      runs: [run],
    });
    const { trials } = await buildRun(prepared, run);
    const { output, hidden, steps, hiddenSize } = simulate(
      await model(run),
      trials,
    );
    assert.equal(hidden.length, trials.trialCount * steps * hiddenSize);
    // The mean over batches of the mean over what is scored.
    const losses = trials.validateBatches.map((batch) => {
      const squares = Array.from(batch).flatMap((trial) =>
        Array.from({ length: steps }, (_, t) => trial * steps + t)
          .filter((at) => trials.targets[at] !== 0)
          .map((at) => (output[at]! - trials.targets[at]!) ** 2)
      );
      return squares.reduce((a, b) => a + b) / squares.length;
    });
    const loss = losses.reduce((a, b) => a + b) / losses.length;
    const curve = results.combinations[0]!.validateLoss.values;
    assert.ok(Math.abs(loss - curve.at(-1)!) < 1e-12, `${loss} ${curve}`);
  });

  it("trains a task and a connectome of one's own", async () => {
    const longer: Task = {
      ...seqMem,
      name: "seq_mem_longer",
      steps: (parameters) => seqMem.steps(parameters),
    };
    await inFolder(async (folder) => {
      const file = join(folder, "own.ini");
      const text = await Deno.readTextFile(CONFIG);
      await Deno.writeTextFile(
        file,
        text.replace('"seq_mem"', `"seq_mem_longer"`),
      );
      const overrides = { epochs: 1, iterations: 1 };
      await assert.rejects(prepare(file, { overrides }), InputError);
      const prepared = await prepare(file, { overrides, tasks: [longer] });
      const { results } = await train(prepared, {
        engine: createReferenceEngine(),
      });
      assert.equal(results.experiment?.task.name, "seq_mem_longer");
      const { connectome } = prepared;
      const of = async (weight: Float64Array) => {
        const graph = { ...connectome.graph, weight };
        return await prepare(file, {
          overrides,
          tasks: [longer],
          connectome: { ...connectome, name: "Mine", graph },
        });
      };
      const { weight } = connectome.graph;
      const [same, again, other] = await Promise.all([
        of(weight),
        of(weight.slice()),
        of(weight.map(Math.sqrt)),
      ]);
      assert.equal(same.connectome.name, "Mine");
      assert.deepEqual(same.network, prepared.network);
      assert.equal(same.fingerprint, again.fingerprint);
      // The checksum that was copied is that of other weights.
      assert.notEqual(other.fingerprint, same.fingerprint);
    });
  });

  it("compares results and draws figures that a notebook shows", async () => {
    await inFolder(async (folder) => {
      const prepared = await prepareQuickstart();
      const engine = createReferenceEngine();
      await train(prepared, { engine, folder });
      const stored = await readResultsFolder(folder);
      const { results } = await train(
        await prepare(CONFIG, {
          overrides: { epochs: 3, iterations: 2, seed: 1 },
        }),
        { engine },
      );
      const labelled = [
        { label: "stored", results: stored },
        { label: "in memory", results },
      ];
      assert.match(compareLabels(labelled).rows[0]!.sentence, /stored/);
      const figures = await drawFigures(labelled);
      assert.deepEqual(
        new Set(figures.map(({ section }) => section)),
        new Set(["overview", "summary", "loss", "networks"]),
      );
      for (const figure of figures) {
        const display = Object(figure)[Symbol.for("Jupyter.display")];
        assert.deepEqual(
          display()["application/vnd.vegalite.v5+json"],
          figure.spec,
        );
      }
    });
  });

  it("is imported from any folder, without biornn's deno.json", async () => {
    const folder = await Deno.makeTempDir();
    try {
      const module = (path: string) => new URL(path, import.meta.url).href;
      await Deno.writeTextFile(
        join(folder, "program.ts"),
        `import { readExperiment, TASKS } from "${module("../mod.ts")}";
import { renderSvg } from "${module("../src/viz/render.ts")}";
import { renderPng } from "${module("../src/viz/render.ts")}";
import { browserBuilds } from "${module("../src/viz/render.ts")}";
const file = ${
          JSON.stringify(
            fileURLToPath(module("../config/quickstart.ini")),
          )
        };
readExperiment(Deno.readTextFileSync(file), { file, tasks: TASKS });
await renderPng('<svg xmlns="http://www.w3.org/2000/svg" width="9" height="9"/>');
console.log(typeof renderSvg, (await browserBuilds()).length);
`,
      );
      const { code, stdout, stderr } = await new Deno.Command(
        Deno.execPath(),
        {
          args: ["run", "--quiet", "--allow-all", "program.ts"],
          cwd: folder,
        },
      ).output();
      const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
      assert.equal(code, 0, text(stderr));
      assert.equal(text(stdout).trim(), "function 3");
    } finally {
      await Deno.remove(folder, { recursive: true });
    }
  });
});

describe("the package", () => {
  const deno = async (...args: string[]) => {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args,
      cwd: fileURLToPath(new URL("..", import.meta.url)),
      env: { NO_COLOR: "1" },
    }).output();
    const text = [stdout, stderr].map((bytes) =>
      new TextDecoder().decode(bytes)
    )
      .join("\n");
    assert.equal(code, 0, text);
    return text;
  };

  it("can be published, and ships neither tests nor benchmarks", async () => {
    const listed = await deno(
      "publish",
      "--dry-run",
      "--allow-dirty",
      "--no-check",
    );
    assert.match(listed, /\/mod\.ts /);
    assert.match(listed, /\/connectomes\/Synthetic_Macaque_29\.csv /);
    assert.doesNotMatch(listed, /\/(tests|bench|docs|examples)\/|_test\.ts/);
  });
});

describe("what src imports", () => {
  it("is named by its exact version, in one file a package", async () => {
    const places = new Map<string, Set<string>>();
    for await (const file of walk(new URL("../src/", import.meta.url))) {
      const text = await Deno.readTextFile(file);
      for (
        const [, specifier = ""] of text.matchAll(/"((?:npm|jsr):[^"]*)"/g)
      ) {
        const [, name = "", version = ""] =
          /^\w+:(@?[^@]+)@([^/]*)/.exec(specifier) ?? [];
        assert.match(version, /^\d+\.\d+\.\d+(-[\w.]+)?$/, specifier);
        places.set(
          name,
          (places.get(name) ?? new Set()).add(file.href + version),
        );
      }
      for (
        const [, specifier = ""] of text.matchAll(
          /^(?:import .*|\}) from "([^"]*)"/gm,
        )
      ) {
        assert.match(specifier, /^(\.\.?\/|node:|npm:)/, file.href);
      }
    }
    for (const [name, found] of places) assert.equal(found.size, 1, name);
    for (const specifier of Object.values(denoConfig.imports)) {
      assert.match(specifier, /^(npm|jsr):@?[^@]+@\d+\.\d+\.\d+(-[\w.]+)?$/);
      const [, name = ""] = /^\w+:(@?[^@]+)/.exec(specifier) ?? [];
      assert.ok(!places.has(name), `${name} has two versions`);
    }
  });
});

describe("what computes", () => {
  it("needs neither Deno nor Node, so that a browser can import it", async () => {
    const roots = [
      "gpu/engine",
      "wasm/engine",
      "reference/simulate",
      "tasks/registry",
      "connectome/connectome",
      "connectome/scale",
      "connectome/nulls/null_model",
      "rnn/initialise",
      "analysis/compare",
    ];
    const seen = new Set<string>();
    const waiting = roots.map((root) =>
      new URL(`../src/${root}.ts`, import.meta.url)
    );
    for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
      if (seen.has(file.href)) continue;
      seen.add(file.href);
      const text = (await Deno.readTextFile(file))
        .replaceAll(/\/\*[\s\S]*?\*\/|\/\/.*/g, "");
      assert.doesNotMatch(text, /\bDeno\.(?!build\b)|"node:/, file.href);
      const imports = text.matchAll(
        /^(?:import|export)\s+(?!type\b)([^;]*?)\s*from\s+"(\.[^"]+\.ts)"/gm,
      );
      for (const [, names = "", path = ""] of imports) {
        const values = names.replaceAll(/[{}]/g, "").split(",")
          .filter((name) => name.trim() !== "");
        if (values.every((name) => /^\s*type\s/.test(name))) continue;
        waiting.push(new URL(path, file));
      }
    }
    assert.ok(seen.size > 40);
  });
});

async function* walk(folder: URL): AsyncGenerator<URL> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    if (isDirectory) yield* walk(new URL(`${name}/`, folder));
    else if (name.endsWith(".ts")) yield new URL(name, folder);
  }
}

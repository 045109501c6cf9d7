import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { createEnsemble } from "../../src/engine/create_ensemble.ts";
import type {
  Engine,
  EnsembleSpec,
  ModelRun,
} from "../../src/engine/ensemble.ts";
import type { Experiment } from "../../src/experiment/experiment.ts";
import { readArms } from "../../src/experiment/read.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import { createStream } from "../../src/random/stream.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { PARAMETER_NAMES, type Parameters } from "../../src/rnn/parameters.ts";
import { runsOf } from "../../src/train/build_run.ts";
import { prepareArms } from "../../src/train/prepare.ts";
import { train } from "../../src/train/train.ts";
import { createWasmEngine } from "../../src/wasm/engine.ts";
import { FORMATS } from "../gpu/example_runs.ts";
import { randomExperiment } from "./random_experiment.ts";
import { type Trained, trainSingle } from "./single_precision.ts";

/**
 * `BIORNN_AGREEMENT=100+300` trains 300 experiments, from number 100 on;
 * `100+300:wasm` does so on the engines with that in their names.
 */
const many = Deno.env.get("BIORNN_AGREEMENT");
const [range = "", only = ""] = (many ?? "0+6").split(":");
const [first, count] = range.split("+").map(Number);
const numbers = Array.from({ length: count! }, (_, i) => first! + i);

/** Relative difference of a loss that needs no excuse. */
const CLOSE = 1e-4;
/** A last digit that has grown to so much is chaos: nothing more can be compared. */
const LOST = 0.01;
/** How often the initial weights are disturbed, each by 1e-7 of itself at most. */
const DISTURBED = 3;

/** Every engine in single precision that this machine has. */
const ENGINES: Record<string, () => Promise<Engine | undefined>> = {
  ...Object.fromEntries(FORMATS.map((format) => [
    `webgpu, ${format}`,
    () => createWebGpuEngine({ format }),
  ])),
  "wasm, fused": () => Promise.resolve(createWasmEngine({ workers: 2 })),
  "wasm, separate": () =>
    Promise.resolve(createWasmEngine({ workers: 1, fused: false })),
};

/** Trains all runs side by side. */
async function trainOn(
  engine: Engine,
  { spec, epochs }: { readonly spec: EnsembleSpec; readonly epochs: number },
): Promise<Trained[]> {
  const ensemble = await createEnsemble(engine, spec);
  try {
    const { trainLoss, validateLoss } = await ensemble.train(epochs);
    const states = await ensemble.state();
    return states.map(({ parameters }, model) => {
      const losses = Array.from({ length: epochs }, (_, epoch) => {
        const at = model * epochs + epoch;
        return [trainLoss[at]!, validateLoss[at]!];
      }).flat();
      const finite = losses.every(Number.isFinite) &&
        PARAMETER_NAMES.every((name) =>
          parameters[name].every((weight) => Number.isFinite(weight))
        );
      return { losses, finite };
    });
  } finally {
    ensemble.destroy();
  }
}

/** Relative difference of each loss. */
function distances(found: Trained, expected: Trained): number[] {
  return expected.losses.map((loss, i) =>
    Math.abs(found.losses[i]! - loss) / Math.max(Math.abs(loss), 1e-6)
  );
}

/** The run with each initial weight a last digit away. */
function disturbed(run: ModelRun, number: number): ModelRun {
  const stream = createStream({ seed: number, purpose: "weights" });
  const initial = Object.fromEntries(
    PARAMETER_NAMES.map((name) => [
      name,
      run.initial[name].map((w) => w * (1 + 2e-7 * (stream.uniform() - 0.5))),
    ]),
  ) as unknown as Parameters<Float32Array>;
  return { ...run, initial };
}

/** What must come out of a run. */
interface Judgement {
  readonly double: Trained;
  /** The same in single precision, from the initial weights and from disturbed ones. */
  readonly single: readonly Trained[];
  /** How far single precision itself, or a last digit at the start, has moved the losses by then. */
  readonly spread: readonly number[];
}

async function judge(
  spec: EnsembleSpec,
  epochs: number,
): Promise<Judgement[]> {
  const reference = createReferenceEngine();
  const versions = [
    spec,
    ...Array.from({ length: DISTURBED }, (_, i) => ({
      ...spec,
      runs: spec.runs.map((run) => disturbed(run, i)),
    })),
  ];
  const doubles = await Promise.all(
    versions.map((version) => trainOn(reference, { spec: version, epochs })),
  );
  return spec.runs.map((_, model) => {
    const double = doubles[0]![model]!;
    const single = versions.map(({ runs }, i) =>
      trainSingle(runs[model]!, {
        spec,
        epochs,
        ...(i === 0 ? {} : {
          digits: createStream({ seed: i, purpose: "bootstrap" }),
        }),
      })
    );
    const moved = [...doubles.map((each) => each[model]!), ...single]
      .map((each) => distances(each, double));
    let most = 0;
    const spread = double.losses.map((_, i) => {
      // What has left the range of numbers does not tell how far the others go.
      const by = moved.map((each) => each[i]!).filter(Number.isFinite);
      return most = Math.max(most, ...by);
    });
    return { double, single, spread };
  });
}

const nameOf = (rule: string | { readonly name: string }) =>
  typeof rule === "string" ? rule : rule.name;

/** What is wrong with a run; undefined where nothing is. */
function whatIsWrong(
  found: Trained,
  { double, single, spread }: Judgement,
): string | undefined {
  const off = distances(found, double);
  for (const [i, loss] of found.losses.entries()) {
    if (spread[i]! > LOST) break;
    const finite = Number.isFinite(loss);
    // Close to the end of the range it is the order of a sum that decides.
    const atTheEnd = finite && loss > 1e34;
    if (
      !atTheEnd &&
      single.every(({ losses }) => Number.isFinite(losses[i]) !== finite)
    ) {
      return `loss ${i} is ${loss}, and should be ${single[0]!.losses[i]}`;
    }
    if (finite && !atTheEnd && !(off[i]! <= Math.max(CLOSE, 10 * spread[i]!))) {
      return `loss ${i} is off by ${off[i]}, and single precision by ${
        spread[i]
      }`;
    }
  }
  return single.every(({ finite }) => finite !== found.finite)
    ? `it ${found.finite ? "does not fail" : "fails"}`
    : undefined;
}

describe("random experiments", () => {
  it(`end alike on all engines (${numbers.length} of them)`, async () => {
    const engines: [string, Engine][] = [];
    for (const [name, open] of Object.entries(ENGINES)) {
      if (!name.includes(only)) continue;
      const engine = await open();
      if (engine !== undefined) engines.push([name, engine]);
    }
    const folder = await Deno.makeTempDir();
    const wrong: string[] = [];
    const tally = { runs: 0, failed: 0, chaotic: 0 };
    try {
      for (const number of numbers) {
        const { config, specs, epochs } = await randomExperiment(number, {
          folder,
        });
        for (const spec of specs) {
          const judged = await judge(spec, epochs);
          for (const [name, engine] of engines) {
            const found = await trainOn(engine, { spec, epochs });
            for (const [model, own] of found.entries()) {
              const { label, activation, optimizer, learningRate } = spec
                .runs[model]!;
              const judgement = judged[model]!;
              tally.runs++;
              if (!own.finite) tally.failed++;
              else if (judgement.spread.at(-1)! > CLOSE) tally.chaotic++;
              const what = whatIsWrong(own, judgement);
              if (what === undefined) continue;
              wrong.push(
                `experiment ${number}, ${label} (${nameOf(activation)}, ${
                  nameOf(optimizer)
                }, lr ${learningRate}) on ${name}: ${what}\n${config}`,
              );
            }
          }
        }
      }
    } finally {
      for (const [, engine] of engines) engine.destroy();
      await Deno.remove(folder, { recursive: true });
    }
    // deno-lint-ignore no-console
    if (many !== undefined) console.info(tally, `${wrong.length} wrong`);
    assert.equal(wrong.join("\n"), "");
  });

  it(`give each arm what it has alone (${numbers.length} of them)`, async () => {
    const engine = createWasmEngine({ workers: 2 });
    const folder = await Deno.makeTempDir();
    const wrong: string[] = [];
    let runs = 0;
    try {
      for (const number of numbers) {
        const { config, file } = await randomExperiment(number, { folder });
        const arms = readArms(config, { file });
        const together = await trainInMemory(arms, engine);
        for (const [i, { net }] of arms.entries()) {
          const set = {
            "net.net_name": net.name,
            "net.rnn_size": String(net.regions),
            "net.random_w": "False",
            "net.null_model": net.nullModel,
          };
          const [alone] = await trainInMemory(
            readArms(config, { file, overrides: { set } }),
            engine,
          );
          runs += alone!.models.length;
          try {
            assert.deepEqual(together[i], alone);
          } catch (error) {
            wrong.push(
              `experiment ${number}, ${net.name} ${net.nullModel}: ${error}\n${config}`,
            );
          }
        }
      }
    } finally {
      engine.destroy();
      await Deno.remove(folder, { recursive: true });
    }
    // deno-lint-ignore no-console
    if (many !== undefined) console.info({ runs }, `${wrong.length} wrong`);
    assert.equal(wrong.join("\n"), "");
  });
});

/** All that each arm's training gives but for what its record says of the config. */
async function trainInMemory(arms: readonly Experiment[], engine: Engine) {
  const prepared = await prepareArms(arms);
  const trained = await train(prepared, { engine });
  return await Promise.all(
    trained.map(async ({ results, failures, model }, i) => ({
      fingerprint: prepared[i]!.fingerprint,
      failures,
      combinations: results.combinations,
      networkStates: results.experiment!.networkStates,
      models: await Promise.all(runsOf(arms[i]!).map(model)),
    })),
  );
}

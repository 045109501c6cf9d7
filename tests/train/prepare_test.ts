import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import type { ModelRun } from "../../src/engine/ensemble.ts";
import { InputError } from "../../src/files/input_error.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import {
  countConnections,
  denseMask,
  denseMatrix,
} from "../../src/graph/connections.ts";
import { maskOfGraph, matrixOfGraph } from "../../src/graph/graph.ts";
import { describePlan } from "../../src/train/describe_plan.ts";
import {
  buildRun,
  type PreparedExperiment,
} from "../../src/train/build_run.ts";
import { tinyConfig } from "../soak/tiny_experiment.ts";
import { prepareText } from "./tiny_training.ts";

function prepareTiny(
  replaced: readonly (readonly [string, string])[] = [],
): Promise<PreparedExperiment> {
  let text = tinyConfig();
  for (const [from, to] of replaced) {
    assert.ok(text.includes(from), from);
    text = text.replace(from, to);
  }
  return prepareText(text);
}

const RANDOM = ["random_w = False", "random_w = True"] as const;
const ORIGINAL = ["[net]", "[net]\ncompatibility = original"] as const;
const unit = { combination: 1, iteration: 1 };

/** Places of the connections in W_hh, from the one with the largest initial weight. */
function byInitialWeight({ connections, initial }: ModelRun): number[] {
  const mask = denseMask(connections);
  const weights = denseMatrix(connections, initial.weightHh);
  return [...mask.keys()].filter((place) => mask[place] === 1)
    .sort((a, b) => weights[b]! - weights[a]!);
}

describe("buildRun()", () => {
  for (
    const [mode, replaced, transposed] of [
      ["described", [], true],
      ["original", [ORIGINAL], false],
    ] as const
  ) {
    it(
      `gives W_hh the network's mask and rank order, ${
        transposed ? "transposed" : "as it stands"
      } (${mode})`,
      async () => {
        const prepared = await prepareTiny(replaced);
        const run = await buildRun(prepared, unit);
        const { nodes: n } = prepared.network;
        const mask = maskOfGraph(prepared.network);
        const weights = matrixOfGraph(prepared.network);
        const inNetwork = (place: number) =>
          transposed ? (place % n) * n + Math.floor(place / n) : place;
        assert.deepEqual(
          denseMask(run.connections),
          mask.map((_, i) => mask[inNetwork(i)]!),
        );
        const ranked = byInitialWeight(run).map((i) => weights[inNetwork(i)]!);
        assert.deepEqual(ranked, ranked.toSorted((a, b) => b - a));
      },
    );
  }

  it("draws the same run each time", async () => {
    const [first, second] = [await prepareTiny(), await prepareTiny()];
    assert.deepEqual(await buildRun(first, unit), await buildRun(second, unit));
    await buildRun(first, { combination: 0, iteration: 0 });
    assert.deepEqual(await buildRun(first, unit), await buildRun(second, unit));
  });

  it("with random_w differs in the topology alone, anew for each run", async () => {
    const bio = await buildRun(await prepareTiny(), unit);
    const prepared = await prepareTiny([RANDOM]);
    const random = await buildRun(prepared, unit);
    const other = await buildRun(prepared, { ...unit, iteration: 0 });
    assert.notDeepEqual(random.connections, bio.connections);
    assert.notDeepEqual(random.connections, other.connections);
    assert.equal(
      countConnections(random.connections),
      countConnections(bio.connections),
    );
    assert.deepEqual(random.trials, bio.trials);
    const { weightHh: _b, ...bioRest } = bio.initial;
    const { weightHh: _r, ...randomRest } = random.initial;
    assert.deepEqual(randomRest, bioRest);
  });
});

describe("prepare()", () => {
  it("has a fingerprint of all that the numbers depend on, and of nothing else", async () => {
    const { fingerprint } = await prepareTiny();
    assert.equal(
      (await prepareTiny([[
        "path_to_results = results",
        "path_to_results = b",
      ]]))
        .fingerprint,
      fingerprint,
    );
    for (
      const change of [
        RANDOM,
        ORIGINAL,
        ["seed = 7", "seed = 8"],
        ["epochs = 12", "epochs = 13"],
        ["[0.001]", "[0.002]"],
        ['"nr_of_trials":30', '"nr_of_trials":31'],
        ["batch_size = 16", "batch_size = 17"],
        ["[net]", "[net]\ntarget_sparsity = 0.7"],
        ["[net]", "[net]\ntarget_sparsity_intrinsic = 0.8"],
      ] as const
    ) {
      const other = await prepareTiny([change]);
      assert.notEqual(other.fingerprint, fingerprint, change[1]);
    }
  });

  it("has the fingerprints of earlier versions, whose trainings can be resumed", async () => {
    // Computed before [net] target_sparsity and target_sparsity_intrinsic were keys.
    const before = [
      [
        [],
        "5f8bf6e6e94e5ab5bba8f04c620bd657ef34b4aeae0febfab9fd21e12d62926b",
      ],
      [
        [ORIGINAL],
        "4b8a07e7822e049b5bdc553b3c1420afd3e020898c866ddb015f248d633bb0c9",
      ],
      [
        [[
          "[net]",
          "[net]\ntarget_sparsity = 0.8\ntarget_sparsity_intrinsic = 1.0",
        ]],
        "5f8bf6e6e94e5ab5bba8f04c620bd657ef34b4aeae0febfab9fd21e12d62926b",
      ],
    ] as const;
    for (const [changes, fingerprint] of before) {
      assert.equal((await prepareTiny(changes)).fingerprint, fingerprint);
    }
  });

  it("connects each neuron to the share of neurons that the config says", async () => {
    const connectionsOf = async (...keys: string[]) => {
      const { from, to } = (await prepareTiny([
        ["nr_neurons = 1", "nr_neurons = 4"],
        ["[net]", ["[net]", ...keys].join("\n")],
      ])).network;
      const regionOf = (neuron: number) => Math.floor(neuron / 4);
      let within = 0, between = 0;
      for (let edge = 0; edge < from.length; edge++) {
        if (regionOf(from[edge]!) === regionOf(to[edge]!)) within++;
        else between++;
      }
      return { within, between };
    };
    // 4 neurons: 0.8 of them are 3, a half 2, without itself 1; 536 pairs of regions are connected.
    const pairs = 536 * 4;
    assert.deepEqual(await connectionsOf(), {
      within: 29 * 4 * 3,
      between: pairs * 3,
    });
    assert.deepEqual(await connectionsOf("target_sparsity = 0.5"), {
      within: 29 * 4 * 3,
      between: pairs * 2,
    });
    assert.deepEqual(
      await connectionsOf(
        "target_sparsity = 1",
        "target_sparsity_intrinsic = 0.5",
      ),
      { within: 29 * 4 * 2, between: pairs * 4 },
    );
  });

  it("refuses more connections than memory is sure to hold", async () => {
    await assert.rejects(
      prepareTiny([["nr_neurons = 1", "nr_neurons = 1000"]]),
      {
        name: "InputError",
        message:
          "Cannot scale Synthetic_Macaque_29 to 29000 neurons: 457.8 M connections would need 13,971 MB, and allowed are 4,096 MB; lower [net] nr_neurons or target_sparsity",
      },
    );
  });

  it("refuses another number of regions than the connectome's", async () => {
    await assert.rejects(
      prepareTiny([["rnn_size = 29", "rnn_size = 30"]]),
      (error) => error instanceof InputError && /29/.test(error.message),
    );
  });
});

describe("describePlan()", () => {
  it("says what is trained, on what and how much", async () => {
    const engine = createReferenceEngine();
    const shard = {
      index: 1,
      count: 2,
      first: 0,
      step: 1,
      origin: "--shard",
    };
    const lines = describePlan([await prepareTiny()], {
      engine,
      shard,
      shownPath: String,
    }).split(
      "\n",
    );
    assert.deepEqual(lines.filter((line) => !line.startsWith("memory plan")), [
      "connectome   Synthetic_Macaque_29, 29 regions, synthetic (no measured data), comes with biornn",
      "network      29 neurons, 536 connections (66.0 % of all possible)",
      "model        2 inputs, 29 hidden units, 1 output",
      "shard        1/2 (--shard): 2 of the 4 models",
      "engine       reference: float64 reference engine, one CPU thread",
      // Of 536 connections: the engine multiplies no others.
      "work         10.0 MFLOP, 48 updates",
    ]);
    assert.match(
      lines.find((line) => line.startsWith("memory plan")) ?? "",
      /^memory plan {2}2 models in 1 ensemble of \d+ kB: all models fit in one ensemble$/,
    );
  });
});

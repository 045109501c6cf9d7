import assert from "node:assert/strict";
import { createEnsemble } from "../../src/engine/create_ensemble.ts";
import {
  joinLosses,
  lossDifference,
  lossesOf,
} from "../../bench/contestant.ts";
import { exportProblem } from "../../bench/export_problem.ts";
import { gridProblem } from "../../bench/grid_problem.ts";
import {
  peerEnvironment,
  PEERS,
  probePython,
  type Python,
  runnablePeers,
} from "../../bench/peers.ts";
import { startPeer } from "../../bench/peers.ts";
import { epochFlop } from "../../bench/measure.ts";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";

const CPU: Python = {
  executable: "py-cpu",
  torch: { version: "2.0", gpu: false },
  jax: null,
};
const GPU: Python = {
  executable: "py-gpu",
  torch: { version: "2.9", gpu: true },
  jax: { version: "0.8", gpu: true },
};

describe("runnablePeers()", () => {
  it("leaves out what a Python lacks the library or the GPU for", () => {
    const peers = runnablePeers([CPU], { names: undefined, every: false });
    assert.deepEqual(peers.map(({ name }) => name), [
      "sequential",
      "loader",
      "bmm",
    ]);
  });

  it("takes the first Python that can", () => {
    const peers = runnablePeers([CPU, GPU], { names: undefined, every: false });
    assert.equal(peers.length, PEERS.length);
    assert.deepEqual(
      peers.map(({ python }) => python),
      PEERS.map(({ needsGpu, library }) =>
        needsGpu || library === "jax" ? "py-gpu" : "py-cpu"
      ),
    );
  });

  it("runs a peer with every Python where that is asked for, and tells them apart", () => {
    const peers = runnablePeers([CPU, GPU], { names: ["bmm"], every: true });
    assert.deepEqual(peers.map(({ name }) => name), [
      "bmm (torch 2.0)",
      "bmm (torch 2.9)",
    ]);
  });
});

const PYTHONS = (await Promise.all(["/usr/bin/python3", "python3"].map(
  probePython,
))).filter((python) => python !== undefined);

describe("a peer", () => {
  for (const program of PEERS.filter(({ needsGpu }) => !needsGpu)) {
    const peer = runnablePeers(PYTHONS, {
      names: [program.name],
      every: false,
    })[0];
    itNeeds(
      `${program.name} has the losses of the reference engine`,
      peer === undefined ? `no Python here has ${program.library}` : undefined,
      async () => {
        const { spec } = await gridProblem({
          iterations: 1,
          neuronsPerRegion: 1,
          patternLengths: [2, 3],
          trials: 60,
        });
        const folder = await Deno.makeTempDir();
        try {
          await exportProblem(folder, spec);
          const started = await startPeer(peer!, {
            problem: folder,
            warmup: 1,
            epochs: 2,
            environment: peerEnvironment({ threads: 1, coreType: undefined }),
            timeoutSeconds: 60,
          });
          const losses = joinLosses([started.warmup, await started.round()]);
          await started.stop();
          assert.equal(started.facts.epochFlop, epochFlop(spec));
          const ensemble = await createEnsemble(createReferenceEngine(), spec);
          const expected = lossesOf(await ensemble.train(3));
          ensemble.destroy();
          assert.equal(losses.trainLoss.length, 3);
          assert.equal(losses.validateLoss[2]?.length, 16);
          const { first } = lossDifference(expected, losses);
          assert.ok(first < 1e-5, `losses differ by ${first}`);
        } finally {
          await Deno.remove(folder, { recursive: true });
        }
      },
    );
  }

  itNeeds(
    "that fails tells why in its own words",
    PYTHONS.some(({ torch }) => torch !== null)
      ? undefined
      : "no Python here has torch",
    async () => {
      const [peer] = runnablePeers(PYTHONS, { names: ["bmm"], every: false });
      const folder = await Deno.makeTempDir();
      try {
        await Deno.writeTextFile(`${folder}/problem.json`, '{"format": "x"}');
        await assert.rejects(
          startPeer(peer!, {
            problem: folder,
            warmup: 1,
            epochs: 1,
            environment: {},
            timeoutSeconds: 60,
          }),
          { message: /bmm ended: .*format 'x' is not/ },
        );
      } finally {
        await Deno.remove(folder, { recursive: true });
      }
    },
  );
});

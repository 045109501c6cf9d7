import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { DeviceError } from "../../src/engine/ensemble.ts";
import { InputError } from "../../src/files/input_error.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { runKey } from "../../src/results/layout.ts";
import { differences } from "../soak/tiny_experiment.ts";
import {
  busy,
  inGroupsOf,
  interrupted,
  trainTiny,
  withCalm,
} from "./tiny_training.ts";

const TINY = { epochs: 8, storeEveryEpoch: 3, randomW: true };

const withFolders = (use: Parameters<typeof withCalm>[1]) =>
  withCalm({ engine: createReferenceEngine(), tiny: TINY }, use);

/** Notes what happens on an engine and what is drawn, in order. */
function createLog() {
  const events: string[] = [];
  return {
    events,
    onDraw: (id: { combination: number; iteration: number }) => {
      events.push(`draw ${runKey(id)}`);
    },
    /** The events, those in a row that are the same told once. */
    told: () => events.filter((event, i) => event !== events[i - 1]),
  };
}

describe("trainArms() on a device that works on its own", () => {
  it("draws the runs of the next ensemble, and no others, while one trains", async () => {
    await withFolders(async (place, calm) => {
      const log = createLog();
      const engine = interrupted(
        busy(inGroupsOf(1, createReferenceEngine())),
        ({ kind }) => {
          if (kind !== "state") log.events.push(kind);
        },
      );
      const { outcome } = await trainTiny(place, {
        engine,
        tiny: TINY,
        onDraw: log.onDraw,
      });
      assert.equal(outcome.finished, true);
      assert.deepEqual(log.told(), [
        "draw 0_0",
        "createEnsemble",
        "train",
        "draw 0_1",
        "train",
        "createEnsemble",
        "train",
        "draw 1_0",
        "train",
        "createEnsemble",
        "train",
        "draw 1_1",
        "train",
        "createEnsemble",
        "train",
      ]);
      assert.deepEqual(await differences(calm, join(place, "results")), []);
    });
  });

  it("draws them in their turn where the time was too short", async () => {
    await withFolders(async (place, calm) => {
      const log = createLog();
      await trainTiny(place, {
        engine: inGroupsOf(2, createReferenceEngine()),
        tiny: TINY,
        onDraw: log.onDraw,
      });
      assert.deepEqual(log.told(), [
        "draw 0_0",
        "draw 0_1",
        "draw 1_0",
        "draw 1_1",
      ]);
      assert.deepEqual(await differences(calm, join(place, "results")), []);
    });
  });

  it("drops what was drawn ahead when the ensembles are cut anew", async () => {
    for (const reason of ["out-of-memory", "lost"] as const) {
      for (const kind of ["createEnsemble", "train"] as const) {
        await withFolders(async (place, calm) => {
          // By then the runs of the second group are drawn.
          const at = kind === "train" ? 3 : 2;
          let count = 0;
          const failing = interrupted(
            busy(inGroupsOf(2, createReferenceEngine())),
            (call) => {
              if (call.kind !== kind || ++count !== at) return;
              throw new DeviceError("trouble", { reason });
            },
          );
          const { outcome, updates } = await trainTiny(place, {
            engine: failing,
            tiny: TINY,
            reopen: () => Promise.resolve(failing),
          });
          assert.equal(outcome.finished, true);
          assert.equal(
            updates.at(-1)?.models,
            reason === "lost" ? 2 : 1,
            "models of the last ensemble",
          );
          assert.deepEqual(await differences(calm, join(place, "results")), []);
        });
      }
    }
  });

  it("is not disturbed by a run that can't be drawn until its turn comes", async () => {
    await withFolders(async (place) => {
      const trouble = new InputError("Cannot draw this one");
      let drawn = 0;
      await assert.rejects(
        trainTiny(place, {
          engine: busy(inGroupsOf(3, createReferenceEngine())),
          tiny: TINY,
          onDraw: (unit) => {
            if (runKey(unit) !== "1_1") return;
            drawn++;
            throw trouble;
          },
        }),
        trouble,
      );
      assert.equal(drawn, 2, "once ahead, once in its turn");
      const saved = [...Deno.readDirSync(join(place, "results", "runs"))]
        .map(({ name }) => name).sort();
      assert.deepEqual(
        saved,
        ["0_0", "0_1", "1_0"].map((key) => `${key}.safetensors`),
      );
    });
  });

  it("draws nothing more once it is to stop, and goes on with the same result", async () => {
    await withFolders(async (place, calm) => {
      const stop = new AbortController();
      const log = createLog();
      const engine = busy(inGroupsOf(2, createReferenceEngine()));
      const { outcome } = await trainTiny(place, {
        engine: interrupted(engine, ({ kind }) => {
          if (kind === "train") stop.abort();
        }),
        tiny: TINY,
        signal: stop.signal,
        onDraw: log.onDraw,
      });
      assert.equal(outcome.finished, false);
      assert.deepEqual(log.events, ["draw 0_0", "draw 0_1"]);
      await trainTiny(place, { engine, tiny: TINY, resume: true });
      assert.deepEqual(await differences(calm, join(place, "results")), []);
    });
  });
});

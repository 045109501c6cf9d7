import assert from "node:assert/strict";
import { createEnsemble } from "../../src/engine/create_ensemble.ts";
import type { EnsembleSpec } from "../../src/engine/ensemble.ts";
import { describe, itNeeds } from "../../src/compat/testing.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { engine, missing } from "./adapter.ts";
import { assertParametersClose } from "./closeness.ts";
import { createInWay, exampleSpec, FORMATS, type Way } from "./example_runs.ts";
import { poisonBuffers } from "./poison_buffers.ts";

/** One model each, of odd sizes, and the time steps of a stretch. */
const EXAMPLES: Record<string, [spec: EnsembleSpec, stretch: number]> = {
  "one unit, 7 times 1 step": [
    exampleSpec({ hiddenSize: 1, steps: [7], trainBatches: [1, 2] }),
    1,
  ],
  "37 units, three classes, twice 5 steps and 1": [
    exampleSpec({ hiddenSize: 37, loss: "nll", steps: [11], density: 0.2 }),
    5,
  ],
  "58 units, batches of 131, 3 times 2 steps": [
    exampleSpec({
      hiddenSize: 58,
      inputSize: 3,
      steps: [6],
      trainBatches: [131, 6],
      density: 0.05,
    }),
    2,
  ],
  "a relu that is frozen, 3 steps, 3 and 2": [
    onlyRun(
      exampleSpec({ hiddenSize: 22, steps: [5, 9, 5, 5, 5, 5, 5, 5, 5, 8] }),
      9,
    ),
    3,
  ],
};

function onlyRun(spec: EnsembleSpec, run: number): EnsembleSpec {
  return { ...spec, runs: [spec.runs[run]!] };
}

async function all(spec: EnsembleSpec, way: Way) {
  const ensemble = await createInWay(engine!.gpu, spec, way);
  try {
    poisonBuffers(engine!.gpu, ensemble);
    const probes = [
      await ensemble.probe(0, 0),
      await ensemble.probe(0, 1),
    ];
    poisonBuffers(engine!.gpu, ensemble);
    return {
      probes,
      history: await ensemble.train(3),
      states: await ensemble.state(),
    };
  } finally {
    ensemble.destroy();
  }
}

describe("states in ranges of time steps", () => {
  for (const format of FORMATS) {
    for (const [name, [spec, stretch]] of Object.entries(EXAMPLES)) {
      itNeeds(
        `give the bytes of states in one piece, ${format}: ${name}`,
        missing,
        async () => {
          const oracle = await createEnsemble(createReferenceEngine(), spec);
          const expected = await oracle.probe(0, 1);
          oracle.destroy();
          const ranged = await all(spec, { format, stretch, ranged: true });
          assert.deepEqual(ranged, await all(spec, { format, stretch }));
          assertParametersClose(ranged.probes[1]!.gradient, expected.gradient, {
            limit: 1e-5,
            what: "gradient",
          });
        },
      );
    }
  }

  itNeeds("are those of one model at a time", missing, async () => {
    await assert.rejects(
      createInWay(engine!.gpu, exampleSpec({ hiddenSize: 4, steps: [3, 3] }), {
        stretch: 1,
        ranged: true,
      }),
      /^RangeError: Cannot train 2 models together: the states of one are more/,
    );
  });
});

/**
 * Small trainings whose results are the same bytes on every machine.
 *
 * @module
 */

import { createEnsemble } from "../../src/engine/create_ensemble.ts";
import type { EnsembleSpec } from "../../src/engine/ensemble.ts";
import { sha256Hex } from "../../src/files/bytes.ts";
import { PARAMETER_NAMES } from "../../src/rnn/parameters.ts";
import {
  createWasmEngine,
  type WasmEngineOptions,
} from "../../src/wasm/engine.ts";
import { type ExampleOptions, exampleSpec } from "../reference/example_runs.ts";

/** Models of one shape, each an example of its own. */
export function specOf(
  common: ExampleOptions,
  each: readonly ExampleOptions[],
): EnsembleSpec {
  const specs = each.map((own, i) =>
    exampleSpec({ seed: i + 1, ...common, ...own })
  );
  return { ...specs[0]!, runs: specs.map(({ runs }) => runs[0]!) };
}

/** SHA-256 of all that six epochs leave. */
export async function hashOf(
  spec: EnsembleSpec,
  options: WasmEngineOptions,
): Promise<string> {
  const engine = createWasmEngine(options);
  try {
    const ensemble = await createEnsemble(engine, spec);
    const history = await ensemble.train(6);
    const numbers = [
      ...history.trainBatchLoss,
      ...history.validateBatchLoss,
      ...history.trainAccuracy ?? [],
    ];
    for (const state of await ensemble.state()) {
      for (const part of ["parameters", "secondMoment"] as const) {
        for (const name of PARAMETER_NAMES) {
          for (const value of state[part][name]) numbers.push(value);
        }
      }
    }
    return await sha256Hex(new Uint8Array(Float64Array.from(numbers).buffer));
  } finally {
    engine.destroy();
  }
}

const MSE = specOf(
  { hiddenSize: 13, trainTrials: 40, batchSize: 33 },
  [{}, { run: { activation: "relu", optimizer: "RMSprop" } }],
);

/** Trainings and their hashes, with and without fused multiply-add. */
export const GOLDEN = [
  {
    name: "numbers to replay, without fused multiply-add",
    spec: MSE,
    fused: false,
    hash: "930b13d65b21ffd0d1427f4e4690314a6e80b22a3809cfcf576692739b1d0e00",
  },
  {
    name: "classes, without fused multiply-add",
    spec: specOf({ loss: "nll", hiddenSize: 9 }, [{}]),
    fused: false,
    hash: "ac78f08feccdf773ce7400197c78bab8a1268cfc0e20210e77d830a66ba0c969",
  },
  {
    name: "numbers to replay, with fused multiply-add",
    spec: MSE,
    fused: true,
    hash: "1634c9766c8860d141c4cbb1afd09cdf2127b65816c694a9e242b4122c65aa5f",
  },
] as const;

/**
 * Writes a benchmark's models as a folder that the peers in Python read: NumPy
 * arrays and `problem.json`.
 *
 * | file | content |
 * | --- | --- |
 * | `problem.json` | sizes, loss, batch sizes; label, activation, optimizer, learning rate, T and mask of each model |
 * | `weightIh.npy` … `biasFc.npy` | float32 [M, …], initial values, a model a row |
 * | `masks.npy` | bool [K, H, H]; models with like masks share one |
 * | `inputs_T.npy`, `targets_T.npy` | float32 [models of that T, N, T, I] and [models of that T, N, T], trials in the order of training, then of validation |
 *
 * @module
 */

import { join } from "node:path";
import { nameOf } from "../src/text/words.ts";
import type { EnsembleSpec, ModelRun } from "../src/engine/ensemble.ts";
import { writeNpy } from "../src/files/npy.ts";
import { writeFileWhole } from "../src/files/write.ts";
import {
  type Connections,
  denseMask,
  denseMatrix,
} from "../src/graph/connections.ts";
import { PARAMETER_NAMES, parameterShapes } from "../src/rnn/parameters.ts";
import type { Flags } from "../src/compat/cli.ts";
import { type Command, print } from "../src/cli/run_command.ts";
import { userPath } from "../src/cli/shell.ts";
import { InputError } from "../src/files/input_error.ts";
import { countFlag, countsFlag } from "../src/cli/flags.ts";
import { gridProblem, wantedConnectome } from "./grid_problem.ts";

/** What `problem.json` says it is. */
export const PROBLEM_FORMAT = "biornn-problem/1";

/**
 * Writes the problem into an existing folder.
 *
 * @throws {RangeError} If the models' batches differ in size.
 * @throws {InputError} If a file cannot be written.
 */
export async function exportProblem(
  folder: string,
  spec: EnsembleSpec,
): Promise<void> {
  const { runs } = spec;
  const first = runs[0];
  if (first === undefined) {
    throw new RangeError("Cannot export a problem without models");
  }
  const trainBatches = first.trials.trainBatches.map((b) => b.length);
  const validateBatches = first.trials.validateBatches.map((b) => b.length);
  for (const { label, trials } of runs) {
    if (
      String(trials.trainBatches.map((b) => b.length)) !==
        String(trainBatches) ||
      String(trials.validateBatches.map((b) => b.length)) !==
        String(validateBatches)
    ) {
      throw new RangeError(
        `Cannot export a problem: the batches of ${label} are not as large as those of ${first.label}`,
      );
    }
  }
  const { lists, maskOf } = distinctConnections(runs);
  const masks = lists.map(denseMask);
  const { hiddenSize, inputSize, outputSize, loss } = spec;
  const problem = {
    format: PROBLEM_FORMAT,
    hiddenSize,
    inputSize,
    outputSize,
    loss,
    trainBatches,
    validateBatches,
    models: runs.map((run, i) => ({
      label: run.label,
      activation: nameOf(run.activation),
      optimizer: nameOf(run.optimizer),
      learningRate: run.learningRate,
      trainRecurrent: run.trainRecurrent,
      steps: run.trials.steps,
      mask: maskOf[i],
    })),
  };
  const write = (name: string, content: Uint8Array | string) =>
    writeFileWhole(join(folder, name), content);
  await write("problem.json", `${JSON.stringify(problem, undefined, 2)}\n`);
  await write(
    "masks.npy",
    writeNpy({
      shape: [masks.length, hiddenSize, hiddenSize],
      data: joinBytes(masks),
      boolean: true,
    }),
  );
  const shapes = {
    ...parameterShapes(spec, 0),
    weightHh: [hiddenSize, hiddenSize],
  };
  for (const name of PARAMETER_NAMES) {
    await write(
      `${name}.npy`,
      writeNpy({
        shape: [runs.length, ...shapes[name]],
        data: joinFloats(
          runs.map(({ initial, connections }) =>
            name === "weightHh"
              ? denseMatrix(connections, initial.weightHh)
              : initial[name]
          ),
        ),
      }),
    );
  }
  for (const steps of new Set(runs.map((run) => run.trials.steps))) {
    const those = runs.filter((run) => run.trials.steps === steps);
    const ordered = those.map(({ trials }) => inOrder(trials, inputSize));
    const count = first.trials.trialCount;
    await write(
      `inputs_${steps}.npy`,
      writeNpy({
        shape: [those.length, count, steps, inputSize],
        data: joinFloats(ordered.map(({ inputs }) => inputs)),
      }),
    );
    await write(
      `targets_${steps}.npy`,
      writeNpy({
        shape: [those.length, count, steps],
        data: joinFloats(ordered.map(({ targets }) => targets)),
      }),
    );
  }
}

/** The different lists of connections, and which of them each run has. */
function distinctConnections(
  runs: readonly ModelRun[],
): { lists: Connections[]; maskOf: number[] } {
  const lists: Connections[] = [];
  const same = (a: Uint32Array, b: Uint32Array) =>
    a.length === b.length && a.every((value, i) => value === b[i]);
  const maskOf = runs.map(({ connections }) => {
    const known = lists.findIndex((one) =>
      one === connections ||
      (same(one.start, connections.start) &&
        same(one.sender, connections.sender))
    );
    return known >= 0 ? known : lists.push(connections) - 1;
  });
  return { lists, maskOf };
}

/** The trials in the order of the batches. */
function inOrder(
  { inputs, targets, steps, trainBatches, validateBatches }: ModelRun["trials"],
  inputSize: number,
): { inputs: Float32Array; targets: Float32Array } {
  const order = [...trainBatches, ...validateBatches].flatMap((b) => [...b]);
  const row = steps * inputSize;
  return {
    inputs: joinFloats(
      order.map((trial) => inputs.subarray(trial * row, (trial + 1) * row)),
    ),
    targets: joinFloats(
      order.map((trial) =>
        targets.subarray(trial * steps, (trial + 1) * steps)
      ),
    ),
  };
}

function joinFloats(parts: readonly Float32Array[]): Float32Array {
  const joined = new Float32Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

function joinBytes(parts: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(
    parts.reduce((sum, part) => sum + part.length, 0),
  );
  let at = 0;
  for (const part of parts) {
    joined.set(part, at);
    at += part.length;
  }
  return joined;
}

const HELP =
  `Writes the benchmark's models as a folder that bench/peers/*.py read.

Usage: deno task bench:export FOLDER [flags]

With the environment variable BIORNN_CONNECTOMES, a folder, the marmoset's
connectome is taken, without it the synthetic one.

  --models N            the first N models of the grid only
  --iterations N        runs of each of the 24 combinations; default 5
  --pattern_lengths L…  default 3 5 10`;

/** `deno task bench:export` */
export const exportCommand: Command = {
  help: HELP,
  async run(flags: Flags): Promise<number> {
    const [, name, more] = flags.positional;
    if (name === undefined || more !== undefined) {
      throw new InputError("Cannot export: one folder must be named");
    }
    const folder = userPath(name, "the folder");
    const { spec, network } = await gridProblem({
      ...wantedConnectome(flags),
      iterations: countFlag(flags, "iterations", 5),
      patternLengths: countsFlag(flags, "pattern_lengths", [3, 5, 10]),
      most: countFlag(flags, "models", 1_000_000),
    });
    await Deno.mkdir(folder, { recursive: true });
    await exportProblem(folder, spec);
    print(`${spec.runs.length} models of ${network} in ${folder}`);
    return 0;
  },
};

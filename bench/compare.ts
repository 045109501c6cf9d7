/**
 * Trains the same models with biornn and with its peers, in turn, and tells
 * how fast each was and whether their losses agree.
 *
 * @module
 */

import type { Flags } from "../src/compat/cli.ts";
import { type Command, print, printError } from "../src/cli/run_command.ts";
import { InputError } from "../src/files/input_error.ts";
import { writeFileWhole } from "../src/files/write.ts";
import { createWebGpuEngine } from "../src/gpu/engine.ts";
import { type Comparison, comparisonTable } from "./comparison_table.ts";
import type { Contestant } from "./contestant.ts";
import { exportProblem } from "./export_problem.ts";
import { countFlag, countsFlag } from "./flags.ts";
import { gridProblem } from "./grid_problem.ts";
import { describeMachine, load } from "./machine.ts";
import { startOurs } from "./our_contestant.ts";
import {
  peerEnvironment,
  probePython,
  type Python,
  runnablePeers,
} from "./peer_programs.ts";
import { startPeer } from "./peer_process.ts";
import { takeTurns } from "./take_turns.ts";
import { epochFlop } from "./work.ts";

/** Losses further apart than this were not the same training. */
const LARGEST_DIFFERENCE = 1e-4;

/** How long a peer may take to compile and to train its first epoch. */
const PEER_SECONDS = 580;

const HELP = `Trains the same models with biornn and its peers, in turn.

Usage: deno task bench:peers [flags]

The peers are PyTorch and JAX programs, bench/peers; those that a Python here
can run take part. With the environment variable BIORNN_CONNECTOMES, a folder,
the marmoset's connectome is trained on, without it the synthetic one.

  --connectome NAME     another connectome of the folder
  --models N            the first N models of the grid only
  --iterations N        runs of each of the 24 combinations; default 5
  --pattern_lengths L…  default 3 5 10
  --rounds N            rounds that are timed; default 5
  --epochs N            epochs of a round; default 1
  --peers NAME…         of sequential, loader, bmm, graphs, compile, jax,
                        jax-unrolled; default all that can run
  --python COMMAND…     Pythons, each of which runs every peer it can; default
                        python3 and /usr/bin/python3, the first that can
  --threads N           threads of a peer on the processor; default 1
  --coretype NAME       kernels of OpenBLAS; default Haswell (AVX2) on x86-64;
                        auto is its own choice
  --out FILE            write all measurements as JSON`;

/** `deno task bench:peers` */
export const compareCommand: Command = {
  help: HELP,
  flags: {
    boolean: [],
    string: [
      "connectome",
      "models",
      "iterations",
      "rounds",
      "epochs",
      "threads",
      "coretype",
      "out",
    ],
    list: ["pattern_lengths", "peers", "python"],
  },
  run: compare,
};

async function compare(flags: Flags): Promise<number> {
  const connectomes = Deno.env.get("BIORNN_CONNECTOMES");
  const rounds = countFlag(flags, { name: "rounds", fallback: 5 });
  const epochs = countFlag(flags, { name: "epochs", fallback: 1 });
  const problem = await gridProblem({
    ...(connectomes === undefined ? {} : { connectomes }),
    ...(flags.string.connectome === undefined
      ? {}
      : { connectome: flags.string.connectome }),
    iterations: countFlag(flags, { name: "iterations", fallback: 5 }),
    patternLengths: countsFlag(flags, {
      name: "pattern_lengths",
      fallback: [3, 5, 10],
    }),
    most: countFlag(flags, { name: "models", fallback: 1_000_000 }),
  });
  const engine = await createWebGpuEngine();
  if (engine === undefined) {
    throw new InputError("Cannot compare: this machine has no WebGPU adapter");
  }
  const folder = await Deno.makeTempDir({ prefix: "biornn-problem-" });
  const contestants: Contestant[] = [];
  try {
    await exportProblem(folder, problem.spec);
    contestants.push(await startOurs(engine, { problem, epochs }));
    contestants.push(...await startPeers(flags, { folder, epochs }));
    const loadBefore = load();
    const measured = await takeTurns(contestants, {
      rounds,
      epochs,
      onRound: (done) => printError(`round ${done} of ${rounds}`),
    });
    const { spec } = problem;
    const comparison: Comparison = {
      format: "biornn-comparison/1",
      command: ["deno task bench:peers", ...Deno.args.slice(1)].join(" "),
      machine: describeMachine(),
      adapter: engine.description,
      network: problem.network,
      density: problem.density,
      hiddenSize: spec.hiddenSize,
      models: spec.runs.length,
      steps: [...new Set(spec.runs.map(({ trials }) => trials.steps))],
      epochFlop: epochFlop(spec),
      epochsOfRound: epochs,
      load: [loadBefore ?? null, load() ?? null],
      measured,
    };
    print(comparisonTable(comparison));
    if (flags.string.out !== undefined) {
      await writeFileWhole(
        flags.string.out,
        `${JSON.stringify(comparison, undefined, 2)}\n`,
      );
    }
    const wrong = measured.filter((one) =>
      !(one.lossDifference.first <= LARGEST_DIFFERENCE)
    );
    for (const { name, lossDifference } of wrong) {
      printError(
        `error: losses of ${name} differ from ours in the first epochs by up to ${lossDifference.first} of their value; up to ${LARGEST_DIFFERENCE} is rounding`,
      );
    }
    return wrong.length === 0 ? 0 : 1;
  } finally {
    for (const contestant of contestants) await contestant.stop();
    engine.destroy();
    await Deno.remove(folder, { recursive: true });
  }
}

/** Starts the peers that can run; one that fails is left out with a warning. */
async function startPeers(
  flags: Flags,
  { folder, epochs }: { readonly folder: string; readonly epochs: number },
): Promise<Contestant[]> {
  const coreType = flags.string.coretype ??
    (Deno.build.arch === "x86_64" ? "Haswell" : "auto");
  const environment = peerEnvironment({
    threads: countFlag(flags, { name: "threads", fallback: 1 }),
    coreType: coreType === "auto" ? undefined : coreType,
  });
  const runnable = runnablePeers(await findPythons(flags.list.python), {
    names: flags.list.peers,
    every: flags.list.python !== undefined,
  });
  if (runnable.length === 0) {
    printError(
      "warning: no Python here can run a peer; --python names one that has torch or jax",
    );
  }
  const started: Contestant[] = [];
  for (const peer of runnable) {
    try {
      started.push(
        await startPeer(peer, {
          problem: folder,
          warmup: 1,
          epochs,
          environment,
          timeoutSeconds: PEER_SECONDS,
        }),
      );
    } catch (error) {
      if (!(error instanceof Error)) throw error;
      printError(`warning: ${error.message}`);
    }
  }
  return started;
}

/** What the Pythons have: those asked for, or those that are usually there. */
async function findPythons(
  asked: readonly string[] | undefined,
): Promise<Python[]> {
  const pythons: Python[] = [];
  for (const command of asked ?? ["python3", "/usr/bin/python3"]) {
    const python = await probePython(command);
    if (python !== undefined) pythons.push(python);
    else if (asked !== undefined) {
      throw new InputError(`Cannot run "${command}": it is no Python`);
    }
  }
  return pythons;
}

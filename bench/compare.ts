/**
 * Trains the same models with biornn and with its peers, in turn, and tells
 * how fast each was and whether their losses agree.
 *
 * @module
 */

import { join } from "node:path";
import type { Flags } from "../src/compat/cli.ts";
import { type Command, print, printError } from "../src/cli/run_command.ts";
import { InputError } from "../src/files/input_error.ts";
import { createWebGpuEngine } from "../src/gpu/engine.ts";
import { createWasmEngine } from "../src/wasm/engine.ts";
import { exportProblem } from "./export_problem.ts";
import { countFlag, countsFlag } from "../src/cli/flags.ts";
import {
  type GridProblem,
  gridProblem,
  wantedConnectome,
} from "./grid_problem.ts";
import {
  epochFlop,
  formatSpread,
  load,
  type Origin,
  originOf,
  saveMeasured,
  spread,
  threeDigits,
} from "./measure.ts";
import { type Contestant, startOurs, together } from "./contestant.ts";
import {
  peerEnvironment,
  probePython,
  type Python,
  runnablePeers,
} from "./peers.ts";
import { startPeer } from "./peers.ts";
import { takeTurns } from "./take_turns.ts";
import type { Measured } from "./take_turns.ts";

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
  --engines NAME…       of cpu, cpu-1 (one worker) and gpu; the first is what all are
                        compared with; default gpu where there is a real one,
                        else all
  --peers NAME…         of sequential, loader, captured, bmm, graphs, compile,
                        jax, jax-unrolled; default all that can run
  --python COMMAND…     Pythons, each of which runs every peer it can; default
                        python3 and /usr/bin/python3, the first that can
  --threads N           threads of a peer on the processor; default 1
  --processes N         run each peer a second time as N processes, which share
                        the models out
  --coretype NAME       kernels of OpenBLAS; default Haswell (AVX2) on x86-64;
                        auto is its own choice
  --out FILE            write all measurements as JSON`;

/** `deno task bench:peers` */
export const compareCommand: Command = {
  help: HELP,
  run: compare,
};

async function compare(flags: Flags): Promise<number> {
  const rounds = countFlag(flags, "rounds", 5);
  const epochs = countFlag(flags, "epochs", 1);
  const problem = await gridProblem({
    ...wantedConnectome(flags),
    iterations: countFlag(flags, "iterations", 5),
    patternLengths: countsFlag(flags, "pattern_lengths", [3, 5, 10]),
    most: countFlag(flags, "models", 1_000_000),
  });
  const folder = await Deno.makeTempDir({ prefix: "biornn-problem-" });
  const contestants: Contestant[] = [];
  try {
    contestants.push(...await startEngines(flags, { problem, epochs }));
    contestants.push(...await startPeers(flags, { folder, problem, epochs }));
    const loadBefore = load();
    const measured = await takeTurns(contestants, {
      rounds,
      epochs,
      onRound: (done) => printError(`round ${done} of ${rounds}`),
    });
    const { spec } = problem;
    const comparison: Comparison = {
      format: "biornn-comparison/1",
      ...originOf("bench:peers"),
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
    await saveMeasured(flags, comparison);
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
    await Deno.remove(folder, { recursive: true });
  }
}

/** Starts biornn's engines: those asked for, or those that suit the machine; the first is what all are compared with. */
async function startEngines(
  flags: Flags,
  options: { readonly problem: GridProblem; readonly epochs: number },
): Promise<Contestant[]> {
  const cores = navigator.hardwareConcurrency;
  const gpu = await createWebGpuEngine();
  const software = gpu?.adapter.software ?? true;
  const names = flags.list.engines ??
    (software ? ["cpu", "cpu-1", "gpu"] : ["gpu"]);
  const started: Contestant[] = [];
  for (const name of names) {
    if (name === "gpu") {
      if (gpu === undefined) continue;
      started.push(
        await startOurs(gpu, {
          ...options,
          name,
          title: "biornn, WebGPU",
          threads: software ? cores : null,
        }),
      );
    } else if (name === "cpu" || name === "cpu-1") {
      const workers = name === "cpu" ? cores : 1;
      started.push(
        await startOurs(createWasmEngine({ workers }), {
          ...options,
          name,
          title: "biornn, WebAssembly",
          threads: workers,
        }),
      );
    } else {
      throw new InputError(
        `Cannot use the engine "${name}": allowed are cpu, cpu-1 and gpu`,
      );
    }
  }
  if (!names.includes("gpu")) gpu?.destroy();
  if (started.length === 0) {
    throw new InputError("Cannot compare: this machine has no WebGPU adapter");
  }
  return started;
}

/** Starts the peers that can run; one that fails is left out with a warning. */
async function startPeers(
  flags: Flags,
  { folder, problem: { spec }, epochs }: {
    readonly folder: string;
    readonly problem: GridProblem;
    readonly epochs: number;
  },
): Promise<Contestant[]> {
  const coreType = flags.string.coretype ??
    (Deno.build.arch === "x86_64" ? "Haswell" : "auto");
  const environment = peerEnvironment({
    threads: countFlag(flags, "threads", 1),
    coreType: coreType === "auto" ? undefined : coreType,
  });
  const processes = countFlag(flags, "processes", 1);
  const runnable = runnablePeers(await findPythons(flags.list.python), {
    names: flags.list.peers,
    every: flags.list.python !== undefined,
  });
  if (runnable.length === 0) {
    printError(
      "warning: no Python here can run a peer; --python names one that has torch or jax",
    );
  }
  /** Every n-th model, so that all parts have trials of all lengths. */
  const split = async (count: number) => {
    const parts = [];
    for (let part = 0; part < count; part++) {
      const models = [...spec.runs.keys()].filter((i) => i % count === part);
      const problem = join(folder, `${part}_of_${count}`);
      await Deno.mkdir(problem);
      const runs = models.map((i) => spec.runs[i]!);
      await exportProblem(problem, { ...spec, runs });
      parts.push({ problem, models });
    }
    return parts;
  };
  const options = {
    warmup: 1,
    epochs,
    environment,
    timeoutSeconds: PEER_SECONDS,
  };
  const whole = await split(1);
  const shared = processes > 1 ? await split(processes) : [];
  const started: Contestant[] = [];
  for (const peer of runnable) {
    for (const parts of shared.length === 0 ? [whole] : [whole, shared]) {
      try {
        const contestants = [];
        for (const { problem, models } of parts) {
          const contestant = await startPeer(peer, { ...options, problem });
          contestants.push({ contestant, models });
        }
        const [{ contestant }] = contestants as [typeof contestants[0]];
        started.push(
          contestants.length === 1 ? contestant : together(contestants, {
            name: `${contestant.name} (${processes} processes)`,
            title: `${contestant.title}, ${processes} processes`,
          }),
        );
      } catch (error) {
        if (!(error instanceof Error)) throw error;
        printError(`warning: ${error.message}`);
      }
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

/** All of a comparison, as it is saved. */
export interface Comparison extends Origin {
  readonly format: "biornn-comparison/1";
  readonly network: string;
  /** Share of W_hh's elements that exist. */
  readonly density: number;
  readonly hiddenSize: number;
  readonly models: number;
  /** T, each that occurs. */
  readonly steps: readonly number[];
  readonly epochFlop: number;
  readonly epochsOfRound: number;
  /** Load of the machine before and after; null where it is not known. */
  readonly load: readonly (number | null)[];
  readonly measured: readonly Measured[];
}

/** The comparison as text: what was trained, then a row a program. */
export function comparisonTable(comparison: Comparison): string {
  const { machine, measured, load } = comparison;
  const rounds = measured[0]?.seconds.length ?? 0;
  const loads = load.map((value) => value === null ? "?" : threeDigits(value));
  const rows = measured.map((one) => [
    one.title,
    `${one.facts.version}; ${one.facts.device}`,
    one.facts.threads === null ? "–" : String(one.facts.threads),
    one.facts.blas,
    threeDigits(one.warmupSeconds),
    threeDigits(spread(one.seconds).median / comparison.epochsOfRound),
    threeDigits(spread(one.cpuSeconds).median / comparison.epochsOfRound),
    formatSpread(spread(one.gflops)),
    formatSpread(spread(one.ratio)),
    `${one.lossDifference.first.toExponential(1)}, ${
      one.lossDifference.last.toExponential(1)
    }`,
  ]);
  return [
    `${comparison.models} models, H = ${comparison.hiddenSize}, T = ${
      comparison.steps.join(", ")
    }, ${comparison.network}, ${
      threeDigits(comparison.density * 100)
    } % of W_hh connected`,
    `${
      threeDigits(comparison.epochFlop / 1e9)
    } GFLOP an epoch; ${rounds} rounds of ${comparison.epochsOfRound} epoch${
      comparison.epochsOfRound === 1 ? "" : "s"
    } each, in turn; median (least to most)`,
    `${machine.cpu}, ${machine.cores} cores, ${machine.system}, load ${
      loads.join(" to ")
    }`,
    "",
    ...markdownTable([
      "program",
      "version; device",
      "CPU threads",
      "kernels",
      "start and first epoch, s",
      "epoch, s",
      "of all cores, s",
      "GFLOP/s",
      "speed of the first ÷ this",
      "losses differ by: first epochs, last",
    ], rows),
  ].join("\n");
}

/** Lines of a Markdown table, columns padded to one width. */
export function markdownTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
): string[] {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]?.length ?? 0))
  );
  const line = (cells: readonly string[]) =>
    `| ${
      widths.map((width, i) => (cells[i] ?? "").padEnd(width)).join(" | ")
    } |`;
  return [
    line(head),
    line(widths.map((width) => "-".repeat(width))),
    ...rows.map(line),
  ];
}

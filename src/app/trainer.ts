/**
 * The worker that trains: all that takes long happens here, so that the page
 * answers at once.
 *
 * @module
 */

import type { Connectome } from "../connectome/connectome.ts";
import { connectomeOfFile, embeddedConnectome } from "../connectome/decode.ts";
import {
  DeviceError,
  type Engine,
  type Ensemble,
  type Plan,
} from "../engine/ensemble.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { InputError } from "../files/input_error.ts";
import { createWebGpuEngine } from "../gpu/engine.ts";
import { engineName } from "../results/run_file.ts";
import { encodeLatents, syntheticDigits } from "../tasks/synthetic_stimuli.ts";
import { buildRun, prepareWith, runsOf } from "../train/build_run.ts";
import { planTogether } from "../train/groups.ts";
import { copyHistory, emptyHistory } from "../train/train_group.ts";
import { createWasmEngine } from "../wasm/engine.ts";
import { curveOf, type CurvePoint, pictureOf, trialOf } from "./pictures.ts";
import {
  type Arm,
  packResults,
  type Run,
  summarise,
  type Summary,
  type TrainedArm,
} from "./results.ts";
import {
  experimentsOf,
  type KnownConnectome,
  labelOf,
  type Settings,
} from "./settings.ts";

/** Which model is looked at. */
export interface Watched {
  readonly arm: number;
  readonly combination: number;
  /** A validation trial. */
  readonly trial: number;
  /** Draw how far W_hh is from its start, instead of W_hh. */
  readonly change: boolean;
}

/** What the page asks for. */
export type Order =
  | {
    readonly ask: "start";
    readonly settings: Settings;
    readonly watched: Watched;
    /** Milliseconds between two pictures. */
    readonly pace: number;
  }
  | { readonly ask: "add"; readonly file: File }
  | { readonly ask: "stop" | "go on" | "pack" }
  | { readonly ask: "watch"; readonly watched: Watched };

/** What the page knows of a training. */
export interface Training {
  readonly phase: "idle" | "preparing" | "training" | "stopped" | "finished";
  readonly begun?: {
    readonly engine: string;
    readonly task: string;
    /** What the arms are called. */
    readonly arms: readonly string[];
    /** Titles of the combinations. */
    readonly combinations: readonly string[];
    readonly epochs: number;
  };
  readonly progress?: {
    /** Share of all epochs of all runs, 0 to 1. */
    readonly done: number;
    /** Updates of a model in a second, of all models. */
    readonly updatesPerSecond: number;
    readonly curves: readonly CurvePoint[];
    /** Of the model that is looked at, where it has begun. */
    readonly watched: Awaited<ReturnType<typeof lookAt>>;
  };
  readonly summary?: Summary;
  readonly packing?: boolean;
  readonly error?: string;
}

/** What the page is told: what is otherwise now, and what has come. */
export interface News extends Partial<Training> {
  readonly note?: string;
  readonly connectome?: KnownConnectome;
  /** The results in an archive. */
  readonly zip?: Uint8Array<ArrayBuffer>;
}

/** Runs of an arm that train together. */
interface Group {
  readonly runs: readonly Run[];
  readonly plan: Plan;
  /** From their first epoch to their last. */
  ensemble?: Ensemble;
  millisecondsPerEpoch: number;
}

let engine: Engine | undefined;
let arms: readonly Arm[] = [];
let runs: readonly Run[] = [];
let groups: readonly Group[] = [];
let watched: Watched = { arm: 0, combination: 0, trial: 0, change: false };
let running: AbortController | undefined;
/** Number of the training that was asked for last. */
let asked = 0;
/** Trainings wait for each other. */
let last: Promise<void> = Promise.resolve();
let pace = 0;
let updates = 0;
let milliseconds = 0;

function tell(news: News, transfer: Transferable[] = []): void {
  (self as unknown as Worker).postMessage(news, transfer);
}

/** Opens what trains: a real GPU, else WebAssembly, else a software adapter. */
async function openEngine({ device }: Settings): Promise<Engine> {
  const gpu = device === "cpu"
    ? undefined
    : await createWebGpuEngine().catch(() => undefined);
  if (gpu !== undefined && (device === "gpu" || !gpu.adapter.software)) {
    return gpu;
  }
  if (device === "gpu") {
    throw new InputError(
      "Cannot train with WebGPU: this browser has no adapter for it; choose the CPU",
    );
  }
  if (typeof WebAssembly === "undefined") {
    if (gpu !== undefined) return gpu;
    throw new InputError(
      "Cannot train in this browser: it has neither WebGPU nor WebAssembly; a current Chrome, Edge, Firefox or Safari has both",
    );
  }
  gpu?.destroy();
  if (!crossOriginIsolated) {
    tell({
      note:
        "One core trains, as this host does not let the page share memory between cores (it would have to send the headers that docs/app.md names).",
    });
  }
  return createWasmEngine();
}

function inTurn(work: () => Promise<void>): Promise<void> {
  const turn = last.then(work);
  last = turn.catch(() => {});
  return turn;
}

/** Prepares and trains; gives up where another training has been asked for meanwhile. */
async function start(settings: Settings, number: number): Promise<void> {
  if (number !== asked) return;
  for (const { ensemble } of groups) ensemble?.destroy();
  engine?.destroy();
  engine = undefined;
  arms = [];
  runs = [];
  groups = [];
  updates = 0;
  milliseconds = 0;
  const experiments = experimentsOf(settings);
  const [{ net, grid, run, training, task: { task } }] = experiments as [
    Experiment,
  ];
  const labels = experiments.map(({ net }) => labelOf(net.nullModel));
  const connectome = await connectomeOf(net.name);
  engine = await openEngine(settings);
  tell({
    begun: {
      engine: engineName(engine),
      task: task.name,
      arms: labels,
      combinations: titlesOf(grid),
      epochs: training.epochs,
    },
  });
  const digits = task.stimuli && syntheticDigits({ seed: run.seed });
  const stimuli = digits && task.stimuli === "latents"
    ? encodeLatents(digits)
    : digits;
  for (const [i, experiment] of experiments.entries()) {
    const prepared = await prepareWith(experiment, {
      connectome,
      stimuli,
      network: arms[0]?.prepared.network,
      onProgress: (note) => tell({ note }),
    });
    arms = [...arms, { label: labels[i]!, prepared }];
  }
  runs = arms.flatMap((results) =>
    runsOf(results.prepared.experiment).map((id) => ({
      results,
      id,
      epoch: 0,
      history: emptyHistory(training.epochs, task.loss === "nll"),
    }))
  );
  groups = arms.flatMap((arm) => planTogether(runsIn(arm), engine!))
    .flatMap(({ runs, plan }) =>
      plan.groups.map((numbers) => ({
        runs: numbers.map((n) => runs[n]!),
        plan,
        millisecondsPerEpoch: Infinity,
      }))
    );
  await train(number);
}

function runsIn(arm: Arm): Run[] {
  return runs.filter(({ results }) => results === arm);
}

/** What tells the combinations from each other. */
function titlesOf({ keys, combinations }: Experiment["grid"]): string[] {
  const differs = keys.map((_, i) =>
    new Set(combinations.map(({ values }) => values[i]!.repr)).size > 1
  );
  return combinations.map(({ values }) =>
    keys.flatMap((key, i) =>
      differs[i] ? [`${key.replaceAll("_", " ")} ${values[i]!.value}`] : []
    ).join(", ")
  );
}

/** Those that were added, by name. */
const added = new Map<string, Connectome>();

/** A file that was added comes before what the page itself has under that name. */
async function connectomeOf(name: string): Promise<Connectome> {
  const found = added.get(name);
  if (found !== undefined) return found;
  const embedded = await embeddedConnectome();
  if (name === embedded.name) return embedded;
  throw new InputError(
    `Cannot train: the connectome ${name} is not here yet; drop its file on the page`,
  );
}

async function add(file: File): Promise<void> {
  if (/\.h(?:5|df5?)$/i.test(file.name)) {
    throw new InputError(
      `Cannot read "${file.name}": a page can't read HDF5; deno task connectome import makes a matrix of it that it can`,
    );
  }
  const lines: string[] = [];
  const stream = /\.gz$/i.test(file.name)
    ? file.stream().pipeThrough(new DecompressionStream("gzip"))
    : file.stream();
  const connectome = await connectomeOfFile(
    await new Response(stream).bytes(),
    {
      file: file.name.replace(/\.gz$/i, ""),
      onProgress: (line) => lines.push(line),
    },
  );
  const { name, regions } = connectome;
  added.set(name, connectome);
  tell({ connectome: { name, regions }, note: lines.join("; ") });
}

/** Trains until all is done, it is stopped, or another training is asked for. */
async function train(number: number): Promise<void> {
  if (number !== asked) return;
  running = new AbortController();
  const { signal } = running;
  let group = furthestBehind();
  for (; group !== undefined && !signal.aborted; group = furthestBehind()) {
    await advance(group, signal);
    if (number !== asked) break;
    await tellProgress();
    // Where no other thread trains, an order to stop comes between two turns.
    await new Promise((resolve) => setTimeout(resolve));
  }
  running = undefined;
  if (number !== asked) return;
  tell(
    group === undefined
      ? { phase: "finished", summary: summarise(trainedArms()) }
      : { phase: "stopped" },
  );
}

/** What is next of the arm that has come least far, so that all advance side by side. */
function furthestBehind(): Group | undefined {
  const left = groups.filter(({ runs }) => runs[0]!.parameters === undefined);
  const done = ({ runs: [run] }: Group) =>
    runsIn(run!.results).reduce((sum, { epoch }) => sum + epoch, 0);
  return left.sort((a, b) => done(a) - done(b))[0];
}

/** Trains runs for about as long as pictures are apart. */
async function advance(group: Group, signal: AbortSignal): Promise<void> {
  const { runs, plan } = group;
  const [{ results: { prepared }, epoch: first }] = runs as [Run];
  const { epochs } = prepared.experiment.training;
  if (group.ensemble === undefined) {
    plan.prepare();
    for (const each of runs) {
      each.run = await buildRun(prepared, each.id);
      each.own = prepared.ownNetworkOf(each.id);
    }
    group.ensemble = await plan.createEnsemble(runs.map(({ run }) => run!));
  }
  const { ensemble } = group;
  const count = Math.max(1, Math.floor(pace / group.millisecondsPerEpoch));
  const histories = runs.map(({ history }) => history);
  const before = performance.now();
  const made = await ensemble.train(Math.min(count, epochs - first), {
    signal,
    onEpochs(history) {
      copyHistory(history, histories, runs[0]!.epoch);
      for (const each of runs) each.epoch += history.epochs;
    },
  });
  const took = performance.now() - before;
  if (made.epochs > 0) group.millisecondsPerEpoch = took / made.epochs;
  milliseconds += took;
  updates += made.epochs * runs.length *
    runs[0]!.run!.trials.trainBatches.length;
  if (first + made.epochs < epochs) return;
  for (const [i, { parameters }] of (await ensemble.state()).entries()) {
    runs[i]!.parameters = parameters;
  }
  ensemble.destroy();
  delete group.ensemble;
}

function trainedArms(): TrainedArm[] {
  return arms.map((arm) => ({
    ...arm,
    engine: engineName(engine!),
    runs: runsIn(arm) as Required<Run>[],
  }));
}

async function tellProgress(): Promise<void> {
  const number = asked;
  const seen = await lookAt(watched);
  // The page has asked for another training meanwhile, and must not take this for its progress.
  if (number !== asked) return;
  const { epochs } = arms[0]!.prepared.experiment.training;
  const done = runs.reduce((sum, { epoch }) => sum + epoch, 0);
  tell({
    ...(running && { phase: "training" }),
    progress: {
      done: done / (runs.length * epochs),
      updatesPerSecond: milliseconds === 0 ? 0 : 1000 * updates / milliseconds,
      curves: arms.flatMap((arm) =>
        curveOf(
          runsIn(arm).filter(({ id }) =>
            id.combination === watched.combination
          ),
          { arm: arm.label, epochs },
        )
      ),
      watched: seen,
    },
  });
}

async function lookAt({ arm, combination, trial, change }: Watched) {
  const found = runsIn(arms[arm]!).find(({ id }) =>
    id.combination === combination && id.iteration === 0
  );
  if (found?.run === undefined) return undefined;
  const { results, run, epoch } = found;
  const group = groups.find(({ runs }) => runs.includes(found))!;
  const [state] = await group.ensemble?.state(group.runs.indexOf(found)) ?? [];
  const parameters = found.parameters ?? state?.parameters;
  if (parameters === undefined) return undefined;
  const model = { results, run, parameters };
  return {
    epoch,
    matrix: pictureOf(model, { change }),
    trial: trialOf(model, trial),
  };
}

async function obey(order: Order): Promise<void> {
  switch (order.ask) {
    case "start": {
      const number = ++asked;
      ({ watched, pace } = order);
      running?.abort();
      return await inTurn(() => start(order.settings, number));
    }
    case "add":
      return await add(order.file);
    case "go on":
      if (running === undefined) await inTurn(() => train(asked));
      return;
    case "pack": {
      const zip = packResults(trainedArms());
      return tell({ zip, packing: false }, [zip.buffer]);
    }
    case "stop":
      return running?.abort();
    case "watch":
      watched = order.watched;
      if (running === undefined && runs.length > 0) await tellProgress();
  }
}

/** A RangeError is an engine's, or the browser's, that has no room for models. */
const EXPECTED = [InputError, DeviceError, RangeError];

self.addEventListener("message", (event) => {
  const { data } = event as MessageEvent<Order>;
  obey(data).catch((error: unknown) => {
    // A training goes on, whatever is wrong with a file that is added to it.
    const hasEnded = data.ask === "start" || data.ask === "go on";
    if (hasEnded) running = undefined;
    tell({
      ...(hasEnded && { phase: "idle" }),
      packing: false,
      error: error instanceof Error ? error.message : String(error),
    });
    // A fault of the program shows where it is.
    if (!EXPECTED.some((kind) => error instanceof kind)) throw error;
  });
});

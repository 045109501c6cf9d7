/**
 * The worker that trains: all that takes long happens here, so that the page
 * answers at once.
 *
 * @module
 */

import type { Connectome } from "../connectome/connectome.ts";
import { connectomeOfFile, embeddedConnectome } from "../connectome/decode.ts";
import type { Network } from "../connectome/scale.ts";
import {
  DeviceError,
  type Engine,
  type Ensemble,
  type ModelRun,
  type Plan,
} from "../engine/ensemble.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { InputError } from "../files/input_error.ts";
import { createWebGpuEngine } from "../gpu/engine.ts";
import { type RunId, runKey } from "../results/layout.ts";
import { engineName } from "../results/run_file.ts";
import {
  buildRun,
  ensembleShape,
  type PreparedExperiment,
  prepareWith,
  runsOf,
} from "../train/build_run.ts";
import { encodeLatents, syntheticDigits } from "../tasks/synthetic_stimuli.ts";
import { copyHistory, emptyHistory } from "../train/train_group.ts";
import { createWasmEngine } from "../wasm/engine.ts";
import {
  type Band,
  bandOf,
  type MatrixPicture,
  pictureOf,
  trialOf,
  type TrialPicture,
  type WatchedModel,
} from "./pictures.ts";
import {
  packResults,
  summarise,
  type Summary,
  type TrainedArm,
  type TrainedRun,
} from "./results.ts";
import {
  type Device,
  experimentsOf,
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
    /** Milliseconds between two pictures. */
    readonly pace: number;
  }
  | { readonly ask: "add"; readonly file: File }
  | { readonly ask: "stop" | "go on" | "pack" }
  | { readonly ask: "watch"; readonly watched: Watched };

/** What the page is told. */
export type News =
  | { readonly tell: "note"; readonly line: string }
  | { readonly tell: "error"; readonly line: string }
  | {
    readonly tell: "connectome";
    readonly name: string;
    readonly regions: number;
    readonly line: string;
  }
  | {
    readonly tell: "begun";
    readonly engine: string;
    readonly arms: readonly string[];
    /** Titles of the combinations. */
    readonly combinations: readonly string[];
    readonly runs: number;
    readonly epochs: number;
  }
  | {
    readonly tell: "progress";
    /** Share of all epochs of all runs, 0 to 1. */
    readonly done: number;
    /** Updates of a model in a second, of all models. */
    readonly updatesPerSecond: number;
    readonly bands: readonly Band[];
    readonly matrix?: MatrixPicture;
    readonly trial?: TrialPicture;
    readonly epoch?: number;
  }
  | { readonly tell: "stopped" }
  | ({ readonly tell: "finished" } & Summary)
  /** The results in an archive. */
  | { readonly tell: "packed"; readonly zip: Uint8Array<ArrayBuffer> };

type History = ReturnType<typeof emptyHistory>;

/** Runs of an arm that train together now. */
interface Group {
  readonly ids: readonly RunId[];
  readonly runs: readonly ModelRun[];
  /** Those that are their own. */
  readonly networks: readonly (Network | undefined)[];
  readonly ensemble: Ensemble;
  epoch: number;
}

/** One side of the comparison. */
interface Arm {
  readonly name: string;
  readonly prepared: PreparedExperiment;
  readonly plan: Plan;
  readonly waiting: RunId[][];
  readonly histories: Map<string, History>;
  readonly trained: Map<string, TrainedRun>;
  group?: Group;
  /** Epochs of all runs so far. */
  done: number;
  millisecondsPerEpoch: number;
}

/** Milliseconds that one call of an engine should take, so that arms advance side by side. */
const SLICE = 200;
let engine: Engine | undefined;
let arms: Arm[] = [];
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
async function openEngine(device: Device): Promise<Engine> {
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
      tell: "note",
      line:
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
  for (const arm of arms) arm.group?.ensemble.destroy();
  arms = [];
  engine?.destroy();
  engine = undefined;
  const experiments = experimentsOf(settings);
  const [{ net, grid, training, task }] = experiments as [Experiment];
  const connectome = await connectomeOf(net.name);
  engine = await openEngine(settings.device);
  tell({
    tell: "begun",
    engine: engineName(engine),
    arms: experiments.map(({ net }) => net.nullModel),
    combinations: titlesOf(grid),
    runs: grid.combinations.length * training.iterations,
    epochs: training.epochs,
  });
  const note = (line: string) => tell({ tell: "note", line });
  const { run: { seed } } = experiments[0]!;
  const digits = task.task.stimuli && syntheticDigits({ seed });
  const stimuli = digits && task.task.stimuli === "latents"
    ? encodeLatents(digits)
    : digits;
  for (const experiment of experiments) {
    const prepared = await prepareWith(experiment, {
      connectome,
      stimuli,
      network: arms[0]?.prepared.network,
      onProgress: note,
    });
    const runs = runsOf(experiment);
    const plan = engine.plan(ensembleShape(prepared, runs));
    plan.prepare();
    const histories = new Map(
      runs.map((id) => [
        runKey(id),
        emptyHistory(training.epochs, task.task.loss === "nll"),
      ]),
    );
    arms.push({
      name: experiment.net.nullModel,
      prepared,
      plan,
      waiting: plan.groups.map((numbers) => numbers.map((n) => runs[n]!)),
      histories,
      trained: new Map(),
      done: 0,
      millisecondsPerEpoch: Infinity,
    });
  }
  updates = milliseconds = 0;
  if (number === asked) await train();
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
  const packed = /\.gz$/i.test(file.name);
  const bytes = await new Response(
    packed
      ? file.stream().pipeThrough(new DecompressionStream("gzip"))
      : file.stream(),
  ).bytes();
  const connectome = await connectomeOfFile(bytes, {
    file: file.name.replace(/\.gz$/i, ""),
    onProgress: (line) => lines.push(line),
  });
  const { name, regions } = connectome;
  added.set(name, connectome);
  tell({ tell: "connectome", name, regions, line: lines.join("; ") });
}

async function train(): Promise<void> {
  const { signal } = running = new AbortController();
  let told = 0;
  for (;;) {
    // The one that is furthest behind.
    const arm = arms.filter(isUnfinished).sort((a, b) => a.done - b.done)[0];
    if (arm === undefined || signal.aborted) break;
    await advance(arm, signal);
    // Where no other thread trains, an order to stop comes between two turns.
    await new Promise((resolve) => setTimeout(resolve));
    if (performance.now() - told < pace) continue;
    await tellProgress();
    told = performance.now();
  }
  await tellProgress();
  running = undefined;
  if (arms.some(isUnfinished)) return tell({ tell: "stopped" });
  tell({ tell: "finished", ...summarise(trainedArms(), labelOf) });
}

function trainedArms(): TrainedArm[] {
  return arms.map(({ prepared, trained }) => ({
    prepared,
    engine: engineName(engine!),
    runs: runsOf(prepared.experiment).map((id) => trained.get(runKey(id))!),
  }));
}

function isUnfinished({ group, waiting }: Arm): boolean {
  return group !== undefined || waiting.length > 0;
}

async function advance(arm: Arm, signal: AbortSignal): Promise<void> {
  const { epochs } = arm.prepared.experiment.training;
  const group = arm.group ??= await begin(arm);
  const histories = group.ids.map((id) => arm.histories.get(runKey(id))!);
  const count = Math.max(1, Math.floor(SLICE / arm.millisecondsPerEpoch));
  const before = performance.now();
  const first = group.epoch;
  await group.ensemble.train(Math.min(count, epochs - first), {
    signal,
    onEpochs(history) {
      copyHistory(history, histories, group.epoch);
      group.epoch += history.epochs;
    },
  });
  const made = group.epoch - first;
  if (made > 0) {
    const took = performance.now() - before;
    arm.millisecondsPerEpoch = took / made;
    arm.done += made * group.ids.length;
    milliseconds += took;
    updates += made * group.ids.length *
      group.runs[0]!.trials.trainBatches.length;
  }
  if (group.epoch < epochs) return;
  for (const [i, { parameters }] of (await group.ensemble.state()).entries()) {
    const id = group.ids[i]!;
    const key = runKey(id);
    const history = arm.histories.get(key)!;
    const [run, own] = [group.runs[i]!, group.networks[i]];
    arm.trained.set(key, { id, run, own, history, parameters });
  }
  group.ensemble.destroy();
  delete arm.group;
}

async function begin(arm: Arm): Promise<Group> {
  const ids = arm.waiting.shift()!;
  const runs: ModelRun[] = [];
  const networks: Group["networks"][number][] = [];
  for (const id of ids) {
    runs.push(await buildRun(arm.prepared, id));
    networks.push(arm.prepared.ownNetworkOf(id));
  }
  return {
    ...{ ids, runs, networks },
    ensemble: await arm.plan.createEnsemble(runs),
    epoch: 0,
  };
}

async function tellProgress(): Promise<void> {
  const total = arms.reduce(
    (sum, { prepared: { experiment } }) =>
      sum + runsOf(experiment).length * experiment.training.epochs,
    0,
  );
  const done = arms.reduce((sum, arm) => sum + arm.done, 0);
  const model = await watchedModel();
  const matrix = model && pictureOf(model, watched);
  const trial = model && trialOf(model, watched.trial);
  tell({
    tell: "progress",
    done: done / total,
    updatesPerSecond: milliseconds === 0 ? 0 : 1000 * updates / milliseconds,
    bands: arms.flatMap(({ name, prepared, histories }) =>
      bandOf(histories, {
        arm: name,
        combination: watched.combination,
        training: prepared.experiment.training,
      })
    ),
    ...(model && { epoch: model.epoch, matrix: matrix!, trial: trial! }),
  }, [
    ...(matrix ? [matrix.values.buffer] : []),
    ...(trial
      ? [trial.inputs.buffer, trial.targets.buffer, trial.outputs.buffer]
      : []),
  ]);
}

async function watchedModel(): Promise<WatchedModel | undefined> {
  const arm = arms[watched.arm];
  if (arm === undefined) return undefined;
  const { prepared, group } = arm;
  const { combination } = watched;
  const key = runKey({ combination, iteration: 0 });
  const trained = arm.trained.get(key);
  if (trained !== undefined) {
    const { epochs } = prepared.experiment.training;
    return { prepared, ...trained, epoch: epochs };
  }
  const place = group?.ids.findIndex((id) => runKey(id) === key) ?? -1;
  if (group === undefined || place < 0) return undefined;
  const [state] = await group.ensemble.state(place);
  return { prepared, run: group.runs[place]!, ...state! };
}

async function obey(order: Order): Promise<void> {
  switch (order.ask) {
    case "start": {
      const { settings } = order;
      const number = ++asked;
      pace = order.pace;
      running?.abort();
      return await inTurn(() => start(settings, number));
    }
    case "add":
      return await add(order.file);
    case "go on":
      return running === undefined ? await inTurn(train) : undefined;
    case "pack": {
      const zip = packResults(trainedArms());
      return tell({ tell: "packed", zip }, [zip.buffer]);
    }
    case "stop":
      return running?.abort();
    case "watch":
      watched = order.watched;
      return running === undefined && arms.length > 0
        ? await tellProgress()
        : undefined;
  }
}

/** A RangeError is a plan's, of a model that is too large. */
const EXPECTED = [InputError, DeviceError, RangeError];

self.addEventListener("message", (event) => {
  const { data } = event as MessageEvent<Order>;
  obey(data).catch((error: unknown) => {
    running = undefined;
    tell({
      tell: "error",
      line: error instanceof Error ? error.message : String(error),
    });
    // A fault of the program shows where it is.
    if (!EXPECTED.some((kind) => error instanceof kind)) throw error;
  });
});

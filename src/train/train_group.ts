/**
 * Trains one ensemble from where its runs stand to the last epoch, and saves
 * what must not be lost on the way.
 *
 * @module
 */

import type { Engine, EpochHistory } from "../engine/ensemble.ts";
import {
  engineName,
  type RunHistory,
  type RunRecord,
} from "../results/run_file.ts";
import type {
  ArmResults,
  ArmRun,
  RunAt,
  RunDrawer,
  RunGroup,
  TrainedRun,
} from "./groups.ts";
import { measuredModel, type Measurement, type Measurer } from "./measure.ts";
import type { BestLoss, EpochsTrained, TimeSheet } from "./progress.ts";

/** What a group needs to train. */
interface GroupOptions {
  readonly engine: Engine;
  /** What the runs begin with. */
  readonly drawer: RunDrawer;
  /** Where each run stands. */
  readonly resumed: readonly (RunRecord | undefined)[];
  readonly signal: AbortSignal;
  /** Milliseconds between two saved states. */
  readonly checkpointInterval: number;
  readonly onEpochs: (event: EpochsTrained) => void;
  /** Called while the device works on its own for about so many milliseconds. */
  readonly whileBusy: (milliseconds: number) => Promise<void>;
  /** Where to note what took how long. */
  readonly sheet: TimeSheet;
  /** Measures what the runs' networks do. */
  readonly measurer: Measurer;
}

/**
 * Seconds that one call of the engine should take: long enough that the pause
 * between two calls, when the device has nothing to do, is nothing beside it.
 */
const CALL_SECONDS = 10;

type MutableHistory = { -readonly [K in keyof RunHistory]: RunHistory[K] };

/**
 * Trains a group and returns whether it came to its end; false when it was
 * stopped by `signal`, in which case its state has been saved.
 */
export async function trainGroup(
  { runs: members, plan }: RunGroup,
  options: GroupOptions,
): Promise<boolean> {
  const { resumed, signal, sheet } = options;
  const { experiment } = members[0]!.results.prepared;
  const { epochs } = experiment.training;
  const every = experiment.run.storeEveryEpoch;
  const classifies = experiment.task.task.loss === "nll";
  const engine = engineName(options.engine);
  const drawn = await sheet.time("drawing", options.drawer.all);
  const histories = members.map((_, i) =>
    emptyHistory(epochs, classifies, resumed[i]?.history)
  );
  const trained = members.map(({ id }, i): TrainedRun => {
    const { run } = drawn[i]!;
    const state = resumed[i]?.state;
    return {
      ...{ id, engine },
      resumed: resumed[i],
      run: state === undefined ? run : { ...run, state },
      history: histories[i]!,
    };
  });
  /** Does the same with the runs of each arm. */
  const save = <R extends TrainedRun>(
    runs: readonly R[],
    to: (results: ArmResults, runs: readonly R[]) => Promise<void>,
  ) =>
    sheet.time("saving", () => {
      const arms = Map.groupBy(runs, (_, i) => members[i]!.results);
      return eachOf(arms, ([results, own]) => to(results, own));
    });
  await save(
    trained.map((run, i) => ({ ...run, network: drawn[i]!.network })),
    (results, runs) => results.saveInitial(runs),
  );
  options.measurer.begin(
    members.map(({ results }, i) => measurementOf(results, trained[i]!)),
  );
  const batches = drawn[0]?.run.trials.trainBatches.length ?? 0;
  const ensemble = await sheet.time(
    "starting",
    () => plan.createEnsemble(trained.map(({ run }) => run)),
  );
  try {
    let epoch = resumed[0]?.state?.epoch ?? 0;
    let secondsPerEpoch = Infinity;
    let lastSave = performance.now();
    let last: readonly RunAt[] = [];
    const runsNow = async () => {
      const states = await sheet.time("saving", () => ensemble.state());
      return trained.map((run, i): RunAt => ({ ...run, state: states[i]! }));
    };
    const onEpochs = (history: EpochHistory) => {
      copyHistory(history, histories, epoch);
      epoch += history.epochs;
      options.onEpochs({
        epoch,
        updates: history.epochs * batches * members.length,
        best: bestOf(history, members),
      });
    };
    while (epoch < epochs && !signal.aborted) {
      const limit = nextCheckpoint(every, { epoch, epochs });
      const seconds = Math.min(CALL_SECONDS, options.checkpointInterval / 1000);
      const call = Math.max(1, Math.floor(seconds / secondsPerEpoch));
      const start = performance.now();
      const before = epoch;
      await sheet.time(
        "training",
        () =>
          ensemble.train(Math.min(call, limit - epoch), {
            signal,
            onEpochs,
            whileBusy: options.whileBusy,
          }),
      );
      if (epoch > before) {
        secondsPerEpoch = (performance.now() - start) / 1000 / (epoch - before);
      }
      if (isCheckpoint(every, { epoch, epochs })) {
        last = await runsNow();
        await save(last, (results, runs) => results.saveModels(runs));
      }
      if (
        epoch < epochs &&
        (performance.now() - lastSave >= options.checkpointInterval ||
          signal.aborted)
      ) {
        await save(
          await runsNow(),
          (results, runs) => results.saveStates(runs),
        );
        lastSave = performance.now();
      }
    }
    if (epoch < epochs) return false;
    await save(last, (results, runs) => results.saveFinished(runs));
    for (const { run, state } of last) {
      options.measurer.end(run.label, state.parameters);
    }
    return true;
  } finally {
    sheet.addDevice(ensemble.profile?.());
    ensemble.destroy();
  }
}

/** What is to be measured of a run. */
export function measurementOf(
  results: ArmResults,
  { id, run }: Pick<TrainedRun, "id" | "run">,
): Measurement {
  const { size, experiment: { task } } = results.prepared;
  return {
    name: run.label,
    model: measuredModel(run, { size, loss: task.task.loss }),
    initial: run.initial,
    keep: (states) => results.saveMeasured(id, states),
  };
}

/** Does the same with all at once: files of several folders are written side by side. */
export async function eachOf<T>(
  all: Iterable<T>,
  work: (one: T) => Promise<void>,
): Promise<void> {
  // Nothing may go on when an error is told.
  const done = await Promise.allSettled(Array.from(all, work));
  const failed = done.find((result) => result.status === "rejected");
  if (failed !== undefined) throw failed.reason;
}

/** The original saves after epoch 0, n, 2n … and after the last one, counted from 0. */
function isCheckpoint(
  every: number,
  { epoch, epochs }: { epoch: number; epochs: number },
): boolean {
  return epoch > 0 &&
    (epoch === epochs || (every > 0 && (epoch - 1) % every === 0));
}

/** Number of epochs trained at the next checkpoint after `epoch`. */
function nextCheckpoint(
  every: number,
  { epoch, epochs }: { epoch: number; epochs: number },
): number {
  if (every === 0) return epochs;
  return Math.min(epochs, Math.ceil(epoch / every) * every + 1);
}

/** Curves of a run that is to train, NaN where it has no epoch yet. */
export function emptyHistory(
  epochs: number,
  classifies: boolean,
  start?: RunHistory,
): MutableHistory {
  const curve = (from: Float64Array | undefined) => {
    const values = new Float64Array(epochs).fill(NaN);
    if (from !== undefined) values.set(from.subarray(0, epochs));
    return values;
  };
  return {
    trainLoss: curve(start?.trainLoss),
    validateLoss: curve(start?.validateLoss),
    ...(classifies
      ? {
        trainAccuracy: curve(start?.trainAccuracy),
        validateAccuracy: curve(start?.validateAccuracy),
      }
      : {}),
  };
}

/** Takes the epochs of an ensemble into the curves of its runs, from `epoch` on. */
export function copyHistory(
  from: EpochHistory,
  to: readonly MutableHistory[],
  epoch: number,
): void {
  for (const [model, history] of to.entries()) {
    const range = [model * from.epochs, (model + 1) * from.epochs] as const;
    for (const name of ["trainLoss", "validateLoss"] as const) {
      const losses = from[name].subarray(...range).map(inSingleRange);
      history[name].set(losses, epoch);
    }
    if (from.trainAccuracy !== undefined) {
      history.trainAccuracy?.set(from.trainAccuracy.subarray(...range), epoch);
    }
    if (from.validateAccuracy !== undefined) {
      history.validateAccuracy?.set(
        from.validateAccuracy.subarray(...range),
        epoch,
      );
    }
  }
}

/**
 * A loss beyond single precision is infinite, so that a run fails in double
 * precision too where it fails on the engines and in PyTorch.
 */
function inSingleRange(loss: number): number {
  return Number.isFinite(Math.fround(loss)) ? loss : loss * Infinity;
}

/** The run that has the lowest finite loss of some epochs. */
function bestOf(
  { validateLoss, epochs }: EpochHistory,
  runs: readonly ArmRun[],
): BestLoss | undefined {
  let loss = Infinity;
  let run: ArmRun | undefined;
  for (const [i, value] of validateLoss.entries()) {
    if (value < loss) {
      loss = value;
      run = runs[Math.floor(i / epochs)];
    }
  }
  if (run === undefined) return undefined;
  return { loss, id: run.id, arm: run.results.prepared.experiment.arm };
}

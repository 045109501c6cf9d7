/**
 * Trains one ensemble from where its runs stand to the last epoch, and saves
 * what must not be lost on the way.
 *
 * @module
 */

import type { EpochHistory, ModelState, Plan } from "../engine/ensemble.ts";
import type { RunId } from "../results/layout.ts";
import type { RunHistory } from "../results/run_file.ts";
import type { RunDrawer } from "./draw_runs.ts";
import type { EpochsTrained } from "./progress.ts";
import type { GroupOfRuns, ResultsWriter } from "./results_writer.ts";
import type { TimeSheet } from "./time_sheet.ts";

/** What a group needs to train. */
export interface GroupOptions extends GroupOfRuns {
  readonly results: ResultsWriter;
  /** Makes the ensemble. */
  readonly plan: Plan;
  /** What the runs begin with. */
  readonly drawer: RunDrawer;
  readonly signal: AbortSignal;
  /** Milliseconds between two saved states. */
  readonly checkpointInterval: number;
  readonly onEpochs: (event: EpochsTrained) => void;
  /** Called while the device works on its own for about so many milliseconds. */
  readonly whileBusy: (milliseconds: number) => Promise<void>;
  /** Where to note what took how long. */
  readonly sheet: TimeSheet;
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
export async function trainGroup(options: GroupOptions): Promise<boolean> {
  const { results, ids, resumed, signal, sheet } = options;
  const { experiment } = results.prepared;
  const { epochs } = experiment.training;
  const classifies = experiment.task.task.loss === "nll";
  const drawn = await sheet.time("drawing", options.drawer.all);
  const runs = drawn.map((run, i) => {
    const state = resumed[i]?.state;
    return state === undefined ? run : { ...run, state };
  });
  await sheet.time("saving", () => results.saveInitial(options, runs));
  const batches = runs[0]?.trials.trainBatches.length ?? 0;
  const histories = ids.map((_, i) =>
    emptyHistory(epochs, classifies, resumed[i]?.history)
  );
  const ensemble = await sheet.time(
    "starting",
    () => options.plan.createEnsemble(runs),
  );
  try {
    let epoch = resumed[0]?.state?.epoch ?? 0;
    let secondsPerEpoch = Infinity;
    let lastSave = performance.now();
    let last: readonly ModelState[] = [];
    const onEpochs = (history: EpochHistory) => {
      copyHistory(history, histories, epoch);
      epoch += history.epochs;
      options.onEpochs({
        count: history.epochs,
        epoch,
        models: ids.length,
        steps: history.epochs * batches * ids.length,
        best: bestOf(history, ids),
      });
    };
    while (epoch < epochs && !signal.aborted) {
      const limit = nextCheckpoint(experiment.run.storeEveryEpoch, {
        epoch,
        epochs,
      });
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
      if (isCheckpoint(experiment.run.storeEveryEpoch, { epoch, epochs })) {
        last = await sheet.time(
          "saving",
          () =>
            results.saveModels(options, ensemble, { runs, epoch, histories }),
        );
      }
      if (
        epoch < epochs &&
        (performance.now() - lastSave >= options.checkpointInterval ||
          signal.aborted)
      ) {
        await sheet.time(
          "saving",
          () => results.saveStates(options, ensemble, histories),
        );
        lastSave = performance.now();
      }
    }
    if (epoch < epochs) return false;
    await sheet.time(
      "saving",
      () => results.saveFinished(options, { histories, runs, states: last }),
    );
    return true;
  } finally {
    sheet.addDevice(ensemble.profile?.());
    ensemble.destroy();
  }
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
export function bestOf(
  { validateLoss, epochs }: EpochHistory,
  ids: readonly RunId[],
): EpochsTrained["best"] {
  let loss = Infinity;
  let id: RunId | undefined;
  for (const [i, value] of validateLoss.entries()) {
    if (value < loss) {
      loss = value;
      id = ids[Math.floor(i / epochs)];
    }
  }
  return id === undefined ? undefined : { loss, id };
}

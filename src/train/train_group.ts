/**
 * Trains one ensemble from where its runs stand to the last epoch, and saves
 * what must not be lost on the way.
 *
 * @module
 */

import type { Engine, EpochHistory } from "../engine/ensemble.ts";
import {
  CURVES,
  engineName,
  type RunHistory,
  type RunRecord,
  thenBy,
  weightFailure,
} from "../results/run_file.ts";
import type {
  ArmResults,
  ArmRun,
  RunGroup,
  StandingRun,
  TrainingRun,
} from "./groups.ts";
import { measuredModel, type Measurement, type Measurer } from "./measure.ts";
import type { BestLoss, EpochsTrained, TimeSheet } from "./progress.ts";
import { PROGRAM } from "./record_experiment.ts";

interface GroupOptions {
  readonly engine: Engine;
  /** Where each run stands. */
  readonly resumed: readonly (RunRecord | undefined)[];
  readonly signal: AbortSignal;
  /** Milliseconds between two saved states. */
  readonly checkpointInterval: number;
  readonly onEpochs: (event: EpochsTrained) => void;
  /** Called while the device works on its own for about so many milliseconds. */
  readonly whileBusy: (milliseconds: number) => Promise<void>;
  readonly sheet: TimeSheet;
  readonly measurer: Measurer;
}

/** Seconds that one call of the engine should take: the pause between two, when the device is idle, is nothing beside them. */
const CALL_SECONDS = 10;

/** Trains a group to its end, or until it is stopped by `signal`, when its state has been saved. */
export async function trainGroup(
  { runs: members, plan, drawer, epoch: begun }: RunGroup,
  options: GroupOptions,
): Promise<void> {
  const { resumed, signal, sheet, measurer, checkpointInterval } = options;
  const { training: { epochs }, run: { storeEveryEpoch: every }, task } =
    members[0]!.results.prepared.experiment;
  const engine = engineName(options.engine);
  const drawn = await sheet.time("drawing", drawer.all);
  const histories = resumed.map((from) =>
    emptyHistory(epochs, task.task.loss === "nll", from?.history)
  );
  const runs = members.map((member, i): TrainingRun => {
    const { run, network } = drawn[i]!;
    const from = resumed[i];
    return {
      ...member,
      network,
      run: from?.state === undefined ? run : { ...run, state: from.state },
      record: {
        id: member.id,
        ...(from?.topology === undefined ? {} : { topology: from.topology }),
        experiment: member.results.prepared.fingerprint,
        engine: thenBy(from?.engine, engine),
        program: thenBy(from?.program, PROGRAM),
        history: histories[i]!,
      },
    };
  });
  /** Does the same with the runs of each arm. */
  const save = <R extends TrainingRun>(
    all: readonly R[],
    to: (results: ArmResults, own: readonly R[]) => Promise<void>,
  ) =>
    sheet.time(
      "saving",
      () =>
        eachOf(
          Map.groupBy(all, (run) => run.results),
          ([results, own]) => to(results, own),
        ),
    );
  await save(runs, (results, own) => results.saveInitial(own));
  measurer.begin(runs.map(measurementOf));
  const ensemble = await sheet.time(
    "starting",
    () => plan.createEnsemble(runs.map(({ run }) => run)),
  );
  try {
    let epoch = begun;
    let secondsPerEpoch = Infinity;
    let lastSave = performance.now();
    /** Saves the runs as they stand. */
    const saveNow = async (how: "saveModels" | "saveStates") => {
      const states = await sheet.time("saving", () => ensemble.state());
      const now = runs.map((run, i): StandingRun => {
        const state = states[i]!;
        const history = upTo(epoch, histories[i]!);
        return { ...run, record: { ...run.record, history, state } };
      });
      await save(now, (results, own) => results[how](own));
      return now;
    };
    const batches = runs[0]!.run.trials.trainBatches.length;
    const onEpochs = (history: EpochHistory) => {
      copyHistory(history, histories, epoch);
      epoch += history.epochs;
      options.onEpochs({
        epoch,
        updates: history.epochs * batches * runs.length,
        best: bestOf(history, runs),
      });
    };
    while (epoch < epochs && !signal.aborted) {
      const seconds = Math.min(CALL_SECONDS, checkpointInterval / 1000);
      const call = Math.max(1, Math.floor(seconds / secondsPerEpoch));
      const limit = nextModel(every, epoch, epochs);
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
      if (epoch === limit) {
        const now = await saveNow("saveModels");
        if (epoch === epochs) {
          for (const { record } of now) {
            const failure = weightFailure(record.state.parameters, epochs - 1);
            if (failure !== undefined) record.failure = failure;
          }
          await save(now, (results, own) => results.saveFinished(own));
          for (const { run, record } of now) {
            const { connections } = run;
            const { parameters } = record.state;
            measurer.end(run.label, { connections, parameters });
          }
          return;
        }
      }
      if (
        performance.now() - lastSave >= checkpointInterval || signal.aborted
      ) {
        await saveNow("saveStates");
        lastSave = performance.now();
      }
    }
  } finally {
    sheet.addDevice(ensemble.profile?.());
    ensemble.destroy();
  }
}

/** What is to be measured of a run. */
export function measurementOf(
  { results, id, run }: Pick<TrainingRun, "results" | "id" | "run">,
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
export async function eachOf<T, R>(
  all: Iterable<T>,
  work: (one: T) => Promise<R>,
): Promise<R[]> {
  const done = Array.from(all, work);
  // Nothing may go on when an error is told.
  await Promise.allSettled(done);
  return await Promise.all(done);
}

/** Epochs trained when models are stored next: the original does so after epoch 0, n, 2n … and the last one, counted from 0. */
function nextModel(every: number, epoch: number, epochs: number): number {
  if (every === 0) return epochs;
  return Math.min(epochs, Math.ceil(epoch / every) * every + 1);
}

/** Curves of a run that is to train, NaN where it has no epoch yet. */
export function emptyHistory(
  epochs: number,
  classifies: boolean,
  start?: RunHistory,
): RunHistory {
  const names = CURVES.filter((name) => classifies || name.endsWith("Loss"));
  return Object.fromEntries(names.map((name) => {
    const curve = new Float64Array(epochs).fill(NaN);
    curve.set(start?.[name]?.subarray(0, epochs) ?? []);
    return [name, curve];
  })) as unknown as RunHistory;
}

/** The curves of the epochs that were trained. */
function upTo(epoch: number, history: RunHistory): RunHistory {
  const curves = Object.entries(history);
  return Object.fromEntries(
    curves.map(([name, curve]) => [name, curve.subarray(0, epoch)]),
  ) as unknown as RunHistory;
}

/** Takes the epochs of an ensemble into the curves of its runs, from `epoch` on. */
export function copyHistory(
  from: EpochHistory,
  to: readonly RunHistory[],
  epoch: number,
): void {
  for (const [model, history] of to.entries()) {
    for (const name of CURVES) {
      const values = from[name]?.subarray(
        model * from.epochs,
        (model + 1) * from.epochs,
      );
      history[name]?.set(values?.map(inSingleRange) ?? [], epoch);
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
  let best: BestLoss | undefined;
  for (const [i, loss] of validateLoss.entries()) {
    if (!(loss < (best?.loss ?? Infinity))) continue;
    const { id, results } = runs[Math.floor(i / epochs)]!;
    best = { loss, id, arm: results.prepared.experiment.arm };
  }
  return best;
}

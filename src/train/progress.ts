/**
 * Progress of a training: one line that is redrawn on a terminal, a plain line
 * now and then elsewhere.
 *
 * @module
 */

import { formatDuration, printable } from "../text/words.ts";
import { type RunId, runLabel } from "../results/layout.ts";
import { type PreparedExperiment, runName } from "./build_run.ts";

/** Where a training stands. */
export interface TrainingStatus {
  /** Epochs × runs done, of this process. */
  readonly done: number;
  /** Epochs × runs to do, of this process, those done before a resume left out. */
  readonly total: number;
  /** Of the ensemble under way. */
  readonly epoch: number;
  /** Epochs of every run. */
  readonly epochs: number;
  /** Models of the ensemble under way. */
  readonly models: number;
  /** Its number, from 0. */
  readonly ensemble: number;
  /** Ensembles in all. */
  readonly ensembles: number;
  /** Updates of all models so far. */
  readonly updates: number;
  /** The lowest validation loss so far, and whose it is. */
  readonly best: BestLoss | undefined;
}

/** A loss, and the run that has it. */
export interface BestLoss {
  /** Validation loss. */
  readonly loss: number;
  /** The run, of its arm. */
  readonly id: RunId;
  /** Of several arms, the run's. */
  readonly arm: string | undefined;
}

/** Shows progress. */
export interface Progress {
  update(status: TrainingStatus): void;
  /** Prints a line of its own. */
  line(text: string): void;
  /** Ends the redrawn line. */
  finish(): void;
}

/** How and where to show it. */
interface ProgressOptions {
  readonly terminal: boolean;
  /** Writes text without a line break. */
  readonly write: (text: string) => void;
  /** Columns of the terminal. */
  readonly columns: () => number;
  /** Milliseconds; for tests. */
  readonly now?: () => number;
}

/** Milliseconds between two plain lines. */
const PLAIN_INTERVAL = 15_000;

/** Columns of the bar on a terminal, at most, and below which it is left out. */
const WIDEST_BAR = 20;
const NARROWEST_BAR = 5;

/** "━━━━━─────────────── ", as wide as there is room for. */
function formatBar({ done, total }: TrainingStatus, room: number): string {
  const width = Math.min(WIDEST_BAR, room - 1);
  if (width < NARROWEST_BAR) return "";
  const filled = total === 0 ? width : Math.floor(width * done / total);
  return `${"━".repeat(filled)}${"─".repeat(width - filled)} `;
}

/** Seconds that a pace is taken over at least. */
const PACE_SECONDS = 2;

/**
 * One line that says where a training stands, and how fast it goes since an earlier
 * status: not since the start, as the first epoch compiles and allocates.
 */
function formatStatus(
  status: TrainingStatus,
  { since, seconds }: {
    readonly since: TrainingStatus;
    readonly seconds: number;
  },
): string {
  const { done, total, best } = status;
  const percent = total === 0 ? 100 : Math.floor(100 * done / total);
  const parts = [
    `${String(percent).padStart(3)} %`,
    `${status.epoch}/${status.epochs} epochs`,
    `${status.models} model${status.models === 1 ? "" : "s"}` +
    (status.ensembles > 1
      ? ` (ensemble ${status.ensemble + 1}/${status.ensembles})`
      : ""),
  ];
  if (seconds >= PACE_SECONDS && done > since.done) {
    const left = seconds * (total - done) / (done - since.done);
    parts.push(
      `${formatRate((status.updates - since.updates) / seconds)} updates/s`,
      `${formatDuration(left)} left`,
    );
  }
  if (best !== undefined) {
    parts.push(
      `best loss ${best.loss.toPrecision(4)} (${
        best.arm === undefined ? "" : `${best.arm}, `
      }${runLabel(best.id)})`,
    );
  }
  return parts.join(" · ");
}

function formatRate(rate: number): string {
  return rate >= 100 ? String(Math.round(rate)) : rate.toPrecision(2);
}

/** A progress display that writes to a terminal or a log. */
export function createProgress(options: ProgressOptions): Progress {
  const now = options.now ?? (() => performance.now());
  let first:
    | { readonly status: TrainingStatus; readonly at: number }
    | undefined;
  let lastPlain = -Infinity;
  let drawn = false;

  function clear(): void {
    if (drawn) options.write("\r\x1b[K");
    drawn = false;
  }

  return {
    update(status) {
      first ??= { status, at: now() };
      const seconds = (now() - first.at) / 1000;
      const text = formatStatus(status, { since: first.status, seconds });
      if (options.terminal) {
        clear();
        const columns = Math.max(20, options.columns() - 1);
        const bar = formatBar(status, columns - text.length);
        options.write(`${bar}${text}`.slice(0, columns));
        drawn = true;
      } else if (
        now() - lastPlain >= PLAIN_INTERVAL || status.done === status.total
      ) {
        lastPlain = now();
        options.write(`${text}\n`);
      }
    },
    line(text) {
      clear();
      options.write(`${printable(text)}\n`);
    },
    finish() {
      if (drawn) options.write("\n");
      drawn = false;
    },
  };
}

/** Tells that some epochs of all models of a group were trained. */
export interface EpochsTrained {
  /** Epochs trained since the start of the runs. */
  readonly epoch: number;
  /** Updates just made, of all models. */
  readonly updates: number;
  /** The lowest validation loss of the epochs just trained, where there is a finite one. */
  readonly best: BestLoss | undefined;
}

/** Counts epochs and updates over all ensembles of a training. */
export interface Tally {
  /** An ensemble begins, and so many are to follow. */
  begin(group: TalliedGroup, following: number): void;
  /** Epochs of the ensemble were trained. */
  add(event: EpochsTrained): void;
}

/** Runs that train together, and the epochs that they have had. */
export interface TalliedGroup {
  readonly runs: readonly {
    readonly results: {
      readonly prepared: Pick<PreparedExperiment, "experiment">;
    };
    readonly id: RunId;
  }[];
  readonly epoch: number;
}

/**
 * Makes the tally of a training whose runs stand as the groups say. Epochs
 * that are trained again, from a state before, count once.
 */
export function createTally(
  groups: readonly TalliedGroup[],
  progress: Pick<Progress, "update">,
): Tally {
  const nameOf = ({ results, id }: TalliedGroup["runs"][number]) =>
    runName(results.prepared.experiment, id);
  const epochsOf = ({ results }: TalliedGroup["runs"][number]) =>
    results.prepared.experiment.training.epochs;
  const reached = new Map<string, number>();
  let total = 0;
  for (const { runs, epoch } of groups) {
    for (const run of runs) {
      total += epochsOf(run) - epoch;
      reached.set(nameOf(run), epoch);
    }
  }
  let done = 0;
  let updates = 0;
  let best: BestLoss | undefined;
  let current: TalliedGroup["runs"] = [];
  let ensemble = -1;
  let ensembles = 0;
  return {
    begin({ runs }, following) {
      current = runs;
      ensemble++;
      ensembles = ensemble + 1 + following;
    },
    add(event) {
      for (const run of current) {
        const name = nameOf(run);
        const before = reached.get(name) ?? 0;
        done += Math.max(0, event.epoch - before);
        reached.set(name, Math.max(before, event.epoch));
      }
      updates += event.updates;
      if (
        event.best !== undefined &&
        (best === undefined || event.best.loss < best.loss)
      ) best = event.best;
      progress.update({
        done,
        total,
        epoch: event.epoch,
        epochs: epochsOf(current[0]!),
        models: current.length,
        ensemble,
        ensembles,
        updates,
        best,
      });
    },
  };
}

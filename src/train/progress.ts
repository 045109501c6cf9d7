/**
 * Progress of a training: one line that is redrawn on a terminal, a plain line
 * now and then elsewhere.
 *
 * @module
 */

import { formatDuration, printable } from "../text/words.ts";
import { type RunId, runKey, runLabel } from "../results/layout.ts";

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
  /** Optimizer steps of all models so far. */
  readonly steps: number;
  /** The lowest validation loss so far, and whose it is. */
  readonly best: { readonly loss: number; readonly id: RunId } | undefined;
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
export interface ProgressOptions {
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

/** How fast a training goes. */
export interface Pace {
  readonly stepsPerSecond: number;
  readonly secondsLeft: number;
}

/** Seconds that a pace is taken over at least. */
const PACE_SECONDS = 2;

/**
 * The pace since an earlier status: not since the start, as the first epoch
 * compiles and allocates. Undefined where too little was trained since to know.
 */
export function paceOf(
  { done, total, steps }: TrainingStatus,
  { since, seconds }: {
    readonly since: TrainingStatus;
    readonly seconds: number;
  },
): Pace | undefined {
  if (seconds < PACE_SECONDS || done <= since.done) return undefined;
  return {
    stepsPerSecond: (steps - since.steps) / seconds,
    secondsLeft: seconds * (total - done) / (done - since.done),
  };
}

/** One line that says where a training stands; without a pace how fast it goes is not known yet. */
export function formatStatus(status: TrainingStatus, pace?: Pace): string {
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
  if (pace !== undefined) {
    parts.push(
      `${formatRate(pace.stepsPerSecond)} steps/s`,
      `${formatDuration(pace.secondsLeft)} left`,
    );
  }
  if (best !== undefined) {
    parts.push(
      `best loss ${best.loss.toPrecision(4)} (${runLabel(best.id)})`,
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
      const text = formatStatus(
        status,
        paceOf(status, { since: first.status, seconds }),
      );
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
  /** Epochs just trained. */
  readonly count: number;
  /** Epochs trained since the start of the runs. */
  readonly epoch: number;
  readonly models: number;
  /** Optimizer steps just made, of all models. */
  readonly steps: number;
  /** The lowest validation loss of the epochs just trained, where there is a finite one. */
  readonly best: { readonly loss: number; readonly id: RunId } | undefined;
}

/** Counts epochs and steps over all ensembles of a training. */
export interface Tally {
  /** An ensemble begins, and so many are to follow. */
  begin(ids: readonly RunId[], following: number): void;
  /** Epochs of the ensemble were trained. */
  add(event: EpochsTrained): void;
}

/**
 * Makes the tally of a training whose runs stand as the groups say. Epochs
 * that are trained again, from a state before, count once.
 */
export function createTally(
  groups: readonly { readonly ids: readonly RunId[]; readonly epoch: number }[],
  { epochs, progress }: {
    readonly epochs: number;
    readonly progress: Progress;
  },
): Tally {
  const reached = new Map<string, number>();
  let total = 0;
  for (const { ids, epoch } of groups) {
    total += ids.length * (epochs - epoch);
    for (const id of ids) reached.set(runKey(id), epoch);
  }
  let done = 0;
  let steps = 0;
  let best: EpochsTrained["best"];
  let current: readonly RunId[] = [];
  let ensemble = -1;
  let ensembles = 0;
  return {
    begin(ids, following) {
      current = ids;
      ensemble++;
      ensembles = ensemble + 1 + following;
    },
    add(event) {
      for (const id of current) {
        const key = runKey(id);
        const before = reached.get(key) ?? 0;
        done += Math.max(0, event.epoch - before);
        reached.set(key, Math.max(before, event.epoch));
      }
      steps += event.steps;
      if (
        event.best !== undefined &&
        (best === undefined || event.best.loss < best.loss)
      ) best = event.best;
      progress.update({
        done,
        total,
        epoch: event.epoch,
        epochs,
        models: event.models,
        ensemble,
        ensembles,
        steps,
        best,
      });
    },
  };
}

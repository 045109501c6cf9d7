/**
 * What a training tells of itself: how far it is, in a line that is redrawn on a
 * terminal or a plain line now and then elsewhere; and at the end where its time went.
 *
 * @module
 */

import {
  type DeviceProfile,
  profileTable,
  sumProfiles,
} from "../engine/device_profile.ts";
import type { Engine } from "../engine/ensemble.ts";
import { formatDuration, plural, printable } from "../text/words.ts";
import { type RunId, runLabel } from "../results/layout.ts";
import type { ArmRun, RunGroup } from "./groups.ts";

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

/** Milliseconds between two plain lines. */
const PLAIN_INTERVAL = 15_000;

/** Seconds that a pace is taken over at least. */
const PACE_SECONDS = 2;

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

/**
 * One line that says where a training stands, and how fast it goes since an earlier
 * status: not since the start, as the first epoch compiles and allocates.
 */
function formatStatus(
  status: TrainingStatus,
  since: TrainingStatus,
  seconds: number,
): string {
  const { done, total, best, ensemble, ensembles } = status;
  const percent = total === 0 ? 100 : Math.floor(100 * done / total);
  const parts = [
    `${String(percent).padStart(3)} %`,
    `${status.epoch}/${status.epochs} epochs`,
    plural(status.models, "model") +
    (ensembles > 1 ? ` (ensemble ${ensemble + 1}/${ensembles})` : ""),
  ];
  if (seconds >= PACE_SECONDS && done > since.done) {
    const left = seconds * (total - done) / (done - since.done);
    const rate = (status.updates - since.updates) / seconds;
    parts.push(
      `${rate >= 100 ? Math.round(rate) : rate.toPrecision(2)} updates/s`,
      `${formatDuration(left)} left`,
    );
  }
  if (best !== undefined) {
    const arm = best.arm === undefined ? "" : `${best.arm}, `;
    parts.push(
      `best loss ${best.loss.toPrecision(4)} (${arm}${runLabel(best.id)})`,
    );
  }
  return parts.join(" · ");
}

/** A progress display that writes to a terminal or a log. */
export function createProgress(
  { terminal, write, columns, now = () => performance.now() }: {
    readonly terminal: boolean;
    /** Writes text without a line break. */
    readonly write: (text: string) => void;
    readonly columns: () => number;
    /** Milliseconds; for tests. */
    readonly now?: () => number;
  },
): Progress {
  let first:
    | { readonly status: TrainingStatus; readonly at: number }
    | undefined;
  let lastPlain = -Infinity;
  let drawn = false;

  function clear(): void {
    if (drawn) write("\r\x1b[K");
    drawn = false;
  }

  return {
    update(status) {
      const time = now();
      first ??= { status, at: time };
      const text = formatStatus(status, first.status, (time - first.at) / 1000);
      if (terminal) {
        clear();
        const room = Math.max(20, columns() - 1);
        const bar = formatBar(status, room - text.length);
        write(`${bar}${text}`.slice(0, room));
        drawn = true;
      } else if (
        time - lastPlain >= PLAIN_INTERVAL || status.done === status.total
      ) {
        lastPlain = time;
        write(`${text}\n`);
      }
    },
    line(text) {
      clear();
      write(`${printable(text)}\n`);
    },
    finish() {
      if (drawn) write("\n");
      drawn = false;
    },
  };
}

/** Of all models of a group: epochs trained since their start, updates just made, the lowest loss of the epochs just trained. */
export type EpochsTrained = Pick<
  TrainingStatus,
  "epoch" | "updates" | "best"
>;

/**
 * Counts epochs and updates over all ensembles of a training whose runs stand as the
 * groups say. Epochs that are trained again, from a state before, count once.
 */
export function createTally(
  groups: readonly Pick<RunGroup, "runs" | "epoch">[],
  progress: Pick<Progress, "update">,
) {
  const epochsOf = ({ results }: ArmRun) =>
    results.prepared.experiment.training.epochs;
  const reached = new Map<ArmRun, number>();
  let total = 0;
  for (const { runs, epoch } of groups) {
    for (const run of runs) {
      total += epochsOf(run) - epoch;
      reached.set(run, epoch);
    }
  }
  let done = 0;
  let updates = 0;
  let best: BestLoss | undefined;
  let current: readonly ArmRun[] = [];
  let ensemble = -1;
  let ensembles = 0;
  return {
    /** An ensemble begins, and so many are to follow. */
    begin({ runs }: Pick<RunGroup, "runs">, following: number): void {
      current = runs;
      ensemble++;
      ensembles = ensemble + 1 + following;
    },
    /** Epochs of the ensemble were trained. */
    add({ epoch, updates: made, best: found }: EpochsTrained): void {
      for (const run of current) {
        const before = reached.get(run)!;
        done += Math.max(0, epoch - before);
        reached.set(run, Math.max(before, epoch));
      }
      updates += made;
      if (found && found.loss < (best?.loss ?? Infinity)) best = found;
      progress.update({
        done,
        total,
        epoch,
        updates,
        best,
        ensemble,
        ensembles,
        epochs: epochsOf(current[0]!),
        models: current.length,
      });
    },
  };
}

/** What the host does by turns while the device stands idle, as people read it. */
const PHASES = {
  drawing: "drawing trials and weights",
  starting: "uploading and compiling",
  saving: "saving",
  measuring: "measuring networks",
};

export type TimeSheet = ReturnType<typeof createTimeSheet>;

/** Makes an empty sheet; its clock starts now. `now` is for tests. */
export function createTimeSheet(now = () => performance.now()) {
  const start = now();
  const times = {
    drawing: 0,
    starting: 0,
    training: 0,
    saving: 0,
    measuring: 0,
    /** Drawing and measuring while the device trained, a part of the training. */
    beside: 0,
  };
  const profiles: DeviceProfile[] = [];
  return {
    /** Does some work of a phase and notes how long it took; phases do not overlap. */
    async time<T>(
      phase: keyof typeof times,
      work: () => Promise<T>,
    ): Promise<T> {
      const began = now();
      try {
        return await work();
      } finally {
        times[phase] += now() - began;
      }
    },
    /** Adds what the device did for an ensemble; undefined where it was not timed. */
    addDevice(profile: DeviceProfile | undefined): void {
      if (profile !== undefined) profiles.push(profile);
    },
    /** What there is so far, in milliseconds, all of it since the sheet was made. */
    totals() {
      const { beside, ...phases } = times;
      // Undefined where the device can't be timed.
      const device = profiles.length === 0 ? undefined : sumProfiles(profiles);
      return { all: now() - start, phases, beside, device };
    },
  };
}

/**
 * The times for people: a table of the kernels, the share of the time in which
 * the device was busy, by its own clock, and where the rest went, by the host's.
 */
export function describeTimes(
  { all, phases, beside, device }: ReturnType<TimeSheet["totals"]>,
  { engine }: { readonly engine: Engine["kind"] },
): string {
  const percent = (ms: number) => `${(100 * ms / all).toFixed(1)} %`;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const accounted = Object.values(phases).reduce((sum, ms) => sum + ms);
  const shares = (first: string, milliseconds: number) =>
    [
      [first, milliseconds] as const,
      ...Object.entries(PHASES).map(([phase, name]) =>
        [name, phases[phase as keyof typeof phases]] as const
      ),
      ["all else", Math.max(0, all - accounted)] as const,
    ].map(([name, ms]) => `${name} ${percent(ms)}`).join(", ");
  const lines = [];
  if (device === undefined) {
    lines.push(
      phases.training === 0
        ? "Nothing was left to train."
        : engine === "reference"
        ? "No kernels were timed: the reference engine computes on the CPU and has none."
        : "No kernels were timed: this adapter has no timestamp queries.",
      `Time: ${seconds(all)}, of which ${shares("training", phases.training)}`,
    );
  } else {
    const { busyMilliseconds, kernels, workers } = device;
    const busy = Math.min(busyMilliseconds / (workers ?? 1), all);
    const what = workers === undefined
      ? "GPU"
      : `${plural(workers, "worker")} on the CPU`;
    const idle = Math.max(0, phases.training - busy);
    lines.push(
      profileTable(kernels),
      `${what} busy: ${percent(busy)} of ${seconds(all)} (${
        seconds(busy)
      } in kernels); not busy: ${shares("recording and waiting", idle)}`,
    );
  }
  if (beside > 0) {
    lines.push(
      `Drawn and measured while the device trained: ${seconds(beside)}`,
    );
  }
  return lines.join("\n");
}

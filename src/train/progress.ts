/**
 * What a training tells of itself: how far it is, in one line that is redrawn on a
 * terminal or a plain line now and then elsewhere; and at the end where its time went,
 * what the device and the host did.
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
interface Tally {
  /** An ensemble begins, and so many are to follow. */
  begin(group: TalliedGroup, following: number): void;
  /** Epochs of the ensemble were trained. */
  add(event: EpochsTrained): void;
}

/** Runs that train together, and the epochs that they have had. */
interface TalliedGroup {
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

/** What the host does by turns; the device stands idle in all but the training. */
type Phase =
  | "drawing"
  | "starting"
  | "training"
  | "saving"
  | "measuring";

const PHASES: Readonly<Record<Exclude<Phase, "training">, string>> = {
  drawing: "drawing trials and weights",
  starting: "uploading and compiling",
  saving: "saving",
  measuring: "measuring networks",
};

/** Adds up times. */
export interface TimeSheet {
  /** Does some work of a phase and notes how long it took; phases do not overlap. */
  time<T>(phase: Phase, work: () => Promise<T>): Promise<T>;
  /** Does some work beside the training and notes how long it took. */
  beside<T>(work: () => Promise<T>): Promise<T>;
  /** Adds what the device did for an ensemble; undefined where it was not timed. */
  addDevice(profile: DeviceProfile | undefined): void;
  /** What there is so far. */
  totals(): TimeTotals;
}

/** The times of a training, in milliseconds. */
interface TimeTotals {
  /** Since the sheet was made. */
  readonly all: number;
  readonly phases: Readonly<Record<Phase, number>>;
  /** Drawing and measuring while the device trained, a part of the training. */
  readonly beside: number;
  /** Undefined where the device can't be timed. */
  readonly device: DeviceProfile | undefined;
}

/** Makes an empty sheet; its clock starts now. `now` is for tests. */
export function createTimeSheet(
  now: () => number = () => performance.now(),
): TimeSheet {
  const start = now();
  const phases = {
    drawing: 0,
    starting: 0,
    training: 0,
    saving: 0,
    measuring: 0,
  };
  const profiles: DeviceProfile[] = [];
  let besides = 0;
  async function measure<T>(
    work: () => Promise<T>,
    add: (milliseconds: number) => void,
  ): Promise<T> {
    const began = now();
    try {
      return await work();
    } finally {
      add(now() - began);
    }
  }
  return {
    time: (phase, work) => measure(work, (ms) => phases[phase] += ms),
    beside: (work) => measure(work, (ms) => besides += ms),
    addDevice(profile) {
      if (profile !== undefined) profiles.push(profile);
    },
    totals: () => ({
      all: now() - start,
      phases: { ...phases },
      beside: besides,
      device: profiles.length === 0 ? undefined : sumProfiles(profiles),
    }),
  };
}

/**
 * The times for people: a table of the kernels, the share of the time in which
 * the device was busy, and where the rest went. The busy time is that of all
 * kernels by the device's own clock, the whole that of the training by the
 * host's.
 *
 * @param options.engine Which kind of engine trained.
 */
export function describeTimes(
  { all, phases, beside, device }: TimeTotals,
  { engine }: { readonly engine: Engine["kind"] },
): string {
  const percent = (ms: number) => `${(100 * ms / all).toFixed(1)} %`;
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`;
  const shares: [string, number][] = [];
  for (const [phase, name] of Object.entries(PHASES)) {
    shares.push([name, phases[phase as keyof typeof PHASES]]);
  }
  const accounted = Object.values(phases).reduce((sum, ms) => sum + ms);
  shares.push(["all else", Math.max(0, all - accounted)]);
  const list = (parts: readonly [string, number][]) =>
    parts.map(([name, ms]) => `${name} ${percent(ms)}`).join(", ");
  const lines = [];
  if (device === undefined) {
    lines.push(
      phases.training === 0
        ? "Nothing was left to train."
        : engine === "reference"
        ? "No kernels were timed: the reference engine computes on the CPU and has none."
        : "No kernels were timed: this adapter has no timestamp queries.",
      `Time: ${seconds(all)}, of which ${
        list([["training", phases.training], ...shares])
      }`,
    );
  } else {
    const { busyMilliseconds, workers = 1 } = device;
    const busy = Math.min(busyMilliseconds / workers, all);
    const what = device.workers === undefined
      ? "GPU"
      : `${plural(workers, "worker")} on the CPU`;
    lines.push(
      profileTable(device.kernels),
      `${what} busy: ${percent(busy)} of ${seconds(all)} (${
        seconds(busy)
      } in kernels); not busy: ${
        list([
          ["recording and waiting", Math.max(0, phases.training - busy)],
          ...shares,
        ])
      }`,
    );
  }
  if (beside > 0) {
    lines.push(
      `Drawn and measured while the device trained: ${seconds(beside)}`,
    );
  }
  return lines.join("\n");
}

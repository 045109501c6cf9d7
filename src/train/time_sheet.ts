/**
 * Where the time of a training goes: what the device and the host did.
 *
 * @module
 */

import {
  type DeviceProfile,
  profileTable,
  sumProfiles,
} from "../engine/device_profile.ts";
import type { Engine } from "../engine/ensemble.ts";
import { plural } from "../text/words.ts";

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
export interface TimeTotals {
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

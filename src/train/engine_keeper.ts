/**
 * Keeps a training going when its device fails: opens the device again when it
 * was lost, makes smaller ensembles when its memory is used up.
 *
 * @module
 */

import { DeviceError } from "../engine/ensemble.ts";
import type { Engine } from "../engine/ensemble.ts";
import { engineName } from "../results/run_file.ts";
import { runName } from "./build_run.ts";
import type { ArmRun } from "./groups.ts";

/** The engine of a training, and what it can bear. */
export interface EngineKeeper {
  /** The engine now; another one after each recovery. */
  readonly engine: Engine;
  /** Models of one ensemble at most, as far as is known. */
  readonly mostModels: number;
  /**
   * Makes the next attempt possible after an error in training.
   *
   * @throws {unknown} The error itself, or one that says more, where there is nothing to be done.
   */
  recover(error: unknown, attempt: FailedAttempt): Promise<void>;
  /** Releases the engine, if it is not the one that the training began with. */
  destroy(): void;
}

/** What was under way. */
export interface FailedAttempt {
  readonly runs: readonly ArmRun[];
  /** Whether any epoch was trained since the trouble before. */
  readonly progressed: boolean;
}

/** How to recover. */
export interface EngineKeeperOptions {
  /** Opens the device again; without it every trouble ends the training. */
  readonly reopen: (() => Promise<Engine>) | undefined;
  /** Told what happened, in a sentence. */
  readonly warn: (line: string) => void;
  /** Waits so many milliseconds; for tests. */
  readonly wait?: (milliseconds: number) => Promise<void>;
}

/** A driver that resets its device needs some seconds. */
const WAITS = [1000, 5000, 20_000];

/** Looks after the engine of a training. */
export function createEngineKeeper(
  first: Engine,
  { reopen, warn, wait = sleep }: EngineKeeperOptions,
): EngineKeeper {
  let engine = first;
  let mostModels = Infinity;
  let losses = 0;

  /** Opens the device again, with more patience each time. */
  async function open(
    openEngine: () => Promise<Engine>,
    trouble: DeviceError,
  ): Promise<void> {
    const name = engineName(engine);
    engine.destroy();
    for (let last: unknown = trouble;; losses++) {
      const pause = WAITS[losses];
      if (pause === undefined) throw last;
      await wait(pause);
      let opened: Engine;
      try {
        opened = await openEngine();
      } catch (error) {
        last = error;
        continue;
      }
      if (engineName(opened) === name) {
        engine = opened;
        losses++;
        return;
      }
      // Another engine would give other numbers, which nobody asked for; the lost one may come back.
      last = new DeviceError(
        `the device was lost, and there is only ${
          engineName(opened)
        } now instead of ${name}`,
        { reason: "lost", cause: trouble },
      );
      opened.destroy();
    }
  }

  return {
    get engine() {
      return engine;
    },
    get mostModels() {
      return mostModels;
    },
    async recover(error, { runs, progressed }) {
      if (!(error instanceof DeviceError) || reopen === undefined) throw error;
      const [run] = runs;
      if (error.reason === "validation" || run === undefined) throw error;
      if (progressed) losses = 0;
      if (error.reason === "out-of-memory") {
        if (runs.length === 1) {
          throw new DeviceError(
            `${
              runName(run.results.prepared.experiment, run.id)
            } does not fit the device's memory, even alone: ${error.message}`,
            { reason: "out-of-memory", cause: error },
          );
        }
        mostModels = Math.ceil(runs.length / 2);
        warn(
          `warning: ${engine.description} has no memory for ${runs.length} models at once (${error.message}); going on with ${mostModels} at most`,
        );
        losses = 0;
      } else {
        warn(
          `warning: ${error.message}; opening the device again and going on from the last saved states`,
        );
      }
      await open(reopen, error);
    },
    destroy() {
      if (engine !== first) engine.destroy();
    },
  };
}

function sleep(milliseconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, milliseconds));
}

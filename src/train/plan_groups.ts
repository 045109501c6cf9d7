/**
 * Cuts the runs that are left to train into groups; each becomes one ensemble.
 *
 * @module
 */

import type { Engine, EnsembleShape, Plan } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { ensembleShape, type PreparedExperiment } from "./prepare.ts";
import type { RunId } from "../results/layout.ts";
import type { RunStore } from "../results/runs.ts";

/** Runs that stand at the same epoch and train in one ensemble. */
export interface RunGroup {
  readonly ids: readonly RunId[];
  /** Epochs trained so far; where it is not 0, the store has a state of each run. */
  readonly epoch: number;
  /** The plan that makes its ensemble. */
  readonly plan: Plan;
}

/** What the groups depend on. */
export interface PlanGroupsOptions {
  readonly store: RunStore;
  readonly engine: Engine;
  /** Models of one ensemble at most, where the device turned out to hold fewer than the memory plan says. */
  readonly mostModels?: number;
}

/**
 * Groups runs by where they stand. Finished ones are left out; what a killed
 * program left of their states is removed.
 *
 * @throws {InputError} If a single model does not fit the device.
 */
export async function planGroups(
  prepared: PreparedExperiment,
  ids: readonly RunId[],
  { store, engine, mostModels = Infinity }: PlanGroupsOptions,
): Promise<RunGroup[]> {
  const left: { id: RunId; epoch: number }[] = [];
  for (const id of ids) {
    if (await store.finished(id) === undefined) {
      const record = await store.newestState(id);
      left.push({ id, epoch: record?.state?.epoch ?? 0 });
    } else if (store.stateEpochs(id).length > 0) {
      await store.removeStates(id);
    }
  }
  const byEpoch = new Map<number, RunId[]>();
  const epochs = [...new Set(left.map(({ epoch }) => epoch))]
    .filter((epoch) => epoch > 0).sort((a, b) => a - b);
  for (const { id, epoch } of left) {
    const shared = await olderSharedEpoch(id, { epoch, epochs, store });
    byEpoch.set(shared, [...byEpoch.get(shared) ?? [], id]);
  }
  const groups: RunGroup[] = [];
  for (const [epoch, members] of byEpoch) {
    const plan = planEnsembles(engine, ensembleShape(prepared, members));
    for (const numbers of plan.groups) {
      for (let i = 0; i < numbers.length; i += mostModels) {
        const part = numbers.slice(i, i + mostModels);
        groups.push({
          epoch,
          plan,
          ids: part.map((n) => members[n] as RunId),
        });
      }
    }
  }
  return groups;
}

/**
 * A program killed while it saves leaves some runs one state ahead of the
 * others. They go back to the state before, as two ensembles of half the
 * models, one after the other, would take much longer than those few epochs.
 */
async function olderSharedEpoch(
  id: RunId,
  { epoch, epochs, store }: {
    epoch: number;
    epochs: readonly number[];
    store: RunStore;
  },
): Promise<number> {
  for (const older of epochs) {
    if (older >= epoch) break;
    if (!store.stateEpochs(id).includes(older)) continue;
    if (await store.stateAt(id, older) !== undefined) return older;
  }
  return epoch;
}

/**
 * The engine's plan.
 *
 * @throws {InputError} If a single model does not fit the device; names the limit and the size.
 */
export function planEnsembles(engine: Engine, shape: EnsembleShape): Plan {
  try {
    return engine.plan(shape);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(error.message, { cause: error });
  }
}

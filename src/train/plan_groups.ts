/**
 * Cuts the runs that are left to train into groups; each becomes one ensemble.
 *
 * @module
 */

import type { Engine, EnsembleShape, Plan } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { ensembleShape, type PreparedExperiment } from "./prepare.ts";
import type { RunId } from "../results/layout.ts";
import type { RunStore } from "../results/run_store.ts";

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
  const left: { id: RunId; epochs: readonly number[] }[] = [];
  for (const id of ids) {
    if (await store.finished(id) !== undefined) await store.removeStates(id);
    else left.push({ id, epochs: await store.stateEpochs(id) });
  }
  const newest = new Set(left.map(({ epochs: [epoch = 0] }) => epoch));
  const byEpoch = new Map<number, RunId[]>();
  for (const { id, epochs } of left) {
    // A program killed while it saves leaves some runs one state ahead of the others. They go back to the state
    // before: two ensembles of half the models, one after the other, would take much longer than those few epochs.
    const shared = epochs.toReversed().find((epoch) => newest.has(epoch)) ?? 0;
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
          ids: part.map((n) => members[n]!),
        });
      }
    }
  }
  return groups;
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

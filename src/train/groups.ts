/**
 * Cuts the runs that are left to train, those of all arms, into groups; each becomes one
 * ensemble, drawn at once, or bit by bit while the device trains the group before.
 *
 * @module
 */

import type {
  Engine,
  EnsembleShape,
  ModelRun,
  ModelState,
  Plan,
} from "../engine/ensemble.ts";
import type { Network } from "../connectome/scale.ts";
import { InputError } from "../files/input_error.ts";
import type {
  NetworkStates,
  RecordedFailure,
} from "../results/experiment_record.ts";
import type { RunId } from "../results/layout.ts";
import type { RunRecord } from "../results/run_file.ts";
import type { RunStore } from "../results/run_store.ts";
import {
  buildRun,
  ensembleShape,
  pooledShape,
  type PreparedExperiment,
} from "./build_run.ts";
import type { TrainedWeights } from "./measure.ts";

/** Where the results of an arm go: a folder, or memory. */
export interface ArmResults {
  readonly prepared: PreparedExperiment;
  /** The runs of this process. */
  readonly ids: readonly RunId[];
  /** Where its runs stand. */
  readonly store: Pick<
    RunStore,
    "finished" | "stateEpochs" | "statesAt" | "removeStates"
  >;
  /** Keeps what runs begin with, and the networks that they have by themselves. */
  saveInitial(runs: readonly TrainingRun[]): Promise<void>;
  /** Keeps where runs are, to go on from there. */
  saveStates(runs: readonly StandingRun[]): Promise<void>;
  saveModels(runs: readonly StandingRun[]): Promise<void>;
  /** Keeps finished runs; {@linkcode saveModels} was told their last models before. */
  saveFinished(runs: readonly StandingRun[]): Promise<void>;
  /** Keeps what the network of a finished run does. */
  saveMeasured(id: RunId, states: NetworkStates): Promise<void>;
  /** The weights of a finished run, and their connections: files leave out those of weight 0. */
  readTrained(id: RunId): Promise<TrainedWeights>;
  /** Makes the curves of all combinations that are complete and, at the end, what is told of all runs. */
  assemble(options: { readonly atEnd: boolean }): Promise<Assembly>;
}

/** How far an experiment is. */
export interface Assembly {
  /** Runs that are not finished. */
  readonly missing: readonly RunId[];
  /** Finished runs that went wrong. */
  readonly failures: readonly RecordedFailure[];
}

/** A run of an arm. */
export interface ArmRun {
  readonly results: ArmResults;
  readonly id: RunId;
}

/** What a run begins with, and the network that it has by itself. */
interface DrawnRun {
  readonly run: ModelRun;
  readonly network: Network | undefined;
}

/** A run that trains, with what is to be recorded of it so far. */
export interface TrainingRun extends ArmRun, DrawnRun {
  readonly record: { -readonly [K in keyof RunRecord]: RunRecord[K] };
}

/** The same with the state that it has reached. */
export interface StandingRun extends TrainingRun {
  readonly record: TrainingRun["record"] & { readonly state: ModelState };
}

/** Runs that stand at the same epoch and train in one ensemble. */
export interface RunGroup {
  readonly runs: readonly ArmRun[];
  /** Epochs trained so far; where it is not 0, the results have a state of each run. */
  readonly epoch: number;
  readonly plan: Plan;
  readonly drawer: ReturnType<typeof createDrawer>;
}

/**
 * Groups runs by where they stand. Finished ones are left out; what a killed
 * program left of their states is removed.
 *
 * @param options.mostModels Models of one ensemble at most, where the device turned out to hold fewer than the memory plan says.
 * @throws {InputError} If a single model does not fit the device.
 */
export async function planGroups(
  runs: readonly ArmRun[],
  { engine, mostModels }: {
    readonly engine: Engine;
    readonly mostModels: number;
  },
): Promise<RunGroup[]> {
  const left: { run: ArmRun; epochs: readonly number[] }[] = [];
  for (const run of runs) {
    const { results: { store }, id } = run;
    if (await store.finished(id) !== undefined) await store.removeStates(id);
    else left.push({ run, epochs: await store.stateEpochs(id) });
  }
  // A program killed while it saves leaves some runs one state ahead of the others. They go back to the state
  // before: two ensembles of half the models, one after the other, would take much longer than those few epochs.
  const newest = new Set(left.map(({ epochs: [epoch = 0] }) => epoch));
  const byEpoch = Map.groupBy(
    left,
    ({ epochs }) => epochs.findLast((epoch) => newest.has(epoch)) ?? 0,
  );
  const groups: RunGroup[] = [];
  for (const [epoch, members] of byEpoch) {
    const pools = planTogether(members.map(({ run }) => run), engine);
    for (const { runs, plan } of pools) {
      for (const numbers of plan.groups) {
        for (let i = 0; i < numbers.length; i += mostModels) {
          const own = numbers.slice(i, i + mostModels).map((n) => runs[n]!);
          groups.push({ epoch, plan, runs: own, drawer: createDrawer(own) });
        }
      }
    }
  }
  return groups;
}

/** Runs of the same sizes, and how they are computed together. */
export interface PlannedRuns<R> {
  readonly runs: readonly R[];
  readonly shape: EnsembleShape;
  readonly plan: Plan;
}

/** A run of whatever experiment. */
export interface AnyRun {
  readonly results: { readonly prepared: PreparedExperiment };
  readonly id: RunId;
}

/**
 * Plans runs of several arms: those together whose sizes are the same and that an
 * engine computes in the same way, so that each gives the numbers that it gives alone.
 *
 * @throws {InputError} If a single model does not fit the device.
 */
export function planTogether<R extends AnyRun>(
  runs: readonly R[],
  engine: Engine,
): PlannedRuns<R>[] {
  const arms = [...Map.groupBy(runs, (run) => run.results)].map(
    ([{ prepared }, runs]): PlannedRuns<R> => {
      const shape = ensembleShape(prepared, runs.map(({ id }) => id));
      return { runs, shape, plan: planEnsembles(engine, shape) };
    },
  );
  return [...Map.groupBy(arms, poolKey).values()].map((pool) => {
    const [first] = pool as [PlannedRuns<R>];
    if (pool.length === 1) return first;
    const shape = pooledShape(pool.map(({ shape }) => shape), first.plan.way);
    return {
      runs: pool.flatMap(({ runs }) => runs),
      shape,
      plan: planEnsembles(engine, shape),
    };
  });
}

/** The same for arms whose models can train side by side. */
function poolKey({ runs, shape, plan }: PlannedRuns<AnyRun>): string {
  const { training, run } = runs[0]!.results.prepared.experiment;
  const { hiddenSize, inputSize, outputSize, loss } = shape;
  const { trialCount, trainCount, batchSize, mostSteps } = shape;
  return JSON.stringify([
    [hiddenSize, inputSize, outputSize, loss, plan.way, mostSteps],
    [trialCount, trainCount, batchSize, training.epochs, run.storeEveryEpoch],
  ]);
}

/** The engine's plan; a RangeError says that a single model does not fit the device, with the limit and the size. */
function planEnsembles(engine: Engine, shape: EnsembleShape): Plan {
  try {
    return engine.plan(shape);
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    throw new InputError(error.message, { cause: error });
  }
}

/**
 * Draws the runs of a group. What is drawn ahead stays on the host until the group
 * before is done with the device, which the memory plan fills with one ensemble: drawing
 * a model takes many times as long as uploading it.
 */
function createDrawer(runs: readonly ArmRun[]) {
  const drawn: DrawnRun[] = [];
  const drawNext = async () => {
    const { results: { prepared }, id } = runs[drawn.length]!;
    const run = await buildRun(prepared, id);
    drawn.push({ run, network: prepared.ownNetworkOf(id) });
  };
  let failed = false;
  return {
    /**
     * Draws runs ahead of their turn until the time is up; the last one may take
     * longer. That a run can't be drawn is told when its turn has come.
     */
    async drawFor(milliseconds: number): Promise<void> {
      const end = performance.now() + milliseconds;
      while (
        !failed && drawn.length < runs.length && performance.now() < end
      ) {
        await drawNext().catch(() => {
          failed = true;
        });
      }
    },
    /** All runs; draws those that are missing. */
    async all(): Promise<readonly DrawnRun[]> {
      while (drawn.length < runs.length) await drawNext();
      return drawn;
    },
  };
}

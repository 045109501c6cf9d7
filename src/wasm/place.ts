/**
 * Lays out an ensemble in a new memory and fills it.
 *
 * @module
 */

import {
  DeviceError,
  type EnsembleSpec,
  type LossName,
  type ModelRun,
} from "../engine/ensemble.ts";
import { perWiring } from "../engine/common.ts";
import {
  type ModelSize,
  PARAMETER_NAMES,
  type Parameters,
} from "../rnn/parameters.ts";
import type { TrialSet } from "../tasks/task.ts";
import { nameOf } from "../text/words.ts";
import { listRows } from "./connection_rows.ts";
import {
  chunkBytes,
  createSchedule,
  HISTORY_BYTES,
  LANES,
  partsOf,
  type Placed,
  Placer,
  type Schedule,
} from "./plan.ts";

/** A model in memory and all that its training depends on. */
export interface PlacedModel
  extends Placed<"model">, Pick<ModelRun, "trainRecurrent"> {
  /** By their names. */
  readonly nonlinearity: string;
  readonly optimizer: string;
  /** Numbers that the optimizer is given for an update. */
  readonly numbersEach: number;
  /** Its list of connections, `listed` of them with padding, `recurrent` of W_hh. */
  readonly topology: Placed<"topology"> & {
    readonly listed: number;
    readonly recurrent: number;
  };
  /** T */
  readonly steps: number;
  /** [T]: whether any trial is scored at a step. */
  readonly scoredSteps: readonly boolean[];
  /** Scored entries of each batch, training batches first. */
  readonly scored: readonly number[];
}

/** An ensemble in memory. */
export interface PlacedEnsemble {
  readonly memory: WebAssembly.Memory;
  readonly size: ModelSize;
  readonly loss: LossName;
  readonly schedule: Schedule;
  /** Where the number of models taken stands. */
  readonly queue: number;
  /** The models with most work first. */
  readonly models: readonly PlacedModel[];
  readonly slots: readonly Placed<"slot">[];
  /** Each worker's own part. */
  readonly places: readonly Placed<"worker">[];
}

/**
 * Places topologies, each once, models, and what so many workers need; models
 * and their lists of connections are returned in the order of the runs.
 *
 * @throws {DeviceError} If there is no memory for it.
 */
export function placeEnsemble(
  spec: EnsembleSpec,
  { workers, perUpdate, shared }: {
    readonly workers: number;
    /** Numbers that each optimizer is given for an update, by its name. */
    readonly perUpdate: ReadonlyMap<string, readonly unknown[]>;
    /** Whether other threads work on it. */
    readonly shared: boolean;
  },
) {
  const { runs, loss, hiddenSize, inputSize, outputSize } = spec;
  const size = { hiddenSize, inputSize, outputSize };
  const rows = runs.map(
    perWiring(({ connections, ports }) => listRows(size, connections, ports)),
  );
  const listed = Math.max(...rows.map(({ length }) => length));
  const back = Math.max(...rows.map(({ backOffset }) => backOffset.length));
  const schedule = createSchedule(runs[0]!.trials, { workers, listed });
  const { chunks, buffers } = schedule;
  const updates = runs[0]!.trials.trainBatches.length;
  const numbers = updates * Math.max(
    ...runs.map(({ optimizer }) => perUpdate.get(nameOf(optimizer))!.length),
  );
  const epochBytes = (16 * chunks + 4 * numbers) * runs.length;
  /** Epochs for whose scores there is room. */
  const epochs = Math.max(1, Math.floor(HISTORY_BYTES / epochBytes));
  const steps = Math.max(...runs.map(({ trials }) => trials.steps));
  const most = {
    ...{ ...size, listed, back, steps, chunks, buffers, numbers, epochs },
  };

  const placer = new Placer();
  const { queue } = placer.place({ queue: 4 });
  const topologies = new Map([...new Set(rows)].map((list) => {
    const { length: listed, backOffset: { length: back } } = list;
    const parts = partsOf({ ...most, listed, back }).topology;
    return [list, placer.place(parts)];
  }));
  const addresses = runs.map(({ trials: { steps } }, i) =>
    placer.place(partsOf({ ...most, listed: rows[i]!.length, steps }).model)
  );
  const { slot, worker } = partsOf(most);
  const repeat = <P extends typeof slot | typeof worker>(n: number, parts: P) =>
    Array.from({ length: n }, () => placer.place(parts));
  const slots = repeat(Math.min(workers, runs.length), slot);
  const places = repeat(workers, worker);

  const memory = createMemory(placer.end, shared);
  for (const [list, placed] of topologies) {
    for (const name of Object.keys(placed) as (keyof typeof placed)[]) {
      const { length } = list[name];
      new Uint32Array(memory.buffer, placed[name], length).set(list[name]);
    }
  }
  const models = runs.map((run, i): PlacedModel => {
    const { trials, state, trainRecurrent } = run;
    const optimizer = nameOf(run.optimizer);
    const placed = addresses[i]!;
    const list = rows[i]!;
    const put = (address: number, tensors: Parameters) => {
      const values = new Float32Array(memory.buffer, address, list.length);
      for (const name of PARAMETER_NAMES) {
        const tensor = tensors[name];
        list.places[name].forEach((at, k) => values[at] = tensor[k]!);
      }
    };
    put(placed.weight, state?.parameters ?? run.initial);
    if (state !== undefined) {
      put(placed.firstMoment, state.firstMoment);
      put(placed.secondMoment, state.secondMoment);
    }
    const factor = loss === "mse" ? outputSize : 1;
    const all = { trials, schedule, factor };
    return {
      ...placed,
      ...{ optimizer, trainRecurrent },
      nonlinearity: nameOf(run.activation),
      numbersEach: perUpdate.get(optimizer)!.length,
      ...fillTrials(memory, placed.trials, all),
      topology: {
        ...topologies.get(list)!,
        listed: list.length,
        recurrent: list.places.weightHh.length,
      },
      steps: trials.steps,
    };
  });
  const work = ({ steps, topology }: PlacedModel) => steps * topology.listed;
  const place: PlacedEnsemble = {
    ...{ memory, size, loss, schedule, queue, slots, places },
    models: models.toSorted((a, b) => work(b) - work(a)),
  };
  return { place, models, rows, mostEpochs: epochs };
}

function createMemory(bytes: number, shared: boolean): WebAssembly.Memory {
  const pages = Math.ceil(bytes / 2 ** 16);
  try {
    const size = { initial: pages, maximum: pages };
    return new WebAssembly.Memory({ ...size, shared });
  } catch (cause) {
    throw new DeviceError(
      `there is no memory for an ensemble of ${Math.ceil(bytes / 2 ** 20)} MiB`,
      { reason: "out-of-memory", cause },
    );
  }
}

/**
 * Puts trials side by side: [chunk][step][input, then ones][lane], and behind
 * them [step][lane] targets. Says how many entries of each batch are scored, and
 * at which steps any are.
 */
function fillTrials(
  { buffer }: WebAssembly.Memory,
  address: number,
  { trials, schedule, factor }: {
    readonly trials: TrialSet;
    readonly schedule: Schedule;
    /** Scored entries of a target. */
    readonly factor: number;
  },
): Pick<PlacedModel, "scored" | "scoredSteps"> {
  const { steps: T, inputSize: I, inputs, targets } = trials;
  const all = [...trials.trainBatches, ...trials.validateBatches];
  const bytes = chunkBytes(I, T);
  const scored = all.map(() => 0);
  const scoredSteps = Array<boolean>(T).fill(false);
  for (const { number, first } of schedule.batches) {
    for (const [place, trial] of all[number]!.entries()) {
      const chunk = first + Math.floor(place / LANES);
      const lane = place % LANES;
      const start = address + chunk * bytes;
      const rows = new Float32Array(buffer, start, bytes / 4);
      for (let t = 0; t < T; t++) {
        const step = t * (I + 1);
        for (let k = 0; k < I; k++) {
          rows[(step + k) * LANES + lane] = inputs[(trial * T + t) * I + k]!;
        }
        // Lanes without a trial have no bias either: their h is 0, whatever the weights.
        rows[(step + I) * LANES + lane] = 1;
        const target = targets[trial * T + t]!;
        rows[(T * (I + 1) + t) * LANES + lane] = target;
        if (target === 0) continue;
        scored[number]! += factor;
        scoredSteps[t] = true;
      }
    }
  }
  return { scored, scoredSteps };
}

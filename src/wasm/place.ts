/**
 * Lays out an ensemble in a new memory and fills it.
 *
 * @module
 */

import { DeviceError, type EnsembleSpec } from "../engine/ensemble.ts";
import { perWiring } from "../engine/engine_parts.ts";
import { PARAMETER_NAMES, type Parameters } from "../rnn/parameters.ts";
import type { TrialSet } from "../tasks/task.ts";
import { nameOf } from "../text/words.ts";
import { listRows } from "./connection_rows.ts";
import {
  chunkBytes,
  createSchedule,
  HISTORY_BYTES,
  LANES,
  partsOf,
  Placer,
  type Schedule,
} from "./plan.ts";

/** An ensemble in memory, as its workers see it. */
export type PlacedEnsemble = ReturnType<typeof placeEnsemble>["place"];

/** A model in memory and all that its training depends on. */
export type PlacedModel = PlacedEnsemble["models"][number];

/**
 * Places topologies, each once, models, and what so many workers need; models
 * and their lists of connections are returned in the order of the runs.
 *
 * @throws {DeviceError} If there is no memory for it.
 */
export function placeEnsemble(
  { runs, loss, hiddenSize, inputSize, outputSize }: EnsembleSpec,
  { workers, perUpdate, shared }: {
    readonly workers: number;
    /** Numbers that each optimizer is given for an update, by its name. */
    readonly perUpdate: ReadonlyMap<string, readonly unknown[]>;
    /** Whether other threads work on it. */
    readonly shared: boolean;
  },
) {
  const size = { hiddenSize, inputSize, outputSize };
  const placer = new Placer();
  const { queue } = placer.place({ queue: 4 });
  const rows = runs.map(perWiring(({ connections, ports }) => {
    const list = listRows(size, connections, ports);
    const bytes = Object.entries(list.lists)
      .map(([name, { byteLength }]) => [name, byteLength] as const);
    type Lists = Record<keyof typeof list.lists, number>;
    const at = placer.place(Object.fromEntries(bytes) as Lists);
    return { ...list, at };
  }));
  const listed = Math.max(...rows.map(({ length }) => length));
  const { trainBatches, validateBatches } = runs[0]!.trials;
  const schedule = createSchedule({
    train: trainBatches.map(({ length }) => length),
    validate: validateBatches.map(({ length }) => length),
  }, { workers, listed });
  const { chunks, buffers } = schedule;
  const numbersEach = runs.map(({ optimizer }) =>
    perUpdate.get(nameOf(optimizer))!.length
  );
  const numbers = trainBatches.length * Math.max(...numbersEach);
  const epochBytes = (16 * chunks + 4 * numbers) * runs.length;
  const most = {
    ...size,
    listed,
    chunks,
    buffers,
    numbers,
    back: Math.max(...rows.map(({ lists }) => lists.backOffset.length)),
    steps: Math.max(...runs.map(({ trials }) => trials.steps)),
    epochs: Math.max(1, Math.floor(HISTORY_BYTES / epochBytes)),
  };

  const addresses = runs.map(({ trials: { steps } }, i) =>
    placer.place(partsOf({ ...most, listed: rows[i]!.length, steps }).model)
  );
  const parts = partsOf(most);
  const slots = Array.from(
    { length: Math.min(workers, runs.length) },
    () => placer.place(parts.slot),
  );
  const places = Array.from(
    { length: workers },
    () => placer.place(parts.worker),
  );

  const memory = createMemory(placer.end, shared);
  for (const { lists, at } of new Set(rows)) {
    for (const [name, values] of Object.entries(lists)) {
      const address = at[name as keyof typeof at];
      new Uint32Array(memory.buffer, address, values.length).set(values);
    }
  }
  const models = runs.map((run, i) => {
    const { trials, state, trainRecurrent } = run;
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
    const filled = fillTrials(memory, placed.trials, trials, schedule);
    const { steps } = trials;
    return {
      ...placed,
      steps,
      trainRecurrent,
      ...filled,
      /** Scored outputs of each batch, training batches first. */
      scored: filled.scored.map((n) => loss === "mse" ? n * outputSize : n),
      /** Its list of connections, `listed` of them with padding, `recurrent` of W_hh. */
      topology: {
        ...list.at,
        listed: list.length,
        recurrent: list.places.weightHh.length,
      },
      nonlinearity: nameOf(run.activation),
      optimizer: nameOf(run.optimizer),
      /** Numbers that the optimizer is given for an update. */
      numbersEach: numbersEach[i]!,
    };
  });
  type Model = typeof models[number];
  const work = ({ steps, topology }: Model) => steps * topology.listed;
  return {
    place: {
      memory,
      size,
      loss,
      schedule,
      /** Where the number of models taken stands. */
      queue,
      /** Those with most work first. */
      models: models.toSorted((a, b) => work(b) - work(a)),
      /** For the models in training, and each worker's own. */
      slots,
      places,
    },
    models,
    rows,
    mostEpochs: most.epochs,
  };
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
 * them [step][lane] targets.
 */
function fillTrials(
  { buffer }: WebAssembly.Memory,
  address: number,
  trials: TrialSet,
  { batches }: Schedule,
) {
  const { steps: T, inputSize: I, inputs, targets } = trials;
  const all = [...trials.trainBatches, ...trials.validateBatches];
  const bytes = chunkBytes(I, T);
  /** Scored targets of each batch. */
  const scored = all.map(() => 0);
  /** Whether any trial is scored at a step. */
  const scoredSteps = Array<boolean>(T).fill(false);
  for (const { number, first } of batches) {
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
        scored[number]!++;
        scoredSteps[t] = true;
      }
    }
  }
  return { scored, scoredSteps };
}

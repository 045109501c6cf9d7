/**
 * Lays out an ensemble in a new memory and fills it.
 *
 * @module
 */

import {
  DeviceError,
  type EnsembleSpec,
  type ModelRun,
} from "../engine/ensemble.ts";
import type { Connections } from "../graph/connections.ts";
import { PARAMETER_NAMES, type Parameters } from "../rnn/parameters.ts";
import type { TrialSet } from "../tasks/trial_set.ts";
import { LANES } from "./arithmetic.ts";
import { type ConnectionRows, listRows } from "./connection_rows.ts";
import {
  chunkBytes,
  createPlacer,
  HISTORY_BYTES,
  modelParts,
  slotParts,
  topologyParts,
  workerParts,
} from "./memory_layout.ts";
import type { PlacedModel } from "./model.ts";
import { createSchedule, QUEUE, type Schedule } from "./schedule.ts";
import type { EnsemblePlace } from "./worker.ts";

/** An ensemble in memory. */
export interface PlacedEnsemble {
  readonly place: EnsemblePlace;
  /** In the order of the runs, as are their lists of connections. */
  readonly models: readonly PlacedModel[];
  readonly rows: readonly ConnectionRows[];
  /** Epochs for whose scores there is room. */
  readonly mostEpochs: number;
}

/**
 * Places topologies, each once, models, and what so many workers need.
 *
 * @throws {DeviceError} If there is no memory for it.
 */
export function placeEnsemble(
  spec: EnsembleSpec,
  workers: number,
): PlacedEnsemble {
  const { runs, loss, hiddenSize, inputSize, outputSize } = spec;
  const size = { hiddenSize, inputSize, outputSize };
  const lists = new Map<Connections, ConnectionRows>();
  for (const { connections } of runs) {
    if (lists.has(connections)) continue;
    lists.set(connections, listRows(size, connections));
  }
  const rows = runs.map(({ connections }) => lists.get(connections)!);
  const listed = Math.max(...rows.map(({ length }) => length));
  const back = Math.max(...rows.map(({ backOffset }) => backOffset.length));
  const schedule = createSchedule(runs[0]!.trials, { workers, listed });
  const { chunks, buffers } = schedule;
  const epochBytes = 16 * chunks * runs.length;
  const mostEpochs = Math.max(1, Math.floor(HISTORY_BYTES / epochBytes));
  const steps = Math.max(...runs.map(({ trials }) => trials.steps));

  const placer = createPlacer();
  const { queue } = placer.place({ queue: 4 * QUEUE.words });
  const topologies = new Map([...lists.values()].map((list) => {
    const sizes = { listed: list.length, back: list.backOffset.length };
    const placed = placer.place(topologyParts(size, sizes));
    const recurrent = list.places.weightHh.length;
    return [list, { ...placed, listed: list.length, recurrent }];
  }));
  const models = runs.map((run, i): PlacedModel => {
    const { trials, activation, optimizer } = run;
    const { learningRate, trainRecurrent } = run;
    const batches = [...trials.trainBatches, ...trials.validateBatches];
    const factor = loss === "mse" ? outputSize : 1;
    return {
      ...placer.place(modelParts(size, {
        listed: rows[i]!.length,
        steps: trials.steps,
        chunks,
        epochs: mostEpochs,
      })),
      topology: topologies.get(rows[i]!)!,
      steps: trials.steps,
      activation,
      optimizer,
      learningRate,
      trainRecurrent,
      scoredSteps: scoredSteps(trials),
      scored: batches.map((batch) => factor * countScored(trials, batch)),
    };
  });
  const times = <T>(length: number, place: () => T): T[] =>
    Array.from({ length }, place);
  const slots = times(
    Math.min(workers, runs.length),
    () => placer.place(slotParts({ listed, back, buffers })),
  );
  const places = times(workers, () => placer.place(workerParts(size, steps)));

  const memory = createMemory(placer.end);
  for (const [list, placed] of topologies) {
    for (const name of Object.keys(placed) as (keyof typeof placed)[]) {
      if (name === "listed" || name === "recurrent") continue;
      const { length } = list[name];
      new Uint32Array(memory.buffer, placed[name], length).set(list[name]);
    }
  }
  for (const [i, model] of models.entries()) {
    fillModel(memory, model, { run: runs[i]!, rows: rows[i]! });
    fillTrials(memory, model, { trials: runs[i]!.trials, schedule });
  }
  const work = ({ steps, topology }: PlacedModel) => steps * topology.listed;
  const place: EnsemblePlace = {
    memory,
    size,
    loss,
    schedule,
    queue,
    models: models.toSorted((a, b) => work(b) - work(a)),
    slots,
    places,
  };
  return { place, models, rows, mostEpochs };
}

function createMemory(bytes: number): WebAssembly.Memory {
  const pages = Math.ceil(bytes / 2 ** 16);
  try {
    return new WebAssembly.Memory({
      initial: pages,
      maximum: pages,
      shared: true,
    });
  } catch (cause) {
    throw new DeviceError(
      `there is no memory for an ensemble of ${Math.ceil(bytes / 2 ** 20)} MiB`,
      { reason: "out-of-memory", cause },
    );
  }
}

function scoredSteps({ steps, targets }: TrialSet): boolean[] {
  const scored = Array<boolean>(steps).fill(false);
  targets.forEach((target, i) => {
    if (target !== 0) scored[i % steps] = true;
  });
  return scored;
}

function countScored(
  { steps, targets }: TrialSet,
  batch: Uint32Array,
): number {
  let count = 0;
  for (const trial of batch) {
    for (let t = 0; t < steps; t++) {
      if (targets[trial * steps + t] !== 0) count++;
    }
  }
  return count;
}

function fillModel(
  { buffer }: WebAssembly.Memory,
  model: PlacedModel,
  { run: { initial, state }, rows }: {
    readonly run: ModelRun;
    readonly rows: ConnectionRows;
  },
): void {
  const put = (address: number, values: Parameters) => {
    const list = new Float32Array(buffer, address, rows.length);
    for (const name of PARAMETER_NAMES) {
      const tensor = values[name];
      rows.places[name].forEach((at, k) => list[at] = tensor[k]!);
    }
  };
  put(model.weight, state?.parameters ?? initial);
  if (state === undefined) return;
  put(model.firstMoment, state.firstMoment);
  put(model.secondMoment, state.secondMoment);
}

/** Trials side by side: [chunk][step][input, then ones][lane], and behind them [step][lane] targets. */
function fillTrials(
  { buffer }: WebAssembly.Memory,
  model: PlacedModel,
  { trials, schedule }: {
    readonly trials: TrialSet;
    readonly schedule: Schedule;
  },
): void {
  const { steps: T, inputSize: I, inputs, targets } = trials;
  const all = [...trials.trainBatches, ...trials.validateBatches];
  const bytes = chunkBytes(I, T);
  for (const { number, first } of schedule.batches) {
    for (const [place, trial] of all[number]!.entries()) {
      const chunk = first + Math.floor(place / LANES);
      const lane = place % LANES;
      const rows = new Float32Array(
        buffer,
        model.trials + chunk * bytes,
        bytes / 4,
      );
      for (let t = 0; t < T; t++) {
        const step = t * (I + 1);
        for (let k = 0; k < I; k++) {
          rows[(step + k) * LANES + lane] = inputs[(trial * T + t) * I + k]!;
        }
        // Lanes without a trial have no bias either: their h is 0, whatever the weights.
        rows[(step + I) * LANES + lane] = 1;
        rows[(T * (I + 1) + t) * LANES + lane] = targets[trial * T + t]!;
      }
    }
  }
}

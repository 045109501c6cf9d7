/**
 * The parts that all engines are made of: ensembles that are asked for what exists
 * only, and one thing at a time; groups of runs; histories made of the scores of
 * batches.
 *
 * @module
 */

import type {
  BatchProbe,
  Ensemble,
  EnsembleSpec,
  EpochHistory,
  ModelRun,
  ModelState,
  TrainingOptions,
} from "./ensemble.ts";

/** An ensemble that is asked for what exists only, one thing at a time. */
export interface UnguardedEnsemble {
  /** Trains, and tells all epochs in their order, each once. */
  train(
    epochs: number,
    options: TrainingOptions & Required<Pick<TrainingOptions, "onEpochs">>,
  ): Promise<void>;
  /** The states of those models. */
  states(
    models: readonly number[],
  ): readonly ModelState[] | Promise<readonly ModelState[]>;
  probe(model: number, batch: number): BatchProbe | Promise<BatchProbe>;
  destroy(): void;
}

/**
 * Lets calls wait for each other, as all use the same memory, and refuses those
 * that make no sense.
 */
export function guardEnsemble(
  spec: EnsembleSpec,
  inner: UnguardedEnsemble,
): Ensemble {
  const { runs } = spec;
  let destroyed = false;
  let last: Promise<unknown> = Promise.resolve();
  let underWay = 0;

  function inTurn<T>(call: () => T | Promise<T>): Promise<T> {
    underWay++;
    const turn = last.catch(() => {}).then(() => {
      if (destroyed) {
        throw new TypeError("Cannot use an ensemble after its destroy()");
      }
      return call();
    }).finally(() => underWay--);
    last = turn;
    return turn;
  }

  function runOf(model: number): ModelRun {
    const run = runs[model];
    if (run !== undefined) return run;
    throw new RangeError(
      `Cannot find model ${model}: there are ${runs.length}`,
    );
  }

  return {
    models: runs.length,
    train: (epochs, options = {}) =>
      inTurn(async () => {
        if (!Number.isInteger(epochs) || epochs < 0) {
          throw new RangeError(
            `Cannot train: epochs must be a whole number, found ${epochs}`,
          );
        }
        const scoreOf = () => ({ loss: NaN });
        const parts = [createHistory(spec, { epochs: 0, scoreOf })];
        const onEpochs = (history: EpochHistory) => {
          parts.push(history);
          options.onEpochs?.(history);
        };
        await inner.train(epochs, { ...options, onEpochs });
        return joinHistories(parts);
      }),
    state: (model) =>
      inTurn(async () => {
        if (model !== undefined) runOf(model);
        const wanted = model === undefined ? [...runs.keys()] : [model];
        return [...await inner.states(wanted)];
      }),
    probe: (model, batch) =>
      inTurn(() => {
        const { trainBatches } = runOf(model).trials;
        if (trainBatches[batch] === undefined) {
          throw new RangeError(
            `Cannot probe batch ${batch}: there are ${trainBatches.length} training batches`,
          );
        }
        return inner.probe(model, batch);
      }),
    destroy() {
      if (destroyed) return;
      destroyed = true;
      // At once where nothing is under way: what comes next may need the memory.
      if (underWay === 0) inner.destroy();
      else last = last.then(inner.destroy, inner.destroy);
    },
  };
}

/** What the places of a model's weights follow from. */
type Wiring = Pick<ModelRun, "connections" | "ports">;

/** Makes what models of the same connections and ports share, once for all of them. */
export function perWiring<T>(make: (wiring: Wiring) => T): (run: Wiring) => T {
  const made = new Map<unknown, Map<unknown, T>>();
  return ({ connections, ports }) => {
    const ofPorts = made.get(connections) ?? new Map<unknown, T>();
    made.set(connections, ofPorts);
    if (!ofPorts.has(ports)) {
      ofPorts.set(ports, make({ connections, ...(ports && { ports }) }));
    }
    return ofPorts.get(ports)!;
  };
}

/** Trials of each of the batches that so many are cut into. */
export function batchSizes(trials: number, batchSize: number): number[] {
  return Array.from(
    { length: Math.ceil(trials / batchSize) },
    (_, i) => Math.min(batchSize, trials - i * batchSize),
  );
}

/**
 * Cuts runs into groups, in their order, that keep within the memory where
 * they are more than one model.
 */
export function groupBySize(
  /** Bytes of each model. */
  models: readonly number[],
  { shared, memoryBytes }: {
    /** Bytes that a group needs whatever its models. */
    readonly shared: number;
    readonly memoryBytes: number;
  },
): { groups: number[][]; bytes: number[]; reason: string } {
  const groups: number[][] = [];
  const bytes: number[] = [];
  for (const [model, own] of models.entries()) {
    const last = groups.length - 1;
    if (last < 0 || bytes[last]! + own > memoryBytes) {
      groups.push([model]);
      bytes.push(shared + own);
    } else {
      groups[last]!.push(model);
      bytes[last]! += own;
    }
  }
  return {
    groups,
    bytes,
    reason: groups.length === 1
      ? "all models fit in one ensemble"
      : `limited to ${Math.round(memoryBytes / 2 ** 20)} MiB an ensemble`,
  };
}

/** How a batch did. */
export interface BatchScore {
  readonly loss: number;
  /** In %; not looked at where the loss is "mse". */
  readonly accuracy?: number | undefined;
}

/** Which batch of which epoch. */
interface BatchOfEpoch {
  readonly model: number;
  readonly epoch: number;
  /** Number among all batches of an epoch, those that train first. */
  readonly batch: number;
}

/**
 * The history of some epochs: means are taken over the batches in their order,
 * in double precision.
 */
export function createHistory(
  { loss, runs }: EnsembleSpec,
  { epochs, scoreOf }: {
    readonly epochs: number;
    readonly scoreOf: (place: BatchOfEpoch) => BatchScore;
  },
): EpochHistory {
  const models = runs.length;
  const { trainBatches, validateBatches } = runs[0]!.trials;
  const part = (first: number, { length }: readonly Uint32Array[]) => {
    const losses = new Float64Array(models * epochs);
    const accuracies = new Float64Array(models * epochs);
    const batchLoss = new Float64Array(models * epochs * length);
    for (let at = 0; at < losses.length; at++) {
      const [model, epoch] = [Math.floor(at / epochs), at % epochs];
      for (let n = 0; n < length; n++) {
        const score = scoreOf({ model, epoch, batch: first + n });
        batchLoss[at * length + n] = score.loss;
        losses[at]! += score.loss;
        accuracies[at]! += score.accuracy ?? 0;
      }
      losses[at]! /= length;
      accuracies[at]! /= length;
    }
    return { losses, accuracies, batchLoss };
  };
  const train = part(0, trainBatches);
  const validate = part(trainBatches.length, validateBatches);
  return {
    models,
    epochs,
    trainLoss: train.losses,
    validateLoss: validate.losses,
    ...(loss === "nll" && {
      trainAccuracy: train.accuracies,
      validateAccuracy: validate.accuracies,
    }),
    trainBatchLoss: train.batchLoss,
    validateBatchLoss: validate.batchLoss,
  };
}

/** One history of several in a row, at least one. */
function joinHistories(parts: readonly EpochHistory[]): EpochHistory {
  const { models, epochs: _, ...curves } = parts[0]!;
  const joined = Object.keys(curves).map((name) => {
    const each = parts.map((part) => part[name as keyof typeof curves]!);
    const values = new Float64Array(each.reduce((n, c) => n + c.length, 0));
    let at = 0;
    for (let model = 0; model < models; model++) {
      for (const curve of each) {
        const length = curve.length / models;
        values.set(curve.subarray(model * length, (model + 1) * length), at);
        at += length;
      }
    }
    return [name, values];
  });
  const epochs = parts.reduce((sum, part) => sum + part.epochs, 0);
  return { models, epochs, ...Object.fromEntries(joined) };
}

/**
 * What all engines have in common: ensembles that are asked for what exists
 * only, and one thing at a time; groups of runs; histories made of the scores of
 * batches.
 *
 * @module
 */

import type {
  BatchProbe,
  Ensemble,
  EpochHistory,
  LossName,
  ModelRun,
  ModelState,
  TrainingOptions,
} from "./ensemble.ts";

/** An ensemble that is asked for what exists only, one thing at a time. */
export interface UnguardedEnsemble {
  train(epochs: number, options: TrainingOptions): Promise<EpochHistory>;
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
  runs: readonly ModelRun[],
  inner: UnguardedEnsemble,
): Ensemble {
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

  function checkModel(model: number): void {
    if (runs[model] === undefined) {
      throw new RangeError(
        `Cannot find model ${model}: there are ${runs.length}`,
      );
    }
  }

  return {
    models: runs.length,
    train: (epochs, options = {}) =>
      inTurn(() => {
        if (!Number.isInteger(epochs) || epochs < 0) {
          throw new RangeError(
            `Cannot train: epochs must be a whole number, found ${epochs}`,
          );
        }
        return inner.train(epochs, options);
      }),
    state: (model) =>
      inTurn(async () => {
        if (model !== undefined) checkModel(model);
        return [
          ...await inner.states(
            model === undefined ? [...runs.keys()] : [model],
          ),
        ];
      }),
    probe: (model, batch) =>
      inTurn(() => {
        checkModel(model);
        const { trainBatches } = runs[model]!.trials;
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
    let ofPorts = made.get(connections);
    if (ofPorts === undefined) made.set(connections, ofPorts = new Map());
    let found = ofPorts.get(ports);
    if (found === undefined) {
      found = make({ connections, ...(ports && { ports }) });
      ofPorts.set(ports, found);
    }
    return found;
  };
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
    const used = bytes.at(-1);
    if (used === undefined || used + own > memoryBytes) {
      groups.push([model]);
      bytes.push(shared + own);
    } else {
      groups.at(-1)!.push(model);
      bytes[bytes.length - 1]! += own;
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

/** What a history covers. */
export interface HistorySize {
  readonly loss: LossName;
  readonly models: number;
  readonly epochs: number;
  readonly trainBatches: number;
  readonly validateBatches: number;
}

/** Which batch of which epoch. */
export interface BatchOfEpoch {
  readonly model: number;
  readonly epoch: number;
  readonly training: boolean;
  /** Number among the training or the validation batches. */
  readonly batch: number;
}

/**
 * The history of some epochs: means are taken over the batches in their order,
 * in double precision.
 *
 * @param scoreOf How a batch did.
 */
export function createHistory(
  { loss, models, epochs, trainBatches, validateBatches }: HistorySize,
  scoreOf: (place: BatchOfEpoch) => BatchScore,
): EpochHistory {
  const part = (training: boolean, batches: number) => {
    const losses = new Float64Array(models * epochs);
    const accuracies = new Float64Array(models * epochs);
    const batchLoss = new Float64Array(models * epochs * batches);
    for (let model = 0; model < models; model++) {
      for (let epoch = 0; epoch < epochs; epoch++) {
        const at = model * epochs + epoch;
        for (let batch = 0; batch < batches; batch++) {
          const score = scoreOf({ model, epoch, training, batch });
          batchLoss[at * batches + batch] = score.loss;
          losses[at]! += score.loss;
          accuracies[at]! += score.accuracy ?? 0;
        }
        losses[at]! /= batches;
        accuracies[at]! /= batches;
      }
    }
    return { losses, accuracies, batchLoss };
  };
  const train = part(true, trainBatches);
  const validate = part(false, validateBatches);
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
export function joinHistories(parts: readonly EpochHistory[]): EpochHistory {
  const [first] = parts as [EpochHistory];
  const { models } = first;
  const epochs = parts.reduce((sum, part) => sum + part.epochs, 0);
  const join = (of: (part: EpochHistory) => Float64Array): Float64Array => {
    const pieces = [];
    for (let model = 0; model < models; model++) {
      for (const part of parts) {
        const length = of(part).length / models;
        pieces.push(of(part).subarray(model * length, (model + 1) * length));
      }
    }
    const joined = new Float64Array(
      pieces.reduce((sum, { length }) => sum + length, 0),
    );
    let at = 0;
    for (const piece of pieces) {
      joined.set(piece, at);
      at += piece.length;
    }
    return joined;
  };
  return {
    models,
    epochs,
    trainLoss: join((part) => part.trainLoss),
    validateLoss: join((part) => part.validateLoss),
    ...(first.trainAccuracy !== undefined && {
      trainAccuracy: join((part) => part.trainAccuracy!),
      validateAccuracy: join((part) => part.validateAccuracy!),
    }),
    trainBatchLoss: join((part) => part.trainBatchLoss),
    validateBatchLoss: join((part) => part.validateBatchLoss),
  };
}

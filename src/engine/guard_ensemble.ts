/**
 * What every ensemble checks and sees to, whichever engine it is of.
 *
 * @module
 */

import type {
  BatchProbe,
  Ensemble,
  EpochHistory,
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

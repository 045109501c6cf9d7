/**
 * From the losses of batches, as the device records them, to those of epochs.
 *
 * @module
 */

import type { EpochHistory, LossName } from "../engine/ensemble.ts";
import type { BatchPlace } from "./layout.ts";

/** Gathers what the device recorded, epoch by epoch. */
export interface HistoryCollector {
  /** Takes [epochs, batches, models, 2]: mean loss and number of right answers. */
  add(values: Float32Array): void;
  /** What was gathered, models in the order of the runs. */
  history(): EpochHistory;
}

/** Creates a collector; means are taken in double precision, over batches in their order. */
export function historyCollector(options: {
  readonly loss: LossName;
  /** Run of each model in the device's order. */
  readonly order: readonly number[];
  readonly batches: readonly BatchPlace[];
  /** Scored entries by model (in the device's order) and batch. */
  readonly scored: readonly Uint32Array[];
}): HistoryCollector {
  const { loss, order, batches, scored } = options;
  const models = order.length;
  const chunks: Float32Array[] = [];
  const perEpoch = batches.length * models * 2;
  return {
    add(values) {
      chunks.push(values);
    },
    history() {
      const epochs = chunks.reduce((n, c) => n + c.length, 0) / perEpoch;
      const count = (training: boolean) =>
        batches.filter((batch) => batch.training === training).length;
      const mean = (training: boolean) => ({
        loss: new Float64Array(models * epochs),
        accuracy: new Float64Array(models * epochs),
        batchLoss: new Float64Array(models * epochs * count(training)),
        count: count(training),
      });
      const train = mean(true);
      const validate = mean(false);
      let epoch = 0;
      for (const chunk of chunks) {
        for (let start = 0; start < chunk.length; start += perEpoch, epoch++) {
          for (const [place, run] of order.entries()) {
            const at = run * epochs + epoch;
            for (const [number, { training }] of batches.entries()) {
              const part = training ? train : validate;
              const from = start + (number * models + place) * 2;
              const value = chunk[from] as number;
              const batch = training ? number : number - train.count;
              part.batchLoss[at * part.count + batch] = value;
              // Sum, then divide: the same rounding as a plain mean.
              part.loss[at]! += value;
              part.accuracy[at]! += 100 * (chunk[from + 1] as number) /
                (scored[place]![number] as number);
            }
          }
        }
      }
      for (const part of [train, validate]) {
        for (let at = 0; at < part.loss.length; at++) {
          part.loss[at]! /= part.count;
          part.accuracy[at]! /= part.count;
        }
      }
      return {
        models,
        epochs,
        trainLoss: train.loss,
        validateLoss: validate.loss,
        ...(loss === "nll" && {
          trainAccuracy: train.accuracy,
          validateAccuracy: validate.accuracy,
        }),
        trainBatchLoss: train.batchLoss,
        validateBatchLoss: validate.batchLoss,
      };
    },
  };
}

/**
 * The kernels of ensembles as they are in use: of each size, loss and way of
 * putting them together.
 *
 * @module
 */

import { type KernelText, kernelTexts } from "../../src/gpu/kernels.ts";
import { makeLayout, placeBatches } from "../../src/gpu/layout.ts";
import { formatOf } from "../../src/gpu/plan.ts";
import type { AdapterLimits } from "../../src/gpu/weight_format.ts";
import { WAYS } from "../gpu/example_runs.ts";

/** A kernel and the ensemble that it is for. */
export interface KernelVariant extends KernelText {
  readonly of: string;
}

const HIDDEN_SIZES = [1, 29, 116, 220, 440, 880, 20_000];

/** Those of the tasks: seq_mem, nback_mem, pic_latent_mem, pic_mem. */
const TASK_SIZES = [
  { inputSize: 2, outputSize: 1, loss: "mse" },
  { inputSize: 2, outputSize: 3, loss: "nll" },
  { inputSize: 51, outputSize: 3, loss: "nll" },
  { inputSize: 785, outputSize: 3, loss: "nll" },
] as const;

/** All kernels of all those ensembles on a device with such limits, each text once. */
export function kernelVariants(granted: AdapterLimits): KernelVariant[] {
  const variants = new Map<string, KernelVariant>();
  const batches = placeBatches([128, 128, 128, 16], [100]);
  for (const hiddenSize of HIDDEN_SIZES) {
    for (const { loss, ...task } of TASK_SIZES) {
      const layout = makeLayout({ ...task, hiddenSize }, batches);
      for (const { name: way, format: name, limits, allSteps } of WAYS) {
        const format = formatOf(name!, {
          layout,
          limits: limits ?? granted,
          allSteps,
        });
        const of = `${way}, H = ${hiddenSize}, I = ${task.inputSize}, ${loss}`;
        for (const text of kernelTexts(format, loss)) {
          variants.set(`${text.name} ${text.code}`, { ...text, of });
        }
      }
    }
  }
  return [...variants.values()];
}

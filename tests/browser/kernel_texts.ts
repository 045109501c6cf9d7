/**
 * The kernels of ensembles as they are in use: of each size, loss and way of
 * putting them together.
 *
 * @module
 */

import { type KernelText, kernelTexts } from "../../src/gpu/kernels.ts";
import { placeBatches } from "../../src/gpu/layout.ts";
import { formatOf } from "../../src/gpu/plan.ts";
import { FORMATS, type Way, WAYS } from "../gpu/example_runs.ts";
import type { AdapterLimits } from "../../src/gpu/layout.ts";
import { RULES } from "../reference/example_runs.ts";

/** A kernel and the ensemble that it is for. */
export interface KernelVariant extends KernelText {
  readonly of: string;
}

const SEQ_MEM = { inputSize: 2, outputSize: 1, loss: "mse" } as const;

/** Of seq_mem a small, a usual and a large network; of the tasks that show pictures one. */
const SIZES = [
  ...[1, 220, 880].map((hiddenSize) => ({
    hiddenSize,
    ...SEQ_MEM,
  })),
  ...[51, 785].map((inputSize) => ({
    hiddenSize: 220,
    inputSize,
    outputSize: 3,
    loss: "nll" as const,
  })),
];

/** Ways in which the kernels of single models may be put together, too. */
const ALONE: readonly (Way & { readonly name: string })[] = FORMATS.map((
  format,
) => ({
  name: `${format}, a stretch of time steps at a time`,
  format,
  ranged: true,
  stretch: 2,
}));

/** All kernels of all those ensembles on a device with such limits, each text once. */
export function kernelVariants(granted: AdapterLimits): KernelVariant[] {
  const variants = new Map<string, KernelVariant>();
  const batches = placeBatches([128, 128, 128, 16], [100]);
  for (const { loss, ...size } of SIZES) {
    for (
      const { name: way, format: name, limits, ...rest } of [...WAYS, ...ALONE]
    ) {
      const format = formatOf(name!, {
        ...rest,
        size,
        batches,
        limits: limits ?? granted,
      });
      const of =
        `${way}, H = ${size.hiddenSize}, I = ${size.inputSize}, ${loss}`;
      for (const text of kernelTexts(format, { loss, ...RULES })) {
        variants.set(`${text.name} ${text.code}`, { ...text, of });
      }
    }
  }
  return [...variants.values()];
}

/**
 * Collects dispatches into a command buffer.
 *
 * @module
 */

import type { SubmitTimer } from "./profiler.ts";
import type { PassSource } from "./record_step.ts";

/** Collects dispatches into one command buffer. */
export interface Recorder {
  readonly passes: PassSource;
  /** Says that a batch of so many rows is recorded next. */
  beginBatch(rows: number): void;
  /** Ends the recording; `last` may add copies that come after all dispatches. */
  finish(last?: (encoder: GPUCommandEncoder) => void): GPUCommandBuffer;
}

/**
 * Creates a recorder: all dispatches go into one pass, but for those of
 * batches whose kernels `timer` wants to time, which get a pass for each
 * kernel. The order of the dispatches, and so what they compute, is the same.
 */
export function createRecorder(
  device: GPUDevice,
  options: {
    readonly label: string;
    readonly timer?: SubmitTimer | undefined;
  },
): Recorder {
  const { label, timer } = options;
  const encoder = device.createCommandEncoder({ label });
  let pass: GPUComputePassEncoder | undefined;
  /** Whether the present batch, and whether the open pass, is of single kernels. */
  let single = false;
  let openSingle = false;
  return {
    passes(kernel) {
      timer?.count(kernel);
      if (pass !== undefined && (single || openSingle)) {
        pass.end();
        pass = undefined;
      }
      openSingle = single;
      pass ??= timer?.beginPass(encoder, single ? kernel : undefined) ??
        encoder.beginComputePass({ label });
      return pass;
    },
    beginBatch(rows) {
      single = timer?.beginBatch(rows) ?? false;
    },
    finish(last) {
      pass?.end();
      last?.(encoder);
      timer?.resolve(encoder);
      return encoder.finish();
    },
  };
}

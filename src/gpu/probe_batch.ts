/**
 * One training batch of one model, run without an update and read back whole.
 *
 * @module
 */

import type { BatchProbe, LossName } from "../engine/ensemble.ts";
import type { WatchedDevice } from "./device.ts";
import type { EnsembleBuffers } from "./ensemble_buffers.ts";
import { readBack } from "./read_back.ts";
import { recordStep } from "./record_step.ts";
import { createRecorder } from "./recorder.ts";
import { type StepPlan, writeBatchEntries } from "./step_plan.ts";

/** Runs a batch of one model and reads what came of it. */
export async function probeBatch(
  gpu: WatchedDevice,
  plan: StepPlan,
  options: {
    readonly loss: LossName;
    /** The model's place in the device's order. */
    readonly place: number;
    /** Number of the training batch. */
    readonly number: number;
    readonly made: EnsembleBuffers;
  },
): Promise<BatchProbe> {
  const { loss, place, number, made } = options;
  const { device } = gpu;
  const { storage, batches } = plan;
  const { buffers } = made;
  const batch = batches[number]!;
  // The last slot of the history is kept for probes.
  const slot = made.historySlots - 1;
  writeBatchEntries(device, plan, [
    { number, slot, step: 1, probe: true, firstModel: place },
  ]);
  const submit = (part: number) => {
    const recorder = createRecorder(device, { label: "probe" });
    recordStep(recorder.passes, plan, {
      batch,
      entry: 0,
      models: { first: place, count: 1 },
      until: "gradient",
      part,
    });
    device.queue.submit([recorder.finish()]);
  };

  const own = made.offsets[place]!;
  // The gradient may fit the device in parts only, each in the place of the last.
  const parts = storage.gradientParts(place);
  const gradient = new Float32Array(
    parts.reduce((sum, { words }) => sum + words, 0),
  );
  for (const [part, { start, words }] of parts.entries()) {
    submit(part);
    const [values] = await readBack(gpu, [
      { buffer: buffers.gradient, firstWord: own.gradient, words },
    ]);
    gradient.set(values!, start);
  }
  const shape = storage.probeShape(place, batch.size);
  const [history, outputs, hidden] = await readBack(gpu, [
    {
      buffer: buffers.history,
      firstWord: (slot * plan.steps.length + place) * 2,
      words: 2,
    },
    {
      buffer: buffers.outputs,
      firstWord: own.outputs,
      words: shape.outputWords,
    },
    {
      buffer: buffers.state,
      firstWord: own.state + shape.hiddenLast.start,
      words: shape.hiddenLast.words,
    },
  ]);
  const scored = made.scored[place]![number]!;
  return {
    loss: history![0]!,
    accuracy: loss === "nll" ? 100 * history![1]! / scored : undefined,
    output: shape.output(outputs!),
    hiddenLast: shape.hidden(hidden!),
    gradient: storage.unpackGradient(place, gradient),
  };
}

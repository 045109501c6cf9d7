/**
 * One training batch of one model, run without an update and read back whole.
 *
 * @module
 */

import type { BatchProbe, LossName, ModelRun } from "../engine/ensemble.ts";
import type { WatchedDevice } from "./device.ts";
import type { EnsembleBuffers } from "./ensemble_buffers.ts";
import { unpackMatrix } from "./pack_parameters.ts";
import { readBack } from "./read_back.ts";
import { recordStep } from "./record_step.ts";
import { createRecorder } from "./recorder.ts";
import { type StepPlan, writeBatchEntries } from "./step_plan.ts";

/** Runs a batch of one model and reads what came of it. */
export async function probeBatch(
  gpu: WatchedDevice,
  plan: StepPlan,
  options: {
    readonly run: ModelRun;
    readonly loss: LossName;
    /** The model's place in the device's order. */
    readonly place: number;
    /** Number of the training batch. */
    readonly number: number;
    readonly made: EnsembleBuffers;
  },
): Promise<BatchProbe> {
  const { run, loss, place, number, made } = options;
  const { device } = gpu;
  const { layout, batches } = plan;
  const { buffers } = made;
  const batch = batches[number]!;
  // The last slot of the history is kept for probes.
  const slot = made.historySlots - 1;
  writeBatchEntries(device, plan, [
    { number, slot, step: 1, allOutputs: true, firstModel: place },
  ]);
  const submit = (panel: number) => {
    const recorder = createRecorder(device, { label: "probe" });
    recordStep(recorder.passes, plan, {
      batch,
      entry: 0,
      models: { first: place, count: 1 },
      until: "gradient",
      panel,
    });
    device.queue.submit([recorder.finish()]);
  };

  const own = made.offsets[place]!;
  const { steps } = run.trials;
  const { batchRows, width, units, hiddenSize, outputSize } = layout;
  // The gradient may fit the device in panels only, each in the place of the last.
  const matrix = new Float32Array(units * width);
  for (const [panel, start] of plan.panels.entries()) {
    submit(panel);
    const end = plan.panels[panel + 1] ?? units;
    const [rows] = await readBack(gpu, [{
      buffer: buffers.gradient,
      firstWord: own.gradient,
      words: (end - start) * width,
    }]);
    matrix.set(rows!, start * width);
  }
  const [history, outputs, hidden] = await readBack(gpu, [
    {
      buffer: buffers.history,
      firstWord: (slot * plan.steps.length + place) * 2,
      words: 2,
    },
    {
      buffer: buffers.outputs,
      firstWord: own.outputs,
      words: steps * batchRows * 4,
    },
    {
      buffer: buffers.state,
      firstWord: own.state + steps * batchRows * width,
      words: batch.size * width,
    },
  ]);
  const output = new Float32Array(batch.size * steps * outputSize);
  const hiddenLast = new Float32Array(batch.size * hiddenSize);
  for (let b = 0; b < batch.size; b++) {
    for (let t = 0; t < steps; t++) {
      const from = (t * batchRows + b) * 4;
      output.set(
        outputs!.subarray(from, from + outputSize),
        (b * steps + t) * outputSize,
      );
    }
    hiddenLast.set(
      hidden!.subarray(b * width, b * width + hiddenSize),
      b * hiddenSize,
    );
  }
  const { connections } = run;
  const gradient = unpackMatrix(matrix, { layout, connections });
  if (!run.trainRecurrent) gradient.weightHh.fill(0);
  const scored = made.scored[place]![number]!;
  return {
    loss: history![0]!,
    accuracy: loss === "nll" ? 100 * history![1]! / scored : undefined,
    output,
    hiddenLast,
    gradient,
  };
}

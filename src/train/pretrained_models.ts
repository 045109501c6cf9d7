/**
 * The models that an experiment begins with (`pretrained`), looked at before
 * anything is written.
 *
 * @module
 */

import type { Experiment } from "../experiment/experiment.ts";
import { sha256Hex } from "../files/checksum.ts";
import { createStream, type RandomStream } from "../random/stream.ts";
import { type Connections, countConnections } from "../graph/connections.ts";
import type { ModelSize } from "../rnn/parameters.ts";
import { loadPretrained, type PretrainedModel } from "../rnn/pretrained.ts";
import type { RunUnit } from "./run_unit.ts";

/** What is known of the pretrained models of all combinations. */
export interface PretrainedModels {
  readonly count: number;
  /** File of the first combination's. */
  readonly firstFile: string;
  /** Whether the new task takes a fresh read-out. */
  readonly freshReadout: boolean;
  /** The connections of the one that has most. */
  readonly sample: Connections;
  /** Fingerprint of all their files. */
  readonly sha256: string;
}

/**
 * Loads each combination's model once, so that one that is missing or does not
 * fit is told before the training begins.
 *
 * @throws {InputError} If there is one that can't be used.
 */
export async function checkPretrained(
  experiment: Experiment,
  size: ModelSize,
): Promise<PretrainedModels | undefined> {
  const { grid, run } = experiment;
  const files: string[] = [];
  let first: PretrainedModel | undefined;
  let sample: Connections | undefined;
  for (const { index: combination } of grid.combinations) {
    const model = await pretrainedModel(experiment, {
      unit: { combination, iteration: 0 },
      size,
      // A fresh read-out is of no interest here.
      stream: createStream({ seed: run.seed, purpose: "readout" }),
    });
    if (model === undefined) return undefined;
    first ??= model;
    files.push(model.sha256);
    if (
      sample === undefined ||
      countConnections(model.connections) > countConnections(sample)
    ) sample = model.connections;
  }
  if (first === undefined || sample === undefined) return undefined;
  return {
    count: files.length,
    firstFile: first.file,
    freshReadout: first.freshReadout,
    sample,
    sha256: await sha256Hex(new TextEncoder().encode(files.join("\n"))),
  };
}

/**
 * The model that a run begins with; undefined where the config names none.
 *
 * @throws {InputError} If it is missing or does not fit.
 */
export async function pretrainedModel(
  { paths, pretrained }: Experiment,
  { unit, size, stream }: {
    readonly unit: RunUnit;
    readonly size: ModelSize;
    readonly stream: RandomStream;
  },
): Promise<PretrainedModel | undefined> {
  if (paths.pretrained === undefined) return undefined;
  return await loadPretrained(paths.pretrained, {
    combination: unit.combination,
    ...pretrained,
    size,
    stream,
  });
}

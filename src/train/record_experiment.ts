/**
 * What `experiment.json` says of an experiment.
 *
 * @module
 */

import { basename } from "node:path";
import denoConfig from "../../deno.json" with { type: "json" };
import type {
  ExperimentRecord,
  Plain,
  RecordedFailure,
} from "../results/experiment_record.ts";
import type { PreparedExperiment } from "./prepare.ts";

/** The record of an experiment, as far as it is known. */
export function experimentRecord(
  prepared: PreparedExperiment,
  { engines, failures }: {
    /** Engines that trained it; several where shards ran on different machines. */
    readonly engines: readonly string[];
    readonly failures: readonly RecordedFailure[];
  },
): ExperimentRecord {
  const { experiment, connectome, network, stimuli, size, fingerprint } =
    prepared;
  const { net, training, task, grid, run } = experiment;
  const [first = "none"] = engines;
  const kind = first.slice(0, Math.max(0, first.indexOf(":")));
  return {
    format: "biornn-results/1",
    program: {
      name: "biornn",
      version: denoConfig.version,
      deno: Deno.version.deno,
    },
    fingerprint,
    config: { file: basename(experiment.file), text: experiment.source.text },
    overrides: prepared.overrides,
    task: {
      name: task.task.name,
      loss: task.task.loss,
      parameters: {
        nr_of_trials: task.nrOfTrials,
        train_size: task.trainSize,
        ...task.parameters,
      },
    },
    grid: {
      keys: grid.keys,
      combinations: grid.combinations.map(({ values }) =>
        values.map(({ value }): Plain => value)
      ),
    },
    epochs: training.epochs,
    iterations: training.iterations,
    batchSize: run.batchSize,
    seed: run.seed,
    storeEveryEpoch: run.storeEveryEpoch,
    compatibility: net.compatibility,
    init: training.init,
    freezeLayer: training.freezeLayer,
    remapW: training.remapW,
    randomW: net.randomW,
    randPartition: net.randPartition,
    targetSparsity: net.targetSparsity,
    targetSparsityIntrinsic: net.targetSparsityIntrinsic,
    connectome: {
      name: connectome.name,
      species: connectome.species,
      regions: connectome.regions,
      neurons: net.neuronsPerRegion,
      sha256: connectome.sha256,
      source: basename(connectome.source),
      synthetic: connectome.synthetic,
      citations: connectome.citations,
      regionNames: connectome.regionNames,
    },
    ...(stimuli === undefined ? {} : {
      stimuli: {
        source: basename(stimuli.source),
        synthetic: stimuli.synthetic,
      },
    }),
    engine: {
      kind,
      description: engines.map((name) => name.slice(name.indexOf(":") + 2))
        .join("; "),
    },
    size: { ...size, hiddenSize: network.neurons },
    failures,
  };
}

/**
 * biornn: recurrent neural networks with the topology of a connectome, trained
 * on WebGPU.
 *
 * What the commands do, for notebooks and other programs. An experiment is read
 * from a config file, prepared (connectome, network, stimuli), and trained by an
 * engine:
 *
 * ```ts ignore
 * import { buildRun, createEnsemble, createWebGpuEngine, createReferenceEngine, prepareExperiment, readExperiment, TASKS } from "./mod.ts";
 *
 * const file = "config/quickstart.ini";
 * const experiment = readExperiment(await Deno.readTextFile(file), { file, tasks: TASKS });
 * const prepared = await prepareExperiment(experiment, { onProgress: () => {} });
 * const run = await buildRun(prepared, { combination: 0, iteration: 0 });
 *
 * const engine = await createWebGpuEngine() ?? createReferenceEngine();
 * const ensemble = await createEnsemble(engine, { ...prepared.size, loss: "mse", runs: [run] });
 * const history = await ensemble.train(10);
 * history.validateLoss; // Float64Array of 10 losses
 * ensemble.destroy();
 * engine.destroy();
 * ```
 *
 * @module
 */

export * from "./src/connectome/bio2art.ts";
export * from "./src/connectome/connectome.ts";
export * from "./src/connectome/load_connectome.ts";
export * from "./src/connectome/network_metrics.ts";
export * from "./src/connectome/neuron_density.ts";
export * from "./src/connectome/null_models.ts";
export * from "./src/connectome/randomize_network.ts";
export * from "./src/connectome/recurrent_template.ts";
export * from "./src/connectome/scaled_network.ts";
export * from "./src/engine/create_ensemble.ts";
export * from "./src/engine/ensemble.ts";
export * from "./src/experiment/experiment.ts";
export * from "./src/experiment/read_experiment.ts";
export * from "./src/files/input_error.ts";
export * from "./src/gpu/engine.ts";
export * from "./src/random/stream.ts";
export * from "./src/reference/engine.ts";
export * from "./src/analysis/compare.ts";
export * from "./src/results/results_folder.ts";
export * from "./src/rnn/checkpoint.ts";
export * from "./src/graph/connections.ts";
export * from "./src/rnn/initialise.ts";
export * from "./src/rnn/parameters.ts";
export * from "./src/tasks/registry.ts";
export * from "./src/tasks/task.ts";
export * from "./src/tasks/trial_set.ts";
export * from "./src/train/prepare.ts";

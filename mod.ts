/**
 * biornn: recurrent neural networks with the topology of a connectome, trained
 * on WebGPU.
 *
 * @module
 */

export * from "./src/engine/ensemble.ts";
export * from "./src/random/stream.ts";
export * from "./src/rnn/parameters.ts";
export * from "./src/tasks/task.ts";
export * from "./src/tasks/trial_set.ts";

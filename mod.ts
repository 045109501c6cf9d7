/**
 * biornn: recurrent neural networks with the topology of a connectome, trained
 * side by side on WebGPU.
 *
 * All that the commands do, for notebooks and other programs: prepare an
 * experiment, train it, look at its models, compare it with others, draw it.
 *
 * ```ts
 * import { compareLabels, prepare, simulate, train } from "@biornn/biornn";
 *
 * const config = new URL("config/quickstart.ini", import.meta.url);
 * const overrides = { epochs: 2, iterations: 2 };
 * const prepared = await prepare(config, { overrides });
 * const trained = await train(prepared); // in memory; { folder: "results" } keeps all
 * trained.results.combinations[0]?.validateLoss.values; // [iterations, epochs]
 *
 * const model = await trained.model({ combination: 0, iteration: 0 });
 * const { hidden } = simulate(model, {
 *   trialCount: 1,
 *   steps: 9,
 *   inputSize: 2,
 *   inputs: new Float32Array(9 * 2),
 * });
 * hidden; // [trial, time, neuron]
 * ```
 *
 * @module
 */

// Connectomes: load, scale, randomise, measure.
export {
  type Connectome,
  createConnectome,
  type CreateConnectomeOptions,
  type RowMeaning,
} from "./src/connectome/connectome.ts";
export { loadConnectome, type LoadOptions } from "./src/connectome/load.ts";
export {
  type Network,
  scaleConnectome,
  type ScaleDensityOptions,
  scaleNeuronDensity,
  type ScaleOptions,
} from "./src/connectome/scale.ts";
export {
  NULL_MODELS,
  type NullModel,
  type NullModelInput,
  type NullModelName,
  randomiseNetwork,
} from "./src/connectome/nulls/null_model.ts";
export {
  type GraphMeasures,
  graphMeasures,
} from "./src/connectome/measures.ts";
export {
  type Graph,
  graphOfMatrix,
  matrixOfGraph,
  sortGraph,
} from "./src/graph/graph.ts";
export {
  estimateSpectralRadius,
  type SpectralRadius,
  spectralRadius,
} from "./src/graph/spectrum.ts";
export {
  createStream,
  type RandomStream,
  type StreamKey,
  type StreamPurpose,
} from "./src/random/stream.ts";

// Experiments: read a config, prepare what it names, train it.
export {
  type Combination,
  type Compatibility,
  describeExperiment,
  type Experiment,
  type GridValue,
} from "./src/experiment/experiment.ts";
export {
  type ExperimentOverrides,
  readArms,
  readExperiment,
  type ReadExperimentOptions,
} from "./src/experiment/read.ts";
export {
  prepare,
  prepareArms,
  type PrepareOptions,
} from "./src/train/prepare.ts";
export {
  train,
  type TrainedExperiment,
  type TrainOptions,
} from "./src/train/train.ts";
export { buildRun, type PreparedExperiment } from "./src/train/build_run.ts";
export type { RunId } from "./src/results/layout.ts";
export type { BestLoss, TrainingStatus } from "./src/train/progress.ts";

// Tasks: those there are, and what a new one must be.
export { TASKS } from "./src/tasks/registry.ts";
export type {
  LossName,
  ParameterSchema,
  Stimuli,
  Task,
  TaskParameters,
  TrialOptions,
} from "./src/tasks/task.ts";
export type { Trials, TrialSet } from "./src/tasks/task.ts";

// How models begin, what their neurons do, how they learn: those there are, and what new ones must be.
export { type Arithmetic, NUMBERS, powerOf } from "./src/rnn/arithmetic.ts";
export {
  type Optimizer,
  OPTIMIZERS,
  type WeightUpdate,
} from "./src/rnn/optimizers.ts";
export { NONLINEARITIES, type Nonlinearity } from "./src/rnn/nonlinearities.ts";
export {
  type Initialisation,
  INITIALISATIONS,
  type NewTensor,
} from "./src/rnn/initialisations.ts";

// Engines: what trains.
export {
  chooseEngine,
  type ChooseEngineOptions,
  type DeviceChoice,
} from "./src/train/choose_engine.ts";
export {
  DeviceError,
  type DeviceTrouble,
  type Engine,
  type Model,
  type ModelRun,
  type ModelState,
} from "./src/engine/ensemble.ts";

// Models: weights, and what they do on any inputs.
export { readModel, type ReadModelOptions } from "./src/train/read_model.ts";
export { readTrials, type ReadTrialsOptions } from "./src/train/read_model.ts";
export { type Activity, simulate } from "./src/reference/simulate.ts";
export {
  coactivation,
  type HiddenStates,
  regionMeans,
  type RegionOptions,
} from "./src/analysis/activity.ts";
export type { ModelSize, Parameters } from "./src/rnn/parameters.ts";
export type { Connections, FloatArray } from "./src/graph/connections.ts";

// Results: read, compare, draw.
export type {
  CombinationCurves,
  Curves,
  NullMeasure,
  RunMeasures,
} from "./src/results/data_files.ts";
export {
  type CombinationResult,
  readResultsFolder,
  type ResultsFolder,
} from "./src/results/results_folder.ts";
export type {
  ExperimentRecord,
  NetworkState,
  NetworkStates,
  Plain,
  PretrainedRecord,
  RecordedFailure,
  RunFailure,
} from "./src/results/experiment_record.ts";
export { compareLabels, type CompareOptions } from "./src/analysis/compare.ts";
export type {
  LabelledResults,
  MatchedCombination,
} from "./src/analysis/match.ts";
export type {
  ComparedGroup,
  ComparedRuns,
  Comparison,
  Corrected,
  MarginUnit,
} from "./src/analysis/comparison.ts";
export {
  type Column,
  type TableRow,
  tidyTable,
} from "./src/analysis/tables.ts";
export type { Baseline, Measure } from "./src/analysis/summary.ts";
export type { Description, Effect } from "./src/analysis/rank_tests.ts";
export {
  type ActivityFigureOptions,
  drawActivity,
  drawTrials,
} from "./src/viz/activity_figures.ts";
export {
  drawFigures,
  type DrawFiguresOptions,
  FIGURE_KINDS,
  type FigureKind,
} from "./src/viz/draw_results.ts";
export type {
  Drawing,
  Figure,
  FigureWidth,
  Json,
  Spec,
} from "./src/viz/figure.ts";
export { InputError } from "./src/files/input_error.ts";

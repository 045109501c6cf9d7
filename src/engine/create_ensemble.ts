/**
 * Ensembles of runs that are there already, and whether these agree with each
 * other.
 *
 * @module
 */

import type {
  Engine,
  Ensemble,
  EnsembleShape,
  EnsembleSpec,
  ModelRun,
  Rules,
} from "./ensemble.ts";
import {
  type Connections,
  countConnections,
  findConnectionProblem,
} from "../graph/connections.ts";
import { nonlinearityOf } from "../rnn/nonlinearities.ts";
import { optimizerOf } from "../rnn/optimizers.ts";
import { nameOf } from "../text/words.ts";
import {
  closePorts,
  PARAMETER_NAMES,
  type Parameters,
  parameterShapes,
} from "../rnn/parameters.ts";

/**
 * An ensemble of runs that are there already.
 *
 * @throws {RangeError} If they do not agree with each other, or do not fit the device together.
 *
 * @example
 * ```ts ignore
 * const ensemble = await createEnsemble(engine, { ...prepared.size, loss: "mse", runs: [run] });
 * ```
 */
export async function createEnsemble(
  engine: Engine,
  spec: EnsembleSpec,
): Promise<Ensemble> {
  const shape = shapeOf(spec);
  checkSpec({ ...shape, ...spec });
  const { groups, reason, createEnsemble } = engine.plan(shape);
  if (groups.length > 1) {
    throw new RangeError(
      `Cannot train ${spec.runs.length} models together: ${reason}`,
    );
  }
  return await createEnsemble(spec.runs);
}

/**
 * The shape of runs that are there already.
 *
 * @throws {RangeError} If there are none.
 */
export function shapeOf({ runs, ...common }: EnsembleSpec): EnsembleShape {
  if (runs.length === 0) {
    throw new RangeError("Cannot create an ensemble: it has no runs");
  }
  const { trainBatches, validateBatches } = runs[0]!.trials;
  const sizes = (batches: readonly Uint32Array[]) =>
    batches.map((batch) => batch.length);
  const count = (batches: readonly Uint32Array[]) =>
    sizes(batches).reduce((sum, size) => sum + size, 0);
  const topologies = [...new Set(runs.map(({ connections }) => connections))];
  const trainCount = count(trainBatches);
  return {
    ...common,
    nonlinearities: [
      ...new Set(runs.map(({ activation }) => nonlinearityOf(activation))),
    ],
    optimizers: [
      ...new Set(runs.map(({ optimizer }) => optimizerOf(optimizer))),
    ],
    steps: runs.map(({ trials }) => trials.steps),
    trialCount: trainCount + count(validateBatches),
    trainCount,
    batchSize: Math.max(...sizes([...trainBatches, ...validateBatches])),
    connections: topologies.reduce((most, each) =>
      countConnections(each) > countConnections(most) ? each : most
    ),
    ownTopologies: topologies.length > 1,
  };
}

/**
 * Compares all lengths and numbers of a description with its sizes.
 *
 * @throws {RangeError} That names the run, what was found and what is allowed.
 */
export function checkSpec(spec: EnsembleSpec & Rules): void {
  for (const rules of [spec.nonlinearities, spec.optimizers]) {
    const names = rules.map(({ name }) => name);
    const twice = names.find((name, i) => names.indexOf(name) < i);
    if (twice !== undefined) {
      throw new RangeError(
        `Cannot create an ensemble: two of its rules are called ${twice}`,
      );
    }
  }
  const sizes = batchSizes(spec.runs[0]!);
  for (const run of spec.runs) {
    const problem = findProblem(run, spec) ??
      (batchSizes(run) === sizes
        ? undefined
        : `its batches have other sizes than those of ${spec.runs[0]!.label}`);
    if (problem !== undefined) {
      throw new RangeError(`Cannot train ${run.label}: ${problem}`);
    }
  }
}

function batchSizes({ trials }: ModelRun): string {
  const lengths = (batches: readonly Uint32Array[]) =>
    batches.map((batch) => batch.length).join();
  return `${lengths(trials.trainBatches)}; ${lengths(trials.validateBatches)}`;
}

function findProblem(
  run: ModelRun,
  spec: EnsembleSpec & Rules,
): string | undefined {
  const { connections, initial, state, activation, optimizer } = run;
  if (
    !spec.nonlinearities.includes(nonlinearityOf(activation)) ||
    !spec.optimizers.includes(optimizerOf(optimizer))
  ) {
    return `its ${nameOf(activation)} or its ${
      nameOf(optimizer)
    } is none of those that the plan was made for`;
  }
  if (!(run.learningRate > 0) || !Number.isFinite(run.learningRate)) {
    return `its learning rate is ${run.learningRate}; allowed are numbers above 0`;
  }
  const wrong = wrongConnections(connections, spec);
  if (wrong !== undefined) return wrong;
  const tensors = state === undefined
    ? [initial]
    : [state.parameters, state.firstMoment, state.secondMoment];
  const shapes = parameterShapes(spec, countConnections(connections));
  return tensors.map((each) => wrongParameters(each, shapes))
    .find((problem) => problem !== undefined) ??
    wrongPorts(run, { tensors, spec }) ?? wrongTrials(run, spec);
}

function wrongPorts(
  { ports }: ModelRun,
  { tensors, spec }: {
    readonly tensors: readonly Parameters[];
    readonly spec: EnsembleSpec;
  },
): string | undefined {
  if (ports === undefined) return undefined;
  if (ports.length !== spec.hiddenSize) {
    return `its ports are those of ${ports.length} neurons, not ${spec.hiddenSize}`;
  }
  const open = tensors.some(({ weightIh, weightFc }) =>
    closePorts({
      weightIh: weightIh.slice(),
      weightFc: weightFc.slice(),
    }, ports) > 0
  );
  return open
    ? "it has input or output weights at neurons without a port for them"
    : undefined;
}

function wrongConnections(
  connections: Connections,
  { hiddenSize }: EnsembleSpec,
): string | undefined {
  const { receivers, senders } = connections;
  if (receivers !== hiddenSize || senders !== hiddenSize) {
    return `its connections are those of ${receivers} × ${senders} units, not ${hiddenSize} × ${hiddenSize}`;
  }
  const problem = findConnectionProblem(connections);
  return problem === undefined
    ? undefined
    : `its list of connections is unsound: ${problem}`;
}

function wrongParameters(
  parameters: Parameters,
  shapes: ReturnType<typeof parameterShapes>,
): string | undefined {
  for (const name of PARAMETER_NAMES) {
    const length = shapes[name].reduce((a, b) => a * b);
    if (parameters[name].length !== length) {
      return `its ${name} has ${
        parameters[name].length
      } entries, not ${length}`;
    }
  }
  return undefined;
}

function wrongTrials(
  { trials }: ModelRun,
  { inputSize, outputSize, loss }: EnsembleSpec,
): string | undefined {
  const { trialCount, steps, inputs, targets } = trials;
  if (trials.inputSize !== inputSize) {
    return `its trials show ${trials.inputSize} numbers a step, not ${inputSize}`;
  }
  if (
    inputs.length !== trialCount * steps * inputSize ||
    targets.length !== trialCount * steps
  ) {
    return `its trials have ${inputs.length} inputs and ${targets.length} targets, not ${
      trialCount * steps * inputSize
    } and ${trialCount * steps}`;
  }
  for (const batch of [...trials.trainBatches, ...trials.validateBatches]) {
    const trial = batch.find((trial) => trial >= trialCount);
    if (trial !== undefined) {
      return `a batch names trial ${trial} of ${trialCount}`;
    }
    if (batch.length === 0) return "a batch is empty";
  }
  const wrong = loss === "mse"
    ? undefined
    : targets.find((target) =>
      !Number.isInteger(target) || target < 0 || target >= outputSize
    );
  return wrong === undefined
    ? undefined
    : `a target is ${wrong}; allowed are classes from 1 to ${
      outputSize - 1
    }, and 0 for what is not scored`;
}

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
  countConnections,
  findConnectionProblem,
} from "../graph/connections.ts";
import { nonlinearityOf } from "../rnn/nonlinearities.ts";
import { optimizerOf } from "../rnn/optimizers.ts";
import {
  closePorts,
  PARAMETER_NAMES,
  parameterShapes,
} from "../rnn/parameters.ts";
import { nameOf } from "../text/words.ts";

/**
 * An ensemble of runs that are there already.
 *
 * @throws {RangeError} If they do not agree with each other, or do not fit the device together.
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
  const batches = [...trainBatches, ...validateBatches];
  const count = (some: readonly Uint32Array[]) =>
    some.reduce((sum, { length }) => sum + length, 0);
  const distinct = <T>(of: (run: ModelRun) => T) => [...new Set(runs.map(of))];
  const topologies = distinct(({ connections }) => connections);
  return {
    ...common,
    nonlinearities: distinct(({ activation }) => nonlinearityOf(activation)),
    optimizers: distinct(({ optimizer }) => optimizerOf(optimizer)),
    steps: runs.map(({ trials }) => trials.steps),
    trialCount: count(batches),
    trainCount: count(trainBatches),
    batchSize: Math.max(...batches.map(({ length }) => length)),
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
  for (const run of spec.runs) {
    for (const problem of problemsOf(run, spec)) {
      throw new RangeError(`Cannot train ${run.label}: ${problem}`);
    }
  }
}

/** What is wrong with a run; each check relies on those before it. */
function* problemsOf(
  run: ModelRun,
  spec: EnsembleSpec & Rules,
): Generator<string> {
  const { hiddenSize: H, inputSize: I, outputSize: O } = spec;
  const { activation, optimizer, connections, initial, state, ports } = run;
  if (
    !spec.nonlinearities.includes(nonlinearityOf(activation)) ||
    !spec.optimizers.includes(optimizerOf(optimizer))
  ) {
    yield `its ${nameOf(activation)} or its ${
      nameOf(optimizer)
    } is none of those that the plan was made for`;
  }
  if (!(run.learningRate > 0 && run.learningRate < Infinity)) {
    yield `its learning rate is ${run.learningRate}; allowed are numbers above 0`;
  }
  const { receivers, senders } = connections;
  if (receivers !== H || senders !== H) {
    yield `its connections are those of ${receivers} × ${senders} units, not ${H} × ${H}`;
  }
  const unsound = findConnectionProblem(connections);
  if (unsound) yield `its list of connections is unsound: ${unsound}`;

  const sets = state === undefined
    ? [initial]
    : [state.parameters, state.firstMoment, state.secondMoment];
  const shapes = parameterShapes(spec, countConnections(connections));
  for (const tensors of sets) {
    for (const name of PARAMETER_NAMES) {
      const { length } = tensors[name];
      const needed = shapes[name].reduce((a, b) => a * b);
      if (length !== needed) {
        yield `its ${name} has ${length} entries, not ${needed}`;
      }
    }
  }
  if (ports !== undefined) {
    if (ports.length !== H) {
      yield `its ports are those of ${ports.length} neurons, not ${H}`;
    }
    const isOpen = sets.some(({ weightIh, weightFc }) =>
      closePorts({
        weightIh: weightIh.slice(),
        weightFc: weightFc.slice(),
      }, ports) > 0
    );
    if (isOpen) {
      yield "it has input or output weights at neurons without a port for them";
    }
  }

  const { trials } = run;
  const { trialCount, inputs, targets } = trials;
  if (trials.inputSize !== I) {
    yield `its trials show ${trials.inputSize} numbers a step, not ${I}`;
  }
  const rows = trialCount * trials.steps;
  if (inputs.length !== rows * I || targets.length !== rows) {
    yield `its trials have ${inputs.length} inputs and ${targets.length} targets, not ${
      rows * I
    } and ${rows}`;
  }
  for (const batch of [...trials.trainBatches, ...trials.validateBatches]) {
    const trial = batch.find((trial) => trial >= trialCount);
    if (trial !== undefined) {
      yield `a batch names trial ${trial} of ${trialCount}`;
    }
    if (batch.length === 0) yield "a batch is empty";
  }
  const wrong = spec.loss === "nll" &&
    targets.find((target) =>
      !Number.isInteger(target) || target < 0 || target >= O
    );
  if (typeof wrong === "number") {
    yield `a target is ${wrong}; allowed are classes from 1 to ${
      O - 1
    }, and 0 for what is not scored`;
  }
  const [first] = spec.runs;
  if (describeBatches(run) !== describeBatches(first!)) {
    yield `its batches have other sizes than those of ${first!.label}`;
  }
}

/** The sizes of all batches of a run, as a text to compare. */
function describeBatches(
  { trials: { trainBatches, validateBatches } }: ModelRun,
): string {
  return [trainBatches, validateBatches].map((batches) =>
    batches.map(({ length }) => length).join()
  ).join("; ");
}

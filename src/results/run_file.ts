/**
 * What is kept of runs in the `runs` folder of a results folder: a file for
 * each run that is finished, and files of the states of those under way, many
 * in one, as a file each would take the disk seconds. Finished runs keep files of
 * their own: parts write them without asking each other, and a damaged byte costs
 * one run. All are safetensors with a checksum.
 *
 * @module
 */

import { createHash } from "node:crypto";
import type { ModelState } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { statFile, systemReason } from "../files/read.ts";
import {
  decodeSafetensors,
  encodeWithChecksum,
  type SafetensorsTensor,
} from "../files/safetensors.ts";
import {
  type FloatArray,
  type ModelSize,
  PARAMETER_NAMES,
  type Parameters,
  parameterShapes,
} from "../rnn/parameters.ts";
import type {
  NetworkState,
  NetworkStates,
  RunFailure,
} from "./experiment_record.ts";
import { type RunId, runKey } from "./layout.ts";

/** Curves of one run, one value an epoch. */
export interface RunHistory {
  readonly trainLoss: Float64Array;
  readonly validateLoss: Float64Array;
  /** In %; only for the n-back tasks. */
  readonly trainAccuracy?: Float64Array;
  readonly validateAccuracy?: Float64Array;
}

/** What is known of a run beside its curves and its state. */
export interface RunFacts {
  readonly id: RunId;
  /** Fingerprint of the experiment the run belongs to. */
  readonly experiment: string;
  /** The engine that trained it, e.g. "webgpu: NVIDIA H200". */
  readonly engine: string;
  /** The program that trained it, e.g. "biornn 0.1.0, numerics 2". */
  readonly program: string;
  /** Of a finished run: the SHA-256 of the file of its last model. */
  readonly model?: string;
  /** Of a run with a random topology: the SHA-256 of its file. */
  readonly topology?: string;
  /** Of a finished run: what its network did before the training and after it. */
  readonly networkStates?: NetworkStates;
  /** Of a finished run whose weights are no numbers, whatever its losses say: at which epoch that was seen. */
  readonly failure?: RunFailure;
}

/** A finished run, or one under way where `state` is given. */
export interface RunRecord extends RunFacts {
  /** Of the epochs that were trained. */
  readonly history: RunHistory;
  readonly state?: ModelState;
}

/** Names an engine in records, e.g. "webgpu: NVIDIA H200". */
export function engineName(
  { kind, description }: {
    readonly kind: string;
    readonly description: string;
  },
): string {
  return `${kind}: ${description}`;
}

/** What the record of a run says that was begun by one and goes on by another, or the same. */
export function thenBy(before: string | undefined, now: string): string {
  if (before === undefined || before === now) return now;
  return before.endsWith(`, then ${now}`) ? before : `${before}, then ${now}`;
}

/**
 * Finds where a run went wrong: a loss became NaN or infinite, or its weights
 * are.
 *
 * @returns undefined where all is finite.
 */
export function failureOf(
  { history, failure }: Pick<RunRecord, "history" | "failure">,
): RunFailure | undefined {
  for (let epoch = 0; epoch < history.trainLoss.length; epoch++) {
    for (const name of ["trainLoss", "validateLoss"] as const) {
      const value = history[name][epoch]!;
      if (Number.isFinite(value)) continue;
      const which = name === "trainLoss" ? "training" : "validation";
      const became = Number.isNaN(value) ? "NaN" : "infinite";
      return { epoch, what: `${which} loss became ${became}` };
    }
  }
  return failure;
}

/** Losses may look fine where the weights are none any more: whatever computed them, such a run is no result. */
export function weightFailure(
  parameters: Parameters,
  epoch: number,
): RunFailure | undefined {
  for (const name of PARAMETER_NAMES) {
    for (const value of parameters[name]) {
      if (Number.isFinite(value)) continue;
      const became = Number.isNaN(value) ? "NaN" : "infinite";
      return { epoch, what: `weights became ${became}` };
    }
  }
  return undefined;
}

const FORMAT = "biornn-run/1";
const STATES_FORMAT = "biornn-states/1";
/** Names of a run's curves. */
export const CURVES = [
  "trainLoss",
  "validateLoss",
  "trainAccuracy",
  "validateAccuracy",
] as const;
const STATE_PARTS = ["parameters", "firstMoment", "secondMoment"] as const;

interface Tensor {
  readonly name: string;
  readonly shape: readonly number[];
  readonly data: FloatArray;
}

/** A run under way. */
export type RunState = RunRecord & { readonly state: ModelState };

function curveTensors(history: RunHistory): Tensor[] {
  return CURVES.flatMap((name) => {
    const data = history[name];
    return data === undefined ? [] : [{ name, shape: [data.length], data }];
  });
}

function metadataOf(record: RunRecord): Record<string, string> {
  const { id, state, failure, model, topology, networkStates } = record;
  const all = {
    combination: id.combination,
    iteration: id.iteration,
    experiment: record.experiment,
    engine: record.engine,
    program: record.program,
    model,
    topology,
    network_states: networkStates && encodeStates(networkStates),
    failed_epoch: failure?.epoch,
    failure: failure?.what,
    epoch: state?.epoch,
    step: state?.updates,
  };
  return Object.fromEntries(
    Object.entries(all).flatMap(([key, value]) =>
      value === undefined ? [] : [[key, String(value)]]
    ),
  );
}

/** Radius and activity before, and after; then the errors of both radii. */
function encodeStates({ initial, trained }: NetworkStates): string {
  const states = [initial, trained];
  return [
    ...states.flatMap(({ spectralRadius, activity }) => [
      spectralRadius,
      activity,
    ]),
    ...states.flatMap(({ spectralRadiusError = [] }) => spectralRadiusError),
  ].join(" ");
}

function decodeStates(text: string): NetworkStates {
  const numbers = text.split(" ").map(Number);
  const state = (at: number): NetworkState => {
    const error = numbers[4 + at];
    return {
      spectralRadius: numbers[2 * at] ?? NaN,
      ...(error === undefined ? {} : { spectralRadiusError: error }),
      activity: numbers[2 * at + 1] ?? NaN,
    };
  };
  return { initial: state(0), trained: state(1) };
}

/** The bytes of a finished run's file. */
export function encodeRunRecord(
  { state: _state, ...record }: RunRecord,
): Uint8Array {
  return encodeWithChecksum(curveTensors(record.history), {
    format: FORMAT,
    ...metadataOf(record),
  });
}

/** The bytes of a file of states; the numbers of each are one tensor, in the order of its parameters. */
export function encodeRunStates(records: readonly RunState[]): Uint8Array {
  const tensors: Tensor[] = [];
  const metadata: Record<string, string> = { format: STATES_FORMAT };
  for (const record of records) {
    const prefix = runKey(record.id);
    for (const tensor of curveTensors(record.history)) {
      tensors.push({ ...tensor, name: `${prefix}/${tensor.name}` });
    }
    for (const [key, value] of Object.entries(metadataOf(record))) {
      metadata[`${prefix}/${key}`] = value;
    }
    const parts = STATE_PARTS.flatMap((part) =>
      PARAMETER_NAMES.map((name) => record.state[part][name])
    );
    const length = parts.reduce((sum, part) => sum + part.length, 0);
    const data = parts[0] instanceof Float64Array
      ? new Float64Array(length)
      : new Float32Array(length);
    let offset = 0;
    for (const part of parts) {
      data.set(part, offset);
      offset += part.length;
    }
    tensors.push({ name: `${prefix}/state`, shape: [length], data });
  }
  return encodeWithChecksum(tensors, metadata);
}

/** Bytes that a run takes in a file of states, about. */
export function stateBytes({ history, state }: RunState): number {
  const numbers = PARAMETER_NAMES.reduce(
    (sum, name) => sum + state.parameters[name].byteLength,
    0,
  );
  return 3 * numbers +
    curveTensors(history).length * history.trainLoss.byteLength;
}

/**
 * Reads a run's file, or one of states of many runs.
 *
 * @returns The runs, by {@linkcode runKey}.
 * @throws {InputError} If the file is broken, cut short or does not hold runs of that size.
 */
export function decodeRuns(
  bytes: Uint8Array,
  { name, size }: { readonly name: string; readonly size: ModelSize },
): Map<string, RunRecord> {
  const fail = (what: string): never => {
    throw new InputError(`Cannot use the run file "${name}": ${what}`);
  };
  const { tensors, metadata } = decodeSafetensors(bytes, { name });
  const { format = "not given" } = metadata;
  if (format !== FORMAT && format !== STATES_FORMAT) {
    fail(`its format is ${format}, not ${FORMAT} or ${STATES_FORMAT}`);
  }
  const files = new Map<string, RunFile>();
  const fileOf = (entry: string): [RunFile, string] => {
    const slash = format === FORMAT ? -1 : entry.indexOf("/");
    const key = slash === -1 ? "" : entry.slice(0, slash);
    const file = files.get(key) ?? { metadata: {}, tensors: new Map() };
    files.set(key, file);
    return [file, entry.slice(slash + 1)];
  };
  for (const [entry, value] of Object.entries(metadata)) {
    const [file, key] = fileOf(entry);
    file.metadata[key] = value;
  }
  for (const tensor of tensors) {
    const [file, key] = fileOf(tensor.name);
    file.tensors.set(key, tensor);
  }
  // What is said of the file itself.
  if (format === STATES_FORMAT) files.delete("");
  const runs = new Map<string, RunRecord>();
  for (const [key, file] of files) {
    const record = recordOf(file, { size, fail });
    if (key !== "" && runKey(record.id) !== key) fail(`it holds no run ${key}`);
    runs.set(runKey(record.id), record);
  }
  return runs;
}

/**
 * Reads the file of a finished run.
 *
 * @throws {InputError} As {@linkcode decodeRuns}, and if it holds another run.
 */
export function decodeRunRecord(
  bytes: Uint8Array,
  options: { readonly name: string; readonly size: ModelSize },
): RunRecord {
  const [record] = decodeRuns(bytes, options).values();
  if (record === undefined) {
    throw new InputError(
      `Cannot use the run file "${options.name}": it is empty`,
    );
  }
  return record;
}

/** Names and values of one run in a file. */
interface RunFile {
  readonly metadata: Record<string, string>;
  readonly tensors: Map<string, SafetensorsTensor>;
}

type Fail = (what: string) => never;

function recordOf(
  { metadata, tensors }: RunFile,
  { size, fail }: { readonly size: ModelSize; readonly fail: Fail },
): RunRecord {
  const history: Record<string, Float64Array> = {};
  for (const curve of CURVES) {
    const data = tensors.get(curve)?.data;
    if (data instanceof Float64Array) history[curve] = data;
  }
  if (history.trainLoss === undefined || history.validateLoss === undefined) {
    return fail("it holds no losses");
  }
  const { model, topology, failure, failed_epoch, epoch, step } = metadata;
  const record: RunRecord = {
    id: {
      combination: Number(metadata.combination),
      iteration: Number(metadata.iteration),
    },
    experiment: metadata.experiment ?? "",
    engine: metadata.engine ?? "",
    program: metadata.program ?? "an earlier biornn, numerics 1",
    ...(model === undefined ? {} : { model }),
    ...(topology === undefined ? {} : { topology }),
    ...(metadata.network_states === undefined
      ? {}
      : { networkStates: decodeStates(metadata.network_states) }),
    ...(failure === undefined
      ? {}
      : { failure: { epoch: Number(failed_epoch), what: failure } }),
    history: history as unknown as RunHistory,
  };
  if (epoch === undefined) return record;
  const parts = statePartsOf(tensors, { size, fail });
  const [parameters, firstMoment, secondMoment] = parts;
  return {
    ...record,
    state: {
      epoch: Number(epoch),
      updates: Number(step),
      parameters: parameters!,
      firstMoment: firstMoment!,
      secondMoment: secondMoment!,
    },
  };
}

function statePartsOf(
  tensors: RunFile["tensors"],
  { size, fail }: { readonly size: ModelSize; readonly fail: Fail },
): Parameters[] {
  const data = tensors.get("state")?.data;
  if (!(data instanceof Float32Array || data instanceof Float64Array)) {
    return fail("it holds no state that this version reads");
  }
  const count = (shape: readonly number[]) => shape.reduce((a, b) => a * b);
  const rest = Object.values(parameterShapes(size, 0)).map(count)
    .reduce((a, b) => a + b);
  const connections = data.length / STATE_PARTS.length - rest;
  if (!Number.isInteger(connections) || connections < 0) {
    fail(
      `its state of ${data.length} numbers is none of ${size.hiddenSize} hidden units, ${size.inputSize} inputs and ${size.outputSize} outputs`,
    );
  }
  const shapes = parameterShapes(size, connections);
  let offset = 0;
  return STATE_PARTS.map(() =>
    Object.fromEntries(PARAMETER_NAMES.map((name) => {
      const begin = offset;
      offset += count(shapes[name]);
      return [name, data.slice(begin, offset)];
    })) as unknown as Parameters
  );
}

const NAMED = /^(\d+)_(\d+)\/combination$/;

/**
 * The runs that a file of states says it holds; its first bytes are read
 * alone, so that it may turn out to be damaged.
 *
 * @throws {InputError} If these are.
 */
export async function runsIn(path: string): Promise<RunId[]> {
  const { size } = await statFile(path, { what: "the run file" });
  try {
    using file = await Deno.open(path);
    const read = async (length: number) => {
      const bytes = new Uint8Array(length);
      for (let done = 0; done < length;) {
        const more = await file.read(bytes.subarray(done));
        if (more === null) throw new RangeError("it is cut short");
        done += more;
      }
      return bytes;
    };
    const length = new DataView((await read(8)).buffer).getBigUint64(0, true);
    if (length > size) throw new RangeError("it is cut short");
    const header = JSON.parse(
      new TextDecoder().decode(await read(Number(length))),
    );
    const metadata: Record<string, string> = header.__metadata__;
    const idOf = (combination: string | undefined, iteration: unknown) =>
      combination === undefined
        ? []
        : [{ combination: Number(combination), iteration: Number(iteration) }];
    // Files of earlier versions are about one run.
    if (metadata.combination !== undefined) {
      return idOf(metadata.combination, metadata.iteration);
    }
    return Object.keys(metadata).flatMap((entry) => {
      const [, combination, iteration] = NAMED.exec(entry) ?? [];
      return idOf(combination, iteration);
    });
  } catch (error) {
    const reason = systemReason(error, { path, verb: "read" });
    throw new InputError(
      `Cannot use the run file "${path}": ${reason ?? "it is damaged"}`,
      { cause: error },
    );
  }
}

/** SHA-256 of a file's bytes, as 64 hexadecimal digits. */
export function fileSum(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** The text of a file of checksums. */
export function sumsOf(
  files: readonly (readonly [name: string, content: () => Uint8Array])[],
): Uint8Array {
  const lines = files.map(([name, content]) =>
    `${fileSum(content())}  ${name}\n`
  );
  return new TextEncoder().encode(lines.join(""));
}

/** What is known of a run without its curves and state. */
export function factsOf(record: RunRecord): RunFacts {
  const { history: _history, state: _state, ...facts } = record;
  const failure = failureOf(record);
  return { ...facts, ...(failure === undefined ? {} : { failure }) };
}

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
import { join } from "../files/path.ts";
import { readIfThere, sourceOfFile, systemReason } from "../files/read.ts";
import {
  decodeSafetensors,
  encodeSafetensors,
  type NamedTensor,
} from "../files/safetensors.ts";
import {
  type FloatArray,
  makeParameters,
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
import {
  finishedName,
  type RunId,
  runKey,
  runLabel,
  RUNS_FOLDER,
} from "./layout.ts";

/** Curves of one run, one value an epoch. */
export interface RunHistory {
  readonly trainLoss: Float64Array;
  readonly validateLoss: Float64Array;
  /** In %; only for the n-back tasks. */
  readonly trainAccuracy?: Float64Array;
  readonly validateAccuracy?: Float64Array;
}

/** A finished run, or one under way where `state` is given. */
export interface RunRecord {
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
  /** Of the epochs that were trained. */
  readonly history: RunHistory;
  readonly state?: ModelState;
}

/** A run under way. */
export type RunState = RunRecord & { readonly state: ModelState };

/** What is known of a run without its curves and state; its `failure` is that of its losses, too. */
export type RunFacts = Omit<RunRecord, "history" | "state">;

export function factsOf(record: RunRecord): RunFacts {
  const { history: _history, state: _state, ...facts } = record;
  const failure = failureOf(record);
  return { ...facts, ...(failure && { failure }) };
}

/** Names an engine in records, e.g. "webgpu: NVIDIA H200". */
export function engineName(
  engine: { readonly kind: string; readonly description: string },
): string {
  return `${engine.kind}: ${engine.description}`;
}

/** What the record of a run says that was begun by one and goes on by another, or the same. */
export function thenBy(before: string | undefined, now: string): string {
  if (before === undefined || before === now) return now;
  return before.endsWith(`, then ${now}`) ? before : `${before}, then ${now}`;
}

const failureAt = (epoch: number, what: string, value: number): RunFailure => ({
  epoch,
  what: `${what} became ${Number.isNaN(value) ? "NaN" : "infinite"}`,
});

/**
 * Finds where a run went wrong: a loss became NaN or infinite, or its weights
 * are.
 *
 * @returns undefined where all is finite.
 */
export function failureOf(
  { history: { trainLoss, validateLoss }, failure }: Pick<
    RunRecord,
    "history" | "failure"
  >,
): RunFailure | undefined {
  for (const [epoch, train] of trainLoss.entries()) {
    const validate = validateLoss[epoch]!;
    if (!Number.isFinite(train)) {
      return failureAt(epoch, "training loss", train);
    }
    if (!Number.isFinite(validate)) {
      return failureAt(epoch, "validation loss", validate);
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
      if (!Number.isFinite(value)) return failureAt(epoch, "weights", value);
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

/** What a file has of one run: texts, and arrays of numbers. */
type Entries = Record<string, string | NamedTensor["data"]>;

/** Those without a value are not written. */
function entriesOf(record: RunRecord): [keyof Entries, Entries[string]][] {
  const { id, experiment, engine, program, model, topology } = record;
  const { history, networkStates, failure, state } = record;
  const all = {
    ...Object.fromEntries(CURVES.map((curve) => [curve, history[curve]])),
    state: state && stateNumbers(state),
    experiment,
    engine,
    program,
    model,
    topology,
    combination: id.combination,
    iteration: id.iteration,
    network_states: networkStates && encodeStates(networkStates),
    failed_epoch: failure?.epoch,
    failure: failure?.what,
    epoch: state?.epoch,
    step: state?.updates,
  };
  return Object.entries(all).flatMap(([key, value]) =>
    value === undefined
      ? []
      : [[key, typeof value === "number" ? String(value) : value]]
  );
}

/** All numbers of a state, in the order of its parameters. */
function stateNumbers(state: ModelState): Float32Array | Float64Array {
  const parts = STATE_PARTS.flatMap((part) =>
    PARAMETER_NAMES.map((name) => state[part][name])
  );
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  const numbers = parts[0] instanceof Float64Array
    ? new Float64Array(length)
    : new Float32Array(length);
  let offset = 0;
  for (const part of parts) {
    numbers.set(part, offset);
    offset += part.length;
  }
  return numbers;
}

/** Radius and activity before, and after; then the errors of both radii. */
function encodeStates({ initial, trained }: NetworkStates): string {
  const states = [initial, trained];
  return [
    ...states.flatMap((state) => [state.spectralRadius, state.activity]),
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

function encode(
  format: string,
  runs: readonly (readonly [prefix: string, record: RunRecord])[],
): Uint8Array {
  const tensors: NamedTensor[] = [];
  const metadata: Record<string, string> = { format };
  for (const [prefix, record] of runs) {
    for (const [key, data] of entriesOf(record)) {
      const name = `${prefix}${key}`;
      if (typeof data === "string") metadata[name] = data;
      else tensors.push({ name, shape: [data.length], data });
    }
  }
  return encodeSafetensors(tensors, metadata);
}

/** The bytes of a finished run's file. */
export function encodeRunRecord(
  { state: _state, ...record }: RunRecord,
): Uint8Array {
  return encode(FORMAT, [["", record]]);
}

/** The bytes of a file of states; its entries stand behind the keys of their runs. */
export function encodeRunStates(records: readonly RunState[]): Uint8Array {
  const runs = records.map((one) => [`${runKey(one.id)}/`, one] as const);
  return encode(STATES_FORMAT, runs);
}

/** Bytes that a run takes in a file of states, about. */
export function stateBytes({ history, state }: RunState): number {
  const arrays = [history, ...STATE_PARTS.map((part) => state[part])]
    .flatMap((each) => Object.values<FloatArray>({ ...each }));
  return arrays.reduce((sum, { byteLength }) => sum + byteLength, 0);
}

/**
 * Reads a run's file, or one of states of many runs.
 *
 * @param options.id The run that a file of one run is to hold.
 * @returns The runs, by {@linkcode runKey}.
 * @throws {InputError} If the file is broken, cut short or does not hold that run, or runs of that size.
 */
export function decodeRuns(
  bytes: Uint8Array,
  { name, size, id }: {
    readonly name: string;
    readonly size: ModelSize;
    readonly id?: RunId | undefined;
  },
): Map<string, RunRecord> {
  const fail: Fail = (what) => {
    throw new InputError(`Cannot use the run file "${name}": ${what}`);
  };
  const { tensors, metadata } = decodeSafetensors(bytes, { name });
  const { format = "not given" } = metadata;
  if (format !== FORMAT && format !== STATES_FORMAT) {
    fail(`its format is ${format}, not ${FORMAT} or ${STATES_FORMAT}`);
  }
  const parts = new Map<string, Entries>();
  for (
    const [entry, value] of [
      ...Object.entries(metadata),
      ...tensors.map(({ name, data }) => [name, data] as const),
    ]
  ) {
    const slash = format === FORMAT ? -1 : entry.indexOf("/");
    const key = entry.slice(0, Math.max(0, slash));
    const part: Entries = parts.get(key) ?? {};
    part[entry.slice(slash + 1)] = value;
    parts.set(key, part);
  }
  // What is said of the file itself.
  if (format === STATES_FORMAT) parts.delete("");
  const runs = new Map<string, RunRecord>();
  for (const [key, part] of parts) {
    const record = recordOf(part, size, fail);
    const own = runKey(record.id);
    if (key !== "" && own !== key) fail(`it holds no run ${key}`);
    if (id !== undefined && own !== runKey(id)) {
      fail(`it holds ${runLabel(record.id)}`);
    }
    runs.set(own, record);
  }
  return runs;
}

/**
 * Reads a finished run of a results folder; undefined where it has no file.
 *
 * @throws {InputError} As {@linkcode decodeRuns}.
 */
export async function readRun(
  folder: string,
  { id, size }: { readonly id: RunId; readonly size: ModelSize },
): Promise<RunRecord | undefined> {
  const name = join(folder, RUNS_FOLDER, finishedName(id));
  const bytes = await readIfThere(name, { what: "the run" });
  return bytes && decodeRuns(bytes, { name, size, id }).get(runKey(id));
}

type Fail = (what: string) => never;

function recordOf(part: Entries, size: ModelSize, fail: Fail): RunRecord {
  const text = (key: string) =>
    typeof part[key] === "string" ? part[key] : undefined;
  const history: Record<string, Float64Array> = {};
  for (const curve of CURVES) {
    const data = part[curve];
    if (data instanceof Float64Array) history[curve] = data;
  }
  if (history.trainLoss === undefined || history.validateLoss === undefined) {
    return fail("it holds no losses");
  }
  const model = text("model");
  const topology = text("topology");
  const states = text("network_states");
  const failure = text("failure");
  const record: RunRecord = {
    id: {
      combination: Number(part.combination),
      iteration: Number(part.iteration),
    },
    experiment: text("experiment") ?? "",
    engine: text("engine") ?? "",
    program: text("program") ?? "an earlier biornn, numerics 1",
    ...(model && { model }),
    ...(topology && { topology }),
    ...(states && { networkStates: decodeStates(states) }),
    ...(failure &&
      { failure: { epoch: Number(part.failed_epoch), what: failure } }),
    history: history as unknown as RunHistory,
  };
  return part.epoch === undefined ? record : {
    ...record,
    state: {
      epoch: Number(part.epoch),
      updates: Number(part.step),
      ...stateOf(part.state, size, fail),
    },
  };
}

function stateOf(
  data: Entries[string] | undefined,
  size: ModelSize,
  fail: Fail,
) {
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
  const next = () =>
    makeParameters((name) => {
      const begin = offset;
      offset += count(shapes[name]);
      return data.slice(begin, offset);
    });
  return { parameters: next(), firstMoment: next(), secondMoment: next() };
}

/**
 * The runs that a file of states says it holds; its first bytes are read
 * alone, so that it may turn out to be damaged.
 *
 * @throws {InputError} If these are.
 */
export async function runsIn(path: string): Promise<RunId[]> {
  const source = sourceOfFile(path, { what: "the run file" });
  const size = await source.size();
  try {
    const start = new DataView(await source.slice(0, 8));
    const length = start.getBigUint64(0, true);
    if (length > size) throw new RangeError("it is cut short");
    const header = await source.slice(8, 8 + Number(length));
    const metadata: Record<string, string> =
      JSON.parse(new TextDecoder().decode(header)).__metadata__;
    // Files of earlier versions are about one run, and have no prefix.
    const entries = Object.keys(metadata)
      .filter((key) => /^(?:\d+_\d+\/)?combination$/.test(key));
    return entries.map((entry) => ({
      combination: Number(metadata[entry]),
      iteration: Number(metadata[entry.replace("combination", "iteration")]),
    }));
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

/**
 * The `runs` folder of a results folder: one file for each run that is
 * finished, and the newest two states of each that is under way. Several
 * processes on several machines may write to it at once: every file belongs to
 * one run, has a checksum and is written whole.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { join } from "node:path";
import type { ModelState } from "../engine/ensemble.ts";
import { InputError } from "../files/input_error.ts";
import { readFileBytes, readIfThere } from "../files/read.ts";
import { decodeSafetensors, encodeWithChecksum } from "../files/safetensors.ts";
import { writeFilesWhole } from "../files/write.ts";
import {
  type FloatArray,
  type ModelSize,
  PARAMETER_NAMES,
  type Parameters,
  parameterShapes,
} from "../rnn/parameters.ts";
import {
  finishedName,
  listFolder,
  listRuns,
  makeFolder,
  parseModelName,
  type RunId,
  runKey,
  runLabel,
  RUNS_FOLDER,
  stateName,
} from "./layout.ts";

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
  /** Of a finished run whose weights are no numbers, whatever its losses say: at which epoch that was seen. */
  readonly failure?: RunFailure;
}

/** A finished run, or one under way where `state` is given. */
export interface RunRecord extends RunFacts {
  /** Of the epochs that were trained. */
  readonly history: RunHistory;
  readonly state?: ModelState;
}

/** Where and how a run went wrong. */
export interface RunFailure {
  /** The first epoch, from 0, that is known to be wrong. */
  readonly epoch: number;
  /** E.g. "training loss became NaN". */
  readonly what: string;
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
 *
 * @example
 * ```ts
 * import { failureOf } from "./src/results/runs.ts";
 *
 * failureOf({
 *   history: {
 *     trainLoss: Float64Array.of(0.5, NaN),
 *     validateLoss: Float64Array.of(0.6, NaN),
 *   },
 * }); // { epoch: 1, what: "training loss became NaN" }
 * ```
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

const FORMAT = "biornn-run/1";
const CURVES = [
  "trainLoss",
  "validateLoss",
  "trainAccuracy",
  "validateAccuracy",
] as const;
const STATE_PARTS = ["parameters", "firstMoment", "secondMoment"] as const;

/** The bytes of a run's file. */
export function encodeRunRecord(
  record: RunRecord,
  size: ModelSize,
): Uint8Array {
  const { id, history, state, failure, model, topology } = record;
  const tensors = CURVES.flatMap((name) => {
    const data = history[name];
    return data === undefined ? [] : [{ name, shape: [data.length], data }];
  }) as { name: string; shape: readonly number[]; data: FloatArray }[];
  if (state !== undefined) {
    const shapes = parameterShapes(size, state.parameters.weightHh.length);
    for (const part of STATE_PARTS) {
      for (const name of PARAMETER_NAMES) {
        tensors.push({
          name: `${part}.${name}`,
          shape: shapes[name],
          data: state[part][name],
        });
      }
    }
  }
  return encodeWithChecksum(tensors, {
    format: FORMAT,
    combination: String(id.combination),
    iteration: String(id.iteration),
    experiment: record.experiment,
    engine: record.engine,
    program: record.program,
    ...(model === undefined ? {} : { model }),
    ...(topology === undefined ? {} : { topology }),
    ...(failure === undefined
      ? {}
      : { failed_epoch: String(failure.epoch), failure: failure.what }),
    ...(state === undefined
      ? {}
      : { epoch: String(state.epoch), step: String(state.step) }),
  });
}

/**
 * Reads a run's file.
 *
 * @throws {InputError} If the file is broken, cut short or does not hold a run of that size.
 */
export function decodeRunRecord(
  bytes: Uint8Array,
  { name, size }: { readonly name: string; readonly size: ModelSize },
): RunRecord {
  const fail = (what: string): never => {
    throw new InputError(`Cannot use the run file "${name}": ${what}`);
  };
  const { tensors, metadata } = decodeSafetensors(bytes, { name });
  if (metadata.format !== FORMAT) {
    fail(`its format is ${metadata.format ?? "not given"}, not ${FORMAT}`);
  }
  const found = new Map<
    string,
    { shape: readonly number[]; data: FloatArray }
  >();
  for (const { name, shape, data } of tensors) {
    if (!(data instanceof Float32Array || data instanceof Float64Array)) {
      return fail(`tensor ${name} holds no floating-point numbers`);
    }
    found.set(name, { shape, data });
  }
  const history: Record<string, Float64Array> = {};
  for (const curve of CURVES) {
    const data = found.get(curve)?.data;
    if (data instanceof Float64Array) history[curve] = data;
  }
  if (history.trainLoss === undefined || history.validateLoss === undefined) {
    fail("it holds no losses");
  }
  const { model, topology, failure, failed_epoch } = metadata;
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
    ...(failure === undefined
      ? {}
      : { failure: { epoch: Number(failed_epoch), what: failure } }),
    history: history as unknown as RunHistory,
  };
  if (metadata.epoch === undefined) return record;
  const count = found.get("parameters.weightHh")?.shape;
  if (count?.length !== 1) {
    fail(
      `parameters.weightHh is ${
        count === undefined ? "missing" : `[${count}]`
      }, expected a list of weights`,
    );
  }
  const shapes = parameterShapes(size, count![0]!);
  const part = (prefix: string): Parameters => {
    const parameters: Partial<Record<keyof Parameters, FloatArray>> = {};
    for (const key of PARAMETER_NAMES) {
      const tensor = found.get(`${prefix}.${key}`);
      const shape = shapes[key];
      if (tensor === undefined || tensor.shape.join() !== shape.join()) {
        return fail(
          `${prefix}.${key} is ${
            tensor === undefined ? "missing" : `[${tensor.shape}]`
          }, expected [${shape}]`,
        );
      }
      parameters[key] = tensor.data;
    }
    return parameters as Parameters;
  };
  return {
    ...record,
    state: {
      epoch: Number(metadata.epoch),
      step: Number(metadata.step),
      parameters: part("parameters"),
      firstMoment: part("firstMoment"),
      secondMoment: part("secondMoment"),
    },
  };
}

/** SHA-256 of a file's bytes, as 64 hexadecimal digits. */
export function fileSum(bytes: Uint8Array): string {
  return createHash("sha256").update(bytes).digest("hex");
}

/** What a store needs to know. */
export interface RunStoreOptions {
  /** The results folder. */
  readonly folder: string;
  /** Fingerprint of the experiment; files of another one are an error. */
  readonly experiment: string;
  readonly size: ModelSize;
  /** Epochs of a training: of its last model each finished run must have the file. */
  readonly epochs: number;
  /** Told in one sentence when a damaged file is passed over. */
  readonly warn: (line: string) => void;
}

/** States kept of a run: should the newest be damaged, the one before is there. */
const KEPT_STATES = 2;

/** Reads and writes the runs of one experiment. */
export class RunStore {
  readonly #options: RunStoreOptions;
  readonly #path: string;
  /** A run is trained by one process, so that what was listed once stays true of its states. */
  readonly #states = new Map<string, readonly number[]>();
  /** A finished run never changes; its curves are read again when they are needed, as those of all would fill the memory. */
  readonly #finished = new Map<string, RunFacts>();
  readonly #warned = new Set<string>();
  /** Runs whose models are damaged or gone, so that what was saved of them is of no use. */
  readonly #spoilt = new Set<string>();

  private constructor(options: RunStoreOptions) {
    this.#options = options;
    this.#path = join(options.folder, RUNS_FOLDER);
  }

  /**
   * Opens the store of a results folder, and makes its folder.
   *
   * @throws {InputError} If the folder can't be made or listed.
   */
  static async open(options: RunStoreOptions): Promise<RunStore> {
    const store = new RunStore(options);
    await makeFolder(store.#path);
    for (const [key, run] of await listRuns(options.folder)) {
      store.#states.set(key, run.states);
    }
    return store;
  }

  /**
   * Looks at the models of some runs. A run that has lost its last model, or of
   * whose models one is damaged, counts as one that was never trained, so that
   * it is trained again.
   */
  async checkModels(ids: readonly RunId[]): Promise<void> {
    const own = new Set(ids.map(runKey));
    const { folder, epochs } = this.#options;
    const complete = new Map<string, string>();
    for (const combination of new Set(ids.map((id) => id.combination))) {
      const inside = join(folder, String(combination));
      for (const { name } of await listFolder(inside) ?? []) {
        const model = parseModelName(name);
        if (model === undefined || name.endsWith(".pth")) continue;
        const key = runKey({ combination, iteration: model.iteration });
        if (!own.has(key)) continue;
        const file = join(inside, name);
        const bytes = await readFileBytes(file, { what: "the model" });
        try {
          decodeSafetensors(bytes, { name: file });
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          this.#spoil(key, `${error.message}; its run is trained again`);
        }
        if (model.epoch === epochs - 1) complete.set(key, fileSum(bytes));
      }
    }
    for (const id of ids) {
      const key = runKey(id);
      const facts = await this.finished(id);
      if (facts === undefined) continue;
      const sum = complete.get(key);
      if (sum !== undefined && (facts.model ?? sum) === sum) continue;
      this.#spoil(
        key,
        `The model of ${runLabel(id)} in "${folder}" is ${
          sum === undefined ? "gone" : "not the one that was trained"
        }; the run is trained again`,
      );
    }
  }

  #spoil(key: string, sentence: string): void {
    if (this.#spoilt.has(key)) return;
    this.#spoilt.add(key);
    this.#finished.delete(key);
    this.#options.warn(`warning: ${sentence}`);
  }

  async #read(name: string, id: RunId): Promise<RunRecord | undefined> {
    const { folder, experiment, size, warn } = this.#options;
    if (this.#spoilt.has(runKey(id))) return undefined;
    const file = join(this.#path, name);
    const bytes = await readIfThere(file, { what: "the run" });
    if (bytes === undefined) return undefined;
    let record: RunRecord;
    try {
      record = decodeRunRecord(bytes, { name: file, size });
      if (runKey(record.id) !== runKey(id)) {
        throw new InputError(
          `Cannot use the run file "${file}": it holds ${runLabel(record.id)}`,
        );
      }
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      // As good as none: the run, or the epochs since the state before, train again.
      if (!this.#warned.has(name)) {
        warn(`warning: ${error.message}; it is passed over`);
      }
      this.#warned.add(name);
      return undefined;
    }
    if (record.experiment !== experiment) {
      throw new InputError(
        `Cannot go on in "${folder}": its run file ${name} belongs to another experiment (another config, seed or connectome); choose another folder with --path_to_results, or --overwrite`,
      );
    }
    return record;
  }

  /** What is known of a finished run; undefined where it is not finished, or its file is damaged. */
  async finished(id: RunId): Promise<RunFacts | undefined> {
    const known = this.#finished.get(runKey(id));
    if (known !== undefined) return known;
    const record = await this.finishedRecord(id);
    return record && factsOf(record);
  }

  /** The record of a finished run, with its curves. */
  async finishedRecord(id: RunId): Promise<RunRecord | undefined> {
    const record = await this.#read(finishedName(id), id);
    if (record === undefined) this.#finished.delete(runKey(id));
    else this.#finished.set(runKey(id), factsOf(record));
    return record;
  }

  /** Epochs of a run's states, newest first; one of them may turn out to be damaged. */
  stateEpochs(id: RunId): readonly number[] {
    return this.#spoilt.has(runKey(id))
      ? []
      : this.#states.get(runKey(id)) ?? [];
  }

  /** A run's state after so many epochs, or undefined where there is none or it is damaged. */
  async stateAt(id: RunId, epoch: number): Promise<RunRecord | undefined> {
    const record = await this.#read(stateName(id, epoch), id);
    return record?.state?.epoch === epoch ? record : undefined;
  }

  /** The newest sound state of a run under way. */
  async newestState(id: RunId): Promise<RunRecord | undefined> {
    for (const epoch of this.stateEpochs(id)) {
      const record = await this.stateAt(id, epoch);
      if (record !== undefined) return record;
    }
    return undefined;
  }

  /** Before anything is saved of a run that is trained again: what is of no use goes. */
  async #forgetSpoilt(records: readonly RunRecord[]): Promise<void> {
    for (const { id } of records) {
      if (!this.#spoilt.has(runKey(id))) continue;
      await this.removeStates(id);
      await Deno.remove(join(this.#path, finishedName(id))).catch(() => {
        // It was under way only.
      });
      this.#spoilt.delete(runKey(id));
    }
  }

  /** Writes finished runs and removes their states. */
  async saveFinished(records: readonly RunRecord[]): Promise<void> {
    const { size } = this.#options;
    await this.#forgetSpoilt(records);
    await writeFilesWhole(records.map(({ state: _, ...record }) => [
      join(this.#path, finishedName(record.id)),
      () => encodeRunRecord(record, size),
    ]));
    for (const record of records) {
      this.#warned.delete(finishedName(record.id));
      this.#finished.set(runKey(record.id), factsOf(record));
      await this.removeStates(record.id);
    }
  }

  /** Writes states and removes all but those before them. */
  async saveStates(
    records: readonly (RunRecord & { readonly state: ModelState })[],
  ): Promise<void> {
    const { size } = this.#options;
    await this.#forgetSpoilt(records);
    await writeFilesWhole(records.map((record) => [
      join(this.#path, stateName(record.id, record.state.epoch)),
      () => encodeRunRecord(record, size),
    ]));
    for (const { id, state: { epoch } } of records) {
      const key = runKey(id);
      this.#warned.delete(stateName(id, epoch));
      // States after this one are those of a training that went on from before them: damaged, or given up.
      const all = this.#states.get(key) ?? [];
      const before = all.filter((e) => e < epoch);
      const after = all.filter((e) => e > epoch);
      this.#states.set(key, [epoch, ...before, ...after]);
      await this.removeStates(id, KEPT_STATES);
    }
  }

  /** Removes the states of a run but for so many. */
  async removeStates(id: RunId, keep = 0): Promise<void> {
    const epochs = this.#states.get(runKey(id)) ?? [];
    for (const epoch of epochs.slice(keep)) {
      await Deno.remove(join(this.#path, stateName(id, epoch))).catch(() => {
        // Gone already, or it can't be removed: it does no harm beside a newer one.
      });
    }
    this.#states.set(runKey(id), epochs.slice(0, keep));
  }
}

function factsOf(record: RunRecord): RunFacts {
  const { history: _history, state: _state, ...facts } = record;
  const failure = failureOf(record);
  return { ...facts, ...(failure === undefined ? {} : { failure }) };
}

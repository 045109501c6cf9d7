/**
 * The runs of a results folder: which are finished, and where those under way
 * stood. Several processes on several machines may write to it at once: every
 * file belongs to runs of one of them and is written whole.
 *
 * @module
 */

import { join } from "node:path";
import { cannotRead, InputError } from "../files/input_error.ts";
import { listFolder, readFileBytes, readIfThere } from "../files/read.ts";
import { decodeSafetensors } from "../files/safetensors.ts";
import { makeFolder, writeFilesWhole } from "../files/write.ts";
import { MODEL_FORMAT } from "../rnn/checkpoint.ts";
import type { ModelSize } from "../rnn/parameters.ts";
import {
  finishedName,
  parseModelName,
  parseStatesName,
  type RunId,
  runKey,
  runLabel,
  RUNS_FOLDER,
  statesName,
} from "./layout.ts";
import {
  decodeRuns,
  encodeRunRecord,
  encodeRunStates,
  factsOf,
  fileSum,
  type RunFacts,
  type RunRecord,
  runsIn,
  type RunState,
  stateBytes,
} from "./run_file.ts";

interface RunStoreOptions {
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

/** Bytes of a file of states, about, as those of models differ little: small enough that some are written side by side. */
const STATES_BYTES = 16 * 2 ** 20;

/** A file of states. */
interface StatesFile {
  readonly name: string;
  readonly epoch: number;
  /** Runs that still need it; those of other processes need it until the end. */
  readonly needed: Set<string>;
  /** Whether it could be read; undefined before that was tried. */
  isSound?: boolean;
}

/** Reads and writes the runs of one experiment. */
export class RunStore {
  readonly #options: RunStoreOptions;
  readonly #path: string;
  /** The states of each run, newest first. A run is trained by one process, so that what was listed once stays true. */
  readonly #states = new Map<string, readonly StatesFile[]>();
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
    const files = (await listFolder(store.#path) ?? []).flatMap(({ name }) => {
      const epoch = parseStatesName(name);
      return epoch === undefined ? [] : [{ name, epoch }];
    });
    for (const file of files.sort((a, b) => a.epoch - b.epoch)) {
      const path = join(store.#path, file.name);
      const ids = await store.#ifSound(file.name, () => runsIn(path));
      store.#add(file, ids ?? []);
    }
    return store;
  }

  #add(file: Pick<StatesFile, "name" | "epoch">, ids: readonly RunId[]): void {
    const added = { ...file, needed: new Set(ids.map(runKey)) };
    for (const key of added.needed) {
      this.#states.set(key, [added, ...this.#states.get(key) ?? []]);
    }
  }

  /** What is damaged is as good as none: the run, or the epochs since the state before, train again. */
  async #ifSound<T>(
    name: string,
    read: () => T | Promise<T>,
  ): Promise<T | undefined> {
    try {
      return await read();
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      if (!this.#warned.has(name)) {
        this.#options.warn(`warning: ${error.message}; it is passed over`);
      }
      this.#warned.add(name);
      return undefined;
    }
  }

  /**
   * Looks at the models of some runs. A run that has lost its last model, or of
   * whose models one is damaged, counts as one that was never trained, so that
   * it is trained again.
   */
  async checkModels(ids: readonly RunId[]): Promise<void> {
    const own = new Set(ids.map(runKey));
    const { folder, epochs } = this.#options;
    const lastModels = new Map<string, string>();
    for (const combination of new Set(ids.map((id) => id.combination))) {
      const inside = join(folder, String(combination));
      for (const { name } of await listFolder(inside) ?? []) {
        const model = parseModelName(name);
        if (model === undefined || name.endsWith(".pth")) continue;
        const key = runKey({ combination, iteration: model.iteration });
        if (!own.has(key)) continue;
        const file = join(inside, name);
        const bytes = await readFileBytes(file, { what: "the model" });
        if (model.epoch === epochs - 1) lastModels.set(key, fileSum(bytes));
        try {
          const { format, checksum } =
            decodeSafetensors(bytes, { name: file }).metadata;
          // Models of earlier versions have neither.
          if (checksum !== undefined && format !== MODEL_FORMAT) {
            cannotRead(file)(`its format is ${format}, not ${MODEL_FORMAT}`);
          }
        } catch (error) {
          if (!(error instanceof InputError)) throw error;
          this.#spoil(key, `${error.message}; its run is trained again`);
        }
      }
    }
    for (const id of ids) {
      const facts = await this.finished(id);
      const sum = lastModels.get(runKey(id));
      if (facts === undefined || (sum && sum === (facts.model ?? sum))) {
        continue;
      }
      const fate = sum === undefined ? "gone" : "not the one that was trained";
      this.#spoil(
        runKey(id),
        `The model of ${
          runLabel(id)
        } in "${folder}" is ${fate}; the run is trained again`,
      );
    }
  }

  #spoil(key: string, sentence: string): void {
    if (this.#spoilt.has(key)) return;
    this.#spoilt.add(key);
    this.#finished.delete(key);
    this.#options.warn(`warning: ${sentence}`);
  }

  /** The runs of a file; none where it is damaged or not there. */
  async #read(name: string, id?: RunId): Promise<Map<string, RunRecord>> {
    const { folder, experiment, size } = this.#options;
    const file = join(this.#path, name);
    const bytes = await readIfThere(file, { what: "the run" });
    const records = bytes &&
      await this.#ifSound(
        name,
        () => decodeRuns(bytes, { name: file, size, id }),
      );
    for (const record of records?.values() ?? []) {
      if (record.experiment === experiment) continue;
      throw new InputError(
        `Cannot go on in "${folder}": its run file ${name} belongs to another experiment (another config, seed or connectome); choose another folder with --path_to_results, or --overwrite`,
      );
    }
    return records ?? new Map();
  }

  /** What is known of a finished run; undefined where it is not finished, or its file is damaged. */
  async finished(id: RunId): Promise<RunFacts | undefined> {
    const key = runKey(id);
    if (!this.#finished.has(key)) await this.finishedRecord(id);
    return this.#finished.get(key);
  }

  /** The record of a finished run, with its curves. */
  async finishedRecord(id: RunId): Promise<RunRecord | undefined> {
    const key = runKey(id);
    const record = this.#spoilt.has(key)
      ? undefined
      : (await this.#read(finishedName(id), id)).get(key);
    if (record === undefined) this.#finished.delete(key);
    else this.#finished.set(key, factsOf(record));
    return record;
  }

  /** Epochs of a run's sound states, newest first. */
  async stateEpochs(id: RunId): Promise<readonly number[]> {
    if (this.#spoilt.has(runKey(id))) return [];
    const sound: number[] = [];
    for (const file of this.#states.get(runKey(id)) ?? []) {
      file.isSound ??= (await this.#readStates(file)).size > 0;
      if (file.isSound) sound.push(file.epoch);
    }
    return sound;
  }

  async #readStates(
    { name, epoch }: StatesFile,
  ): Promise<ReadonlyMap<string, RunRecord>> {
    const records = await this.#read(name);
    return records.values().every(({ state }) => state?.epoch === epoch)
      ? records
      : new Map();
  }

  /** The states of some runs after so many epochs; undefined where one is not there or damaged. */
  async statesAt(
    ids: readonly RunId[],
    epoch: number,
  ): Promise<RunRecord[] | undefined> {
    const read = new Map<string, ReadonlyMap<string, RunRecord>>();
    const records: RunRecord[] = [];
    for (const id of ids) {
      const key = runKey(id);
      const file = this.#states.get(key)?.find((f) =>
        f.epoch === epoch && f.isSound !== false
      );
      if (file === undefined || this.#spoilt.has(key)) return undefined;
      const found = read.get(file.name) ?? await this.#readStates(file);
      read.set(file.name, found);
      const record = found.get(key);
      file.isSound &&= record !== undefined;
      if (record === undefined) return undefined;
      records.push(record);
    }
    return records;
  }

  /** Before anything is saved of a run that is trained again: what is of no use goes. */
  async #forgetSpoilt(records: readonly RunRecord[]): Promise<void> {
    for (const { id } of records) {
      if (!this.#spoilt.delete(runKey(id))) continue;
      await this.removeStates(id);
      await this.#remove(finishedName(id));
    }
  }

  /** Writes finished runs and removes their states. */
  async saveFinished(records: readonly RunRecord[]): Promise<void> {
    await this.#forgetSpoilt(records);
    await writeFilesWhole(records.map((record) => [
      join(this.#path, finishedName(record.id)),
      () => encodeRunRecord(record),
    ]));
    for (const record of records) {
      this.#warned.delete(finishedName(record.id));
      this.#finished.set(runKey(record.id), factsOf(record));
      await this.removeStates(record.id);
    }
  }

  /** Writes the states of runs after the same epoch, and removes all but those before them. */
  async saveStates(records: readonly RunState[]): Promise<void> {
    await this.#forgetSpoilt(records);
    const sound = this.#states.values().toArray().flat()
      .filter(({ isSound }) => isSound !== false);
    const taken = new Set(sound.map(({ name }) => name));
    const files = Map.groupBy(
      records,
      (_, i) => Math.floor(i * stateBytes(records[0]!) / STATES_BYTES),
    ).values().toArray().map((own) => {
      // A file of that name may hold runs of other processes, too.
      const names = own.map(({ id, state }) => statesName(id, state.epoch));
      return { own, name: names.find((name) => !taken.has(name)) ?? names[0]! };
    });
    await writeFilesWhole(files.map(({ own, name }) => [
      join(this.#path, name),
      () => encodeRunStates(own),
    ]));
    for (const { own, name } of files) {
      this.#warned.delete(name);
      const { epoch } = own[0]!.state;
      const ids = own.map(({ id }) => id);
      // A damaged one of that name has been replaced.
      for (const [key, list] of this.#states) {
        this.#states.set(key, list.filter((file) => file.name !== name));
      }
      this.#add({ name, epoch }, ids);
      for (const id of ids) {
        // States after this one are damaged or given up, and of less use than those before: they go first.
        const [newest, ...others] = this.#states.get(runKey(id))!;
        const before = others.filter((file) => file.epoch < epoch);
        const after = others.filter((file) => file.epoch >= epoch);
        this.#states.set(runKey(id), [newest!, ...before, ...after]);
        await this.removeStates(id, KEPT_STATES);
      }
    }
  }

  /** Gives up the states of a run but for so many; files that no run needs go. */
  async removeStates(id: RunId, keep = 0): Promise<void> {
    const key = runKey(id);
    const files = this.#states.get(key) ?? [];
    this.#states.set(key, files.slice(0, keep));
    for (const { name, needed } of files.slice(keep)) {
      needed.delete(key);
      if (needed.size === 0) await this.#remove(name);
    }
  }

  /** Removes all states: of a finished experiment nobody needs any, whoever wrote them. */
  async removeAllStates(): Promise<void> {
    for (const { name } of await listFolder(this.#path) ?? []) {
      if (parseStatesName(name) !== undefined) await this.#remove(name);
    }
    this.#states.clear();
  }

  async #remove(name: string): Promise<void> {
    await Deno.remove(join(this.#path, name)).catch(() => {
      // Gone already, or it can't be removed: it does no harm beside a newer one.
    });
  }
}

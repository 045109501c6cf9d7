/**
 * `experiment.json`, which a results folder holds beyond the original
 * program's files: all that is needed to repeat the experiment. It holds no
 * time or place, so that the same experiment gives the same file to the byte.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { parseJson } from "../files/json.ts";
import { cannotRead, type Fail, InputError } from "../files/input_error.ts";
import { join } from "../files/path.ts";
import { readTextFile } from "../files/read.ts";
import type { ModelSize } from "../rnn/parameters.ts";
import { armsHint, EXPERIMENT_FILE, type RunId } from "./layout.ts";

/**
 * Raised by hand with each change of the program that changes a number of a
 * training: a kernel, the order of draws, the precision of a sum. Runs of
 * different numbers are not those of one program.
 */
export const NUMERICS = 4;

/** Version of the layout of results folders. */
const FORMAT = "biornn-results/1";

/** What a user can do about a damaged file of a finished training. */
export const MENDED =
  "deno task train with the same config and --resume writes it again";

/** The error of a damaged file, with what can be done about it. */
export function withMending(error: unknown): unknown {
  if (!(error instanceof InputError)) return error;
  const { message, cause } = error;
  return new InputError(`${message}; ${MENDED}`, { cause });
}

/** How an experiment is shared out. */
export interface Parts {
  readonly count: number;
  /** Number of the first task of an array of jobs, and the step to the next one. */
  readonly first: number;
  readonly step: number;
}

/** The models that the runs began with. */
export interface PretrainedRecord {
  /** Name of the results folder. */
  readonly folder: string;
  /** Epoch, from 0, after which they were stored. */
  readonly epoch: number;
  /** Iteration that they are of. */
  readonly iteration: number;
  /** SHA-256 over those of all their files. */
  readonly sha256: string;
}

/** A plain value, as a grid or a task's parameter has it. */
export type Plain = number | string | boolean;

/** What `experiment.json` holds; what is optional was not said by some versions, or does not apply. */
export interface ExperimentRecord {
  /** Version of the layout of results folders. */
  readonly format: "biornn-results/1";
  /** What trained it: its {@linkcode NUMERICS}, 1 in files of versions that did not say it, and the version of Deno. */
  readonly program: {
    readonly name: string;
    readonly version: string;
    readonly numerics: number;
    readonly deno: string;
  };
  /** Programs that trained the runs, e.g. "biornn 0.1.0, numerics 2"; several where it was changed between two of them. */
  readonly trainedBy: readonly string[];
  /**
   * Into how many parts the training was shared out; only while runs are missing.
   *
   * @internal
   */
  readonly parts?: Parts;
  /** The same for experiments that must give the same numbers. */
  readonly fingerprint: string;
  /** The config file: its name, its whole text, and the config that counts, with `overrides` and defaults. */
  readonly config: {
    readonly file: string;
    readonly text: string;
    readonly effective?: string;
  };
  /** What the command line said otherwise than the config, by flag. */
  readonly overrides: Readonly<Record<string, Plain>>;
  /** What was trained on; parameters are those not in the grid, `nr_of_trials` and `train_size` included. */
  readonly task: {
    readonly name: string;
    readonly loss: "mse" | "nll";
    readonly parameters: Readonly<Record<string, Plain>>;
  };
  /** Lists of hyper-parameters: one a combination, its values in the order of `keys`. */
  readonly grid: {
    readonly keys: readonly string[];
    readonly combinations: readonly (readonly Plain[])[];
  };
  /** Epochs of every run. */
  readonly epochs: number;
  /** Runs of each combination. */
  readonly iterations: number;
  /** Trials of a batch. */
  readonly batchSize: number;
  /** What all random numbers follow from. */
  readonly seed: number;
  /** Epochs between two stored models; 0: the last epoch only. */
  readonly storeEveryEpoch: number;
  /** `[net] compatibility`. */
  readonly compatibility: "described" | "original";
  /** `init`: how weights begin. */
  readonly init: string;
  /** `freeze_layer`: W_hh was not trained. */
  readonly freezeLayer: boolean;
  /** `remap_w`: the initial W_hh has the rank order of the connectome's. */
  readonly remapW: boolean;
  /** `random_w`: every run has a random topology of its own. */
  readonly randomW: boolean;
  /** `[net] null_model`. */
  readonly nullModel?: string;
  /**
   * `null_samples`: iteration i of every combination trained network i mod nullSamples of the
   * null model; undefined where each run had one of its own.
   */
  readonly nullSamples?: number;
  /** `[net] match`: what of the start was made equal to the biological network's. */
  readonly match?: string;
  /** `shared_init`: all networks of as many connections began with the same weights. */
  readonly sharedInit?: boolean;
  /** `fresh_network`: every iteration had a network of its own. */
  readonly freshNetwork?: boolean;
  /** Weights between regions split at random. */
  readonly randPartition?: boolean;
  /** What rows and columns of the files' matrices are. */
  readonly orientation?: {
    readonly network: string;
    readonly weight_hh: string;
  };
  /** Share of a connected region's neurons that each neuron connects to. */
  readonly targetSparsity: number;
  /** The same within a region. */
  readonly targetSparsityIntrinsic: number;
  /** Numbers of the regions whose neurons got the input, rising; undefined: all. */
  readonly inputRegions?: readonly number[];
  /** Those whose neurons the read-out saw. */
  readonly outputRegions?: readonly number[];
  /** What the network was made of. */
  readonly connectome: {
    readonly name: string;
    readonly species: string;
    /** N */
    readonly regions: number;
    /** Neurons of each region. */
    readonly neurons: number;
    readonly sha256: string;
    readonly source: string;
    readonly synthetic: boolean;
    readonly citations: readonly string[];
    readonly regionNames: readonly string[];
    /** A character a region: + where it excites, - where it inhibits, 0 where that is not known; undefined where nothing said it. */
    readonly signs?: string;
  };
  /** Pictures or latent vectors that the task showed, what a reader of the results should know of them, and SHA-256 of values and labels. */
  readonly stimuli?: {
    readonly source: string;
    readonly synthetic: boolean;
    readonly note?: string;
    readonly sha256?: string;
  };
  /** The models that the runs began with. */
  readonly pretrained?: PretrainedRecord;
  /** What computed it. */
  readonly engine: { readonly kind: string; readonly description: string };
  /** Size of the models. */
  readonly size: ModelSize;
  /** Runs whose loss was NaN or infinite, and from which epoch on. */
  readonly failures: readonly RecordedFailure[];
  /** What the networks did before and after training, means over the runs; in `measures.csv` run by run. */
  readonly networkStates?: NetworkStates;
}

/** What a network does, or what networks do on average. */
export interface NetworkState {
  /** The largest absolute value of an eigenvalue of W_hh. */
  readonly spectralRadius: number;
  /** The relative error that it may have, the largest of several; undefined in files that are older than it. */
  readonly spectralRadiusError?: number;
  /** Mean |h| over neurons and time steps of the first training trials. */
  readonly activity: number;
}

/** The same before the first epoch and after the last one. */
export interface NetworkStates {
  /** Before the first epoch. */
  readonly initial: NetworkState;
  /** After the last one. */
  readonly trained: NetworkState;
}

/** Where and how a run went wrong. */
export interface RunFailure {
  /** The first epoch, from 0, that is known to be wrong. */
  readonly epoch: number;
  /** E.g. "training loss became NaN". */
  readonly what: string;
}

/** A run that went wrong. */
export interface RecordedFailure extends RunId, RunFailure {}

/** How the text ends without its checksum. */
const END = "\n}";
const CHECKSUM = /,\n {2}"checksum": "([0-9a-f]{64})"\n\}\n$/;

const textSum = (text: string) =>
  createHash("sha256").update(text).digest("hex");

/** The text of `experiment.json`. */
export function encodeExperimentRecord(record: ExperimentRecord): string {
  const text = JSON.stringify(record, null, 2);
  const sum = `,\n  "checksum": "${textSum(text)}"`;
  return `${text.slice(0, -END.length)}${sum}${END}\n`;
}

/** Throws that a member is not what it should be. */
type Refuse = (path: string, wanted: string, found: unknown) => never;
/** Gives a value back, without what this version does not know; refuses it where it is not what it should be. */
type Reader = (value: unknown, path: string, refuse: Refuse) => unknown;

const rule =
  (wanted: string, fits: (value: unknown) => boolean): Reader =>
  (value, path, refuse) => fits(value) ? value : refuse(path, wanted, value);
const optional = (read: Reader, fallback?: unknown): Reader => (value, ...at) =>
  value === undefined ? fallback : read(value, ...at);
const list = (read: Reader): Reader => (value, path, refuse) =>
  Array.isArray(value)
    ? value.map((one, i) => read(one, `${path}[${i}]`, refuse))
    : refuse(path, "a list", value);
const object =
  (members: Readonly<Record<string, Reader>>): Reader =>
  (value, path, refuse) => {
    if (!isObject(value)) return refuse(path, "an object", value);
    const above = path === "" ? "" : `${path}.`;
    // In the order in which they stand there: it is that of messages, and of the file when it is written again.
    const there = Object.keys(value).filter((n) => Object.hasOwn(members, n));
    const names = new Set([...there, ...Object.keys(members)]);
    const found = Array.from(names, (name) => {
      const own = Object.hasOwn(value, name) ? value[name] : undefined;
      return [name, members[name]!(own, `${above}${name}`, refuse)] as const;
    });
    return Object.fromEntries(found.filter(([, own]) => own !== undefined));
  };

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
const isPlain = (value: unknown): value is Plain =>
  ["number", "string", "boolean"].includes(typeof value);
const isStrings = (value: unknown): value is string[] =>
  Array.isArray(value) && value.every((one) => typeof one === "string");

const string = rule("a string", (value) => typeof value === "string");
const boolean = rule("true or false", (value) => typeof value === "boolean");
const strings = rule("a list of strings", isStrings);
const plain = rule(
  "an object of numbers, strings and booleans",
  (value) => isObject(value) && Object.values(value).every(isPlain),
);
const choice = (...names: readonly string[]) =>
  rule(
    names.map((name) => `"${name}"`).join(" or "),
    (value) => names.includes(value as string),
  );
const MOST = Number.MAX_SAFE_INTEGER;
const integer = (from: number) =>
  rule(
    `an integer from ${from} to ${MOST}`,
    (value) => Number.isSafeInteger(value) && Number(value) >= from,
  );
const number = (above: number, to: number) =>
  rule(
    `a number above ${above} and at most ${to}`,
    (value) => typeof value === "number" && value > above && value <= to,
  );

const count = integer(0);
const size = integer(1);
const share = number(0, 1);
const measured = number(-1, Number.MAX_VALUE);
const indices = rule("a list", Array.isArray);

/** Members that the same rule holds for. */
const all = <N extends string>(read: Reader, ...names: readonly N[]) =>
  Object.fromEntries(names.map((name) => [name, read])) as Record<N, Reader>;

const state = object({
  ...all(measured, "spectralRadius", "activity"),
  spectralRadiusError: optional(measured),
});

/** The members of `experiment.json`. */
const MEMBERS: Readonly<Record<keyof ExperimentRecord, Reader>> = {
  ...all(string, "format", "fingerprint", "init"),
  ...all(optional(string), "nullModel", "match"),
  ...all(boolean, "freezeLayer", "remapW", "randomW"),
  ...all(optional(boolean), "sharedInit", "freshNetwork", "randPartition"),
  ...all(size, "epochs", "iterations", "batchSize"),
  ...all(count, "seed", "storeEveryEpoch"),
  ...all(optional(indices), "inputRegions", "outputRegions"),
  nullSamples: optional(size),
  targetSparsity: optional(share, 0.8),
  targetSparsityIntrinsic: optional(share, 1),
  compatibility: choice("described", "original"),
  program: object({
    ...all(string, "name", "version", "deno"),
    numerics: optional(count, 1),
  }),
  trainedBy: optional(strings, []),
  parts: optional(object({ ...all(size, "count", "step"), first: count })),
  config: object({
    ...all(string, "file", "text"),
    effective: optional(string),
  }),
  overrides: plain,
  task: object({ name: string, loss: choice("mse", "nll"), parameters: plain }),
  grid: object({
    keys: rule(
      "different names",
      (keys) => isStrings(keys) && new Set(keys).size === keys.length,
    ),
    combinations: rule("a list of lists", Array.isArray),
  }),
  orientation: optional(object(all(string, "network", "weight_hh"))),
  connectome: object({
    ...all(string, "name", "species", "sha256", "source"),
    ...all(size, "regions", "neurons"),
    ...all(strings, "citations", "regionNames"),
    synthetic: boolean,
    signs: optional(string),
  }),
  stimuli: optional(object({
    source: string,
    synthetic: boolean,
    ...all(optional(string), "note", "sha256"),
  })),
  pretrained: optional(object({
    ...all(string, "folder", "sha256"),
    ...all(count, "epoch", "iteration"),
  })),
  engine: object(all(string, "kind", "description")),
  size: object(all(size, "hiddenSize", "inputSize", "outputSize")),
  failures: list(object({
    ...all(count, "combination", "iteration", "epoch"),
    what: string,
  })),
  networkStates: optional(object(all(state, "initial", "trained"))),
};

/** A value in words, cut to a length that fits a message. */
function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "nothing";
  return text.length > 40 ? `${text.slice(0, 40)}…` : text;
}

/**
 * Reads the text of `experiment.json`. Members that this version does not know
 * are passed over.
 *
 * @param options `name` of the file, for messages.
 * @throws {InputError} If it is no JSON, of another format, or a member is missing or not what it should be.
 */
export function parseExperimentRecord(
  text: string,
  { name }: { readonly name: string },
): ExperimentRecord {
  const fail: Fail = cannotRead(name);
  const refuse: Refuse = (path, wanted, found) =>
    fail(`${path} must be ${wanted}, found ${show(found)}`);
  let root: unknown;
  try {
    root = parseJson(text);
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    fail(`it ${error.message}`, { cause: error });
  }
  if (!isObject(root)) {
    return fail(`it must hold a JSON object, found ${show(root)}`);
  }
  const sum = CHECKSUM.exec(text);
  if (sum !== null && textSum(text.slice(0, sum.index) + END) !== sum[1]) {
    fail("it does not fit its checksum, so it was damaged or changed");
  }
  const { format } = root;
  if (typeof format === "string" && format !== FORMAT) {
    fail(
      `its format is "${format.slice(0, 40)}"; this version reads "${FORMAT}"`,
    );
  }
  const record = object(MEMBERS)(root, "", refuse) as ExperimentRecord;
  // What depends on another member.
  const { grid: { keys, combinations }, connectome: { regions } } = record;
  const isRow = (row: unknown) =>
    Array.isArray(row) && row.length === keys.length && row.every(isPlain);
  if (!combinations.every(isRow)) {
    const wanted = `a list of lists of ${keys.length} plain values`;
    refuse("grid.combinations", wanted, combinations);
  }
  for (const key of ["inputRegions", "outputRegions"] as const) {
    const isIndex = (one: unknown) =>
      Number.isInteger(one) && Number(one) >= 0 && Number(one) < regions;
    if (record[key]?.every(isIndex) === false) {
      const wanted = `a list of integers from 0 to ${regions - 1}`;
      refuse(key, wanted, record[key]);
    }
  }
  return record;
}

/**
 * Reads `experiment.json` of a results folder.
 *
 * @throws {InputError} If there is none or it is damaged.
 */
export async function readExperimentRecord(
  path: string,
): Promise<ExperimentRecord> {
  const name = join(path, EXPERIMENT_FILE);
  const text = await readTextFile(name, { what: "the experiment" })
    .catch(async (error) => {
      const hint = await armsHint(path);
      if (!(error instanceof InputError) || hint === "") throw error;
      throw new InputError(
        `Cannot read the experiment in "${path}": it is no results folder${hint}`,
        { cause: error.cause },
      );
    });
  try {
    return parseExperimentRecord(text, { name });
  } catch (error) {
    throw withMending(error);
  }
}

/** Says nothing of what the numbers depend on, or all of it at once. */
const NO_DIFFERENCE = new Set(
  "format program trainedBy parts fingerprint config overrides storeEveryEpoch engine failures networkStates"
    .split(" "),
);
/** How many differences a message names. */
const NAMED = 3;

/** In what two experiments differ, for messages: "seed is 0 there and 1 here". */
export function differencesOf(
  there: ExperimentRecord,
  here: ExperimentRecord,
): string[] {
  const found: string[] = [];
  const compare = (a: unknown, b: unknown, path: string): void => {
    if (JSON.stringify(a) === JSON.stringify(b)) return;
    if (isObject(a) && isObject(b)) {
      for (const key of new Set([...Object.keys(a), ...Object.keys(b)])) {
        if (path === "" && NO_DIFFERENCE.has(key)) continue;
        compare(a[key], b[key], path === "" ? key : `${path}.${key}`);
      }
    } else found.push(`${path} is ${show(a)} there and ${show(b)} here`);
  };
  compare(there, here, "");
  return found.length <= NAMED
    ? found
    : [...found.slice(0, NAMED), `and ${found.length - NAMED} more`];
}

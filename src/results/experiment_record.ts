/**
 * `experiment.json`, which a results folder holds beyond the original
 * program's files: all that is needed to repeat the experiment. It holds no
 * time or place, so that the same experiment gives the same file to the byte.
 *
 * @module
 */

import { createHash } from "node:crypto";
import { InputError } from "../files/input_error.ts";
import { join } from "../files/path.ts";
import { readTextFile } from "../files/read.ts";
import { type JsonFields, parseJsonObject, type Plain } from "./json_fields.ts";
import { EXPERIMENT_FILE } from "./layout.ts";

export type { Plain };

/**
 * Raised by hand with each change of the program that changes a number of a
 * training: a kernel, the order of draws, the precision of a sum. Runs of
 * different numbers are not those of one program.
 */
export const NUMERICS = 3;

/** Version of the layout of results folders. */
const FORMAT = "biornn-results/1";

/** What a user can do about a damaged file of a finished training. */
export const MENDED =
  "deno task train with the same config and --resume writes it again";

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

/** What `experiment.json` holds. */
export interface ExperimentRecord {
  /** Version of the layout of results folders. */
  readonly format: "biornn-results/1";
  /** What trained it. */
  readonly program: {
    readonly name: string;
    readonly version: string;
    /** {@linkcode NUMERICS}; 1 in files of versions that did not say it. */
    readonly numerics: number;
    /** Version of Deno. */
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
  /** The config file: its name and its whole text. */
  readonly config: {
    readonly file: string;
    readonly text: string;
    /** The config that counts, with `overrides` and defaults; undefined in files of versions that did not write it. */
    readonly effective?: string;
  };
  /** What the command line said otherwise than the config, by flag. */
  readonly overrides: Readonly<Record<string, Plain>>;
  /** What was trained on. */
  readonly task: {
    readonly name: string;
    readonly loss: "mse" | "nll";
    /** Those not in the grid, `nr_of_trials` and `train_size` included. */
    readonly parameters: Readonly<Record<string, Plain>>;
  };
  /** Lists of hyper-parameters. */
  readonly grid: {
    readonly keys: readonly string[];
    /** A list a combination, its values in the order of `keys`. */
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
  /** `[net] null_model`; undefined in files of versions that did not say it. */
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
  /** Weights between regions split at random; undefined in files of versions that did not say it. */
  readonly randPartition?: boolean;
  /** What rows and columns of the files' matrices are; undefined in files of versions that did not say it. */
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
  };
  /** Pictures or latent vectors that the task showed. */
  readonly stimuli?: {
    readonly source: string;
    readonly synthetic: boolean;
    /** What a reader of the results should know of them, where that is something. */
    readonly note?: string;
    /** SHA-256 of values and labels; undefined in files of versions that did not say it. */
    readonly sha256?: string;
  };
  /** The models that the runs began with. */
  readonly pretrained?: PretrainedRecord;
  /** What computed it. */
  readonly engine: { readonly kind: string; readonly description: string };
  /** Size of the models. */
  readonly size: {
    /** H */
    readonly hiddenSize: number;
    /** I */
    readonly inputSize: number;
    /** O */
    readonly outputSize: number;
  };
  /** Runs whose loss was NaN or infinite, and from which epoch on. */
  readonly failures: readonly RecordedFailure[];
  /** What the networks did before and after training, means over the runs; in `measures.csv` run by run. */
  readonly networkStates?: {
    readonly initial: RecordedState;
    readonly trained: RecordedState;
  };
}

/** What networks do, on average. */
export interface RecordedState {
  /** The largest absolute value of an eigenvalue of W_hh. */
  readonly spectralRadius: number;
  /** The largest relative error that one of the runs' may have. */
  readonly spectralRadiusError?: number;
  /** Mean |h| over neurons and time steps. */
  readonly activity: number;
}

/** A run that went wrong. */
export interface RecordedFailure {
  /** Number of the combination, from 0. */
  readonly combination: number;
  /** Number of the iteration, from 0. */
  readonly iteration: number;
  /** The first epoch, from 0, whose loss is no number. */
  readonly epoch: number;
  /** E.g. "training loss became NaN". */
  readonly what: string;
}

/**
 * The text of `experiment.json`.
 *
 * @example
 * ```ts no-eval
 * import { encodeExperimentRecord, parseExperimentRecord } from "./src/results/experiment_record.ts";
 *
 * const name = "results/experiment.json";
 * const record = parseExperimentRecord(Deno.readTextFileSync(name), { name });
 * encodeExperimentRecord(record); // the same text
 * ```
 */
export function encodeExperimentRecord(record: ExperimentRecord): string {
  const text = JSON.stringify(record, null, 2);
  return `${text.slice(0, -END.length)},\n  "checksum": "${
    textSum(text)
  }"${END}\n`;
}

/** How the text ends without its checksum. */
const END = "\n}";
const CHECKSUM = /,\n {2}"checksum": "([0-9a-f]{64})"\n\}\n$/;

function textSum(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

/** Throws where the text ends in a checksum that it does not fit. */
function refuseChanged(text: string, name: string): void {
  const found = CHECKSUM.exec(text);
  if (found === null) return;
  if (textSum(text.slice(0, found.index) + END) === found[1]) return;
  throw new InputError(
    `Cannot read "${name}": it does not fit its checksum, so it was damaged or changed`,
  );
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
  const root = parseJsonObject(text, name);
  refuseChanged(text, name);
  const format = root.string("format");
  if (format !== FORMAT) {
    throw new InputError(
      `Cannot read "${name}": its format is "${
        format.slice(0, 40)
      }"; this version reads "${FORMAT}"`,
    );
  }
  const program = root.object("program");
  const orientation = root.optional("orientation");
  const parts = root.optional("parts");
  const pretrained = root.optional("pretrained");
  const config = root.object("config");
  const task = root.object("task");
  const grid = root.object("grid");
  const connectome = root.object("connectome");
  const stimuli = root.optional("stimuli");
  const engine = root.object("engine");
  const size = root.object("size");
  const regions = connectome.integer("regions", { from: 1 });
  const states = root.optional("networkStates");
  const keys = grid.strings("keys");
  if (new Set(keys).size < keys.length) grid.fail("keys", "different names");
  return {
    format,
    program: {
      name: program.string("name"),
      version: program.string("version"),
      numerics: program.has("numerics") ? program.integer("numerics") : 1,
      deno: program.string("deno"),
    },
    trainedBy: root.has("trainedBy") ? root.strings("trainedBy") : [],
    ...(parts === undefined ? {} : {
      parts: {
        count: parts.integer("count", { from: 1 }),
        first: parts.integer("first"),
        step: parts.integer("step", { from: 1 }),
      },
    }),
    fingerprint: root.string("fingerprint"),
    config: {
      file: config.string("file"),
      text: config.string("text"),
      ...(config.has("effective")
        ? { effective: config.string("effective") }
        : {}),
    },
    overrides: root.plain("overrides"),
    task: {
      name: task.string("name"),
      loss: task.choice("loss", ["mse", "nll"]),
      parameters: task.plain("parameters"),
    },
    grid: { keys, combinations: grid.table("combinations", keys.length) },
    epochs: root.integer("epochs", { from: 1 }),
    iterations: root.integer("iterations", { from: 1 }),
    batchSize: root.integer("batchSize", { from: 1 }),
    seed: root.integer("seed"),
    storeEveryEpoch: root.integer("storeEveryEpoch"),
    compatibility: root.choice("compatibility", ["described", "original"]),
    init: root.string("init"),
    freezeLayer: root.boolean("freezeLayer"),
    remapW: root.boolean("remapW"),
    randomW: root.boolean("randomW"),
    ...(root.has("nullModel") ? { nullModel: root.string("nullModel") } : {}),
    ...(root.has("match") ? { match: root.string("match") } : {}),
    ...(root.has("sharedInit")
      ? { sharedInit: root.boolean("sharedInit") }
      : {}),
    ...(root.has("nullSamples")
      ? { nullSamples: root.integer("nullSamples", { from: 1 }) }
      : {}),
    ...(root.has("freshNetwork")
      ? { freshNetwork: root.boolean("freshNetwork") }
      : {}),
    ...(root.has("randPartition")
      ? { randPartition: root.boolean("randPartition") }
      : {}),
    ...sparsitiesOf(root),
    ...(root.has("inputRegions")
      ? { inputRegions: root.integers("inputRegions", { below: regions }) }
      : {}),
    ...(root.has("outputRegions")
      ? { outputRegions: root.integers("outputRegions", { below: regions }) }
      : {}),
    ...(orientation === undefined ? {} : {
      orientation: {
        network: orientation.string("network"),
        weight_hh: orientation.string("weight_hh"),
      },
    }),
    connectome: {
      name: connectome.string("name"),
      species: connectome.string("species"),
      regions,
      neurons: connectome.integer("neurons", { from: 1 }),
      sha256: connectome.string("sha256"),
      source: connectome.string("source"),
      synthetic: connectome.boolean("synthetic"),
      citations: connectome.strings("citations"),
      regionNames: connectome.strings("regionNames"),
    },
    ...(stimuli === undefined ? {} : {
      stimuli: {
        source: stimuli.string("source"),
        synthetic: stimuli.boolean("synthetic"),
        ...(stimuli.has("note") ? { note: stimuli.string("note") } : {}),
        ...(stimuli.has("sha256") ? { sha256: stimuli.string("sha256") } : {}),
      },
    }),
    ...(pretrained === undefined ? {} : {
      pretrained: {
        folder: pretrained.string("folder"),
        epoch: pretrained.integer("epoch"),
        iteration: pretrained.integer("iteration"),
        sha256: pretrained.string("sha256"),
      },
    }),
    engine: {
      kind: engine.string("kind"),
      description: engine.string("description"),
    },
    size: {
      hiddenSize: size.integer("hiddenSize", { from: 1 }),
      inputSize: size.integer("inputSize", { from: 1 }),
      outputSize: size.integer("outputSize", { from: 1 }),
    },
    failures: root.objects("failures").map((failure) => ({
      combination: failure.integer("combination"),
      iteration: failure.integer("iteration"),
      epoch: failure.integer("epoch"),
      what: failure.string("what"),
    })),
    ...(states === undefined ? {} : {
      networkStates: {
        initial: stateOf(states.object("initial")),
        trained: stateOf(states.object("trained")),
      },
    }),
  };
}

function stateOf(state: JsonFields): RecordedState {
  const range = { above: -1, to: Number.MAX_VALUE };
  return {
    spectralRadius: state.number("spectralRadius", range),
    ...(state.has("spectralRadiusError")
      ? { spectralRadiusError: state.number("spectralRadiusError", range) }
      : {}),
    activity: state.number("activity", range),
  };
}

/** Files of the versions that had one value for each do not say which. */
function sparsitiesOf(
  root: JsonFields,
): Pick<ExperimentRecord, "targetSparsity" | "targetSparsityIntrinsic"> {
  const share = (key: string, earlier: number) =>
    root.has(key) ? root.number(key, { above: 0, to: 1 }) : earlier;
  return {
    targetSparsity: share("targetSparsity", 0.8),
    targetSparsityIntrinsic: share("targetSparsityIntrinsic", 1),
  };
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
  const text = await readTextFile(name, { what: "the experiment" });
  try {
    return parseExperimentRecord(text, { name });
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    throw new InputError(`${error.message}; ${MENDED}`, { cause: error.cause });
  }
}

/** Says nothing of what the numbers depend on, or all of it at once. */
const NO_DIFFERENCE = new Set([
  "format",
  "program",
  "trainedBy",
  "parts",
  "fingerprint",
  "config",
  "overrides",
  "storeEveryEpoch",
  "engine",
  "failures",
]);
/** How many differences a message names. */
const NAMED = 3;

/** In what two experiments differ, for messages: "seed is 0 there and 1 here". */
export function differencesOf(
  there: ExperimentRecord,
  here: ExperimentRecord,
): string[] {
  const found: string[] = [];
  const show = (value: unknown) => {
    const text = JSON.stringify(value) ?? "nothing";
    return text.length > 40 ? `${text.slice(0, 40)}…` : text;
  };
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

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

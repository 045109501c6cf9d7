/**
 * `experiment.json`, which a results folder holds beyond the original
 * program's files: all that is needed to repeat the experiment. It holds no
 * time or place, so that the same experiment gives the same file to the byte.
 *
 * @module
 */

import { InputError } from "../files/input_error.ts";
import { type JsonFields, parseJsonObject, type Plain } from "./json_fields.ts";

export type { Plain };

/** Name of the file in the results folder. */
export const EXPERIMENT_FILE = "experiment.json";

/** Version of the layout of results folders. */
const FORMAT = "biornn-results/1";

/** What `experiment.json` holds. */
export interface ExperimentRecord {
  readonly format: "biornn-results/1";
  readonly program: {
    readonly name: string;
    readonly version: string;
    /** Version of Deno. */
    readonly deno: string;
  };
  /** The same for experiments that must give the same numbers. */
  readonly fingerprint: string;
  readonly config: { readonly file: string; readonly text: string };
  /** What the command line said otherwise than the config, by flag. */
  readonly overrides: Readonly<Record<string, Plain>>;
  readonly task: {
    readonly name: string;
    readonly loss: "mse" | "nll";
    /** Those not in the grid, `nr_of_trials` and `train_size` included. */
    readonly parameters: Readonly<Record<string, Plain>>;
  };
  readonly grid: {
    readonly keys: readonly string[];
    /** A list a combination, its values in the order of `keys`. */
    readonly combinations: readonly (readonly Plain[])[];
  };
  readonly epochs: number;
  readonly iterations: number;
  readonly batchSize: number;
  readonly seed: number;
  /** Epochs between two stored models; 0: the last epoch only. */
  readonly storeEveryEpoch: number;
  readonly compatibility: "described" | "original";
  readonly init: string;
  readonly freezeLayer: boolean;
  readonly remapW: boolean;
  readonly randomW: boolean;
  /** Weights between regions split at random; undefined in files of versions that did not say it. */
  readonly randPartition?: boolean;
  /** Share of a connected region's neurons that each neuron connects to. */
  readonly targetSparsity: number;
  /** The same within a region. */
  readonly targetSparsityIntrinsic: number;
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
    /** Of the pictures themselves; undefined in files of versions that did not record it. */
    readonly sha256?: string;
  };
  readonly engine: { readonly kind: string; readonly description: string };
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
}

/** A run that went wrong. */
export interface RecordedFailure {
  readonly combination: number;
  readonly iteration: number;
  readonly epoch: number;
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
  return `${JSON.stringify(record, null, 2)}\n`;
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
  const format = root.string("format");
  if (format !== FORMAT) {
    throw new InputError(
      `Cannot read "${name}": its format is "${
        format.slice(0, 40)
      }"; this version reads "${FORMAT}"`,
    );
  }
  const program = root.object("program");
  const config = root.object("config");
  const task = root.object("task");
  const grid = root.object("grid");
  const connectome = root.object("connectome");
  const stimuli = root.optional("stimuli");
  const engine = root.object("engine");
  const size = root.object("size");
  const keys = grid.strings("keys");
  if (new Set(keys).size < keys.length) grid.fail("keys", "different names");
  return {
    format,
    program: {
      name: program.string("name"),
      version: program.string("version"),
      deno: program.string("deno"),
    },
    fingerprint: root.string("fingerprint"),
    config: { file: config.string("file"), text: config.string("text") },
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
    ...(root.has("randPartition")
      ? { randPartition: root.boolean("randPartition") }
      : {}),
    ...sparsitiesOf(root),
    connectome: {
      name: connectome.string("name"),
      species: connectome.string("species"),
      regions: connectome.integer("regions", { from: 1 }),
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
        ...(stimuli.has("sha256") ? { sha256: stimuli.string("sha256") } : {}),
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

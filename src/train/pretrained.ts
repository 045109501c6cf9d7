/**
 * The models that an experiment begins with (`pretrained` in the config): a
 * network that has learnt one task goes on with another.
 *
 * @module
 */

import { basename, join } from "node:path";
import type { Connectome } from "../connectome/connectome.ts";
import type { Experiment } from "../experiment/experiment.ts";
import { sha256Hex } from "../files/bytes.ts";
import { InputError } from "../files/input_error.ts";
import { listFolder, readFileBytes } from "../files/read.ts";
import { type Connections, countConnections } from "../graph/connections.ts";
import { createStream, type RandomStream } from "../random/stream.ts";
import type { PretrainedRecord } from "../results/experiment_record.ts";
import {
  isCombinationFolder,
  modelName,
  parseModelName,
  type RunId,
} from "../results/layout.ts";
import { decodeCheckpoint } from "../rnn/checkpoint.ts";
import { drawReadout } from "../rnn/initialise.ts";
import {
  closePorts,
  type ModelSize,
  PARAMETER_NAMES,
  type Parameters,
  type Ports,
} from "../rnn/parameters.ts";

/** What is known of the pretrained models of all combinations. */
export interface PretrainedModels {
  readonly count: number;
  /** File of the first combination's. */
  readonly firstFile: string;
  /** Whether the new task takes a fresh read-out. */
  readonly freshReadout: boolean;
  /** The connections of the one that has most. */
  readonly sample: Connections;
  /** For `experiment.json`. */
  readonly record: PretrainedRecord;
  /** The model that a run begins with. */
  readonly modelOf: (id: RunId) => Promise<PretrainedModel>;
}

/**
 * Loads each combination's model once, so that one that is missing, does not
 * fit or is of another network is told before the training begins.
 *
 * @throws {InputError} If there is one that can't be used.
 */
export async function checkPretrained(
  experiment: Experiment,
  { size, ports, connectome }: {
    readonly size: ModelSize;
    readonly ports: Ports | undefined;
    readonly connectome: Connectome;
  },
): Promise<PretrainedModels | undefined> {
  const { grid, run, paths, pretrained } = experiment;
  const folder = paths.pretrained;
  if (folder === undefined) return undefined;
  await refuseOwnFolder(folder, paths.results);
  const modelOf = (id: RunId) =>
    loadPretrained(folder, {
      ...pretrained,
      combination: id.combination,
      size,
      ports,
      stream: createStream({ seed: run.seed, purpose: "readout", ...id }),
    });
  let largest: Connections | undefined;
  const models = await Array.fromAsync(grid.combinations, async ({ index }) => {
    // Its read-out, where that is a fresh one, is of no interest here.
    const model = await modelOf({ combination: index, iteration: 0 });
    refuseOtherNetwork(model, experiment, connectome);
    const { connections, file, freshReadout, sha256 } = model;
    if (
      largest === undefined ||
      countConnections(connections) > countConnections(largest)
    ) largest = connections;
    return { file, freshReadout, sha256 };
  });
  const [{ file, freshReadout }] = models as [typeof models[number]];
  const sums = models.map(({ sha256 }) => sha256).join("\n");
  return {
    freshReadout,
    modelOf,
    count: models.length,
    firstFile: file,
    sample: largest!,
    record: {
      folder: basename(folder),
      ...pretrained,
      sha256: await sha256Hex(new TextEncoder().encode(sums)),
    },
  };
}

/** Results may replace files of their names: never those that the training begins with. */
async function refuseOwnFolder(
  pretrained: string,
  results: string,
): Promise<void> {
  const from = await placeOf(pretrained);
  if (from === undefined) return;
  const models = await foldersIn(pretrained, () => true);
  const links = await foldersIn(results, ({ isSymlink }) => isSymlink);
  if (
    from !== await placeOf(results) &&
    !links.some((place) => place !== undefined && models.includes(place))
  ) return;
  throw new InputError(
    `Cannot begin with the models in "${pretrained}": they lie in the results folder of this training, "${results}", which would replace them; choose another folder with --path_to_results`,
  );
}

/** The places of some of the combinations' folders in a folder. */
async function foldersIn(
  folder: string,
  counts: (entry: Deno.DirEntry) => boolean,
): Promise<(string | undefined)[]> {
  const entries = await listFolder(folder).catch(() => undefined) ?? [];
  return await Promise.all(
    entries.filter((entry) => isCombinationFolder(entry.name) && counts(entry))
      .map(({ name }) => placeOf(join(folder, name))),
  );
}

/** What tells a folder, by whatever path it is reached; undefined where there is none. */
async function placeOf(path: string): Promise<string | undefined> {
  try {
    const { dev, ino } = await Deno.stat(path);
    return ino ? `${dev} ${ino}` : await Deno.realPath(path);
  } catch {
    return undefined;
  }
}

/**
 * A model keeps the connections it was trained with, whatever the config says
 * of the network: one that contradicts the config would make the records wrong.
 */
function refuseOtherNetwork(
  { file, metadata, connections }: PretrainedModel,
  { net }: Experiment,
  connectome: Connectome,
): void {
  const fail = (what: string): never => {
    throw new InputError(`Cannot begin with the model "${file}": ${what}`);
  };
  const { connectome: name, connectome_sha256: sha256 } = metadata;
  if (
    sha256 === undefined
      ? name !== undefined && name !== net.name
      : sha256 !== connectome.sha256
  ) {
    fail(
      `it was trained with the connectome ${name}, and this experiment's is ${net.name}${
        name === net.name ? " of other numbers" : ""
      }; a model keeps its connections`,
    );
  }
  const { random_w, compatibility } = metadata;
  // Models of the program's first versions say no more than random_w.
  const model = metadata.null_model ??
    (random_w === undefined || random_w === "True" ? undefined : "none");
  const isOther = model === undefined
    ? random_w === "True" && net.nullModel === "none"
    : model !== net.nullModel;
  if (isOther) {
    fail(
      `it has ${
        connectionsOf(model)
      }, which it keeps, and this experiment asks for ${
        connectionsOf(net.nullModel)
      }; set [net] ${
        model === undefined || model === "permute"
          ? "random_w = True"
          : model === "none"
          ? "random_w = False"
          : `null_model = ${model}`
      }, or begin with a model trained so`,
    );
  }
  if (compatibility !== undefined && compatibility !== net.compatibility) {
    fail(
      `it was trained with compatibility = ${compatibility}, and this experiment has ${net.compatibility}, in which W_hh lies the other way round`,
    );
  }
  const reversed = net.compatibility === "original";
  const count = (reversed: boolean) =>
    countAbsent(connections, connectome, net.neuronsPerRegion, reversed);
  const absent = count(reversed);
  const all = countConnections(connections);
  if (net.nullModel === "none" && absent > 0) {
    fail(
      `${absent} of its ${all} connections are between regions that ${net.name} does not connect${
        count(!reversed) === 0
          ? `, but none are the other way round: set [net] compatibility = ${
            reversed ? "described" : "original"
          }`
          : ", so that it was trained with another connectome, a random topology or none"
      }`,
    );
  }
  if (net.nullModel === "permute" && random_w === undefined && absent === 0) {
    // A random topology has next to no chance to keep to the connectome's, unless nearly all of its regions are connected.
    const { graph, regions } = connectome;
    const share = graph.weight.length / (regions * (regions - 1));
    if (all * Math.log(share) < Math.log(1e-9)) {
      fail(
        `all of its ${all} connections are between regions that ${net.name} connects, so they are no random ones; set [net] random_w = False`,
      );
    }
  }
}

function connectionsOf(nullModel: string | undefined): string {
  if (nullModel === undefined) return "random connections";
  if (nullModel === "none") return "the connectome's connections";
  return `random connections (null_model ${nullModel})`;
}

/**
 * Connections between regions, of so many neurons each, that the connectome does not connect.
 *
 * @param reversed Whether W_hh is the scaled network as it stands, not its transpose.
 */
function countAbsent(
  { receivers, start, sender }: Connections,
  { graph, regions }: Connectome,
  neurons: number,
  reversed: boolean,
): number {
  const connected = new Set(
    Array.from(graph.from, (from, edge) => from * regions + graph.to[edge]!),
  );
  let absent = 0;
  for (let receiver = 0; receiver < receivers; receiver++) {
    const to = Math.floor(receiver / neurons);
    for (let c = start[receiver]!; c < start[receiver + 1]!; c++) {
      const from = Math.floor(sender[c]! / neurons);
      const place = reversed ? to * regions + from : from * regions + to;
      if (from !== to && !connected.has(place)) absent++;
    }
  }
  return absent;
}

type PretrainedOptions = Experiment["pretrained"] & {
  /** Number of the combination: combination i starts from combination i. */
  readonly combination: number;
  readonly size: ModelSize;
  /** Which neurons the input reaches and the read-out sees, whatever they did in the loaded model; default all. */
  readonly ports?: Ports | undefined;
  /** The run's stream of purpose "readout". */
  readonly stream: RandomStream;
};

interface PretrainedModel extends ReturnType<typeof decodeCheckpoint> {
  /** Whether the read-out is a fresh one. */
  readonly freshReadout: boolean;
  readonly file: string;
  /** Of the file. */
  readonly sha256: string;
}

/** Names that a message lists at most. */
const LISTED = 6;

/**
 * Loads the model of a combination from a results folder, ours (`.safetensors`) or the
 * original's (`.pth`). The recurrent part is kept; the read-out is replaced by a fresh
 * one where the new task has another number of outputs, as between seq_mem and nback_mem.
 *
 * @throws {InputError} If there is no such file, it can't be read or the model's size does not fit.
 */
export async function loadPretrained(
  folder: string,
  options: PretrainedOptions,
): Promise<PretrainedModel> {
  const { size, ports, stream } = options;
  const file = await findCheckpoint(folder, options);
  const fail = (what: string): never => {
    throw new InputError(`Cannot use the pretrained model "${file}": ${what}`);
  };
  const bytes = await readFileBytes(file, { what: "the pretrained model" });
  const loaded = decodeCheckpoint(bytes, { name: file });
  const { size: { hiddenSize, inputSize, outputSize } } = loaded;
  if (hiddenSize !== size.hiddenSize || inputSize !== size.inputSize) {
    fail(
      `it has ${hiddenSize} hidden units and ${inputSize} inputs, but this experiment has ${size.hiddenSize} and ${size.inputSize}`,
    );
  }
  const isFinite = (name: keyof Parameters) =>
    loaded.parameters[name].every(Number.isFinite);
  if (!PARAMETER_NAMES.every(isFinite)) {
    fail("some of its weights are NaN or infinite");
  }
  const freshReadout = outputSize !== size.outputSize;
  const parameters = {
    ...loaded.parameters,
    ...(freshReadout &&
      drawReadout(size, { initialisation: "default", ports, stream })),
  };
  closePorts(parameters, ports);
  const sha256 = await sha256Hex(bytes);
  return { ...loaded, parameters, freshReadout, file, sha256 };
}

async function findCheckpoint(
  folder: string,
  { combination, epoch, iteration }: PretrainedOptions,
): Promise<string> {
  const fail = (what: string): never => {
    throw new InputError(`Cannot load the pretrained models: ${what}`);
  };
  const found = await listFolder(folder) ??
    fail(`there is no folder "${folder}"`);
  const inside = join(folder, String(combination));
  const names = (await listFolder(inside))?.map(({ name }) => name);
  if (names === undefined) {
    const others = found.map(({ name }) => name).filter(isCombinationFolder);
    return fail(
      `"${folder}" has no folder "${combination}" for combination ${combination}${
        others.length === 0
          ? "; it is no results folder"
          : `; it has ${list(others.map(Number))}`
      }`,
    );
  }
  const wanted = modelName({ epoch, iteration });
  const name = [wanted, wanted.replace(/\.safetensors$/, ".pth")]
    .find((name) => names.includes(name));
  if (name !== undefined) return join(inside, name);
  const models = names.flatMap((name) => {
    const model = parseModelName(name);
    return model === undefined || model.epoch === "initial" ? [] : [model];
  });
  return fail(
    `"${inside}" has no model of epoch ${epoch}, iteration ${iteration} (${wanted} or .pth); ${
      models.length === 0
        ? "it has none at all"
        : `there are epochs ${
          list(models.map(({ epoch }) => Number(epoch)))
        } of iterations ${list(models.map(({ iteration }) => iteration))}`
    }`,
  );
}

/** Different numbers, rising, not too many. */
function list(numbers: readonly number[]): string {
  const sorted = [...new Set(numbers)].sort((a, b) => a - b);
  if (sorted.length <= LISTED) return sorted.join(", ");
  return `${sorted.slice(0, LISTED - 1).join(", ")} … ${sorted.at(-1)}`;
}

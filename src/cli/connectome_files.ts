/**
 * What `deno task connectome scale` and `import` do: files for NumPy, SciPy and configs.
 *
 * @module
 */

import { join } from "node:path";
import type { Flags } from "../compat/cli.ts";
import { importConnectome, importedName } from "../connectome/decode.ts";
import { loadConnectome } from "../connectome/load.ts";
import {
  NULL_MODEL_NAMES,
  nullReport,
  randomiseNetwork,
} from "../connectome/nulls/null_model.ts";
import {
  countScaledConnections,
  scaleConnectome,
  scaleNeuronDensity,
} from "../connectome/scale.ts";
import {
  type Connectome,
  describeSigns,
  readSigns,
  signsOf,
  signsTable,
} from "../connectome/connectome.ts";
import { matrixTable } from "../connectome/tables.ts";
import { InputError } from "../files/input_error.ts";
import { writeNpy } from "../files/npy.ts";
import { readTextFile, sourceOfFile } from "../files/read.ts";
import { makeFolder, writeFileWhole } from "../files/write.ts";
import { MOST_NEURONS } from "../experiment/schema.ts";
import { checkConnections, graphFiles, sparseFile } from "../graph/graph.ts";
import { createStream } from "../random/stream.ts";
import { formatTable, plural } from "../text/words.ts";
import {
  choiceFlag,
  describeRange,
  needed,
  numberFlag,
  pathFlag,
  seedFlag,
} from "./flags.ts";
import { print, printError } from "./run_command.ts";
import { shownPath, userPath } from "./shell.ts";

/** The connectome of that name; what takes time is told on standard error. */
export async function load(
  name: string,
  flags: Flags,
  orientation: "declared" | "file" = "declared",
): Promise<Connectome> {
  return await loadConnectome(name, {
    folder: pathFlag(flags, "path_to_network"),
    orientation,
    onProgress: printError,
  });
}

function outFolder(flags: Flags): string {
  return needed(pathFlag(flags, "out"), "out");
}

/** Writes files into a folder, all or, where one of them is there, none. */
export async function writeFiles(
  files:
    readonly (readonly [name: string, content: () => Uint8Array | string])[],
  flags: Flags,
): Promise<void> {
  const folder = outFolder(flags);
  if (!flags.boolean.overwrite) {
    for (const [name] of files) {
      const path = join(folder, name);
      if (await Deno.lstat(path).then(() => true, () => false)) {
        throw new InputError(
          `Cannot write "${
            shownPath(path)
          }": the file is there; --overwrite replaces it`,
        );
      }
    }
  }
  await makeFolder(folder);
  for (const [name, content] of files) {
    await writeFileWhole(join(folder, name), content());
    print(shownPath(join(folder, name)));
  }
}

const NEURONS = { from: 1, to: MOST_NEURONS, whole: true };

function neuronsPerRegion(connectome: Connectome, flags: Flags): number[] {
  const seed = needed(
    numberFlag(flags, "nr_neurons", NEURONS),
    "nr_neurons",
    `, ${describeRange(NEURONS)}`,
  );
  const method = choiceFlag(flags, "nr_neurons_by", ["rank", "ratio"]);
  const { regions, regionNames, neuronDensity, name } = connectome;
  if (method === undefined) return new Array(regions).fill(seed);
  if (neuronDensity === undefined) {
    throw new InputError(
      `Cannot use --nr_neurons_by ${method}: there are no neuron densities for ${name} (ND_${name}.npy)`,
    );
  }
  return scaleNeuronDensity(neuronDensity, { method, seed, regionNames });
}

/** Scales a connectome as the flags say and writes S, its mask and the region of each neuron. */
export async function scale(name: string, flags: Flags): Promise<void> {
  outFolder(flags);
  const original =
    choiceFlag(flags, "compatibility", ["described", "original"]) ===
      "original";
  const seed = seedFlag(flags);
  const share = (flag: string, other: number) =>
    numberFlag(flags, flag, { above: 0, to: 1 }) ?? other;
  const options = {
    targetSparsity: share("target_sparsity", 0.8),
    targetSparsityIntrinsic: share("target_sparsity_intrinsic", 1),
    intrinsicWeight: numberFlag(flags, "intrinsic_wei", { to: 0.999 }) ?? 0.8,
    intrinsicConnections: !flags.boolean.no_intrinsic,
    keepDiagonal: flags.boolean.keep_diag === true,
    randPartition: !flags.boolean.equal_parts,
    intrinsicFrom: original ? "incoming" : "outgoing",
  } as const;
  const nullModel = choiceFlag(flags, "null_model", NULL_MODEL_NAMES) ??
    (flags.boolean.random_w ? "permute" : undefined);
  if (flags.boolean.random_w && nullModel !== "permute") {
    throw new InputError(
      "Cannot use --null_model with --random_w: only one of them is allowed",
    );
  }
  const connectome = await load(name, flags, original ? "file" : "declared");
  const neuronDensity = neuronsPerRegion(connectome, flags);
  const neurons = neuronDensity.reduce((a, b) => a + b);
  const scaling = {
    ...options,
    neuronDensity,
    onProgress: (made: number, of: number) =>
      printError(`scaled ${made} of ${of} connections`),
  };
  const count = countScaledConnections(connectome.graph, scaling);
  checkConnections(count, {
    what: `scale ${name} to ${neurons} neurons`,
    instead: "; lower --nr_neurons or --target_sparsity",
  });
  const scaled = scaleConnectome(connectome.graph, {
    ...scaling,
    stream: createStream({ seed, purpose: "bio2art" }),
  });
  const network = nullModel === undefined ? scaled : randomiseNetwork(
    nullModel,
    {
      network: scaled,
      connectome,
      scaleBetween: (graph, stream) =>
        scaleConnectome(graph, {
          ...scaling,
          intrinsicConnections: false,
          stream,
        }),
      stream: createStream({ seed, purpose: "topology" }),
    },
  );
  const { regionOf, weight } = network;
  const regions = { shape: [neurons], data: Int32Array.from(regionOf) };
  await writeFiles([
    ...graphFiles(network, {
      dense: `S_${name}.npy`,
      mask: `mask_${name}.npy`,
      sparse: `S_${name}.npz`,
    }),
    [`region_${name}.npy`, () => writeNpy(regions)],
  ], flags);
  if (nullModel !== undefined) {
    const table = nullReport(scaled, { samples: [network], name: nullModel });
    print(...formatTable(table));
  }
  print(
    `${neurons} neurons, ${weight.length} connections (${
      (100 * weight.length / neurons ** 2).toFixed(1)
    } % of ${neurons} x ${neurons})`,
  );
}

/** Most regions of which a table is written, to be read by people too. */
const MOST_IN_TABLE = 1000;

/** Reads the file and writes C_NAME.csv, or of many regions C_NAME.npz and Names_NAME.txt. */
export async function importFile(path: string, flags: Flags): Promise<void> {
  outFolder(flags);
  const { source, target, weight, types, subset, matrix, sign_column } =
    flags.string;
  const imported = await importConnectome(
    sourceOfFile(path, { what: "the connectome" }),
    {
      source,
      target,
      weight,
      matrix,
      rows: choiceFlag(flags, "rows", ["source", "target"]),
      duplicates: choiceFlag(flags, "duplicates", ["sum", "error"]),
      minWeight: numberFlag(flags, "min_weight", { to: Number.MAX_VALUE }),
      signs: sign_column,
      types: types?.split(",").map((type) => type.trim()),
      subset: subset === undefined ? undefined : await readIds(subset),
      onProgress: printError,
    },
  );
  const { graph, regionNames } = imported;
  const { signs = imported.signs, notes = [] } =
    flags.string.signs === undefined
      ? {}
      : await signsIn(flags.string.signs, regionNames);
  const name = importedName(path);
  const files: Parameters<typeof writeFiles>[0] = graph.nodes <= MOST_IN_TABLE
    ? [[`C_${name}.csv`, () => matrixTable(regionNames, graph)]]
    : [
      [`Names_${name}.txt`, () => `${regionNames.join("\n")}\n`],
      [`C_${name}.npz`, () => sparseFile(graph)],
    ];
  if (signs === undefined) await writeFiles(files, flags);
  else {
    const table = () => signsTable(regionNames, signs);
    await writeFiles([[`Signs_${name}.csv`, table], ...files], flags);
    print(describeSigns(signs));
  }
  for (const note of [...notes, ...imported.notes]) {
    if (note.startsWith("warning: ")) printError(note);
    else print(note);
  }
  print(
    `${name}: ${plural(graph.nodes, "region")}, ${
      plural(graph.weight.length, "connection")
    }`,
  );
}

/** The signs of the regions, and what of the file's ids is not theirs: ids that begin at 0 where regions begin at 1 are all one off. */
async function signsIn(
  path: string,
  regionNames: readonly string[],
): Promise<{ signs: Int8Array; notes: string[] }> {
  const known = await readSigns(
    sourceOfFile(userPath(path, "--signs"), { what: "the signs" }),
  );
  const signs = signsOf(regionNames, known);
  if (signs.every((sign) => sign === 0)) {
    throw new InputError(
      `Cannot use --signs ${path}: of no region (${
        regionNames.slice(0, 3).join(", ")
      }, …) it says whether it excites or inhibits; a row has the name of a region, then +, - or what it releases`,
    );
  }
  const names = new Set(regionNames);
  const others = [...known.keys()].filter((id) => !names.has(id));
  return {
    signs,
    notes: others.length === 0 ? [] : [
      `warning: ${path} has ${plural(others.length, "id")} of no region (${
        others.slice(0, 3).join(", ")
      }${others.length > 3 ? ", …" : ""}); the first region is ${
        regionNames[0]
      }`,
    ],
  };
}

async function readIds(path: string): Promise<ReadonlySet<string>> {
  const text = await readTextFile(userPath(path, "--subset"), {
    what: "the list of regions",
  });
  const ids = text.split(/[\r\n,;\t]+/).map((id) =>
    id.trim().replace(/^"(.*)"$/, "$1")
  ).filter((id) => id !== "");
  if (ids.length > 0) return new Set(ids);
  throw new InputError(`Cannot use --subset ${path}: it lists no region`);
}

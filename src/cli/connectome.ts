/**
 * `deno task connectome`: lists, shows, downloads, scales, generates and
 * imports connectomes.
 *
 * @module
 */

import type { Flags } from "../compat/cli.ts";
import { cacheFolder } from "../files/download.ts";
import { InputError } from "../files/input_error.ts";
import {
  describeConnectome,
  describeList,
  type ListedConnectome,
} from "../connectome/describe.ts";
import { connectomesIn, loadConnectome } from "../connectome/load.ts";
import { matrixTable } from "../connectome/tables.ts";
import { NULL_MODEL_NAMES } from "../connectome/nulls/null_model.ts";
import {
  CATALOGUE,
  filesOf,
  generateSyntheticMacaque,
  SYNTHETIC_NAME,
  SYNTHETIC_SEED,
} from "../connectome/catalogue.ts";
import { graphOfMatrix } from "../graph/graph.ts";
import { createStream } from "../random/stream.ts";
import { importFile, load, scale, writeFiles } from "./connectome_files.ts";
import { flagsOf, pathFlag, seedFlag } from "./flags.ts";
import { didYouMean, listNames } from "../text/words.ts";
import { print, printError, runCommand } from "./run_command.ts";
import { userPath } from "./shell.ts";

interface Subcommand {
  /** What follows its name. */
  readonly usage: string;
  /** What it does, in a line. */
  readonly what: string;
  /** More on that. */
  readonly more?: string;
  /** The lines about its flags. */
  readonly flags: string;
  /** What it takes one of. */
  readonly takes?: "name of a connectome" | "file";
  readonly run: (flags: Flags, name: string) => Promise<void>;
}

const OWN = `
  --path_to_network DIR            folder with connectomes of your own, looked in first`;
const WRITES = `
  --out DIR                        folder for what is written
  --overwrite                      replace files that are there`;
const HELP = `
  --help                           this text`;
const CACHE =
  "The cache is the folder BIORNN_CACHE names, else biornn in the system's folder for caches.";

const COMMANDS = new Map(Object.entries<Subcommand>({
  list: {
    usage: "[flags]",
    what: "the connectomes that are there or can be had",
    flags: OWN,
    run: list,
  },
  show: {
    usage: "NAME [flags]",
    what: "what a connectome is like, where it comes from and what to cite",
    flags: OWN,
    takes: "name of a connectome",
    async run(flags, name) {
      print(...describeConnectome(await load(name, flags)));
    },
  },
  download: {
    usage: "NAME|all",
    what: "gets a connectome of the catalogue, or all, into the cache",
    more: CACHE,
    flags: "",
    takes: "name of a connectome",
    run: (_, name) => download(name),
  },
  scale: {
    usage: "NAME --nr_neurons N --out DIR [flags]",
    what: "writes the network of neurons that is trained, as bio2art scales it",
    more:
      `S_NAME.npy      float64, [n, n], S[a, b] from neuron a to neuron b; of more than 4,096 neurons
                S_NAME.npz, for scipy.sparse.load_npz
mask_NAME.npy   bool, [n, n], true where a connection was made; none of more than 4,096 neurons
region_NAME.npy int32, [n], the region of each neuron

What is left out is as in training.`,
    flags: `
  --nr_neurons N                   neurons of each region
  --nr_neurons_by rank|ratio       by the measured densities: N neurons in the region of lowest density
  --target_sparsity X              part of a region's neurons that each source neuron connects to (0.8)
  --target_sparsity_intrinsic X    the same within a region (1)
  --intrinsic_wei X                share of the intrinsic weight in a region's weight (0.8)
  --no_intrinsic                   no connections within regions
  --keep_diag                      neurons may connect to themselves
  --equal_parts                    equal weights, not random parts (rand_partition = False)
  --random_w                       as --null_model permute (random_w = True)
  --null_model NAME                what the network is made random by: ${
      NULL_MODEL_NAMES.slice(0, 6).join(", ")
    },
                                   ${NULL_MODEL_NAMES.slice(6).join(", ")}
  --compatibility original         intrinsic weights from the incoming weights, as the original has it
  --seed N                         seed of the random numbers (0, as a config's default)${WRITES}${OWN}`,
    takes: "name of a connectome",
    run: (flags, name) => scale(name, flags),
  },
  generate: {
    usage: "--seed N --out DIR [flags]",
    what: `writes another ${SYNTHETIC_NAME} as a CSV table, C_NAME.csv`,
    flags: `
  --seed N                         seed of the random numbers${WRITES}`,
    run: generate,
  },
  import: {
    usage: "FILE --out DIR [flags]",
    what:
      "writes a matrix or a list of connections as a connectome that configs can name",
    more:
      `C_NAME.csv or, of more than 1,000 regions, C_NAME.npz and Names_NAME.txt. FILE is a table (.csv,
.tsv, .txt), a NumPy array (.npy), a SciPy matrix (.npz), a matrix of MATLAB's (.mat) or in HDF5
(.h5), a packed list (.csv.gz, .tsv.gz), a list in Parquet (.parquet) or Arrow (.feather, .arrow),
or a graph (.graphml); lists are read by the names in their header.`,
    flags: `
  --rows source|target             what the rows of a matrix are: regions that send (default) or that receive
  --matrix NAME                    which matrix of a .mat or HDF5 file
  --source, --target, --weight X   columns of a list, by the names in its header or by their numbers from 1
  --duplicates sum|error           several rows of one pair are summed (default), or refused
  --types A,B                      rows whose column "type" has one of these alone
  --min_weight X                   leave out connections of less weight
  --subset FILE                    keep the regions that the file lists, one a line
  --signs FILE                     which neurons inhibit: a table of ids and what they release (ACh, GABA, Glu) or +, -
  --sign_column X                  the same from a column of the list, by most of the weight that a neuron sends${WRITES}`,
    takes: "file",
    run: (flags, name) => importFile(userPath(name, "the file"), flags),
  },
}));

const SUBCOMMANDS = [...COMMANDS];

const USAGES = SUBCOMMANDS.map(([name, { usage }]) =>
  `  deno task connectome ${name} ${usage}`
);
const SUMMARIES = SUBCOMMANDS.map(([name, { what }]) =>
  `${name.padEnd(11)}${what}`
);

const OVERVIEW =
  `Lists, shows, downloads, scales, generates and imports connectomes.

${USAGES.join("\n")}

${SUMMARIES.join("\n")}
${HELP}; after a command, its flags

${CACHE}`;

function helpOn({ positional: [name = ""] }: Flags): string {
  const command = COMMANDS.get(name);
  if (command === undefined) return OVERVIEW;
  const { usage, what, more } = command;
  return `deno task connectome ${name} ${usage}

${what[0]!.toUpperCase()}${what.slice(1)}${
    more === undefined ? "." : `:\n\n${more}`
  }
${command.flags}${HELP}`;
}

/** An error that sends the user to the help. */
function wrong(text: string): InputError {
  return new InputError(`${text}; --help shows the commands`);
}

async function list(flags: Flags): Promise<void> {
  const folder = pathFlag(flags, "path_to_network");
  const own = folder === undefined ? [] : await connectomesIn(folder);
  const cache = cacheFolder();
  const cached = new Set(cache === undefined ? [] : await connectomesIn(cache));
  const embedded = await loadConnectome(SYNTHETIC_NAME);
  const listed: ListedConnectome[] = [
    {
      ...embedded,
      connections: embedded.graph.weight.length,
      where: "embedded",
    },
    ...CATALOGUE.map((entry) => ({
      ...entry,
      where: own.includes(entry.name)
        ? folder!
        : cached.has(entry.name)
        ? "cached"
        : "to download",
    })),
  ];
  const names = new Set(listed.map(({ name }) => name));
  for (const name of own.filter((one) => !names.has(one))) {
    listed.push({
      name,
      species: "",
      regions: undefined,
      connections: undefined,
      where: folder!,
    });
  }
  print(...describeList(listed));
}

async function download(name: string): Promise<void> {
  const names = name === "all" ? CATALOGUE.map((entry) => entry.name) : [name];
  const cache = cacheFolder();
  for (const each of names) {
    const { source } = await loadConnectome(each, { onProgress: printError });
    print(`${each}: ${source}`);
  }
  if (cache === undefined || name !== "all") return;
  const files = CATALOGUE.flatMap(filesOf).length;
  print(`${CATALOGUE.length} connectomes, ${files} files in ${cache}`);
}

async function generate(flags: Flags): Promise<void> {
  const seed = seedFlag(flags, SYNTHETIC_SEED);
  const { names, weights, areas } = generateSyntheticMacaque(
    createStream({ seed, purpose: "connectome" }),
  );
  // Only the embedded one bears the bare name.
  const name = seed === SYNTHETIC_SEED
    ? SYNTHETIC_NAME
    : `${SYNTHETIC_NAME}_seed_${seed}`;
  const table = matrixTable(names, graphOfMatrix(weights, areas));
  await writeFiles([[`C_${name}.csv`, () => table]], flags);
}

async function run(flags: Flags): Promise<number> {
  const [name = "", ...rest] = flags.positional;
  const command = COMMANDS.get(name);
  if (command === undefined) {
    const names = [...COMMANDS.keys()];
    throw wrong(
      `Cannot run ${name === "" ? "nothing" : `"${name}"`}${
        didYouMean(name, names)
      }: allowed are ${listNames(names, "and")}`,
    );
  }
  const { takes } = command;
  const own = Object.values(flagsOf(command.flags)).flat();
  const { string, boolean } = flags;
  for (const [flag, value] of Object.entries({ ...string, ...boolean })) {
    if (value === false || own.includes(flag)) continue;
    throw new SyntaxError(`--${flag} is not a flag of connectome ${name}`);
  }
  if (rest.length !== (takes === undefined ? 0 : 1)) {
    throw wrong(
      `Cannot ${name}: give ${
        takes === undefined ? "no name" : `one ${takes}`
      }, found ${rest.length}`,
    );
  }
  await command.run(flags, rest[0] ?? "");
  return 0;
}

if (import.meta.main) {
  await runCommand({
    help: OVERVIEW,
    more: SUBCOMMANDS.map(([, { flags }]) => flags).join(""),
    helpOn,
    run,
  });
}

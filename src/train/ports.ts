/**
 * At which regions the input enters and the read-out looks on: from the names or
 * numbers of a config to neurons.
 *
 * @module
 */

import type { Connectome } from "../connectome/connectome.ts";
import { configError } from "../experiment/configparser.ts";
import {
  type Experiment,
  listRegions,
  type RegionChoice,
} from "../experiment/experiment.ts";
import { InputError } from "../files/input_error.ts";
import type { Connections } from "../graph/connections.ts";
import { hasPort, PORTS, type Ports } from "../rnn/parameters.ts";
import { didYouMean } from "../text/did_you_mean.ts";
import { quote } from "../text/words.ts";

/** Numbers of the chosen regions, rising; undefined where all are. */
export type ChosenRegions = Readonly<
  Record<keyof typeof PORTS, readonly number[] | undefined>
>;

const KEYS = { input: "input_regions", output: "output_regions" } as const;

/**
 * Finds the regions that `input_regions` and `output_regions` name.
 *
 * @throws {InputError} If the connectome has no such region, or one is named twice.
 */
export function chooseRegions(
  experiment: Experiment,
  connectome: Connectome,
): ChosenRegions {
  const { net } = experiment;
  return {
    input: findRegions("input", net.inputRegions),
    output: findRegions("output", net.outputRegions),
  };

  function findRegions(
    kind: keyof typeof PORTS,
    wanted: readonly RegionChoice[] | undefined,
  ): readonly number[] | undefined {
    if (wanted === undefined) return undefined;
    const { file, source: { lines, overrides } } = experiment;
    const key = KEYS[kind];
    const error = (what: string) =>
      Object.hasOwn(overrides, `net.${key}`)
        ? new InputError(`Cannot use --set net.${key}: it ${what}`)
        : configError({ file, line: lines[key] }, `[net] ${key} ${what}`);
    const found = new Set<number>();
    for (const choice of wanted) {
      const region = findRegion(choice, { connectome, error });
      if (found.has(region)) {
        throw error(
          `names region ${region} (${connectome.regionNames[region]}) twice`,
        );
      }
      found.add(region);
    }
    // All of them are the default, whose results are the same.
    return found.size === connectome.regions
      ? undefined
      : [...found].sort((a, b) => a - b);
  }
}

function findRegion(
  choice: RegionChoice,
  { connectome: { name, regions, regionNames }, error }: {
    readonly connectome: Connectome;
    readonly error: (what: string) => Error;
  },
): number {
  if (typeof choice === "number") {
    if (choice < regions) return choice;
    throw error(
      `names region ${choice}, but those of ${name} are 0 to ${regions - 1}`,
    );
  }
  const all = regionNames.flatMap((region, i) => region === choice ? [i] : []);
  const [first] = all;
  if (first === undefined) {
    throw error(
      `names ${quote(choice)}, which is no region of ${name}${
        didYouMean(choice, regionNames)
      }; "deno task connectome show ${name}" lists them`,
    );
  }
  if (all.length > 1) {
    throw error(
      `names ${
        quote(choice)
      }, of which ${name} has several; give the number of one, ${
        all.join(" or ")
      }`,
    );
  }
  return first;
}

/** The ports of all neurons; undefined where each has both. */
export function portsOf(
  chosen: ChosenRegions,
  { regions, neuronsPerRegion }: Experiment["net"],
): Ports | undefined {
  if (chosen.input === undefined && chosen.output === undefined) {
    return undefined;
  }
  const ports = new Uint8Array(regions * neuronsPerRegion);
  for (const kind of ["input", "output"] as const) {
    const bit = PORTS[kind];
    for (const region of chosen[kind] ?? Array(regions).keys()) {
      const first = region * neuronsPerRegion;
      for (let i = 0; i < neuronsPerRegion; i++) ports[first + i]! |= bit;
    }
  }
  return ports;
}

/**
 * Connections of the shortest path from a neuron that gets input to one that is read
 * out; Infinity where there is none. Input of time step t reaches the read-out no
 * earlier than so many time steps later.
 *
 * @example
 * ```ts
 * import { pathLength } from "./src/train/ports.ts";
 *
 * const chain = { // 0 → 1 → 2
 *   receivers: 3,
 *   senders: 3,
 *   start: Uint32Array.of(0, 0, 1, 2),
 *   sender: Uint32Array.of(0, 1),
 * };
 * pathLength(chain, Uint8Array.of(1, 0, 2)); // 2
 * pathLength(chain, Uint8Array.of(2, 0, 1)); // Infinity
 * ```
 */
export function pathLength(
  { receivers, start, sender }: Connections,
  ports: Ports | undefined,
): number {
  // Backwards, as the connections are listed by their receivers.
  const seen = new Uint8Array(receivers);
  let level = [...seen.keys()].filter((i) => hasPort(ports, i, "output"));
  for (let length = 0; level.length > 0; length++) {
    const next: number[] = [];
    for (const neuron of level) {
      if (hasPort(ports, neuron, "input")) return length;
      for (let n = start[neuron]!; n < start[neuron + 1]!; n++) {
        const from = sender[n]!;
        if (seen[from] === 0) next.push(from);
        seen[from] = 1;
      }
    }
    level = next;
  }
  return Infinity;
}

/**
 * A warning where no input can ever reach the read-out, so that nothing can be learnt
 * from it.
 *
 * @param connections Of the first run.
 */
export function reachWarning(
  { net, grid, task: { task } }: Experiment,
  { connections, ports }: {
    readonly connections: Connections;
    readonly ports: Ports | undefined;
  },
): string | undefined {
  if (ports === undefined) return undefined;
  const length = pathLength(connections, ports);
  const short = grid.combinations.find(({ parameters }) =>
    task.steps(parameters) <= length
  );
  if (short === undefined) return undefined;
  const from = `from input_regions (${
    listRegions(net.inputRegions)
  }) to output_regions (${listRegions(net.outputRegions)})`;
  return `warning: the read-out can't see the input${
    length === Infinity
      ? `: no path of connections leads ${from}`
      : ` of combination ${short.index}: the shortest path ${from} has ${length} connections, and a trial has ${
        task.steps(short.parameters)
      } time steps`
  }`;
}

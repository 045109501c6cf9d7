/**
 * Trains one experiment as several shards at once on one folder, again and
 * again; every result must be the same to the byte as that of one process.
 *
 *     deno run -A tests/soak/shard_soak.ts --rounds 20 --shards 4
 *
 * @module
 */

import { join } from "node:path";
import { parseFlags } from "../../src/compat/cli.ts";
import {
  differences,
  type TinyExperiment,
  writeTinyConfig,
} from "./tiny_experiment.ts";

const TRAIN = new URL("../../src/cli/train.ts", import.meta.url).pathname;

/** How to share out. */
export interface ShardSoakOptions {
  readonly rounds: number;
  /** Processes that train at once, in each round with each of the numbers. */
  readonly shards: readonly number[];
  /** `--device` of the trainings. */
  readonly device: string;
  readonly tiny?: TinyExperiment;
  /** Told of each result that is wrong. */
  readonly report: (line: string) => void;
}

async function train(args: readonly string[]): Promise<string> {
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", TRAIN, ...args],
  }).output();
  if (code !== 0) {
    throw new Error(
      `a training failed with code ${code}: ${
        new TextDecoder().decode(stderr)
      }`,
    );
  }
  return new TextDecoder().decode(stdout);
}

/** Trains in shards and returns the number of wrong results. */
export async function soakWithShards(
  { rounds, shards, device, tiny = { epochs: 10, iterations: 3 }, report }:
    ShardSoakOptions,
): Promise<number> {
  const folder = await Deno.makeTempDir({ prefix: "biornn_shard_soak_" });
  let wrong = 0;
  try {
    const whole = await writeTinyConfig(join(folder, "whole"), tiny);
    await train([whole, "--device", device]);
    for (let round = 0; round < rounds; round++) {
      for (const count of shards) {
        const place = join(folder, `round_${round}`);
        const config = await writeTinyConfig(place, tiny);
        await Promise.all(
          Array.from(
            { length: count },
            (_, i) =>
              train([config, "--device", device, "--shard", `${i}/${count}`]),
          ),
        );
        const found = await differences(
          join(folder, "whole", "results"),
          join(place, "results"),
        );
        if (found.length > 0) {
          wrong++;
          report(
            `round ${round}, ${count} shards: ${found.slice(0, 5).join(", ")}`,
          );
        }
        await Deno.remove(place, { recursive: true });
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return wrong;
}

if (import.meta.main) {
  const flags = parseFlags(Deno.args, {
    boolean: [],
    string: ["rounds", "shards", "device"],
    list: [],
  });
  const rounds = Number(flags.string.rounds ?? "5");
  const shards = Number(flags.string.shards ?? "4");
  const write = (line: string) => {
    Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  };
  const wrong = await soakWithShards({
    rounds,
    shards: [shards],
    device: flags.string.device ?? "auto",
    report: write,
  });
  write(`${rounds} rounds of ${shards} shards at once: ${wrong} wrong results`);
  Deno.exit(wrong === 0 ? 0 : 1);
}

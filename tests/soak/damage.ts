/**
 * Damages every file of a results folder, byte by byte: flips a byte, or cuts
 * the file off there. What is read must be sound or be refused or warned of,
 * and going on with the training must give the undisturbed bytes.
 *
 *     deno run -A tests/soak/damage.ts --every 1
 *
 * @module
 */

import assert from "node:assert/strict";
import { join } from "node:path";
import { parseFlags } from "../../src/compat/cli.ts";
import { InputError } from "../../src/files/input_error.ts";
import { writeNpy } from "../../src/files/npy.ts";
import { readResultsFolder } from "../../src/results/results_folder.ts";
import { readStatus } from "../../src/results/status.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { readModel } from "../../src/train/read_model.ts";
import { readNetworks } from "../../src/viz/network_figure.ts";
import { interrupted, trainTiny } from "../train/tiny_training.ts";
import { differences, filesBelow } from "./tiny_experiment.ts";

/** What to damage. */
export interface DamageOptions {
  /** Every so many bytes, from a place that is another one in each file. */
  readonly every: number;
  /** Told now and then how far it is. */
  readonly report?: (line: string) => void;
}

/** How often it was noticed by what, and how often nothing was read otherwise. */
export interface DamageResult {
  readonly damages: number;
  /** Refused or warned of when results were read. */
  readonly noticed: number;
  /** Told by the training that goes on. */
  readonly mended: number;
}

const TINY = {
  connectome: "Three",
  regions: 3,
  epochs: 3,
  iterations: 1,
  storeEveryEpoch: 1,
  randomW: true,
};

/** All that programs read of a results folder, and what they were warned of. */
async function readAll(folder: string) {
  const warnings: string[] = [];
  const read = async (what: () => Promise<unknown>) => {
    try {
      return await what();
    } catch (error) {
      assert.ok(error instanceof InputError, String(error));
      warnings.push(error.message);
      return undefined;
    }
  };
  const results = await read(async () => {
    const { combinations, warnings: more } = await readResultsFolder(folder);
    warnings.push(...more);
    return combinations;
  });
  const status = await read(async () => {
    const { combinations, warnings: more } = await readStatus(folder);
    warnings.push(...more);
    return combinations.map((
      { title, runs },
    ) => [title, runs.map((r) => r.kind)]);
  });
  const models = await read(() =>
    readModel(folder, { combination: 0, iteration: 0 })
  );
  const networks = await read(() => readNetworks(folder, { combination: 0 }));
  return { read: { results, status, models, networks }, warnings };
}

/** Damages files and looks at what comes of it; throws at what nobody noticed. */
export async function damageAll(
  { every, report }: DamageOptions,
): Promise<DamageResult> {
  const folder = await Deno.makeTempDir({ prefix: "biornn_damage_" });
  const count = { damages: 0, noticed: 0, mended: 0 };
  try {
    await Deno.writeFile(
      join(folder, "C_Three.npy"),
      writeNpy({
        shape: [3, 3],
        data: Float64Array.of(0, 0.5, 0.25, 0.5, 0, 0, 0, 0.1, 0),
      }),
    );
    const engine = createReferenceEngine();
    const tiny = { ...TINY, network: folder };
    for (const stopAfter of [Infinity, 2]) {
      const calm = join(folder, `calm_${stopAfter}`);
      await trainTiny(calm, { engine, tiny });
      const place = join(folder, `place_${stopAfter}`);
      const stop = new AbortController();
      let calls = 0;
      await trainTiny(place, {
        engine: interrupted(engine, ({ kind }) => {
          if (kind === "train" && ++calls === stopAfter) stop.abort();
        }),
        tiny,
        signal: stop.signal,
        checkpointSeconds: 0,
      });
      const results = join(place, "results");
      const files = await filesBelow(results);
      const sound = await readAll(results);
      let start = 0;
      for (const [name, bytes] of files) {
        for (let at = start++ % every; at < bytes.length; at += every) {
          const cut = (at / every) % 2 >= 1;
          const damaged = cut ? bytes.slice(0, at) : bytes.slice();
          if (!cut) damaged[at] = damaged[at]! ^ (1 << (at % 8));
          await Deno.writeFile(join(results, name), damaged);
          const what = `${name}, ${cut ? "cut" : "flipped"} at ${at}`;
          const found = await readAll(results);
          if (found.warnings.length > sound.warnings.length) count.noticed++;
          else assert.deepEqual(found.read, sound.read, what);
          const { lines } = await trainTiny(place, {
            engine,
            tiny,
            resume: true,
          }).catch((error) => {
            throw new Error(`${what}: ${error}`);
          });
          if (lines.some((line) => line.startsWith("warning"))) count.mended++;
          assert.deepEqual(
            await differences(join(calm, "results"), results),
            [],
            what,
          );
          // An unfinished training is to be damaged again as it was.
          if (stopAfter < Infinity) await restore(results, files);
          count.damages++;
          if (count.damages % 500 === 0) report?.(JSON.stringify(count));
        }
      }
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  return count;
}

async function restore(
  results: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<void> {
  for (const name of (await filesBelow(results)).keys()) {
    if (!files.has(name)) await Deno.remove(join(results, name));
  }
  for (const [name, bytes] of files) {
    await Deno.writeFile(join(results, name), bytes);
  }
}

if (import.meta.main) {
  const flags = parseFlags(Deno.args, {
    boolean: [],
    string: ["every"],
    list: [],
  });
  const write = (line: string) => {
    Deno.stdout.writeSync(new TextEncoder().encode(`${line}\n`));
  };
  const { damages, noticed, mended } = await damageAll({
    every: Number(flags.string.every ?? "1"),
    report: write,
  });
  write(
    `${damages} damages: ${noticed} were noticed when results were read, ${mended} told of when the training went on; none gave a wrong result`,
  );
}

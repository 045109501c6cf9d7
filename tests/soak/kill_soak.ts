/**
 * Kills real trainings (SIGKILL) at random moments, also while they write, and
 * resumes them until they are finished; every result must be the same to the
 * byte as that of a training that nobody disturbed.
 *
 *     deno run -A tests/soak/kill_soak.ts --kills 1000 --seed 1
 *
 * @module
 */

import { join } from "node:path";
import { parseFlags } from "../../src/compat/cli.ts";
import { createStream } from "../../src/random/stream.ts";
import { differences, writeTinyConfig } from "./tiny_experiment.ts";

const TRAIN = new URL("../../src/cli/train.ts", import.meta.url).pathname;

function start(config: string, device: string): Deno.ChildProcess {
  return new Deno.Command(Deno.execPath(), {
    args: [
      "run",
      "-A",
      TRAIN,
      config,
      "--resume",
      "--checkpoint_seconds",
      "0",
      "--device",
      device,
    ],
    stdout: "null",
    stderr: "piped",
  }).spawn();
}

/** Kills a training after a while; true where it had finished before. */
async function runAndKill(
  config: string,
  { device, milliseconds }: { device: string; milliseconds: number },
): Promise<boolean> {
  const child = start(config, device);
  const timer = setTimeout(() => {
    try {
      child.kill("SIGKILL");
    } catch {
      // It ended by itself between the timer and the kill.
    }
  }, milliseconds);
  const { code, signal, stderr } = await child.output();
  clearTimeout(timer);
  if (signal === "SIGKILL") return false;
  if (code !== 0) {
    throw new Error(
      `a resumed training failed with code ${code}: ${
        new TextDecoder().decode(stderr)
      }`,
    );
  }
  return true;
}

const flags = parseFlags(Deno.args, {
  boolean: [],
  string: ["kills", "seed", "device", "epochs"],
  list: [],
});
const wanted = Number(flags.string.kills ?? "20");
const seed = Number(flags.string.seed ?? "1");
const device = flags.string.device ?? "auto";
const epochs = Number(flags.string.epochs ?? "30");
const random = createStream({ seed, purpose: "bootstrap" });

const folder = await Deno.makeTempDir({ prefix: "biornn_kill_soak_" });
let kills = 0, trainings = 0, wrong = 0;
try {
  const tiny = { epochs, storeEveryEpoch: 10 };
  const calmConfig = await writeTinyConfig(join(folder, "calm"), tiny);
  const began = performance.now();
  await start(calmConfig, device).output();
  const duration = performance.now() - began;
  while (kills < wanted) {
    const place = join(folder, `disturbed_${trainings}`);
    const config = await writeTinyConfig(place, tiny);
    while (
      !await runAndKill(config, {
        device,
        milliseconds: duration * (0.15 + 0.85 * random.uniform()),
      })
    ) kills++;
    const found = await differences(
      join(folder, "calm", "results"),
      join(place, "results"),
    );
    if (found.length > 0) {
      wrong++;
      Deno.stderr.writeSync(
        new TextEncoder().encode(
          `training ${trainings}: ${found.join(", ")}\n`,
        ),
      );
    }
    await Deno.remove(place, { recursive: true });
    trainings++;
  }
} finally {
  await Deno.remove(folder, { recursive: true });
}
Deno.stdout.writeSync(
  new TextEncoder().encode(
    `${kills} kills of ${trainings} trainings (seed ${seed}): ${wrong} wrong or lost results\n`,
  ),
);
Deno.exit(wrong === 0 ? 0 : 1);

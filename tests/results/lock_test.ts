import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { RetryError } from "../../src/files/input_error.ts";
import type { PartName } from "../../src/results/layout.ts";
import { lockFolder } from "../../src/results/lock.ts";
import { assertRefused, namesIn } from "./example_results.ts";
import { withFolder } from "../with_folder.ts";

const PARTS = [undefined, { index: 0, count: 2 }, { index: 1, count: 2 }];

function lock(
  folder: string,
  { part, lines = [], deadAfter }: {
    part?: PartName | undefined;
    lines?: string[];
    deadAfter?: number;
  } = {},
) {
  return lockFolder(folder, {
    part,
    warn: (line) => lines.push(line),
    ...(deadAfter === undefined ? {} : { deadAfter }),
  });
}

const assertBusy = (attempt: Promise<unknown>, message: RegExp) =>
  assertRefused(attempt, message, RetryError);

/** A lock file as a process on another machine leaves it. */
async function writeForeign(folder: string, name = "training.lock") {
  const owner = {
    host: "node7",
    pid: 4711,
    since: "2024-02-03T04:05:06.789Z",
    machine: "another",
    id: "abc",
  };
  await Deno.writeTextFile(join(folder, name), JSON.stringify(owner));
}

describe("lockFolder()", () => {
  it("lets different parts train at once, and nothing else", () =>
    withFolder(async (folder) => {
      for (const first of PARTS) {
        const held = await lock(folder, { part: first });
        for (const second of PARTS) {
          const attempt = lock(folder, { part: second });
          if (first !== undefined && second !== undefined && first !== second) {
            await (await attempt).release();
          } else {
            await assertBusy(
              attempt,
              /process \d+.* has been training (all|part [01]\/2) of it since \d{4}-\d\d-\d\d \d\d:\d\d:\d\d UTC; .*--path_to_results/,
            );
          }
        }
        await held.check();
        await held.release();
        assert.deepEqual(await namesIn(folder), []);
      }
    }));

  it("takes over from a process that was killed, and says so", () =>
    withFolder(async (folder) => {
      const program = `
        import { lockFolder } from ${
        JSON.stringify(
          new URL("../../src/results/lock.ts", import.meta.url).href,
        )
      };
        await lockFolder(${
        JSON.stringify(folder)
      }, { part: undefined, warn: console.log });
        console.log("locked");
        setInterval(() => {}, 1000);`;
      const child = new Deno.Command(Deno.execPath(), {
        args: ["eval", "--no-lock", program],
        stdout: "piped",
        stderr: "null",
      }).spawn();
      const reader = child.stdout.getReader();
      await reader.read();
      await assertBusy(lock(folder), new RegExp(`process ${child.pid}`));
      child.kill("SIGKILL");
      await child.status;
      await reader.cancel();
      const lines: string[] = [];
      const held = await lock(folder, { lines });
      assert.equal(lines.length, 1);
      assert.match(lines[0]!, new RegExp(`^note: process ${child.pid}.*ended`));
      await held.check();
      await held.release();
    }));

  it("waits for a sign of life of another machine's process", () =>
    withFolder(async (folder) => {
      await writeForeign(folder);
      const lines: string[] = [];
      const attempt = lock(folder, { lines, deadAfter: 2000 });
      const beat = setTimeout(() => writeForeign(folder), 700);
      await assertBusy(
        attempt,
        /process 4711 on node7 .* since 2024-02-03 04:05:06 UTC/,
      );
      clearTimeout(beat);
      assert.match(lines.join(), /process 4711 on node7 may be training there/);
    }));

  it("takes over what has given no sign of life for long", () =>
    withFolder(async (folder) => {
      for (const part of PARTS) {
        await writeForeign(folder);
        const old = new Date(Date.now() - 60_000);
        await Deno.utime(join(folder, "training.lock"), old, old);
        const lines: string[] = [];
        const held = await lock(folder, { part, lines, deadAfter: 30_000 });
        assert.match(lines.join(), /^note: process 4711 on node7 ended/);
        await held.release();
        assert.deepEqual(await namesIn(folder), []);
      }
    }));

  it("takes a damaged lock for that of nobody, after a while", () =>
    withFolder(async (folder) => {
      await Deno.writeTextFile(join(folder, "training.lock"), "{");
      const held = await lock(folder, { deadAfter: 200 });
      await held.check();
      await held.release();
    }));

  it("gives one of many that come at once the folder of a dead process", () =>
    withFolder(async (folder) => {
      await writeForeign(folder);
      const attempts = await Promise.allSettled(
        Array.from({ length: 8 }, () => lock(folder, { deadAfter: 100 })),
      );
      const got = attempts.filter(({ status }) => status === "fulfilled");
      assert.ok(got.length <= 1, `${got.length} locks`);
      for (const attempt of attempts) {
        if (attempt.status === "fulfilled") {
          await attempt.value.check();
          await attempt.value.release();
        } else assert.ok(attempt.reason instanceof RetryError);
      }
      await (await lock(folder, { deadAfter: 100 })).release();
    }));

  it("gives one alone what others opened while it took it over", () =>
    withFolder(async (folder) => {
      const path = join(folder, "training.lock");
      for (let round = 0; round < 10; round++) {
        await writeForeign(folder);
        if (round % 2 === 0) await Deno.writeTextFile(path, "{");
        const old = new Date(Date.now() - 60_000);
        await Deno.utime(path, old, old);
        const attempts = await Promise.allSettled(
          Array.from({ length: 8 }, async (_, i) => {
            await new Promise((resolve) => setTimeout(resolve, i / 2));
            return await lock(folder, { deadAfter: 150 });
          }),
        );
        const got = attempts.filter(({ status }) => status === "fulfilled");
        for (const attempt of attempts) {
          if (attempt.status === "fulfilled") await attempt.value.release();
          else assert.ok(attempt.reason instanceof RetryError);
        }
        assert.ok(got.length <= 1, `${got.length} locks in round ${round}`);
      }
    }));

  it("notices that another process took the folder", () =>
    withFolder(async (folder) => {
      const held = await lock(folder);
      await writeForeign(folder);
      await assertBusy(
        held.check(),
        /process 4711 on node7 took this process for dead/,
      );
      await held.release();
      assert.deepEqual(await namesIn(folder), ["training.lock"]);
      await Deno.remove(join(folder, "training.lock"));
      await assertBusy(held.check(), /was removed/);
    }));
});

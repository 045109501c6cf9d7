/**
 * The page in headless Chromium: what it trains, what it keeps, and that it
 * asks nobody for anything. Chromium is `chromium` on the PATH, or what
 * BIORNN_CHROMIUM names; without one the test is skipped.
 *
 * @module
 */

import assert from "node:assert/strict";
import { join, relative } from "node:path";
import axe from "npm:axe-core@4.14.1";
import { buildApp } from "../../src/app/build.ts";
import { readNpy } from "../../src/files/npy.ts";
import { unzipSync } from "../../src/files/zip.ts";
import { errorLines, runTask } from "../cli/run_task.ts";
import { withFolder } from "../with_folder.ts";
import { Chromium, hasChromium, type Look, type Tab } from "./tab.ts";

type Archive = Record<string, Uint8Array>;

/** Bytes of all scripts. */
const MOST_SCRIPT = 1.5e6;

/** The part of a link behind `#`. */
const settings = ({ device = "cpu", epochs = 30 } = {}) =>
  `device=${device}&epochs=${epochs}&iterations=2&nr_of_trials=200&nonlinearity=relu,tanh&seed=3`;

Deno.test("the page's scripts are small, and ask for nothing that browsers lack", async () => {
  const scripts = [...await buildApp()].filter(([name]) => name.endsWith(".js"))
    .map(([, { bytes }]) => new TextDecoder().decode(bytes));
  const bytes = scripts.reduce((sum, text) => sum + text.length, 0);
  assert.ok(bytes < MOST_SCRIPT, `they have ${bytes} bytes`);
  for (const text of scripts) {
    assert.doesNotMatch(text, /["']node:/);
    // Asked for only where it is there.
    const asked = new Set(text.match(/\bDeno\.\w+(?:\.\w+)?/g));
    asked.delete("Deno.version.deno");
    asked.delete("Deno.build.os");
    assert.deepEqual([...asked], []);
  }
});

const found = await hasChromium();

Deno.test({
  name: found
    ? "the page in Chromium"
    : "the page in Chromium (skipped: there is none; BIORNN_CHROMIUM may name one)",
  ignore: !found,
  // The connection to the browser outlives the steps.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn(t) {
    await using server = await startServer();
    await using browser = await Chromium.start();
    const open = async (hash: string, look?: Look) => {
      const tab = await browser.open(`${server.address}#${hash}`, look);
      await tab.text("#train");
      return tab;
    };
    const resultsOf = async (tab: Tab) => unzipSync(await tab.download("#zip"));
    let archive: Archive = {};

    await t.step(
      "trains by keyboard, to the last bit as the command line does",
      async () => {
        const tab = await open(settings());
        await tab.press("#train", "Enter");
        archive = await resultsOf(tab);
        await tab.close();
        const losses = lossesOf(archive, "bio/0");
        assert.ok(losses.at(-1)! < 0.8 * losses[0]!, `${losses}`);
        await withFolder(async (folder) => {
          const config = join(folder, "config.ini");
          await Deno.writeFile(config, archive["config.ini"]!);
          const trained = await runTask("train", [config, "--device", "cpu"]);
          assert.equal(trained.code, 0, trained.stderr);
          await assertSameFiles(archive, join(folder, "results"));
        });
      },
    );

    await t.step("keeps results that deno task viz reads", async () => {
      await withFolder(async (folder) => {
        await unpack(archive, folder);
        const arms = ["bio", "permute"];
        const drawn = await runTask("viz", [
          ...["--results_folders", ...arms.map((arm) => join(folder, arm))],
          ...["--results_labels", ...arms],
          ...["--save_figs", join(folder, "figs"), "--formats", "svg"],
        ]);
        assert.equal(drawn.code, 0, drawn.stderr);
        assert.deepEqual(errorLines(drawn), []);
      });
    });

    await t.step(
      "goes on where it was stopped, with the same numbers",
      async () => {
        const tab = await open(settings({ epochs: 120 }));
        // At once, or all might be trained before.
        await tab.evaluate(`
          new MutationObserver((_, observer) => {
            const button = document.querySelector("#stop");
            if (button === null) return;
            observer.disconnect();
            button.click();
          }).observe(document.body, { childList: true, subtree: true });`);
        await tab.click("#train");
        await tab.text('#phase[data-phase="stopped"]');
        await tab.click("#go");
        const again = await resultsOf(tab);
        await tab.close();
        for (const combination of ["bio/0", "bio/1", "permute/0"]) {
          const expected = lossesOf(archive, combination);
          const losses = lossesOf(again, combination);
          assert.deepEqual(losses.slice(0, expected.length), expected.slice());
        }
      },
    );

    await t.step(
      "trains with WebGPU as without, where there is an adapter",
      async () => {
        const tab = await open(settings({ device: "gpu", epochs: 2 }));
        const adapter = "navigator.gpu?.requestAdapter().then(Boolean)";
        if (await tab.evaluate(adapter)) {
          await tab.click("#train");
          const results = await resultsOf(tab);
          for (const combination of ["bio/0", "bio/1", "permute/0"]) {
            const expected = lossesOf(archive, combination);
            for (const [i, loss] of lossesOf(results, combination).entries()) {
              const difference = Math.abs(loss - expected[i]!);
              assert.ok(
                difference <= 1e-4 * expected[i]!,
                `${combination}: loss ${i} is ${loss}, expected ${expected[i]}`,
              );
            }
          }
        }
        await tab.close();
      },
    );

    await t.step(
      "says what is wrong with a setting, and speaks of no file",
      async () => {
        const tab = await open(settings({ epochs: 0 }));
        assert.match(
          await tab.text('[role="alert"]'),
          /^Cannot train: \[trainvalidate\] epochs must be .*found "0"/,
        );
        await tab.close();
      },
    );

    await t.step(
      "starts a config that is dropped, and says what is wrong with one",
      async () => {
        const tab = await open("");
        const drop = async (name: string, text: string) => {
          const path = join(browser.folder, name);
          await Deno.writeTextFile(path, text);
          await tab.choose("#files", path);
        };
        const text = new TextDecoder().decode(archive["config.ini"]);
        await drop("wrong.ini", text.replace("epochs", "epoch"));
        assert.match(
          await tab.text("#error"),
          /^Cannot read "wrong.ini", line \d+: .*epoch/,
        );
        await drop("config.ini", text);
        const { "bio/0/validate_loss_all.npy": losses } = await resultsOf(tab);
        assert.deepEqual(losses, archive["bio/0/validate_loss_all.npy"]);
        assert.match(await tab.evaluate("location.href"), /seed=3/);
        await drop("edges.csv", "pre,post,n\nA,B,2\nB,C,3\nC,A,1\nB,A,2\n");
        await tab.text('#net_name option[value="edges"]');
        assert.match(
          await tab.evaluate("location.href"),
          /net_name=edges&rnn_size=3/,
        );
        await tab.close();
      },
    );

    await t.step(
      "trains a file that is added under the name of the page's own connectome",
      async () => {
        const tab = await open(settings({ epochs: 2 }));
        const name = "Synthetic_Macaque_29.csv";
        const own = await Deno.readTextFile(
          new URL(`../../connectomes/${name}`, import.meta.url),
        );
        const path = join(browser.folder, name);
        await Deno.writeTextFile(path, own.replaceAll("0.0", "0.1"));
        await tab.choose("#files", path);
        // What is said of a file says that it is there.
        await tab.text(".status > p:not(.summary)");
        await tab.click("#train");
        const { "bio/experiment.json": record } = await resultsOf(tab);
        await tab.close();
        const { connectome } = JSON.parse(new TextDecoder().decode(record));
        assert.equal(connectome.source, name);
      },
    );

    await t.step(
      "can be stopped still after a file that is no connectome",
      async () => {
        const tab = await open(settings({ epochs: 5000 }));
        await tab.click("#train");
        await tab.text('#phase[data-phase="training"]');
        const path = join(browser.folder, "nothing.csv");
        await Deno.writeTextFile(path, "nothing\n");
        await tab.choose("#files", path);
        assert.match(await tab.text("#error"), /"nothing.csv"/);
        await tab.click("#stop");
        await tab.text('#phase[data-phase="stopped"]');
        await tab.close();
      },
    );

    await t.step(
      "has no serious fault of accessibility, and fits the window",
      async () => {
        for (
          const look of [
            { colorScheme: "light", width: 1280 },
            { colorScheme: "dark", width: 400 },
          ] as const
        ) {
          const tab = await open(settings(), look);
          await assertAccessible(tab);
          await tab.click("#train");
          await tab.text("#zip");
          await assertAccessible(tab);
          const width = await tab.evaluate("document.body.scrollWidth");
          assert.ok(width <= look.width, `the page is ${width} pixels wide`);
          await tab.close();
        }
      },
    );

    await t.step(
      "says what a browser lacks that has neither engine",
      async () => {
        // Without a compiler there is no WebAssembly.
        await using bare = await Chromium.start(["--js-flags=--jitless"]);
        const tab = await bare.open(server.address);
        await tab.click("#train");
        assert.match(
          await tab.text("#error"),
          /^Cannot train in this browser: it has neither WebGPU nor WebAssembly/,
        );
      },
    );

    await t.step("asks nobody for anything, and complains of nothing", () => {
      const others = browser.requests.filter((url) =>
        !url.startsWith(server.address) &&
        !/^(?:blob:|data:|about:blank)/.test(url)
      );
      assert.deepEqual(others, []);
      assert.ok(browser.requests.length > 10);
      assert.deepEqual(browser.complaints, []);
    });
  },
});

/** Serves the page by the command. */
async function startServer() {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["task", "--quiet", "app", "--port", "0"],
    cwd: new URL("../../", import.meta.url).pathname,
    stdout: "piped",
  }).spawn();
  let text = "";
  const pieces = child.stdout.pipeThrough(new TextDecoderStream());
  for await (const piece of pieces) {
    text += piece;
    if (text.includes("\n")) break;
  }
  return {
    address: text.trim(),
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.status;
    },
  };
}

/** Validation losses of the first iteration, an element an epoch. */
function lossesOf(archive: Archive, combination: string): Float64Array {
  const name = `${combination}/validate_loss_all.npy`;
  const { shape, data } = readNpy(archive[name]!, { name });
  return data.subarray(0, shape[1]);
}

async function unpack(archive: Archive, folder: string): Promise<void> {
  for (const [name, bytes] of Object.entries(archive)) {
    const path = join(folder, name);
    await Deno.mkdir(join(path, ".."), { recursive: true });
    await Deno.writeFile(path, bytes);
  }
}

/** All files of the archive's arms, and no others, to the byte; but for the version of Deno, which a browser has none of. */
async function assertSameFiles(
  archive: Archive,
  results: string,
): Promise<void> {
  const expected = new Map<string, Uint8Array>();
  await walk(results);
  async function walk(folder: string): Promise<void> {
    for await (const { name, isDirectory } of Deno.readDir(folder)) {
      const path = join(folder, name);
      if (isDirectory) await walk(path);
      else expected.set(relative(results, path), await Deno.readFile(path));
    }
  }
  const { "config.ini": _, ...found } = archive;
  assert.deepEqual(Object.keys(found).sort(), [...expected.keys()].sort());
  for (const [name, bytes] of expected) {
    if (/experiment\.json$/.test(name)) {
      assert.deepEqual(withoutDeno(found[name]!), withoutDeno(bytes));
    } else if (/SHA256SUMS$/.test(name)) {
      assert.deepEqual(otherSums(found[name]!), otherSums(bytes));
    } else assert.deepEqual(found[name], bytes, name);
  }
}

function withoutDeno(bytes: Uint8Array): unknown {
  const record = JSON.parse(new TextDecoder().decode(bytes));
  delete record.program.deno;
  delete record.checksum;
  return record;
}

function otherSums(bytes: Uint8Array): string[] {
  return new TextDecoder().decode(bytes).split("\n").filter((line) =>
    !line.endsWith("experiment.json")
  );
}

async function assertAccessible(tab: Tab): Promise<void> {
  await tab.evaluate(axe.source);
  const { violations } = await tab.evaluate("axe.run()") as {
    violations: { id: string; impact: string; nodes: { html: string }[] }[];
  };
  const serious = violations.filter(({ impact }) =>
    impact === "serious" || impact === "critical"
  ).map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html)}`);
  assert.deepEqual(serious, []);
}

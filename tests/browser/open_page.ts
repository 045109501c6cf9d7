/**
 * Runs a module in Chromium.
 *
 * @module
 */

/** Kernels for a software adapter take long to compile. */
const PATIENCE = 20 * 60_000;

const FLAGS = [
  "--headless=new",
  "--enable-unsafe-webgpu",
  // As root, as in a container, Chromium has no sandbox.
  "--no-sandbox",
  "--disable-gpu-sandbox",
  // Compiling may keep the GPU's process from answering for long.
  "--disable-gpu-watchdog",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
];

/** Without them a page can't share memory with its workers. */
const ISOLATION = {
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-embedder-policy": "require-corp",
};

/**
 * Bundles a module, runs it in Chromium and gives what it sends to `/report`,
 * as JSON; undefined where there is no Chromium.
 *
 * @throws {Error} If the module can't be bundled, or sends nothing.
 */
export async function openPage(
  module: URL,
  { worker }: {
    /** A module that the page starts as a worker, under its own name. */
    readonly worker?: URL;
  } = {},
): Promise<unknown> {
  const folder = await Deno.makeTempDir({ prefix: "biornn-browser-" });
  const report = Promise.withResolvers<unknown>();
  const patience = setTimeout(
    () => report.reject(new Error("the page sent no report in time")),
    PATIENCE,
  );
  try {
    const scripts = new Map([
      ["/page.js", await bundle(module, `${folder}/page.js`)],
    ]);
    if (worker !== undefined) {
      const name = `/${worker.pathname.split("/").at(-1)}`;
      scripts.set(name, await bundle(worker, `${folder}/worker.js`));
    }
    await using server = Deno.serve(
      { hostname: "127.0.0.1", port: 0, onListen() {} },
      async (request) => {
        const { pathname } = new URL(request.url);
        if (pathname === "/report") {
          report.resolve(await request.json());
          return new Response();
        }
        const script = scripts.get(pathname);
        const type = script === undefined ? "text/html" : "text/javascript";
        return new Response(
          script ?? '<script type="module" src="page.js"></script>',
          { headers: { ...ISOLATION, "content-type": type } },
        );
      },
    );
    const browser = startBrowser(folder, server.addr.port);
    if (browser === undefined) return undefined;
    let ended = false;
    browser.status.then(({ code }) => {
      ended = true;
      report.reject(new Error(`Chromium ended with exit code ${code}`));
    });
    try {
      return await report.promise;
    } finally {
      if (!ended) browser.kill();
      await browser.status;
    }
  } finally {
    clearTimeout(patience);
    // Chromium's helpers may still write for a moment.
    await Deno.remove(folder, { recursive: true }).catch(() => {});
  }
}

function startBrowser(
  folder: string,
  port: number,
): Deno.ChildProcess | undefined {
  try {
    return new Deno.Command(Deno.env.get("BIORNN_CHROMIUM") ?? "chromium", {
      args: [
        ...FLAGS,
        `--user-data-dir=${folder}/profile`,
        `http://127.0.0.1:${port}/`,
      ],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}

async function bundle(module: URL, output: string): Promise<string> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [
      "bundle",
      "--platform",
      "browser",
      // As the page that trains in a browser is bundled.
      "--import-map",
      new URL("../../src/app/import_map.json", import.meta.url).pathname,
      "-o",
      output,
      module.href,
    ],
    stdout: "null",
    stderr: "piped",
  }).output();
  if (!success) {
    throw new Error(
      `Cannot bundle ${module.pathname}: ${new TextDecoder().decode(stderr)}`,
    );
  }
  const text = await Deno.readTextFile(output);
  // A page that can't load its modules reports nothing.
  const [missing] = /^import .* from "node:.*/m.exec(text) ?? [];
  if (missing !== undefined) {
    throw new Error(`Cannot run ${module.pathname} in a browser: ${missing}`);
  }
  return text;
}

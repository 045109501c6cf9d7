/**
 * A headless Chromium that tests drive as a person does, over its DevTools
 * protocol: https://chromedevtools.github.io/devtools-protocol/
 *
 * @module
 */

import { join } from "node:path";

/** Milliseconds that anything may take on a busy machine. */
const PATIENCE = 120_000;

const FLAGS = [
  "--headless=new",
  // As root, as in a container, Chromium has no sandbox.
  "--no-sandbox",
  "--disable-gpu-sandbox",
  "--disable-gpu-watchdog",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
  "--no-first-run",
  "--remote-debugging-port=0",
  "about:blank",
];

/** The program's name or path. */
const PROGRAM = Deno.env.get("BIORNN_CHROMIUM") ?? "chromium";

/** Whether there is a Chromium. */
export async function hasChromium(): Promise<boolean> {
  try {
    const version = new Deno.Command(PROGRAM, { args: ["--version"] });
    return (await version.output()).success;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return false;
    throw error;
  }
}

type Message = Record<string, unknown>;
// deno-lint-ignore no-explicit-any -- answers are as the protocol says
type Answer = any;

/** How a tab looks. */
export interface Look {
  readonly colorScheme?: "light" | "dark";
  readonly width?: number;
}

/** A running browser. */
export class Chromium {
  /** What pages and their workers asked for or complained of. */
  readonly requests: string[] = [];
  readonly complaints: string[] = [];
  /** Where downloads go. */
  readonly folder: string;
  readonly #process: Deno.ChildProcess;
  readonly #socket: WebSocket;
  readonly #waiting = new Map<
    number,
    { resolve(answer: Answer): void; reject(error: Error): void }
  >();
  #last = 0;

  private constructor(
    folder: string,
    process: Deno.ChildProcess,
    socket: WebSocket,
  ) {
    this.folder = folder;
    this.#process = process;
    this.#socket = socket;
    socket.onmessage = ({ data }) => this.#hear(JSON.parse(data));
  }

  /** Starts one with a folder of its own; by default with WebGPU, on a software adapter too. */
  static async start(
    flags: readonly string[] = ["--enable-unsafe-webgpu"],
  ): Promise<Chromium> {
    const folder = await Deno.makeTempDir({ prefix: "biornn-browser-" });
    const profile = join(folder, "profile");
    const process = new Deno.Command(PROGRAM, {
      args: [`--user-data-dir=${profile}`, ...flags, ...FLAGS],
      stdin: "null",
      stdout: "null",
      stderr: "null",
    }).spawn();
    const [port, path] = await soon(async () => {
      const text = await Deno.readTextFile(join(profile, "DevToolsActivePort"))
        .catch(() => "");
      const lines = text.split("\n");
      return lines.length > 1 ? lines : undefined;
    }, "the browser's address");
    const socket = new WebSocket(`ws://127.0.0.1:${port}${path}`);
    await new Promise((resolve, reject) => {
      socket.onopen = resolve;
      socket.onerror = reject;
    });
    const browser = new Chromium(folder, process, socket);
    await browser.send("Browser.setDownloadBehavior", {
      behavior: "allowAndName",
      downloadPath: folder,
      eventsEnabled: true,
    });
    return browser;
  }

  /** Sends a command and gives its answer. */
  send(method: string, params: Message = {}, sessionId?: string) {
    const id = ++this.#last;
    const { promise, resolve, reject } = Promise.withResolvers<Answer>();
    this.#waiting.set(id, { resolve, reject });
    this.#socket.send(JSON.stringify({ id, method, params, sessionId }));
    return promise;
  }

  /** Names of finished downloads. */
  readonly downloads: string[] = [];

  #hear({ id, method, params, result, error, sessionId }: Answer): void {
    if (id !== undefined) {
      const { resolve, reject } = this.#waiting.get(id)!;
      this.#waiting.delete(id);
      return error === undefined
        ? resolve(result)
        : reject(new Error(error.message));
    }
    switch (method) {
      case "Target.attachedToTarget":
        // Workers, and workers of workers.
        this.#watch(params.sessionId).catch(() => {});
        break;
      case "Network.requestWillBeSent":
        this.requests.push(params.request.url);
        break;
      case "Runtime.exceptionThrown": {
        const { text, exception } = params.exceptionDetails;
        this.complaints.push(`${text} ${exception?.description ?? ""}`);
        break;
      }
      case "Runtime.consoleAPICalled":
        this.complaints.push(`${params.type}: ${params.args[0]?.value}`);
        break;
      case "Log.entryAdded":
        this.complaints.push(`${params.entry.level}: ${params.entry.text}`);
        break;
      case "Browser.downloadProgress":
        if (params.state === "completed") this.downloads.push(params.guid);
        break;
      default:
        void sessionId;
    }
  }

  async #watch(session: string): Promise<void> {
    const enable = ["Runtime", "Network", "Log"].map((domain) =>
      // Not all have a log.
      this.send(`${domain}.enable`, {}, session).catch(() => {})
    );
    const attach = { autoAttach: true, waitForDebuggerOnStart: false };
    const follow = this.send(
      "Target.setAutoAttach",
      { ...attach, flatten: true },
      session,
    );
    await Promise.all([...enable, follow]);
  }

  /** Opens a page in a tab of its own. */
  async open(url: string, look: Look = {}): Promise<Tab> {
    const { targetId } = await this.send("Target.createTarget", {
      url: "about:blank",
    });
    const { sessionId } = await this.send("Target.attachToTarget", {
      targetId,
      flatten: true,
    });
    await this.#watch(sessionId);
    const tab = new Tab(this, sessionId, targetId);
    await tab.send("Page.enable");
    await tab.send("DOM.enable");
    await tab.send("Emulation.setEmulatedMedia", {
      features: [{
        name: "prefers-color-scheme",
        value: look.colorScheme ?? "light",
      }],
    });
    await tab.send("Emulation.setDeviceMetricsOverride", {
      width: look.width ?? 1280,
      height: 900,
      deviceScaleFactor: 1,
      mobile: false,
    });
    await tab.send("Page.navigate", { url });
    return tab;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.send("Browser.close").catch(() => {});
    this.#socket.close();
    await this.#process.status;
    await Deno.remove(this.folder, { recursive: true }).catch(() => {
      // Its helpers may still write for a moment.
    });
  }
}

/** A page. */
export class Tab {
  readonly browser: Chromium;
  readonly #session: string;
  readonly #target: string;

  constructor(browser: Chromium, session: string, target: string) {
    this.browser = browser;
    this.#session = session;
    this.#target = target;
  }

  send(method: string, params: Message = {}): Promise<Answer> {
    return this.browser.send(method, params, this.#session);
  }

  /** What an expression comes to in the page. */
  async evaluate(expression: string): Promise<Answer> {
    const { result, exceptionDetails } = await this.send("Runtime.evaluate", {
      expression,
      awaitPromise: true,
      returnByValue: true,
    });
    if (exceptionDetails === undefined) return result.value;
    throw new Error(exceptionDetails.exception?.description ?? expression);
  }

  /** The text of the first element, once there is one. */
  text(selector: string): Promise<string> {
    const found = `document.querySelector(${JSON.stringify(selector)})`;
    return soon(
      async () => await this.evaluate(`${found}?.textContent`) ?? undefined,
      selector,
    );
  }

  async click(selector: string): Promise<void> {
    await this.text(selector);
    await this.evaluate(
      `document.querySelector(${JSON.stringify(selector)}).click()`,
    );
  }

  /** Presses a key with the focus on an element. */
  async press(selector: string, key: "Enter"): Promise<void> {
    await this.text(selector);
    await this.evaluate(
      `document.querySelector(${JSON.stringify(selector)}).focus()`,
    );
    for (const type of ["keyDown", "keyUp"]) {
      await this.send("Input.dispatchKeyEvent", {
        type,
        key,
        code: key,
        windowsVirtualKeyCode: 13,
        text: type === "keyDown" ? "\r" : "",
      });
    }
  }

  /** Gives a file to a field for files. */
  async choose(selector: string, path: string): Promise<void> {
    await this.text(selector);
    const { root } = await this.send("DOM.getDocument");
    const { nodeId } = await this.send("DOM.querySelector", {
      nodeId: root.nodeId,
      selector,
    });
    await this.send("DOM.setFileInputFiles", { nodeId, files: [path] });
  }

  /** The bytes that a link downloads. */
  async download(selector: string): Promise<Uint8Array> {
    const before = this.browser.downloads.length;
    await this.click(selector);
    const name = await soon(
      () => Promise.resolve(this.browser.downloads[before]),
      "the download",
    );
    return await Deno.readFile(join(this.browser.folder, name));
  }

  /** Takes a picture of the whole page, as a PNG. */
  async picture(): Promise<Uint8Array> {
    const { data } = await this.send("Page.captureScreenshot", {
      captureBeyondViewport: true,
    });
    return Uint8Array.fromBase64(data);
  }

  async close(): Promise<void> {
    await this.browser.send("Target.closeTarget", { targetId: this.#target });
  }
}

/** Asks again and again until there is an answer. */
async function soon<T>(
  ask: () => Promise<T | undefined>,
  what: string,
): Promise<T> {
  const end = performance.now() + PATIENCE;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    if (performance.now() > end) throw new Error(`${what} did not come`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/**
 * The notebooks run from the first cell to the last, in a folder that is not
 * the clone. That takes Jupyter's client for Python 3 (Debian:
 * `apt-get install python3-jupyter-client`); elsewhere the test is skipped.
 */
import assert from "node:assert/strict";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, itNeeds } from "../src/compat/testing.ts";
import { findPython } from "./find_python.ts";

const ROOT = fileURLToPath(new URL("..", import.meta.url));

/**
 * Runs a notebook and prints what its cells show as JSON, an object of texts and
 * figures by type. Deno's kernel may send what a cell shows after it has said
 * that the cell is done, which nbclient would lose: so all are waited for.
 */
const EXECUTE = `
import json, queue, sys
from jupyter_client.manager import start_new_kernel
cells = json.load(open(sys.argv[1]))["cells"]
manager, client = start_new_kernel(kernel_name="deno")
shown = {}
def listen(seconds):
    try:
        while True:
            message = client.get_iopub_msg(timeout=seconds)
            data = message["content"].get("data")
            shown.get(message["parent_header"].get("msg_id"), []).extend([data] if data else [])
    except queue.Empty:
        pass
try:
    for cell in cells:
        if cell["cell_type"] == "code":
            shown[client.execute("".join(cell["source"]))] = []
            reply = client.get_shell_msg(timeout=300)["content"]
            if reply["status"] != "ok":
                sys.exit(json.dumps(reply))
    listen(1)
finally:
    client.stop_channels()
    manager.shutdown_kernel(now=True)
print(json.dumps(sum(shown.values(), [])))
`;

async function output(
  command: string,
  options: Deno.CommandOptions,
): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(command, options)
    .output();
  const text = (bytes: Uint8Array) => new TextDecoder().decode(bytes);
  if (!success) throw new Error(text(stderr));
  return text(stdout);
}

const PYTHON = await findPython("jupyter_client");

type Shown = Readonly<Record<string, unknown>>;

/** A folder beside the clone's `mod.ts`, and Deno's kernel in a home of its own. */
async function executeAll(): Promise<Map<string, readonly Shown[]>> {
  const folder = await Deno.makeTempDir({ prefix: "biornn_notebooks_" });
  try {
    const deno = Deno.execPath();
    const info = await output(deno, { args: ["info", "--json"] });
    const env = {
      HOME: folder,
      DENO_DIR: String(JSON.parse(info).denoDir),
      XDG_RUNTIME_DIR: "/tmp",
      NO_COLOR: "1",
    };
    await output(deno, { args: ["jupyter", "--install"], env });
    const shown = new Map<string, readonly Shown[]>();
    for await (const { name } of Deno.readDir(join(ROOT, "examples"))) {
      if (!name.endsWith(".ipynb")) continue;
      const text = await Deno.readTextFile(join(ROOT, "examples", name));
      assert.ok(text.includes("../mod.ts"), name);
      await Deno.writeTextFile(
        join(folder, name),
        text.replaceAll("../mod.ts", join(ROOT, "mod.ts")),
      );
      const args = ["-c", EXECUTE, name];
      const printed = await output(PYTHON!, { args, env, cwd: folder });
      shown.set(name, JSON.parse(printed));
    }
    return shown;
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

const missing = PYTHON === undefined
  ? "no Python with jupyter_client"
  : undefined;

describe("notebooks", () => {
  itNeeds("run in any folder and show what they say", missing, async () => {
    const shown = await executeAll();
    const texts = (name: string) =>
      shown.get(name)!.map((data) => String(data["text/plain"])).join("\n");
    for (const [name, outputs] of shown) {
      const figures = outputs.filter((data) =>
        "application/vnd.vegalite.v5+json" in data
      );
      assert.ok(figures.length > 0, name);
      assert.ok(JSON.stringify(outputs).length < 300_000, name);
    }
    assert.match(texts("quickstart.ipynb"), /100 %, best loss 0\.0\d+/);
    assert.match(texts("own_task.ipynb"), /"delay 2": "9[5-9]|"delay 2": "100/);
    // Remapped arms end apart, matched or not, and so does one wiring with itself; not remapped they do not.
    const [misled = "", matched = "", fair = "", itself = ""] = shown
      .get("bio_or_random.ipynb")!.slice(-4).map((data) =>
        String(data["text/plain"])
      );
    assert.match(misled, /tends to be higher/);
    assert.match(matched, /tends to be higher/);
    assert.match(fair, /no evidence of a difference/);
    assert.match(itself, /tends to be higher/);
  });
});

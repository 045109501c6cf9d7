import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import {
  addressOf,
  CATALOGUE,
  CATALOGUE_ADDRESS,
  type CatalogueEntry,
  catalogueEntry,
  filesOf,
} from "../../src/connectome/catalogue.ts";
import { connectomeOfFile } from "../../src/connectome/decode.ts";
import {
  downloadConnectome,
  type DownloadOptions,
  loadConnectome,
} from "../../src/connectome/load.ts";
import { sha256Hex } from "../../src/files/bytes.ts";
import { InputError } from "../../src/files/input_error.ts";
import { withFolder } from "../with_folder.ts";

type Fetch = NonNullable<DownloadOptions["fetch"]>;

const CONTENTS: Record<string, Uint8Array> = {
  "C_Tiny.npy": new TextEncoder().encode("weights"),
  "Names_Tiny.lst": new TextEncoder().encode("names"),
};

async function tinyEntry(): Promise<CatalogueEntry> {
  const file = async (name: string) => ({
    file: name,
    sha256: await sha256Hex(CONTENTS[name]!),
    bytes: CONTENTS[name]!.length,
  });
  return {
    name: "Tiny",
    species: "none",
    description: "a test's",
    regions: 2,
    connections: 1,
    rows: "source",
    citations: [],
    files: {
      weights: await file("C_Tiny.npy"),
      names: await file("Names_Tiny.lst"),
    },
  };
}

/** A server on this machine that stands in for the catalogue's. */
async function withServer(
  answer: (file: string) => Response,
  use: (fetch: Fetch) => Promise<void>,
): Promise<void> {
  const server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    (request) => answer(new URL(request.url).pathname.slice(1)),
  );
  try {
    await use((address, init) => {
      assert.ok(address.startsWith(CATALOGUE_ADDRESS));
      const file = address.slice(CATALOGUE_ADDRESS.length);
      return fetch(`http://127.0.0.1:${server.addr.port}/${file}`, init);
    });
  } finally {
    await server.shutdown();
  }
}

function filesIn(folder: string): string[] {
  try {
    return [...Deno.readDirSync(folder)].map(({ name }) => name).sort();
  } catch {
    return [];
  }
}

/** Downloads from a server that is at fault, and returns the sentence. */
async function refusal(answer: (file: string) => Response): Promise<string> {
  let message = "";
  await withFolder(async (folder) => {
    const cacheFolder = join(folder, "cache");
    await withServer(answer, async (fetch) => {
      await assert.rejects(
        downloadConnectome(await tinyEntry(), { cacheFolder, fetch }),
        (error) => {
          assert.ok(error instanceof InputError);
          message = error.message;
          return true;
        },
      );
    });
    assert.deepEqual(filesIn(cacheFolder), []);
  });
  assert.ok(message.includes(CATALOGUE_ADDRESS));
  assert.ok(message.includes("cache"));
  return message;
}

function body(file: string): BodyInit {
  return CONTENTS[file] as Uint8Array<ArrayBuffer>;
}

describe("CATALOGUE", () => {
  it("pins every file: a whole commit in its address, its checksum and its size", () => {
    for (const entry of CATALOGUE) {
      assert.match(
        addressOf(entry),
        /^https:\/\/raw\.githubusercontent\.com\/[^/]+\/[^/]+\/[0-9a-f]{40}\/(?:[^?#]+\/)?$/,
        entry.name,
      );
      for (const { sha256, bytes } of filesOf(entry)) {
        assert.match(sha256, /^[0-9a-f]{64}$/, entry.name);
        assert.ok(Number.isInteger(bytes) && bytes > 0, entry.name);
      }
    }
  });
});

describe("downloadConnectome()", () => {
  it("keeps all files where they are as the catalogue says", async () => {
    await withFolder(async (folder) => {
      const cacheFolder = join(folder, "a", "b");
      const lines: string[] = [];
      await withServer((file) => new Response(body(file)), async (fetch) => {
        await downloadConnectome(await tinyEntry(), {
          cacheFolder,
          fetch,
          onProgress: (line) => lines.push(line),
        });
      });
      assert.deepEqual(filesIn(cacheFolder), ["C_Tiny.npy", "Names_Tiny.lst"]);
      assert.equal(
        await Deno.readTextFile(join(cacheFolder, "C_Tiny.npy")),
        "weights",
      );
      assert.match(lines[0]!, /^downloading the connectome Tiny: 2 files/);
    });
  });

  it("keeps nothing where a checksum is wrong", async () => {
    const message = await refusal((file) =>
      new Response(file.startsWith("C_") ? "Weights" : body(file))
    );
    assert.match(message, /C_Tiny\.npy .* its SHA-256 is [0-9a-f]{64}, but/);
  });

  it("keeps nothing where a file is too long, too short or cut", async () => {
    const endless = await refusal(() =>
      new Response(
        new ReadableStream({
          pull: (controller) => controller.enqueue(new Uint8Array(1 << 16)),
        }),
      )
    );
    assert.match(endless, /longer than the 5 bytes/);
    const short = await refusal(() => new Response("nam"));
    assert.match(short, /ended after 3 of 5 bytes/);
  });

  it("keeps nothing where the connection is cut in the middle of a file", async () => {
    const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    const served = (async () => {
      for await (const connection of listener) {
        await connection.read(new Uint8Array(4096));
        await connection.write(
          new TextEncoder().encode(
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nnam",
          ),
        );
        connection.close();
      }
    })();
    await withFolder(async (folder) => {
      const cacheFolder = join(folder, "cache");
      await assert.rejects(
        downloadConnectome(await tinyEntry(), {
          cacheFolder,
          fetch: (_, init) =>
            fetch(`http://127.0.0.1:${listener.addr.port}/`, init),
        }),
        /can't be reached or broke off; get /,
      );
      assert.deepEqual(filesIn(cacheFolder), []);
    });
    listener.close();
    await served;
  });

  it("says what the server answered", async () => {
    const message = await refusal(() => new Response("no", { status: 404 }));
    assert.match(message, /Names_Tiny\.lst .* answered 404/);
  });

  it("follows no redirection to another address", async () => {
    const message = await refusal(() =>
      new Response(null, { status: 302, headers: { location: "/elsewhere" } })
    );
    assert.match(message, /can't be reached or broke off/);
  });

  it("says in one sentence where to get the files without a network", async () => {
    await withFolder(async (cacheFolder) => {
      await assert.rejects(
        downloadConnectome(await tinyEntry(), {
          cacheFolder,
          fetch: () => Promise.reject(new TypeError("no network")),
        }),
        {
          name: "InputError",
          message:
            `Cannot download Names_Tiny.lst of the connectome "Tiny": raw.githubusercontent.com can't be reached or broke off; get Names_Tiny.lst, C_Tiny.npy from ${CATALOGUE_ADDRESS} by other means, and put them into "${cacheFolder}" or into the folder that path_to_network names`,
        },
      );
    });
  });
});

const folder = Deno.env.get("BIORNN_CONNECTOMES") || undefined;
const missing = folder === undefined
  ? "BIORNN_CONNECTOMES names no folder with bio2art's connectomes"
  : undefined;

itNeeds(
  "loadConnectome() downloads once, then reads the cache; a damaged cache is downloaded again",
  missing,
  async () => {
    await withFolder(async (cacheFolder) => {
      let requests = 0;
      const fetch: Fetch = async (address) => {
        requests++;
        const file = address.slice(CATALOGUE_ADDRESS.length);
        return new Response(await Deno.readFile(join(folder!, file)));
      };
      const files = filesOf(catalogueEntry("Macaque_Normalized")!);
      const first = await loadConnectome("Macaque_Normalized", {
        cacheFolder,
        fetch,
      });
      assert.equal(requests, files.length);
      const second = await loadConnectome("Macaque_Normalized", {
        cacheFolder,
        fetch,
      });
      assert.equal(requests, files.length);
      assert.deepEqual(second, first);
      assert.equal(first.species, "macaque");

      const damaged = join(cacheFolder, "C_Macaque_Normalized.npy");
      const bytes = await Deno.readFile(damaged);
      bytes[200]! ^= 1;
      await Deno.writeFile(damaged, bytes);
      const lines: string[] = [];
      const third = await loadConnectome("Macaque_Normalized", {
        cacheFolder,
        fetch,
        onProgress: (line) => lines.push(line),
      });
      assert.equal(requests, 2 * files.length);
      assert.deepEqual(third, first);
      assert.match(lines[0]!, /is damaged/);
    });
  },
);

const neurons = Deno.env.get("BIORNN_NEURONS") || undefined;

for (const name of ["Larva_Winding", "C_elegans_Cook"]) {
  itNeeds(
    `${name} holds what the catalogue says`,
    neurons === undefined
      ? "BIORNN_NEURONS names no folder with connectomes of neurons"
      : undefined,
    async () => {
      const lines: string[] = [];
      const { graph, sha256, citations } = await loadConnectome(name, {
        folder: neurons!,
        onProgress: (line) => lines.push(line),
      });
      const entry = CATALOGUE.find((each) => each.name === name)!;
      assert.equal(graph.nodes, entry.regions);
      assert.equal(graph.weight.length, entry.connections);
      assert.equal(sha256, entry.files.weights.sha256);
      assert.deepEqual(citations, entry.citations);
      assert.deepEqual(lines, []);
      const { file } = entry.files.weights;
      const dropped = await connectomeOfFile(
        await Deno.readFile(join(neurons!, file)),
        {
          file: "renamed.csv".replace(/csv$/, file.split(".").at(-1)!),
          onProgress() {},
        },
      );
      assert.equal(dropped.name, name);
      assert.deepEqual(dropped.graph, graph);
    },
  );
}

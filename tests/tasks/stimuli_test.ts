import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import { join } from "node:path";
import fc from "fast-check";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import { writeNpy } from "../../src/files/npy.ts";
import { loadStimuli } from "../../src/tasks/stimuli.ts";
import { withFolder } from "../with_folder.ts";

/** Three latent vectors of two numbers, labels 2, 0, 1: PyTorch's file of a tuple, before version 1.6. */
const TORCH_TUPLE =
  "gAKKCmz8nEb5IGqoUBkugAJN6QMugAJ9cQAoWBAAAABwcm90b2NvbF92ZXJzaW9ucQFN6QNYDQAAAGxpdHRsZV9lbmRpYW5xAohYCgAAAHR5cGVfc2l6ZXNxA31xBChYBQAAAHNob3J0cQVLAlgDAAAAaW50cQZLBFgEAAAAbG9uZ3EHSwR1dS6AAmN0b3JjaC5fdXRpbHMKX3JlYnVpbGRfdGVuc29yX3YyCnEAKChYBwAAAHN0b3JhZ2VxAWN0b3JjaApGbG9hdFN0b3JhZ2UKcQJYAQAAADFxA1gDAAAAY3B1cQRLBk50cQVRSwBLA0sChnEGSwJLAYZxB4ljY29sbGVjdGlvbnMKT3JkZXJlZERpY3QKcQgpUnEJdHEKUnELaAAoKGgBY3RvcmNoCkxvbmdTdG9yYWdlCnEMWAEAAAAwcQ1oBEsDTnRxDlFLAEsDhXEPSwGFcRCJaAgpUnERdHESUnEThnEULoACXXEAKFgBAAAAMHEBWAEAAAAxcQJlLgMAAAAAAAAAAgAAAAAAAAAAAAAAAAAAAAEAAAAAAAAABgAAAAAAAAAAAAAAAACAPgAAAD8AAEA/AACAPwAAoD8=";

/** Big-endian sizes after the magic number. */
function idx(shape: number[], data: number[]): Uint8Array {
  const bytes = new Uint8Array(4 + 4 * shape.length + data.length);
  bytes.set([0, 0, 8, shape.length]);
  for (const [i, length] of shape.entries()) bytes[7 + 4 * i] = length;
  bytes.set(data, 4 + 4 * shape.length);
  return bytes;
}

const npy = (shape: number[], data: number[]) =>
  writeNpy({ shape, data: Float64Array.from(data) });

const load = (kind: "latents" | "images", folder: string, name: string) =>
  loadStimuli(kind, { file: join(folder, name), seed: 1 });

async function sentence(promise: Promise<unknown>): Promise<string> {
  let message = "";
  await assert.rejects(promise, (error) => {
    assert.ok(error instanceof InputError, String(error));
    message = error.message;
    return true;
  });
  return message;
}

describe("loadStimuli()", () => {
  it("draws synthetic digits where no file is named", async () => {
    const images = await loadStimuli("images", { seed: 4 });
    assert.deepEqual(
      [images.size, images.count, images.synthetic, images.source],
      [784, 2000, true, "synthetic digits"],
    );
    const latents = await loadStimuli("latents", { seed: 4 });
    assert.deepEqual(
      [latents.size, latents.count, latents.synthetic, latents.source],
      [50, 2000, true, "latents of synthetic digits"],
    );
  });

  it("reads a pair of .npy files", async () => {
    const files = {
      "mine.npy": npy([3, 2], [0, 0.5, 1, 1.5, 2, 2.5]),
      "mine_labels.npy": npy([3], [7, 0, 255]),
    };
    await withFolder(async (folder) => {
      assert.deepEqual(await load("latents", folder, "mine.npy"), {
        size: 2,
        count: 3,
        values: Float32Array.of(0, 0.5, 1, 1.5, 2, 2.5),
        labels: Uint8Array.of(7, 0, 255),
        source: join(folder, "mine.npy"),
        synthetic: false,
      });
    }, files);
  });

  it("reads MNIST's pairs of IDX files, packed or not", async () => {
    const images = idx([2, 2, 3], [0, 1, 2, 3, 4, 5, 255, 7, 8, 9, 10, 11]);
    const labels = idx([2], [9, 3]);
    const files = {
      "t10k-images-idx3-ubyte": images,
      "t10k-labels-idx1-ubyte": labels,
      "t10k-images-idx3-ubyte.gz": gzipSync(images),
      "t10k-labels-idx1-ubyte.gz": gzipSync(labels),
    };
    await withFolder(async (folder) => {
      for (const ending of ["", ".gz"]) {
        const found = await load(
          "images",
          folder,
          `t10k-images-idx3-ubyte${ending}`,
        );
        assert.equal(found.size, 6);
        assert.deepEqual([...found.labels], [9, 3]);
        assert.deepEqual([...found.values.subarray(6)], [255, 7, 8, 9, 10, 11]);
      }
    }, files);
  });

  it("reads PyTorch's tuple of vectors and labels", async () => {
    await withFolder(async (folder) => {
      const found = await load("latents", folder, "some.pt");
      assert.deepEqual([found.size, found.count], [2, 3]);
      assert.deepEqual([...found.values], [0, 0.25, 0.5, 0.75, 1, 1.25]);
      assert.deepEqual([...found.labels], [2, 0, 1]);
    }, { "some.pt": Uint8Array.fromBase64(TORCH_TUPLE) });
  });

  it("tells in one sentence what does not fit", async () => {
    const labels = npy([2], [0, 1]);
    const files = {
      "alone.npy": npy([2, 2], [0, 1, 2, 3]),
      "flat.npy": npy([4], [0, 1, 2, 3]),
      "flat_labels.npy": labels,
      "few.npy": npy([3, 1], [0, 1, 2]),
      "few_labels.npy": labels,
      "bright.npy": npy([2, 1], [0, 256]),
      "bright_labels.npy": labels,
      "normal.npy": npy([2, 1], [1, -1]),
      "normal_labels.npy": labels,
      "nan.npy": npy([2, 1], [0, NaN]),
      "nan_labels.npy": labels,
      "half.npy": npy([2, 1], [0, 1]),
      "half_labels.npy": npy([2], [0, 0.5]),
      "pictures": idx([1, 1], [0]),
      "notes.txt": new TextEncoder().encode("hello"),
      "empty.npy": new Uint8Array(0),
    };
    await withFolder(async (folder) => {
      const images = new Set(["bright.npy", "normal.npy", "pictures"]);
      for (
        const [name, expected] of [
          [
            "none.npy",
            /^Cannot read the latents ".*none\.npy": there is no such file$/,
          ],
          [
            "alone.npy",
            /labels of ".*alone\.npy" from ".*alone_labels\.npy": there is no such file$/,
          ],
          ["flat.npy", /shape is \[4\], but \[count, …\] is needed$/],
          [
            "few.npy",
            /there are 3 of them, but the labels in ".*few_labels\.npy" are of shape \[2\]$/,
          ],
          ["bright.npy", /a pixel is 256, but pixels go from 0 to 255$/],
          [
            "normal.npy",
            /a pixel is -1, but pixels go from 0 to 255 .*undo the normalisation/,
          ],
          ["nan.npy", /one of the numbers is NaN$/],
          [
            "half.npy",
            /label 1 is 0\.5, but labels are whole numbers from 0 to 255$/,
          ],
          ["pictures", /the name of an IDX file must hold "images"/],
          [
            "notes.txt",
            /neither NumPy's \.npy, nor PyTorch's \.pt, nor an IDX file/,
          ],
          ["empty.npy", /neither NumPy's \.npy/],
        ] as const
      ) {
        const kind = images.has(name) ? "images" : "latents";
        assert.match(await sentence(load(kind, folder, name)), expected);
      }
    }, files);
  });

  it("answers broken PyTorch files with an InputError, never anything else", async () => {
    const whole = Uint8Array.fromBase64(TORCH_TUPLE);
    await withFolder((folder) =>
      fc.assert(
        fc.asyncProperty(
          fc.nat(whole.length),
          fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
          async (length, changes) => {
            const bytes = whole.slice(0, length);
            for (const [place, byte] of changes) {
              bytes[place % whole.length] = byte;
            }
            await Deno.writeFile(join(folder, "broken.pt"), bytes);
            try {
              await load("latents", folder, "broken.pt");
            } catch (error) {
              assert.ok(error instanceof InputError, String(error));
            }
          },
        ),
        { numRuns: 500 },
      )
    );
  });
});

describe("loadStimuli() with download", () => {
  const none = () => Promise.reject(new TypeError("no network"));

  it("tells where to get the latents when there is no network", async () => {
    await withFolder(async (folder) => {
      const lines: string[] = [];
      const message = await sentence(loadStimuli("latents", {
        file: "download",
        seed: 1,
        cacheFolder: folder,
        fetch: none,
        onProgress: (line) => lines.push(line),
      }));
      assert.match(
        message,
        /^Cannot download the latents mnist_latent_output_labels\.pt: .* can't be reached or broke off; get the file from https:.* \[paths\] latents, or leave latents empty for synthetic ones$/,
      );
      assert.equal(lines.length, 1);
      assert.match(
        lines[0] as string,
        /^downloading the latents of MNIST, 2032 KiB/,
      );
    });
  });

  it("keeps nothing that is not the file it knows", async () => {
    const answers: [() => Response, RegExp][] = [
      [
        () => new Response("x".repeat(2_080_466)),
        /its SHA-256 is [0-9a-f]{64}, but should be 2459db23/,
      ],
      [
        () => new Response("x".repeat(2_080_467)),
        /longer than the 2080466 bytes/,
      ],
      [() => new Response("x"), /ended after 1 of 2080466 bytes/],
      [() => new Response("", { status: 404 }), /the server answered 404/],
    ];
    for (const [answer, reason] of answers) {
      await withFolder(async (folder) => {
        const message = await sentence(loadStimuli("latents", {
          file: "download",
          seed: 1,
          cacheFolder: folder,
          fetch: () => Promise.resolve(answer()),
        }));
        assert.match(message, reason);
        assert.deepEqual([...Deno.readDirSync(folder)], []);
      });
    }
  });

  it("says that images have no source", async () => {
    assert.match(
      await sentence(
        loadStimuli("images", { file: "download", seed: 1, fetch: none }),
      ),
      /^Cannot use "download" for \[paths\] images: .* name a file/,
    );
  });

  const folder = Deno.env.get("BIORNN_LATENTS");
  itNeeds(
    "keeps the latents it downloaded, and reads all of them",
    folder === undefined
      ? "BIORNN_LATENTS names no folder with mnist_latent_output_labels.pt"
      : undefined,
    async () => {
      const file = join(folder as string, "mnist_latent_output_labels.pt");
      const bytes = await Deno.readFile(file);
      await withFolder(async (cache) => {
        const cacheFolder = join(cache, "new");
        const options = { file: "download", seed: 1, cacheFolder };
        const first = await loadStimuli("latents", {
          ...options,
          fetch: () => Promise.resolve(new Response(bytes)),
        });
        assert.deepEqual(
          await loadStimuli("latents", { ...options, fetch: none }),
          first,
        );
        assert.deepEqual([first.size, first.count, first.synthetic], [
          50,
          10_000,
          false,
        ]);
        assert.deepEqual([...first.labels.subarray(0, 10)], [
          7,
          2,
          1,
          0,
          4,
          1,
          4,
          9,
          5,
          9,
        ]);
        assert.deepEqual(
          [...first.values.subarray(0, 4)],
          [0, 12.391631, 0.48082227, 1.4020866].map(Math.fround),
        );
        assert.equal(first.values.at(-1), Math.fround(6.6227846));
      });
    },
  );
});

import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import { writeFileWhole } from "../../src/files/write.ts";
import { withFolder } from "../with_folder.ts";

function namesIn(folder: string): string[] {
  return Array.from(Deno.readDirSync(folder), ({ name }) => name).sort();
}

/** Puts another function in the place of one of Deno's while the body runs. */
async function replacing<K extends "open" | "rename">(
  name: K,
  value: typeof Deno[K],
  body: () => Promise<void>,
): Promise<void> {
  const original = Object.getOwnPropertyDescriptor(Deno, name)!;
  Object.defineProperty(Deno, name, { ...original, value });
  try {
    await body();
  } finally {
    Object.defineProperty(Deno, name, original);
  }
}

describe("writeFileWhole()", () => {
  it("writes bytes and text, replaces what was there and leaves nothing else", () =>
    withFolder(async (folder) => {
      const path = join(folder, "x.txt");
      await writeFileWhole(path, "a long first content");
      await writeFileWhole(path, "é\n");
      assert.deepEqual(
        Deno.readFileSync(path),
        Uint8Array.of(0xc3, 0xa9, 10),
      );
      await writeFileWhole(path, Uint8Array.of(1, 2, 3).subarray(1));
      assert.deepEqual(Deno.readFileSync(path), Uint8Array.of(2, 3));
      await writeFileWhole(path, "");
      assert.equal(Deno.readFileSync(path).length, 0);
      assert.deepEqual(namesIn(folder), ["x.txt"]);
    }));

  it("names the path and the reason where it can't write", () =>
    withFolder(async (folder) => {
      const file = join(folder, "file");
      Deno.writeTextFileSync(file, "old");
      const reasons: [path: string, reason: string][] = [
        [join(folder, "missing", "x"), "its folder does not exist"],
        [folder, "it is a folder"],
        [join(file, "x"), "a part of its path is a file, not a folder"],
        [join(folder, "x".repeat(400)), "its name is too long"],
        ["", "its path is empty"],
        [join(folder, "a\0b"), "its path holds a NUL character"],
      ];
      for (const [path, reason] of reasons) {
        await assert.rejects(
          async () => await writeFileWhole(path, "new"),
          (error) => {
            assert(error instanceof InputError, String(error));
            assert.equal(error.message, `Cannot write "${path}": ${reason}`);
            return true;
          },
        );
      }
      assert.deepEqual(namesIn(folder), ["file"]);
    }));

  itNeeds(
    "flushes the file before the rename, and the folder after it",
    Deno.build.os === "windows" ? "folders can't be opened here" : undefined,
    () =>
      withFolder(async (folder) => {
        const { open, rename } = Deno;
        const steps: string[] = [];
        const observed: typeof Deno.open = async (path, options) => {
          const file = await open(path, options);
          const { sync } = file;
          file.sync = async () => {
            await sync.call(file);
            steps.push(`flushed ${path === folder ? "folder" : "file"}`);
          };
          return file;
        };
        const path = join(folder, "x.txt");
        await replacing("open", observed, () =>
          replacing("rename", async (from, to) => {
            await rename(from, to);
            steps.push("renamed");
          }, () =>
            writeFileWhole(path, "new")));
        assert.deepEqual(steps, ["flushed file", "renamed", "flushed folder"]);
        assert.equal(Deno.readTextFileSync(path), "new");
      }),
  );

  it("writes where a folder can't be flushed", () =>
    withFolder(async (folder) => {
      const { open } = Deno;
      let refused = 0;
      await replacing("open", (path, options) => {
        if (path !== folder) return open(path, options);
        refused++;
        return Promise.reject(new Deno.errors.PermissionDenied("a folder"));
      }, () => writeFileWhole(join(folder, "x.txt"), "new"));
      assert.equal(refused, 1);
      assert.equal(Deno.readTextFileSync(join(folder, "x.txt")), "new");
    }));

  itNeeds(
    "keeps the old content and removes its own part when the disk is full",
    Deno.build.os === "windows" ? "no limit on file sizes here" : undefined,
    () =>
      withFolder(async (folder) => {
        const path = join(folder, "x.bin");
        Deno.writeTextFileSync(path, "old");
        // A shell's limit on the size of files stands for the end of the disk.
        const { code, stdout } = await new Deno.Command("sh", {
          args: [
            "-c",
            'trap "" XFSZ; ulimit -f 100; exec "$0" run --allow-read --allow-write "$1" "$2"',
            Deno.execPath(),
            import.meta.resolve("./fill_disk.ts"),
            path,
          ],
          stderr: "null",
        }).output();
        assert.equal(code, 0);
        assert.equal(
          new TextDecoder().decode(stdout),
          `InputError: Cannot write "${path}": it is larger than a file may be here`,
        );
        assert.equal(Deno.readTextFileSync(path), "old");
        assert.deepEqual(namesIn(folder), ["x.bin"]);
      }),
  );
  it("leaves one whole content when many write at once", () =>
    withFolder(async (folder) => {
      const path = join(folder, "x.bin");
      const contents = Array.from(
        { length: 20 },
        (_, i) => new Uint8Array(50_000 + i).fill(i),
      );
      await Promise.all(
        contents.map((content) => writeFileWhole(path, content)),
      );
      const found = Deno.readFileSync(path);
      assert.deepEqual(found, contents[found[0] as number]);
      assert.deepEqual(namesIn(folder), ["x.bin"]);
    }));
});

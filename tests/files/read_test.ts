import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "../../src/compat/testing.ts";
import { InputError } from "../../src/files/input_error.ts";
import { safeName } from "../../src/files/path.ts";
import {
  readFileBytes,
  readIfThere,
  readTextFile,
  statFile,
} from "../../src/files/read.ts";
import { assertRefused } from "./binary.ts";

const what = "the connectome";

describe("readFileBytes()", () => {
  it("refuses devices, which may never end", async () => {
    if (Deno.build.os === "windows") return;
    for (const path of ["/dev/zero", "/dev/random", "/dev/null"]) {
      await assert.rejects(
        readFileBytes(path, { what: "the images" }),
        {
          message:
            `Cannot read the images "${path}": it is no file, but a device`,
        },
      );
    }
  });

  it("refuses a pipe that lies in a folder, which may have no writer", async () => {
    if (Deno.build.os === "windows") return;
    const path = join(Deno.makeTempDirSync(), "fifo");
    await new Deno.Command("mkfifo", { args: [path] }).output();
    for (const read of [readFileBytes, readTextFile, readIfThere, statFile]) {
      await assert.rejects(read(path, { what }), {
        name: "InputError",
        message:
          `Cannot read the connectome "${path}": it is no file, but a pipe`,
      });
    }
  });

  it("reads what a shell pipes in", async () => {
    if (Deno.build.os === "windows") return;
    const { stdout, success } = await new Deno.Command("bash", {
      args: [
        "-c",
        `${Deno.execPath()} eval --quiet 'import { readTextFile } from "${new URL(
          "../../src/files/read.ts",
          import.meta.url,
        )}"; console.log(await readTextFile(Deno.args[0], { what: "x" }))' <(echo piped)`,
      ],
    }).output();
    assert.ok(success);
    assert.equal(new TextDecoder().decode(stdout).trim(), "piped");
  });

  it("names what, the path and the reason where it can't read", async () => {
    const folder = Deno.makeTempDirSync();
    const file = join(folder, "file");
    Deno.writeFileSync(file, Uint8Array.of(1, 2));
    const reasons: [path: string, reason: string][] = [
      [join(folder, "missing"), "there is no such file"],
      [folder, "it is a folder"],
      [join(file, "x"), "a part of its path is a file, not a folder"],
      ["", "its path is empty"],
      ["a\0b", "its path holds a NUL character"],
    ];
    for (const [path, reason] of reasons) {
      await assert.rejects(readFileBytes(path, { what }), (error) => {
        assert(error instanceof InputError, String(error));
        assert.equal(
          error.message,
          `Cannot read the connectome "${path}": ${reason}`,
        );
        return true;
      });
    }
    assert.deepEqual(await readFileBytes(file, { what }), Uint8Array.of(1, 2));
    Deno.removeSync(folder, { recursive: true });
  });
});

describe("readTextFile()", () => {
  it("reads UTF-8 without a byte order mark and refuses other bytes", async () => {
    const file = Deno.makeTempFileSync();
    Deno.writeFileSync(file, Uint8Array.of(0xef, 0xbb, 0xbf, 0xc3, 0xa9));
    assert.equal(await readTextFile(file, { what }), "é");
    Deno.writeFileSync(file, Uint8Array.of(0xe9, 0x20));
    await assert.rejects(
      readTextFile(file, { what }),
      (error) =>
        error instanceof InputError && /no text in UTF-8/.test(error.message),
    );
    Deno.removeSync(file);
  });
});

describe("safeName()", () => {
  it("gives back names that stay in their folder everywhere", () => {
    const names = [
      "Macaque_Normalized",
      "a.b-c (1)",
      "..x",
      ".hidden",
      "Köln",
      "COM10",
      "console",
      "__proto__",
    ];
    for (const name of names) assert.equal(safeName(name, { what }), name);
  });

  it("refuses names that leave their folder or that some system can't have", () => {
    const names = [
      ...["", ".", "..", "../x", "a/b", "/etc/passwd", "a\\b", "C:\\x", "C:x"],
      ...["a\0b", "a\nb", "a:b", "a*", "a?", 'a"', "a<b", "a|b", "\x7f"],
      ...["a.", "a ", "CON", "nul", "Aux.txt", "com1", "LPT9.npy", "COM¹"],
      "x".repeat(256),
      "é".repeat(128),
    ];
    for (const name of names) {
      assertRefused(
        () => safeName(name, { what }),
        /^Cannot use the connectome ".{0,50}": .*(name|folder)/s,
      );
    }
  });
});

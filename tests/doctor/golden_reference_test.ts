import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import { describe, it } from "../../src/compat/testing.ts";
import { readCases } from "../../src/doctor/read_cases.ts";
import { replayCase } from "../../src/doctor/replay.ts";
import { sha256Hex } from "../../src/files/checksum.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import index from "../golden/index.json" with { type: "json" };

const FOLDER = fileURLToPath(new URL("../golden", import.meta.url));
const { cases } = await readCases(FOLDER);

describe("PyTorch's cases on the reference engine", () => {
  it("are all there, to the byte", async () => {
    assert.equal(cases.length, 15);
    assert.deepEqual(
      cases.map(({ name }) => `${name}.json`),
      index.map(({ file }) => file).sort(),
    );
    for (const { file, sha256 } of index) {
      const bytes = await Deno.readFile(`${FOLDER}/${file}`);
      assert.equal(await sha256Hex(bytes), sha256, file);
    }
  });

  const engine = createReferenceEngine();
  for (const golden of cases) {
    it(`${golden.name}: within 1e-12`, async () => {
      const { checks } = await replayCase(golden, engine);
      assert.equal(checks.length, 9);
      assert.deepEqual(
        checks.filter(({ name, error, limit }) =>
          !(error <= (name === "accuracies" ? 1e-9 : 1e-12)) || limit > 1e-9
        ),
        [],
      );
    });
  }
});

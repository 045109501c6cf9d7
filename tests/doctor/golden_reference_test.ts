import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import index from "../../src/doctor/cases/index.json" with { type: "json" };
import { ownCases } from "../../src/doctor/cases.ts";
import { replayCase } from "../../src/doctor/replay.ts";
import { sha256Hex } from "../../src/files/checksum.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";

const cases = ownCases();

describe("PyTorch's cases on the reference engine", () => {
  it("are all there, to the byte", async () => {
    assert.equal(cases.length, 31);
    assert.deepEqual(
      cases.map(({ name }) => `${name}.json`).sort(),
      index.map(({ file }) => file).sort(),
    );
    for (const { file, sha256 } of index) {
      const url = new URL(`../../src/doctor/cases/${file}`, import.meta.url);
      assert.equal(await sha256Hex(await Deno.readFile(url)), sha256, file);
    }
  });

  it("hold numbers that are none where PyTorch diverges, in single precision", () => {
    const failing = cases.filter(({ expected: { float32, float64 } }) => {
      const losses = (of: typeof float32) =>
        Object.values(of.losses).flatMap((values) => Array.from(values));
      assert.ok(losses(float64).every(Number.isFinite));
      return !losses(float32).every(Number.isFinite);
    });
    assert.deepEqual(failing.map(({ name }) => name), [
      "train_diverging_relu_adam",
      "train_diverging_relu_rmsprop",
      "train_diverging_relu_sgd",
      "train_diverging_tanh_sgd",
    ]);
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

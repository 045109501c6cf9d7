/**
 * Chrome's compiler is stricter than Deno's: it asks that barriers are uniform,
 * and that workgroup memory is not more than granted. These tests compile all
 * kernels in Chromium, train with them there, and replay PyTorch's cases.
 *
 * No part of `deno task test`: `deno task test:browser` runs them. Chromium is
 * `chromium` on the PATH, or what BIORNN_CHROMIUM names.
 *
 * @module
 */

import assert from "node:assert/strict";
import { createEnsemble } from "../../src/engine/create_ensemble.ts";
import { describe, itNeeds } from "../../src/compat/testing.ts";
import { ownCases } from "../../src/doctor/golden_case.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { openPage } from "./open_page.ts";
import { WAYS } from "../gpu/example_runs.ts";
import type { GoldenReport } from "./golden_page.ts";
import type { PageReport } from "./page.ts";
import type { WasmReport } from "./wasm_page.ts";
import { GOLDEN } from "../wasm/golden_training.ts";
import { EPOCHS, EXAMPLE } from "./train_example.ts";

const report = await openPage(new URL("./page.ts", import.meta.url)) as
  | PageReport
  | undefined;
const noBrowser = report === undefined
  ? "there is no Chromium; BIORNN_CHROMIUM may name one"
  : undefined;
const missing = report === undefined
  ? noBrowser
  : report.adapter === undefined
  ? "Chromium has no WebGPU adapter here"
  : undefined;

describe(`Chromium on ${report?.adapter ?? "no adapter"}`, () => {
  itNeeds(`compiles ${report?.kernels ?? "all"} kernels`, missing, () => {
    assert.deepEqual(report!.complaints, []);
    assert.ok(report!.kernels > 80);
  });

  itNeeds("comes to the end of the page", missing, () => {
    assert.equal(report!.failure, undefined);
  });

  for (const [i, { name }] of WAYS.entries()) {
    itNeeds(`shows which models are NaN: ${name}`, missing, () => {
      assert.deepEqual(report!.failed[i], [0, 3]);
    });

    itNeeds(
      `gives the float64 losses: ${name}`,
      missing,
      async () => {
        const oracle = await createEnsemble(createReferenceEngine(), EXAMPLE);
        const expected = await oracle.train(EPOCHS);
        oracle.destroy();
        const found = report!.losses[i];
        assert.ok(found !== undefined, "not trained");
        assertClose(found.train, expected.trainLoss);
        assertClose(found.validate, expected.validateLoss);
      },
    );
  }
});

describe("PyTorch's cases in Chromium", () => {
  itNeeds("are all within tolerance", missing, async () => {
    const page = new URL("./golden_page.ts", import.meta.url);
    const { cases, off } = await openPage(page) as GoldenReport;
    assert.deepEqual(off, []);
    assert.equal(cases, ownCases().length);
  });
});

describe("the WebAssembly engine in Chromium", () => {
  itNeeds("trains to the same bytes", noBrowser, async () => {
    const { fused, hashes, failure } = await openPage(
      new URL("./wasm_page.ts", import.meta.url),
      { worker: new URL("../../src/wasm/worker.ts", import.meta.url) },
    ) as WasmReport;
    assert.equal(failure, undefined);
    const expected = GOLDEN.filter((golden) => fused || !golden.fused);
    assert.deepEqual(
      hashes.slice(0, expected.length),
      expected.map(({ hash }) => hash),
    );
  });
});

function assertClose(found: readonly number[], expected: Float64Array): void {
  assert.equal(found.length, expected.length);
  for (const [i, value] of found.entries()) {
    const difference = Math.abs(value - expected[i]!);
    assert.ok(
      difference <= 1e-5 * expected[i]!,
      `loss ${i} is ${value}, expected ${expected[i]}`,
    );
  }
}

import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { createTimeSheet, describeTimes } from "../../src/train/time_sheet.ts";

/** A sheet with a clock that stands still but where it is told to go on. */
function createClockedSheet() {
  let now = 1000;
  const sheet = createTimeSheet(() => now);
  const takes = (milliseconds: number) => () => {
    now += milliseconds;
    return Promise.resolve(milliseconds);
  };
  return { sheet, takes };
}

describe("createTimeSheet()", () => {
  it("adds up the phases, also of work that fails", async () => {
    const { sheet, takes } = createClockedSheet();
    assert.equal(await sheet.time("drawing", takes(3)), 3);
    await sheet.time("drawing", takes(4));
    await assert.rejects(sheet.time("saving", async () => {
      await takes(5)();
      throw new RangeError("no");
    }));
    await sheet.time("training", () => sheet.beside(takes(6)));
    const { all, phases, beside, device } = sheet.totals();
    assert.deepEqual(phases, {
      drawing: 7,
      starting: 0,
      training: 6,
      saving: 5,
      measuring: 0,
    });
    assert.deepEqual({ all, beside }, { all: 18, beside: 6 });
    assert.equal(device, undefined);
  });
});

describe("describeTimes()", () => {
  it("gives kernels, the busy share, and shares that add up to the whole", async () => {
    const { sheet, takes } = createClockedSheet();
    await sheet.time("drawing", takes(100));
    await sheet.time("training", takes(800));
    await takes(100)();
    // Of two ensembles.
    for (const milliseconds of [250, 500]) {
      sheet.addDevice({
        busyMilliseconds: milliseconds,
        kernels: [
          { kernel: "readout", calls: 2, milliseconds: 50, flop: 0 },
          {
            kernel: "gradient",
            calls: 2,
            milliseconds: milliseconds - 50,
            flop: 1e9,
          },
        ],
      });
    }
    assert.deepEqual(
      describeTimes(sheet.totals(), { engine: "webgpu" }).split("\n"),
      [
        "kernel    calls     ms  GFLOP/s   share",
        "gradient      4  650.0      3.1  86.7 %",
        "readout       4  100.0           13.3 %",
        "GPU busy: 75.0 % of 1.0 s (0.8 s in kernels); not busy: recording and waiting 5.0 %, drawing trials and weights 10.0 %, uploading and compiling 0.0 %, saving 0.0 %, measuring networks 0.0 %, all else 10.0 %",
      ],
    );
  });

  it("shares out the times of workers", async () => {
    const { sheet, takes } = createClockedSheet();
    await sheet.time("training", takes(1000));
    const kernels = [{
      kernel: "gradient",
      calls: 2,
      milliseconds: 1500,
      flop: 0,
    }];
    sheet.addDevice({ workers: 2, busyMilliseconds: 1500, kernels });
    assert.match(
      describeTimes(sheet.totals(), { engine: "wasm" }),
      /^2 workers on the CPU busy: 75\.0 % of 1\.0 s \(0\.8 s in kernels\)/m,
    );
  });

  it("says why no kernels were timed", async () => {
    const { sheet, takes } = createClockedSheet();
    await sheet.time("saving", takes(1000));
    assert.match(
      describeTimes(sheet.totals(), { engine: "webgpu" }),
      /^Nothing was left to train\.\nTime: 1\.0 s, of which training 0\.0 %.*saving 100\.0 %/,
    );
    await sheet.time("training", takes(1000));
    assert.match(
      describeTimes(sheet.totals(), { engine: "webgpu" }),
      /this adapter has no timestamp queries\.\nTime: 2\.0 s, of which training 50\.0 %/,
    );
    assert.match(
      describeTimes(sheet.totals(), { engine: "reference" }),
      /the reference engine computes on the CPU/,
    );
  });
});

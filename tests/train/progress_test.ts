import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import {
  createProgress,
  createTimeSheet,
  describeTimes,
  type TrainingStatus,
} from "../../src/train/progress.ts";

const STATUS: TrainingStatus = {
  done: 250,
  total: 1000,
  epoch: 25,
  epochs: 100,
  models: 10,
  ensemble: 0,
  ensembles: 1,
  updates: 1000,
  best: {
    loss: 0.0123456,
    id: { combination: 3, iteration: 1 },
    arm: undefined,
  },
};

/** The line of a status that comes so many seconds after another. */
function lineOf(
  status: TrainingStatus,
  { since, seconds }: { since: TrainingStatus; seconds: number },
): string {
  let time = 0;
  const lines: string[] = [];
  const progress = createProgress({
    terminal: true,
    write: (text) => lines.push(text),
    columns: () => 300,
    now: () => time,
  });
  progress.update(since);
  time = 1000 * seconds;
  progress.update(status);
  return lines.at(-1)!;
}

describe("the line of progress", () => {
  it("says how far, how fast, how long and how well", () => {
    const since = { ...STATUS, done: 50, updates: 200 };
    const line = lineOf(STATUS, { since, seconds: 16 });
    assert.match(line, /25 %/);
    assert.match(line, / 25\/100 epochs/);
    assert.match(line, /10 models/);
    assert.match(line, /50 updates\/s/);
    assert.match(line, /1:00 left/);
    assert.match(line, /0\.01235 \(combination 3, iteration 1\)/);
  });

  it("leaves out what is not known yet", () => {
    const start = { ...STATUS, done: 0, best: undefined };
    assert.doesNotMatch(
      lineOf(start, { since: start, seconds: 0 }),
      /left|updates\/s|best/,
    );
    const since = { ...STATUS, done: 100 };
    for (
      const line of [
        lineOf(STATUS, { since, seconds: 0.1 }),
        lineOf(since, { since, seconds: 10 }),
      ]
    ) assert.doesNotMatch(line, /left|updates\/s/);
  });

  it("names the ensemble where there are several", () => {
    const several = { ...STATUS, ensemble: 1, ensembles: 3 };
    assert.match(
      lineOf(several, { since: several, seconds: 0 }),
      /ensemble 2\/3/,
    );
  });
});

describe("createProgress()", () => {
  it("redraws one line that fits the terminal", () => {
    for (
      const [columns, start] of [
        [40, /^ 25 %/],
        [200, /^━{5}─{15} {2}25 % .* best loss /],
      ] as const
    ) {
      let shown = "";
      const progress = createProgress({
        terminal: true,
        write: (text) => shown += text,
        columns: () => columns,
      });
      progress.update(STATUS);
      progress.update(STATUS);
      progress.finish();
      assert.equal(shown.split("\n").length, 2);
      const lines = shown.replaceAll("\n", "\r\x1b[K").split("\r\x1b[K");
      for (const line of lines) assert.ok(line.length < columns, line);
      assert.match(lines[0] as string, start);
    }
  });

  it("writes a log few lines, and always the last", () => {
    let shown = "";
    let time = 0;
    const progress = createProgress({
      terminal: false,
      write: (text) => shown += text,
      columns: () => 80,
      now: () => time,
    });
    for (let done = 1; done <= 1000; done++) {
      time += 10;
      progress.update({ ...STATUS, done });
    }
    const lines = shown.trimEnd().split("\n");
    assert.ok(lines.length <= 3, `${lines.length} lines in 10 s`);
    assert.match(lines.at(-1) as string, /100 %/);
    assert.doesNotMatch(shown, /\r/);
  });
});

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
    await sheet.time("training", () => sheet.time("beside", takes(6)));
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

import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import {
  createProgress,
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

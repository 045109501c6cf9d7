import assert from "node:assert/strict";
import { comparisonTable } from "../../bench/compare.ts";
import { type Contestant, together } from "../../bench/contestant.ts";
import { takeTurns } from "../../bench/take_turns.ts";
import { describe, it } from "../../src/compat/testing.ts";

/** A contestant that takes so many seconds in each round, and notes its turns. */
function contestant(
  name: string,
  { seconds, turns = [], loss = 0.5, epochFlop = 8e9 }: {
    seconds: number[];
    turns?: string[];
    loss?: number;
    epochFlop?: number;
  },
): Contestant {
  const losses = { trainLoss: [[loss]], validateLoss: [[loss]] };
  let round = 0;
  return {
    name,
    title: name,
    facts: {
      version: "1.0",
      device: "none",
      threads: 1,
      blas: "none",
      epochFlop,
    },
    warmup: { ...losses, seconds: 9, cpuSeconds: 9 },
    round() {
      turns.push(name);
      const s = seconds[round++] as number;
      return Promise.resolve({ ...losses, seconds: s, cpuSeconds: s });
    },
    stop: () => Promise.resolve(),
  };
}

describe("takeTurns()", () => {
  it("lets the contestants train in turn", async () => {
    const turns: string[] = [];
    await takeTurns([
      contestant("a", { seconds: [1, 1], turns }),
      contestant("b", { seconds: [1, 1], turns }),
    ], { rounds: 2, epochs: 1 });
    assert.deepEqual(turns, ["a", "b", "a", "b"]);
  });

  it("gives speeds, and ratios of the rounds that belong together", async () => {
    const measured = await takeTurns([
      contestant("a", { seconds: [2, 4] }),
      contestant("b", { seconds: [1, 8], loss: 0.25 }),
    ], { rounds: 2, epochs: 3 });
    assert.deepEqual(measured[0]?.gflops, [12, 6]);
    assert.deepEqual(measured[1]?.ratio, [0.5, 2]);
    assert.deepEqual(measured.map((one) => one.lossDifference), [
      { first: 0, last: 0 },
      { first: 0.5, last: 0.5 },
    ]);
  });

  it("refuses contestants that count their work differently", async () => {
    await assert.rejects(
      takeTurns([
        contestant("a", { seconds: [1] }),
        contestant("b", { seconds: [1], epochFlop: 1 }),
      ], { rounds: 1, epochs: 1 }),
      { name: "RangeError", message: /b counts 1 operations/ },
    );
  });
});

describe("together()", () => {
  it("joins the losses of models that others have trained, and adds up their work", async () => {
    const losses = (values: number[]) => ({
      trainLoss: [values],
      validateLoss: [values],
    });
    const part = (name: string, values: number[]): Contestant => {
      const one = contestant(name, { seconds: [0], epochFlop: values.length });
      const round = { ...losses(values), seconds: 1, cpuSeconds: 2 };
      return { ...one, warmup: round, round: () => Promise.resolve(round) };
    };
    const both = together([
      { contestant: part("a", [1, 3]), models: [0, 2] },
      { contestant: part("a", [2]), models: [1] },
    ], { name: "both", title: "Both" });
    assert.equal(both.facts.epochFlop, 3);
    assert.equal(both.facts.threads, 2);
    for (const round of [both.warmup, await both.round()]) {
      assert.deepEqual(round.trainLoss, [[1, 2, 3]]);
      assert.deepEqual(round.validateLoss, [[1, 2, 3]]);
      assert.equal(round.cpuSeconds, 4);
    }
    assert.equal(both.warmup.seconds, 1);
  });
});

describe("comparisonTable()", () => {
  it("has a row for each program with its medians", async () => {
    const measured = await takeTurns([
      contestant("a", { seconds: [2, 2, 4] }),
      contestant("b", { seconds: [1, 2, 4] }),
    ], { rounds: 3, epochs: 2 });
    const lines = comparisonTable({
      format: "biornn-comparison/1",
      command: "",
      machine: { cpu: "C", cores: 2, system: "s", deno: "2" },
      network: "N",
      density: 0.5,
      hiddenSize: 4,
      models: 1,
      steps: [7],
      epochFlop: 8e9,
      epochsOfRound: 2,
      load: [0.5, null],
      measured,
    }).split("\n");
    assert.match(lines[2] ?? "", /load 0\.5 to \?/);
    const cells = lines.at(-1)?.split("|").map((cell) => cell.trim());
    assert.deepEqual(cells?.slice(5, -1), [
      "9",
      "1",
      "1",
      "8 (4 to 16)",
      "1 (0.5 to 1)",
      "0.0e+0, 0.0e+0",
    ]);
  });
});

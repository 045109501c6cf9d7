/**
 * Planning: how many iterations an experiment needs to show a difference, or
 * an equivalence, by the tests of `compare.ts`. Losses within a combination
 * are taken for lognormal; power is what thousands of drawn experiments show,
 * with the level that Holm's correction leaves to the first of its tests.
 *
 * @module
 */

import { createStream, type RandomStream } from "../random/stream.ts";
import { plural } from "../text/words.ts";
import { baselineOf, curveOf, summarizeLoss, taskFacts } from "./summary.ts";
import { ALPHA, short } from "./comparison.ts";
import { describeNumbers, meanOf } from "./rank_tests.ts";
import { testEquivalence } from "./means.ts";
import {
  haveSameTrials,
  type LabelledResults,
  matchCombinations,
} from "./match.ts";
import {
  convolve,
  doubledUDistribution,
  signDistribution,
  smallestSignedRankP,
  studentQuantile,
} from "./distributions.ts";

/** How losses of runs spread, all on the scale of natural logarithms. */
export interface Spread {
  /** Standard deviation of the runs of a combination. */
  readonly sd: number;
  /** Correlation of the two runs of a pair. */
  readonly correlation: number;
  /** From the baseline down to the loss: what shares of the margin are of. */
  readonly learned: number;
}

/** An experiment that is planned, compared with another one like it. */
export interface PowerDesign extends Spread {
  readonly iterations: number;
  /** Combinations that are tested together: all for the row over all, one for one. */
  readonly combinations: number;
  readonly paired: boolean;
  /** Tests that Holm corrects for. */
  readonly tests: number;
}

/** Experiments that are drawn for a number: it is right to 0.8 points (standard error). */
const DRAWN = 4000;
/** Longest list of an exact distribution; beyond, the normal one takes its place. */
const LONGEST = 60_000;

function streamOf({ iterations, combinations, paired }: PowerDesign) {
  return createStream({
    seed: paired ? 1 : 2,
    purpose: "bootstrap",
    combination: combinations,
    iteration: iterations,
  });
}

/** How often each sum of a stratum's statistic occurs: of the ranks above 0, or U. */
function stratumDistribution(n: number, paired: boolean): Float64Array {
  const ranks = Float64Array.from(
    { length: paired ? n : 2 * n },
    (_, i) => i + 1,
  );
  return paired
    ? signDistribution([...ranks], n * (n + 1) / 2)
    // Without ties twice U is even.
    : doubledUDistribution(ranks, n).filter((_, i) => i % 2 === 0);
}

/** The largest sum of the statistic over all strata that is significant; below 0 where none is. */
function criticalSum(design: PowerDesign): number {
  const level = ALPHA / design.tests / 2;
  const { iterations: n, combinations, paired } = design;
  const top = paired ? n * (n + 1) / 2 : n * n;
  if (top * combinations > LONGEST || n > 150) {
    const variance = n * (2 * n + 1) * (paired ? n + 1 : 2 * n) / 24;
    return Math.floor(
      top * combinations / 2 -
        normalDeviate(level) * Math.sqrt(combinations * variance),
    );
  }
  const one = stratumDistribution(n, paired);
  let all: Float64Array = Float64Array.of(1);
  for (let k = 0; k < combinations; k++) all = convolve(one, all);
  let tail = 0;
  for (const [sum, share] of all.entries()) {
    tail += share;
    if (tail > level) return sum - 1;
  }
  return all.length;
}

function normalDeviate(tail: number): number {
  return studentQuantile(tail, Infinity);
}

/** What the ranks of the differences above 0 sum to. */
function drawSignedRanks(
  stream: RandomStream,
  n: number,
  shift: number,
): number {
  const values = Array.from({ length: n }, () => shift + stream.normal());
  values.sort((a, b) => Math.abs(a) - Math.abs(b));
  return values.reduce((sum, value, i) => value > 0 ? sum + i + 1 : sum, 0);
}

function drawU(stream: RandomStream, n: number, shift: number): number {
  const x = Array.from({ length: n }, () => shift + stream.normal());
  const y = Array.from({ length: n }, () => stream.normal());
  let u = 0;
  for (const a of x) for (const b of y) if (a > b) u++;
  return u;
}

/**
 * The chance to find a difference.
 *
 * @param difference Of the logarithms of the losses, e.g. `Math.log(0.8)` where one label's are 20 % lower.
 */
export function differencePower(
  design: PowerDesign,
  difference: number,
): number {
  const { iterations: n, combinations, paired, sd, correlation } = design;
  const critical = criticalSum(design);
  if (critical < 0) return 0;
  const stream = streamOf(design);
  const draw = paired ? drawSignedRanks : drawU;
  // Of a pair's difference, or of a run.
  const unit = paired ? sd * Math.sqrt(2 * (1 - correlation)) : sd;
  // Downwards: few ranks are above 0 then.
  const shift = -Math.abs(difference) / unit;
  let found = 0;
  for (let i = 0; i < DRAWN; i++) {
    let sum = 0;
    for (let k = 0; k < combinations; k++) sum += draw(stream, n, shift);
    if (sum <= critical) found++;
  }
  return found / DRAWN;
}

/**
 * The chance to show that two experiments are equivalent that differ in
 * nothing.
 *
 * @param margin As a share of what is learned.
 */
export function equivalencePower(design: PowerDesign, margin: number): number {
  const { iterations: n, combinations, paired, sd, correlation } = design;
  if (n < 2) return 0;
  const stream = streamOf(design);
  const common = sd * Math.sqrt(paired ? correlation : 0);
  const own = sd * Math.sqrt(paired ? 1 - correlation : 1);
  const limit = margin * design.learned;
  // A correction for many tests takes longer to draw than to look up.
  const level = ALPHA / design.tests;
  const drawn = Math.max(500, Math.min(DRAWN, 400_000 / (n * combinations)));
  let shown = 0;
  for (let i = 0; i < drawn; i++) {
    const strata = Array.from({ length: combinations }, () => {
      const [x, y]: [number[], number[]] = [[], []];
      for (let j = 0; j < n; j++) {
        const shared = common * stream.normal();
        x.push(shared + own * stream.normal());
        y.push(shared + own * stream.normal());
      }
      return [x, y] as const;
    });
    const outside = combinations > 1 &&
      strata.some(([x, y]) => Math.abs(meanOf(x) - meanOf(y)) > limit);
    if (outside) continue;
    if (testEquivalence(strata, { margin: limit, paired }).p < level) shown++;
  }
  return shown / Math.floor(drawn);
}

/** Most iterations that are looked at. */
export const MOST_ITERATIONS = 200;

/** The fewest iterations whose power is high enough; undefined where more than {@linkcode MOST_ITERATIONS} are needed. */
export function iterationsFor(
  power: number,
  of: (iterations: number) => number,
): number | undefined {
  let high = 2;
  while (of(high) < power) {
    if (high === MOST_ITERATIONS) return undefined;
    high = Math.min(MOST_ITERATIONS, high * 2);
  }
  let low = Math.floor(high / 2);
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2);
    if (of(middle) < power) low = middle;
    else high = middle;
  }
  return high;
}

/**
 * Measures the spread of a pilot: of the combinations that were learned, the
 * spread of the logarithms of minimum losses within them, and the correlation
 * of pairs where the first two experiments have the same trials.
 *
 * @returns Also the number of combinations that were learned; undefined where none has two runs that did.
 */
export function pilotSpread(
  folders: readonly LabelledResults[],
): Spread & { readonly combinations: number } | undefined {
  const results = folders.map((folder) => folder.results);
  const { combinations } = matchCombinations(results);
  let [squares, freedom, products, pairs] = [0, 0, 0, 0];
  const learned: number[] = [];
  const paired = haveSameTrials(results[0]?.experiment, results[1]?.experiment);
  for (const { members, parameters } of combinations) {
    const baseline = baselineOf(taskFacts(results, parameters), "loss");
    const logs = members.map((member) =>
      Array.from({ length: member?.validateLoss.iterations ?? 0 }, (_, i) => {
        const loss = summarizeLoss(curveOf(member!.validateLoss, i))?.minLoss;
        return loss !== undefined && loss > 0 ? Math.log(loss) : NaN;
      })
    );
    const finite = logs.map((own) => own.filter(Number.isFinite));
    if (
      baseline !== undefined &&
      !finite.flat().some((one) => Math.exp(one) < baseline.beaten)
    ) continue;
    const described = finite.map(describeNumbers);
    for (const { n, sd } of described) {
      if (n < 2) continue;
      squares += sd ** 2 * (n - 1);
      freedom += n - 1;
    }
    const means = described.map(({ mean }) => mean);
    if (baseline !== undefined) {
      learned.push(Math.log(baseline.value) - Math.min(...means));
    }
    const [x = [], y = []] = logs;
    if (!paired || members[0]?.index !== members[1]?.index) continue;
    const both = x.slice(0, y.length).map((value, i) =>
      (value - means[0]!) * (y[i]! - means[1]!)
    ).filter((product) => !Number.isNaN(product));
    products = both.reduce((sum, product) => sum + product, products);
    pairs += both.length;
  }
  if (freedom === 0) return undefined;
  const variance = squares / freedom;
  const all = combinations.length;
  return {
    sd: Math.sqrt(variance),
    correlation: pairs > all
      ? Math.min(0.95, Math.max(0, products / (pairs - all) / variance))
      : 0,
    learned: meanOf(learned),
    combinations: learned.length,
  };
}

/** Runs beyond which a formula is as good as drawing. */
const MANY_RUNS = 40;

/**
 * What planned iterations can show, in a sentence: the difference that is
 * found over all combinations, in standard deviations of the difference of a
 * pair, and whether one in a single combination can be found at all.
 *
 * @param plan `measures` that are compared: loss and epoch, and accuracy where the task has one; `networks`, at most one an iteration, that all combinations share, which then count and not runs.
 */
export function describePower(
  { iterations, combinations, measures, networks }: {
    readonly iterations: number;
    readonly combinations: number;
    readonly measures: number;
    readonly networks?: number | undefined;
  },
): string {
  const isShared = networks !== undefined;
  const what = `${plural(iterations, "iteration")} of ${
    plural(combinations, "combination")
  }, compared in pairs with another experiment${
    isShared ? ` on ${plural(networks, "network")} that count once each` : ""
  }: `;
  const single = networks ?? iterations;
  const strata = isShared ? 1 : combinations;
  const all = smallestSignedRankP(single * strata) * measures;
  if (all >= ALPHA) {
    return `${what}too few to show any difference, as p cannot fall below ${
      short(Math.min(1, all))
    }`;
  }
  const difference = detectable(single, strata, measures);
  const over = `${what}over all, a difference of ${
    short(difference)
  } standard deviations of ${
    isShared ? "a network's" : "a pair's"
  } difference is found in 80 % of cases`;
  const isEnough = (pairs: number) =>
    smallestSignedRankP(pairs) * measures * combinations < ALPHA;
  if (combinations === 1 || isEnough(single)) return over;
  let enough = single;
  while (!isEnough(enough)) enough++;
  return `${over}; none in a single combination, which takes ${enough} ${
    isShared ? "networks" : "iterations"
  } at least`;
}

/** The difference that is found in 80 % of cases, in units of the spread of a pair's difference. */
function detectable(
  iterations: number,
  combinations: number,
  tests: number,
): number {
  if (iterations * combinations > MANY_RUNS) {
    // The signed-rank test is as good as a t test of 3 / π as many normal differences.
    return (normalDeviate(ALPHA / tests / 2) + normalDeviate(0.2)) /
      Math.sqrt(iterations * combinations * 3 / Math.PI);
  }
  const design: PowerDesign = {
    iterations,
    combinations,
    tests,
    paired: true,
    sd: Math.SQRT1_2,
    correlation: 0,
    learned: 1,
  };
  let [low, high] = [0, 8];
  for (let i = 0; i < 8; i++) {
    const middle = (low + high) / 2;
    if (differencePower(design, middle) < 0.8) low = middle;
    else high = middle;
  }
  return Number(high.toPrecision(2));
}

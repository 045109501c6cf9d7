import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { loadConnectome } from "../../src/connectome/load.ts";
import { graphMeasures } from "../../src/connectome/measures.ts";
import { graphOfMatrix, matrixOfGraph } from "../../src/graph/graph.ts";
import {
  generateSyntheticMacaque,
  SYNTHETIC_NAME,
  SYNTHETIC_SEED,
} from "../../src/connectome/catalogue.ts";
import { matrixTable } from "../../src/connectome/tables.ts";
import { createStream } from "../../src/random/stream.ts";

function generate(seed: number) {
  return generateSyntheticMacaque(
    createStream({ seed, purpose: "connectome" }),
  );
}

/** Mean, standard deviation and skewness. */
function moments(values: readonly number[]) {
  const mean = values.reduce((a, b) => a + b) / values.length;
  const central = (power: number) =>
    values.reduce((sum, x) => sum + (x - mean) ** power, 0) / values.length;
  const sd = Math.sqrt(central(2));
  return { mean, sd, skewness: central(3) / sd ** 3 };
}

/**
 * Slope of ln(weight) against distance within the connections into one area,
 * which all are scaled alike: what the distance rule calls −λ.
 */
function distanceSlope({ areas: n, weights, distances }: {
  readonly areas: number;
  readonly weights: Float64Array;
  readonly distances: Float64Array;
}): number {
  let covariance = 0;
  let variance = 0;
  for (let to = 0; to < n; to++) {
    const rows = Array.from({ length: n }, (_, from) => from * n + to)
      .filter((entry) => weights[entry]! > 0)
      .map((entry) => [distances[entry]!, Math.log(weights[entry]!)] as const);
    const distance = moments(rows.map(([d]) => d)).mean;
    const weight = moments(rows.map(([, w]) => w)).mean;
    for (const [d, w] of rows) {
      covariance += (d - distance) * (w - weight);
      variance += (d - distance) ** 2;
    }
  }
  return covariance / variance;
}

describe("the embedded connectome", () => {
  it("is what the generator gives for its seed", async () => {
    const generated = generate(SYNTHETIC_SEED);
    const file = await Deno.readTextFile(
      new URL("../../connectomes/Synthetic_Macaque_29.csv", import.meta.url),
    );
    const { names, weights, areas } = generated;
    assert.equal(matrixTable(names, graphOfMatrix(weights, areas)), file);
    const embedded = await loadConnectome(SYNTHETIC_NAME);
    assert.deepEqual(matrixOfGraph(embedded.graph), generated.weights);
    assert.deepEqual(embedded.regionNames, generated.names);
  });

  it("can be told from measured data by its name, its areas' names and its flag", async () => {
    const { name, species, synthetic, regionNames, source } =
      await loadConnectome(SYNTHETIC_NAME);
    assert.match(name, /^Synthetic_/);
    assert.match(species, /^none/);
    assert.equal(synthetic, true);
    assert.equal(source, "embedded");
    assert.deepEqual(regionNames.slice(0, 2), ["S01", "S02"]);
    assert.ok(regionNames.every((region) => /^S\d\d$/.test(region)));
  });

  it("has a checksum that its file has too", async () => {
    const { sha256 } = await loadConnectome(SYNTHETIC_NAME);
    assert.equal(
      sha256,
      "291c87ff3bd7a55a598ea9de40288da824e3dd68695f1ddfa7aab743ec807c6c",
    );
  });
});

describe("generateSyntheticMacaque()", () => {
  it("has the published statistics, whatever the seed", () => {
    const slopes: number[] = [];
    for (let seed = 1; seed <= 20; seed++) {
      const connectome = generate(seed);
      const { areas, weights, distances } = connectome;
      const metrics = graphMeasures(graphOfMatrix(weights, areas));
      assert.equal(areas, 29);
      assert.equal(metrics.connections, 536);
      assert.ok(Math.abs(metrics.density - 0.66) < 0.001);
      for (const sum of metrics.inStrength) assert.ok(sum > 0 && sum <= 1);
      const orders = Math.log10(metrics.largestWeight / metrics.smallestWeight);
      assert.ok(orders > 4.5 && orders < 7, `${orders}`);
      const { skewness } = moments(
        [...weights].filter((w) => w > 0).map(Math.log),
      );
      assert.ok(Math.abs(skewness) < 0.5, `${skewness}`);
      const apart = [...distances].filter((d) => d > 0);
      assert.ok(Math.min(...apart) >= 4 && Math.max(...apart) < 70);
      assert.ok(Math.min(...metrics.outDegree, ...metrics.inDegree) > 0);
      slopes.push(distanceSlope(connectome));
    }
    // One slope scatters by 0.02, so the mean of twenty by 0.0045.
    assert.ok(Math.abs(moments(slopes).mean + 0.19) < 0.0135);
  });

  it("connects near areas more often than far ones", () => {
    const { weights, distances } = generate(SYNTHETIC_SEED);
    const connected = moments([...distances].filter((_, e) => weights[e]! > 0));
    const apart = moments(
      [...distances].filter((d, e) => d > 0 && weights[e] === 0),
    );
    assert.ok(connected.mean < apart.mean - 10);
  });

  it("gives the same for a seed, another for another", () => {
    assert.deepEqual(generate(3).weights, generate(3).weights);
    assert.notDeepEqual(generate(3).weights, generate(4).weights);
  });
});

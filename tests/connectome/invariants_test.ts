/**
 * The published facts of bio2art's connectomes and of any scaling of them. With
 * the real files where `BIORNN_CONNECTOMES` names their folder; the counts
 * for the macaque are checked on the synthetic connectome too, which has as many connections.
 */

import assert from "node:assert/strict";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import {
  intrinsicTargetsUsed,
  scaleConnectome,
  scaleNeuronDensity,
  type ScaleOptions,
  targetsUsed,
} from "../../src/connectome/scale.ts";
import { CATALOGUE } from "../../src/connectome/catalogue.ts";
import { loadConnectome } from "../../src/connectome/load.ts";
import { graphMeasures } from "../../src/connectome/measures.ts";
import { type Graph, matrixOfGraph } from "../../src/graph/graph.ts";
import { createStream } from "../../src/random/stream.ts";
import golden from "../golden/bio2art_invariants.json" with { type: "json" };
import {
  blockOf,
  denseNetwork,
  nearlyEqual,
  syntheticGraph,
} from "./example_networks.ts";

const folder = Deno.env.get("BIORNN_CONNECTOMES") || undefined;
const missing = folder === undefined
  ? "BIORNN_CONNECTOMES names no folder with bio2art's connectomes"
  : undefined;

/** As the file has it: the published figures are by its rows and columns. */
async function load(name: string) {
  return await loadConnectome(name, {
    ...(folder === undefined ? {} : { folder }),
    orientation: "file",
  });
}

/** Counts the connections of a scaling, within and between regions. */
function count(graph: Graph, options: Omit<ScaleOptions, "stream">) {
  const network = denseNetwork(scaleConnectome(graph, {
    ...options,
    stream: createStream({ seed: 5, purpose: "bio2art" }),
  }));
  let within = 0;
  let between = 0;
  let sum = 0;
  const n = network.neurons;
  for (let entry = 0; entry < n * n; entry++) {
    sum += network.weights[entry]!;
    if (network.mask[entry] === 0) continue;
    const from = network.regionOf[Math.floor(entry / n)];
    if (from === network.regionOf[entry % n]) within++;
    else between++;
  }
  return { network, within, between, sum };
}

describe("bio2art's rules", () => {
  it("use as many targets as published, for every sparsity and region size", () => {
    for (const expected of golden.targets_used) {
      const { target_sparsity: sparsity, targets } = expected;
      assert.equal(targetsUsed(sparsity, targets), expected.used);
      assert.equal(
        intrinsicTargetsUsed(sparsity, { count: targets, keepDiagonal: true }),
        expected.used_within_keep_diag,
      );
      assert.equal(
        intrinsicTargetsUsed(sparsity, { count: targets, keepDiagonal: false }),
        expected.used_within_no_diag,
      );
    }
  });

  it("make as many connections as published, from 536 between 29 areas", () => {
    const { graph } = syntheticGraph(1);
    const { by_nr_neurons } = golden.connectomes.Macaque_Normalized;
    for (const [perRegion, expected] of Object.entries(by_nr_neurons)) {
      const { network, within, between } = count(graph, {
        neuronDensity: new Array(29).fill(Number(perRegion)),
        randPartition: true,
      });
      assert.equal(network.neurons, expected.neurons);
      assert.equal(within, expected.nonzeros_within_regions);
      assert.equal(between, expected.nonzeros_between_regions);
    }
  });
});

for (const { name, regions, connections, address } of CATALOGUE) {
  // Published figures are those of the collection.
  if (address !== undefined) continue;
  const expected = golden.connectomes[name as keyof typeof golden.connectomes];

  itNeeds(`${name} holds what was published`, missing, async () => {
    const connectome = await load(name);
    const weights = matrixOfGraph(connectome.graph);
    const metrics = graphMeasures(connectome.graph);
    assert.equal(connectome.regions, expected.regions);
    assert.equal(connectome.regions, regions);
    assert.equal(metrics.connections, expected.positive_entries);
    assert.equal(metrics.connections, connections);
    assert.equal(metrics.smallestWeight, expected.min_positive);
    assert.equal(metrics.largestWeight, expected.max);
    assert.equal(metrics.symmetric, expected.symmetric);
    assert.equal(metrics.symmetricPattern, expected.symmetric_pattern);
    for (const [entry, value] of Object.entries(expected.corner)) {
      const [i, j] = entry.match(/\d+/g)!.map(Number);
      assert.equal(weights[i! * regions + j!], value, entry);
    }
    const firstRow = [...weights.slice(0, regions)]
      .flatMap((weight, column) => weight > 0 ? [column] : []);
    assert.deepEqual(firstRow, expected.first_row_nonzero_columns);
    metrics.outStrength.forEach((sum, region) =>
      assert.ok(nearlyEqual(sum, expected.row_sums[region]!))
    );
    metrics.inStrength.forEach((sum, region) =>
      assert.ok(nearlyEqual(sum, expected.column_sums[region]!))
    );
    assert.equal(new Set(connectome.regionNames).size, regions);
    assert.ok(connectome.citations.length >= 2);
  });

  itNeeds(
    `${name} scales to as many connections as published`,
    missing,
    async () => {
      const { graph } = await load(name);
      for (
        const [perRegion, wanted] of Object.entries(expected.by_nr_neurons)
      ) {
        for (const randPartition of [true, false]) {
          const { network, within, between } = count(graph, {
            neuronDensity: new Array(regions).fill(Number(perRegion)),
            randPartition,
          });
          assert.equal(network.neurons, wanted.neurons);
          assert.equal(within, wanted.nonzeros_within_regions);
          assert.equal(between, wanted.nonzeros_between_regions);
        }
      }
    },
  );

  itNeeds(`${name} scales to the weights published`, missing, async () => {
    const { graph } = await load(name);
    const weights = matrixOfGraph(graph);
    for (const randPartition of [true, false]) {
      const { network, sum } = count(graph, {
        neuronDensity: new Array(regions).fill(expected.nr_neurons),
        // The published figures are the original's, from incoming weights.
        intrinsicFrom: "incoming",
        randPartition,
      });
      assert.ok(nearlyEqual(sum, expected.sum_of_scaled_weights));
      for (let region = 0; region < regions; region++) {
        const block = blockOf(network, [region, region]);
        const wanted = expected.intrinsic_weight_per_region[region]!;
        assert.ok(nearlyEqual(block.sum, wanted));
        assert.equal(block.count, expected.nonzeros_within_each_region);
        const other = (region + 1) % regions;
        const pair = blockOf(network, [region, other]);
        const weight = weights[region * regions + other]!;
        assert.ok(nearlyEqual(pair.sum, weight));
        assert.equal(
          pair.count,
          weight > 0 ? expected.nonzeros_per_connected_region_pair : 0,
        );
      }
    }
  });
}

itNeeds(
  "scaleConnectome() gives the connection counts of bio2art's own examples",
  missing,
  async () => {
    for (const example of golden.readme_examples) {
      const { graph } = await load(example.connectome);
      const { network, within, between } = count(graph, {
        neuronDensity: example.neuron_density,
        targetSparsity: example.target_sparsity,
        intrinsicConnections: example.intrinsic_conn,
        targetSparsityIntrinsic: example.target_sparsity_intrinsic,
        keepDiagonal: example.keep_diag,
        randPartition: true,
      });
      assert.equal(network.neurons, example.neurons);
      assert.equal(within + between, example.nonzeros);
      assert.ok(
        nearlyEqual(
          (within + between) / network.neurons ** 2,
          example.density,
        ),
      );
    }
  },
);

itNeeds(
  "scaleNeuronDensity() scales the marmoset's densities as published",
  missing,
  async () => {
    const { neuronDensity } = await load("Marmoset_Normalized");
    const expected = golden.marmoset_neuron_density_scaled;
    for (const method of ["rank", "ratio"] as const) {
      assert.deepEqual(
        scaleNeuronDensity(neuronDensity!, {
          method,
          seed: expected.seed_neuron,
        }),
        expected[method],
      );
    }
  },
);

itNeeds(
  "scaleNeuronDensity() refuses the macaque's densities and names the areas that lack one",
  missing,
  async () => {
    const { neuronDensity, regionNames } = await load("Macaque_Normalized");
    const lacking = [12, 14, 15, 16, 21].map((region) => regionNames[region]);
    assert.throws(
      () =>
        scaleNeuronDensity(neuronDensity!, {
          method: "rank",
          seed: 1,
          regionNames,
        }),
      (error: Error) => error.message.includes(`(${lacking.join(", ")})`),
    );
  },
);

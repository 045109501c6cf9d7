import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { didYouMean, nearestNames } from "../../src/text/words.ts";

const KEYS = ["net_name", "rnn_size", "nr_neurons", "lr", "n_back", "init"];
const TASKS = ["seq_mem", "nback_mem", "pic_latent_mem", "pic_mem"];
const CONNECTOMES = [
  "Macaque_Normalized",
  "Marmoset_Normalized",
  "Drosophila",
  "Mouse_Ypma_Oh",
];

describe("nearestNames()", () => {
  it("finds what a slip of the finger meant", () => {
    for (
      const [found, meant, names] of [
        ["nr_neuron", "nr_neurons", KEYS],
        ["rnn_sze", "rnn_size", KEYS],
        ["RNN-Size", "rnn_size", KEYS],
        ["LR", "lr", KEYS],
        ["nback", "n_back", KEYS],
        ["pic_mem_latent", "pic_latent_mem", TASKS],
        ["nback", "nback_mem", TASKS],
        ["marmoset", "Marmoset_Normalized", CONNECTOMES],
        ["C_Drosophila.npy", "Drosophila", CONNECTOMES],
        ["Macaqe_Normalized", "Macaque_Normalized", CONNECTOMES],
      ] as const
    ) {
      assert.equal(nearestNames(found, names)[0], meant, found);
    }
  });

  it("suggests nothing for something else", () => {
    for (const name of ["colour", "x", "ab", "", "n".repeat(100_000)]) {
      assert.deepEqual(nearestNames(name, KEYS), [], name);
    }
    assert.deepEqual(nearestNames("zebrafish", CONNECTOMES), []);
    assert.deepEqual(nearestNames("M", CONNECTOMES), []);
    assert.equal(didYouMean("colour", KEYS), "");
  });
});

import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { nearestName } from "../../src/experiment/nearest_name.ts";

const KEYS = ["net_name", "rnn_size", "nr_neurons", "lr", "n_back", "init"];
const TASKS = ["seq_mem", "nback_mem", "pic_latent_mem", "pic_mem"];

describe("nearestName()", () => {
  it("finds what a slip of the finger meant", () => {
    assert.equal(nearestName("nr_neuron", KEYS), "nr_neurons");
    assert.equal(nearestName("rnn_sze", KEYS), "rnn_size");
    assert.equal(nearestName("RNN-Size", KEYS), "rnn_size");
    assert.equal(nearestName("LR", KEYS), "lr");
    assert.equal(nearestName("nback", KEYS), "n_back");
  });

  it("finds names whose words were mixed up or cut off", () => {
    assert.equal(nearestName("pic_mem_latent", TASKS), "pic_latent_mem");
    assert.equal(nearestName("nback", TASKS), "nback_mem");
  });

  it("suggests nothing for something else", () => {
    for (const name of ["colour", "x", "ab", "", "n".repeat(100_000)]) {
      assert.equal(nearestName(name, KEYS), undefined);
    }
  });
});

import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import {
  didYouMean,
  formatBytes,
  formatDuration,
  formatTable,
  listNames,
  nearestNames,
  plural,
  printable,
  shorten,
} from "../../src/text/words.ts";

describe("printable()", () => {
  it("leaves nothing that steers a terminal", () => {
    for (
      const text of [
        "a\x1b[31mb",
        "\x9b2J",
        "a\rb",
        "\x07",
        "\u202ereversed",
        "\u2028",
        "a\nb",
        "\x7f",
      ]
    ) {
      const shown = printable(text);
      assert.match(shown, /\\x|\\u/);
      assert.ok([...shown].every((c) => c >= " " && !/\p{Cc}|\p{Cf}/u.test(c)));
    }
    assert.equal(printable("V1\x1b[31m"), "V1\\x1b[31m");
  });

  it("leaves names as they are", () => {
    for (
      const text of ["Crâne", "区域 1", "V1, dorsal", "μ ± σ", "C:\\res", "👩‍🔬"]
    ) {
      assert.equal(printable(text), text);
    }
  });
});

describe("formatTable()", () => {
  it("puts numbers to the right and counts characters", () => {
    assert.deepEqual(
      formatTable([["region", "n"], ["Crâne", "5"], ["V👁", "29"]]),
      ["region   n", "Crâne    5", "V👁      29"],
    );
  });

  it("takes a name with an escape as text", () => {
    assert.ok(!formatTable([["a\x1b[2J", "b"]]).join("").includes("\x1b"));
  });
});

describe("words", () => {
  it("formats counts, sizes and durations", () => {
    assert.equal(plural(1, "epoch"), "1 epoch");
    assert.equal(plural(0, "epoch"), "0 epochs");
    assert.equal(formatBytes(999), "999 B");
    assert.equal(formatBytes(1000), "1.00 kB");
    assert.equal(formatBytes(999_999), "1.00 MB");
    assert.equal(formatBytes(215_400_000), "215 MB");
    assert.equal(formatDuration(5), "0:05");
    assert.equal(formatDuration(125.4), "2:05");
    assert.equal(formatDuration(3725), "1:02:05");
    assert.equal(listNames(["a", "b", "c"]), "a, b or c");
    assert.equal(shorten("x".repeat(100)).length, 61);
  });
});

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

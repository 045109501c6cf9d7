import assert from "node:assert/strict";
import { describe, it } from "../../src/compat/testing.ts";
import { updateTensor } from "../../src/reference/model.ts";

/** Weight 1 after each step of learning rate 0.01 down these gradients. */
function weightsAfter(optimizer: string, gradients: number[]): number[] {
  const weights = Float64Array.of(1);
  const moments = {
    firstMoment: new Float64Array(1),
    secondMoment: new Float64Array(1),
  };
  return gradients.map((gradient, i) => {
    updateTensor(weights, {
      optimizer,
      learningRate: 0.01,
      update: i + 1,
      ...moments,
      gradient: Float64Array.of(gradient),
    });
    return weights[0]!;
  });
}

function assertClose(found: number[], expected: number[]) {
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs(found[i]! - value) < 1e-15, `${found[i]}, not ${value}`);
  }
}

describe("updateTensor()", () => {
  it("goes down the gradient with SGD", () => {
    assertClose(weightsAfter("SGD", [0.5, -0.25]), [0.995, 0.9975]);
  });

  it("follows Adam's corrected moments", () => {
    // By Python: m = .9 m + .1 g; v = .999 v + .001 g²;
    // p -= lr / (1 - .9^k) m / (√v / √(1 - .999^k) + 1e-8).
    assertClose(weightsAfter("Adam", [0.5, -0.25, 1e-7]), [
      0.9900000002,
      0.9873366298707846,
      0.985277835754973,
    ]);
  });

  it("keeps Adam's epsilon outside the root", () => {
    // g = eps: a step of half the learning rate; inside the root it would be 1e-6 of it.
    assertClose(weightsAfter("Adam", [1e-8]), [1 - 0.005]);
  });

  it("divides by the root of RMSprop's square average, plus epsilon", () => {
    const root = Math.sqrt(0.99 * 0.01 * 0.25 + 0.01 * 0.0625);
    const first = 1 - 0.01 * 0.5 / (0.05 + 1e-8);
    assertClose(weightsAfter("RMSprop", [0.5, -0.25]), [
      first,
      first + 0.01 * 0.25 / (root + 1e-8),
    ]);
  });
});

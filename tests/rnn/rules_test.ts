/**
 * Optimizers and nonlinearities: the same in all engines as in PyTorch, those
 * that there are and those that a program gives.
 */
import assert from "node:assert/strict";
import { describe, it, itNeeds } from "../../src/compat/testing.ts";
import { createEnsemble, shapeOf } from "../../src/engine/create_ensemble.ts";
import type { Engine, EnsembleSpec } from "../../src/engine/ensemble.ts";
import { createWebGpuEngine } from "../../src/gpu/engine.ts";
import { createReferenceEngine } from "../../src/reference/engine.ts";
import { updateTensor } from "../../src/reference/model.ts";
import { NUMBERS } from "../../src/rnn/arithmetic.ts";
import {
  NONLINEARITIES,
  type Nonlinearity,
} from "../../src/rnn/nonlinearities.ts";
import { type Optimizer, OPTIMIZERS } from "../../src/rnn/optimizers.ts";
import { PARAMETER_NAMES } from "../../src/rnn/parameters.ts";
import { createWasmEngine } from "../../src/wasm/engine.ts";
import { findPython } from "../find_python.ts";
import { exampleSpec } from "../reference/example_runs.ts";

const PYTHON = await findPython("torch");
const adapter = await createWebGpuEngine();
const noAdapter = adapter === undefined ? "a WebGPU adapter" : undefined;

const softsign: Nonlinearity = {
  name: "softsign",
  description: "x / (1 + |x|)",
  source: "this test",
  value: (a, x) => a.divide(x, a.add(a.add(0.5, 0.5), a.absolute(x))),
  backward(a, { gradient, output }) {
    const root = a.subtract(1, a.absolute(output));
    return a.multiply(gradient, a.multiply(root, root));
  },
};

/** SGD with momentum, of a rate that falls with the updates. */
const momentum: Optimizer = {
  name: "Momentum",
  description: "",
  source: "this test",
  update(a, { weight, gradient, first, learningRate, perUpdate }) {
    const velocity = a.add(a.multiply(0.9, first), gradient);
    const rate = a.multiply(learningRate, perUpdate((n) => 1 / n));
    return {
      weight: a.subtract(weight, a.multiply(rate, velocity)),
      first: velocity,
    };
  },
};

const ALL_ACTIVATIONS = [...NONLINEARITIES.values(), softsign];
const ALL_OPTIMIZERS = [...OPTIMIZERS.values(), momentum];

/** A run of each pair, side by side. */
function allPairs(): EnsembleSpec {
  const specs = ALL_ACTIVATIONS.flatMap((activation) =>
    ALL_OPTIMIZERS.map((optimizer, i) =>
      exampleSpec({
        seed: i + 1,
        hiddenSize: 13,
        run: {
          activation,
          optimizer,
          learningRate: 0.003,
          label: `${activation.name}, ${optimizer.name}`,
        },
      })
    )
  );
  return { ...specs[0]!, runs: specs.map(({ runs }) => runs[0]!) };
}

const EPOCHS = 10;

async function train(engine: Engine, spec: EnsembleSpec) {
  const ensemble = await createEnsemble(engine, spec);
  const { trainLoss } = await ensemble.train(EPOCHS);
  const states = await ensemble.state();
  ensemble.destroy();
  return { trainLoss, states };
}

describe("every nonlinearity with every optimizer", () => {
  const spec = allPairs();
  const expected = train(createReferenceEngine(), spec);
  const compare = async (engine: Engine) => {
    const found = await train(engine, spec);
    const { trainLoss, states } = await expected;
    for (const [model, { label }] of spec.runs.entries()) {
      const at = model * EPOCHS + EPOCHS - 1;
      const loss = trainLoss[at]!;
      assert.ok(
        Math.abs(found.trainLoss[at]! - loss) < 1e-4 * loss,
        `${label}: ${found.trainLoss[at]}, not ${loss}`,
      );
      for (
        const part of ["parameters", "firstMoment", "secondMoment"] as const
      ) {
        for (const name of PARAMETER_NAMES) {
          const exact = states[model]![part][name];
          const size = Math.max(1e-6, ...exact.map(Math.abs));
          found.states[model]![part][name].forEach((value, i) =>
            assert.ok(
              Math.abs(value - exact[i]!) < 1e-3 * size,
              `${label}, ${part} ${name}: ${value}, not ${exact[i]}`,
            )
          );
        }
      }
    }
  };

  it("learns", async () => {
    const { trainLoss } = await expected;
    spec.runs.forEach(({ label }, model) =>
      assert.ok(
        trainLoss[model * EPOCHS + EPOCHS - 1]! <
          trainLoss[model * EPOCHS]!,
        label,
      )
    );
  });

  for (const fused of [true, false]) {
    it(`trains alike in WebAssembly, ${fused ? "" : "not "}fused`, async () => {
      const engine = createWasmEngine({ workers: 2, fused });
      await compare(engine).finally(() => engine.destroy());
    });
  }

  for (const format of ["dense", "blocks", "connections"] as const) {
    itNeeds(`trains alike on WebGPU, ${format}`, noAdapter, async () => {
      const engine = await createWebGpuEngine({ format });
      await compare(engine!).finally(() => engine!.destroy());
    });
  }
});

describe("a nonlinearity", () => {
  const points = [-5, -1.3, -0.01, 0.02, 0.7, 4];
  for (const act of ALL_ACTIVATIONS) {
    it(`${act.name} passes the gradient back by its slope`, () => {
      for (const x of points) {
        const h = 1e-6;
        const output = act.value(NUMBERS, x);
        const slope = (act.value(NUMBERS, x + h) - act.value(NUMBERS, x - h)) /
          (2 * h);
        const back = act.backward(NUMBERS, { gradient: 3, output });
        assert.ok(Math.abs(back - 3 * slope) < 1e-7, `${x}`);
      }
    });
  }

  it("is found by its name, or the nearest one is told", async () => {
    const spec = exampleSpec({ run: { activation: "sigmoit" } });
    await assert.rejects(
      createEnsemble(createReferenceEngine(), spec),
      /the nonlinearity "sigmoit": it must be relu, .* \(did you mean "sigmoid"\?\)$/,
    );
  });
});

describe("an optimizer", () => {
  const refused = (update: Optimizer["update"]) =>
    createEnsemble(
      createReferenceEngine(),
      exampleSpec({ run: { optimizer: { ...momentum, update } } }),
    );

  it("that would make connections out of nothing is refused", async () => {
    await assert.rejects(
      refused((a, { weight }) => ({ weight: a.subtract(weight, 0.1) })),
      /optimizer Momentum: it makes -0.1 of a weight of 0 without a gradient/,
    );
  });

  it("that keeps something of the weight is refused", async () => {
    await assert.rejects(
      refused((a, { weight }) => ({ weight, first: a.multiply(2, weight) })),
      /optimizer Momentum: what it keeps depends on the weight/,
    );
  });

  it("that the plan was not made for is refused", async () => {
    const spec = exampleSpec({ run: { optimizer: "SGD" } });
    const { runs } = exampleSpec({ run: { optimizer: "Adam" } });
    for (const engine of [createReferenceEngine(), createWasmEngine()]) {
      await assert.rejects(
        engine.plan(shapeOf(spec)).createEnsemble(runs),
        /its tanh or its Adam is none of those that the plan was made for/,
      );
      engine.destroy();
    }
  });
});

const TORCH = `
import json, sys, torch
import torch.nn.functional as F
asked = json.load(sys.stdin)
found = {"values": {}, "slopes": {}, "weights": {}}
ACTS = {"relu": torch.relu, "tanh": torch.tanh, "leaky_relu": F.leaky_relu, "sigmoid": torch.sigmoid}
for name in asked["nonlinearities"]:
    x = torch.tensor(asked["points"], dtype=torch.float64, requires_grad=True)
    y = ACTS[name](x)
    y.sum().backward()
    found["values"][name] = y.tolist()
    found["slopes"][name] = x.grad.tolist()
for name in asked["optimizers"]:
    p = torch.tensor(asked["weights"], dtype=torch.float64, requires_grad=True)
    optimizer = getattr(torch.optim, name)([p], lr=0.01)
    found["weights"][name] = []
    for gradient in asked["gradients"]:
        p.grad = torch.tensor(gradient, dtype=torch.float64)
        optimizer.step()
        found["weights"][name].append(p.tolist())
print(json.dumps(found))
`;

itNeeds(
  "optimizers and nonlinearities are PyTorch's",
  PYTHON === undefined ? "Python with PyTorch" : undefined,
  async () => {
    const points = [-30, -2.5, -0.1, 1e-3, 0.3, 1, 7];
    const weights = [1, -2, 0.5, 0];
    const gradients = [[0.1, -3, 1e-9, 0], [0.2, 1, 1e-3, 0], [-4, 1, 0, 1]];
    const process = new Deno.Command(PYTHON!, {
      args: ["-c", TORCH],
      stdin: "piped",
      stdout: "piped",
      stderr: "piped",
    }).spawn();
    const writer = process.stdin.getWriter();
    await writer.write(new TextEncoder().encode(JSON.stringify({
      points,
      weights,
      gradients,
      nonlinearities: [...NONLINEARITIES.keys()],
      optimizers: [...OPTIMIZERS.keys()],
    })));
    await writer.close();
    const { stdout, stderr } = await process.output();
    assert.ok(stdout.length > 0, new TextDecoder().decode(stderr));
    const torch = JSON.parse(new TextDecoder().decode(stdout));
    const near = (found: number, exact: number, what: string) =>
      assert.ok(
        Math.abs(found - exact) <= 1e-14 * Math.max(1, Math.abs(exact)),
        `${what}: ${found}, not ${exact}`,
      );
    for (const act of NONLINEARITIES.values()) {
      for (const [i, x] of points.entries()) {
        const output = act.value(NUMBERS, x);
        near(output, torch.values[act.name][i], `${act.name}(${x})`);
        const slope = act.backward(NUMBERS, { gradient: 1, output });
        near(slope, torch.slopes[act.name][i], `${act.name}'(${x})`);
      }
    }
    for (const optimizer of OPTIMIZERS.keys()) {
      const found = Float64Array.from(weights);
      const moments = {
        firstMoment: new Float64Array(4),
        secondMoment: new Float64Array(4),
      };
      for (const [n, gradient] of gradients.entries()) {
        updateTensor(found, {
          optimizer,
          learningRate: 0.01,
          update: n + 1,
          ...moments,
          gradient: Float64Array.from(gradient),
        });
        found.forEach((weight, i) =>
          near(weight, torch.weights[optimizer][n][i], `${optimizer}, ${n}`)
        );
      }
    }
  },
);

addEventListener("unload", () => adapter?.destroy());

"""The benchmark's training in JAX: vmap over models of a lax.scan over time.

    python elman_jax.py PROBLEM

All models of one T are one jitted program that trains an epoch. Float32 with
the highest precision of matrix products, so that no TF32 comes in. Prints a
JSON line a round; see elman_problem.py.
"""

import argparse
import functools
import os

# JAX would take three quarters of a GPU's memory at start; other programs run beside it.
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")

import jax
import jax.numpy as jnp
import numpy as np

import elman_problem

ADAM_BETAS = (0.9, 0.999)
RMSPROP_ALPHA = 0.99
EPSILON = 1e-8
KINDS = ("Adam", "RMSprop", "SGD")

# Steps whose bias corrections are tabulated; beyond, both are 1 in float32.
ADAM_STEPS = 30_000


def forward(p, relu, inputs, unroll):
    """Outputs [T, B] of one model; inputs [T, B, I]."""
    sums = inputs @ p["weightIh"].T + p["biasIh"] + p["biasHh"]

    def step(state, sums):
        raw = sums + state @ p["weightHh"].T
        state = jnp.where(relu, jax.nn.relu(raw), jnp.tanh(raw))
        return state, state

    start = jnp.zeros(sums.shape[1:], sums.dtype)
    _, states = jax.lax.scan(step, start, sums, unroll=unroll)
    return (states @ p["weightFc"].T + p["biasFc"])[..., 0]


def loss_of(p, relu, inputs, targets, unroll):
    scored = targets != 0
    error = jnp.where(scored, forward(p, relu, inputs, unroll) - targets, 0)
    return jnp.sum(error**2) / jnp.sum(scored)


def updated(kind, scales, rate, p, g, m, v):
    """One tensor [M, ...] after an optimizer step, and its moments."""
    each = lambda values: values.reshape((-1,) + (1,) * (p.ndim - 1))
    kind, rate = each(kind), each(rate)
    adam = kind == KINDS.index("Adam")
    rmsprop = kind == KINDS.index("RMSprop")
    m = jnp.where(adam, ADAM_BETAS[0] * m + (1 - ADAM_BETAS[0]) * g, m)
    keep = jnp.where(adam, ADAM_BETAS[1], RMSPROP_ALPHA)
    # 1 − β rounded once, from double precision.
    take = jnp.where(adam, 1 - ADAM_BETAS[1], 1 - RMSPROP_ALPHA)
    v = jnp.where(adam | rmsprop, keep * v + take * g * g, v)
    root = jnp.sqrt(v) * jnp.where(adam, scales[1], 1) + EPSILON
    step = jnp.where(adam, m * scales[0] / root, jnp.where(rmsprop, g / root, g))
    return p - rate * step, m, v


def make_epoch(unroll):
    """The jitted epoch of a group of models of one T."""
    losses_of = jax.vmap(functools.partial(loss_of, unroll=unroll))
    gradients_of = jax.vmap(jax.value_and_grad(functools.partial(loss_of, unroll=unroll)))

    def train_batch(facts, carry, batch):
        p, m, v, made = carry
        losses, g = gradients_of(p, facts["relu"], *batch)
        g["weightHh"] = g["weightHh"] * facts["mask"]
        scales = facts["scales"][jnp.minimum(made, ADAM_STEPS - 1)]
        for name in p:
            p[name], m[name], v[name] = updated(
                facts["kind"], scales, facts["rate"], p[name], g[name], m[name], v[name]
            )
        return (p, m, v, made + 1), losses

    def epoch(facts, carry, train, validate):
        losses = []
        for batches in train:  # batches of one size each
            carry, some = jax.lax.scan(functools.partial(train_batch, facts), carry, batches)
            losses.append(some)
        checks = [
            jax.lax.map(lambda batch: losses_of(carry[0], facts["relu"], *batch), batches)
            for batches in validate
        ]
        means = [jnp.concatenate(parts).mean(axis=0) for parts in (losses, checks)]
        return carry, jnp.stack(means)

    return jax.jit(epoch, donate_argnums=1)


class Group:
    """The models of one T."""

    def __init__(self, problem, numbers, unroll):
        self.numbers = numbers
        models = [problem.models[i] for i in numbers]
        steps = np.arange(1, ADAM_STEPS + 1, dtype=np.float64)
        scales = np.stack(
            [1 / (1 - ADAM_BETAS[0] ** steps), 1 / np.sqrt(1 - ADAM_BETAS[1] ** steps)], axis=1
        )
        masks = [problem.masks[model["mask"]] & bool(model["trainRecurrent"]) for model in models]
        self.facts = {
            "relu": jnp.array([model["activation"] == "relu" for model in models]),
            "kind": jnp.array([KINDS.index(model["optimizer"]) for model in models]),
            "rate": jnp.array([model["learningRate"] for model in models], jnp.float32),
            "mask": jnp.array(np.stack(masks), jnp.float32),
            "scales": jnp.array(scales, jnp.float32),
        }
        parameters = {name: jnp.array(v[numbers]) for name, v in problem.parameters.items()}
        zeros = lambda: {name: jnp.zeros_like(v) for name, v in parameters.items()}
        self.carry = (parameters, zeros(), zeros(), jnp.zeros((), jnp.int32))
        self.train = self.batches(problem, problem.train)
        self.validate = self.batches(problem, problem.validate)
        self.run = make_epoch(models[0]["steps"] if unroll == "all" else int(unroll))

    def batches(self, problem, places):
        """Neighbouring batches of one size: inputs [batches, M, T, B, I], targets [batches, M, T, B]."""
        runs = []
        for at, size in places:
            inputs = np.stack([problem.inputs[i][at : at + size] for i in self.numbers])
            targets = np.stack([problem.targets[i][at : at + size] for i in self.numbers])
            batch = (inputs.transpose(0, 2, 1, 3), targets.transpose(0, 2, 1))
            if not runs or runs[-1][-1][1].shape != batch[1].shape:
                runs.append([])
            runs[-1].append(batch)
        return [
            tuple(jnp.array(np.stack(arrays), jnp.float32) for arrays in zip(*run)) for run in runs
        ]

    def epoch(self):
        """Mean losses [2, M] of training and validation."""
        self.carry, losses = self.run(self.facts, self.carry, self.train, self.validate)
        return losses


class Trainer:
    def __init__(self, problem, unroll):
        self.count = len(problem.models)
        self.groups = [Group(problem, numbers, unroll) for numbers in problem.groups()]

    def train(self, epochs):
        """Losses of so many more epochs: two arrays [epochs, M]."""
        kept = [[group.epoch() for _ in range(epochs)] for group in self.groups]
        result = np.zeros((2, epochs, self.count))
        for group, losses in zip(self.groups, kept):
            for epoch, values in enumerate(losses):
                result[:, epoch, group.numbers] = np.asarray(values)
        return result[0], result[1]


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    elman_problem.add_arguments(parser)
    parser.add_argument(
        "--unroll", default="1", help="time steps written out in a turn of the scan, or all"
    )
    options = parser.parse_args()
    jax.config.update("jax_default_matmul_precision", "highest")
    if options.device != "auto":
        jax.config.update("jax_platforms", options.device)
    problem = elman_problem.Problem(options.problem, options.models)
    device = jax.devices()[0]
    facts = {
        "peer": "jax",
        "variant": f"vmap, scan unrolled {options.unroll}",
        "version": jax.__version__,
        "device": device.device_kind if device.platform != "cpu" else "cpu",
        "threads": len(os.sched_getaffinity(0)),
        "blas": "XLA",
    }
    elman_problem.serve(
        problem,
        Trainer(problem, options.unroll),
        facts,
        warmup=options.warmup,
        epochs=options.epochs,
        rounds=options.rounds,
    )


if __name__ == "__main__":
    main()

"""A benchmark problem: many Elman networks, their trials and their start values.

`bench/export_problem.ts` writes it as a folder: `problem.json` and NumPy arrays.
Every peer trains on exactly this, so that losses can be compared number by
number.
"""

import ctypes
import json
import os
import sys
import time

import numpy as np

FORMAT = "biornn-problem/1"

PARAMETERS = ("weightIh", "weightHh", "biasIh", "biasHh", "weightFc", "biasFc")


class Problem:
    """Networks of one size; H hidden units, I inputs, O outputs, M models.

    parameters  name -> float32 [M, ...], PyTorch's shapes, a model a row
    masks       bool [K, H, H], True where W_hh may differ from 0
    models      M dicts: label, activation, optimizer, learningRate,
                trainRecurrent, steps (T), mask (row of masks)
    inputs      M arrays float32 [N, T, I], trials in the order of training
    targets     M arrays float32 [N, T], 0 = not scored
    train       [(first trial, trials)] of each training batch
    validate    the same of each validation batch
    """

    def __init__(self, folder, most_models=None):
        with open(os.path.join(folder, "problem.json"), encoding="utf-8") as file:
            head = json.load(file)
        if head.get("format") != FORMAT:
            raise SystemExit(f"{folder}: format {head.get('format')!r} is not {FORMAT!r}")
        if head["loss"] != "mse" or head["outputSize"] != 1:
            raise SystemExit(f"{folder}: only the loss mse with one output can be trained here")
        self.hidden = head["hiddenSize"]
        self.input = head["inputSize"]
        self.models = head["models"][:most_models]
        count = len(self.models)
        self.parameters = {
            name: load(folder, name)[:count].astype(np.float32) for name in PARAMETERS
        }
        self.masks = load(folder, "masks").astype(bool)
        self.inputs, self.targets = [], []
        seen = {}
        arrays = {}
        for model in self.models:
            steps = model["steps"]
            if steps not in arrays:
                arrays[steps] = (load(folder, f"inputs_{steps}"), load(folder, f"targets_{steps}"))
            index = seen.get(steps, 0)
            seen[steps] = index + 1
            self.inputs.append(arrays[steps][0][index])
            self.targets.append(arrays[steps][1][index])
        self.train = batches(head["trainBatches"], 0)
        self.validate = batches(head["validateBatches"], sum(head["trainBatches"]))

    def groups(self):
        """Numbers of the models of each T, longest first."""
        by_steps = {}
        for number, model in enumerate(self.models):
            by_steps.setdefault(model["steps"], []).append(number)
        return [by_steps[steps] for steps in sorted(by_steps, reverse=True)]

    def epoch_flop(self):
        """3·2·B·T·H² a training batch, a third of it a validation batch."""
        rows = 3 * sum(size for _, size in self.train) + sum(size for _, size in self.validate)
        return sum(2 * rows * model["steps"] * self.hidden**2 for model in self.models)


def load(folder, name):
    return np.load(os.path.join(folder, f"{name}.npy"), allow_pickle=False)


def batches(sizes, first):
    """(first trial, trials) of batches that follow each other."""
    places = []
    for size in sizes:
        places.append((first, size))
        first += size
    return places


def blas_kernels():
    """What OpenBLAS in this process says of itself; None where there is none."""
    try:
        with open("/proc/self/maps", encoding="utf-8") as file:
            names = {line.split()[-1] for line in file if "blas" in line}
    except OSError:
        return None
    for name in sorted(names):
        try:
            library = ctypes.CDLL(name)
            core = library.openblas_get_corename
            threads = library.openblas_get_num_threads
        except (OSError, AttributeError):
            continue
        core.restype = ctypes.c_char_p
        return f"OpenBLAS {core().decode()}, {threads()} thread(s)"
    return None


def serve(problem, trainer, facts, *, warmup, epochs, rounds):
    """Trains and reports, a JSON line a round.

    The warm-up epochs come first: whatever is compiled or allocated once is
    not timed. With rounds = 0 a line on stdin starts each further round of
    `epochs` epochs, until stdin ends, so that programs can be timed in turn.
    """
    watch = stopwatch()
    losses = trainer.train(warmup)
    spent = watch()
    facts = {**facts, "models": len(problem.models), "epochFlop": problem.epoch_flop()}
    say({**facts, "round": 0, "epochs": warmup, **spent, **lists(losses)})
    number = 0
    while number < rounds if rounds else sys.stdin.readline():
        number += 1
        watch = stopwatch()
        losses = trainer.train(epochs)
        spent = watch()
        per_epoch = spent["seconds"] / epochs
        say({
            "round": number,
            "epochs": epochs,
            **spent,
            "secondsPerEpoch": per_epoch,
            "gflops": problem.epoch_flop() / per_epoch / 1e9,
            **lists(losses),
        })


def stopwatch():
    """Measures from now to the call of what it returns; cpuSeconds of all threads together."""
    began, used = time.perf_counter(), time.process_time()
    return lambda: {
        "seconds": time.perf_counter() - began,
        "cpuSeconds": time.process_time() - used,
    }


def lists(losses):
    train, validate = losses
    return {
        "trainLoss": np.asarray(train, np.float64).tolist(),
        "validateLoss": np.asarray(validate, np.float64).tolist(),
    }


def say(line):
    print(json.dumps(line), flush=True)


def add_arguments(parser):
    parser.add_argument("problem", help="folder that export_problem.ts wrote")
    parser.add_argument("--models", type=int, help="train the first so many models only")
    parser.add_argument("--warmup", type=int, default=1, help="epochs before the timed ones")
    parser.add_argument("--epochs", type=int, default=1, help="epochs of a round")
    parser.add_argument("--rounds", type=int, default=1, help="rounds; 0: one for each line on stdin")
    parser.add_argument("--device", default="auto", help="auto, cpu or the name of a GPU")

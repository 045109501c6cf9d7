"""The benchmark's training in PyTorch.

    python elman_torch.py PROBLEM --variant sequential

Variants:
  sequential  nn.RNN and nn.Linear, autograd, torch.optim, one model after the
              other, batches cut from tensors beforehand
  loader      the same with a DataLoader, as one would write it
  captured    sequential, each model's epoch one CUDA graph (needs a GPU)
  bmm         all models of one T at once: batched matrix products and a
              backward pass by hand
  graphs      bmm, each epoch one CUDA graph (needs a GPU)
  compile     graphs, the step compiled by torch.compile (torch 2 and a GPU)

Prints a JSON line a round; see elman_problem.py.
"""

import argparse
import os
import re

import numpy as np
import torch

import elman_problem
from elman_torch_batched import Batched

OPTIMIZERS = {"Adam": torch.optim.Adam, "RMSprop": torch.optim.RMSprop, "SGD": torch.optim.SGD}

# PyTorch's names of the six tensors.
TENSORS = {
    "weightIh": ("rnn", "weight_ih_l0"),
    "weightHh": ("rnn", "weight_hh_l0"),
    "biasIh": ("rnn", "bias_ih_l0"),
    "biasHh": ("rnn", "bias_hh_l0"),
    "weightFc": ("fc", "weight"),
    "biasFc": ("fc", "bias"),
}


class Elman(torch.nn.Module):
    """An Elman network with a linear read-out, from a problem's start values."""

    def __init__(self, problem, number):
        super().__init__()
        model = problem.models[number]
        self.rnn = torch.nn.RNN(
            problem.input, problem.hidden, nonlinearity=model["activation"], batch_first=True
        )
        self.fc = torch.nn.Linear(problem.hidden, 1)
        with torch.no_grad():
            for name, (part, tensor) in TENSORS.items():
                value = torch.from_numpy(problem.parameters[name][number])
                getattr(getattr(self, part), tensor).copy_(value)

    def forward(self, inputs):
        hidden, _ = self.rnn(inputs)
        return self.fc(hidden).squeeze(-1)


class One:
    """One model, its data and its optimizer."""

    def __init__(self, problem, number, device, loader):
        model = problem.models[number]
        self.net = Elman(problem, number).to(device)
        self.device = device
        mask = problem.masks[model["mask"]] & bool(model["trainRecurrent"])
        self.mask = torch.from_numpy(mask).to(device, torch.float32)
        self.optimizer = OPTIMIZERS[model["optimizer"]](
            self.net.parameters(), lr=model["learningRate"]
        )
        inputs = torch.from_numpy(np.ascontiguousarray(problem.inputs[number]))
        targets = torch.from_numpy(np.ascontiguousarray(problem.targets[number]))
        self.train_batches = self.batches(inputs, targets, problem.train, loader)
        self.validate_batches = self.batches(inputs, targets, problem.validate, loader)

    def batches(self, inputs, targets, places, loader):
        if loader:
            first, end = places[0][0], sum(places[-1])
            data = torch.utils.data.TensorDataset(inputs[first:end], targets[first:end])
            return torch.utils.data.DataLoader(data, batch_size=places[0][1], shuffle=False)
        return [
            (inputs[at : at + size].to(self.device), targets[at : at + size].to(self.device))
            for at, size in places
        ]

    def loss(self, inputs, targets):
        inputs, targets = inputs.to(self.device), targets.to(self.device)
        scored = targets != 0
        return torch.nn.functional.mse_loss(self.net(inputs)[scored], targets[scored])

    def epoch(self):
        """Mean losses of the training and of the validation batches."""
        train = []
        for inputs, targets in self.train_batches:
            self.optimizer.zero_grad()
            loss = self.loss(inputs, targets)
            loss.backward()
            self.net.rnn.weight_hh_l0.grad *= self.mask
            self.optimizer.step()
            train.append(loss.item())
        with torch.no_grad():
            validate = [self.loss(*batch).item() for batch in self.validate_batches]
        return sum(train) / len(train), sum(validate) / len(validate)


class Captured(One):
    """One model whose epoch is a CUDA graph: nothing waits for the host."""

    def __init__(self, problem, number, device):
        super().__init__(problem, number, device, loader=False)
        kind = type(self.optimizer)
        rate = self.optimizer.param_groups[0]["lr"]
        settings = {} if kind is torch.optim.SGD else {"capturable": True}
        self.optimizer = kind(self.net.parameters(), lr=rate, **settings)
        parameters = list(self.net.parameters())
        saved = [parameter.detach().clone() for parameter in parameters]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            self.plain_epoch()
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.losses = self.plain_epoch()
        with torch.no_grad():
            for parameter, value in zip(parameters, saved):
                parameter.copy_(value)
        for state in self.optimizer.state.values():
            for value in state.values():
                value.zero_()

    def loss(self, inputs, targets):
        # Picking the scored entries out would wait for the host.
        scored = (targets != 0).to(torch.float32)
        error = (self.net(inputs) - targets) * scored
        return (error * error).sum() / scored.sum()

    def plain_epoch(self):
        train = []
        for inputs, targets in self.train_batches:
            self.optimizer.zero_grad(set_to_none=True)
            loss = self.loss(inputs, targets)
            loss.backward()
            self.net.rnn.weight_hh_l0.grad.mul_(self.mask)
            self.optimizer.step()
            train.append(loss.detach())
        with torch.no_grad():
            validate = [self.loss(*batch) for batch in self.validate_batches]
        return torch.stack([torch.stack(train).mean(), torch.stack(validate).mean()])

    def epoch(self):
        self.graph.replay()
        return self.losses.clone()


class Sequential:
    """One model after the other."""

    def __init__(self, problem, device, variant):
        make = Captured if variant == "captured" else One
        settings = () if variant == "captured" else (variant == "loader",)
        self.models = [
            make(problem, i, device, *settings) for i in range(len(problem.models))
        ]

    def train(self, epochs):
        """Losses of so many more epochs: two arrays [epochs, M]."""
        losses = [[one.epoch() for _ in range(epochs)] for one in self.models]
        if epochs > 0 and torch.is_tensor(losses[0][0]):
            losses = torch.stack([torch.stack(each) for each in losses]).cpu()
        losses = np.array(losses)
        losses = losses.reshape(len(self.models), epochs, 2)
        return losses[:, :, 0].T, losses[:, :, 1].T


def built_in_blas():
    """The library that PyTorch was built with, and what it was told to use."""
    name = re.search(r"BLAS_INFO=(\w+)", torch.__config__.show())
    told = os.environ.get("MKL_ENABLE_INSTRUCTIONS")
    name = name.group(1).upper() if name else "unknown"
    return f"{name}, {told} at most" if name == "MKL" and told else name


def describe(device):
    """What the numbers depend on."""
    facts = {
        "peer": "torch",
        "version": torch.__version__,
        "threads": torch.get_num_threads(),
        "device": str(device),
        "blas": elman_problem.blas_kernels() or built_in_blas(),
    }
    if device.type == "cuda":
        facts["device"] = torch.cuda.get_device_name(device)
        facts["version"] += f", CUDA {torch.version.cuda}, cuDNN {torch.backends.cudnn.version()}"
    return facts


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    elman_problem.add_arguments(parser)
    parser.add_argument(
        "--variant",
        default="sequential",
        choices=["sequential", "loader", "captured", "bmm", "graphs", "compile"],
    )
    options = parser.parse_args()
    # Float32 throughout: TF32 keeps 10 bits of the mantissa and other losses would come out.
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False
    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS") or torch.get_num_threads()))
    name = options.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    device = torch.device(name)
    problem = elman_problem.Problem(options.problem, options.models)
    if options.variant == "captured" and device.type != "cuda":
        raise SystemExit("--variant captured needs a GPU that PyTorch knows")
    if options.variant in ("sequential", "loader", "captured"):
        trainer = Sequential(problem, device, options.variant)
    else:
        trainer = Batched(problem, device, options.variant)
    elman_problem.serve(
        problem,
        trainer,
        {**describe(device), "variant": options.variant},
        warmup=options.warmup,
        epochs=options.epochs,
        rounds=options.rounds,
    )


if __name__ == "__main__":
    main()

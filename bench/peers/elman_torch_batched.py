"""All models of one T at once: batched matrix products, backward by hand.

Shapes: M models of a group, B trials of a batch, T steps, H hidden units, I
inputs. States and their gradients are [M, T, B, H], so that a step is a slice
and the gradient of W_hh one product over K = T·B.
"""

import numpy as np
import torch

import elman_problem

ADAM_BETAS = (0.9, 0.999)
RMSPROP_ALPHA = 0.99
EPSILON = 1e-8

# Steps whose bias corrections are tabulated; beyond, both are 1 in float32.
ADAM_STEPS = 30_000


class Batched:
    """Trains the groups of a problem, one group after the other."""

    def __init__(self, problem, device, variant):
        if variant in ("graphs", "compile") and device.type != "cuda":
            raise SystemExit(f"--variant {variant} needs a GPU that PyTorch knows")
        if variant == "compile" and not hasattr(torch, "compile"):
            raise SystemExit("--variant compile needs torch 2")
        self.count = len(problem.models)
        self.groups = [Group(problem, numbers, device) for numbers in problem.groups()]
        for group in self.groups:
            if variant == "compile":
                group.step = torch.compile(group.step, dynamic=False)
            if variant in ("graphs", "compile"):
                group.capture()

    def train(self, epochs):
        """Losses of so many more epochs: two arrays [epochs, M]."""
        kept = [[group.epoch() for _ in range(epochs)] for group in self.groups]
        result = np.zeros((2, epochs, self.count))
        for group, losses in zip(self.groups, kept):
            if epochs > 0:
                result[:, :, group.numbers] = torch.stack(losses).cpu().numpy().transpose(1, 0, 2)
        return result[0], result[1]


class Group:
    """The models of one T; those of like nonlinearity and optimizer side by side."""

    def __init__(self, problem, numbers, device):
        kind = lambda i: (problem.models[i]["activation"], problem.models[i]["optimizer"])
        self.numbers = numbers = sorted(numbers, key=kind)
        models = [problem.models[i] for i in numbers]
        self.activations = ranges([model["activation"] for model in models])
        self.optimizers = ranges([model["optimizer"] for model in models])
        self.place(problem, numbers, device)
        masks = np.stack(
            [problem.masks[model["mask"]] & bool(model["trainRecurrent"]) for model in models]
        )
        self.mask = torch.from_numpy(masks).to(device, torch.float32)
        rates = np.array([[model["learningRate"]] for model in models], np.float32)
        self.rate = torch.from_numpy(rates).to(device)
        self.first_moment = torch.zeros_like(self.flat)
        self.second_moment = torch.zeros_like(self.flat)
        # In double precision: 1 − 0.999ⁿ cancels in single.
        k = np.arange(1, ADAM_STEPS + 1, dtype=np.float64)[:, None]
        scales = np.stack([1 / (1 - ADAM_BETAS[0] ** k), 1 / np.sqrt(1 - ADAM_BETAS[1] ** k)])
        self.scales = torch.from_numpy(scales.astype(np.float32)).to(device)
        self.steps_made = torch.zeros(1, dtype=torch.int64, device=device)
        self.train_data = self.data(problem, problem.train, device)
        self.validate_data = self.data(problem, problem.validate, device)
        self.graph = None

    def place(self, problem, numbers, device):
        """All parameters in one tensor [M, P], and a view of each; so of the gradients."""
        values = {name: problem.parameters[name][numbers] for name in elman_problem.PARAMETERS}
        rows = np.concatenate([v.reshape(len(numbers), -1) for v in values.values()], axis=1)
        self.flat = torch.from_numpy(rows).to(device)
        self.gradient = torch.zeros_like(self.flat)
        self.p, self.g = {}, {}
        at = 0
        for name, value in values.items():
            size = value[0].size
            self.p[name] = self.flat[:, at : at + size].view(value.shape)
            self.g[name] = self.gradient[:, at : at + size].view(value.shape)
            at += size

    def data(self, problem, places, device):
        """Of each batch: inputs [M, T·B, I], targets and scored [M, T·B, 1], number scored [M]."""
        batches = []
        for at, size in places:
            inputs = np.stack([problem.inputs[i][at : at + size] for i in self.numbers])
            targets = np.stack([problem.targets[i][at : at + size] for i in self.numbers])
            count, _, steps, width = inputs.shape
            inputs = inputs.transpose(0, 2, 1, 3).reshape(count, steps * size, width)
            targets = targets.transpose(0, 2, 1).reshape(count, steps * size, 1)
            scored = (targets != 0).astype(np.float32)
            batch = (inputs, targets, scored, scored.sum(axis=(1, 2)))
            arrays = [torch.from_numpy(np.ascontiguousarray(a, np.float32)) for a in batch]
            batches.append(([a.to(device) for a in arrays], size))
        return batches

    def forward(self, inputs, size):
        """States [M, T, B, H] and outputs [M, T·B, 1]."""
        p = self.p
        bias = (p["biasIh"] + p["biasHh"]).unsqueeze(1)
        sums = torch.baddbmm(bias, inputs, p["weightIh"].transpose(1, 2))
        states = sums.view(len(self.numbers), -1, size, sums.shape[2])
        recurrent = p["weightHh"].transpose(1, 2)
        for t in range(states.shape[1]):
            if t > 0:
                states[:, t].baddbmm_(states[:, t - 1], recurrent)
            for first, end, activation in self.activations:
                part = states[first:end, t]
                part.relu_() if activation == "relu" else part.tanh_()
        outputs = torch.baddbmm(p["biasFc"].unsqueeze(1), sums, p["weightFc"].transpose(1, 2))
        return states, outputs

    def loss(self, outputs, targets, scored, count):
        """Losses [M] and their gradient by the outputs."""
        error = (outputs - targets) * scored
        losses = (error * error).sum(dim=(1, 2)) / count
        return losses, error * (2 / count)[:, None, None]

    def backward(self, inputs, states, outer):
        """Fills the gradients; outer is that of the outputs, [M, T·B, 1]."""
        p, g = self.p, self.g
        models, steps, size, hidden = states.shape
        rows = states.reshape(models, steps * size, hidden)
        flat = torch.bmm(outer, p["weightFc"])
        delta = flat.view(states.shape)
        for t in range(steps - 1, -1, -1):
            if t < steps - 1:
                delta[:, t].baddbmm_(delta[:, t + 1], p["weightHh"])
            for first, end, activation in self.activations:
                part, state = delta[first:end, t], states[first:end, t]
                part.mul_(state > 0 if activation == "relu" else 1 - state * state)
        g["weightFc"].copy_(torch.bmm(outer.transpose(1, 2), rows))
        g["biasFc"].copy_(outer.sum(dim=1))
        g["weightHh"].copy_(torch.bmm(flat[:, size:].transpose(1, 2), rows[:, :-size]))
        g["weightHh"].mul_(self.mask)
        g["weightIh"].copy_(torch.bmm(flat.transpose(1, 2), inputs))
        bias = flat.sum(dim=1)
        g["biasIh"].copy_(bias)
        g["biasHh"].copy_(bias)

    def update(self):
        """One optimizer step of every model."""
        at = self.steps_made.clamp(max=ADAM_STEPS - 1)
        step_scale, root_scale = self.scales.index_select(1, at)
        for first, end, optimizer in self.optimizers:
            part = slice(first, end)
            g, p, rate = self.gradient[part], self.flat[part], self.rate[part]
            m, v = self.first_moment[part], self.second_moment[part]
            if optimizer == "Adam":
                m.mul_(ADAM_BETAS[0]).add_(g, alpha=1 - ADAM_BETAS[0])
                v.mul_(ADAM_BETAS[1]).addcmul_(g, g, value=1 - ADAM_BETAS[1])
                root = v.sqrt().mul_(root_scale).add_(EPSILON)
                p.sub_((m * (rate * step_scale)).div_(root))
            elif optimizer == "RMSprop":
                v.mul_(RMSPROP_ALPHA).addcmul_(g, g, value=1 - RMSPROP_ALPHA)
                p.sub_((g * rate).div_(v.sqrt().add_(EPSILON)))
            else:
                p.sub_(g * rate)
        self.steps_made.add_(1)

    def step(self, batch, size):
        """One training batch; the losses [M] before the update."""
        inputs, targets, scored, count = batch
        states, outputs = self.forward(inputs, size)
        losses, outer = self.loss(outputs, targets, scored, count)
        self.backward(inputs, states, outer)
        self.update()
        return losses

    def plain_epoch(self):
        """Mean losses [2, M] of the training and the validation batches."""
        with torch.no_grad():
            train = [self.step(batch, size) for batch, size in self.train_data]
            validate = [
                self.loss(self.forward(batch[0], size)[1], *batch[1:])[0]
                for batch, size in self.validate_data
            ]
            return torch.stack(
                [torch.stack(train).mean(dim=0), torch.stack(validate).mean(dim=0)]
            )

    def capture(self):
        """Records an epoch as one CUDA graph, leaving the parameters as they were."""
        changing = [self.flat, self.first_moment, self.second_moment, self.steps_made]
        saved = [tensor.clone() for tensor in changing]
        stream = torch.cuda.Stream()
        stream.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(stream):
            for _ in range(2):
                self.plain_epoch()
        torch.cuda.current_stream().wait_stream(stream)
        self.graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(self.graph):
            self.losses = self.plain_epoch()
        for tensor, value in zip(changing, saved):
            tensor.copy_(value)

    def epoch(self):
        if self.graph is None:
            return self.plain_epoch()
        self.graph.replay()
        return self.losses.clone()


def ranges(names):
    """(first, end, name) of equal neighbours."""
    parts = []
    for i, name in enumerate(names):
        if parts and parts[-1][2] == name:
            parts[-1] = (parts[-1][0], i + 1, name)
        else:
            parts.append((i, i + 1, name))
    return parts

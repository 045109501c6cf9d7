"""Trains the reference cases at the edges with PyTorch and writes them as JSON.

    python3 tests/golden/train_cases.py src/doctor/cases

Saturated and diverging networks, huge inputs, batches of one trial, the
shortest trials, wide initial weights, networks without connections. The format
is described in README.md; here `null` stands for NaN and for the infinities.
PyTorch 1.13 on one thread of a CPU writes the same bytes each time. The cases
whose names are not below were computed elsewhere and are left alone.
"""

import hashlib
import json
import math
import sys
from pathlib import Path

import numpy as np
import torch
from torch import nn

torch.set_num_threads(1)

OPTIMIZERS = {
    "SGD": (torch.optim.SGD, {"momentum": 0, "dampening": 0, "weight_decay": 0, "nesterov": False}),
    "Adam": (torch.optim.Adam, {"beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "weight_decay": 0, "amsgrad": False}),
    "RMSprop": (
        torch.optim.RMSprop,
        {"alpha": 0.99, "eps": 1e-8, "weight_decay": 0, "momentum": 0, "centered": False},
    ),
}
NAMES = ["W_ih", "W_hh", "b_ih", "b_hh", "W_fc", "b_fc"]


def seq_mem(rng, trials, length, scale=1.0):
    """Values, a cue, and the values again as targets."""
    T = 2 * length + 1
    X, Y = np.zeros((trials, T, 2)), np.zeros((trials, T, 1))
    values = rng.uniform(0.05, 1, (trials, length))
    signs = rng.choice([-1, 1], (trials, length)) if scale > 1 else 1
    X[:, :length, 1], X[:, length, 0] = values * scale * signs, 1
    Y[:, length + 1 :, 0] = values
    return X, Y


def nback_mem(rng, trials, length, n_back):
    """Values, the last one a probe: 2 if it stood n_back before, else 1."""
    X, Y = np.zeros((trials, length + 1, 2)), np.zeros((trials, length + 1, 1))
    X[:, :length, 1] = rng.uniform(0.05, 1, (trials, length))
    X[:, length - 1, 0] = 1
    match = np.arange(trials) % 2 == 0
    X[match, length - 1 - n_back, 1] = X[match, length - 1, 1]
    Y[:, -1, 0] = 1 + match
    return X, Y


def pic_mem(rng, trials, length, n_back, pixels, scale):
    """Pictures of a few pixels, mostly black, as nback_mem shows numbers."""
    X, Y = np.zeros((trials, length + 2, pixels + 1)), np.zeros((trials, length + 2, 1))
    ink = rng.uniform(0, 1, (trials, length, pixels)) * (rng.uniform(0, 1, (trials, length, pixels)) < 0.5)
    X[:, :length, 1:] = np.round(ink * scale) * (rng.choice([-1, 1], ink.shape) if scale > 4095 else 1)
    X[:, length, 0] = 1
    match = np.arange(trials) % 2 == 0
    X[match, length - 1 - n_back, 1:] = X[match, length - 1, 1:]
    Y[:, -1, 0] = 1 + match
    return X, Y


def one_step(rng, trials):
    """T = 1: the sum of two inputs, at once."""
    X = rng.uniform(-1, 1, (trials, 1, 2))
    return X, X.sum(2, keepdims=True)


def initial(rng, size, scheme):
    H, I, O = size
    default = 1 / math.sqrt(H)

    def bound(rows, columns):
        if scheme == "xavier":
            return math.sqrt(6 / (rows + columns))
        return math.sqrt(6 / rows) if scheme == "he" else default

    shapes = {"W_ih": (H, I), "W_hh": (H, H), "b_ih": (H,), "b_hh": (H,), "W_fc": (O, H), "b_fc": (O,)}
    return {
        name: rng.uniform(-1, 1, shape) * (bound(*shape) if len(shape) == 2 else default)
        for name, shape in shapes.items()
    }


def case(name, trials, *, hidden, activation, optimizer, lr, epochs=4, batch=4, density=0.6, init="default", seed):
    """All that goes into a case; 2/3 of the trials train."""
    rng = np.random.default_rng(seed)
    X, Y = (np.float32(part) for part in trials(rng))
    classify = bool((Y == np.round(Y)).all()) and Y.max() == 2
    outputs = 3 if classify else 1
    mask = (rng.uniform(0, 1, (hidden, hidden)) < density) * (1 - np.eye(hidden))
    start = initial(rng, (hidden, X.shape[2], outputs), init)
    start["W_hh"] = start["W_hh"] * mask
    order = rng.permutation(len(X))
    cut = -(-2 * len(X) // 3)
    batches = [[list(map(int, part[i : i + batch])) for i in range(0, len(part), batch)]
               for part in (rng.permutation(cut), rng.permutation(len(X) - cut))]
    return {
        "name": name, "seed": seed, "X": X[order], "Y": Y[order], "cut": cut, "batches": batches,
        "mask": mask.astype(np.int32), "init": {k: np.float32(v) for k, v in start.items()},
        "activation": activation, "optimizer": optimizer, "lr": lr, "epochs": epochs, "outputs": outputs,
    }


def train(c, dtype):
    """One training in a precision: what `expected` holds."""
    H, I, O = len(c["mask"]), c["X"].shape[2], c["outputs"]
    rnn = nn.RNN(I, H, nonlinearity=c["activation"], batch_first=True).to(dtype)
    fc = nn.Linear(H, O).to(dtype)
    tensors = dict(zip(NAMES, [*rnn.parameters(), *fc.parameters()]))
    mask = torch.tensor(c["mask"], dtype=torch.bool)
    with torch.no_grad():
        for name, tensor in tensors.items():
            tensor.copy_(torch.tensor(c["init"][name]))
    constructor, options = OPTIMIZERS[c["optimizer"]]
    given = {key: value for key, value in options.items() if not key.startswith("beta")}
    if c["optimizer"] == "Adam":
        given["betas"] = (options["beta1"], options["beta2"])
    optimizer = constructor(tensors.values(), lr=c["lr"], **given)
    X, Y = torch.tensor(c["X"]).to(dtype), torch.tensor(c["Y"]).to(dtype)
    parts = {"train": (X[: c["cut"]], Y[: c["cut"]]), "validate": (X[c["cut"] :], Y[c["cut"] :])}

    def run(part, numbers):
        x, y = (values[numbers] for values in parts[part])
        hidden, last = rnn(x)
        output = fc(hidden).reshape(-1, O)
        target = y.reshape(-1)
        kept = target != 0
        if O == 1:
            loss, accuracy = nn.functional.mse_loss(output[kept, 0], target[kept]), None
        else:
            output = torch.log_softmax(output, 1)
            loss = nn.functional.nll_loss(output[kept], target[kept].long())
            accuracy = float(100 * (output[kept].argmax(1) == target[kept]).double().mean())
        return loss, accuracy, output, last[0]

    def copies(values):
        return {name: values(tensor).detach().clone().numpy() for name, tensor in tensors.items()}

    result = {}
    epochs = []
    for epoch in range(c["epochs"]):
        seen = {"train": [], "validate": []}
        for number, batch in enumerate(c["batches"][0]):
            optimizer.zero_grad()
            loss, accuracy, output, last = run("train", batch)
            loss.backward()
            # A product with the mask would turn NaN · 0 into weights where there is no connection.
            tensors["W_hh"].grad = torch.where(mask, tensors["W_hh"].grad, torch.zeros((), dtype=dtype))
            first = epoch == 0 and number == 0
            if first:
                grad = copies(lambda tensor: tensor.grad)
                grad["W_hh_masked"] = grad.pop("W_hh")
                result["first_batch"] = {
                    "output": output.detach().numpy(), "hidden_last": last.detach().numpy(),
                    "loss": float(loss), "accuracy": accuracy, "grad": grad,
                }
            optimizer.step()
            if first:
                result["weights_after_1_step"] = copies(lambda tensor: tensor)
            seen["train"].append((float(loss), accuracy))
        with torch.no_grad():
            for batch in c["batches"][1]:
                seen["validate"].append(run("validate", batch)[:2])
        epochs.append({
            key: value
            for part, values in seen.items()
            for key, value in {
                f"{part}_loss": float(np.mean([float(loss) for loss, _ in values])),
                f"{part}_accuracy": None if O == 1 else float(np.mean([accuracy for _, accuracy in values])),
                f"{part}_batch_losses": [float(loss) for loss, _ in values],
            }.items()
        })
    result["weights_after_all_epochs"] = copies(lambda tensor: tensor)
    result["optimizer_state_after_all_epochs"] = {
        name: {key: value.numpy() for key, value in optimizer.state[tensor].items()
               if key in ("exp_avg", "exp_avg_sq", "square_avg")}
        for name, tensor in tensors.items()
    }
    result["epochs"] = epochs
    return result


def number(value):
    if isinstance(value, (int, np.integer)):
        return str(value)
    # The shortest decimal of that precision that gives the same bits back.
    return str(value).removesuffix(".0") if math.isfinite(value) else "null"


def text(value):
    if isinstance(value, np.ndarray):
        dtype = str(value.dtype)
        data = ",".join(map(number, value.ravel()))
        return f'{{"shape": {list(value.shape)}, "dtype": "{dtype}", "data": [{data}]}}'
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(key)}: {text(member)}" for key, member in value.items()) + "}"
    if isinstance(value, (list, tuple)):
        return "[" + ", ".join(map(text, value)) + "]"
    if isinstance(value, (bool, str)) or value is None:
        return json.dumps(value)
    return number(value)


def worst(a, b):
    """Largest relative difference of the losses, largest difference of the weights, where both are finite."""
    loss = [0.0]
    for x, y in zip(a["epochs"], b["epochs"]):
        for key in ("train_batch_losses", "validate_batch_losses"):
            loss += [abs(p - q) / abs(q) for p, q in zip(x[key], y[key]) if math.isfinite(p) and math.isfinite(q) and q]
    key = "weights_after_all_epochs"
    difference = [np.abs(np.float64(a[key][name]) - b[key][name]).ravel() for name in NAMES]
    weights = np.concatenate(difference)
    weights = weights[np.isfinite(weights)]
    return max(loss), float(weights.max()) if len(weights) else 0.0


def write(folder, c):
    expected = {"float32": train(c, torch.float32), "float64": train(c, torch.float64)}
    T = c["X"].shape[1]
    value = {
        "format": "bio-rnn-golden/1", "kind": "train", "name": c["name"], "seed": c["seed"],
        "torch": torch.__version__, "numpy": np.__version__,
        "task": {"T": T, "input_size": c["X"].shape[2], "output_size": c["outputs"]},
        "model": {
            "hidden": len(c["mask"]), "activation": c["activation"], "log_softmax": c["outputs"] > 1,
            "freeze_W_hh": False, "mask_nonzeros": int(c["mask"].sum()),
        },
        "loss": "nll" if c["outputs"] > 1 else "mse",
        "optimizer": {"name": c["optimizer"], "lr": c["lr"], **OPTIMIZERS[c["optimizer"]][1]},
        "epochs": c["epochs"],
        "train": {"X": c["X"][: c["cut"]], "Y": c["Y"][: c["cut"]]},
        "validate": {"X": c["X"][c["cut"] :], "Y": c["Y"][c["cut"] :]},
        "batches": {"train": c["batches"][0], "validate": c["batches"][1]},
        "mask": c["mask"], "init": c["init"], "expected": expected,
    }
    lines = ",\n".join(f" {json.dumps(key)}: {text(member)}" for key, member in value.items())
    content = f"{{\n{lines}\n}}\n".encode()
    file = f'{c["name"]}.json'
    (folder / file).write_bytes(content)
    loss, weight = worst(expected["float32"], expected["float64"])
    patterns = [
        ["".join("." if math.isfinite(x) else "x" for x in e["train_batch_losses"]) for e in run["epochs"]]
        for run in expected.values()
    ]
    losses = [e["train_loss"] for e in expected["float64"]["epochs"]]
    print(file, len(content), f"{loss:.1e} {weight:.1e}", *(" ".join(p) for p in patterns), f"{losses[0]:.4g} → {losses[-1]:.4g}", sep="  ")
    return {
        "file": file, "kind": "train", "bytes": len(content), "sha256": hashlib.sha256(content).hexdigest(),
        "max_rel_loss_f32_vs_f64": float(f"{loss:.2e}"), "max_abs_weight_f32_vs_f64": float(f"{weight:.2e}"),
    }


SEQ = lambda rng: seq_mem(rng, 15, 2)
NBACK = lambda rng: nback_mem(rng, 18, 4, 2)
PIC = lambda rng: pic_mem(rng, 18, 3, 1, 6, 4095)
CASES = [
    case("train_saturated_tanh_adam", PIC, hidden=8, activation="tanh", optimizer="Adam", lr=0.001, seed=120),
    case("train_saturated_tanh_rmsprop", PIC, hidden=8, activation="tanh", optimizer="RMSprop", lr=0.001, seed=88),
    case("train_pixels_tanh_sgd", lambda rng: pic_mem(rng, 18, 3, 1, 6, 255), hidden=8, activation="tanh", optimizer="SGD",
         lr=0.1, seed=3),
    case("train_diverging_relu_sgd", SEQ, hidden=8, activation="relu", optimizer="SGD", lr=30.0, seed=4),
    case("train_diverging_relu_adam", SEQ, hidden=8, activation="relu", optimizer="Adam", lr=1e4, seed=5),
    case("train_diverging_relu_rmsprop", NBACK, hidden=8, activation="relu", optimizer="RMSprop", lr=1e30, seed=6),
    case("train_diverging_tanh_sgd", SEQ, hidden=8, activation="tanh", optimizer="SGD", lr=1e3, epochs=6, seed=7),
    case("train_huge_inputs_tanh_adam", lambda rng: seq_mem(rng, 15, 2, 1e30), hidden=8, activation="tanh",
         optimizer="Adam", lr=0.001, seed=8),
    case("train_huge_inputs_relu_sgd", lambda rng: pic_mem(rng, 18, 3, 1, 4, 1e12), hidden=8, activation="relu",
         optimizer="SGD", lr=1e-15, seed=9),
    case("train_batch_1_tanh_adam", lambda rng: seq_mem(rng, 9, 2), hidden=8, activation="tanh", optimizer="Adam",
         lr=0.01, batch=1, seed=10),
    case("train_last_batch_1_relu_rmsprop", lambda rng: nback_mem(rng, 13, 4, 2), hidden=8, activation="relu",
         optimizer="RMSprop", lr=0.002, batch=4, seed=11),
    case("train_one_step_relu_adam", lambda rng: one_step(rng, 15), hidden=6, activation="relu", optimizer="Adam",
         lr=0.01, seed=12),
    case("train_shortest_nback_tanh_rmsprop", lambda rng: nback_mem(rng, 15, 2, 1), hidden=6, activation="tanh",
         optimizer="RMSprop", lr=0.005, seed=13),
    case("train_he_relu_sgd", SEQ, hidden=12, activation="relu", optimizer="SGD", lr=0.001, init="he", density=1,
         seed=14),
    case("train_xavier_tanh_adam", NBACK, hidden=12, activation="tanh", optimizer="Adam", lr=0.01, init="xavier",
         density=1, seed=15),
    case("train_no_connections_relu_adam", SEQ, hidden=3, activation="relu", optimizer="Adam", lr=0.01, density=0,
         seed=16),
]

if __name__ == "__main__":
    folder = Path(sys.argv[1])
    entries = [write(folder, c) for c in CASES]
    index = folder / "index.json"
    names = {entry["file"] for entry in entries}
    known = json.loads(index.read_text()) if index.exists() else []
    lines = [json.dumps(entry) for entry in [*(e for e in known if e["file"] not in names), *entries]]
    index.write_text("[\n" + ",\n".join(lines) + "\n]\n")

"""Writes lstm_torch.json: what PyTorch makes of a small network, its integrated gradients, and what 40
steps of Adam make of it.

Made with torch 2.15.0 (BSD-3-Clause, https://pytorch.org) and numpy 2.4.6 from PyPI, Python 3.11, on
the CPU in double precision:
    pip install torch==2.15.0 numpy==2.4.6 && python lstm_torch.py

Weights, inputs and targets are made from a count on both sides, so that only answers are kept.
"""
import json
import pathlib

import numpy as np
import torch

torch.set_num_threads(1)
torch.set_default_dtype(torch.float64)
INPUTS, HIDDEN, LAYERS, STEPS, WINDOWS = 5, 7, 2, 6, 4


def numbers(seed, count):
    """The numbers that `numbers` of crates/models/src/lstm/torch_golden.rs gives, in -0.5..0.5."""
    k = np.arange(1, count + 1, dtype=np.uint64)
    z = np.uint64(seed) + k * np.uint64(0x9E3779B97F4A7C15)
    z = (z ^ (z >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    z = (z ^ (z >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return ((z ^ (z >> np.uint64(31))) >> np.uint64(40)).astype(np.float64) / 2**24 - 0.5


def network(layer_norm):
    layers = torch.nn.ModuleList(
        torch.nn.LSTM(INPUTS if k == 0 else HIDDEN, HIDDEN, batch_first=True) for k in range(LAYERS))
    norms = torch.nn.ModuleList(torch.nn.LayerNorm(HIDDEN) for _ in range(LAYERS if layer_norm else 0))
    head = torch.nn.Linear(HIDDEN, 1)
    parameters = []  # in the order of our row of weights, without the second bias
    for k, layer in enumerate(layers):
        layer.bias_hh_l0.requires_grad_(False).zero_()
        parameters += [layer.weight_ih_l0, layer.weight_hh_l0, layer.bias_ih_l0]
        if layer_norm:
            parameters += [norms[k].weight, norms[k].bias]
    parameters += [head.weight, head.bias]
    values = numbers(1, sum(p.numel() for p in parameters))
    for p in parameters:
        p.data = torch.from_numpy(values[:p.numel()].reshape(p.shape).copy())
        values = values[p.numel():]

    def forward(x):
        for k, layer in enumerate(layers):
            x = layer(x)[0]
            if layer_norm:
                x = norms[k](x)
        return head(x[:, -1])[:, 0]

    return forward, parameters


def integrated_gradients(forward, x):
    """The inputs times their mean gradient on the way from zeros, by 200 nodes of Gauss-Legendre."""
    nodes, weights = np.polynomial.legendre.leggauss(200)
    mean = torch.zeros_like(x)
    for node, weight in zip((nodes + 1) / 2, weights / 2):
        at = (node * x.detach()).requires_grad_(True)
        mean += weight * torch.autograd.grad(forward(at).sum(), at)[0]
    return x.detach() * mean


def flat(tensors):
    return [float(f"{v:.9e}") for t in tensors for v in t.flatten().tolist()]


x = torch.from_numpy(2 * numbers(2, WINDOWS * STEPS * INPUTS).reshape(WINDOWS, STEPS, INPUTS))
y = torch.from_numpy(numbers(3, WINDOWS))
cases = []
for layer_norm in (False, True):
    forward, parameters = network(layer_norm)
    x.requires_grad_(True)
    x.grad = None
    answers = forward(x)
    loss = torch.nn.functional.mse_loss(answers, y)
    loss.backward()
    case = {"layer_norm": layer_norm, "answers": flat([answers]), "d_inputs": flat([x.grad]),
            "gradient": flat([p.grad for p in parameters]),
            "answer_at_zeros": flat([forward(torch.zeros_like(x[:1]))])[0],
            "integrated_gradients": flat([integrated_gradients(forward, x)])}
    optimiser = torch.optim.AdamW(parameters, lr=0.01, weight_decay=0.05)
    for _ in range(40):
        optimiser.zero_grad()
        torch.nn.functional.mse_loss(forward(x.detach()), y).backward()
        torch.nn.utils.clip_grad_norm_(parameters, 0.1)
        optimiser.step()
    case["answers_after_40_steps"] = flat([forward(x)])
    case["weights_after_40_steps"] = flat(parameters)
    cases.append(case)
path = pathlib.Path(__file__).with_name("lstm_torch.json")
path.write_text(json.dumps({"cases": cases}, separators=(",", ":")) + "\n")

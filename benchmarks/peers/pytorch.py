"""PyTorch: eager, compiled, and eager in chunks of samples whose gradients add up."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from cases import joined
from torch import nn

from peers.contestant import Contestant, NotTakingPartError

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import ExitStack

    from cases import Problem

CHUNK = 4096
"""Samples of a chunk: the fastest of 1024 to 16,384 on (c) and (d)."""


def contestants(problem: Problem, stack: ExitStack) -> dict[str, Callable[[], Contestant]]:
    """Return what makes each contestant."""
    del stack
    torch.set_num_threads(problem.threads)
    return {
        "PyTorch eager": lambda: contestant(problem, "PyTorch eager", problem.case.n_samples),
        "PyTorch chunked": lambda: chunked(problem),
        "PyTorch compiled": lambda: compiled(problem),
    }


def chunked(problem: Problem) -> Contestant:
    """Return the one that takes samples in chunks."""
    if problem.case.n_samples <= CHUNK:
        raise NotTakingPartError(f"{problem.case.n_samples} samples are one chunk")
    return contestant(problem, "PyTorch chunked", CHUNK)


def compiled(problem: Problem) -> Contestant:
    """Return the one that has been compiled for the problem."""
    if shutil.which("g++") is None and shutil.which("clang++") is None:
        raise NotTakingPartError("torch.compile needs a C++ compiler on this machine")
    return contestant(problem, "PyTorch compiled", problem.case.n_samples, transform=torch.compile)


def contestant(
    problem: Problem, name: str, chunk: int, transform: Callable[[Any], Any] | None = None
) -> Contestant:
    """Return a contestant: zero the gradients, forward, loss, backward; as in a training loop."""
    module = module_of(problem)
    parameters = list(module.parameters())
    inputs, targets = tensors(problem)
    loss_function = loss_of(problem)
    n = len(inputs)

    def loss(rows: torch.Tensor, wanted: torch.Tensor) -> torch.Tensor:
        return loss_function(module(rows), wanted) / n

    step = loss if transform is None else transform(loss)

    def evaluate() -> float:
        for parameter in parameters:
            parameter.grad = None
        total = 0.0
        for start in range(0, n, chunk):
            part = step(inputs[start : start + chunk], targets[start : start + chunk])
            part.backward()
            total += float(part.detach())
        return total

    def answer(error: float) -> tuple[float, np.ndarray]:
        gradients = [parameter.grad.numpy() for parameter in parameters if parameter.grad is not None]
        return error, joined(list(zip(gradients[::2], gradients[1::2], strict=True)))

    return Contestant(name, evaluate, answer)


def module_of(problem: Problem) -> nn.Sequential:
    """Return the network with the problem's weights."""
    activation = nn.Tanh if problem.case.hidden == "tanh" else nn.ReLU
    parts: list[nn.Module] = []
    for weights, bias in problem.layers():
        linear = nn.Linear(weights.shape[1], weights.shape[0], dtype=getattr(torch, problem.dtype))
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(np.array(weights)))
            linear.bias.copy_(torch.from_numpy(np.array(bias)))
        parts += [linear, activation()]
    return nn.Sequential(*parts[:-1])


def tensors(problem: Problem) -> tuple[torch.Tensor, torch.Tensor]:
    """Return inputs and targets as the loss wants them; class numbers where there are several classes."""
    wanted = problem.targets if problem.case.output == "sigmoid" else problem.classes
    return torch.from_numpy(problem.inputs), torch.from_numpy(wanted)


def loss_of(problem: Problem) -> nn.Module:
    """Return the summed cross-entropy that takes net inputs."""
    if problem.case.output == "sigmoid":
        return nn.BCEWithLogitsLoss(reduction="sum")
    return nn.CrossEntropyLoss(reduction="sum")

"""PyTorch on a CUDA device: eager, compiled, and as a CUDA graph; TF32 is off."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from cases import Problem

NAMES = ("PyTorch eager us", "PyTorch compiled us", "PyTorch graph us")
WARM_UPS = 3


def contestants(problem: Problem) -> dict[str, Callable[[], Any]]:
    """Return what computes loss and gradients on the device and waits for the loss; nothing without PyTorch.

    Loss and gradients stay on the device, where an optimizer of PyTorch's would want them.
    """
    try:
        import torch

        from peers import pytorch
    except ImportError:
        return {}
    if not torch.cuda.is_available():
        return {}
    torch.backends.cuda.matmul.allow_tf32 = False
    module = pytorch.module_of(problem).to("cuda")
    inputs, targets = (tensor.to("cuda") for tensor in pytorch.tensors(problem))
    loss_function, parameters = pytorch.loss_of(problem), list(module.parameters())

    def loss() -> torch.Tensor:
        return loss_function(module(inputs), targets) / len(inputs)

    def step(value: Callable[[], torch.Tensor]) -> Callable[[], float]:
        def evaluate() -> float:
            for parameter in parameters:
                parameter.grad = None
            found = value()
            found.backward()
            torch.cuda.synchronize()
            return float(found.detach())

        return evaluate

    ways = (step(loss), step(torch.compile(loss)), captured(loss, parameters))
    return dict(zip(NAMES, ways, strict=True))


def captured(loss: Callable[[], Any], parameters: list[Any]) -> Callable[[], float]:
    """Return what replays forward and backward as one CUDA graph."""
    import torch

    stream = torch.cuda.Stream()
    stream.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(stream):
        for _ in range(WARM_UPS):
            loss().backward()
    torch.cuda.current_stream().wait_stream(stream)
    for parameter in parameters:
        parameter.grad = None
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        found = loss()
        found.backward()

    def evaluate() -> float:
        graph.replay()
        return float(found.detach())

    return evaluate

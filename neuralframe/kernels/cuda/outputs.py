"""The error of a sample at the outputs, and its slope in the net inputs, as device functions."""

# ruff: noqa: ARG001 - errors take what all of them take

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from neuralframe.core.error_functions import BinaryCrossEntropy, CategoricalCrossEntropy, SumOfSquares
from neuralframe.core.transfer_functions import Softmax
from neuralframe.kernels.cuda.functions import device_functions, serves

if TYPE_CHECKING:
    from collections.abc import Callable

    from neuralframe.kernels.stack import Stack

    Layer = Callable[[Any, Any], None]
    Error = Callable[[Any, Any, Any, Any], Any]


def unserved(stack: Stack) -> str:
    """Return which function of a network has no device function, or an empty text."""
    *hidden, last = (layer.transfer_function for layer in stack.layers)
    for function in (*hidden, *(() if type(last) is Softmax else (last,))):
        if not serves(function):
            return f"the transfer function {function.name!r} is not written for CUDA"
    if stack.is_fused or type(stack.error_function) is SumOfSquares:
        return ""
    return (
        f"the error function {stack.error_function.name!r} of {last.name!r} outputs is not written for CUDA"
    )


def output_error(stack: Stack, place: int, real: type) -> Error:
    """Return a device function: the error of one sample, whose slopes it writes.

    Parameters
    ----------
    stack : Stack
        A network that `unserved` has no objection to.
    place : int
        Where the net inputs, the outputs and the slopes start in their arrays.
    real : type
        ``numpy.float32`` or ``numpy.float64``.

    Returns
    -------
    callable
        ``error(nets, outputs, slopes, targets)``; targets start at 0.

    """
    size = stack.layers[-1].size
    if stack.is_fused:
        return _FUSED[type(stack.error_function)](size, place, real)
    last = stack.layers[-1].transfer_function
    if type(last) is Softmax:
        return _squares_of_softmax(size, place, real)
    return _squares(size, place, real, device_functions(last, real)[1])


def softmax(size: int, place: int) -> Layer:
    """Return a device function ``outputs_of(nets, outputs)`` for one sample."""
    largest = _largest(size, place)

    def outputs_of(nets: Any, outputs: Any) -> None:
        top = largest(nets)
        total = math.exp(nets[place] - top)
        outputs[place] = total
        for j in range(1, size):
            outputs[place + j] = math.exp(nets[place + j] - top)
            total += outputs[place + j]
        for j in range(size):
            outputs[place + j] /= total

    return outputs_of


def _largest(size: int, place: int) -> Callable[[Any], Any]:
    def largest(nets: Any) -> Any:
        top = nets[place]
        for j in range(1, size):
            if not nets[place + j] <= top:  # NaN is kept
                top = nets[place + j]
        return top

    return largest


def _squares(size: int, place: int, real: type, slope: Callable[[Any, Any], Any]) -> Error:
    zero, half = real(0), real(0.5)

    def error(nets: Any, outputs: Any, slopes: Any, targets: Any) -> Any:
        total = zero
        for j in range(size):
            miss = outputs[place + j] - targets[j]
            total += miss * miss
            slopes[place + j] = miss * slope(nets[place + j], outputs[place + j])
        return half * total

    return error


def _squares_of_softmax(size: int, place: int, real: type) -> Error:
    zero, half = real(0), real(0.5)

    def error(nets: Any, outputs: Any, slopes: Any, targets: Any) -> Any:
        total, mean = zero, zero
        for j in range(size):
            miss = outputs[place + j] - targets[j]
            total += miss * miss
            mean += miss * outputs[place + j]
            slopes[place + j] = miss
        for j in range(size):
            slopes[place + j] = outputs[place + j] * (slopes[place + j] - mean)
        return half * total

    return error


def _categorical(size: int, place: int, real: type) -> Error:
    zero = real(0)
    largest = _largest(size, place)

    def error(nets: Any, outputs: Any, slopes: Any, targets: Any) -> Any:
        top = largest(nets)
        exponentials, target_sum = zero, zero
        for j in range(size):
            exponentials += math.exp(nets[place + j] - top)
            target_sum += targets[j]
        log_sum, total = math.log(exponentials), zero
        for j in range(size):
            total += targets[j] * (log_sum - (nets[place + j] - top))
            slopes[place + j] = outputs[place + j] * target_sum - targets[j]
        return total

    return error


def _binary(size: int, place: int, real: type) -> Error:
    zero = real(0)

    def error(nets: Any, outputs: Any, slopes: Any, targets: Any) -> Any:
        total = zero
        for j in range(size):
            net = nets[place + j]
            above = zero if net <= zero else net  # noqa: FURB136 - max loses NaN on a device
            # the large terms are subtracted first, so that the small one survives
            total += (above - targets[j] * net) + math.log1p(math.exp(-abs(net)))
            slopes[place + j] = outputs[place + j] - targets[j]
        return total

    return error


_FUSED: dict[type, Callable[[int, int, type], Error]] = {
    CategoricalCrossEntropy: _categorical,
    BinaryCrossEntropy: _binary,
}

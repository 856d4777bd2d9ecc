"""Which transfer functions the compiled pass knows, and by which numbers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from neuralframe.core import transfer_functions as tf
from neuralframe.core.scalar_function import ScalarFunction
from neuralframe.kernels.compiled import transfers
from neuralframe.kernels.compiled.scalar_code import row_functions

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np

N_PARAMETERS = 5


@attrs.frozen
class TransferCode:
    """A transfer function as numbers: which one, its parameters, and the addresses of a user's own."""

    number: int
    parameters: tuple[float, ...] = ()
    value_address: int = 0
    slope_address: int = 0

    @property
    def padded_parameters(self) -> list[float]:
        """The parameters with zeros after them, as a row of the table."""
        return [*self.parameters, *[0.0] * (N_PARAMETERS - len(self.parameters))]


_CODES: dict[type[tf.TransferFunction], tuple[int, Callable[[Any], tuple[float, ...]]]] = {
    tf.Linear: (transfers.LINEAR, lambda _: ()),
    tf.Sigmoid: (transfers.SIGMOID, lambda _: ()),
    tf.Tanh: (transfers.TANH, lambda _: ()),
    tf.Gaussian: (transfers.GAUSSIAN, lambda f: (f.sigma,)),
    tf.Softmax: (transfers.SOFTMAX, lambda _: ()),
    tf.ReLU: (transfers.RELU, lambda _: ()),
    tf.LeakyReLU: (transfers.LEAKY_RELU, lambda f: (f.slope,)),
    tf.ELU: (transfers.ELU, lambda f: (f.alpha,)),
    tf.Softplus: (transfers.SOFTPLUS, lambda _: ()),
    tf.Softsign: (transfers.SOFTSIGN, lambda _: ()),
    tf.Log: (transfers.LOG, lambda _: ()),
    tf.Step: (transfers.STEP, lambda f: (f.threshold, f.low, f.high)),
    tf.Sgn: (transfers.STEP, lambda _: (0.0, -1.0, 1.0)),
    tf.Ramp: (
        transfers.RAMP,
        lambda f: (f.low_x, f.low_y, (f.high_y - f.low_y) / (f.high_x - f.low_x), f.high_y, f.high_x),
    ),
    tf.Trapezoid: (
        transfers.TRAPEZOID,
        lambda f: (f.left_low, f.left_high, f.right_high, f.right_low),
    ),
}


def transfer_code(function: tf.TransferFunction, dtype: np.dtype[np.floating]) -> TransferCode | None:
    """Return the numbers of a transfer function, or None where there are none."""
    if isinstance(function, ScalarFunction):
        return _scalar_code(function, dtype) if function.is_scalar_only else None
    # A subclass may compute otherwise.
    found = _CODES.get(type(function))
    return None if found is None else TransferCode(found[0], found[1](function))


def _scalar_code(function: ScalarFunction, dtype: np.dtype[np.floating]) -> TransferCode:
    value, slope = row_functions(function, dtype.name)
    return TransferCode(transfers.SCALAR, (), value.address, slope.address)

"""Error functions: how far the outputs of a sample are from its targets.

Errors are summed, over outputs and over samples, and never averaged here: whoever knows the number of
all samples divides once, at the end.
"""

# ruff: noqa: ARG002 - members keep the signatures and the docstrings of their family

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, NoReturn

import attrs
import numpy as np

from neuralframe.core.components import Component
from neuralframe.core.differences import changes_along
from neuralframe.core.transfer_functions import Sigmoid, Softmax, TransferFunction
from neuralframe.core.validation import number, python_number
from neuralframe.exceptions import DataError, TopologyError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array

_SUM_TOLERANCE = 1e-6
_overflow_is_no_error = np.errstate(over="ignore", invalid="ignore")


class ErrorFunction(Component):
    """The error of a sample and its derivative.

    `outputs`, `targets` and `net` are (n_samples, n_outputs) arrays of one floating-point type, which is
    the type of the results. Derive a function of your own by writing `values` and `derivative`.

    Some pairs of error and transfer function have a short and stable form on the net inputs. Where
    `fuses` says so, `net_values` and `net_derivative` are used in the place of `values`, `derivative`
    and the transfer function's `backward`.
    """

    @abstractmethod
    def values(self, outputs: Array, targets: Array) -> Array:
        """Return the error of each sample, shape (n_samples,)."""

    @abstractmethod
    def derivative(self, outputs: Array, targets: Array) -> Array:
        """Return d values / d outputs, shape (n_samples, n_outputs)."""

    @_overflow_is_no_error
    def derivative_change(self, outputs: Array, targets: Array, outputs_change: Array) -> Array:
        """Return how fast `derivative` changes when the outputs change at the given speed.

        Asked for by rules that use second derivatives. The default differences `derivative`: right to about
        ten digits where it is smooth.
        """
        return changes_along(lambda at: (self.derivative(at, targets),), [outputs], [outputs_change])[0]

    @_overflow_is_no_error
    def total(self, outputs: Array, targets: Array, sample_weights: Array | None = None) -> float:
        """Return the errors of all samples, each times its weight (n_samples,), added up in float64."""
        values = self.values(outputs, targets).astype(np.float64)
        return float(np.sum(values if sample_weights is None else values * sample_weights))

    def for_output(self, transfer_function: TransferFunction | None) -> ErrorFunction:
        """Return the form of this error that suits an output layer; called when a network is built."""
        return self

    def check_targets(self, targets: Array) -> None:
        """Raise `DataError`, naming row, column and value, if the error means nothing for a target."""

    def fuses(self, transfer_function: TransferFunction) -> bool:
        """Return whether there is a form on the net inputs of this transfer function."""
        return False

    def net_values(self, net: Array, outputs: Array, targets: Array) -> Array:
        """Return what `values` does, from net inputs and the outputs they lead to."""
        self._refuse_net()

    def net_derivative(self, net: Array, outputs: Array, targets: Array) -> Array:
        """Return d values / d net, shape (n_samples, n_outputs)."""
        self._refuse_net()

    def net_derivative_change(
        self, net: Array, outputs: Array, targets: Array, net_change: Array, outputs_change: Array
    ) -> Array:
        """Return how fast `net_derivative` changes when net inputs and outputs change at the given speeds."""
        return changes_along(
            lambda at, out: (self.net_derivative(at, out, targets),),
            [net, outputs],
            [net_change, outputs_change],
        )[0]

    def _refuse_net(self) -> NoReturn:
        raise TopologyError(
            f"{type(self).__name__} has no form on the net inputs. Ask fuses() first, and use values() "
            "and derivative() where it says False"
        )


@attrs.frozen
class SumOfSquares(ErrorFunction):
    """Half the sum of squares over the outputs: ``1/2 sum((y - t)^2)``."""

    @_overflow_is_no_error
    def values(self, outputs: Array, targets: Array) -> Array:
        values: Array = np.square(outputs - targets).sum(axis=-1) / 2
        return values

    @_overflow_is_no_error
    def derivative(self, outputs: Array, targets: Array) -> Array:
        slope: Array = outputs - targets
        return slope

    @_overflow_is_no_error
    def derivative_change(self, outputs: Array, targets: Array, outputs_change: Array) -> Array:
        return outputs_change


@attrs.frozen
class MeanAbsolute(ErrorFunction):
    """``sum(|y - t|)`` over the outputs; the mean is the one over the samples. Slope 0 where y = t."""

    @_overflow_is_no_error
    def values(self, outputs: Array, targets: Array) -> Array:
        values: Array = np.abs(outputs - targets).sum(axis=-1)
        return values

    @_overflow_is_no_error
    def derivative(self, outputs: Array, targets: Array) -> Array:
        return np.sign(outputs - targets)

    @_overflow_is_no_error
    def derivative_change(self, outputs: Array, targets: Array, outputs_change: Array) -> Array:
        return np.zeros_like(outputs_change)


@attrs.frozen
class Huber(ErrorFunction):
    """``(y - t)^2 / 2`` up to a distance of delta and ``delta (|y - t| - delta/2)`` beyond, summed.

    Quadratic near the target and linear far from it, so that outliers pull with limited force
    (Huber 1964, Annals of Mathematical Statistics 35, pages 73-101).
    """

    delta: float = attrs.field(default=1.0, validator=number(above=0), converter=python_number)

    @_overflow_is_no_error
    def values(self, outputs: Array, targets: Array) -> Array:
        distance = np.abs(outputs - targets)
        near = np.minimum(distance, self.delta)
        values: Array = (near * (distance - near / 2)).sum(axis=-1)
        return values

    @_overflow_is_no_error
    def derivative(self, outputs: Array, targets: Array) -> Array:
        return np.clip(outputs - targets, -self.delta, self.delta)

    @_overflow_is_no_error
    def derivative_change(self, outputs: Array, targets: Array, outputs_change: Array) -> Array:
        return np.where(np.abs(outputs - targets) <= self.delta, outputs_change, outputs.dtype.type(0))


@attrs.frozen
class CrossEntropy(ErrorFunction):
    """The cross-entropy that belongs to the output layer, in natural units.

    A stand-in: a network replaces it by `CategoricalCrossEntropy` for a softmax output layer and by
    `BinaryCrossEntropy` for sigmoid outputs. Used unresolved it raises `TopologyError`.

    Examples
    --------
    >>> CrossEntropy().for_output(Softmax())
    CategoricalCrossEntropy()

    """

    def for_output(self, transfer_function: TransferFunction | None) -> ErrorFunction:
        if isinstance(transfer_function, Softmax):
            return CategoricalCrossEntropy()
        if isinstance(transfer_function, Sigmoid):
            return BinaryCrossEntropy()
        given = "no single transfer function" if transfer_function is None else f"{transfer_function}"
        raise TopologyError(
            f"the output layer has {given}, but cross-entropy needs outputs that are probabilities. Use "
            "softmax or sigmoid outputs, or name CategoricalCrossEntropy() or BinaryCrossEntropy() yourself"
        )

    def values(self, outputs: Array, targets: Array) -> Array:
        self._refuse()

    def derivative(self, outputs: Array, targets: Array) -> Array:
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise TopologyError(
            "CrossEntropy is not yet the cross-entropy of an output layer. Call its for_output() with the "
            "layer's transfer function, or use CategoricalCrossEntropy() or BinaryCrossEntropy()"
        )

    def check_targets(self, targets: Array) -> None:
        _check_probabilities(targets)


@attrs.frozen
class CategoricalCrossEntropy(ErrorFunction):
    """``-sum(t ln y)`` over the outputs, which are the probabilities of exclusive classes.

    0 ln 0 counts as 0. Apart from that, `values` and `derivative` take outputs below the smallest
    normal number of their type as that number; the form on the net inputs of a `Softmax` has no such
    limit.
    """

    @_overflow_is_no_error
    def values(self, outputs: Array, targets: Array) -> Array:
        values: Array = (targets * -np.log(_positive(outputs))).sum(axis=-1)
        return values

    @_overflow_is_no_error
    def derivative(self, outputs: Array, targets: Array) -> Array:
        slope: Array = -targets / _positive(outputs)
        return slope

    @_overflow_is_no_error
    def derivative_change(self, outputs: Array, targets: Array, outputs_change: Array) -> Array:
        likely = _positive(outputs)
        change: Array = targets / likely / likely * outputs_change
        return change

    def check_targets(self, targets: Array) -> None:
        _check_probabilities(targets)
        sums: Array = targets.sum(axis=-1, dtype=np.float64)
        bad = np.flatnonzero(np.abs(sums - 1) > _SUM_TOLERANCE)
        if len(bad) and targets.shape[-1] == 1:
            raise DataError("softmax over one output is always 1; use a sigmoid output for two classes")
        if len(bad):
            raise DataError(
                f"targets: row {bad[0]} sums to {sums[bad[0]]:.9g}, and {len(bad)} row(s) in all do not sum "
                "to 1; categorical cross-entropy needs the probabilities of exclusive classes. Encode "
                "classes as one column each, or use sigmoid outputs for classes that may occur together"
            )

    def fuses(self, transfer_function: TransferFunction) -> bool:
        return type(transfer_function) is Softmax

    @_overflow_is_no_error
    def net_values(self, net: Array, outputs: Array, targets: Array) -> Array:
        # The bound keeps a distance beyond the largest number from becoming 0 * infinity.
        shifted = np.maximum(net - net.max(axis=-1, keepdims=True), np.finfo(net.dtype).min)
        log_sum = np.log(np.exp(shifted).sum(axis=-1, keepdims=True))
        values: Array = (targets * (log_sum - shifted)).sum(axis=-1)
        return values

    def net_derivative(self, net: Array, outputs: Array, targets: Array) -> Array:
        slope: Array = outputs * targets.sum(axis=-1, keepdims=True) - targets
        return slope

    def net_derivative_change(
        self, net: Array, outputs: Array, targets: Array, net_change: Array, outputs_change: Array
    ) -> Array:
        change: Array = outputs_change * targets.sum(axis=-1, keepdims=True)
        return change


@attrs.frozen
class BinaryCrossEntropy(ErrorFunction):
    """``-sum(t ln y + (1 - t) ln(1 - y))`` over the outputs, each a probability of its own.

    0 ln 0 counts as 0. Apart from that, `values` and `derivative` take y and 1 - y below the smallest
    normal number of their type as that number; the form on the net inputs of a `Sigmoid` has no such
    limit.
    """

    @_overflow_is_no_error
    def values(self, outputs: Array, targets: Array) -> Array:
        true, false = -np.log(_positive(outputs)), -np.log(_positive(1 - outputs))
        values: Array = (targets * true + (1 - targets) * false).sum(axis=-1)
        return values

    @_overflow_is_no_error
    def derivative(self, outputs: Array, targets: Array) -> Array:
        slope: Array = (1 - targets) / _positive(1 - outputs) - targets / _positive(outputs)
        return slope

    @_overflow_is_no_error
    def derivative_change(self, outputs: Array, targets: Array, outputs_change: Array) -> Array:
        true, false = _positive(outputs), _positive(1 - outputs)
        bent = targets / true / true + (1 - targets) / false / false
        change: Array = bent * outputs_change
        return change

    def check_targets(self, targets: Array) -> None:
        _check_probabilities(targets)

    def fuses(self, transfer_function: TransferFunction) -> bool:
        return type(transfer_function) is Sigmoid

    @_overflow_is_no_error
    def net_values(self, net: Array, outputs: Array, targets: Array) -> Array:
        # ln(1 + exp(net)) - t net; the large terms are subtracted first, so that the small one survives.
        large = np.maximum(net, 0) - targets * net
        values: Array = (large + np.log1p(np.exp(-np.abs(net)))).sum(axis=-1)
        return values

    def net_derivative(self, net: Array, outputs: Array, targets: Array) -> Array:
        slope: Array = outputs - targets
        return slope

    def net_derivative_change(
        self, net: Array, outputs: Array, targets: Array, net_change: Array, outputs_change: Array
    ) -> Array:
        return outputs_change


def _positive(probabilities: Array) -> Array:
    return np.maximum(probabilities, np.finfo(probabilities.dtype).tiny)


def _check_probabilities(targets: Array) -> None:
    bad = np.argwhere(~((targets >= 0) & (targets <= 1)))
    if len(bad):
        row, column = (int(i) for i in bad[0])
        raise DataError(
            f"targets: {targets[row, column]} at row {row}, column {column} ({len(bad)} such value(s) in "
            "all); cross-entropy needs probabilities, from 0 to 1. Rescale the targets or use SumOfSquares()"
        )

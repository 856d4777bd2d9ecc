"""Transfer functions: what a neuron makes of its net input.

Every function is pure, works in the floating-point type and the memory order of its argument, and is
finite, without a warning, for every finite net input.
"""

# ruff: noqa: ARG002 - members keep the signatures and the docstrings of their family

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, ClassVar

import attrs
import numpy as np

from neuralframe.core.components import Component
from neuralframe.core.differences import STEP, changes_along
from neuralframe.core.validation import number, python_number, require_ascending

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array


class TransferFunction(Component):
    """The output of a layer's neurons as a function of their net inputs.

    Arrays have the layer's neurons along the last axis and samples along the ones before; float32 stays
    float32. Derive a function of your own by writing `value` and `derivative`::

        @attrs.frozen
        class Square(nf.TransferFunction):
            def value(self, net):
                return net * net

            def derivative(self, net, output):
                return 2 * net

    Attributes
    ----------
    elementwise : bool
        Whether each output depends on its own net input alone. If not, `backward` is overridden.
    active_range : (float, float) or None
        The net inputs between which the function bends without being saturated; `NguyenWidrow` spreads
        the neurons of a layer over it.
    rectifier : bool
        Whether about half of the net inputs are passed and the others held back, as `He` assumes.

    """

    elementwise: ClassVar[bool] = True
    active_range: ClassVar[tuple[float, float] | None] = None
    rectifier: ClassVar[bool] = False

    @property
    def output_range(self) -> tuple[float, float] | None:
        """The finite bounds of the output, or None; the next layer takes them for its inputs' range.

        A subclass may simply assign a tuple in its body.
        """
        return None

    @abstractmethod
    def value(self, net: Array) -> Array:
        """Return the outputs, of the shape and type of `net`, shape (..., n_neurons)."""

    @abstractmethod
    def derivative(self, net: Array, output: Array) -> Array:
        """Return d output / d net, element by element.

        `output` is ``value(net)``: whichever of the two makes the shorter formula may be used. At a kink
        the slope of the left-hand side is returned.
        """

    def backward(self, net: Array, output: Array, output_delta: Array) -> Array:
        """Return dE/d net from `output_delta`, which is dE/d output; all of one shape."""
        delta: Array = output_delta * self.derivative(net, output)
        return delta

    def second_derivative(self, net: Array, output: Array) -> Array:
        """Return d derivative / d net, element by element; asked for by rules that use the Hessian.

        The default differences `derivative`: right to about ten digits where it is smooth. The members of
        this module are exact; at a kink and beyond they follow `derivative`.
        """
        wide = net.astype(np.float64)
        step = STEP * np.maximum(1.0, np.abs(wide))
        ahead, behind = (self.derivative(at, self.value(at)) for at in (wide + step, wide - step))
        curvature: Array = ((ahead - behind) / (2 * step)).astype(net.dtype)
        return curvature

    def output_change(self, net: Array, output: Array, net_change: Array) -> Array:
        """Return how fast the outputs change when the net inputs change at the given speed."""
        if self.elementwise:
            change: Array = net_change * self.derivative(net, output)
            return change
        return changes_along(lambda at: (self.value(at),), [net], [net_change])[0]

    def backward_change(self, net: Array, output: Array, output_delta: Array, net_change: Array) -> Array:
        """Return how fast what `backward` returns changes with the net inputs, `output_delta` staying."""
        if self.elementwise:
            change: Array = output_delta * net_change * self.second_derivative(net, output)
            return change
        return changes_along(
            lambda at: (self.backward(at, self.value(at), output_delta),), [net], [net_change]
        )[0]


@attrs.frozen
class Linear(TransferFunction):
    """The net input itself."""

    def value(self, net: Array) -> Array:
        return net.copy(order="K")

    def derivative(self, net: Array, output: Array) -> Array:
        return np.ones_like(net)

    def second_derivative(self, net: Array, output: Array) -> Array:
        return np.zeros_like(net)


@attrs.frozen
class Sigmoid(TransferFunction):
    """The logistic function, ``1 / (1 + exp(-net))``."""

    active_range = (-4.0, 4.0)
    output_range = (0.0, 1.0)

    @np.errstate(over="ignore")  # exp(-net) may be infinite; then the output is 0, as it should be
    def value(self, net: Array) -> Array:
        output: Array = 1 / (1 + np.exp(-net))
        return output

    def derivative(self, net: Array, output: Array) -> Array:
        slope: Array = output * (1 - output)
        return slope

    def second_derivative(self, net: Array, output: Array) -> Array:
        curvature: Array = output * (1 - output) * (1 - 2 * output)
        return curvature


@attrs.frozen
class Tanh(TransferFunction):
    """The hyperbolic tangent."""

    active_range = (-2.0, 2.0)
    output_range = (-1.0, 1.0)

    def value(self, net: Array) -> Array:
        return np.tanh(net)

    def derivative(self, net: Array, output: Array) -> Array:
        slope: Array = 1 - output * output
        return slope

    def second_derivative(self, net: Array, output: Array) -> Array:
        curvature: Array = -2 * output * (1 - output * output)
        return curvature


@attrs.frozen
class Gaussian(TransferFunction):
    """The bell curve ``exp(-net^2 / (2 sigma^2))``, of height 1."""

    sigma: float = attrs.field(default=1.0, validator=number(above=0), converter=python_number)
    output_range = (0.0, 1.0)

    @np.errstate(over="ignore")
    def value(self, net: Array) -> Array:
        output: Array = np.exp(-0.5 * np.square(net / self.sigma))
        return output

    @np.errstate(over="ignore")
    def derivative(self, net: Array, output: Array) -> Array:
        # The small output comes first: a huge net input must meet its zero before it can overflow.
        slope: Array = -(output * net) / self.sigma / self.sigma
        return slope

    @np.errstate(over="ignore")
    def second_derivative(self, net: Array, output: Array) -> Array:
        # As in `derivative`, the small output comes first.
        bent = output * net * net / self.sigma / self.sigma - output
        curvature: Array = bent / self.sigma / self.sigma
        return curvature


@attrs.frozen
class Softmax(TransferFunction):
    """``exp(net) / sum(exp(net))`` over the neurons of the layer: outputs that sum to 1."""

    elementwise = False
    output_range = (0.0, 1.0)

    @np.errstate(over="ignore")
    def value(self, net: Array) -> Array:
        exponentials: Array = np.exp(net - net.max(axis=-1, keepdims=True))
        exponentials /= exponentials.sum(axis=-1, keepdims=True)
        return exponentials

    def derivative(self, net: Array, output: Array) -> Array:
        """Return the diagonal of the Jacobian, ``output * (1 - output)``; `backward` uses all of it."""
        slope: Array = output * (1 - output)
        return slope

    def backward(self, net: Array, output: Array, output_delta: Array) -> Array:
        delta: Array = output * (output_delta - (output * output_delta).sum(axis=-1, keepdims=True))
        return delta

    def output_change(self, net: Array, output: Array, net_change: Array) -> Array:
        return self.backward(net, output, net_change)  # its Jacobian is symmetric

    def backward_change(self, net: Array, output: Array, output_delta: Array, net_change: Array) -> Array:
        output_change = self.backward(net, output, net_change)
        mean = (output * output_delta).sum(axis=-1, keepdims=True)
        mean_change = (output_change * output_delta).sum(axis=-1, keepdims=True)
        change: Array = output_change * (output_delta - mean) - output * mean_change
        return change


@attrs.frozen
class ReLU(TransferFunction):
    """The rectifier ``max(net, 0)``; its slope at 0 is taken as 0."""

    name = "relu"
    rectifier = True

    def value(self, net: Array) -> Array:
        return np.maximum(net, 0)

    def derivative(self, net: Array, output: Array) -> Array:
        return (net > 0).astype(net.dtype)

    def second_derivative(self, net: Array, output: Array) -> Array:
        return np.zeros_like(net)


@attrs.frozen
class LeakyReLU(TransferFunction):
    """``net`` above 0 and ``slope * net`` below, with a slope from 0 up to, not including, 1."""

    name = "leaky_relu"
    slope: float = attrs.field(default=0.01, validator=number(at_least=0, below=1), converter=python_number)
    rectifier = True

    def value(self, net: Array) -> Array:
        output: Array = np.maximum(net, self.slope * net)
        return output

    def derivative(self, net: Array, output: Array) -> Array:
        slope: Array = np.maximum((net > 0).astype(net.dtype), self.slope)
        return slope

    def second_derivative(self, net: Array, output: Array) -> Array:
        return np.zeros_like(net)


@attrs.frozen
class ELU(TransferFunction):
    """``net`` above 0 and ``alpha * (exp(net) - 1)`` below (Clevert et al. 2016, equation 15)."""

    alpha: float = attrs.field(default=1.0, validator=number(above=0), converter=python_number)
    rectifier = True

    def value(self, net: Array) -> Array:
        return np.where(net > 0, net, self.alpha * np.expm1(np.minimum(net, 0)))

    def derivative(self, net: Array, output: Array) -> Array:
        return np.where(net > 0, net.dtype.type(1), output + self.alpha)

    def second_derivative(self, net: Array, output: Array) -> Array:
        return np.where(net > 0, net.dtype.type(0), output + self.alpha)


@attrs.frozen
class Softplus(TransferFunction):
    """``ln(1 + exp(net))``, a rectifier without a kink."""

    rectifier = True

    def value(self, net: Array) -> Array:
        output: Array = np.maximum(net, 0) + np.log1p(np.exp(-np.abs(net)))
        return output

    def derivative(self, net: Array, output: Array) -> Array:
        return -np.expm1(-output)

    def second_derivative(self, net: Array, output: Array) -> Array:
        falling = np.exp(-output)
        curvature: Array = falling * -np.expm1(-output)
        return curvature


@attrs.frozen
class Softsign(TransferFunction):
    """``net / (1 + |net|)``."""

    output_range = (-1.0, 1.0)

    def value(self, net: Array) -> Array:
        output: Array = net / (1 + np.abs(net))
        return output

    def derivative(self, net: Array, output: Array) -> Array:
        return np.square(1 / (1 + np.abs(net)))

    def second_derivative(self, net: Array, output: Array) -> Array:
        inverse = 1 / (1 + np.abs(net))
        curvature: Array = -2 * np.sign(net) * inverse * inverse * inverse
        return curvature


@attrs.frozen
class Sin(TransferFunction):
    """The sine."""

    output_range = (-1.0, 1.0)

    def value(self, net: Array) -> Array:
        return np.sin(net)

    def derivative(self, net: Array, output: Array) -> Array:
        return np.cos(net)

    def second_derivative(self, net: Array, output: Array) -> Array:
        return -output


@attrs.frozen
class Log(TransferFunction):
    """``sgn(net) * ln(1 + |net|)``: the logarithm, made odd so that it is finite for every net input."""

    def value(self, net: Array) -> Array:
        return np.copysign(np.log1p(np.abs(net)), net)

    def derivative(self, net: Array, output: Array) -> Array:
        slope: Array = 1 / (1 + np.abs(net))
        return slope

    def second_derivative(self, net: Array, output: Array) -> Array:
        return -np.sign(net) * np.square(1 / (1 + np.abs(net)))


@attrs.frozen
class Step(TransferFunction):
    """`high` where the net input exceeds the threshold and `low` elsewhere.

    The derivative is 0 everywhere: gradients do not pass, so such a layer is for rules that use none.
    """

    threshold: float = attrs.field(default=0.0, validator=number(), converter=python_number)
    low: float = attrs.field(default=0.0, validator=number(), converter=python_number)
    high: float = attrs.field(default=1.0, validator=number(), converter=python_number)

    def __attrs_post_init__(self) -> None:
        require_ascending(self, "low", "high")

    @property
    def output_range(self) -> tuple[float, float]:
        """The two levels."""
        return self.low, self.high

    def value(self, net: Array) -> Array:
        return np.where(net > self.threshold, net.dtype.type(self.high), net.dtype.type(self.low))

    def derivative(self, net: Array, output: Array) -> Array:
        return np.zeros_like(net)

    def second_derivative(self, net: Array, output: Array) -> Array:
        return np.zeros_like(net)


@attrs.frozen
class Sgn(TransferFunction):
    """The sign: 1 where the net input is positive and -1 elsewhere, also at 0, so that a unit is bipolar.

    The derivative is 0 everywhere.
    """

    output_range = (-1.0, 1.0)

    def value(self, net: Array) -> Array:
        return np.where(net > 0, net.dtype.type(1), net.dtype.type(-1))

    def derivative(self, net: Array, output: Array) -> Array:
        return np.zeros_like(net)

    def second_derivative(self, net: Array, output: Array) -> Array:
        return np.zeros_like(net)


@attrs.frozen
class Ramp(TransferFunction):
    """A straight line from (low_x, low_y) to (high_x, high_y), level on both sides of it."""

    low_x: float = attrs.field(default=0.0, validator=number(), converter=python_number)
    high_x: float = attrs.field(default=1.0, validator=number(), converter=python_number)
    low_y: float = attrs.field(default=0.0, validator=number(), converter=python_number)
    high_y: float = attrs.field(default=1.0, validator=number(), converter=python_number)

    def __attrs_post_init__(self) -> None:
        require_ascending(self, "low_x", "high_x")
        require_ascending(self, "low_y", "high_y")

    @property
    def output_range(self) -> tuple[float, float]:
        """The two levels."""
        return self.low_y, self.high_y

    @property
    def _slope(self) -> float:
        return (self.high_y - self.low_y) / (self.high_x - self.low_x)

    @np.errstate(over="ignore")
    def value(self, net: Array) -> Array:
        line: Array = self.low_y + self._slope * (net - self.low_x)
        return line.clip(self.low_y, self.high_y)

    def derivative(self, net: Array, output: Array) -> Array:
        inside = (net > self.low_x) & (net <= self.high_x)
        slope: Array = self._slope * inside.astype(net.dtype)
        return slope

    def second_derivative(self, net: Array, output: Array) -> Array:
        return np.zeros_like(net)


@attrs.frozen
class Trapezoid(TransferFunction):
    """0 outside (left_low, right_low), 1 from left_high to right_high, straight lines between."""

    left_low: float = attrs.field(default=0.0, validator=number(), converter=python_number)
    left_high: float = attrs.field(default=1.0, validator=number(), converter=python_number)
    right_high: float = attrs.field(default=2.0, validator=number(), converter=python_number)
    right_low: float = attrs.field(default=3.0, validator=number(), converter=python_number)
    output_range = (0.0, 1.0)

    def __attrs_post_init__(self) -> None:
        require_ascending(self, "left_low", "left_high", "right_high", "right_low")

    @np.errstate(over="ignore")
    def value(self, net: Array) -> Array:
        rise = (net - self.left_low) / (self.left_high - self.left_low)
        fall = (self.right_low - net) / (self.right_low - self.right_high)
        output: Array = np.minimum(rise, fall).clip(0, 1)
        return output

    def derivative(self, net: Array, output: Array) -> Array:
        rising = ((net > self.left_low) & (net <= self.left_high)).astype(net.dtype)
        falling = ((net > self.right_high) & (net <= self.right_low)).astype(net.dtype)
        slope: Array = rising / (self.left_high - self.left_low) - falling / (
            self.right_low - self.right_high
        )
        return slope

    def second_derivative(self, net: Array, output: Array) -> Array:
        return np.zeros_like(net)

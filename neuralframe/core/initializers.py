"""Initializers: the weights and biases from which training starts."""

# ruff: noqa: ARG002 - members keep the signatures and the docstrings of their family

from __future__ import annotations

import math
from abc import abstractmethod
from typing import TYPE_CHECKING

import attrs
import numpy as np

from neuralframe.core.components import Component
from neuralframe.core.validation import count, number, one_of, require_ascending
from neuralframe.exceptions import ShapeError

if TYPE_CHECKING:
    import numpy.typing as npt

    from neuralframe.core.arrays import Vector
    from neuralframe.core.transfer_functions import TransferFunction


def _as_vector(values: npt.ArrayLike) -> Vector:
    return np.asarray(values, dtype=np.float64)


@attrs.frozen(eq=False)
class Fan:
    """What an initializer may know about the weights it draws.

    Attributes
    ----------
    n_out : int
        Number of neurons that the weights lead to.
    n_in : int
        Number of inputs of each of them.
    input_ranges : (n_in, 2) float64
        The smallest and the largest value that each input takes.
    active_range : (float, float) or None
        `TransferFunction.active_range` of these neurons.
    has_bias : bool
        Whether the neurons have biases.

    """

    n_out: int = attrs.field(validator=count())
    n_in: int = attrs.field(validator=count())
    input_ranges: Vector = attrs.field(converter=_as_vector)
    active_range: tuple[float, float] | None = None
    has_bias: bool = True

    def __attrs_post_init__(self) -> None:
        if self.input_ranges.shape != (self.n_in, 2):
            raise ShapeError(
                f"input_ranges has shape {self.input_ranges.shape}; expected a smallest and a largest value "
                f"of each input, shape {(self.n_in, 2)}"
            )


class Initializer(Component):
    """A way to draw initial weights; all randomness comes from the generator that is passed in."""

    @abstractmethod
    def draw(self, fan: Fan, random: np.random.Generator) -> tuple[Vector, Vector]:
        """Return weights (n_out, n_in) and biases (n_out,), both float64.

        Biases are returned in any case; neurons without a bias leave them aside.
        """


@attrs.frozen
class NguyenWidrow(Initializer):
    """Spread the active regions of a layer's neurons evenly over the box of their inputs.

    Inputs that never vary get weight 0. Where there is nothing to spread, for want of a bias, of a finite
    active range or of an input that varies, weights and biases are uniform in [-1, 1].

    References
    ----------
    D. Nguyen and B. Widrow, "Improving the learning speed of 2-layer neural networks by choosing initial
    values of the adaptive weights", IJCNN 1990, volume 3, pages 21-26; evenly spaced biases and the
    active range as in MATLAB's ``initnw``.

    """

    def draw(self, fan: Fan, random: np.random.Generator) -> tuple[Vector, Vector]:
        low, high = fan.input_ranges.T
        varies = low < high
        if fan.active_range is None or not np.all(np.isfinite(fan.active_range)):
            return Uniform(-1.0, 1.0).draw(fan, random)
        if not fan.has_bias or not varies.any():
            return Uniform(-1.0, 1.0).draw(fan, random)
        directions, biases = _spread(fan.n_out, int(varies.sum()), random)
        active_low, active_high = fan.active_range
        directions *= (active_high - active_low) / 2
        biases = biases * (active_high - active_low) / 2 + (active_high + active_low) / 2
        # Halves, because the width of a range may exceed the largest number where its ends do not.
        scale = 1 / (high[varies] / 2 - low[varies] / 2)
        weights = np.zeros((fan.n_out, fan.n_in))
        weights[:, varies] = directions * scale
        return weights, biases + directions @ (1 - high[varies] * scale)


def _spread(n_neurons: int, n_inputs: int, random: np.random.Generator) -> tuple[Vector, Vector]:
    """Return the weights and biases of Nguyen and Widrow for inputs and an active range of [-1, 1]."""
    magnitude = 0.7 * n_neurons ** (1 / n_inputs)
    weights = random.uniform(-1, 1, (n_neurons, n_inputs))
    weights *= magnitude / np.linalg.norm(weights, axis=1, keepdims=True)
    if n_neurons == 1:
        return weights, np.zeros(1)
    return weights, magnitude * np.linspace(-1, 1, n_neurons) * np.sign(weights[:, 0])


@attrs.frozen
class VarianceScaling(Initializer):
    """Weights of mean 0 and a variance that suits the fan, biases 0; a subclass writes `variance`."""

    distribution: str = attrs.field(default="uniform", validator=one_of("uniform", "normal"))

    @abstractmethod
    def variance(self, fan: Fan) -> float:
        """Return the variance of each weight."""

    def draw(self, fan: Fan, random: np.random.Generator) -> tuple[Vector, Vector]:
        shape, deviation = (fan.n_out, fan.n_in), math.sqrt(self.variance(fan))
        if self.distribution == "normal":
            return random.normal(0, deviation, shape), np.zeros(fan.n_out)
        limit = math.sqrt(3) * deviation
        return random.uniform(-limit, limit, shape), np.zeros(fan.n_out)


@attrs.frozen
class Glorot(VarianceScaling):
    """Variance ``2 / (n_in + n_out)`` (Glorot and Bengio, AISTATS 2010, equation 16)."""

    def variance(self, fan: Fan) -> float:
        return 2 / (fan.n_in + fan.n_out)


@attrs.frozen
class He(VarianceScaling):
    """Variance ``2 / n_in``, for rectifiers (He et al., ICCV 2015, equation 10)."""

    def variance(self, fan: Fan) -> float:
        return 2 / fan.n_in


@attrs.frozen
class LeCun(VarianceScaling):
    """Variance ``1 / n_in`` (LeCun et al., "Efficient BackProp", 1998, equation 16)."""

    name = "lecun"

    def variance(self, fan: Fan) -> float:
        return 1 / fan.n_in


@attrs.frozen
class Orthogonal(Initializer):
    """A random matrix with orthonormal rows or columns, whichever are fewer, times `gain`; biases 0.

    From Saxe, McClelland and Ganguli (ICLR 2014); drawn uniformly, with the signs of the QR decomposition
    settled as in Mezzadri (Notices of the AMS 54, 2007, pages 592-604).
    """

    gain: float = attrs.field(default=1.0, validator=number(above=0))

    def draw(self, fan: Fan, random: np.random.Generator) -> tuple[Vector, Vector]:
        shape = max(fan.n_out, fan.n_in), min(fan.n_out, fan.n_in)
        columns, triangle = np.linalg.qr(random.standard_normal(shape))
        columns *= np.copysign(self.gain, np.diag(triangle))
        weights = columns if fan.n_out >= fan.n_in else columns.T
        return np.ascontiguousarray(weights), np.zeros(fan.n_out)


@attrs.frozen
class Uniform(Initializer):
    """Weights and biases uniform between `low` and `high`."""

    low: float = attrs.field(default=-0.5, validator=number())
    high: float = attrs.field(default=0.5, validator=number())

    def __attrs_post_init__(self) -> None:
        require_ascending(self, "low", "high")

    def draw(self, fan: Fan, random: np.random.Generator) -> tuple[Vector, Vector]:
        weights = random.uniform(self.low, self.high, (fan.n_out, fan.n_in))
        return weights, random.uniform(self.low, self.high, fan.n_out)


@attrs.frozen
class Normal(Initializer):
    """Weights and biases from a normal distribution with the given mean and standard deviation."""

    mean: float = attrs.field(default=0.0, validator=number())
    sd: float = attrs.field(default=1.0, validator=number(above=0))

    def draw(self, fan: Fan, random: np.random.Generator) -> tuple[Vector, Vector]:
        weights = random.normal(self.mean, self.sd, (fan.n_out, fan.n_in))
        return weights, random.normal(self.mean, self.sd, fan.n_out)


@attrs.frozen
class Constant(Initializer):
    """Every weight and bias the same number, 0 unless told: for single layers and for tests."""

    value: float = attrs.field(default=0.0, validator=number())

    def draw(self, fan: Fan, random: np.random.Generator) -> tuple[Vector, Vector]:
        return np.full((fan.n_out, fan.n_in), float(self.value)), np.full(fan.n_out, float(self.value))


def default_initializer(transfer_function: TransferFunction, *, hidden: bool) -> Initializer:
    """Return the initializer of a layer that was given none.

    `NguyenWidrow` for hidden layers whose transfer function has an active range (tanh, sigmoid), `He` for
    rectifiers, `Glorot` for all others.
    """
    if hidden and transfer_function.active_range is not None:
        return NguyenWidrow()
    return He() if transfer_function.rectifier else Glorot()

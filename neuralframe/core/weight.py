"""One weight, as an object."""

from __future__ import annotations

import math
from numbers import Real
from typing import TYPE_CHECKING

import numpy as np

from neuralframe.core.parameters import Parameters
from neuralframe.exceptions import NonFiniteError, ParameterError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector


def require_weight(value: object) -> None:
    """Raise an error unless `value` can be a weight."""
    if not isinstance(value, Real):
        raise ParameterError(f"a weight must be a number; got {value!r}")
    if not math.isfinite(value):
        raise NonFiniteError(f"a weight must be finite; got {value!r}")


class Weight:
    """A live view of one weight of a network.

    Made by a user, it can be passed to several connections, which then share it; when the network is
    built it becomes a view of the network's vector like any other.

    Parameters
    ----------
    value : float, optional
        The initial value; left out, the layer's initializer draws it.
    frozen : bool
        Whether training leaves the weight alone.

    Attributes
    ----------
    belongs_to_network : bool
        Whether a network has adopted the weight; it can be passed to connections until then.

    Examples
    --------
    >>> shared = Weight(0.5)
    >>> shared.value
    0.5

    """

    __slots__ = ("_parameters", "_position", "belongs_to_network")

    def __init__(self, value: float | None = None, *, frozen: bool = False) -> None:
        # Until a network adopts it, a weight is a vector of one.
        self._parameters = Parameters(np.full(1, np.nan))
        self._position = 0
        self.belongs_to_network = False
        if value is not None:
            self.value = value
        if frozen:
            self.frozen = True

    @classmethod
    def at(cls, parameters: Parameters, position: int) -> Weight:
        """Return a view of one position of a network's vector."""
        weight = cls.__new__(cls)
        weight.become(parameters, position)
        return weight

    def become(self, parameters: Parameters, position: int) -> None:
        """Turn into a view of `parameters` at `position`."""
        self._parameters, self._position = parameters, int(position)
        self.belongs_to_network = True

    @property
    def value(self) -> float:
        """The weight itself; NaN for a weight that has not been drawn yet."""
        return float(self._parameters.weights[self._position])

    @value.setter
    def value(self, value: float) -> None:
        require_weight(value)
        self._parameters.weights[self._position] = value

    @property
    def frozen(self) -> bool:
        """Whether training leaves this weight alone."""
        frozen = self._parameters.frozen
        return frozen is not None and bool(frozen[self._position])

    @frozen.setter
    def frozen(self, frozen: bool) -> None:
        self._parameters.freeze(self._position, frozen)

    @property
    def position(self) -> int:
        """Where the weight stands in ``network.weights``."""
        return self._position

    @property
    def vector(self) -> Vector:
        """The vector that this weight is a view of."""
        return self._parameters.weights

    def __eq__(self, other: object) -> bool:
        """Two views are equal if they are views of the same number."""
        return (
            isinstance(other, Weight)
            and other._parameters is self._parameters
            and other._position == self._position
        )

    def __hash__(self) -> int:
        return hash((id(self._parameters), self._position))

    def __float__(self) -> float:
        return self.value

    def __repr__(self) -> str:
        return f"Weight({self.value!r}{', frozen=True' if self.frozen else ''})"

"""The conclusion: what is worked out from the errors of several weight vectors where a job ends."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING

from neuralframe.core.components import Component

if TYPE_CHECKING:
    from neuralframe.core.arrays import Vector


class Conclusion(Component):
    """A pure function of weight vectors and of E at each of them, run in the reducer where there is one.

    An engine without a reducer that sees all errors runs it where the job's result comes together. To
    travel, a conclusion must be an ``attrs`` class of numbers, texts, arrays and components. Whatever it
    draws by chance it draws from a seed that it was made with.
    """

    @abstractmethod
    def conclude(self, errors: Vector, candidates: Vector) -> dict[str, Vector]:
        """Return named float64 arrays.

        Parameters
        ----------
        errors : (K,) float64
            E at each candidate, its penalty included; infinite or NaN where the arithmetic overflowed.
        candidates : (K, n_weights) float64
            The weights that the rule sees: frozen weights are not among them.

        """

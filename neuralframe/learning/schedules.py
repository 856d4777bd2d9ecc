"""How a learning rate changes with the number of the iteration, whatever the error does."""

from __future__ import annotations

import math
from abc import abstractmethod

import attrs

from neuralframe.core.components import Component
from neuralframe.core.validation import count, number


class Schedule(Component):
    """What the learning rate is multiplied by in each iteration.

    Derive one of your own by writing `factor`.
    """

    @abstractmethod
    def factor(self, iteration: int) -> float:
        """Return the factor in an iteration, counted from 0."""


def schedule_or_none(given: Schedule | type[Schedule] | str | None) -> Schedule | None:
    """Return a schedule from a name, a class or an instance; None stays None."""
    return None if given is None else Schedule.of(given)


@attrs.frozen
class ExponentialDecay(Schedule):
    """The rate shrinks by the same factor in every iteration: ``decay**n``.

    Parameters
    ----------
    decay : float, above 0 and at most 1

    """

    decay: float = attrs.field(default=0.99, validator=number(above=0, at_most=1))

    def factor(self, iteration: int) -> float:
        """Return the power of the decay."""
        return float(self.decay**iteration)


@attrs.frozen
class StepDecay(Schedule):
    """The rate shrinks now and then: ``decay**(n // every)``.

    Parameters
    ----------
    every : int, at least 1
        How many iterations the rate stays.
    decay : float, above 0 and at most 1
        What it is multiplied by after them.

    """

    every: int = attrs.field(default=30, validator=count())
    decay: float = attrs.field(default=0.1, validator=number(above=0, at_most=1))

    def factor(self, iteration: int) -> float:
        """Return the power of the decay that belongs to this stretch."""
        return float(self.decay ** (iteration // self.every))


@attrs.frozen
class InverseTime(Schedule):
    """Search, then converge: the rate is nearly constant at first and falls with 1/n in the end.

    The factor is ``1 / (1 + n / delay)``.

    Parameters
    ----------
    delay : float, above 0
        The iteration in which the rate is half the first.

    References
    ----------
    C. Darken and J. Moody (1991). Note on learning rate schedules for stochastic optimization. Advances in
    Neural Information Processing Systems 3, 832-838.

    Examples
    --------
    >>> [InverseTime(2).factor(n) for n in (0, 2, 6)]
    [1.0, 0.5, 0.25]

    """

    delay: float = attrs.field(default=100.0, validator=number(above=0))

    def factor(self, iteration: int) -> float:
        """Return 1 / (1 + n / delay)."""
        return 1 / (1 + iteration / self.delay)


@attrs.frozen
class CosineAnnealing(Schedule):
    """The rate follows half a wave of the cosine, from its first value to its lowest.

    Parameters
    ----------
    iterations : int, at least 1
        How long the wave is; from then on the rate stays at its lowest.
    lowest : float, at least 0 and at most 1
        The lowest rate, as a share of the first.

    References
    ----------
    I. Loshchilov and F. Hutter (2017). SGDR: stochastic gradient descent with warm restarts. ICLR,
    equation 5, without the restarts.

    """

    iterations: int = attrs.field(default=100, validator=count())
    lowest: float = attrs.field(default=0.0, kw_only=True, validator=number(at_least=0, at_most=1))

    def factor(self, iteration: int) -> float:
        """Return the height of the wave."""
        angle = math.pi * min(iteration / self.iterations, 1.0)
        return self.lowest + (1 - self.lowest) * (1 + math.cos(angle)) / 2


@attrs.frozen
class WarmUp(Schedule):
    """The rate rises evenly over the first iterations, then follows another schedule.

    Parameters
    ----------
    iterations : int, at least 1
        How long it rises; in the last of them it is the whole rate.
    then : Schedule or str, optional
        What follows, its iterations counted from there; by default the rate stays.

    Examples
    --------
    >>> schedule = WarmUp(2, then=InverseTime(1))
    >>> [schedule.factor(n) for n in range(4)]
    [0.5, 1.0, 1.0, 0.5]

    """

    iterations: int = attrs.field(default=5, validator=count())
    then: Schedule | None = attrs.field(default=None, kw_only=True, converter=schedule_or_none)

    def factor(self, iteration: int) -> float:
        """Return the share reached, or what the other schedule says."""
        if iteration < self.iterations:
            return (iteration + 1) / self.iterations
        return 1.0 if self.then is None else self.then.factor(iteration - self.iterations)

"""The job: what is computed over a training set, as map, combine and reduce."""

from __future__ import annotations

from abc import abstractmethod
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np

from neuralframe.core.components import Component

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping

    from neuralframe.core.arrays import Vector
    from neuralframe.data.blocks import Block

Sums: TypeAlias = "dict[str, Vector]"
"""Named float64 arrays, each a sum over samples: undivided, so that any two can be added."""

KeyedSums: TypeAlias = "dict[int, Sums]"
"""Sums under their keys; the key tells training sessions (or other candidates) apart."""


class Job(Component):
    """A sum over a training set (the summation form of Chu et al., NIPS 2006).

    An engine maps every block, combines the results in an order that depends on the block numbers alone,
    and reduces the total under each key. A job knows nothing of threads, files or clusters; an engine
    knows nothing of what is summed.

    To reach other machines a job must be an ``attrs`` class of numbers, texts, arrays, components, kernels
    and topologies; nothing is pickled. `map` and `combine` run there, `reduce` where the engine was called.
    """

    @property
    def kind(self) -> Hashable:
        """What jobs that cost about the same for a block have in common; an engine paces itself by it."""
        return type(self)

    @property
    def concludes(self) -> bool:
        """Whether `conclude` does anything; a reducer then waits for the totals under all keys."""
        return False

    def wants(self, number: int) -> bool:  # noqa: ARG002
        """Return whether the block of this number is mapped at all; one that is not need not be read."""
        return True

    @abstractmethod
    def map(self, block: Block) -> Mapping[int, Sums]:
        """Return the sums over one block, under their keys.

        May be called from several threads at once, so it may not change the job. The arrays must be
        newly made: the engine adds to them in place.
        """

    def combine(self, left: Sums, right: Sums) -> Sums:
        """Return the sums over two sets of blocks; may change and return `left`.

        The default adds name by name; a name that only one side has is kept.
        """
        return added(left, right)

    def conclude(self, totals: KeyedSums) -> KeyedSums:
        """Return the totals over all blocks, with what is worked out from those under several keys together.

        Called in a reducer that has them all, where an engine has one, and again where the job's result comes
        together: what was concluded before, or lacks a key, is returned as it is.
        """
        return totals

    @abstractmethod
    def reduce(self, key: int, total: Sums) -> Any:
        """Return the result under a key from the sums over all blocks."""


def added(left: Sums, right: Sums) -> Sums:
    """Add sums to others, name by name, in place; a name that only one side has is kept."""
    for name, values in right.items():
        if name in left:
            np.add(left[name], values, out=left[name])
        else:
            left[name] = values
    return left


def results_of(job: Job, totals: KeyedSums) -> dict[int, Any]:
    """Return the result under each key, in key order, from the totals over all blocks."""
    concluded = job.conclude(totals) if job.concludes else totals
    return {key: job.reduce(key, concluded[key]) for key in sorted(concluded)}

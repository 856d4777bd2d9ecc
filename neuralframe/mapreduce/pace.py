"""Whether blocks are worth handing to a pool of threads: learnt from the jobs themselves.

Threads of one process share the interpreter: while numpy computes, the others run; between two calls only one
does. Wide networks gain almost as many times as there are workers, narrow ones lose (measured:
benchmarks/results/in_process.md). So an engine measures, and its choice changes no bit of any result.
"""

from __future__ import annotations

import attrs

WORTH_A_HAND_OFF = 0.5e-3
"""Seconds of work below which blocks stay in the calling thread: a hand-off to the pool costs 0.05 ms."""

LEAST_GAIN = 1.1
"""How many times faster the pool must have been to be used again at once."""

BELIEVED_GAIN = 1.5
"""How many times faster a worker may seem to make the work. Beyond that the block that was timed alone was
slow by chance, as the first is for which something is compiled; the next job times another."""

LONGEST_REST = 32
"""Jobs of that kind that stay in the calling thread, at most, before a pool that did not gain is tried again.
The first rest is one job, for a neighbour may have been busy; after each failure it is twice as long."""


@attrs.define
class Pace:
    """What an engine has learnt of one kind of job.

    Attributes
    ----------
    block_seconds : float or None
        Time to map a block in one thread, as last measured.

    """

    block_seconds: float | None = None
    _rests: int = attrs.field(default=0, init=False)
    _next_rest: int = attrs.field(default=1, init=False)

    def is_worth_sharing(self, n_blocks: int) -> bool:
        """Return whether the pool should map so many blocks."""
        if self.block_seconds is None or self.is_too_small(n_blocks):
            return False
        if self._rests:
            self._rests -= 1
            return False
        return True

    def is_too_small(self, n_blocks: int) -> bool:
        """Return whether so many blocks are known not to be worth a hand-off."""
        if n_blocks < 2:  # noqa: PLR2004
            return True
        return self.block_seconds is not None and self.block_seconds * n_blocks < WORTH_A_HAND_OFF

    def mapped_alone(self, n_blocks: int, seconds: float) -> None:
        """Take note of blocks mapped in one thread."""
        if n_blocks:
            self.block_seconds = seconds / n_blocks

    def mapped_together(self, n_blocks: int, seconds: float, workers: int) -> None:
        """Take note of blocks mapped by the pool."""
        if self.block_seconds is None:
            return
        alone = self.block_seconds * n_blocks
        if alone > BELIEVED_GAIN * workers * seconds:
            self.block_seconds = None
        elif alone < LEAST_GAIN * seconds:
            self._rests, self._next_rest = self._next_rest, min(2 * self._next_rest, LONGEST_REST)
        else:
            self._next_rest = 1

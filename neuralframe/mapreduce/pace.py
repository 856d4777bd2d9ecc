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

RESTS = 32
"""Jobs of that kind that stay in the calling thread after the pool did not gain; then it is tried again."""


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

    def is_worth_sharing(self, n_blocks: int) -> bool:
        """Return whether the pool should map so many blocks."""
        if self.block_seconds is None or self.block_seconds * n_blocks < WORTH_A_HAND_OFF or n_blocks < 2:  # noqa: PLR2004
            return False
        if self._rests:
            self._rests -= 1
            return False
        return True

    def mapped_alone(self, n_blocks: int, seconds: float) -> None:
        """Take note of blocks mapped in one thread."""
        if n_blocks:
            self.block_seconds = seconds / n_blocks

    def mapped_together(self, n_blocks: int, seconds: float) -> None:
        """Take note of blocks mapped by the pool."""
        if self.block_seconds is not None and self.block_seconds * n_blocks < LEAST_GAIN * seconds:
            self._rests = RESTS

"""The engine: where blocks are mapped, combined and reduced."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Hashable

    from neuralframe.data.blocks import Blocks
    from neuralframe.mapreduce.job import Job
    from neuralframe.mapreduce.pace import Pace


class Engine(ABC):
    """Runs jobs over blocks.

    An engine is opened once for a whole training (``with engine: ...``) and may keep workers and data
    between jobs. For the same job and the same blocks every engine returns the same bits on the same kind
    of processor: see `neuralframe.mapreduce.partial_sum`. Its `name` is one that `make_engine` knows.

    `computes_here` says whether blocks are computed in this very process: what is installed here is then
    there for them. Elsewhere tasks may start anew for each job, on machines that have nothing but numpy.
    """

    name: str
    computes_here: bool = False

    @abstractmethod
    def run(self, job: Job, blocks: Blocks) -> dict[int, Any]:
        """Return what `Job.reduce` made of the sums over all blocks, under each key, in key order.

        Raises
        ------
        EngineError
            If the result does not cover every block exactly once.

        What mapping a block raises is raised here, with a note that names the block.

        """

    def here(self, kind: Hashable, blocks: Blocks) -> Pace | None:  # noqa: ARG002
        """Return the pace of jobs of a kind if they would be mapped by the calling thread alone, else None.

        Who then does without the job, and computes the same by itself, tells the pace how long it took. An
        engine to which each job matters leaves this as it is.
        """
        return None

    def parameters(self) -> dict[str, Any] | None:
        """Return what the engine was made from, as keywords of its class that JSON can hold.

        A run directory keeps them, so that a training is resumed on an engine like the one it began on.
        None, the default, if the engine holds what only its owner can give.
        """
        return None

    def open(self) -> None:  # noqa: B027 - an engine without workers has nothing to open
        """Get ready to run several jobs; called by ``with``."""

    def close(self) -> None:  # noqa: B027
        """Give back workers and memory; the engine can be opened again."""

    def __enter__(self) -> Self:
        self.open()
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

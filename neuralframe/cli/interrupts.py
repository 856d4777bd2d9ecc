"""Ctrl-C while a network learns."""

from __future__ import annotations

import os
import signal
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from neuralframe.training.control import TrainingControl

INTERRUPTED = 130
"""The exit status after Ctrl-C."""

REASON = "interrupted by Ctrl-C"


@contextmanager
def stopping_on_interrupt(control: TrainingControl) -> Iterator[None]:
    """Let the first Ctrl-C end the training after the present iteration, and the second abort."""

    def stop(number: int, frame: FrameType | None) -> None:  # noqa: ARG001 - what a handler is called with
        signal.signal(signal.SIGINT, usual)
        control.stop(REASON)
        # Not through Python's streams: the signal may have come while one of them was writing.
        with suppress(BrokenPipeError):
            os.write(2, b"\nstopping after this iteration; Ctrl-C again to abort without saving\n")

    usual = signal.signal(signal.SIGINT, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, usual)

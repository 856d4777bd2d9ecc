"""Engines that several trainings may have open at a time, and that keep arithmetic the same meanwhile."""

from __future__ import annotations

import threading
from abc import abstractmethod

from neuralframe.mapreduce.blas import SingleThreadedBlas
from neuralframe.mapreduce.engine import Engine


class SharedEngine(Engine):
    """Starts when it is opened first, and stops when everyone who opened it has closed it.

    Networks that learn in several threads may share an engine, and a training may use one that its owner
    keeps open. While it is open, BLAS keeps to one thread.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._openings = 0

    def open(self) -> None:
        with self._lock:
            if self._openings == 0:
                # Also where blocks are computed elsewhere: rules multiply matrices of their own here.
                SingleThreadedBlas.acquire()
                try:
                    self._start()
                except BaseException:
                    SingleThreadedBlas.release()
                    raise
            self._openings += 1

    def close(self) -> None:
        with self._lock:
            if self._openings == 0:
                return
            self._openings -= 1
            if self._openings == 0:
                try:
                    self._stop()
                finally:
                    SingleThreadedBlas.release()

    @abstractmethod
    def _start(self) -> None:
        """Get workers, folders and connections; called with the lock held."""

    @abstractmethod
    def _stop(self) -> None:
        """Give back what `_start` got; called with the lock held."""

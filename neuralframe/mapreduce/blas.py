"""BLAS held to one thread while an engine's own threads map blocks.

Threads over blocks beat threads inside each product, and do not collapse beside a busy neighbour; and a
product that is never split gives the same bits with any number of workers.
"""

from __future__ import annotations

import sys
import threading
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from threadpoolctl import ThreadpoolController

THREAD_VARIABLES = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS")
"""What BLAS libraries read when they are loaded; tasks that run elsewhere are started with 1 in them."""


class SingleThreadedBlas:
    """Holds BLAS to one thread from `acquire` to `release`; holders are counted for the whole process.

    The setting is the process's, so the first holder makes it and the last one takes it back.
    """

    _lock: ClassVar[threading.Lock] = threading.Lock()
    _holders: ClassVar[int] = 0
    _limit: ClassVar[AbstractContextManager[Any] | None] = None
    _loaded: ClassVar[tuple[int, ThreadpoolController] | None] = None

    @classmethod
    def acquire(cls) -> None:
        """Hold BLAS to one thread."""
        with cls._lock:
            if cls._holders == 0:
                cls._limit = cls._libraries().limit(limits=1, user_api="blas")
                cls._limit.__enter__()
            cls._holders += 1

    @classmethod
    def release(cls) -> None:
        """Give the threads back once nobody holds them any more."""
        with cls._lock:
            cls._holders -= 1
            if cls._holders == 0 and cls._limit is not None:
                cls._limit.__exit__(None, None, None)
                cls._limit = None

    @classmethod
    def _libraries(cls) -> ThreadpoolController:
        """Return the libraries that are loaded; to look for them takes as long as some small gradients."""
        # Imported here: a task that maps a single block sets its threads before numpy is imported.
        from threadpoolctl import ThreadpoolController  # noqa: PLC0415

        n_modules = len(sys.modules)  # no library comes without a module
        if cls._loaded is None or cls._loaded[0] != n_modules:
            cls._loaded = n_modules, ThreadpoolController()
        return cls._loaded[1]

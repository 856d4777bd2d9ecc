"""How functions are compiled here: which freedoms the compiler has, and where it keeps what it made."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, TypeVar

import numba

from neuralframe.kernels.compiled.disk_cache import cache_folder

if TYPE_CHECKING:
    from collections.abc import Callable

if numba.config.DISABLE_JIT:
    raise ImportError(
        "numba compiles nothing while NUMBA_DISABLE_JIT is set. Unset it, or take kernel='numpy'"
    )

F = TypeVar("F", bound="Callable[..., object]")

# A product and a sum may become one instruction. Division by zero gives what numpy gives: a test for it
# inside a loop would keep the loop from being vectorised.
FREE_OPTIONS = {"fastmath": {"contract"}, "error_model": "numpy", "nogil": True}

# Functions that make no arrays need not count who holds them, which costs as much as a short row.
OPTIONS = FREE_OPTIONS | {"_nrt": False}

# The order of a sum may change, once and for all when it is compiled: only so is a sum vectorised. Never for
# functions that add and subtract a large number to round, which this would undo.
SUM_OPTIONS = OPTIONS | {"fastmath": {"contract", "reassoc"}}


def compiled(function: F) -> F:
    """Compile a function when it is first called from compiled code."""
    made: F = numba.njit(**OPTIONS)(function)
    return made


def inlined(function: F) -> F:
    """Make a function a part of those that call it, and of their compilation: where it only calls others.

    Each function that is compiled by itself is optimised again in all that call it.
    """
    made: F = numba.njit(inline="always", **OPTIONS)(function)
    return made


def compiled_sum(function: F) -> F:
    """Compile a function in which sums may be taken in any one order."""
    made: F = numba.njit(**SUM_OPTIONS)(function)
    return made


def compiled_entry(function: F) -> F:
    """Compile a function that Python calls, and keep the machine code on disk where that is possible."""
    made = numba.njit(**OPTIONS)(function)
    folder = cache_folder()
    if folder is not None:
        keep_in(made, folder)
    entry: F = made
    return entry


def keep_in(dispatcher: numba.core.dispatcher.Dispatcher, folder: str) -> None:
    """Let a compiled function be kept in a folder; if that fails it is compiled anew in each process."""
    before = numba.config.CACHE_DIR
    numba.config.CACHE_DIR = folder
    try:
        with suppress(Exception):  # numba found no way to keep functions of this file
            dispatcher.enable_caching()
            dispatcher._cache = _ForgivingCache(dispatcher._cache)  # noqa: SLF001 - there is no public way
    finally:
        numba.config.CACHE_DIR = before


class _ForgivingCache:
    """A cache of numba's whose failures cost time only: a full disk, a damaged file, another's rights."""

    def __init__(self, cache: Any) -> None:
        self._cache = cache

    def __getattr__(self, name: str) -> Any:
        return getattr(self._cache, name)

    def load_overload(self, signature: Any, context: Any) -> Any:
        """Return what is kept; None where it cannot be read, and then all that is kept is forgotten."""
        try:
            return self._cache.load_overload(signature, context)
        except Exception:  # noqa: BLE001 - damaged bytes raise anything when they are unpickled
            with suppress(Exception):
                self._cache.flush()
            return None

    def save_overload(self, signature: Any, made: Any) -> None:
        """Keep what was compiled, if that is possible."""
        with suppress(Exception):
            self._cache.save_overload(signature, made)

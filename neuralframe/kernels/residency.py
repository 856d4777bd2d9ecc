"""Residency: what a kernel made of a block's arrays, kept for the next evaluation.

Laying a block out anew, or carrying it to a device, can cost more than a gradient over it. The blocks of a
data set are the same arrays in every job of a training, so what was made of them is kept beside them, and
dropped with them.
"""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, TypeVar

import attrs

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable

    from neuralframe.core.arrays import Array

T = TypeVar("T")


LONG_UNUSED = 4
"""How many times all that is kept might have been asked for since something was, when it gives way.

Blocks are asked for in turn, again and again. Were the least recently used always to give way, then of blocks
that just do not fit none would ever be found.
"""


@attrs.define(eq=False)
class _Entry:
    source: weakref.ref[Any]
    made: Any
    n_bytes: int
    last_used: int


class Residency:
    """Keeps what was made of read-only arrays, up to a number of bytes.

    When that is full, what has long not been used gives way; if nothing has, what is new is not kept.

    An array that can be written to is never remembered, for its numbers may change. Threads may share one.

    Parameters
    ----------
    limit : int
        Bytes that may be kept.

    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        self._entries: OrderedDict[Hashable, _Entry] = OrderedDict()
        self._held = 0
        self._clock = 0
        # An array may be collected, and its entry dropped, while this very thread holds the lock.
        self._lock = threading.RLock()

    @property
    def n_bytes(self) -> int:
        """Bytes that are kept now."""
        return self._held

    def of(
        self, array: Array, layout: Hashable, make: Callable[[Array], T], n_bytes: Callable[[T], int]
    ) -> T:
        """Return what `make` makes of an array, now or before.

        Parameters
        ----------
        array : ndarray
            What is laid out.
        layout : hashable
            Tells what is made of one array from other things made of it.
        make : callable
            Called with the array where nothing is remembered.
        n_bytes : callable
            Called with what was made: the memory that it holds.

        """
        key = (id(array), layout)
        entry = self._entries.get(key)
        self._clock += 1
        if entry is not None and entry.source() is array and not array.flags.writeable:
            entry.last_used = self._clock
            with self._lock:
                if key in self._entries:
                    self._entries.move_to_end(key)
            made: T = entry.made
            return made
        made = make(array)
        if not array.flags.writeable:
            self._keep(key, array, made, n_bytes(made))
        return made

    def clear(self) -> None:
        """Forget everything."""
        with self._lock:
            self._entries.clear()
            self._held = 0

    def _keep(self, key: Hashable, array: Array, made: Any, n_bytes: int) -> None:
        with self._lock:
            self._drop(key)
            self._make_room(n_bytes)
            if self._held + n_bytes > self.limit:
                return
            source = weakref.ref(array, lambda gone: self._forget(key, gone))
            self._entries[key] = _Entry(source, made, n_bytes, self._clock)
            self._held += n_bytes

    def _make_room(self, n_bytes: int) -> None:
        """Drop what has long not been used, as far as room is needed."""
        patience = LONG_UNUSED * len(self._entries)
        while self._entries and self._held + n_bytes > self.limit:
            oldest = next(iter(self._entries))
            if self._clock - self._entries[oldest].last_used <= patience:
                return
            self._drop(oldest)

    def _forget(self, key: Hashable, gone: weakref.ref[Any]) -> None:
        with self._lock:
            entry = self._entries.get(key)
            if entry is not None and entry.source is gone:
                self._drop(key)

    def _drop(self, key: Hashable) -> None:
        entry = self._entries.pop(key, None)
        if entry is not None:
            self._held -= entry.n_bytes

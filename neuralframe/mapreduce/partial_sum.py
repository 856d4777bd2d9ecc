"""Sums that come out the same, to the last bit, however the blocks were shared out.

Floating-point addition is not associative, so the order of additions must not depend on who added. Block
numbers give it: every sum covers a dyadic range of blocks, ``[i * 2**level, (i + 1) * 2**level)``, and only
the two halves of such a range are ever added, left to right. Any grouping of the blocks over workers then
builds the same binary tree. A worker that maps n neighbouring blocks holds at most about 2 log2(n) sums.

The ranges that are left at the end are added from the right, as they would be if more blocks followed: so
validation blocks, which come after the training blocks, do not change the sums over these.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias, TypeVar

from neuralframe.exceptions import EngineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from neuralframe.mapreduce.job import KeyedSums, Sums

T = TypeVar("T")

Range: TypeAlias = tuple[int, int]
"""(level, i): the blocks from ``i << level`` up to, not including, ``(i + 1) << level``."""


class PartialSum:
    """The sums over some blocks of a data set.

    Merging partial sums is associative and commutative, in bits.

    Parameters
    ----------
    combine : callable
        `Job.combine`.

    """

    def __init__(self, combine: Callable[[Sums, Sums], Sums]) -> None:
        self._combine = combine
        self._ranges: dict[Range, KeyedSums] = {}

    def add_block(self, number: int, sums: Mapping[int, Sums]) -> None:
        """Add what `Job.map` returned for one block."""
        self._add((0, number), dict(sums))

    def merge(self, other: PartialSum) -> PartialSum:
        """Take over everything that `other` holds, and return self."""
        for covered, sums in other._ranges.items():
            self._add(covered, sums)
        return self

    def add_range(self, covered: Range, sums: KeyedSums) -> None:
        """Add what `ranges` yielded of another partial sum."""
        self._add(covered, sums)

    def ranges(self) -> Iterator[tuple[Range, KeyedSums]]:
        """Yield each range that is held, in the order of the blocks, with its sums."""
        return iter(sorted(self._ranges.items(), key=lambda item: item[0][1] << item[0][0]))

    def sparse_total(self, n_blocks: int) -> KeyedSums:
        """Return what `total` does where ranges may be missing because they have nothing to add.

        So it is at a reducer, which sees one key of many. That no block was lost must be known otherwise.
        This uses up what is held.

        Raises
        ------
        EngineError
            If a block was added more than once.

        """
        tree = {
            (level + up, i >> up) for level, i in self._ranges for up in range(n_blocks.bit_length() - level)
        }
        return self._folded(self._total_of(covered, tree) for covered in ranges_of(n_blocks))

    def total(self, n_blocks: int) -> KeyedSums:
        """Return the sums over blocks 0 to n_blocks - 1; this uses up what is held.

        Raises
        ------
        EngineError
            If a block is missing or was added more than once: a wrong sum is never returned.

        """
        expected = list(ranges_of(n_blocks))
        if self._ranges.keys() != set(expected):
            held = sum(1 << level for level, _ in self._ranges)
            raise EngineError(f"the job's result covers {held} block(s), not the {n_blocks} of the data set")
        return self._folded(self._ranges.pop(covered) for covered in expected)

    def _folded(self, totals: Iterable[KeyedSums]) -> KeyedSums:
        """Add the totals of neighbouring ranges, from the right."""
        folded: KeyedSums = {}
        for total in reversed(list(totals)):
            folded = self._joined(total, folded)
        return folded

    def _total_of(self, covered: Range, tree: set[Range]) -> KeyedSums:
        """Return the total of a range from the ranges within it; `tree` holds these and all above them."""
        if covered not in tree:
            return {}
        level, i = covered
        within = [half for half in ((level - 1, 2 * i), (level - 1, 2 * i + 1)) if half in tree]
        held = self._ranges.pop(covered, None)
        if held is None:
            return self._folded([self._total_of(half, tree) for half in within])
        if within:
            raise EngineError(
                f"a sum over some of blocks {i << level} to {((i + 1) << level) - 1} came twice"
            )
        return held

    def _add(self, covered: Range, sums: KeyedSums) -> None:
        level, i = covered
        while (sibling := self._ranges.pop((level, i ^ 1), None)) is not None:
            sums = self._joined(sums, sibling) if i % 2 == 0 else self._joined(sibling, sums)
            level, i = level + 1, i // 2
        if (level, i) in self._ranges:
            raise EngineError(f"the sum over blocks {i << level} to {((i + 1) << level) - 1} came twice")
        self._ranges[level, i] = sums

    def _joined(self, left: KeyedSums, right: KeyedSums) -> KeyedSums:
        for key, sums in right.items():
            left[key] = self._combine(left[key], sums) if key in left else sums
        return left


def folded(terms: Iterable[T], add: Callable[[T, T], T]) -> T:
    """Return the sum of the terms of all blocks, which come in order: that of `PartialSum`, to the bit.

    Where nothing is shared out, a block's number alone says which ranges it completes. `add` may change
    its first argument.

    Examples
    --------
    >>> folded("abcdefg", lambda left, right: f"({left}{right})")
    '(((ab)(cd))((ef)g))'

    """
    held: list[T] = []
    for number, term in enumerate(terms):
        held.append(term)
        halves = number
        while halves & 1:  # the block is the last of the right half of a range
            _add_last(held, add)
            halves >>= 1
    while len(held) > 1:
        _add_last(held, add)
    return held[0]


def _add_last(held: list[T], add: Callable[[T, T], T]) -> None:
    right = held.pop()
    held[-1] = add(held[-1], right)


def ranges_of(n_blocks: int) -> Iterator[Range]:
    """Yield the dyadic ranges that make up ``[0, n_blocks)``, the longest first.

    Examples
    --------
    >>> list(ranges_of(6))
    [(2, 0), (1, 2)]

    """
    start = 0
    for level in reversed(range(n_blocks.bit_length())):
        if n_blocks >> level & 1:
            yield level, start >> level
            start += 1 << level

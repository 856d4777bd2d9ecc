"""Blocks: the fixed portions of a data set over which every sum is taken."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, pairwise
from typing import TYPE_CHECKING, Any, ClassVar, Protocol, Self, overload

import attrs

from neuralframe.exceptions import ShapeError

if TYPE_CHECKING:
    from neuralframe.core.arrays import Array, Vector


@attrs.frozen(eq=False)
class Block:
    """K consecutive samples, as views of the data set's arrays.

    Attributes
    ----------
    number : int
        The block's place among all blocks, from 0: it fixes the order of summation.
    inputs : (K, n_inputs) float
        One sample a row.
    targets : (K, n_targets) float
        What the network should answer.
    sample_weights : (K,) float64 or None
        How much each sample counts; None counts each once.
    part : {"training", "validation"}
        Whether the samples are learnt from or only watched.

    """

    number: int
    inputs: Array
    targets: Array
    sample_weights: Vector | None = None
    part: str = "training"

    @property
    def n_samples(self) -> int:
        """K; the last block of a part may hold fewer samples than the others."""
        return len(self.inputs)

    def place(self, n_blocks: int) -> str:
        """Return what a message calls the block: one of `n_blocks`."""
        return f"block {self.number} of {n_blocks} ({self.n_samples} samples)"


class BlockSource(Protocol):
    """Where the blocks of one part of the data come from: arrays, or files; an attrs class."""

    __attrs_attrs__: ClassVar[Any]

    @property
    def part(self) -> str:
        """Which part the samples are: ``"training"`` or ``"validation"``."""

    @property
    def n_samples(self) -> int:
        """How many samples there are."""

    @property
    def n_blocks(self) -> int:
        """How many blocks they fill."""

    @property
    def n_inputs(self) -> int:
        """Numbers in a sample's input."""

    @property
    def n_targets(self) -> int:
        """Numbers in a sample's target."""

    def block(self, index: int, number: int) -> Block:
        """Return the block at `index` of these samples under its `number` among all."""


@attrs.frozen(eq=False)
class Samples:
    """Arrays that are cut into blocks of `block_size` samples, starting at the first.

    Whoever asks for a block again gets the same arrays, so that what kernels make of them can be kept beside
    them.
    """

    inputs: Array
    targets: Array
    sample_weights: Vector | None
    block_size: int
    part: str = "training"
    _made: dict[int, Block] = attrs.field(init=False, factory=dict, repr=False)

    def __reduce__(self) -> tuple[Any, ...]:
        """Leave out the blocks that were made: pickled, each view is a copy of its rows."""
        return type(self), (self.inputs, self.targets, self.sample_weights, self.block_size, self.part)

    @property
    def n_samples(self) -> int:
        """How many samples there are."""
        return len(self.inputs)

    @property
    def n_inputs(self) -> int:
        """Numbers in a sample's input."""
        return int(self.inputs.shape[1])

    @property
    def n_targets(self) -> int:
        """Numbers in a sample's target."""
        return int(self.targets.shape[1])

    @property
    def n_blocks(self) -> int:
        """How many blocks they fill, the last perhaps in part."""
        return -(-self.n_samples // self.block_size)

    def block(self, index: int, number: int) -> Block:
        """Return the block at `index` of these samples under its `number` among all."""
        made = self._made.get(index)
        if made is None:
            rows = slice(index * self.block_size, (index + 1) * self.block_size)
            weights = None if self.sample_weights is None else self.sample_weights[rows]
            block = Block(number, self.inputs[rows], self.targets[rows], weights, self.part)
            made = self._made.setdefault(index, block)  # threads may have made it at the same time
        return made if made.number == number else attrs.evolve(made, number=number)


class Blocks(Sequence[Block]):
    """The blocks of a data set, made or read when they are asked for.

    Blocks belong to the data, never to the run: however many workers there are, the sums are taken
    over the same portions, so that the results have the same bits.

    Parameters
    ----------
    *parts : BlockSource
        The samples of each part. Numbers run on from one part to the next.

    Attributes
    ----------
    n_samples : int
        Samples to learn from; those of validation are not among them.
    n_validation : int
        Samples of validation.

    """

    def __init__(self, *parts: BlockSource) -> None:
        self._parts = parts
        self._starts = [0, *accumulate(part.n_blocks for part in parts)]
        self.n_samples = _samples_in(parts, "training")
        self.n_validation = _samples_in(parts, "validation")

    @classmethod
    def joined(cls, training: Blocks, validation: Blocks) -> Self:
        """Return the blocks of `training` followed by those of `validation`, marked as such.

        Raises
        ------
        ShapeError
            If the two have different numbers of inputs or of targets.

        """
        first, second = training._parts[0], validation._parts[0]
        for what, mine, theirs in (
            ("inputs", first.n_inputs, second.n_inputs),
            ("targets", first.n_targets, second.n_targets),
        ):
            if mine != theirs:
                raise ShapeError(
                    f"the validation data has {theirs} {what} a sample, the training data {mine}; "
                    "prepare both in the same way"
                )
        # Every source is an attrs class, which a protocol cannot say.
        watched = (attrs.evolve(part, part="validation") for part in validation._parts)  # type: ignore[misc]
        return cls(*training._parts, *watched)

    @property
    def parts(self) -> tuple[BlockSource, ...]:
        """Where the blocks come from, in order."""
        return self._parts

    @property
    def starts(self) -> tuple[int, ...]:
        """The number of the first block of each part."""
        return tuple(self._starts[:-1])

    def __len__(self) -> int:
        return self._starts[-1]

    @overload
    def __getitem__(self, index: int) -> Block: ...
    @overload
    def __getitem__(self, index: slice) -> list[Block]: ...
    def __getitem__(self, index: int | slice) -> Block | list[Block]:
        if isinstance(index, slice):
            return [self[number] for number in range(len(self))[index]]
        number = range(len(self))[index]
        part = bisect_right(self._starts, number) - 1
        return self._parts[part].block(number - self._starts[part], number)

    def __iter__(self) -> Iterator[Block]:
        for part, (start, stop) in zip(self._parts, pairwise(self._starts), strict=True):
            for number in range(start, stop):
                yield part.block(number - start, number)

    def __repr__(self) -> str:
        watched = f" and {self.n_validation} of validation" if self.n_validation else ""
        return f"<{len(self)} block(s) of {self.n_samples} sample(s) of training{watched}>"


def _samples_in(parts: Iterable[BlockSource], wanted: str) -> int:
    return sum(part.n_samples for part in parts if part.part == wanted)

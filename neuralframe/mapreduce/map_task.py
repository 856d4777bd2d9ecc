"""The work of a task, the same on every engine: blocks come in, sums go out."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from neuralframe.data.block_record import read_block
from neuralframe.exceptions import PackedDataError
from neuralframe.mapreduce.partial_sum import PartialSum

if TYPE_CHECKING:
    from neuralframe.data.blocks import Block
    from neuralframe.mapreduce.shipped_job import InputFile, ShippedJob


class MapTask:
    """Maps blocks and adds the results up.

    Attributes
    ----------
    sums : PartialSum
        The sums over the blocks so far.
    n_blocks, n_samples : int
        Blocks and samples mapped so far.

    """

    def __init__(self, shipped: ShippedJob) -> None:
        self._shipped = shipped
        self.sums = PartialSum(shipped.job.combine)
        self.n_blocks = self.n_samples = 0

    def map_record(self, record: bytes, where: str) -> Block:
        """Map the block in a record, and return it; `where` names file and record.

        Raises
        ------
        PackedDataError
            If the record is damaged or belongs to other data.

        """
        read = read_block(record, where)
        placement = self._shipped.placements.get(read.token.hex())
        if placement is None:
            raise PackedDataError(
                f"{where}: a block of other data ({read.token.hex()}) than this training's "
                f"({', '.join(self._shipped.placements)}). Are files of two data sets mixed?"
            )
        number = placement.start + read.block.number
        block = attrs.evolve(read.block, number=number, part=placement.part)
        self.map_block(block, where)
        return block

    def map_text(self, copy: str, file: InputFile) -> None:
        """Map the blocks of a text file, of which the task has a copy.

        Raises
        ------
        RecordError
            At a bad record; it names file, line, column and value.

        """
        from neuralframe.data.text_samples import blocks_of_file  # noqa: PLC0415 - few tasks read text

        assert file.text is not None
        assert file.placement is not None
        start, part = file.placement.start, file.placement.part
        for block in blocks_of_file(copy, file.text):
            self.map_block(attrs.evolve(block, number=start + block.number, part=part), file.name)

    def map_block(self, block: Block, where: str) -> None:
        """Map a block that has its number among all and its part."""
        try:
            job = self._shipped.job
            sums = job.map(block) if job.wants(block.number) else {}
        except Exception as problem:
            problem.add_note(f"while mapping {block.place(self._shipped.n_blocks)} of {where}")
            raise
        self.sums.add_block(block.number, sums)
        self.n_blocks += 1
        self.n_samples += block.n_samples

"""Packing text files that are larger than memory."""

from __future__ import annotations

from contextlib import ExitStack
from copy import deepcopy
from os import PathLike
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.arrays import float_type
from neuralframe.data import storage
from neuralframe.data.checks import cast
from neuralframe.data.csv_reader import learnt
from neuralframe.data.data_set import default_block_size
from neuralframe.data.packing import packing
from neuralframe.data.progress import progress_of
from neuralframe.data.scaling import Scaling
from neuralframe.data.splits import checked_share
from neuralframe.data.spool import Spool
from neuralframe.exceptions import ParameterError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    from neuralframe.data.data_set import Seed
    from neuralframe.data.encoded_records import EncodedRecords
    from neuralframe.data.packed_header import PackedHeader
    from neuralframe.data.packing import Packer
    from neuralframe.data.records import RecordFiles
    from neuralframe.data.roles import Reference
    from neuralframe.data.scaling import Normalizing, Portion

    Address = str | PathLike[str]

DRAWN_AT_A_TIME = 2**16


def pack_csv(
    paths: Address | Sequence[Address],
    out: Address,
    target: Reference | Sequence[Reference] | None = None,
    *,
    normalize: Normalizing = None,
    normalize_targets: Normalizing = None,
    dtype: npt.DTypeLike = "float64",
    block_size: int | None = None,
    parts: int | None = None,
    validation: float | None = None,
    validation_out: Address | None = None,
    seed: Seed = None,
    replace: bool = False,
    progress: bool | None = None,
    **reading: Any,
) -> None:
    r"""Write text files as packed blocks, however large they are; the memory needed is that of a few blocks.

    The files are read twice: once to learn what their columns are, once to encode them. The result has the
    bits of ``DataSet.from_csv(...).normalized(...).pack(...)``, which does the same in memory.

    Parameters
    ----------
    paths : str or path, or a sequence of them
        Files with the same columns, read as one. Those after the first may have its header, too.
    out : str or path
        As for `DataSet.pack`: a folder to make, or its address on HDFS or S3.
    target, **reading
        As for `DataSet.from_csv`. To fill gaps with a ``"median"`` or the ``"most_frequent"`` number, all
        numbers are kept in memory in the first pass, eight bytes each; not so for a ``"mean"``.
    normalize, normalize_targets : Normalizer or its name, optional
        As for `DataSet.normalized`: one that is fitted is applied as it is, any other is fitted to the
        samples that go to `out`. One that needs all samples at once, such as the robust scaler, must be
        fitted before. Until it is known how to normalize, samples wait in a temporary file beside `out` (in
        ``TMPDIR`` if that is remote), eight bytes a number.
    dtype : {"float64", "float32"}
    block_size : int, optional
        As for `DataSet`.
    parts, replace, progress
        As for `DataSet.pack`.
    validation : float, optional
        A share of the records, above 0 and below 1, that goes to `validation_out`. Each record is drawn by
        itself, so that the share is met about, and classes are not balanced.
    validation_out : str or path, optional
        Where those go: packed data in the same encoding, normalized in the same way.
    seed : int or numpy.random.Generator, optional
        The same seed draws the same records.

    Raises
    ------
    ParameterError
        If only one of `validation` and `validation_out` is given.
    RecordError, LabelError, ChoiceError
        As for `DataSet.from_csv`.
    DataError
        If nothing is left of the files, a part is empty, the targets to normalize are classes, or there is
        something at `out`. Nothing is left then, and nothing lost.
    OSError
        If the data cannot be written.

    Examples
    --------
    >>> import tempfile
    >>> from pathlib import Path
    >>> import neuralframe as nf
    >>> folder = Path(tempfile.mkdtemp())
    >>> _ = (folder / "sizes.csv").write_text("length,width,kind\n1,2,a\n3,5,b\n5,8,a\n")
    >>> nf.pack_csv(folder / "sizes.csv", folder / "sizes.nfd", "kind", normalize="standardizer")
    >>> nf.DataSet.open(folder / "sizes.nfd")
    DataSet(3 samples, 2 inputs, 2 classes, float64, 1 block)

    """
    files = [paths] if isinstance(paths, str | PathLike) else list(paths)
    with progress_of("surveying", storage.size_of(files), progress) as watch:
        samples = learnt(files, target, watch=watch, **reading)
    pack_records(
        samples, out, normalize=normalize, normalize_targets=normalize_targets, dtype=dtype,
        block_size=block_size, parts=parts, validation=validation, validation_out=validation_out, seed=seed,
        replace=replace, progress=progress,
    )  # fmt: skip


def pack_records(
    samples: EncodedRecords[RecordFiles],
    out: Address,
    *,
    normalize: Normalizing = None,
    normalize_targets: Normalizing = None,
    dtype: npt.DTypeLike = "float64",
    block_size: int | None = None,
    parts: int | None = None,
    validation: float | None = None,
    validation_out: Address | None = None,
    seed: Seed = None,
    replace: bool = False,
    progress: bool | None = None,
) -> tuple[PackedHeader, ...]:
    """Write records of files as packed blocks, and return what is written beside them; see `pack_csv`."""
    if (validation is None) != (validation_out is None):
        raise ParameterError("pack_csv: give a share for validation together with validation_out, or neither")
    draw = Draw(0.0 if validation is None else checked_share(validation), np.random.default_rng(seed))
    scaling = Scaling.of(samples.encoding, normalize, normalize_targets)
    size = default_block_size(samples.encoding.n_inputs) if block_size is None else block_size
    outs = [out] if validation_out is None else [out, validation_out]
    numbers = [None] * len(outs) if parts is None else draw.sizes(samples.count())
    with ExitStack() as stack:
        packers = [
            stack.enter_context(
                packing(
                    path,
                    block_size=size,
                    n_blocks=number and -(-number // size),
                    parts=parts,
                    replace=replace,
                )
            )
            for path, number in zip(outs, numbers, strict=False)
        ]
        files = samples.source
        watch = stack.enter_context(progress_of("packing", files.n_bytes, progress))
        watched = attrs.evolve(samples, source=attrs.evolve(files, watch=watch))
        if scaling.needed:
            _pack_spooled(watched, scaling, draw, packers, float_type(dtype))
        else:
            _pack_at_once(watched, draw, packers, float_type(dtype))
    return tuple(packer.header for packer in packers if packer.header is not None)


@attrs.frozen(eq=False)
class Draw:
    """Draws for each record whether it is for validation."""

    share: float
    random: np.random.Generator

    def sizes(self, n_records: int) -> tuple[int, int]:
        """Return how many of so many records will be learnt from, and how many are for validation."""
        random = deepcopy(self.random)
        drawn = 0
        for start in range(0, n_records, DRAWN_AT_A_TIME):
            drawn += int((random.random(min(DRAWN_AT_A_TIME, n_records - start)) < self.share).sum())
        return n_records - drawn, drawn

    def divided(self, samples: Iterable[Portion]) -> Iterator[tuple[int, Portion]]:
        """Yield samples with a 0 before those to learn from, and a 1 before those for validation."""
        if not self.share:
            yield from ((0, portion) for portion in samples)
            return
        for inputs, targets, weights in samples:
            drawn = self.random.random(len(inputs)) < self.share
            for part, rows in enumerate((~drawn, drawn)):
                if rows.any():
                    yield part, (inputs[rows], targets[rows], None if weights is None else weights[rows])


def _pack_spooled(
    samples: EncodedRecords[RecordFiles],
    scaling: Scaling,
    draw: Draw,
    packers: list[Packer],
    dtype: np.dtype[np.floating],
) -> None:
    """Let all samples wait until normalizers are fitted to those to learn from; pack them then."""
    with ExitStack() as stack:
        spools = [stack.enter_context(Spool(packer.folder)) for packer in packers]
        for part, portion in draw.divided(samples):
            spools[part].add(*portion)
        encoding = scaling.fitted(lambda: spools[0])
        for spool, packer in zip(spools, packers, strict=True):
            packer.encoding = encoding
            for portion in spool:
                _add(scaling.applied(portion, encoding), packer, dtype)


def _pack_at_once(
    samples: EncodedRecords[RecordFiles], draw: Draw, packers: list[Packer], dtype: np.dtype[np.floating]
) -> None:
    for packer in packers:
        packer.encoding = samples.encoding
    for part, portion in draw.divided(samples):
        _add(portion, packers[part], dtype)


def _add(portion: Portion, packer: Packer, dtype: np.dtype[np.floating]) -> None:
    inputs, targets, weights = portion
    packer.add(cast(inputs, dtype, "inputs"), cast(targets, dtype, "targets"), weights)

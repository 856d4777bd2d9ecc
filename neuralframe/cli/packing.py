"""What ``pack`` does with its data, and tells of it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np
import typer

from neuralframe.cli.display import show_pairs
from neuralframe.cli.sources import is_public, read, require_source
from neuralframe.data import storage
from neuralframe.data.csv_packing import pack_records
from neuralframe.data.csv_reader import learnt
from neuralframe.data.packed_data_set import pack
from neuralframe.data.progress import progress_of
from neuralframe.data.wording import plural

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.cli.display import Pairs
    from neuralframe.cli.reading import Reading
    from neuralframe.data.data_set import DataSet
    from neuralframe.data.normalizers import Normalizer
    from neuralframe.data.packed_header import PackedHeader

MB = 1e6


@attrs.frozen(eq=False)
class Packed:
    """Packed data that were made, and how long it took to make all of them."""

    address: str
    header: PackedHeader
    seconds: float


@attrs.frozen(eq=False, kw_only=True)
class Packing:
    """How samples are packed."""

    normalizer: Normalizer | None
    dtype: str
    block_size: int | None
    parts: int | None
    validation: float | None
    validation_out: str | None
    seed: int
    replace: bool
    progress: bool | None

    def pack(self, sources: Sequence[str], reading: Reading, out: str) -> list[Packed]:
        """Pack files, or a public data set."""
        for source in sources:
            require_source(source)
        started = time.perf_counter()
        headers: Sequence[PackedHeader]
        if any(map(is_public, sources)):
            if len(sources) > 1:
                raise typer.BadParameter("a public data set is packed by itself", param_hint="DATA")
            headers = self._pack_public(read(sources[0], reading), out)
        else:
            headers = self._pack_files(sources, reading, out)
        seconds = time.perf_counter() - started
        outs = [out] if self.validation_out is None else [out, self.validation_out]
        return [Packed(path, header, seconds) for path, header in zip(outs, headers, strict=True)]

    def _pack_files(self, files: Sequence[str], reading: Reading, out: str) -> Sequence[PackedHeader]:
        with progress_of("surveying", storage.size_of(files), self.progress) as watch:
            samples = learnt(files, **reading.options(files[0]), watch=watch)
        classes = samples.encoding.class_labels is not None
        return pack_records(
            samples,
            out,
            normalize=self.normalizer,
            normalize_targets=None if classes else self.normalizer,
            block_size=self.block_size,
            validation=self.validation,
            validation_out=self.validation_out,
            seed=self.seed,
            **self._output,
        )

    def _pack_public(self, samples: DataSet, out: str) -> list[PackedHeader]:
        if self.block_size is not None:
            samples = samples.with_block_size(self.block_size)
        drawn = np.zeros(len(samples), dtype=bool)
        if self.validation is not None:
            drawn = np.random.default_rng(self.seed).random(len(samples)) < self.validation
        training = self._normalized(samples.rows(~drawn))
        headers = [pack(training, out, **self._output)]
        if self.validation_out is not None:
            watched = samples.rows(drawn)
            if self.normalizer is not None:
                watched = watched.normalized(like=training)
            headers.append(pack(watched, self.validation_out, **self._output))
        return headers

    def _normalized(self, samples: DataSet) -> DataSet:
        if self.normalizer is None:
            return samples
        return samples.normalized(
            self.normalizer, None if samples.class_labels is not None else self.normalizer
        )

    @property
    def _output(self) -> dict[str, Any]:
        return {"dtype": self.dtype, "parts": self.parts, "replace": self.replace, "progress": self.progress}


def packed_pairs(header: PackedHeader) -> Pairs:
    """Return what there is of packed data."""
    weighted = ", weighted" if header.weighted else ""
    return [
        ("samples", f"{header.n_samples:,}{weighted}"),
        ("inputs, targets", f"{header.n_inputs}, {header.n_targets} ({header.dtype})"),
        ("blocks", f"{header.n_blocks:,} of up to {plural(header.block_size, 'sample')}"),
        ("part files", f"{len(header.parts):,}"),
        ("bytes", f"{header.n_bytes:,}"),
    ]


def show_packed(made: Sequence[Packed]) -> None:
    """Write what was made, and how fast."""
    n_bytes = sum(packed.header.n_bytes for packed in made)
    for packed in made:
        show_pairs(packed.address, packed_pairs(packed.header))
    seconds = made[0].seconds
    show_pairs("Work", [("seconds", f"{seconds:.2f}"), ("MB/s", f"{n_bytes / MB / seconds:.1f}")])

"""Text data sets: text files that are encoded block by block at each pass."""

from __future__ import annotations

import hashlib
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.arrays import float_type
from neuralframe.core.validation import whole
from neuralframe.data import storage
from neuralframe.data.blocks import Blocks
from neuralframe.data.csv_reader import learnt
from neuralframe.data.data_set import default_block_size
from neuralframe.data.progress import progress_of
from neuralframe.data.rows import LineOffsets
from neuralframe.data.sample_facts import SampleFacts, SampleSurvey
from neuralframe.data.scaling import Scaling
from neuralframe.data.stored_data_set import StoredDataSet
from neuralframe.data.text_format import TextFormat
from neuralframe.data.text_samples import TextFile, TextSamples

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from neuralframe.data.records import RecordFile
    from neuralframe.data.roles import Reference
    from neuralframe.data.scaling import Normalizing

    Address = str | PathLike[str]


def open_csv(
    paths: Address | Sequence[Address],
    target: Reference | Sequence[Reference] | None = None,
    *,
    normalize: Normalizing = None,
    normalize_targets: Normalizing = None,
    dtype: npt.DTypeLike = "float64",
    block_size: int | None = None,
    progress: bool | None = None,
    **reading: Any,
) -> TextDataSet:
    """Open text files, to be encoded at each pass; see `DataSet.open_csv`."""
    addresses = [
        storage.absolute(str(path)) for path in ([paths] if isinstance(paths, str | PathLike) else paths)
    ]
    copies = {folder: storage.LocalCopies(folder) for folder in map(_folder_of, addresses)}
    local = [copies[_folder_of(address)].path(_name_of(address)) for address in addresses]
    total = storage.size_of(local)
    with progress_of("surveying", total, progress) as watch:
        samples = learnt(local, target, watch=watch, **reading)
    scaling = Scaling.of(samples.encoding, normalize, normalize_targets)
    encoding = scaling.fitted(lambda: samples)
    text = TextFormat(
        encoding=encoding,
        names=samples.source.files[0].names,
        delimiter=samples.source.files[0].delimiter,
        weights=samples.weights,
        complete_in=samples.complete_in,
        block_size=default_block_size(encoding.n_inputs)
        if block_size is None
        else whole(block_size, "block_size"),
        dtype=float_type(dtype).name,
    )
    with progress_of("looking for blocks", total, progress) as watch:
        index = Index(text, watch)
        for address, file in zip(addresses, samples.source.files, strict=True):
            index.add(address, attrs.evolve(file, called=address))
    return TextDataSet(TextSamples(text, tuple(index.files), tuple(copies.values())), index)


class TextDataSet(StoredDataSet):
    """A data set whose samples are encoded from text whenever they are needed; made by `DataSet.open_csv`."""

    _samples: TextSamples
    _digest: str

    def __init__(self, samples: TextSamples, index: Index) -> None:
        object.__setattr__(self, "_samples", samples)
        object.__setattr__(self, "_digest", index.digest)
        self._set_up(index.facts, samples.format.block_size, samples.format.encoding)

    @property
    def source(self) -> str:
        return ", ".join(file.address for file in self._samples.files)

    def fingerprint(self) -> str:
        return f"text {self._digest}"

    @property
    def blocks(self) -> Blocks:
        return Blocks(self._samples)


class Index:
    """Finds out, file by file, where blocks begin and what is in them."""

    def __init__(self, text: TextFormat, watch: Callable[[int], None]) -> None:
        self.files: list[TextFile] = []
        self._format = text
        self._watch = watch
        self._survey = SampleSurvey()
        self._digest = hashlib.sha256(str(text.block_size).encode())

    def add(self, address: str, file: RecordFile) -> None:
        """Go through a file; one without samples is left out."""
        before, lines, places = self._survey.n_samples, LineOffsets(), []
        for samples, place in self._format.blocks(file, lines=lines):
            places.append(place)
            self._survey.see(*samples)
            for array in samples:
                self._digest.update(b"none" if array is None else np.ascontiguousarray(array).data)
        n_bytes = Path(file.file).stat().st_size
        self._watch(n_bytes)
        if places:
            n_samples = self._survey.n_samples - before
            first = sum(other.n_blocks for other in self.files)
            self.files.append(TextFile(address, file, first, n_samples, n_bytes, tuple(filter(None, places))))

    @property
    def facts(self) -> SampleFacts:
        """What is known of the samples."""
        return SampleFacts(**self._survey.facts)

    @property
    def digest(self) -> str:
        """A text that differs for other samples or blocks."""
        return self._digest.hexdigest()


def _folder_of(address: str) -> str:
    return address.rpartition("/")[0] if storage.is_remote(address) else str(Path(address).parent)


def _name_of(address: str) -> str:
    return address.rpartition("/")[2] if storage.is_remote(address) else Path(address).name

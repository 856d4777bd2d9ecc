"""Archives: arrays come back as they were; what is no archive of the kind is told so."""

from __future__ import annotations

import attrs
import numpy as np
import pytest

import neuralframe as nf
from neuralframe.archive_file import ArchiveFormat

NOTES = ArchiveFormat(
    "neuralframe notes",
    version=3,
    noun="notebook",
    header_name="notes.json",
    error=nf.DataError,
    advice="Write it again",
)

ARRAYS = {
    "rows": np.arange(6.0).reshape(2, 3),
    "columns": np.asfortranarray(np.arange(6, dtype=np.int8).reshape(2, 3)),
    "number": np.array(np.nan),
    "nothing": np.zeros((0, 4), dtype=np.float32),
    "texts": np.array(["one", "three"]),
    "strided": np.arange(10)[::2],
}


@pytest.fixture
def path(tmp_path):
    return tmp_path / "notes.nfx"


def test_header_and_arrays_come_back(path):
    NOTES.write(path, {"title": "ä"}, ARRAYS)
    header, arrays = NOTES.read(path)
    assert header == {"format": "neuralframe notes", "version": 3, "title": "ä"}
    assert NOTES.read_header(path) == header
    assert arrays.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert (arrays[name].dtype, arrays[name].shape) == (array.dtype, array.shape)
        assert arrays[name].tobytes() == array.tobytes()
        assert arrays[name].flags.writeable
    assert arrays["columns"].flags.f_contiguous


@pytest.mark.parametrize(
    ("other", "says"),
    [
        (attrs.evolve(NOTES, name="something else"), "not a notebook of neuralframe"),
        (attrs.evolve(NOTES, version=4), "written in version 3 .* reads version 4"),
        (attrs.evolve(NOTES, header_name="head.json"), "its header cannot be read. Write it again"),
    ],
)
def test_another_kind_of_archive_is_told_apart(path, other, says):
    NOTES.write(path, {}, ARRAYS)
    with pytest.raises(nf.DataError, match=says):
        other.read(path)


@pytest.mark.parametrize(("header", "arrays"), [({"e": np.nan}, {}), ({}, {"a": np.array([object()])})])
def test_what_cannot_be_written_leaves_the_old_file(path, header, arrays):
    path.write_text("old")
    with pytest.raises(ValueError, match=r"JSON|Object arrays"):
        NOTES.write(path, header, arrays)
    assert path.read_text() == "old"
    assert list(path.parent.iterdir()) == [path]

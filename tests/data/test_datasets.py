"""Public data sets: where their files are found, and what is in them."""

from __future__ import annotations

import functools
import hashlib
import http.server
import io
import os
import subprocess
import sys
import threading
import zipfile
from pathlib import Path

import numpy as np
import pytest

from neuralframe.data import archive, datasets
from neuralframe.data.archive import PublicFile
from neuralframe.data.csv_reader import read_inputs
from neuralframe.exceptions import ChoiceError, DataError, DownloadError, MissingPackageError, RecordError

needs_files = pytest.mark.skipif(
    not Path(os.environ.get("NEURALFRAME_DATA") or "nowhere", "abalone.data").is_file(),
    reason="NEURALFRAME_DATA names no folder with the UCI files",
)
CONTENT = b"1,2,a\n3,4,b\n"
FILE = PublicFile("tiny.data", hashlib.sha256(CONTENT).hexdigest(), "7/tiny.zip")


def zipped(content, name="tiny.data"):
    """Return a zip file with one member."""
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as parcel:
        parcel.writestr(name, content)
    return stream.getvalue()


@pytest.fixture
def cache(tmp_path, monkeypatch):
    """Give the test a cache of its own, no local folder, and an archive that cannot be reached."""
    monkeypatch.delenv("NEURALFRAME_DATA", raising=False)
    monkeypatch.setattr(archive, "cache_folder", lambda: tmp_path / "cache")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    monkeypatch.setattr(archive, "UCI", "http://127.0.0.1:9")
    return tmp_path / "cache"


@pytest.fixture
def served(cache, tmp_path, monkeypatch):
    """Serve a folder in the archive's place; yield it with the list of requests made."""
    assert not cache.exists()
    requests = []

    class Handler(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *_):
            requests.append(self.path)

    folder = tmp_path / "archive"
    (folder / "7").mkdir(parents=True)
    handler = functools.partial(Handler, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=[0.01])
        thread.start()
        monkeypatch.setattr(archive, "UCI", f"http://127.0.0.1:{server.server_port}")
        yield folder / "7" / "tiny.zip", requests
        server.shutdown()
        thread.join()


def test_the_local_folder_comes_first(cache, tmp_path, monkeypatch):
    """Without a look at the cache or the network."""
    (tmp_path / "tiny.data").write_bytes(CONTENT)
    monkeypatch.setenv("NEURALFRAME_DATA", str(tmp_path))
    assert FILE.locate() == tmp_path / "tiny.data"
    assert not cache.exists()


@pytest.mark.usefixtures("cache")
def test_an_empty_variable_names_no_folder(tmp_path, monkeypatch):
    """It is not the present folder, whatever lies there."""
    pytest.importorskip("pooch")
    (tmp_path / "tiny.data").write_bytes(CONTENT)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NEURALFRAME_DATA", "")
    with pytest.raises(DownloadError, match="NEURALFRAME_DATA: not set"):
        FILE.locate()


def test_another_file_in_the_local_folder_is_refused(cache, tmp_path, monkeypatch):
    """A data set is the same everywhere."""
    (tmp_path / "tiny.data").write_bytes(CONTENT + b"\n")
    monkeypatch.setenv("NEURALFRAME_DATA", str(tmp_path))
    with pytest.raises(DataError, match="not the file that the UCI archive has"):
        FILE.locate()
    assert not cache.exists()


@pytest.mark.usefixtures("cache")
class TestDownload:
    """The third place."""

    def test_a_file_is_downloaded_once(self, served, cache, monkeypatch, tmp_path):
        """The second time, and where the local folder does not have it, it is in the cache."""
        pytest.importorskip("pooch")
        parcel, requests = served
        parcel.write_bytes(zipped(CONTENT))
        assert FILE.locate().read_bytes() == CONTENT
        monkeypatch.setenv("NEURALFRAME_DATA", str(tmp_path))
        assert FILE.locate() == cache / "tiny.data"
        assert requests == ["/7/tiny.zip"]
        assert [path.name for path in cache.iterdir()] == ["tiny.data"]

    def test_a_damaged_cache_is_mended(self, served, cache):
        """The checksum is compared each time."""
        pytest.importorskip("pooch")
        served[0].write_bytes(zipped(CONTENT))
        cache.mkdir()
        (cache / "tiny.data").write_bytes(CONTENT[:5])
        assert FILE.locate().read_bytes() == CONTENT

    @pytest.mark.parametrize(
        ("parcel", "message"),
        [
            (None, "404"),
            (zipped(b"other"), "another tiny.data than expected"),
            (zipped(CONTENT, "other.data"), "tiny.data"),
            (b"<html>busy</html>", "not a zip file"),
            (zipped(CONTENT)[:-10], "not a zip file"),
        ],
        ids=["not found", "wrong checksum", "no such member", "not a zip", "cut off"],
    )
    def test_what_cannot_be_used_leaves_nothing_behind(self, served, cache, parcel, message):
        """The error says what to do, and the cache stays empty."""
        pytest.importorskip("pooch")
        if parcel is not None:
            served[0].write_bytes(parcel)
        with pytest.raises(DownloadError, match=message):
            FILE.locate()
        assert not list(cache.iterdir())

    def test_without_a_network_all_three_places_are_named(self, cache, monkeypatch):
        """With what to do about it."""
        pytest.importorskip("pooch")
        with pytest.raises(DownloadError) as caught:
            FILE.locate()
        for hint in (
            "NEURALFRAME_DATA: not set",
            str(cache),
            "no connection to 127.0.0.1:9: Connection refused",
        ):
            assert hint in str(caught.value)
        assert "pip install" not in str(caught.value)
        assert len(str(caught.value)) < 400 + len(str(cache))
        monkeypatch.setenv("NEURALFRAME_DATA", "elsewhere")
        with pytest.raises(DownloadError, match="'elsewhere', where it is not"):
            FILE.locate()

    def test_without_pooch(self, monkeypatch):
        """The error says so; no other error gets out."""
        monkeypatch.setitem(sys.modules, "pooch", None)
        with pytest.raises(DownloadError, match="needs the package 'pooch'") as caught:
            FILE.locate()
        assert "pip install 'neuralframe[data]' (in a clone: pip install '.[data]')" in str(caught.value)

    def test_where_the_cache_cannot_be_made(self, cache):
        """A file stands in the way."""
        cache.write_text("in the way")
        with pytest.raises(DownloadError, match=r"in the way|File exists|Not a directory"):
            FILE.locate()


@pytest.mark.parametrize(
    ("platform", "variable", "value", "expected"),
    [
        ("linux", "XDG_CACHE_HOME", "caches", Path("caches/neuralframe")),
        ("win32", "LOCALAPPDATA", "local", Path("local/neuralframe")),
        ("linux", "XDG_CACHE_HOME", "", Path.home() / ".cache/neuralframe"),
        ("darwin", "HOME", str(Path.home()), Path.home() / "Library/Caches/neuralframe"),
    ],
)
def test_the_cache_is_where_the_platform_has_it(monkeypatch, platform, variable, value, expected):
    """As the platforms' own rules say."""
    monkeypatch.setattr(sys, "platform", platform)
    monkeypatch.setenv(variable, value)
    assert archive.cache_folder() == expected


def test_importing_the_data_package_is_light():
    """Optional packages are imported by those who need them, when they need them."""
    code = (
        "import sys, neuralframe.data.datasets; "
        "print([m for m in ('pooch', 'requests', 'sklearn', 'scipy', 'numba', 'pandas') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_by_name():
    """Every public data set has a name; an unknown one is told the others."""
    assert datasets.names() == ("abalone", "digits", "iris", "wisconsin-diagnostic", "wisconsin-prognostic")
    with pytest.raises(ChoiceError, match="Did you mean 'abalone'"):
        datasets.by_name("abalones")
    with pytest.raises(ChoiceError, match="24 months"):
        datasets.wisconsin_prognostic("5 years")


def test_digits():
    """1797 images of 8 x 8 pixels from 0 to 16."""
    pytest.importorskip("sklearn")
    data = datasets.digits()
    assert (data.n_samples, data.n_inputs, data.class_labels) == (1797, 64, tuple("0123456789"))
    assert (data.inputs.min(), data.inputs.max()) == (0, 16)
    assert data.class_counts["1"] == 182


def test_digits_without_scikit_learn(monkeypatch):
    """The error says how to install it."""
    monkeypatch.setitem(sys.modules, "sklearn.datasets", None)
    with pytest.raises(MissingPackageError, match=r"neuralframe\[digits\]"):
        datasets.digits()


@needs_files
def test_abalone():
    """The numbers of the archive's documentation."""
    data = datasets.abalone()
    assert (data.n_samples, data.n_inputs) == (4177, 10)
    assert data.class_counts == {"1-8": 1407, "9-10": 1323, "11+": 1447}
    assert data.inputs[:, :3].sum(axis=0).tolist() == [1307, 1342, 1528]
    assert data.inputs[0].tolist() == [0, 0, 1, 0.455, 0.365, 0.095, 0.514, 0.2245, 0.101, 0.15]
    assert (data.inputs[:, 5] == 0).sum() == 2
    train, test = data.split(first=3133)
    assert (train.n_samples, test.n_samples) == (3133, 1044)


@needs_files
def test_abalone_rings():
    """Mean 9.934, deviation 3.224, from 1 to 29."""
    rings = datasets.abalone("rings").targets[:, 0]
    assert (rings.min(), rings.max(), len(np.unique(rings))) == (1, 29, 28)
    assert (round(rings.mean(), 3), round(rings.std(ddof=1), 3)) == (9.934, 3.224)


@needs_files
@pytest.mark.parametrize(
    ("endpoint", "counts", "complete"),
    [
        ("recurrence", {"N": 151, "R": 47}, {"N": 148, "R": 46}),
        ("24 months", {"N": 129, "R": 29}, {"N": 127, "R": 28}),
    ],
)
def test_wisconsin_prognostic(endpoint, counts, complete):
    """Cases by endpoint, with the four incomplete ones filled in or left out."""
    data = datasets.wisconsin_prognostic(endpoint)
    assert (data.class_counts, data.n_inputs) == (counts, 32)
    assert datasets.wisconsin_prognostic(endpoint, missing="drop").class_counts == complete
    with pytest.raises(RecordError, match=r"'lymph nodes', value '[?]'"):
        datasets.wisconsin_prognostic(endpoint, missing="refuse")


@needs_files
def test_wisconsin_prognostic_fills_in_the_median():
    """Rows 7, 29, 86 and 197 lack the lymph nodes; half the others have at most 1."""
    nodes = datasets.wisconsin_prognostic().inputs[:, -1]
    known = np.delete(nodes, [6, 28, 85, 196])
    assert set(nodes[[6, 28, 85, 196]]) == {np.median(known)}


@needs_files
def test_wisconsin_prognostic_time():
    """The months of the 47, from 1 to 78."""
    months = datasets.wisconsin_prognostic("time").targets[:, 0]
    assert (len(months), months.min(), months.max()) == (47, 1, 78)


@needs_files
def test_wisconsin_diagnostic_is_the_one_of_scikit_learn():
    """Feature by feature; theirs has 0 for malignant."""
    theirs = pytest.importorskip("sklearn.datasets").load_breast_cancer()
    data = datasets.wisconsin_diagnostic()
    assert data.class_counts == {"B": 357, "M": 212}
    np.testing.assert_allclose(data.inputs, theirs.data, rtol=1e-12)
    assert np.array_equal(data.classes == 1, theirs.target == 0)
    assert data.input_names[:2] == ("mean radius", "mean texture")


@needs_files
def test_iris():
    """Means 5.843, 3.054, 3.759, 1.199, and row 35 as the archive has it."""
    data = datasets.iris()
    assert data.class_counts == {"Iris-setosa": 50, "Iris-versicolor": 50, "Iris-virginica": 50}
    assert data.inputs.mean(axis=0).round(3).tolist() == [5.843, 3.054, 3.759, 1.199]
    assert data.inputs[34].tolist() == [4.9, 3.1, 1.5, 0.1]


@needs_files
def test_the_archives_own_file_fits_the_encoding():
    """A network trained on a public data set can answer to the raw file."""
    for data, file in (
        (datasets.iris(), datasets.IRIS),
        (datasets.abalone(), datasets.ABALONE),
        (datasets.wisconsin_prognostic(), datasets.WISCONSIN_PROGNOSTIC),
    ):
        inputs, _ = read_inputs(file.locate(), data.encoding)
        assert np.array_equal(inputs, data.inputs)

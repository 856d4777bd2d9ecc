"""Where compiled code is kept: for the next process, and where nothing can be written."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from neuralframe.kernels.compiled import disk_cache

numba = pytest.importorskip("numba", reason="numba compiles what is kept")

PROGRAM = """
import kept
result = kept.double(21.0)
print(sum(kept.double.stats.cache_hits.values()), result)
"""
KEPT = """
from neuralframe.kernels.compiled.compiling import compiled_entry

@compiled_entry
def double(x):
    return 2 * x
"""


@pytest.fixture(autouse=True)
def afresh():
    """Look for a folder anew in each test."""
    disk_cache.cache_folder.cache_clear()
    yield
    disk_cache.cache_folder.cache_clear()


def run(folder, **environment):
    """Run the program in a folder; return how often kept code was found, and the result."""
    folder.mkdir(exist_ok=True)
    if not (folder / "kept.py").exists():
        (folder / "kept.py").write_text(KEPT)
    known = {"HOME": str(folder / "home"), "TMPDIR": str(folder), "PATH": os.environ["PATH"]}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        cwd=folder,
        env=known | environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    found, result = done.stdout.split()
    return int(found), float(result)


def n_kept(folder):
    """Return how many functions are kept somewhere below a folder."""
    return len(list(folder.rglob("*.nbi")))


def test_the_second_process_finds_what_the_first_compiled(tmp_path):
    """In the user's cache folder, and not beside the source."""
    (tmp_path / "home").mkdir()
    assert run(tmp_path) == (0, 42.0)
    assert run(tmp_path) == (1, 42.0)
    assert n_kept(tmp_path / "home" / ".cache" / "neuralframe") == n_kept(tmp_path) == 1


def test_the_folder_that_numba_is_given_is_used(tmp_path):
    """NUMBA_CACHE_DIR comes before all others."""
    chosen = tmp_path / "chosen"
    run(tmp_path / "work", NUMBA_CACHE_DIR=str(chosen))
    assert n_kept(chosen) == 1
    assert n_kept(tmp_path / "work") == 0


def test_without_a_home_the_folder_for_temporary_files_is_used(tmp_path):
    """The home folder cannot be made, as it lies below a file."""
    (tmp_path / "file").write_text("")
    assert run(tmp_path / "work", HOME=str(tmp_path / "file" / "home"))[1] == 42.0
    assert n_kept(tmp_path / "work") == 1


def test_where_nothing_can_be_written_nothing_is_kept(tmp_path):
    """And nothing is wrong with that."""
    (tmp_path / "file").write_text("")
    nowhere = str(tmp_path / "file" / "cache")
    assert run(tmp_path / "work", NUMBA_CACHE_DIR=nowhere) == (0, 42.0)
    assert n_kept(tmp_path) == 0


def test_without_a_user_and_a_folder_for_temporary_files_nothing_is_kept(monkeypatch):
    """As in containers that know neither."""

    def nobody(*_):
        raise RuntimeError("Could not determine home directory.")

    def nowhere():
        raise FileNotFoundError("No usable temporary directory found")

    for name in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setattr(disk_cache.Path, "expanduser", nobody)
    monkeypatch.setattr(disk_cache.tempfile, "gettempdir", nowhere)
    assert disk_cache.cache_folder() is None


@pytest.mark.parametrize("pattern", ["*.nbi", "*.nbc"])
@pytest.mark.parametrize("content", [b"", b"damaged"], ids=["empty", "damaged"])
def test_damaged_files_are_compiled_and_kept_anew(tmp_path, pattern, content):
    """The index or the code: once it costs time."""
    chosen = str(tmp_path / "chosen")
    run(tmp_path / "work", NUMBA_CACHE_DIR=chosen)
    for file in (tmp_path / "chosen").rglob(pattern):
        file.write_bytes(content)
    assert run(tmp_path / "work", NUMBA_CACHE_DIR=chosen) == (0, 42.0)
    assert run(tmp_path / "work", NUMBA_CACHE_DIR=chosen) == (1, 42.0)


def test_where_nothing_can_be_written_any_more_nothing_is_kept(tmp_path):
    """A disk that fills up after the start: the folder is replaced by a file."""
    from neuralframe.kernels.compiled.compiling import keep_in

    @numba.njit
    def double(x):
        return 2 * x

    keep_in(double, str(tmp_path / "cache"))
    shutil.rmtree(tmp_path / "cache")
    (tmp_path / "cache").write_text("")
    assert double(21.0) == 42.0
    assert not any(double.stats.cache_hits.values())


def test_code_is_not_loaded_from_a_folder_that_others_can_write_to(tmp_path, monkeypatch):
    """As anybody could put code there."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    folder = disk_cache.cache_folder()
    assert folder is not None
    os.chmod(folder, 0o777)  # noqa: PTH101, S103 - that is what must be found out
    disk_cache.cache_folder.cache_clear()
    assert disk_cache.cache_folder() is None


def test_changed_sources_have_a_folder_of_their_own(tmp_path, monkeypatch):
    """A function is compiled from several files, of which numba looks at one."""
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    before = disk_cache.cache_folder()
    disk_cache.cache_folder.cache_clear()
    assert disk_cache.cache_folder() == before
    (tmp_path / "package").mkdir()
    (tmp_path / "package" / "module.py").write_text("changed")
    monkeypatch.setattr(disk_cache.resources, "files", lambda _: tmp_path / "package")
    disk_cache.cache_folder.cache_clear()
    assert disk_cache.cache_folder() != before

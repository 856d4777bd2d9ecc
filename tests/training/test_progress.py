"""Bars are drawn where they are wanted, and nowhere else."""

from __future__ import annotations

import sys

import pytest

import neuralframe as nf
from neuralframe.training import progress
from neuralframe.training.progress import counter


@pytest.mark.parametrize("wanted", [None, False])
def test_without_a_terminal_there_is_no_bar(wanted, capsys):
    """Steps may be told of all the same."""
    with counter(wanted, 3, "networks") as advance:
        advance()
    assert capsys.readouterr() == ("", "")


def test_a_bar_counts_the_steps(capsys):
    """On standard error, with what is counted."""
    pytest.importorskip("rich")
    with counter(wanted=True, total=2, what="networks") as advance:
        advance()
        advance()
    written = capsys.readouterr()
    assert written.out == ""
    assert "networks" in written.err
    assert "2/2" in written.err


def test_a_bar_without_rich_says_what_to_install(monkeypatch):
    """And by default there is none then, on a terminal either."""
    monkeypatch.setattr(progress, "find_spec", lambda _: None)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: True, raising=False)
    assert not progress.is_bar_wanted(None)
    with pytest.raises(nf.MissingPackageError, match="rich"):
        progress.is_bar_wanted(wanted=True)

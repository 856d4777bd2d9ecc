"""What is told, on a screen and in a pipe."""

from __future__ import annotations

import sys

import pytest

pytest.importorskip("typer", reason="typer and rich come with the extra 'cli'")

from neuralframe.cli.display import show_pairs

WORDS = "one two three four five six seven-eight-nine ten eleven twelve"


@pytest.fixture
def on_screen(monkeypatch, capsys):
    """Return a function that shows pairs on a screen 40 columns wide, and returns the lines."""
    monkeypatch.setenv("COLUMNS", "40")

    def show(pairs):
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        show_pairs("Title", pairs)
        return capsys.readouterr().out.splitlines()[1:]

    return show


def test_in_a_pipe_every_line_is_whole(capsys):
    """Whatever its length, so that a program can read it."""
    show_pairs("Title", [("numbers", WORDS * 5), ("x", "y")])
    assert capsys.readouterr().out.splitlines()[1:] == [f"  numbers  {WORDS * 5}", "  x        y"]


def test_on_a_screen_long_values_hang_in_their_column(on_screen):
    """No word is lost or cut, and no line is longer than the screen."""
    lines = on_screen([("numbers", WORDS), ("x", "y")])
    assert lines[0] == "  numbers  one two three four five six"
    assert lines[1] == "           seven-eight-nine ten eleven"
    assert lines[-1] == "  x        y"
    assert " ".join(" ".join(lines[:-1]).split()) == f"numbers {WORDS}"


def test_a_long_word_and_an_empty_value_stay_as_they_are(on_screen):
    """A path can be copied whole."""
    assert on_screen([("path", "x" * 60), ("nothing", "")]) == ["  path     " + "x" * 60, "  nothing  "]

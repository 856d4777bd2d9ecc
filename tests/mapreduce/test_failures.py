"""Failures of tasks as they travel to the driver."""

from __future__ import annotations

import pytest

import neuralframe as nf
from neuralframe import exceptions
from neuralframe.mapreduce.failures import Failure, one_for_all


def failure_of(problem):
    """Return the failure of an exception that was raised, through a packet."""
    try:
        raise problem
    except type(problem) as caught:
        return Failure.from_packet(Failure.of(caught).to_packet())


def test_a_foreign_exception_comes_as_an_engine_error_with_its_traceback_and_notes():
    problem = LookupError("no such thing")
    problem.add_note("while mapping block 3")
    found = failure_of(problem).as_exception()
    assert type(found) is nf.EngineError
    assert str(found) == "a task failed with LookupError: no such thing"
    note, told = found.__notes__
    assert note == "while mapping block 3"
    assert told.startswith("in a task:\nTraceback")
    assert "raise problem" in told


@pytest.mark.parametrize(
    "problem",
    [
        nf.PackedDataError("part-0, record 3: damaged"),
        nf.ChoiceError("engine", "sparc", ["spark", "threads"]),
        exceptions.RecordError("not a number", file="a.csv", line=3, column="x", value="?"),
        exceptions.MissingPackageError("scipy", purpose="this", extra="all"),
        nf.EngineError("lost"),
    ],
    ids=lambda problem: type(problem).__name__,
)
def test_an_exception_of_neuralframes_comes_as_itself(problem):
    found = failure_of(problem).as_exception()
    assert type(found) is type(problem)
    assert str(found) == str(problem)


def test_only_what_would_fail_again_is_certain():
    assert failure_of(nf.PackedDataError("damaged")).is_certain
    assert not failure_of(nf.EngineError("a node was lost")).is_certain
    assert not failure_of(ZeroDivisionError()).is_certain


def test_a_certain_failure_stands_for_all():
    chance, certain = failure_of(OSError("disk")), failure_of(nf.PackedDataError("damaged"))
    assert type(one_for_all([chance, certain])) is nf.PackedDataError
    assert type(one_for_all([chance])) is nf.EngineError

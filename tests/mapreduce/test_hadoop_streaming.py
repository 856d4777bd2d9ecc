"""What Hadoop answers, read without a cluster."""

from __future__ import annotations

import logging
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from neuralframe.mapreduce.hadoop_jvm import level_of
from neuralframe.mapreduce.hadoop_streaming import log_contents, read_counters, unescaped

names = st.text(st.characters(blacklist_categories=["Cs"]), min_size=1, max_size=12)
counters = st.dictionaries(names, st.dictionaries(names, st.integers(0, 2**63 - 1), max_size=4), max_size=4)


def escaped(text: str) -> str:
    """Escape as org.apache.hadoop.mapreduce.util.CountersStrings does."""
    return re.sub(r"([\\(){}\[\]])", r"\\\1", text)


def compact(found: dict[str, dict[str, int]]) -> str:
    """Write counters as Counters.makeEscapedCompactString does."""
    return "".join(
        f"{{({escaped(group)})({escaped(group)})"
        + "".join(f"[({escaped(name)})({escaped(name)})({value})]" for name, value in inner.items())
        + "}"
        for group, inner in found.items()
    )


@given(counters)
def test_counters_are_read_back(found):
    """Whatever the names of groups and counters have in them."""
    assert read_counters(compact(found)) == found


@given(names)
def test_escapes_are_taken_off(name):
    assert unescaped(escaped(name)) == name


def test_a_log_is_freed_of_what_the_node_manager_adds():
    page = (
        "Container: container_1_0001_01_000002 on localhost:22232\nLogAggregationType: LOCAL\n"
        "====\nLogType:stderr\nLogLength:30\nLogContents:\nTraceback\nValueError: 3\n\n"
        "End of LogType:stderr\n***\n"
    )
    assert log_contents(page) == "Traceback\nValueError: 3"
    assert log_contents("as it is\n") == "as it is"


@pytest.mark.parametrize(
    ("line", "level"),
    [
        ("26/11/21 04:52:28 INFO mapreduce.Job: text", logging.INFO),
        ("2026-11-21 04:52:20,413 WARN [main] org.apache: text", logging.WARNING),
        ("ERROR streaming.StreamJob: text", logging.ERROR),
        ("26/11/21 04:52:28 FATAL all.is: lost", logging.CRITICAL),
        ("\tat org.apache.INFO", logging.DEBUG),
        ("26/11/21 04:52:28 WARN streaming.StreamJob: -jobconf option is deprecated, use -D", logging.DEBUG),
    ],
)
def test_the_level_of_a_log_line_is_seen(line, level):
    assert level_of(line) == level

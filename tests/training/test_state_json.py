"""A rule's state as JSON and arrays: what comes back is what went in, to the bit."""

from __future__ import annotations

import json
import math
import struct
from typing import Any

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

import neuralframe as nf
from neuralframe.training.state_json import state_from_json, state_to_json


@attrs.frozen(eq=False)
class Memory:
    """A state as users write one."""

    steps: Any
    best: Any
    _private: Any = attrs.field(default=None, converter=lambda value: [value] if value == "once" else value)


@attrs.define
class Changing:
    """One whose fields can be assigned, with a field that its maker does not take."""

    value: float
    made: int = attrs.field(init=False, default=3)


def there_and_back(value):
    arrays = {}
    text = json.dumps(state_to_json(value, arrays, "the state"), allow_nan=False)
    return state_from_json(json.loads(text), arrays)


def same(one, other):
    """Whether two states are equal in type, structure and every bit."""
    if type(one) is not type(other):
        return False
    if attrs.has(type(one)):
        return all(same(getattr(one, f.name), getattr(other, f.name)) for f in attrs.fields(type(one)))
    if isinstance(one, list | tuple | dict):
        parts = [list(value.items()) if isinstance(value, dict) else value for value in (one, other)]
        return len(one) == len(other) and all(map(same, *parts))
    if isinstance(one, np.ndarray | np.generic):
        return (one.dtype, one.shape, one.tobytes()) == (other.dtype, other.shape, other.tobytes())
    if isinstance(one, float):
        return (math.isnan(one) and math.isnan(other)) or struct.pack("d", one) == struct.pack("d", other)
    return one == other


numbers = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
arrays = hnp.arrays(
    st.sampled_from([np.float64, np.float32, np.int64, np.bool_, np.complex128]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0),
)
scalars = st.floats().map(np.float64) | st.integers(-5, 5).map(np.int8)
keys = st.text() | st.integers() | st.tuples(st.integers(), st.booleans())
states = st.recursive(
    numbers | arrays | scalars,
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(keys, inner, max_size=3)
        | st.builds(Memory, inner, inner, inner)
    ),
    max_leaves=8,
)


@given(states)
def test_every_state_comes_back(state):
    assert same(there_and_back(state), state)


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, -math.inf, -0.0, 5e-324, 0.1, 2**70, -1, True, None, ""]
)
def test_every_number_comes_back(value):
    """NaN, infinities, minus zero and the smallest number, by themselves and inside."""
    assert same(there_and_back(value), value)
    assert same(there_and_back({value: [value, (value,)]}), {value: [value, (value,)]})


def test_components_and_changing_classes_come_back():
    state = (nf.Tanh(), nf.GradientDescent(0.1, 0.9, adaptive=nf.VariableRate()), Changing(0.5))
    assert there_and_back(state) == state


def test_converters_do_not_see_a_value_twice():
    back = there_and_back(Memory(1, 2, "once"))
    assert back._private == ["once"]


def test_an_array_keeps_its_order_in_memory_and_can_be_written_to():
    back = there_and_back(np.asfortranarray(np.arange(6.0).reshape(2, 3)))
    assert back.flags.f_contiguous
    assert back.flags.writeable


@attrs.frozen
class WithSet:
    names: Any


@pytest.mark.parametrize(
    ("state", "says"),
    [
        ({"seen": {1, 2}}, r"the state\[0\]\[1\] is a set, which a checkpoint cannot hold"),
        (WithSet(frozenset()), r"the state\.names is a frozenset"),
        (np.array([object()]), "array of object"),
        (np.ma.masked_array([1.0]), "MaskedArray"),
        (lambda: 0, "is a function"),
        (np.random.default_rng(0), "is a Generator"),
        (b"bytes", "is a bytes"),
    ],
)
def test_anything_else_is_refused_with_its_place(state, says):
    with pytest.raises(nf.CheckpointError, match=says):
        there_and_back(state)


def test_a_class_that_nobody_could_find_again_is_refused():
    @attrs.frozen
    class Hidden:
        value: int

    with pytest.raises(nf.CheckpointError, match="define the class at the top of a module"):
        there_and_back(Hidden(3))


@pytest.mark.parametrize(
    ("description", "says"),
    [
        ({"object": {"class": "never_imported_module:Thing", "fields": {}}}, "Import its module"),
        ({"object": {"class": "os:path", "fields": {}}}, "not known here"),
        ({"object": {"class": "builtins:int", "fields": {}}}, "other fields"),
        ({"object": {"class": f"{__name__}:Changing", "fields": {"value": 1}}}, "other fields"),
    ],
)
def test_what_is_read_imports_and_runs_nothing(description, says):
    with pytest.raises(nf.CheckpointError, match=says):
        state_from_json(description, {})

"""A rule's state as JSON and arrays, exact to the bit.

A state is made of None, booleans, numbers, strings, arrays, tuples, lists, mappings, components, and attrs
classes of such. Nothing is executed when it is read: classes are looked up among those that are imported, and
an object gets its fields back without being made anew.
"""

from __future__ import annotations

import math
import sys
from functools import reduce
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

from neuralframe.core.components import Component, from_json, qualified_name, to_json
from neuralframe.exceptions import CheckpointError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from neuralframe.archive_file import Arrays

PLAIN = (type(None), bool, int, str)
"""What JSON writes as it is; a subclass would come back as something else."""

ARRAY_KINDS = "biufcmMSU"
"""What the elements of an array may be: anything of fixed size but a record."""


def state_to_json(value: Any, arrays: Arrays, where: str) -> Any:
    """Return what `json.dumps` takes; arrays are put apart.

    Parameters
    ----------
    value : object
        The state.
    arrays : dict
        Where arrays are put, under new keys.
    where : str
        What the state is called in messages.

    Raises
    ------
    CheckpointError
        If a part of it is of another kind; the message says which.

    """
    kind = type(value)
    if kind in PLAIN or (kind is float and math.isfinite(value)):
        return value
    if kind is float:
        return {"float": repr(value)}
    if kind in (list, tuple, dict):
        return _container_to_json(value, arrays, where)
    if isinstance(value, np.ndarray | np.generic):
        return _array_to_json(value, arrays, where)
    return _object_to_json(value, arrays, where)


def state_from_json(description: Any, arrays: Mapping[str, Any]) -> Any:
    """Return the state that `state_to_json` described.

    Raises
    ------
    CheckpointError
        If a class is not imported, or an array is missing.
    ModelFileError
        If a component cannot be made.

    """
    if isinstance(description, list):
        return [state_from_json(item, arrays) for item in description]
    if not isinstance(description, dict):
        return description
    ((kind, content),) = description.items()
    return _READERS[kind](content, arrays)


def _container_to_json(value: Any, arrays: Arrays, where: str) -> Any:
    if type(value) is dict:
        return {"mapping": _container_to_json([list(pair) for pair in value.items()], arrays, where)}
    items = [state_to_json(item, arrays, f"{where}[{i}]") for i, item in enumerate(value)]
    return {"tuple": items} if type(value) is tuple else items


def _array_to_json(value: Any, arrays: Arrays, where: str) -> dict[str, str]:
    if type(value) is not np.ndarray and not isinstance(value, np.generic):
        raise _unwritable(value, where)
    if value.dtype.kind not in ARRAY_KINDS:
        raise CheckpointError(f"{where} is an array of {value.dtype}, which a checkpoint cannot hold")
    key = f"array{len(arrays)}"
    arrays[key] = np.asarray(value)
    return {"number" if isinstance(value, np.generic) else "array": key}


def _object_to_json(value: Any, arrays: Arrays, where: str) -> dict[str, Any]:
    cls = type(value)
    if not attrs.has(cls):
        if isinstance(value, Component):
            return {"component": to_json(value, arrays)}
        raise _unwritable(value, where)
    name = qualified_name(cls)
    if _imported(name) is not cls:
        raise CheckpointError(
            f"{where} is a {name}, which could not be found again after a restart: define the class at the "
            "top of a module"
        )
    fields = {
        field.name: state_to_json(getattr(value, field.name), arrays, f"{where}.{field.name}")
        for field in attrs.fields(cls)
    }
    return {"object": {"class": name, "fields": fields}}


def _object_from_json(description: Any, arrays: Mapping[str, Any]) -> Any:
    name, fields = description["class"], description["fields"]
    cls = _imported(name)
    if cls is None:
        raise CheckpointError(
            f"the class {name!r} is not known here. Import its module before going on with the training"
        )
    if not attrs.has(cls) or {field.name for field in attrs.fields(cls)} != fields.keys():
        raise CheckpointError(f"the class {name!r} has other fields now than when the checkpoint was written")
    made = object.__new__(cls)
    for field, content in fields.items():
        # Past validators and converters, which have seen the value once and might change it.
        object.__setattr__(made, field, state_from_json(content, arrays))
    return made


_READERS: dict[str, Callable[[Any, Mapping[str, Any]], Any]] = {
    "float": lambda content, _: float(content),
    "tuple": lambda content, arrays: tuple(state_from_json(content, arrays)),
    "mapping": lambda content, arrays: dict(state_from_json(content, arrays)),
    "array": lambda content, arrays: arrays[content],
    "number": lambda content, arrays: arrays[content][()],
    "component": from_json,
    "object": _object_from_json,
}
"""How each kind of description is read."""


def _imported(name: str) -> Any:
    """Return the class of a qualified name, or None if it is not among what is imported."""
    module, _, path = name.partition(":")
    home: Any = sys.modules.get(module)
    found = reduce(lambda at, part: getattr(at, part, None), path.split("."), home)
    return found if isinstance(found, type) else None


def _unwritable(value: Any, where: str) -> CheckpointError:
    return CheckpointError(
        f"{where} is a {type(value).__name__}, which a checkpoint cannot hold. A state is made of numbers, "
        "strings, arrays, tuples, lists, mappings and attrs classes of such"
    )

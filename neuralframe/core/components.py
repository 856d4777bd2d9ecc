"""Components: named frozen values that can be looked up, compared and written as JSON.

Transfer functions, input functions, error functions, initializers, learning rules, stop conditions and
normalizers are all components. A *family* is the abstract class directly below `Component`; its members
are found by name. Reading a component from JSON never imports or runs anything that was not already
imported: a name is only ever looked up among classes that exist.
"""

from __future__ import annotations

import inspect
import math
import re
import reprlib
from abc import ABC
from typing import TYPE_CHECKING, Any, ClassVar, Self

import attrs
import numpy as np

from neuralframe.exceptions import ChoiceError, ModelFileError, ParameterError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

_FAMILIES: dict[str, type[Component]] = {}
_VALUES: dict[str, tuple[type, Callable[..., Any], Callable[..., Any]]] = {}


def snake_case(name: str) -> str:
    """Turn a class name into the name by which users ask for it: ``SumOfSquares`` is ``sum_of_squares``."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class Component(ABC):
    """A named value with hyper-parameters; subclasses with parameters are ``attrs.frozen`` classes.

    A class is known by `name` (by default its own name in snake case) and, where two packages use the
    same short name, by its qualified name ``module:Class``. neuralframe's own names are never replaced.
    """

    name: ClassVar[str] = ""
    _members: ClassVar[dict[str, type[Component]]]

    def __init_subclass__(cls, **keywords: Any) -> None:
        super().__init_subclass__(**keywords)
        if Component in cls.__bases__:
            cls._members = {}
            _FAMILIES[snake_case(cls.__name__)] = cls
            return
        if "name" not in cls.__dict__:
            cls.name = snake_case(cls.__name__)
        qualified = qualified_name(cls)
        cls._members[qualified] = cls
        holder = cls._members.get(cls.name)
        if holder is None or is_own(cls) or qualified_name(holder) == qualified:
            cls._members[cls.name] = cls

    @classmethod
    def family(cls) -> type[Component]:
        """Return the abstract class at the head of this component's family."""
        return next(base for base in cls.__mro__ if Component in base.__bases__)

    @classmethod
    def members(cls) -> dict[str, type[Self]]:
        """Return the concrete members of the family by their short names."""
        return {
            name: member
            for name, member in cls._members.items()
            if ":" not in name and not inspect.isabstract(member) and issubclass(member, cls)
        }

    @classmethod
    def of(cls, given: str | type[Self] | Self) -> Self:
        """Return a member of the family from a name, a class or an instance.

        Raises
        ------
        ChoiceError
            If no member has that name; the message lists those that exist.

        """
        if isinstance(given, cls):
            return given
        if isinstance(given, str):
            found = cls._members.get(given)
            if found is None or inspect.isabstract(found):
                raise ChoiceError(cls._noun(), given, cls.members())
            given = found  # type: ignore[assignment]
        if isinstance(given, type) and issubclass(given, cls):
            return given()
        raise ChoiceError(cls._noun(), given, cls.members())

    def parameters(self) -> dict[str, Any]:
        """Return what this component was made from, as keywords of its class.

        The default knows attrs classes, and classes that keep nothing. Called when a component is written.

        Raises
        ------
        ParameterError
            If neither is the case.

        """
        cls: Any = type(self)
        if attrs.has(cls):
            return {field.alias: getattr(self, field.name) for field in attrs.fields(cls) if field.init}
        if vars(self):
            raise ParameterError(
                f"{cls.__name__} keeps parameters but is no attrs class, so it cannot be saved. "
                "Decorate it with @attrs.frozen and declare its parameters as fields"
            )
        return {}

    @classmethod
    def _noun(cls) -> str:
        return snake_case(cls.family().__name__).replace("_", " ")


def is_own(cls: type) -> bool:
    """Return whether a class is one of neuralframe's, whose short names mean the same everywhere."""
    return cls.__module__.startswith("neuralframe.")


def qualified_name(cls: type) -> str:
    """Return ``module:Class``."""
    return f"{cls.__module__}:{cls.__qualname__}"


def to_json(component: Component, arrays: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return a JSON-able description of a component: its family, its type and its parameters.

    Parameters
    ----------
    component : Component
        What to describe.
    arrays : dict, optional
        Where parameters that are arrays are put, under new keys, instead of into the description.

    """
    cls = type(component)
    name = cls.name if is_own(cls) else qualified_name(cls)
    return {
        "family": snake_case(cls.family().__name__),
        "type": name,
        "parameters": {
            key: _value_to_json(value, f"{cls.__name__}.{key}", arrays)
            for key, value in component.parameters().items()
        },
    }


def from_json(description: Any, arrays: Mapping[str, Any] | None = None) -> Any:
    """Return the component that `to_json` described; `arrays` holds what was put apart.

    Raises
    ------
    ModelFileError
        If the description is malformed, or names a class that is not imported here.

    """
    cls = _class_of(description)
    try:
        parameters = dict(description["parameters"])
    except (KeyError, TypeError, ValueError):
        raise ModelFileError(f"not the description of a component: {description!r}") from None
    try:
        return cls(**{key: _value_from_json(value, arrays or {}) for key, value in parameters.items()})
    except (TypeError, ParameterError) as problem:
        raise ModelFileError(f"{description['type']}: {problem}") from problem


def classes_in(description: Any) -> Iterator[type[Component]]:
    """Yield the class of every component in a description, or in lists and mappings of such.

    Raises
    ------
    ModelFileError
        If one is not imported here.

    """
    if isinstance(description, dict):
        if description.keys() >= {"family", "type", "parameters"}:
            yield _class_of(description)
        parts: Iterable[Any] = description.values()
    else:
        parts = description if isinstance(description, list) else ()
    for part in parts:
        yield from classes_in(part)


def alias_module(module: str, alias: str) -> None:
    """Let the components defined in `module` be found under another module's name as well.

    The classes of a script are called ``__main__:Class`` where it runs, and by its name elsewhere.
    """
    for family in _FAMILIES.values():
        for name, member in list(family._members.items()):  # noqa: SLF001
            if name.startswith(f"{module}:"):
                family._members[alias + name.removeprefix(module)] = member  # noqa: SLF001


def register_value(
    kind: str,
    cls: type,
    to_json: Callable[[Any, dict[str, Any]], Any],
    from_json: Callable[[Any, Mapping[str, Any]], Any],
) -> None:
    """Let components have parameters of a further type.

    Parameters
    ----------
    kind : str
        What the type is called in descriptions.
    cls : type
        The type.
    to_json, from_json : callables
        From a value to what `json.dumps` takes, putting arrays apart, and back.

    """
    _VALUES[kind] = cls, to_json, from_json


def _class_of(description: Any) -> type[Component]:
    try:
        family, name = _FAMILIES[description["family"]], description["type"]
    except (KeyError, TypeError):
        raise ModelFileError(f"not the description of a component: {description!r}") from None
    cls = family._members.get(name)  # noqa: SLF001
    if cls is None or inspect.isabstract(cls):
        raise ModelFileError(
            f"the {snake_case(family.__name__).replace('_', ' ')} {name!r} is not known here. "
            f"If it is a class of your own, import its module before opening the file"
        )
    return cls


def _value_to_json(value: Any, where: str, arrays: dict[str, Any] | None) -> Any:
    if isinstance(value, Component):
        return to_json(value, arrays)
    if isinstance(value, np.ndarray) and arrays is not None:
        key = f"array{len(arrays)}"
        arrays[key] = value
        return {"array": key}
    if isinstance(value, np.ndarray | np.generic):
        return _value_to_json(value.tolist(), where, arrays)
    if isinstance(value, tuple | list):
        return [_value_to_json(item, where, arrays) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        raise ParameterError(f"{where} is {value!r}; only finite numbers can be written to a file")
    if value is None or isinstance(value, bool | int | float | str):
        return value
    for kind, (cls, describe, _) in _VALUES.items():
        if isinstance(value, cls) and arrays is not None:
            return {"value": kind, "content": describe(value, arrays)}
    raise ParameterError(f"{where} is {reprlib.repr(value)}, which cannot be written to a file")


def _value_from_json(value: Any, arrays: Mapping[str, Any]) -> Any:
    if isinstance(value, dict) and value.keys() == {"array"}:
        if value["array"] not in arrays:
            raise ModelFileError(f"the array {value['array']!r} is missing")
        return arrays[value["array"]]
    if isinstance(value, dict) and value.keys() == {"value", "content"}:
        if value["value"] not in _VALUES:
            raise ModelFileError(f"a value of the unknown kind {value['value']!r}")
        return _VALUES[value["value"]][2](value["content"], arrays)
    if isinstance(value, dict):
        return from_json(value, arrays)
    if isinstance(value, list):
        return tuple(_value_from_json(item, arrays) for item in value)
    return value

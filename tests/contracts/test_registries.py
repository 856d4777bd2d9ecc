"""What every component of `neuralframe.core` owes, whatever its family."""

from __future__ import annotations

import copy
import inspect
import json
import pickle

import attrs
import pytest

import neuralframe  # noqa: F401 - brings in every implementation that the package exports
from neuralframe.core.components import from_json, to_json
from neuralframe.core.error_functions import ErrorFunction
from neuralframe.core.initializers import Initializer
from neuralframe.core.input_functions import InputFunction
from neuralframe.core.transfer_functions import TransferFunction
from neuralframe.exceptions import ChoiceError
from tests.contracts.registries import ERROR_FUNCTIONS, INITIALIZERS, INPUT_FUNCTIONS, TRANSFER_FUNCTIONS

FAMILIES = {
    TransferFunction: TRANSFER_FUNCTIONS,
    InputFunction: INPUT_FUNCTIONS,
    ErrorFunction: ERROR_FUNCTIONS,
    Initializer: INITIALIZERS,
}
COMPONENTS = [component for registry in FAMILIES.values() for component in registry]

every_family = pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.__name__)
every_component = pytest.mark.parametrize("component", COMPONENTS, ids=repr)


def concrete_classes(family):
    """Return the classes of the package that can be instantiated as members of the family."""
    return {
        cls
        for cls in family._members.values()
        if cls.__module__.startswith("neuralframe.") and not inspect.isabstract(cls)
    }


@every_family
def test_no_implementation_is_missing_from_its_registry(family):
    """What is not in a registry is not under the batteries."""
    assert concrete_classes(family) == {type(member) for member in FAMILIES[family]}


@every_family
def test_an_unknown_name_is_refused_with_the_choices(family):
    """The message lists the names that would have been understood."""
    with pytest.raises(ChoiceError, match=FAMILIES[family][0].name):
        family.of("no such thing")


@every_component
def test_a_component_survives_json(component):
    """What is read back equals what was written."""
    assert from_json(json.loads(json.dumps(to_json(component)))) == component


@every_component
def test_a_component_is_a_value(component):
    """Copies, also through pickle, are equal and have the same hash."""
    twin = pickle.loads(pickle.dumps(component))
    assert twin == component == copy.deepcopy(component)
    assert hash(twin) == hash(component)


@every_component
def test_a_component_cannot_be_changed(component):
    """Assigning to a parameter is refused."""
    for field in attrs.fields(type(component)):
        with pytest.raises(attrs.exceptions.FrozenInstanceError):
            setattr(component, field.name, 1.0)


@every_component
def test_a_component_is_found_by_name_class_and_object(component):
    """The three ways to ask for a member lead to equal members."""
    family = component.family()
    assert family.of(component.name) == family.of(type(component)) == type(component)()
    assert family.of(component) is component


@every_component
def test_a_component_explains_itself(component):
    """Each class has a docstring of its own."""
    assert inspect.getdoc(type(component)) != inspect.getdoc(component.family())

"""Components as JSON: what travels with them, and what is found again."""

from __future__ import annotations

import json
import sys
from types import ModuleType

import attrs
import numpy as np
import pytest

import neuralframe as nf
from neuralframe.core.components import alias_module, classes_in, from_json, to_json
from neuralframe.kernels import make_kernel
from neuralframe.kernels.numpy_kernel import NumpyKernel
from neuralframe.mapreduce.error_job import ErrorJob


@attrs.frozen
class Twice(nf.TransferFunction):
    """A function of the user's own."""

    def value(self, net):
        return 2 * net

    def derivative(self, net, output):
        return np.full_like(net, 2)


def job():
    network = nf.MultilayerPerceptron(3, 2, 1, hidden=Twice(), seed=0)
    weights = np.stack([network.weights, 2 * network.weights])
    return ErrorJob(make_kernel("numpy", network.topology, "float32"), weights, np.array([True, False]))


def test_a_job_comes_back_with_its_kernel_its_topology_and_its_arrays():
    arrays = {}
    sent = job()
    back = from_json(json.loads(json.dumps(to_json(sent, arrays))), arrays)
    assert isinstance(back.kernel, NumpyKernel)
    assert back.kernel.dtype == np.float32
    data = nf.DataSet(np.ones((4, 3)), np.ones(4))
    (here,), (there,) = (list(one.map(data.blocks[0]).items())[:1] for one in (sent, back))
    assert here[0] == there[0]
    for name, sums in here[1].items():
        np.testing.assert_array_equal(there[1][name], sums)


def test_every_class_that_a_description_names_is_listed():
    found = set(classes_in(to_json(job(), {})))
    assert {ErrorJob, NumpyKernel, Twice, nf.SumOfSquares} <= found


def test_a_topology_without_a_place_for_its_arrays_is_refused_in_a_few_words():
    with pytest.raises(nf.ParameterError, match="cannot be written") as caught:
        to_json(job().kernel)
    assert len(str(caught.value)) < 200


def test_a_value_of_an_unknown_kind_is_refused():
    description = to_json(job().kernel, {})
    description["parameters"]["topology"]["value"] = "typology"
    with pytest.raises(nf.ModelFileError, match="unknown kind 'typology'"):
        from_json(description, {})


def test_a_scripts_classes_are_found_under_the_name_of_the_module_that_was_imported_instead(monkeypatch):
    module = ModuleType("imported_script")
    monkeypatch.setitem(sys.modules, "imported_script", module)

    class Thrice(Twice):
        __module__ = "imported_script"
        __qualname__ = "Thrice"

    described = to_json(Thrice())
    assert described["type"] == "imported_script:Thrice"
    described["type"] = "calling_script:Thrice"
    with pytest.raises(nf.ModelFileError, match="not known here"):
        from_json(described)
    alias_module("imported_script", "calling_script")
    assert isinstance(from_json(described), Thrice)

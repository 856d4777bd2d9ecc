"""A topology as JSON: what comes back computes the same, and damage is found."""

from __future__ import annotations

import copy
import json

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.core.initialization import draw_weights
from neuralframe.core.topology_json import topology_from_json, topology_to_json
from neuralframe.kernels import make_kernel
from tests.reference.random_networks import plans


def canonical(topology):
    """Return a header with the arrays it refers to, in one comparable value."""
    arrays = {}
    header = topology_to_json(topology, arrays)
    return json.dumps(header), {key: (a.dtype.name, a.tobytes(), a.shape) for key, a in arrays.items()}


class Web(nf.NeuralNetwork):
    """Sparse, shared, frozen, by hand, with functions that have parameters."""

    def build(self):
        inputs = self.input_layer(2)
        hidden = self.layer(
            2, transfer_function=[nf.LeakyReLU(0.2), "tanh"], input_function=nf.EuclideanRBF(0.7)
        )
        out = self.layer(2, initializer=nf.Normal(0.5, 0.1), transfer_function="sigmoid")
        joined = self.connect(inputs, hidden, frozen=True)
        self.connect(hidden, out, share=joined)
        self.connect(inputs, out, nf.Sparse([0, 1, 1], [1, 0, 1]))
        self.connect(inputs.neurons[1], out.neurons[0], weight=nf.Weight(0.3, frozen=True))
        self.connect(inputs.neurons[0], out.neurons[0])


@settings(max_examples=60, deadline=None, derandomize=True)
@given(plans())
def test_what_comes_back_computes_the_same(plan):
    """Through text and back: the same description, the same bits, the same weights from the same seed."""
    network = plan.network()
    arrays = {}
    header = topology_to_json(network.topology, arrays)
    back = topology_from_json(json.loads(json.dumps(header)), arrays)
    assert canonical(back) == canonical(network.topology)
    assert (back.order, back.inputs, back.outputs) == (
        network.topology.order,
        network.topology.inputs,
        network.topology.outputs,
    )
    inputs = plan.data(network).inputs
    there, here = (make_kernel("numpy", t).outputs(network.weights, inputs) for t in (back, network.topology))
    assert np.array_equal(there, here, equal_nan=True)
    drawn = [draw_weights(t, np.random.default_rng(1)) for t in (back, network.topology)]
    assert np.array_equal(*drawn)


def test_a_saved_network_keeps_what_is_frozen_and_shared(tmp_path):
    """The file has the marks; the loaded network's objects see them."""
    network = Web(seed=0)
    network.save(tmp_path / "web.nf")
    loaded = nf.load(tmp_path / "web.nf")
    assert np.array_equal(loaded.parameters.frozen, network.parameters.frozen)
    assert loaded.parameters.frozen.sum() == 5
    assert np.shares_memory(loaded.projections[0].weights, loaded.projections[1].weights)
    assert loaded.layers[2].neurons[0].inputs[-2].weight.frozen
    assert loaded.layers[1].transfer_function == (nf.LeakyReLU(0.2), nf.Tanh())
    assert np.array_equal(loaded([0.1, 0.2]), network([0.1, 0.2]))


ARRAYS = {}
HEADER = topology_to_json(Web(seed=0).topology, ARRAYS)


def paths(value, at=()):
    """Return the way to every entry of a nested header."""
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    return [path for key, entry in entries for path in [(*at, key), *paths(entry, (*at, key))]]


def at(header, path):
    """Return an entry."""
    for key in path:
        header = header[key]
    return header


FOREIGN = [None, True, -1, 0, 1, 2, 10**6, 10**400, 0.5, -1e300, "", "array0", "array99", "tanh", [], [1], {}]
FOREIGN += [
    {"array": "array0"},
    {"array": []},
    {"family": "transfer_function", "type": "tanh", "parameters": {}},
]
FOREIGN += [
    {"family": "projection", "type": "full", "parameters": {}},
    {"family": [], "type": {}, "parameters": 0},
]
"""What a damaged or hostile header may hold in the place of an entry."""


def survives(header, arrays):
    """Assert that a header is refused, or describes a network that can be drawn and computed."""
    try:
        topology = topology_from_json(header, arrays)
    except nf.ModelFileError:
        return
    if topology.n_weights > 10**4:
        return  # no file holds that many weights; the reader of files compares the two
    arrays_again = {}
    header_again = topology_to_json(topology, arrays_again)
    again = topology_from_json(json.loads(json.dumps(header_again)), arrays_again)
    assert canonical(again) == canonical(topology)
    weights = draw_weights(topology, np.random.default_rng(0))
    outputs = make_kernel("numpy", topology).outputs(weights, np.zeros((1, topology.n_inputs)))
    assert outputs.shape == (1, topology.n_outputs)


@pytest.mark.parametrize("path", paths(HEADER), ids=lambda path: "/".join(map(str, path)))
def test_a_damaged_entry_is_refused_or_harmless(path):
    """Left out, or replaced by anything: a ModelFileError or a network, never another error."""
    for foreign in FOREIGN:
        header = copy.deepcopy(HEADER)
        at(header, path[:-1])[path[-1]] = foreign
        survives(header, ARRAYS)
    del at(header, path[:-1])[path[-1]]
    survives(header, ARRAYS)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_several_damages_at_once(data):
    """Entries replaced by entries from elsewhere, or by any JSON; arrays lost, cut or of another type."""
    header, arrays = copy.deepcopy(HEADER), dict(ARRAYS)
    for _ in range(data.draw(st.integers(0, 3))):
        path = data.draw(st.sampled_from(paths(header)))
        elsewhere = st.sampled_from(paths(HEADER)).map(lambda other: copy.deepcopy(at(HEADER, other)))
        at(header, path[:-1])[path[-1]] = data.draw(elsewhere | json_values)
        if not paths(header):
            break
    if data.draw(st.booleans()):
        key = data.draw(st.sampled_from(sorted(arrays)))
        spoil = data.draw(
            st.sampled_from(
                [
                    lambda array: array[:-1],
                    lambda array: array.astype(np.float32),
                    lambda array: array.reshape(-1, 1),
                    lambda array: array + 10,
                    lambda array: -array - 1,
                    lambda array: array[:0],
                ]
            )
        )
        arrays[key] = spoil(arrays[key])
    survives(header, arrays)


@pytest.mark.parametrize("header", [None, 5, "network", [], {}, {"layers": []}])
def test_anything_else_is_no_topology(header):
    """Whatever JSON a file may hold."""
    with pytest.raises(nf.ModelFileError):
        topology_from_json(header, {})


@pytest.mark.parametrize("key", sorted(ARRAYS))
def test_a_missing_array_is_missed(key):
    """Every array that was written is needed."""
    with pytest.raises(nf.ModelFileError):
        topology_from_json(HEADER, {k: array for k, array in ARRAYS.items() if k != key})

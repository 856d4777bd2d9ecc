"""Model files: what is saved comes back, what is damaged is refused, what was there is never lost."""

from __future__ import annotations

import io
import json
import subprocess
import sys
import types
import zipfile

import attrs
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import neuralframe as nf


class Curious(nf.NeuralNetwork):
    """Everything a file has to hold: two inputs, sparse and one-to-one joins, shared and frozen weights."""

    def build(self, n_hidden=3):
        left, right = self.input_layer(2), self.input_layer(3)
        shared = nf.Weight(0.25)
        hidden = self.layer(n_hidden, transfer_function=["tanh", "sin", nf.Gaussian(2.0)])
        centres = self.layer(3, input_function=nf.EuclideanRBF(1.5), transfer_function="gaussian")
        out = self.layer(2, transfer_function="softmax")
        self.connect(left, hidden)
        self.connect(right, centres, nf.Sparse([0, 1, 2], [2, 1, 0]))
        self.connect(right, hidden, "one_to_one", frozen=True)
        self.connect(hidden, out)
        self.connect(centres, out)
        self.connect(left.neurons[0], out.neurons[1], weight=shared)
        self.connect(right.neurons[2], out.neurons[0], weight=shared)
        self.learning_rule = nf.GradientDescent(rate=0.03, momentum=0.5)

    def greeting(self):
        return f"{self.n_inputs} inputs"


@pytest.fixture
def path(tmp_path):
    return tmp_path / "model.nf"


def test_everything_comes_back(path):
    net = Curious(seed=4)
    net.save(path)
    back = nf.load(path)
    x = np.random.default_rng(0).standard_normal((9, 5))
    assert type(back) is Curious
    assert back.greeting() == "5 inputs"
    assert back.weights.tobytes() == net.weights.tobytes()
    assert back(x).tobytes() == net(x).tobytes()
    assert back.summary() == net.summary()
    assert back.learning_rule == net.learning_rule
    assert back.parameters.frozen.tolist() == net.parameters.frozen.tolist()
    assert back.layers[4].neurons[1].inputs[-1].weight == back.layers[4].neurons[0].inputs[-1].weight


def test_a_network_that_came_back_learns_on_in_the_same_bits(path):
    data = nf.DataSet(np.random.default_rng(1).standard_normal((40, 5)), np.tile(np.eye(2), (20, 1)))
    net = Curious(seed=4)
    net.save(path)
    back = nf.load(path)
    for network in (net, back):
        network.learn(data, stop=nf.MaxIterations(10))
    assert back.weights.tobytes() == net.weights.tobytes()
    assert back.initialize(seed=9).weights.tobytes() == net.initialize(seed=9).weights.tobytes()


def test_normalizer_and_labels_travel_with_the_network(path, tmp_path):
    csv = tmp_path / "fruit.csv"
    rows = [f"{i},{i * i},{'apple' if i % 3 else 'pear'}" for i in range(30)]
    csv.write_text("size,weight,kind\n" + "\n".join(rows) + "\n")
    data = nf.DataSet.from_csv(csv, "kind")
    net = nf.MultilayerPerceptron.for_data(data.normalized(inputs="standardizer"), 4, seed=0)
    net.learn(data.normalized(inputs="standardizer"), stop=nf.MaxIterations(20))
    net.save(path)
    back = nf.load(path)
    assert back.encoding == net.encoding
    assert list(back.predict(data)) == list(net.predict(data))
    assert set(back.predict(data)) <= {"apple", "pear"}
    np.testing.assert_array_equal(back.predict(data.inputs), back.predict(data))


@pytest.mark.parametrize(
    "network",
    [
        nf.MultilayerPerceptron(2, 3, 1, seed=0),
        nf.Adaline(2, seed=0),
        nf.TwoTowerPerceptron((2, 2), (1, 2), 1, seed=0),
    ],
    ids=lambda network: type(network).__name__,
)
def test_a_fresh_process_opens_each_architecture_as_what_it_was(path, network):
    network.save(path)
    code = "import sys, neuralframe as nf; net = nf.load(sys.argv[1]); print(repr(net), net.learning_rule)"
    done = subprocess.run([sys.executable, "-c", code, str(path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == f"{network!r} {network.learning_rule}"


def test_an_architecture_that_is_not_imported_comes_back_as_a_plain_network(path):
    net = Curious(seed=4)
    net.save(path)
    edit_header(path, lambda header: header.update({"class": "elsewhere:Lost"}))
    back = nf.load(path)
    assert type(back) is nf.NeuralNetwork
    np.testing.assert_array_equal(back(np.ones(5)), net(np.ones(5)))


def test_a_function_that_is_not_imported_is_named_and_its_module_is_not_imported(path):
    nf.MultilayerPerceptron(2, 2, 1, seed=0).save(path)
    sys.modules.pop("antigravity", None)

    def edit(header):
        header["topology"]["layers"][1]["transfer_functions"][0]["type"] = "antigravity:Fly"

    edit_header(path, edit)
    with pytest.raises(nf.ModelFileError, match=r"'antigravity:Fly' is not known here.*import its module"):
        nf.load(path)
    assert "antigravity" not in sys.modules


def test_functions_and_rules_of_ones_own_are_saved_by_name(path):
    @attrs.frozen
    class Cubic(nf.TransferFunction):
        scale: float = 1.0

        def value(self, net):
            return self.scale * net**3

        def derivative(self, net, output):
            return 3 * self.scale * net**2

    net = nf.MultilayerPerceptron(2, 2, 1, hidden=Cubic(0.5), seed=0)
    net.save(path)
    assert nf.load(path).layers[1].transfer_function == Cubic(0.5)


def test_a_function_whose_parameters_cannot_be_written_says_so_and_writes_nothing(path):
    class Odd(nf.TransferFunction):
        def __init__(self):
            self.table = {}

        def value(self, net):
            return net

        def derivative(self, net, output):
            return np.ones_like(net)

    path.write_bytes(b"precious")
    with pytest.raises(nf.ParameterError, match=r"Odd.*attrs"):
        nf.MultilayerPerceptron(2, 1, output=Odd(), seed=0).save(path)
    assert path.read_bytes() == b"precious"


def test_a_failed_write_leaves_the_old_file_and_no_litter(path, monkeypatch):
    import os

    nf.MultilayerPerceptron(2, 1, seed=0).save(path)
    before = path.read_bytes()

    def full(_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", full)
    with pytest.raises(OSError, match="No space"):
        nf.MultilayerPerceptron(2, 1, seed=1).save(path)
    assert path.read_bytes() == before
    assert [file.name for file in path.parent.iterdir()] == ["model.nf"]


@given(st.data())
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_a_flipped_byte_is_refused_or_harmless(tmp_path, data):
    path = tmp_path / "model.nf"
    if not path.exists():
        Curious(seed=4).save(path)
    original = path.read_bytes()
    position = data.draw(st.integers(0, len(original) - 1))
    damaged = bytearray(original)
    damaged[position] ^= data.draw(st.integers(1, 255))
    other = tmp_path / "damaged.nf"
    other.write_bytes(damaged)
    try:
        back = nf.load(other)
    except nf.ModelFileError as problem:
        assert str(other) in str(problem)  # noqa: PT017 - either outcome is right
    else:
        assert back.weights.tobytes() == Curious(seed=4).weights.tobytes()


def test_a_file_cut_short_anywhere_is_refused(path):
    nf.MultilayerPerceptron(3, 2, 1, seed=0).save(path)
    whole = path.read_bytes()
    for length in [0, 1, 10, *range(50, len(whole), 97), len(whole) - 1]:
        path.write_bytes(whole[:length])
        with pytest.raises(nf.ModelFileError, match="damaged"):
            nf.load(path)


def test_a_foreign_file_is_refused(path):
    path.write_text("rings,sex\n")
    with pytest.raises(nf.ModelFileError, match="not a model file"):
        nf.load(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "a zip, but no model")
    with pytest.raises(nf.ModelFileError, match="not a model file"):
        nf.load(path)


def test_a_newer_version_is_refused_with_advice(path):
    nf.MultilayerPerceptron(2, 1, seed=0).save(path)
    edit_header(path, lambda header: header.update(version=99))
    with pytest.raises(nf.ModelFileError, match=r"version 99.*newer neuralframe"):
        nf.load(path)


def test_a_pickle_in_the_file_is_not_opened(path):
    """Numpy stores object arrays as pickles; opening one would run what it says."""
    nf.MultilayerPerceptron(2, 1, seed=0).save(path)
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    trap = np.empty(1, dtype=object)
    trap[0] = types.SimpleNamespace()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            if name != "weights.npy":
                archive.writestr(name, content)
        with archive.open("weights.npy", "w") as member:
            np.lib.format.write_array(member, trap, allow_pickle=True)
    with pytest.raises(nf.ModelFileError, match="Python objects, which are not opened"):
        nf.load(path)


def test_an_array_that_claims_to_be_huge_is_refused_before_memory_is_asked_for(path):
    nf.MultilayerPerceptron(2, 1, seed=0).save(path)
    replace_array(path, "weights", np.zeros(3), claimed=b"(1000000000000,)")
    with pytest.raises(nf.ModelFileError, match="not as long as it says"):
        nf.load(path)


def test_a_header_nested_too_deeply_is_refused(path):
    nf.MultilayerPerceptron(2, 1, seed=0).save(path)
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("network.json", "[" * 100_000 + "]" * 100_000)
    with pytest.raises(nf.ModelFileError, match="damaged"):
        nf.load(path)


def test_an_encoding_that_does_not_fit_the_network_is_refused(path):
    data = nf.DataSet(np.eye(4), np.eye(4)[:, :2] + np.eye(4)[:, 2:]).normalized("standardizer")
    net = nf.MultilayerPerceptron.for_data(data, seed=0)
    net.learn(data, stop=nf.MaxIterations(1))
    net.save(path)
    edit_header(path, lambda header: header["encoding"]["columns"].pop())
    with pytest.raises(nf.ModelFileError):
        nf.load(path)


def test_a_rule_with_an_array_comes_back_with_an_array(path):
    @attrs.frozen(eq=False)
    class PerWeight(nf.LearningRule):
        rates: np.ndarray

        def step(self, objective, last):
            raise AssertionError

    net = nf.MultilayerPerceptron(2, 1, seed=0)
    net.learning_rule = PerWeight(np.array([0.1, 0.2, 0.3]))
    net.save(path)
    np.testing.assert_array_equal(nf.load(path).learning_rule.rates, [0.1, 0.2, 0.3])


def test_an_array_in_column_order_comes_back_as_it_was(path):
    @attrs.frozen(eq=False)
    class Tabled(nf.LearningRule):
        table: np.ndarray

        def step(self, objective, last):
            raise AssertionError

    net = nf.MultilayerPerceptron(2, 1, seed=0)
    net.learning_rule = Tabled(np.asfortranarray([[0, 1, 2], [3, 4, 5]]))
    net.save(path)
    np.testing.assert_array_equal(nf.load(path).learning_rule.table, [[0, 1, 2], [3, 4, 5]])


def test_a_directory_that_points_before_the_file_is_refused(path):
    """Zipfile seeks to a negative place, which is an error of the system."""
    nf.MultilayerPerceptron(2, 1, seed=0).save(path)
    content = bytearray(path.read_bytes())
    end = content.rindex(b"PK\x05\x06")
    content[end + 16 : end + 20] = (2**31 - 1).to_bytes(4, "little")
    path.write_bytes(content)
    with pytest.raises(nf.ModelFileError, match="damaged"):
        nf.load(path)


def test_a_parameter_that_is_not_finite_is_named(path):
    @attrs.frozen
    class Endless(nf.LearningRule):
        rate: float = float("inf")

        def step(self, objective, last):
            raise AssertionError

    net = nf.MultilayerPerceptron(2, 1, seed=0)
    net.learning_rule = Endless()
    with pytest.raises(nf.ParameterError, match=r"Endless\.rate is inf"):
        net.save(path)


def test_weights_that_do_not_fit_or_are_not_finite_are_refused(path):
    nf.MultilayerPerceptron(2, 1, seed=0).save(path)
    for weights, message in [(np.zeros(4), "the network has 3"), (np.array([1.0, np.nan, 0.0]), "finite")]:
        replace_array(path, "weights", weights)
        with pytest.raises(nf.ModelFileError, match=message):
            nf.load(path)


def test_a_missing_file_is_an_os_error(path):
    with pytest.raises(FileNotFoundError):
        nf.load(path)


def test_the_file_is_as_large_as_the_weights_and_little_more(path):
    nf.MultilayerPerceptron(200, 100, 10, seed=0).save(path)
    weights = 8 * (200 * 100 + 100 + 100 * 10 + 10)
    assert weights < path.stat().st_size < weights + 10_000


def edit_header(path, edit):
    with zipfile.ZipFile(path) as archive:
        members = {name: archive.read(name) for name in archive.namelist()}
    header = json.loads(members["network.json"])
    edit(header)
    members["network.json"] = json.dumps(header).encode()
    with zipfile.ZipFile(path, "w") as archive:
        for name, content in members.items():
            archive.writestr(name, content)


def replace_array(path, name, array, claimed=None):
    with zipfile.ZipFile(path) as archive:
        members = {member: archive.read(member) for member in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for member, content in members.items():
            if member != f"{name}.npy":
                archive.writestr(member, content)
        file = io.BytesIO()
        np.lib.format.write_array(file, array)
        content = file.getvalue()
        if claimed is not None:
            shape = repr(array.shape).encode()
            content = content.replace(
                shape + b", }" + b" " * len(claimed), claimed + b", }" + b" " * len(shape)
            )
        archive.writestr(f"{name}.npy", content)

"""``nf.explain``: what would run where, and why."""

from __future__ import annotations

import numpy as np
import pytest

import neuralframe as nf
from neuralframe.exceptions import ChoiceError, ParameterError, ShapeError
from neuralframe.kernels import KERNELS, candidates, make_kernel
from neuralframe.kernels.cuda import shim
from neuralframe.kernels.work import Work
from neuralframe.mapreduce.error_job import ErrorJob
from neuralframe.networks import explanation, learning
from neuralframe.networks.explanation import explain
from neuralframe.networks.preparation import make_evaluator


class Mixed(nf.NeuralNetwork):
    """A full, a sparse, a one-to-one projection and a general input function."""

    def build(self):
        inputs, sparse, twin = self.input_layer(64), self.layer(64), self.layer(64)
        largest, output = self.layer(3, input_function="maximum"), self.layer(2)
        table = np.arange(64)
        self.connect(inputs, sparse, nf.Sparse(table, table[::-1]))
        self.connect(sparse, twin, nf.OneToOne())
        self.connect(twin, largest)
        self.connect(largest, output)


def samples(n, n_inputs, n_outputs, **more):
    return nf.DataSet(np.zeros((n, n_inputs)), np.zeros((n, n_outputs)), **more)


class Enough(Exception):  # noqa: N818 - no error
    """The training has made what it would compute with."""


def evaluator_of(network, data, **given):
    """Return what a training would compute E with; it gets no further."""
    made = []

    def noting(*arguments, **options):
        made.append(make_evaluator(*arguments, **options))
        raise Enough

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(learning, "make_evaluator", noting)
        with pytest.raises(Enough):
            network.learn(data, progress=False, **given)
    return made[0]


@pytest.mark.parametrize("validation", [None, 0.5, "own"])
@pytest.mark.parametrize("engine", ["threads", "mrjob:inline", "mrjob:local"])
@pytest.mark.parametrize("kernel", ["auto", *KERNELS])
def test_the_kernel_named_is_the_one_that_learns(kernel, engine, validation, monkeypatch):
    """The border lies between what is learnt from with and without validation."""
    if kernel in {"auto", "numba"}:
        pytest.importorskip("numba")
    monkeypatch.setattr(shim, "reason_against", lambda: "no device in this test")
    network = nf.MultilayerPerceptron(4, 3, 2, seed=0)
    data = samples(100, 4, 2, block_size=10)
    border = Work(topology=network.topology, n_samples=75)
    monkeypatch.setattr(candidates, "NUMBA_START_UP", candidates.Numba.seconds_saved(border))
    given = {
        "engine": engine,
        "kernel": kernel,
        "validation": samples(9, 4, 2) if validation == "own" else validation,
    }
    found = explain(network, data, **given)
    for sessions in (1, 3):
        evaluator = evaluator_of(network, data, sessions=sessions, **given)
        assert (found.kernel, found.n_samples) == (evaluator.kernel.name, evaluator.blocks.n_samples)
    auto = "numba" if engine != "mrjob:local" and validation != 0.5 else "numpy"
    assert found.kernel == (auto if kernel == "auto" else kernel)


def test_a_training_that_would_be_refused_is_said_to_be(monkeypatch):
    """Without numba there is no kernel of that name, whatever the network and wherever tasks run."""
    monkeypatch.setattr(explanation, "missing", lambda name: f"{name} is not installed")
    network, data = nf.MultilayerPerceptron(8, 160, 3, seed=0), samples(10, 8, 3)
    for engine in ("threads", "mrjob:local"):
        found = explain(network, data, kernel="numba", engine=engine)
        assert found.reason == "asked for, but the training would be refused: numba is not installed"


def test_a_device_may_be_where_the_tasks_are(monkeypatch):
    """The driver's machine need not have one."""
    monkeypatch.setattr(explanation, "missing", lambda name: "" if name == "numpy" else "no driver was found")
    network, data = nf.MultilayerPerceptron(8, 16, 3, seed=0), samples(10, 8, 3)
    found = explain(network, data, kernel="cuda", engine="mrjob:local")
    assert found.reason == "asked for, where tasks have it; here no driver was found"
    assert found.layers[0].way == "on the device, by WeightStationary"


def test_memory_is_what_compiled_code_keeps(monkeypatch):
    """Wide inputs are read where they lie, unless they are cast; and there is a limit."""
    monkeypatch.setattr(explanation, "missing", lambda _: "")
    narrow, wide = (nf.MultilayerPerceptron(n, 4, 2, seed=0) for n in (8, 65))
    assert explain(narrow, samples(100, 8, 2), kernel="numba").working_bytes == 100 * 10 * 8
    assert explain(wide, samples(100, 65, 2), kernel="numba").working_bytes == 100 * 2 * 8
    cast = explain(wide, samples(100, 65, 2), kernel="numba", dtype="float32")
    assert cast.working_bytes == 100 * 67 * 4
    monkeypatch.setattr(candidates, "LAID_OUT_BYTES", 1000)
    assert explain(narrow, samples(100, 8, 2), kernel="numba").working_bytes == 1000


def test_the_others_say_all_that_they_would_have_needed(monkeypatch):
    """The size of the work, and what is missing on this machine."""
    lacks = {"cuda": "no NVIDIA driver was found", "numba": "numba is not installed"}
    monkeypatch.setattr(explanation, "missing", lambda name: lacks.get(name, ""))
    found = explain(nf.MultilayerPerceptron(8, 16, 3, seed=0), samples(4177, 8, 3))
    assert found.alternatives["cuda"].endswith("; no NVIDIA driver was found")
    assert "200 passes over 4,177 samples" in found.alternatives["numba"]
    assert found.alternatives["numba"].endswith("; numba is not installed")


def test_each_layer_says_how_it_is_computed():
    """Wherever the fast way is open it is taken; only a general input function goes by connections."""
    found = explain(Mixed(seed=0), samples(10, 64, 2), kernel="numpy")
    ways = [layer.way for layer in found.layers]
    assert ways[0] == "compressed rows, 64 x 64 from input, 64 connections"
    assert ways[1].startswith("the pattern's own arithmetic, 64 x 64")
    assert ways[2] == "general input function (maximum), connection by connection"
    assert ways[3].startswith("matrix product, 2 x 3")


def test_what_is_fused_says_so(monkeypatch):
    """A kernel that takes all layers at once has one way for them."""
    monkeypatch.setattr(explanation, "KERNELS", {"numpy": "", "numba": ""})
    monkeypatch.setattr(explanation, "missing", lambda _: "")
    data = samples(10, 8, 3)
    narrow = explain(nf.MultilayerPerceptron(8, 16, 3, seed=0), data, kernel="numba")
    wide = explain(nf.MultilayerPerceptron(8, 160, 3, seed=0), data, kernel="numba")
    assert {layer.way for layer in narrow.layers} == {"compiled: one call for all layers, forward and back"}
    assert [layer.way for layer in wide.layers] == [
        "matrix product, 160 x 8 from input",
        "matrix product, 3 x 160 from hidden",
    ]


def test_a_device_names_its_family(monkeypatch):
    """Small networks have their weights in registers."""
    monkeypatch.setattr(explanation, "missing", lambda _: "")
    found = explain(nf.MultilayerPerceptron(8, 16, 3, seed=0), samples(10, 8, 3), kernel="cuda")
    assert {layer.way for layer in found.layers} == {"on the device, by WeightStationary"}


def test_what_was_asked_for_and_cannot_be_had_says_so(monkeypatch):
    """The training does as well, by a warning; numpy computes."""
    monkeypatch.setattr(explanation, "missing", lambda name: "" if name == "numpy" else f"no {name} here")
    found = explain(nf.MultilayerPerceptron(8, 16, 3, seed=0), samples(10, 8, 3), kernel="cuda")
    assert found.reason == "asked for, but numpy computes: no cuda here"
    assert found.layers[0].way == "matrix product, 16 x 8 from input"


def test_what_the_choice_looks_at_can_be_given(monkeypatch):
    """Noise is numpy's, and what is held out is not learnt from."""
    monkeypatch.setattr(explanation, "missing", lambda name: "no device" if name == "cuda" else "")
    network, data = nf.MultilayerPerceptron(8, 16, 3, seed=0), samples(50_000, 8, 3)
    assert explain(network, data).kernel == "numba"
    assert explain(network, data, validation=0.5).kernel == "numpy"
    assert explain(network, data, noise=nf.Dropout(0.5)).kernel == "numpy"
    assert "noise" in explain(network, data, kernel="numba", noise=nf.Dropout(0.5)).reason


def test_figures_are_those_of_the_data_and_the_engine():
    """Blocks, threads, operations and bytes, worked out by hand."""
    network, data = nf.MultilayerPerceptron(8, 16, 3, seed=0), samples(100, 8, 3, block_size=32)
    found = explain(network, data, engine=nf.InProcessEngine(3), dtype="float32")
    assert (found.n_samples, found.n_blocks, found.block_size) == (100, 4, 32)
    assert (found.engine, found.workers, found.dtype) == ("threads", 3, "float32")
    assert found.flops == 100 * (4 * 8 * 16 + 6 * 16 * 3)
    assert found.data_bytes == 100 * 11 * 4
    assert explain(network, data, engine="mrjob:inline").workers is None


def test_it_reads_as_a_text():
    """One line for each thing there is to tell."""
    text = str(explain(nf.MultilayerPerceptron(8, 16, 3, seed=0), samples(100, 8, 3)))
    names = [line.split("  ")[0] for line in text.splitlines()]
    assert names[:2] == ["network", "kernel"]
    assert {"blocks", "engine", "a pass", "memory"} <= set(names)
    assert "8-16-3, 195 weights" in text


def test_nothing_is_computed(monkeypatch):
    """Only plans are made."""
    monkeypatch.setattr(ErrorJob, "map", None)
    monkeypatch.setattr(type(make_kernel("numpy", nf.MultilayerPerceptron(2, 1).topology)), "errors", None)
    assert explain(nf.MultilayerPerceptron(2, 1, seed=0), samples(5, 2, 1)).n_samples == 5


@pytest.mark.parametrize(
    ("options", "error"),
    [
        ({"kernel": "fortran"}, ChoiceError),
        ({"dtype": "float16"}, ChoiceError),
        ({"engine": "abacus"}, ChoiceError),
        ({"validation": 1.0}, ParameterError),
    ],
)
def test_what_there_is_none_of_is_refused(options, error):
    """As `learn` refuses it."""
    with pytest.raises(error):
        explain(nf.MultilayerPerceptron(2, 1, seed=0), samples(5, 2, 1), **options)


def test_data_that_do_not_fit_are_refused():
    """As `learn` refuses them."""
    with pytest.raises(ShapeError):
        explain(nf.MultilayerPerceptron(2, 1, seed=0), samples(5, 3, 1))


def test_a_share_may_be_a_number_of_numpys():
    data = samples(100, 8, 3)
    for share in (np.float32(0.25), np.float64(0.25)):
        assert explain(nf.MultilayerPerceptron(8, 3, seed=0), data, validation=share).n_samples == 75

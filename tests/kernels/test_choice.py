"""``kernel="auto"``: by the size of the work, what is installed, and whether this process computes."""

from __future__ import annotations

import subprocess
import sys

import attrs
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.core.components import is_own
from neuralframe.data.blocks import Blocks, Samples
from neuralframe.exceptions import ChoiceError
from neuralframe.kernels import KERNELS, candidates, narrow_stacks
from neuralframe.kernels.candidates import CANDIDATES, NUMBA_START_UP, SAVED_A_SAMPLE, Numba
from neuralframe.kernels.choice import choose
from neuralframe.kernels.work import TRAINING_PASSES, Work
from neuralframe.networks.preparation import make_evaluator
from neuralframe.networks.resuming import resume
from neuralframe.training.joint_training import train_together
from neuralframe.training.run_directory import RunDirectory

NARROW, WIDE = (8, 16, 3), (784, 500, 10)


def everything(_):
    """Nothing is missing on this machine."""
    return ""


def nothing(name):
    """Only numpy is installed."""
    return "" if name == "numpy" else f"no {name} here"


def no_device(name):
    """There is numba, and no graphics processor."""
    return "no NVIDIA driver was found" if name == "cuda" else ""


def never(name):
    """Nobody has reason to ask."""
    if name != "numpy":
        raise AssertionError(f"asked whether {name} can run")
    return ""


def work(sizes, n_samples, **more):
    return Work(topology=nf.MultilayerPerceptron(*sizes, seed=0).topology, n_samples=n_samples, **more)


@pytest.mark.parametrize("sizes", [NARROW, (32, 5, 1), (400, 25, 10)])
def test_small_data_stay_with_numpy_and_nobody_looks_for_anything_else(sizes):
    """Abalone has 4,177 samples; the wisconsin data sets have fewer."""
    assert choose(work(sizes, 4177), missing=never).name == "numpy"


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_compiled_code_is_taken_from_where_its_start_pays(dtype):
    """The border is worked out by hand from the constants."""
    border = NUMBA_START_UP / TRAINING_PASSES / SAVED_A_SAMPLE[dtype]
    below, above = (work(NARROW, int(border * by), dtype=dtype) for by in (0.99, 1.01))
    assert choose(below, missing=no_device).name == "numpy"
    assert choose(above, missing=no_device).name == "numba"
    assert Numba.seconds_saved(above) == pytest.approx(NUMBA_START_UP, rel=0.011)


@pytest.mark.parametrize("problem", [ImportError("Numba needs NumPy 2.2 or less"), OSError("libLLVM.so")])
def test_compiled_code_that_cannot_be_loaded_is_left_alone(problem, monkeypatch):
    """A numpy that is too new for it is found out when it is imported, which is when it is to be used."""

    def load(name):
        raise problem

    monkeypatch.setattr(candidates, "import_module", load)
    chosen = choose(work(NARROW, 10**6), missing=no_device)
    assert chosen.name == "numpy"
    assert chosen.alternatives["numba"] == f"numba is installed and cannot be loaded: {problem}"


def test_wide_networks_are_as_fast_in_numpy():
    """Their time goes into matrix products."""
    chosen = choose(work(WIDE, 10_000_000), missing=no_device)
    assert chosen.name == "numpy"
    assert "784-500-10" in chosen.alternatives["numba"]


def test_a_graphics_processor_is_taken_for_large_work_where_there_is_one():
    """And the reason why not is the driver where there is none."""
    large = work(NARROW, 10_000_000)
    assert choose(large, missing=everything).name == "cuda"
    assert choose(large, missing=no_device).alternatives["cuda"] == "no NVIDIA driver was found"


def test_with_numpy_alone_everything_is_numpy():
    """The others are named with what they lack."""
    chosen = choose(work(NARROW, 10_000_000), missing=nothing)
    assert chosen.name == "numpy"
    assert chosen.alternatives == {"cuda": "no cuda here", "numba": "no numba here"}


def test_noise_is_numpys():
    """No other kernel computes under it."""
    chosen = choose(work(NARROW, 10_000_000, with_noise=True), missing=never)
    assert chosen.name == "numpy"
    assert set(chosen.alternatives.values()) == {"noise is computed by numpy only"}


def test_a_network_that_is_no_stack_is_numpys():
    """Here with a connection past the hidden layer."""

    class Shortcut(nf.NeuralNetwork):
        def build(self):
            inputs, hidden, output = self.input_layer(3), self.layer(4), self.layer(2)
            self.connect(inputs, hidden)
            self.connect(hidden, output)
            self.connect(inputs, output)

    network = Shortcut(seed=0)
    assert choose(Work(topology=network.topology, n_samples=10**9), missing=everything).name == "numpy"


@given(
    st.lists(st.integers(1, 80), min_size=2, max_size=4),
    st.integers(1, 10**7),
    st.integers(1, 10**3),
    st.sampled_from(["float64", "float32"]),
    st.sets(st.sampled_from(["numba", "cuda"])),
)
def test_more_work_never_goes_back_to_a_slower_start(sizes, n_samples, passes, dtype, missing):
    """Whatever the network: of twice the samples, the kernel is the same or one that is preferred."""

    def lacking(name):
        return "missing" if name in missing else ""

    small, large = (
        choose(work(sizes, n, passes=passes, dtype=dtype), missing=lacking)
        for n in (n_samples, 2 * n_samples)
    )
    order = list(CANDIDATES)
    assert order.index(large.name) <= order.index(small.name)
    assert small.name not in missing


def test_everything_against_a_kernel_can_be_had():
    """The choice needs the first reason only; who asks why wants all."""
    against = list(CANDIDATES["numba"].objections(work((100, 50, 2), 10), nothing))
    assert len(against) == 3
    assert against[-1] == "no numba here"


def test_the_operations_of_a_pass_are_counted_by_hand():
    """8 x 16 connections from the inputs take 4 each, 16 x 3 carry back too and take 6."""
    counted = work(NARROW, 100)
    assert counted.flops_per_sample == 4 * 8 * 16 + 6 * 16 * 3
    assert counted.flops == 100 * counted.flops_per_sample
    assert counted.n_bytes == 100 * (8 + 3) * 8


def test_sparse_connections_are_counted_one_by_one():
    """A neuron by neuron wiring of 2 connections has no more than these."""

    class Thin(nf.NeuralNetwork):
        def build(self):
            inputs, output = self.input_layer(3), self.layer(2)
            self.connect(inputs.neurons[0], output.neurons[0])
            self.connect(inputs.neurons[2], output.neurons[1])

    assert Work(topology=Thin(seed=0).topology, n_samples=1).flops == 4 * 2


HERE = {
    "threads": True,
    "mrjob:inline": True,
    "mrjob:local": False,
    "mrjob:hadoop": False,
    "mrjob:spark": False,
    "spark": False,
}


@pytest.mark.parametrize("engine", HERE)
def test_other_processes_are_given_numpy(engine, monkeypatch):
    """They may have nothing else; however much work there is, here numba is taken and there it is not."""
    pytest.importorskip("numba")
    if engine == "spark":
        pytest.importorskip("pyspark", reason="the Spark engine needs pyspark")
    monkeypatch.setattr(candidates, "NUMBA_START_UP", 1e-9)
    network = nf.MultilayerPerceptron(*NARROW, seed=0)
    blocks = Blocks(Samples(np.zeros((50, 8)), np.zeros((50, 3)), None, 16))
    made = make_evaluator(network, blocks, engine=engine, passes=9)
    assert made.engine.computes_here == HERE[engine]
    assert made.kernel.name == ("numba" if HERE[engine] else "numpy")
    named = make_evaluator(network, blocks, engine=engine, kernel="numba", passes=9)
    assert named.kernel.name == "numba"


def test_trainings_side_by_side_are_computed_where_their_engine_is():
    """Each sees the engine through a seat of its own."""
    for engine in (nf.InProcessEngine(1), nf.MRJobEngine("local")):
        seen = train_together(engine, [lambda seat: seat.computes_here] * 2)
        assert seen == [engine.computes_here] * 2


def test_of_other_processes_nobody_knows_what_they_lack():
    """So the driver's own device does not count, nor is it looked for; numba must be here to be sent."""
    much = work(NARROW, 10_000_000, elsewhere=True)
    chosen = choose(much, missing=never)
    assert chosen.name == "numpy"
    assert chosen.alternatives["cuda"].endswith("name kernel='cuda' if they have it")
    assert CANDIDATES["cuda"].hindrance(much, nothing) == ""
    assert CANDIDATES["numba"].hindrance(much, nothing) == "no numba here"


@pytest.mark.parametrize(
    ("sizes", "name"),
    [((400, 25, 10), "numba"), ((784, 25, 10), "numba"), ((1000, 32, 4), "numpy"), ((4096, 32, 4), "numpy")],
)
def test_a_heavy_first_layer_gains_nothing(sizes, name):
    """It can still be had by its name."""
    much = work(sizes, 500_000)
    assert choose(much, missing=no_device).name == name
    assert CANDIDATES["numba"].hindrance(much, no_device) == ""


def test_one_pass_is_not_a_training():
    """To evaluate a network once nobody waits for a compiler: the same blocks, passed once or often."""
    network = nf.MultilayerPerceptron(*NARROW, seed=0)
    once, often = (
        choose(Work(topology=network.topology, n_samples=10**6, passes=n), missing=no_device).name
        for n in (1, TRAINING_PASSES)
    )
    assert (once, often) == ("numpy", "numba")


def test_a_kernel_that_there_is_none_of_is_refused():
    """With the names of those that there are."""
    network = nf.MultilayerPerceptron(2, 1, seed=0)
    data = nf.DataSet(np.zeros((3, 2)), np.zeros(3))
    with pytest.raises(ChoiceError, match=r"auto, .*numpy"):
        network.learn(data, kernel="fortran", progress=False)


def test_a_training_that_is_resumed_keeps_its_kernel(tmp_path, monkeypatch):
    """Even on a machine where auto would choose another: the last bits are the kernel's."""
    data = nf.DataSet(np.linspace(-1, 1, 40).reshape(20, 2), np.linspace(0, 1, 20))
    network = nf.MultilayerPerceptron(2, 3, 1, seed=0)
    network.learn(data, stop=nf.MaxIterations(3), checkpoint=tmp_path / "run", progress=False)
    header, _ = RunDirectory(tmp_path / "run").read_run()
    assert header["kernel"] in KERNELS
    seen = []

    def asked(given):
        seen.append(given)
        return attrs.evolve(choose(given), name="numpy")

    monkeypatch.setattr("neuralframe.networks.preparation.choose", asked)
    assert resume(tmp_path / "run", data, stop=nf.MaxIterations(5), progress=False).iterations == 5
    assert seen == []


def test_a_training_on_small_data_imports_no_compiler():
    """Nor does looking whether there is one."""
    code = (
        "import sys, numpy as np, neuralframe as nf\n"
        "data = nf.DataSet(np.eye(8), np.eye(8)[:, :3])\n"
        "net = nf.MultilayerPerceptron(8, 16, 3, seed=0)\n"
        "net.learn(data, stop=nf.MaxIterations(2), progress=False)\n"
        "str(nf.explain(net, data))\n"
        "print({name.partition('.')[0] for name in sys.modules} & {'numba', 'numba_cuda', 'llvmlite'})"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


@attrs.frozen
class Cubic(nf.ScalarFunction):
    """A transfer function of the user's own that can be compiled."""

    @staticmethod
    def scalar_value(net):
        return net * net * net

    @staticmethod
    def scalar_derivative(net, output):  # noqa: ARG004 - what it is called with
        return 3 * net * net


class OwnTanh(nf.Tanh):
    """One that may compute otherwise."""


FUNCTIONS = [made() for made in nf.TransferFunction.members().values() if is_own(made)]


@pytest.mark.parametrize("function", [*FUNCTIONS, Cubic(), OwnTanh()], ids=lambda function: function.name)
@pytest.mark.parametrize("error", [None, "sum_of_squares", "mean_absolute", "cross_entropy"])
def test_what_is_said_of_compiled_code_without_importing_it_is_so(function, error):
    """For every transfer function there is, in a hidden layer and as the output."""
    pytest.importorskip("numba")
    from neuralframe.kernels.compiled.stack_plan import StackPlan

    for hidden, output in ((function, "sigmoid"), ("tanh", function)):
        try:
            network = nf.MultilayerPerceptron(3, 4, 2, hidden=hidden, output=output, error=error, seed=0)
        except nf.NeuralFrameError:
            continue  # the two do not go together
        compiled = StackPlan.of(network.topology, np.dtype(np.float64)) is not None
        assert compiled == (narrow_stacks.reason_against(network.topology) == ""), (hidden, output)


def test_which_inputs_are_read_where_they_lie_is_so():
    """Told without importing the compiler, and by the compiled pass itself."""
    plans = pytest.importorskip("neuralframe.kernels.compiled.stack_plan")
    for n_inputs in (64, 65):
        topology = nf.MultilayerPerceptron(n_inputs, 4, 2, seed=0).topology
        assert plans.StackPlan.of(topology, np.dtype(float)).by_rows == narrow_stacks.reads_rows(topology)


def test_what_is_kept_of_blocks_is_known_without_the_compiler():
    """The same limit stands where blocks are kept."""
    calls = pytest.importorskip("neuralframe.kernels.compiled.stack_call")
    assert calls.RESIDENT_BYTES == candidates.LAID_OUT_BYTES

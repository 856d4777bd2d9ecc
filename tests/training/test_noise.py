"""Dropout and input noise: what is drawn, what it does to errors and gradients, and that it repeats."""

from __future__ import annotations

import math

import attrs
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import neuralframe as nf
from neuralframe.core.components import from_json, to_json
from neuralframe.core.noise_draw import Draw, Numbers
from neuralframe.exceptions import LearningRuleError, ParameterError, TopologyError
from neuralframe.kernels import make_kernel
from neuralframe.kernels.numpy_kernel import NumpyKernel
from tests.reference.random_networks import plans

BOTH = (nf.Dropout({"input": 0.1, "hidden": 0.3}), nf.InputNoise(0.2))
SAMPLES = np.random.default_rng(0)
INPUTS = SAMPLES.standard_normal((90, 3))
TARGETS = np.sin(INPUTS[:, :1]) + 0.3 * SAMPLES.standard_normal((90, 1))
DATA = nf.DataSet(INPUTS[:60], TARGETS[:60], block_size=16)
WATCHED = nf.DataSet(INPUTS[60:], TARGETS[60:], block_size=16)


@attrs.frozen
class GaussianDropout(nf.Noise):
    """A noise of the user's own: factors around 1."""

    deviation: float = 0.3

    def factors(self, layer, numbers):
        return None if layer.is_input else 1 + self.deviation * numbers.normal(layer.size)


@attrs.frozen
class Witness(nf.LearningRule):
    """Asks twice for the same, and finds the same; state: whether it always did, and the errors found."""

    def step(self, objective, last):
        (again,) = objective.values(last.weights[np.newaxis])
        error, gradient = objective.value_and_gradient(last.weights - 0.1 * last.gradient)
        errors, gradients = objective.values_and_gradients(np.array([last.weights, last.weights]))
        steady = last.error == again == errors[0] == errors[1]
        steady = steady and np.array_equal(gradients[0], last.gradient)
        told = [] if last.state is None else last.state
        return nf.Iterate(last.weights - 0.1 * last.gradient, error, gradient, [*told, bool(steady)])


def numbers(rows, *, key=(5, 6), place=(0, 1, 2)):
    return Numbers(key, place, np.asarray(rows))


def network(*sizes, **options):
    return nf.MultilayerPerceptron(*(sizes or (3, 8, 1)), seed=1, **options)


def learn(noise=BOTH, n=6, **options):
    return network().learn(DATA, **{"noise": noise, "stop": nf.MaxIterations(n), "seed": 3} | options)


def told(run):
    """Return the bits that a training came to."""
    columns = ("error", "validation_error", "gradient_norm")
    return [
        (session.weights.tobytes(), *(str(session.history.column(name)) for name in columns))
        for session in run.sessions
    ]


# ---------------------------------------------------------------- what is drawn


def test_the_numbers_are_those_of_numpys_generator():
    bits = np.random.Philox(key=[5, 6], counter=[0, 0, 1, 2])
    expected = np.random.Generator(bits).random((7, 5))
    np.testing.assert_array_equal(numbers(range(7)).uniform(5), expected)


@given(st.sets(st.integers(0, 40), max_size=20), st.integers(1, 9))
def test_what_a_sample_gets_does_not_depend_on_the_others(rows, size):
    some = sorted(rows)
    for draw in (Numbers.uniform, Numbers.normal):
        np.testing.assert_array_equal(draw(numbers(some), size), draw(numbers(range(41)), size)[some])


def test_the_numbers_are_uniform_and_normal():
    """Means, deviations and shares below limits, of 200,000 numbers, within five standard errors."""
    uniform, normal = numbers(range(2000)).uniform(100), numbers(range(2000)).normal(100)
    error = 1 / math.sqrt(uniform.size)
    assert 0 <= uniform.min() < 1e-3
    assert 1 - 1e-3 < uniform.max() < 1
    assert abs(uniform.mean() - 0.5) < 5 * error * math.sqrt(1 / 12)
    assert abs(uniform.std() - math.sqrt(1 / 12)) < error
    assert abs(normal.mean()) < 5 * error
    assert abs(normal.std() - 1) < 5 * error
    for limit in (-2, -0.5, 0, 1):
        share = (1 + math.erf(limit / math.sqrt(2))) / 2
        assert abs((normal < limit).mean() - share) < 2.5 * error
    assert np.abs(np.corrcoef(normal[:, :10], rowvar=False) - np.eye(10)).max() < 0.12


def test_another_session_iteration_noise_layer_or_block_draws_others():
    rows = range(20)
    drawn = [numbers(rows).uniform(3)]
    drawn += [numbers(rows, key=key).uniform(3) for key in ((6, 5), (5, 7), (5, 2**64 - 1))]
    drawn += [numbers(rows, place=place).uniform(3) for place in ((1, 1, 2), (0, 2, 2), (0, 1, 3))]
    assert len({part.tobytes() for part in drawn}) == len(drawn)


def test_dropout_switches_off_its_share_and_keeps_the_mean():
    hidden = network(3, 100, 1).topology.layers[1]
    factors = nf.Dropout(0.3).factors(hidden, numbers(range(2000)))
    assert set(np.unique(factors)) == {0.0, 1 / 0.7}
    assert (factors == 0).mean() == pytest.approx(0.3, abs=0.005)
    assert factors.mean() == pytest.approx(1, abs=0.01)


def test_dropout_of_one_share_is_for_hidden_layers_and_of_named_shares_for_those_named():
    topology = network(3, 4, 2, 1).topology
    inputs, first, second, _ = topology.layers
    everywhere, somewhere = nf.Dropout(0.5), nf.Dropout({first.name: 0.2, inputs.name: 0.1})
    assert [everywhere.share_of(layer) for layer in (inputs, first, second)] == [0.0, 0.5, 0.5]
    assert [somewhere.share_of(layer) for layer in (inputs, first, second)] == [0.1, 0.2, 0.0]
    assert everywhere.factors(inputs, numbers([0])) is None
    assert Draw((everywhere,), (1, 2), 0).factors(topology, 0, np.arange(3)) is None


@pytest.mark.parametrize(
    "noise", [nf.Dropout(), nf.Dropout(0.25), nf.Dropout({"a": 0.5, "b": 0}), nf.InputNoise(2.0)]
)
def test_survives_json(noise):
    assert from_json(to_json(noise)) == noise
    assert hash(from_json(to_json(noise))) == hash(noise)


@pytest.mark.parametrize("share", [1, -0.1, math.nan, "half", {"hidden": 1.5}])
def test_a_share_that_is_none_is_refused(share):
    with pytest.raises(ParameterError, match="share must be a finite number"):
        nf.Dropout(share)


# ---------------------------------------------------------------- errors and gradients under noise


def under_noise(net, data, noises, key=(1, 1)):
    """Return the summed error and its gradient with the noise of a session and an iteration."""
    kernel = make_kernel("numpy", net.topology)
    sums = [
        kernel.noisy(Draw(tuple(noises), key, block.number)).errors_and_gradients(
            net.weights[np.newaxis], block.inputs, block.targets, block.sample_weights
        )
        for block in data.blocks
    ]
    return sum(error[0] for error, _ in sums), sum(gradient[0] for _, gradient in sums)


def test_a_masked_network_is_the_network_without_the_neurons_dropped():
    """Sample by sample: the weights out of a dropped neuron are 0, those out of the others are doubled."""
    net = network(3, 6, 4, 2, output="softmax")
    topology = net.topology
    inputs, targets = SAMPLES.standard_normal((9, 3)), np.eye(2)[SAMPLES.integers(0, 2, 9)]
    draw = Draw((nf.Dropout(0.5),), (3, 4), 0)
    masks = [draw.factors(topology, layer, np.arange(9)) for layer in (1, 2)]
    assert 0 < sum((mask == 0).sum() for mask in masks) < 90
    expected = 0.0
    for sample in range(9):
        thinned = network(3, 6, 4, 2, output="softmax")
        for spec, mask in zip(topology.projections[1:], masks, strict=True):
            block = thinned.weights[topology.block(spec)].reshape(-1, len(mask))
            thinned.weights[topology.block(spec)] = (block * mask[:, sample]).reshape(-1)
        one = nf.DataSet(inputs[sample : sample + 1], targets[sample : sample + 1])
        expected += nf.error_and_gradient(thinned, one)[0]
    found, _ = under_noise(net, nf.DataSet(inputs, targets), [nf.Dropout(0.5)], key=(3, 4))
    assert found == pytest.approx(expected, rel=1e-12)


@given(plan=plans(smooth=True))
@settings(max_examples=20)
def test_the_gradient_is_the_slope_of_the_disturbed_error(plan):
    """Of every network that can be wired, with the noise held fast."""
    net = plan.network()
    data = plan.data(net)
    noises = (nf.Dropout(0.4), nf.InputNoise(0.1), GaussianDropout())
    _, gradient = under_noise(net, data, noises)
    start, slopes = net.weights.copy(), np.empty_like(gradient)
    for i in range(len(start)):
        found = []
        for shift in (-2e-3, -1e-3, 1e-3, 2e-3):
            net.weights[:] = start
            net.weights[i] += shift
            found.append(under_noise(net, data, noises)[0])
        slopes[i] = (8 * (found[2] - found[1]) - (found[3] - found[0])) / 12e-3
    scale = max(np.linalg.norm(gradient), np.linalg.norm(slopes), 1e-6)
    assert np.linalg.norm(gradient - slopes) / scale < 1e-6


def _linear():
    """Return a linear network without hidden neurons, its data, slopes and the mean squares of inputs."""
    net = nf.MultilayerPerceptron(3, 1, seed=0)
    squares = np.mean(INPUTS**2, axis=0)
    slopes = net.weights[:3]
    return net, nf.DataSet(INPUTS, TARGETS, block_size=30), slopes, squares


@pytest.mark.parametrize(
    ("noise", "added"),
    [
        # Srivastava et al. 2014, section 9.1: dropped inputs of a linear unit are a scaled ridge
        (nf.Dropout({"input": 0.4}), lambda w, squares: 0.5 * 0.4 / 0.6 * np.sum(w**2 * squares)),
        # Bishop 1995: noise on the inputs of a linear unit is weight decay
        (nf.InputNoise(0.5), lambda w, _: 0.5 * 0.25 * np.sum(w**2)),
    ],
    ids=["dropout", "input noise"],
)
def test_in_the_mean_noise_on_a_linear_unit_is_the_penalty_of_the_theory(noise, added):
    """Of 600 draws, error and gradient are the clean ones and the penalty's, within four standard errors."""
    net, data, slopes, squares = _linear()
    clean, clean_gradient = nf.error_and_gradient(net, data)
    drawn = [under_noise(net, data, [noise], key=(7, n)) for n in range(600)]
    errors = np.array([error for error, _ in drawn]) / len(INPUTS)
    gradients = np.array([gradient for _, gradient in drawn]) / len(INPUTS)
    four = 4 / math.sqrt(len(drawn))
    assert abs(errors.mean() - clean - added(slopes, squares)) < four * errors.std()
    ridge = np.append(_slope(added, slopes, squares), 0.0)
    assert (abs(gradients.mean(0) - clean_gradient - ridge) < four * gradients.std(0) + 1e-12).all()


def _slope(added, weights, squares):
    shifts = 1e-6 * np.eye(len(weights))
    return np.array([added(weights + s, squares) - added(weights - s, squares) for s in shifts]) / 2e-6


def test_the_mean_of_masked_outputs_of_a_linear_network_is_its_clean_output():
    """Hidden neurons of a linear network: with targets 0 the gradient of the bias is the sum of outputs."""
    net = nf.MultilayerPerceptron(3, 6, 1, hidden="linear", seed=2)
    data = nf.DataSet(INPUTS, np.zeros((90, 1)), block_size=30)
    outputs = [under_noise(net, data, [nf.Dropout(0.5)], key=(n, 0))[1][-1] for n in range(600)]
    assert abs(np.mean(outputs) - net(INPUTS).sum()) < 4 * np.std(outputs) / math.sqrt(600)


def test_samples_of_weight_0_leave_the_noise_of_the_others_alone():
    weights = np.tile([1.0, 0.0, 2.0], 20)
    some = np.flatnonzero(weights)
    net = network()
    kernel, vector = make_kernel("numpy", net.topology), net.weights[np.newaxis]
    noisy = kernel.noisy(Draw(BOTH, (1, 2), 3))
    found = noisy.errors(vector, INPUTS[:60], TARGETS[:60], weights)
    each = [
        noisy.errors(vector, INPUTS[:60], TARGETS[:60], np.where(np.arange(60) == i, weights, 0.0))[0]
        for i in some
    ]
    assert found[0] == pytest.approx(sum(each), rel=1e-13)
    assert noisy.errors(vector, INPUTS[:60], TARGETS[:60], np.zeros(60))[0] == 0


def test_how_a_kernel_cuts_a_block_does_not_change_the_noise(monkeypatch):
    whole = under_noise(network(), DATA, BOTH)
    monkeypatch.setattr("neuralframe.kernels.chunks.MAX_CHUNK", 4)
    error, gradient = under_noise(network(), DATA, BOTH)
    assert error == pytest.approx(whole[0], rel=1e-13)
    np.testing.assert_allclose(gradient, whole[1], rtol=1e-11)


def test_float32_meets_the_same_noise():
    net = network()
    found = [
        make_kernel("numpy", net.topology, dtype)
        .noisy(Draw(BOTH, (1, 2), 3))
        .errors_and_gradients(net.weights[np.newaxis], INPUTS, TARGETS)
        for dtype in ("float64", "float32")
    ]
    np.testing.assert_allclose(found[1][0], found[0][0], rtol=1e-5)
    np.testing.assert_allclose(found[1][1], found[0][1], rtol=1e-3, atol=1e-4)


def test_a_noisy_kernel_leaves_the_kernel_it_was_made_from_alone():
    kernel = make_kernel("numpy", network().topology)
    arguments = (network().weights[np.newaxis], INPUTS, TARGETS)
    before = kernel.errors(*arguments)
    assert kernel.noisy(Draw(BOTH, (1, 2), 3)).errors(*arguments) != before
    assert kernel.errors(*arguments) == before


# ---------------------------------------------------------------- training under noise


@pytest.fixture(scope="module")
def on_one_thread():
    return learn(engine=nf.InProcessEngine(1), sessions=2, validation=WATCHED)


@pytest.mark.parametrize("engine", [nf.InProcessEngine(2), "mrjob:inline"], ids=["two threads", "inline"])
def test_the_same_bits_on_any_engine(engine, on_one_thread):
    run = learn(engine=engine, sessions=2, validation=WATCHED)
    assert told(run) == told(on_one_thread)


def test_the_noise_follows_from_the_seed(on_one_thread):
    assert told(learn(sessions=2, validation=WATCHED)) == told(on_one_thread)
    assert told(learn(sessions=2, validation=WATCHED, seed=4)) != told(on_one_thread)


def test_sessions_meet_noise_of_their_own_whoever_else_is_trained(on_one_thread):
    """The first session is what it would be alone; from the same weights another one goes elsewhere."""
    assert told(learn(validation=WATCHED)) == told(on_one_thread)[:1]
    net = network()
    for layer in net.layers[1:]:
        layer.freeze()
    options = {"noise": BOTH, "stop": nf.MaxIterations(0), "seed": 3, "sessions": 2}
    first, second = net.learn(DATA, **options).sessions
    assert np.array_equal(first.weights, second.weights)
    assert first.history[0].error != second.history[0].error


def test_equal_blocks_meet_different_noise():
    once = nf.DataSet(INPUTS[:16], TARGETS[:16], block_size=16)
    twice = nf.DataSet(np.tile(INPUTS[:16], (2, 1)), np.tile(TARGETS[:16], (2, 1)), block_size=16)
    options = {"noise": nf.Dropout(0.5), "stop": nf.MaxIterations(0), "seed": 3}
    errors = [network().learn(data, **options).error for data in (once, twice)]
    assert abs(errors[0] - errors[1]) > 1e-3


@pytest.mark.parametrize("rule", ["resilient_propagation", "stochastic_gradient_descent", "lbfgs"])
def test_a_resumed_training_meets_the_same_noise(tmp_path, rule):
    learn(n=3, rule=rule, checkpoint=tmp_path / "run", sessions=2)
    again = nf.resume(tmp_path / "run", DATA, stop=nf.MaxIterations(6))
    assert told(again) == told(learn(rule=rule, sessions=2))


def test_validation_and_predictions_are_not_disturbed():
    run = learn(validation=WATCHED)
    assert run.validation_error == nf.error_and_gradient(run.network, WATCHED)[0]
    assert run.error != nf.error_and_gradient(run.network, DATA)[0]
    clean = learn((), validation=WATCHED)
    assert run.history[0].validation_error == clean.history[0].validation_error
    assert clean.error == nf.error_and_gradient(clean.network, DATA)[0]


def test_an_iteration_has_one_noise_and_the_next_another():
    """A rule that compares errors finds them comparable; that costs a job before each step."""
    run = learn(rule=Witness(), n=4)
    assert run.best.last.state == [True] * 4
    assert run.jobs == 1 + 4 * 4
    still = learn(rule=nf.GradientDescent(1e-300), n=5)
    assert len(set(still.history.column("error"))) == 6
    assert still.jobs == 6


def test_a_conjugate_gradient_gets_on_under_noise():
    run = learn((nf.Dropout(0.2), nf.InputNoise(0.1)), rule="conjugate_gradient", n=15, validation=WATCHED)
    assert run.validation_error < 0.7 * run.history[0].validation_error


@pytest.mark.parametrize("rule", ["levenberg_marquardt", "truncated_newton"])
def test_rules_of_second_derivatives_meet_the_same_noise_on_any_engine(rule):
    """What they sum goes through the disturbed network as well."""
    (inline,) = told(learn(rule=rule, n=3, engine="mrjob:inline"))
    assert told(learn(rule=rule, n=3)) == [inline]
    assert told(learn((), rule=rule, n=3)) != [inline]


def test_second_derivatives_are_those_of_the_disturbed_error():
    """The product with the Hessian is the difference of disturbed gradients."""
    net, step = network(3, 5, 4, 1), 1e-5
    kernel = make_kernel("numpy", net.topology).noisy(Draw((nf.Dropout(0.4), nf.InputNoise(0.1)), (1, 2), 3))
    direction = np.random.default_rng(5).standard_normal(len(net.weights))
    (product,) = kernel.hessian_products(net.weights, direction[np.newaxis], INPUTS, TARGETS)
    shifted = net.weights + step * np.array([[1.0], [-1.0]]) * direction
    _, gradients = kernel.errors_and_gradients(shifted, INPUTS, TARGETS)
    np.testing.assert_allclose(product, (gradients[0] - gradients[1]) / (2 * step), rtol=1e-6, atol=1e-6)


def test_noise_is_checked_before_training_begins():
    with pytest.raises(TopologyError, match=r"called 'hiden'; there are hidden, input"):
        learn(nf.Dropout({"hiden": 0.5}))
    with pytest.raises(TopologyError, match="no input or hidden layer is called 'output'"):
        learn(nf.Dropout({"output": 0.5}))
    for wrong in (0.5, "dropout", [nf.Dropout(), 1]):
        with pytest.raises(ParameterError, match=r"noise takes nf\.Dropout\(0\.5\)"):
            learn(wrong)


def test_a_kernel_that_knows_no_noise_says_so(monkeypatch):
    monkeypatch.delattr(NumpyKernel, "noisy")
    with pytest.raises(LearningRuleError, match="the kernel 'numpy' computes without noise"):
        learn()


def test_dropout_makes_a_network_too_large_generalise_better():
    """On 60 samples, 60 hidden neurons: over three seeds the validation error ends lower in the mean."""
    ends = {}
    for noise in (None, nf.Dropout(0.5)):
        runs = [
            nf.MultilayerPerceptron(3, 60, 1, seed=seed).learn(
                DATA, validation=WATCHED, noise=noise, stop=nf.MaxIterations(150), seed=seed
            )
            for seed in range(3)
        ]
        ends[noise] = np.mean([run.validation_error for run in runs])
    assert ends[nf.Dropout(0.5)] < ends[None]


@pytest.mark.parametrize("given", [[0.2, 0.5], "half", {"hidden": "half"}, 1.0])
def test_shares_that_are_none_are_refused(given):
    with pytest.raises(ParameterError, match="Dropout"):
        nf.Dropout(given)


def test_dropout_without_anything_to_drop_is_refused():
    with pytest.raises(TopologyError, match="no hidden layer"):
        nf.MultilayerPerceptron(3, 1, seed=0).learn(DATA, noise=nf.Dropout(0.5), stop=nf.MaxIterations(1))

"""Training: sessions, events, history, stopping, pausing, divergence."""

from __future__ import annotations

import threading

import attrs
import numpy as np
import pytest

import neuralframe as nf
from neuralframe.training.rendezvous import Rendezvous


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    x = generator.standard_normal((120, 4))
    return nf.DataSet(x, np.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3], block_size=32)


@pytest.fixture
def net():
    return nf.MultilayerPerceptron(4, 6, 1, seed=1)


@attrs.frozen
class Recorder(nf.LearningRule):
    """Moves by a fixed step and evaluates a few candidates, as a line search does."""

    candidates: int = 3

    def step(self, objective, last):
        trials = last.weights + 0.01 * np.arange(1, self.candidates + 1)[:, None]
        best = trials[np.argmin(objective.values(trials))]
        error, gradient = objective.value_and_gradient(best)
        return nf.Iterate(best, error, gradient)


@attrs.frozen
class LongerForLater(nf.LearningRule):
    """Asks as often as the objective's generator says, so that sessions differ in their number of jobs."""

    def step(self, objective, last):
        for _ in range(int(objective.random.integers(0, 4))):
            objective.value(last.weights)
        weights = last.weights - 0.05 * last.gradient
        return nf.Iterate(weights, *objective.value_and_gradient(weights))


def test_the_history_has_a_record_for_the_start_and_each_iteration(net, data):
    run = net.learn(data, stop=nf.MaxIterations(7))
    assert [record.iteration for record in run.history] == list(range(8))
    assert run.iterations == 7
    assert run.stopped_by == "reached 7 iterations"
    assert list(run.history.column("jobs")) == list(range(1, 9))
    assert (np.diff(run.history.column("seconds")) >= 0).all()


def test_the_reported_error_is_the_one_at_the_weights_that_are_kept(net, data):
    run = net.learn(data, stop=nf.MaxIterations(7), decay=0.01)
    error, gradient = nf.error_and_gradient(net, data, decay=0.01)
    assert run.error == error
    assert run.history[-1].gradient_norm == pytest.approx(np.linalg.norm(gradient), rel=1e-12)
    assert run.history[-1].penalty == pytest.approx(run.error - nf.error_and_gradient(net, data)[0], rel=1e-9)


def test_decay_spares_the_biases(net, data):
    is_bias = net.topology.is_bias
    assert is_bias.sum() == 7
    expected = 0.25 * np.sum(net.weights[~is_bias] ** 2)
    found = nf.error_and_gradient(net, data, decay=0.5)[0] - nf.error_and_gradient(net, data)[0]
    assert found == pytest.approx(expected, rel=1e-12)


def test_a_session_among_others_takes_the_course_it_would_take_alone(data):
    """Sessions share jobs; what each computes does not depend on the others."""
    alone = nf.MultilayerPerceptron(4, 6, 1, seed=1)
    together = nf.MultilayerPerceptron(4, 6, 1, seed=1)
    first = alone.learn(data, stop=nf.MaxIterations(20), seed=5)
    run = together.learn(data, stop=nf.MaxIterations(20), seed=5, sessions=4)
    assert run.sessions[0].weights.tobytes() == first.best.weights.tobytes()
    assert len({session.weights.tobytes() for session in run.sessions}) == 4
    assert run.best is min(run.sessions, key=lambda session: session.history[-1].error)
    assert together.weights.tobytes() == run.best.weights.tobytes()


@pytest.mark.parametrize(("rule", "per_iteration"), [(nf.ResilientPropagation(), 1), (Recorder(), 2)])
def test_eight_sessions_need_no_more_jobs_than_one(net, data, rule, per_iteration):
    run = net.learn(data, rule=rule, stop=nf.MaxIterations(5), sessions=8, seed=0)
    assert run.jobs == 1 + 5 * per_iteration


def test_sessions_that_ask_unequally_often_still_end_and_repeat(data):
    finals = []
    for _ in range(2):
        net = nf.MultilayerPerceptron(4, 6, 1, seed=1)
        run = net.learn(data, rule=LongerForLater(), stop=nf.MaxIterations(10), sessions=5, seed=3)
        finals.append([session.weights.tobytes() for session in run.sessions])
    assert finals[0] == finals[1]


def test_each_session_stops_on_its_own(data):
    net = nf.MultilayerPerceptron(4, 6, 1, seed=1)
    run = net.learn(data, stop=[nf.ErrorGoal(0.2), nf.MaxIterations(60)], sessions=4, seed=0)
    lengths = [session.history[-1].iteration for session in run.sessions]
    assert len(set(lengths)) > 1
    for session in run.sessions:
        assert (session.history[-1].error <= 0.2) == ("error" in session.stopped_by)


def test_an_error_in_one_session_reaches_the_caller(net, data):
    @attrs.frozen
    class Breaking(nf.LearningRule):
        def step(self, objective, last):
            if objective.random.integers(0, 2):
                raise ZeroDivisionError("a bug in a rule")
            return nf.Iterate(last.weights, *objective.value_and_gradient(last.weights))

    before = net.weights.copy()
    with pytest.raises(ZeroDivisionError, match="a bug in a rule"):
        net.learn(data, rule=Breaking(), sessions=6, seed=0)
    assert np.isfinite(net.weights).all()
    assert net.weights.shape == before.shape


def test_sessions_that_never_begin_are_not_waited_for(net, data, monkeypatch):
    """The system may refuse a thread, or Ctrl-C come between two."""
    from concurrent.futures import ThreadPoolExecutor

    submit, begun = ThreadPoolExecutor.submit, []

    def reluctant(self, *arguments):
        if self._thread_name_prefix == "session":
            begun.append(1)
            if len(begun) == 4:
                raise RuntimeError("can't start new thread")
        return submit(self, *arguments)

    monkeypatch.setattr(ThreadPoolExecutor, "submit", reluctant)
    with pytest.raises(RuntimeError, match="new thread"):
        net.learn(data, sessions=8, seed=0)


def test_a_job_that_fails_reaches_the_caller_from_every_session():
    def broken(questions):
        raise ZeroDivisionError(f"{len(questions)} questions")

    meeting = Rendezvous(broken, 3)
    caught = []

    def ask(number):
        try:
            meeting.ask(number, number)
        except ZeroDivisionError as problem:
            caught.append(str(problem))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(timeout=10)
    assert caught == ["3 questions"] * 3


def test_listeners_hear_every_iteration_and_the_end(net, data):
    events = []
    net.learn(data, stop=nf.MaxIterations(3), listeners=[events.append])
    assert [type(event).__name__ for event in events] == ["IterationFinished"] * 4 + ["LearningStopped"]
    assert events[-1].reason == "reached 3 iterations"
    assert str(events[1]).startswith("iteration 1  error ")
    assert str(events[-1]).startswith("stopped: reached 3 iterations")


def test_print_is_a_listener(net, data, capsys):
    net.learn(data, stop=nf.MaxIterations(2), listeners=print)
    assert capsys.readouterr().out.count("iteration ") == 4


def test_a_listener_can_stop_the_training(net, data):
    def listener(event):
        if isinstance(event, nf.IterationFinished) and event.record.iteration == 4:
            event.control.stop("seen enough")

    run = net.learn(data, listeners=[listener])
    assert (run.iterations, run.stopped_by) == (4, "seen enough")


def test_another_thread_can_pause_and_stop_a_paused_training(net, data):
    control, reached, iterations = nf.TrainingControl(), threading.Event(), []

    def listener(event):
        iterations.append(event.record.iteration)
        if len(iterations) == 5:
            control.pause()
            reached.set()

    runs = []
    options = {"control": control, "listeners": [listener], "stop": nf.MaxSeconds(60)}
    thread = threading.Thread(target=lambda: runs.append(net.learn(data, **options)))
    thread.start()
    assert reached.wait(timeout=10)
    thread.join(timeout=0.2)
    assert thread.is_alive()
    assert control.is_paused
    assert len(iterations) == 5
    control.stop()
    thread.join(timeout=10)
    assert runs[0].stopped_by == "stopped by request"
    assert runs[0].iterations == 4


def test_a_pause_is_no_training_time(net, data):
    import time

    def listener(event):
        if event.record.iteration == 1:
            event.control.pause()
            threading.Timer(0.3, event.control.resume).start()

    started = time.perf_counter()
    run = net.learn(data, stop=nf.MaxIterations(2), listeners=[listener])
    assert time.perf_counter() - started >= 0.3
    assert run.seconds <= time.perf_counter() - started - 0.29


def test_a_diverging_training_warns_and_keeps_the_last_finite_weights(net, data):
    with pytest.warns(nf.DivergenceWarning, match="diverged"):
        run = net.learn(data, rule=nf.GradientDescent(rate=1e6), stop=nf.MaxIterations(500))
    assert run.stopped_by.startswith("diverged: the error became")
    assert np.isfinite(net.weights).all()
    assert np.isfinite(run.error)


def test_an_error_that_is_infinite_from_the_start_is_refused(data):
    net = nf.Adaline(4, seed=0)
    net.weights[:] = 1e200
    before = net.weights.copy()
    with pytest.raises(nf.NonFiniteError, match="initial weights"):
        net.learn(data)
    np.testing.assert_array_equal(net.weights, before)


def test_a_session_with_a_wild_start_does_not_end_the_others(data):
    class Wild(nf.Initializer):
        def draw(self, fan, random):
            scale = 1e200 if random.integers(0, 2) else 0.1
            return np.full((fan.n_out, fan.n_in), scale), np.zeros(fan.n_out)

    net = nf.MultilayerPerceptron(4, 1, initializer=Wild(), seed=0)
    net.weights[:] = 0.1
    with pytest.warns(nf.DivergenceWarning, match="iteration 0") as caught:
        run = net.learn(data, sessions=6, stop=nf.MaxIterations(3), seed=0)
    diverged = [session for session in run.sessions if session.diverged]
    assert 0 < len(diverged) == len(caught) < 6
    assert all(not session.history for session in diverged)
    assert run.iterations == 3
    assert caught[0].filename == __file__


@pytest.mark.parametrize("returned", [3, (np.zeros(43), 0.5), nf.Iterate(np.zeros(7), 0.5)])
def test_a_rule_that_returns_something_else_is_told(net, data, returned):
    class Odd(nf.LearningRule):
        def step(self, objective, last):
            return returned

    with pytest.raises(nf.ParameterError, match=r"Odd must return an nf\.Iterate with 37 weights"):
        net.learn(data, rule=Odd())


def test_a_transfer_function_that_returns_another_shape_is_named(data):
    class Summing(nf.TransferFunction):
        def value(self, net):
            return net.sum(axis=1, keepdims=True)

        def derivative(self, net, output):
            return np.ones_like(net)

    with pytest.raises(nf.ShapeError, match=r"Summing\.value must return"):
        nf.MultilayerPerceptron(4, 3, 1, hidden=Summing(), seed=0)(data.inputs)


def test_a_failed_training_leaves_weights_and_encoding_as_they_were(net, data):
    @attrs.frozen
    class Failing(nf.LearningRule):
        def start(self, objective, weights):
            raise ZeroDivisionError

        def step(self, objective, last):
            raise AssertionError

    net.learn(data.normalized("standardizer"), stop=nf.MaxIterations(2))
    before, encoding = net.weights.copy(), net.encoding
    with pytest.raises(ZeroDivisionError):
        net.learn(data.normalized("min_max_scaler"), rule=Failing())
    np.testing.assert_array_equal(net.weights, before)
    assert net.encoding is encoding


def test_watching_a_validation_set_does_not_change_a_bit_of_the_training(data):
    finals = set()
    for validation in (None, data):
        net = nf.MultilayerPerceptron(4, 6, 1, seed=1)
        net.learn(data.with_block_size(11), validation=validation, stop=nf.MaxIterations(20))
        finals.add(net.weights.tobytes())
    assert len(finals) == 1


def test_validation_data_are_prepared_as_the_training_data_were(net, data):
    run = net.learn(data.normalized("standardizer"), validation=data, stop=nf.MaxIterations(3))
    assert run.validation_error == pytest.approx(run.error, rel=1e-12)
    with pytest.raises(nf.DataError, match="other statistics"):
        net.learn(data.normalized("standardizer"), validation=data.normalized("min_max_scaler"))


def test_a_session_whose_validation_error_is_not_a_number_is_not_the_best():
    from neuralframe.networks.training_run import _standing
    from neuralframe.training.history import History
    from neuralframe.training.session import Session

    def session(validation_error):
        record = nf.IterationRecord(0, 0, 1.0, 0.0, validation_error, None, 1, 0.0)
        return Session(0, None, None, history=History([record]))

    sessions = [session(float("nan")), session(0.5), session(0.1), Session(0, None, None)]
    assert min(sessions, key=_standing) is sessions[2]


def test_an_interrupted_training_leaves_the_network_what_it_learned(net, data):
    def listener(event):
        if event.record.iteration == 6:
            raise KeyboardInterrupt

    start = nf.error_and_gradient(net, data)[0]
    with pytest.raises(KeyboardInterrupt):
        net.learn(data, listeners=[listener])
    assert nf.error_and_gradient(net, data)[0] < start


def test_frozen_weights_stay_whatever_the_rule_does(data):
    @attrs.frozen
    class Shaking(nf.LearningRule):
        def step(self, objective, last):
            weights = last.weights + objective.random.standard_normal(objective.n_weights)
            return nf.Iterate(weights, *objective.value_and_gradient(weights))

    net = nf.MultilayerPerceptron(4, 6, 1, seed=1)
    net.layers[1].freeze()
    hidden, output = net.layers[1].weights.copy(), net.layers[2].weights.copy()
    net.learn(data, rule=Shaking(), stop=nf.MaxIterations(3), sessions=2, seed=0)
    np.testing.assert_array_equal(net.layers[1].weights, hidden)
    assert not np.array_equal(net.layers[2].weights, output)


def test_a_validation_share_is_held_out_and_its_error_reported(net, data):
    run = net.learn(data, validation=0.25, stop=nf.MaxIterations(5), seed=2)
    training, validation = data.split(0.75, seed=2)
    assert run.validation_error == pytest.approx(nf.error_and_gradient(net, validation)[0], rel=1e-12)
    assert run.error == pytest.approx(nf.error_and_gradient(net, training)[0], rel=1e-12)
    assert run.jobs == 6


def test_history_is_a_table(net, data, tmp_path):
    run = net.learn(data, stop=nf.MaxIterations(30))
    run.history.to_csv(tmp_path / "history.csv")
    lines = (tmp_path / "history.csv").read_text().splitlines()
    assert lines[0] == "session,iteration,error,penalty,validation_error,gradient_norm,jobs,seconds"
    assert [float(line.split(",")[2]) for line in lines[1:]] == list(run.history.column("error"))
    assert "... 11 more ..." in str(run.history)
    assert len(run.history[5:]) == 26
    with pytest.raises(nf.ChoiceError, match="gradient_norm"):
        run.history.column("gradient")


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"rule": "rprop"}, nf.ChoiceError, "resilient_propagation"),
        ({"engine": "hadoop"}, nf.ChoiceError, "threads"),
        ({"kernel": "nunpy"}, nf.ChoiceError, "Did you mean 'numpy'"),
        ({"dtype": "float16"}, nf.ChoiceError, "float32"),
        ({"decay": -1}, nf.ParameterError, "decay"),
        ({"sessions": 0}, nf.ParameterError, "sessions"),
        ({"validation": 1.5}, nf.ParameterError, "validation"),
        ({"stop": [200]}, nf.ParameterError, "nf.MaxIterations"),
        ({"stop": 200}, nf.ParameterError, "nf.MaxIterations"),
        ({"stop": nf.MaxIterations}, nf.ParameterError, "nf.MaxIterations"),
        ({"stop": "max_iterations"}, nf.ParameterError, "'max_iterations'"),
        ({"stop": []}, nf.ParameterError, "one or more"),
        ({"validation": "x"}, nf.ParameterError, "share"),
        ({"listeners": 3}, nf.ParameterError, "functions of an event"),
        ({"control": 3}, nf.ParameterError, "TrainingControl"),
        ({"progress": "x"}, nf.ParameterError, "progress"),
        ({"seed": -1}, nf.ParameterError, "seed"),
        ({"seed": "a"}, nf.ParameterError, "seed"),
    ],
)
def test_bad_options_say_what_would_be_good(net, data, options, error, message):
    before = net.weights.copy()
    with pytest.raises(error, match=message):
        net.learn(data, **options)
    np.testing.assert_array_equal(net.weights, before)


def test_data_that_do_not_fit_are_refused(data):
    with pytest.raises(nf.ShapeError, match="5 inputs; the data set has 4"):
        nf.MultilayerPerceptron(5, 1).learn(data)
    with pytest.raises(nf.ShapeError, match="2 outputs; the data set has 1"):
        nf.MultilayerPerceptron(4, 2).learn(data)
    with pytest.raises(nf.DataError, match="row"):
        nf.MultilayerPerceptron(4, 1, output="sigmoid").learn(data)
    broken = nf.MultilayerPerceptron(4, 1)
    broken.weights[2] = np.nan
    with pytest.raises(nf.NonFiniteError, match=r"weights.*position 2"):
        broken.learn(data)


def test_training_on_one_class_only_is_refused():
    one = nf.DataSet(np.ones((4, 2)), np.tile([0.0, 1.0], (4, 1)))
    net = nf.MultilayerPerceptron(2, 2, output="softmax", seed=0)
    with pytest.raises(nf.DataError, match="one class only"):
        net.learn(one)
    assert np.isfinite(nf.error_and_gradient(net, one)[0])


def test_float32_training_comes_close_to_float64(data):
    errors = []
    for dtype in ("float64", "float32"):
        net = nf.MultilayerPerceptron(4, 6, 1, seed=1)
        errors.append(net.learn(data, dtype=dtype, stop=nf.MaxIterations(10)).error)
    assert errors[0] != errors[1]
    assert errors[1] == pytest.approx(errors[0], rel=1e-4)


def test_a_signal_handler_can_stop_a_training_wherever_it_interrupts_it():
    """It runs in the thread that trains, which may hold the lock inside the event of pauses."""
    control = nf.TrainingControl()
    with control._running._cond:
        control.wait_while_paused()
        control.stop("interrupted")
    assert control.stop_reason == "interrupted"

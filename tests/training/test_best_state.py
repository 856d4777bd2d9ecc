"""The state of the lowest validation error: kept, restored, and carried through checkpoints."""

from __future__ import annotations

import logging

import attrs
import numpy as np
import pytest

import neuralframe as nf
from neuralframe.training.run_directory import CHECKPOINT, RUN, RUN_FILE

SAMPLES = np.random.default_rng(0)
INPUTS = SAMPLES.standard_normal((90, 3))
TARGETS = np.sin(INPUTS[:, :1]) + 0.6 * SAMPLES.standard_normal((90, 1))
DATA = nf.DataSet(INPUTS[:50], TARGETS[:50], block_size=16)
WATCHED = nf.DataSet(INPUTS[50:], TARGETS[50:], block_size=16)
STOP = [nf.EarlyStopping("UP", strip=4, strips=3), nf.MaxIterations(60)]


@attrs.frozen
class Patience(nf.StopCondition):
    """A condition of the user's own that wants the best weights back."""

    restores_best = True
    n: int = 12

    def reason(self, history):
        return "enough" if history[-1].iteration == self.n else None


@attrs.frozen
class Average(nf.LearningRule):
    """Returns the mean of two weight vectors, at which it has nothing evaluated, in every other iteration."""

    def step(self, objective, last):
        weights = last.weights - 0.2 * last.gradient
        error, gradient = objective.value_and_gradient(weights)
        n = 1 if last.state is None else last.state + 1
        if n % 2:
            return nf.Iterate(weights, error, gradient, n)
        return nf.Iterate((weights + last.weights) / 2, error, gradient, n)


@attrs.frozen
class Talkative(nf.LearningRule):
    """Tells the user what it does, some of it twice."""

    def step(self, objective, last):
        objective.note("line search: Brent" if last.state is None else "still at it")
        return attrs.evolve(last, state=1)


def network(seed=1, **options):
    return nf.MultilayerPerceptron(3, 10, 1, seed=seed, **options)


def learn(n=None, **options):
    options = {"stop": STOP, "validation": WATCHED, "seed": 3} | options
    return network().learn(DATA, **options | ({} if n is None else {"stop": nf.MaxIterations(n)}))


def test_the_network_ends_where_the_validation_error_was_lowest():
    """The weights are those that a training of just so many iterations ends with."""
    run = learn()
    validation = run.history.column("validation_error")
    best = int(np.argmin(validation))
    assert 0 < best < run.iterations == len(run.history) - 1
    assert run.kept_iteration == run.best.kept.iteration == best
    assert run.validation_error == validation[best] == nf.error_and_gradient(run.network, WATCHED)[0]
    assert run.error == run.history[best].error == nf.error_and_gradient(run.network, DATA)[0]
    assert np.array_equal(run.network.weights, learn(best).network.weights)
    assert f"after {best} of {run.iterations} iterations" in str(run)


def test_whatever_ends_the_training_the_best_is_restored():
    run = learn(stop=[nf.EarlyStopping(alpha=1e9), nf.MaxIterations(25)])
    assert run.stopped_by == "reached 25 iterations"
    assert run.kept_iteration == np.argmin(run.history.column("validation_error")) < 25


def test_without_a_condition_that_restores_the_last_weights_stay():
    lasting = attrs.evolve(STOP[0], restore=False)
    run = learn(stop=[lasting, STOP[1]])
    assert run.kept_iteration == run.iterations == learn().iterations
    assert np.array_equal(run.network.weights, learn(run.iterations).network.weights)
    assert run.best.best is None


def test_of_equal_validation_errors_the_first_is_kept():
    data = nf.DataSet(np.zeros((4, 3)), np.zeros((4, 1)))
    run = network().learn(data, validation=data, rule=Talkative(), stop=Patience(3))
    assert run.kept_iteration == 0


def test_a_condition_of_the_users_own_may_restore_the_best():
    run = learn(stop=Patience(30))
    assert run.kept_iteration == np.argmin(run.history.column("validation_error")) < 30
    with pytest.raises(nf.DataError, match="Patience watches the validation error"):
        network().learn(DATA, stop=Patience())


def test_frozen_weights_are_restored_with_the_rest():
    net = network()
    net.layers[1].freeze()
    before = net.weights.copy()
    run = net.learn(DATA, stop=Patience(30), validation=WATCHED)
    frozen = net.parameters.frozen
    assert np.array_equal(net.weights[frozen], before[frozen])
    assert nf.error_and_gradient(net, WATCHED)[0] == run.validation_error


def test_sessions_are_compared_by_what_each_restores():
    run = learn(sessions=4)
    lowest = [session.history.column("validation_error").min() for session in run.sessions]
    assert run.best.number == np.argmin(lowest)
    assert run.validation_error == min(lowest)
    for session, error in zip(run.sessions, lowest, strict=True):
        net = network()
        net.weights[:] = session.weights
        assert nf.error_and_gradient(net, WATCHED)[0] == error


def test_weights_that_were_never_evaluated_are_no_best():
    run = learn(rule=Average(), stop=Patience(9))
    known = [record.iteration for record in run.history if record.validation_error is not None]
    assert known == [0, 1, 3, 5, 7, 9]
    assert run.kept_iteration == np.nanargmin(run.history.column("validation_error"))
    assert nf.error_and_gradient(run.network, WATCHED)[0] == run.validation_error


def test_a_training_that_diverges_keeps_the_best():
    with pytest.warns(nf.DivergenceWarning):
        run = learn(rule=nf.GradientDescent(1e200), stop=Patience(9))
    assert run.stopped_by.startswith("diverged")
    assert nf.error_and_gradient(run.network, WATCHED)[0] == run.validation_error


def interrupt_after(iteration):
    """Return a listener that stops the training after an iteration."""

    def listener(event):
        if isinstance(event, nf.IterationFinished) and event.record.iteration == iteration:
            event.control.stop("interrupted")

    return listener


def told(run):
    """Return all that is told of a run, but for the seconds."""
    return [
        (
            session.weights.tobytes(),
            session.kept.iteration,
            session.stopped_by,
            [attrs.evolve(record, seconds=0.0) for record in session.history],
        )
        for session in run.sessions
    ]


@pytest.mark.parametrize("sessions", [1, 2])
def test_a_resumed_training_restores_the_same_bits(tmp_path, sessions):
    """It was interrupted before the best iteration, at it, after it, and after its end."""
    whole = learn(sessions=sessions)
    best = whole.kept_iteration
    for at in (0, best - 1, best, best + 2):
        directory = tmp_path / f"run-{at}"
        cut = learn(sessions=sessions, checkpoint=directory, listeners=interrupt_after(at))
        assert cut.iterations == at
        assert cut.validation_error == cut.history.column("validation_error").min()
        assert told(nf.resume(directory, DATA, validation=WATCHED)) == told(whole)
        assert told(nf.resume(directory)) == told(whole)


def test_a_run_from_before_there_were_best_states_noise_and_limits_is_read(tmp_path):
    learn(checkpoint=tmp_path / "run", listeners=interrupt_after(5), stop=nf.MaxIterations(9))
    path = max((tmp_path / "run").glob("checkpoint-*"))
    header, arrays = CHECKPOINT.read(path)
    for session in header["sessions"]:
        assert session.pop("best") is None
    CHECKPOINT.write(path, header, arrays)
    header, arrays = RUN.read(tmp_path / "run" / RUN_FILE)
    assert (header.pop("noise"), header.pop("max_norm")) == ([], None)
    RUN.write(tmp_path / "run" / RUN_FILE, header, arrays)
    assert told(nf.resume(tmp_path / "run", DATA, validation=WATCHED)) == told(learn(9))


def test_conditions_given_at_a_resumption_decide_whether_there_is_a_best(tmp_path):
    """Given late, they know the best from there on; taken away, the last weights count."""
    best = learn().kept_iteration
    learn(best + 3, checkpoint=tmp_path / "late")
    again = {"data": DATA, "validation": WATCHED}
    late = nf.resume(tmp_path / "late", **again, stop=Patience(best + 8))
    validation = late.history.column("validation_error")
    assert late.kept_iteration == best + 3 + np.argmin(validation[best + 3 :])
    assert nf.error_and_gradient(late.network, WATCHED)[0] == late.validation_error

    learn(checkpoint=tmp_path / "away", stop=Patience(best + 3))
    away = nf.resume(tmp_path / "away", **again, stop=nf.MaxIterations(best + 8))
    assert away.kept_iteration == best + 8
    assert np.array_equal(away.network.weights, learn(best + 8).network.weights)


def test_the_conditions_of_the_resumed_are_those_of_whoever_resumes_once_more(tmp_path):
    learn(4, checkpoint=tmp_path / "run")
    again = {"data": DATA, "validation": WATCHED}
    nf.resume(tmp_path / "run", **again, stop=Patience(30), listeners=interrupt_after(8))
    once_more = nf.resume(tmp_path / "run", **again)
    assert once_more.iterations == 30
    assert once_more.kept_iteration == 4 + np.argmin(once_more.history.column("validation_error")[4:])


def test_what_a_rule_has_to_tell_is_logged_and_kept(caplog):
    with caplog.at_level(logging.INFO, logger="neuralframe"):
        run = learn(3, rule=Talkative(), sessions=2)
    assert run.notes == ("line search: Brent", "still at it")
    assert caplog.messages.count("line search: Brent") == 2
    assert learn(2).notes == ()

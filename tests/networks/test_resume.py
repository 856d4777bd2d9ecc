"""``nf.resume``: whatever happened, the training ends in the same bits."""

from __future__ import annotations

import sys
from typing import Any

import attrs
import numpy as np
import pytest

import neuralframe as nf
from neuralframe.mapreduce import make_engine
from neuralframe.mapreduce.engine import Engine
from neuralframe.training.run_directory import RunDirectory
from tests.contracts.rule_registry import LEARNING_RULES


@pytest.fixture
def data():
    generator = np.random.default_rng(0)
    x = generator.standard_normal((60, 4))
    return nf.DataSet(x, np.sin(x[:, :1]) + x[:, 1:2] * x[:, 2:3], block_size=16)


@pytest.fixture
def run_1(tmp_path):
    return tmp_path / "run-1"


def network(frozen=False):
    net = nf.MultilayerPerceptron(4, 5, 1, seed=1)
    if frozen:
        net.layers[1].freeze()
    return net


def stop_after(iteration):
    """Return a listener that interrupts every session after an iteration."""

    def listener(event):
        if isinstance(event, nf.IterationFinished) and event.record.iteration == iteration:
            event.control.stop("interrupted")

    return listener


def interrupted(data, run, iteration, *, net=None, **options):
    return (net or network()).learn(data, checkpoint=run, listeners=stop_after(iteration), seed=3, **options)


def told(session):
    """Return all that is told of a session, but for the seconds."""
    history = [attrs.evolve(record, seconds=0.0) for record in session.history]
    return session.weights.tobytes(), history, session.stopped_by, session.diverged


def assert_same(run, whole):
    assert [told(session) for session in run.sessions] == [told(session) for session in whole.sessions]
    assert run.best.number == whole.best.number
    assert run.network.weights.tobytes() == whole.network.weights.tobytes()
    assert (run.network.weights == run.best.weights).all()
    assert run.jobs == whole.jobs


@pytest.mark.filterwarnings("ignore:training diverged")
@pytest.mark.parametrize("entry", LEARNING_RULES, ids=lambda entry: str(entry.rule))
def test_every_rule_goes_on_after_every_iteration(data, tmp_path, entry):
    options = {"rule": entry.rule, "stop": nf.MaxIterations(6), "sessions": 2}
    whole = network().learn(data, seed=3, **options)
    for iteration in range(6):
        run = tmp_path / f"run-{iteration}"
        interrupted(data, run, iteration, **options)
        assert_same(nf.resume(run, data), whole)


OPTIONS: list[dict[str, Any]] = [
    {"sessions": 4, "validation": 0.25},
    {"sessions": 3, "decay": 0.01, "dtype": "float32"},
    {"frozen": True, "sessions": 2},
    {"sessions": 4, "stop": [nf.ErrorGoal(0.45), nf.MaxIterations(9)]},
    {"engine": nf.InProcessEngine(2), "kernel": "numpy"},
]


@pytest.mark.parametrize("options", OPTIONS, ids=" ".join)
def test_every_option_is_remembered(data, run_1, options):
    options = {"stop": nf.MaxIterations(9), "sessions": 1} | options
    frozen = options.pop("frozen", False)
    whole = network(frozen).learn(data, seed=3, **options)
    interrupted(data, run_1, 4, net=network(frozen), **options)
    run = nf.resume(run_1, data)
    assert_same(run, whole)
    if frozen:
        np.testing.assert_array_equal(run.network.layers[1].weights, network().layers[1].weights)
        assert run.network.parameters.frozen.any()


@attrs.frozen(eq=False)
class Cooling:
    """A state with everything in it that a user may think of."""

    temperature: float
    trail: tuple[np.ndarray, ...]
    counts: dict[str, int]
    best: Any = None


@attrs.frozen
class Annealing(nf.LearningRule):
    """A rule of the user's own, with a state, randomness, many candidates, and steps that are discarded."""

    spread: float = 0.1
    factors: Any = attrs.field(factory=lambda: np.array([1.0, 0.5]), eq=attrs.cmp_using(np.array_equal))

    def initial_state(self, weights, gradient):
        return Cooling(float("inf"), (weights,), {"kept": 0})

    def step(self, objective, last):
        state = last.state
        shifts = objective.random.standard_normal((2, objective.n_weights)) * self.spread
        candidates = last.weights + self.factors[:, None] * shifts
        errors = objective.values(candidates)
        best = int(np.argmin(errors))
        counts = state.counts | {"kept": state.counts["kept"] + 1}
        if errors[best] > last.error:
            return attrs.evolve(last, state=attrs.evolve(state, temperature=state.temperature / 2))
        trail = (*state.trail[-2:], candidates[best])
        new = Cooling(1.0 / 3, trail, counts, best=np.float64(errors[best]))
        return nf.Iterate(candidates[best], float(errors[best]), None, new)


def test_a_rule_and_a_state_of_the_users_own_work(data, run_1):
    options = {"rule": Annealing(0.2), "stop": nf.MaxIterations(12), "sessions": 3, "validation": 0.2}
    whole = network().learn(data, seed=3, **options)
    assert len({record.error for record in whole.history}) < len(whole.history), "no step was discarded"
    for iteration in range(0, 12, 3):
        run = run_1 / str(iteration)
        interrupted(data, run, iteration, **options)
        back = nf.resume(run, data)
        assert_same(back, whole)
        assert back.best.last.state.counts == whole.best.last.state.counts


@attrs.frozen
class Patience(nf.StopCondition):
    """A stop condition of the user's own."""

    limit: int

    def reason(self, history):
        return "patience is over" if len(history) > self.limit else None


def test_a_stop_condition_of_the_users_own_works(data, run_1):
    interrupted(data, run_1, 2, stop=Patience(6))
    assert nf.resume(run_1, data).stopped_by == "patience is over"


def test_a_class_that_is_not_imported_is_asked_for(data, run_1, monkeypatch):
    interrupted(data, run_1, 2, rule=Annealing(), stop=nf.MaxIterations(5))
    before = sorted(path.name for path in run_1.iterdir())
    with monkeypatch.context() as patch:
        patch.delattr(sys.modules[__name__], "Cooling")
        with pytest.raises(nf.CheckpointError, match=r"Cooling' is not known here\. Import its module"):
            nf.resume(run_1, data)
    with monkeypatch.context() as patch:
        patch.delitem(nf.LearningRule._members, f"{__name__}:Annealing")
        with pytest.raises(nf.CheckpointError, match="Annealing' is not known here"):
            nf.resume(run_1, data)
    assert sorted(path.name for path in run_1.iterdir()) == before
    assert nf.resume(run_1, data).iterations == 5


def test_the_seconds_go_on_from_where_they_were(data, run_1, monkeypatch):
    """So that `MaxSeconds` bounds the whole training."""
    import time

    clock = [0.0]

    def later():
        clock[0] += 1.0
        return clock[0]

    monkeypatch.setattr(time, "perf_counter", later)
    first = interrupted(data, run_1, 2, stop=nf.MaxSeconds(100.0))
    clock[0] = 10_000.0
    run = nf.resume(run_1, data)
    seconds = run.history.column("seconds")
    assert first.seconds < 50
    assert (np.diff(seconds) > 0).all()
    assert np.diff(seconds).max() < 50
    assert run.stopped_by == "reached 100 seconds"
    assert run.seconds < 150


def test_a_training_that_had_ended_is_returned_at_once(data, run_1):
    """Without its data, and without a word to the listeners."""
    whole = network().learn(
        data.normalized("standardizer"), stop=nf.MaxIterations(5), checkpoint=run_1, sessions=2
    )
    heard = []
    run = nf.resume(run_1, listeners=heard.append)
    assert_same(run, whole)
    assert list(run.history) == list(whole.history)
    assert heard == []
    raw = data.inputs[:3]
    np.testing.assert_array_equal(run.network.predict(raw), whole.network.predict(raw))


def test_an_ended_training_goes_on_if_new_conditions_say_so(data, run_1):
    whole = network().learn(data, stop=nf.MaxIterations(9), seed=3, sessions=2)
    network().learn(data, stop=nf.MaxIterations(4), seed=3, sessions=2, checkpoint=run_1)
    interrupting = {"listeners": stop_after(6), "stop": nf.MaxIterations(9)}
    assert nf.resume(run_1, data, **interrupting).iterations == 6
    assert_same(nf.resume(run_1, data), whole)


def test_conditions_that_are_met_already_end_it_where_it_stands(data, run_1):
    interrupted(data, run_1, 5)
    run = nf.resume(run_1, data, stop=nf.MaxIterations(3))
    assert (run.iterations, run.stopped_by) == (5, "reached 3 iterations")


def test_listeners_hear_of_the_iterations_to_come(data, run_1):
    interrupted(data, run_1, 3, stop=nf.MaxIterations(6))
    heard = []
    nf.resume(run_1, data, listeners=heard.append)
    assert [event.record.iteration for event in heard] == [4, 5, 6, 6]
    assert isinstance(heard[-1], nf.LearningStopped)


def test_a_session_that_diverged_stays_where_it_stood(data, run_1):
    options = {"rule": nf.GradientDescent(rate=1e6), "stop": nf.MaxIterations(500)}
    with pytest.warns(nf.DivergenceWarning):
        whole = network().learn(data, seed=3, **options)
    assert whole.iterations > 1
    interrupted(data, run_1, 1, **options)
    for stop in (None, None, nf.MaxIterations(9)):
        with pytest.warns(nf.DivergenceWarning) as caught:
            assert_same(nf.resume(run_1, data, stop=stop), whole)
        assert caught[0].filename == __file__


class CrashError(Exception):
    """An end that nobody planned."""


@pytest.mark.parametrize("every", [1, 2, 4, 100])
def test_after_a_crash_it_goes_on_from_the_last_checkpoint(data, run_1, every):
    whole = network().learn(data, stop=nf.MaxIterations(9), seed=3)

    def crash(event):
        if event.record.iteration == 7:
            raise CrashError

    with pytest.raises(CrashError):
        network().learn(
            data,
            stop=nf.MaxIterations(9),
            seed=3,
            listeners=crash,
            checkpoint=nf.Checkpoints(run_1, every=every),
        )
    heard = []
    run = nf.resume(run_1, data, listeners=heard.append)
    assert_same(run, whole)
    assert heard[0].record.iteration == 6 // every * every + 1


def test_before_the_first_checkpoint_it_begins_with_the_same_weights(data, run_1):
    """As if the process had died in the first job; also with a seed that nobody knows."""
    kept = {}

    def keep(event):
        if event.record.iteration == 0 and not kept:
            kept.update({path.name: path.read_bytes() for path in run_1.iterdir()})

    options = {"stop": nf.MaxIterations(4), "sessions": 3, "validation": 0.25}
    whole = network().learn(data, checkpoint=run_1, listeners=keep, **options)
    again = run_1.with_name("run-2")
    again.mkdir()
    for name, content in kept.items():
        (again / name).write_bytes(content)
    assert not [name for name in kept if name.startswith("checkpoint")]
    assert_same(nf.resume(again, data), whole)


def test_packed_samples_are_found_again(data, run_1, tmp_path):
    data.pack(tmp_path / "samples.nfd")
    packed = nf.DataSet.open(tmp_path / "samples.nfd")
    watched = data.rows(np.arange(20))
    watched.pack(run_1 / ".." / "watched.nfd")
    options = {"stop": nf.MaxIterations(6), "validation": nf.DataSet.open(tmp_path / "watched.nfd")}
    whole = network().learn(packed, seed=3, **options)
    interrupted(packed, run_1, 2, **options)
    assert_same(nf.resume(run_1), whole)


def test_packed_samples_in_the_run_directory_move_with_it(data, run_1, tmp_path):
    run_1.mkdir()
    data.pack(run_1 / "samples.nfd")
    packed = nf.DataSet.open(run_1 / "samples.nfd")
    whole = network().learn(packed, seed=3, stop=nf.MaxIterations(6))
    interrupted(packed, run_1, 2, stop=nf.MaxIterations(6))
    run_1.rename(tmp_path / "elsewhere")
    assert_same(nf.resume(tmp_path / "elsewhere"), whole)


def changed(data, what):
    inputs = data.inputs.copy()
    inputs[17, 2] = np.nextafter(inputs[17, 2], np.inf)
    return {
        "value": lambda: nf.DataSet(inputs, data.targets, block_size=16),
        "order": lambda: data.shuffled(0),
        "count": lambda: data.rows(np.arange(59)),
        "block size": lambda: data.with_block_size(15),
        "type": lambda: data.astype("float32"),
        "weights": lambda: data.with_sample_weights(np.ones(60)),
    }[what]()


@pytest.mark.parametrize("what", ["value", "order", "count", "block size", "type", "weights"])
def test_other_samples_are_refused(data, run_1, what):
    interrupted(data, run_1, 2)
    before = sorted(path.name for path in run_1.iterdir())
    with pytest.raises(nf.DataError, match="not the samples"):
        nf.resume(run_1, changed(data, what))
    assert sorted(path.name for path in run_1.iterdir()) == before


def test_a_validation_set_is_given_again_and_is_the_same(data, run_1):
    other = data.rows(np.arange(30))
    interrupted(data, run_1, 2, validation=other, stop=nf.MaxIterations(5))
    with pytest.raises(nf.DataError, match=r"give them again: validation=\.\.\."):
        nf.resume(run_1, data)
    with pytest.raises(nf.DataError, match="not the samples"):
        nf.resume(run_1, data, validation=data)
    whole = network().learn(data, seed=3, validation=other, stop=nf.MaxIterations(5))
    assert_same(nf.resume(run_1, data, validation=other), whole)


def test_samples_are_asked_for_as_they_were_given(data, run_1):
    interrupted(data, run_1, 2)
    with pytest.raises(nf.DataError, match=r"give them again: data=\.\.\."):
        nf.resume(run_1)
    with pytest.raises(nf.DataError, match="got 3"):
        nf.resume(run_1, 3)
    with pytest.raises(nf.DataError, match="without a validation set of its own"):
        nf.resume(run_1, data, validation=data)


class OwnEngine(Engine):
    """An engine that only its owner can make."""

    name = "own"

    def run(self, job, blocks):
        return nf.InProcessEngine(1).run(job, blocks)


def test_any_engine_goes_on_with_the_same_bits(data, run_1):
    whole = network().learn(data, seed=3, stop=nf.MaxIterations(6))
    interrupted(data, run_1, 2, engine=OwnEngine(), stop=nf.MaxIterations(6))
    with pytest.raises(nf.CheckpointError, match=r"engine of the class OwnEngine.*engine=\.\.\."):
        nf.resume(run_1, data)
    assert_same(nf.resume(run_1, data, engine="threads"), whole)


def test_a_directory_without_a_training_is_no_run_and_stays_as_it_is(tmp_path):
    for path in (tmp_path, tmp_path / "nothing"):
        with pytest.raises(nf.CheckpointError, match=r"is no run directory: there is no run\.nfr"):
            nf.resume(path)
    assert list(tmp_path.iterdir()) == []


def spots(size, n):
    """Return seeded places in a file, its first and last byte among them."""
    return [0, size - 1, *np.random.default_rng(5).integers(0, size, n).tolist()]


@pytest.mark.filterwarnings("ignore::neuralframe.exceptions.CheckpointWarning")
@pytest.mark.parametrize("name", ["run.nfr", "checkpoint-00000005.nfc", "history.jsonl"])
@pytest.mark.parametrize("how", ["flip", "cut"])
def test_a_damaged_file_is_found_or_does_no_harm(data, run_1, tmp_path, name, how):
    """Whichever byte is flipped, wherever a file is cut: an error of ours, or the same bits."""
    whole = network().learn(data, seed=3, stop=nf.MaxIterations(8))
    interrupted(data, run_1, 5, stop=nf.MaxIterations(8))
    files = {path.name: path.read_bytes() for path in run_1.iterdir()}
    endings = []
    for number, spot in enumerate(spots(len(files[name]), 12)):
        content = bytearray(files[name])
        content[spot:] = b"" if how == "cut" else bytes([content[spot] ^ 0x24]) + content[spot + 1 :]
        copy = tmp_path / f"copy-{number}"
        copy.mkdir()
        for other, there in (files | {name: bytes(content)}).items():
            (copy / other).write_bytes(there)
        ending = str(copy)
        try:
            assert_same(nf.resume(copy, data), whole)
        except nf.CheckpointError as problem:
            ending = str(problem)
            endings.append(ending)
        assert str(copy) in ending
        if ending in endings:
            assert (copy / "checkpoint-00000004.nfc").read_bytes() == files["checkpoint-00000004.nfc"]
    assert bool(endings) == (name != "checkpoint-00000005.nfc")


def test_if_the_newest_checkpoint_is_damaged_the_one_before_is_used(data, run_1):
    whole = network().learn(data, seed=3, stop=nf.MaxIterations(8))
    interrupted(data, run_1, 5, stop=nf.MaxIterations(8))
    newest = run_1 / "checkpoint-00000005.nfc"
    newest.write_bytes(newest.read_bytes()[:-100])
    heard = []
    with pytest.warns(nf.CheckpointWarning, match=r"checkpoint-00000005\.nfc.*An older checkpoint") as caught:
        assert_same(nf.resume(run_1, data, listeners=heard.append), whole)
    assert caught[0].filename == __file__
    assert heard[0].record.iteration == 5
    assert (run_1 / "checkpoint-00000005.nfc.damaged").exists()


def test_one_wrong_digit_in_the_history_is_found(data, run_1):
    """A stop condition might decide by it."""
    interrupted(data, run_1, 5)
    log = run_1 / "history.jsonl"
    whole = log.read_text()
    at = whole.index('"error": ') + len('"error": ')
    log.write_text(whole[:at] + str(9 - int(whole[at])) + whole[at + 1 :])
    with pytest.raises(nf.CheckpointError, match=r"history\.jsonl, is damaged"):
        nf.resume(run_1, data)


def test_a_record_that_no_checkpoint_counts_on_is_cut_off(data, run_1):
    """As a full disk leaves one, or a kill between two writes."""
    interrupted(data, run_1, 5)
    log = run_1 / "history.jsonl"
    whole = log.read_bytes()
    log.write_bytes(whole + whole[:50])
    run = nf.resume(run_1, data, stop=nf.MaxIterations(3))
    assert log.read_bytes() == whole
    assert run.iterations == 5


def test_if_no_checkpoint_is_whole_all_of_them_are_named(data, run_1):
    interrupted(data, run_1, 5)
    for path in run_1.glob("checkpoint-*"):
        path.write_bytes(b"no")
    with pytest.raises(nf.CheckpointError, match=r"(?s)00000005.*00000004.*00000003"):
        nf.resume(run_1, data)
    assert len(list(run_1.glob("checkpoint-*.nfc"))) == 3


def test_a_checkpoint_of_another_training_is_not_taken_for_one_of_this(data, run_1):
    interrupted(data, run_1, 5, stop=nf.MaxIterations(8))
    interrupted(data, run_1.with_name("run-2"), 5, stop=nf.MaxIterations(8))
    stranger = run_1.with_name("run-2") / "checkpoint-00000005.nfc"
    (run_1 / "checkpoint-00000005.nfc").write_bytes(stranger.read_bytes())
    with pytest.warns(nf.CheckpointWarning, match="of another training"):
        nf.resume(run_1, data)


def test_a_run_of_a_later_version_is_refused_as_such(data, run_1):
    from neuralframe.training.run_directory import RUN

    interrupted(data, run_1, 2)
    header, arrays = RUN.read(run_1 / "run.nfr")
    attrs.evolve(RUN, version=2).write(run_1 / "run.nfr", {**header, "version": 2}, arrays)
    with pytest.raises(nf.CheckpointError, match=r"written in version 2.*Install a newer neuralframe"):
        nf.resume(run_1, data)


def test_notes_are_kept_with_the_run(data, run_1):
    from neuralframe.networks.resuming import notes_of

    network().learn(
        data, stop=nf.MaxIterations(1), checkpoint=nf.Checkpoints(run_1, notes={"why": ["fun", 3]})
    )
    assert notes_of(run_1) == {"why": ["fun", 3]}


def test_an_mrjob_engine_is_made_again_as_it_was(data, run_1):
    """What an engine was made with is kept, so that the same kind of job goes on."""
    engine = nf.MRJobEngine("inline", maps=3, timeout=50, jobconf={"a": "b"})
    whole = network().learn(data, seed=3, stop=nf.MaxIterations(6))
    interrupted(data, run_1, 2, engine=engine, stop=nf.MaxIterations(6))
    header, _ = RunDirectory(run_1).read_run()
    assert header["engine"]["name"] == "mrjob:inline"
    again = make_engine("mrjob:inline", **header["engine"]["parameters"])
    assert again.parameters() == engine.parameters()
    assert_same(nf.resume(run_1, data), whole)

"""Going on with a training after its process has died, or after it was interrupted."""

from __future__ import annotations

import warnings
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from neuralframe.exceptions import CheckpointError, CheckpointWarning, ModelFileError, NeuralFrameError
from neuralframe.networks.learning import go_on, prepare
from neuralframe.networks.model_file import restore
from neuralframe.networks.run_file import described_engine, described_options, described_sessions, recalled
from neuralframe.networks.training_options import TrainingOptions
from neuralframe.networks.training_run import TrainingRun, best_of, warn_of_divergence
from neuralframe.training.checkpoints import CheckpointWriter, newest_checkpoint
from neuralframe.training.driver import reason_to_end
from neuralframe.training.run_directory import RunDirectory

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence
    from os import PathLike

    from neuralframe.archive_file import Arrays
    from neuralframe.data.data_set import DataSet
    from neuralframe.learning.stop_conditions import StopCondition
    from neuralframe.mapreduce.engine import Engine
    from neuralframe.networks.neural_network import NeuralNetwork
    from neuralframe.training.checkpoints import Checkpoint
    from neuralframe.training.control import TrainingControl
    from neuralframe.training.events import Listener
    from neuralframe.training.session import Session


def resume(
    directory: str | PathLike[str],
    data: DataSet | None = None,
    *,
    validation: DataSet | None = None,
    engine: str | Engine | None = None,
    stop: StopCondition | Iterable[StopCondition] | None = None,
    listeners: Listener | Iterable[Listener] = (),
    progress: bool | None = None,
    control: TrainingControl | None = None,
) -> TrainingRun:
    """Go on with a training exactly where its last checkpoint left it.

    The final weights have the same bits as if nothing had happened, and so has the history, but for the
    seconds. A training that had ended is returned as it was.

    Parameters
    ----------
    directory : str or path
        The run directory: what ``learn(..., checkpoint=directory)`` was given.
    data : DataSet, optional
        The samples, where the training began with arrays; packed data are found again.
    validation : DataSet, optional
        The validation set, likewise. A share that was held out is held out again.
    engine : str or Engine, optional
        By default the one that the training began on. Any engine goes on with the same bits.
    stop : StopCondition or sequence of them, optional
        New conditions in place of the old. Sessions that the old ones ended go on under the new.
    listeners, progress, control
        As in `NeuralNetwork.learn`; listeners hear of the iterations to come.

    Returns
    -------
    TrainingRun
        Its history begins with the first iteration of all.

    Raises
    ------
    CheckpointError
        If the directory holds no training, is in use by another process, or no checkpoint in it is whole;
        or if a class of the user's own is not imported.
    DataError
        If samples have to be given, or are not those that the training began with.

    Warns
    -----
    CheckpointWarning
        If the newest checkpoint is damaged; the one before is used.
    DivergenceWarning
        As in `NeuralNetwork.learn`.

    Examples
    --------
    >>> import tempfile
    >>> import neuralframe as nf
    >>> data = nf.DataSet([[0, 0], [0, 1], [1, 0], [1, 1]], [0, 1, 1, 0])
    >>> directory = tempfile.mkdtemp()
    >>> net = nf.MultilayerPerceptron(2, 3, 1, seed=0)
    >>> _ = net.learn(data, stop=nf.MaxIterations(5), checkpoint=directory)
    >>> nf.resume(directory, data, stop=nf.MaxIterations(8)).iterations
    8

    """
    home = RunDirectory(directory)
    conditions: Any = stop
    with home.opened():
        with _reading(home.path):
            story = _Story(home, *home.read_run())
        for damage in story.problems:
            warnings.warn(f"{damage}. An older checkpoint is used", CheckpointWarning, stacklevel=2)
        if conditions is None and story.is_over:
            run = TrainingRun(story.network, tuple(story.sessions), best_of(story.sessions))
        else:
            given = {"listeners": listeners, "progress": progress, "control": control}
            run = story.go_on(data, validation, engine, conditions, given)
    warn_of_divergence(run, stacklevel=3)
    return run


def notes_of(directory: str | PathLike[str]) -> dict[str, Any]:
    """Return the notes that were kept with a run; see `neuralframe.training.checkpoints.Checkpoints`.

    Raises
    ------
    CheckpointError
        If the directory holds no training, or its description is damaged.

    """
    home = RunDirectory(directory)
    home.require_run()
    return dict(home.read_run()[0]["notes"])


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """Tell as `CheckpointError` what is wrong with the description of a training."""
    try:
        yield
    except ModelFileError as problem:
        raise CheckpointError(f"{path}: {problem}") from problem
    except NeuralFrameError:
        raise
    except (LookupError, TypeError, ValueError) as problem:
        raise CheckpointError(f"{path}: the training cannot be read: {problem!r}") from problem


class _Story:
    """A training as its directory tells it."""

    def __init__(self, home: RunDirectory, header: dict[str, Any], arrays: Arrays) -> None:
        self._home, self._header, self._arrays = home, header, arrays
        self.network: NeuralNetwork = restore(header["network"], arrays)
        self.sessions: list[Session] = described_sessions(header, arrays, self.network)
        self.checkpoint: Checkpoint | None
        self.checkpoint, self.problems = newest_checkpoint(home, header["run"])
        if self.checkpoint is not None:
            self.checkpoint.restore(self.sessions)
            home.remove_old(header["checkpoints"]["keep"])
        best = best_of(self.sessions)
        self.network.weights[:] = best.weights

    @property
    def is_over(self) -> bool:
        """Whether every session has ended."""
        return all(session.stopped_by is not None for session in self.sessions)

    def go_on(
        self,
        data: DataSet | None,
        validation: DataSet | None,
        engine: str | Engine | None,
        stop: Any,
        given: dict[str, Any],
    ) -> TrainingRun:
        """Train on from the checkpoint, or from the initial weights if there was none yet."""
        path = Path(self._home.path)
        data = recalled(self._header["data"], data, path, "data")
        with _reading(path):
            known = described_options(self._header, self._arrays, path, validation)
            known["engine"] = described_engine(known["engine"], engine)
            if self.checkpoint is not None:
                known["stop"] = self.checkpoint.stop()
        if stop is not None:
            known["stop"] = stop
        options = TrainingOptions(**known, **given)
        prepared = prepare(self.network, data, options)
        writer = self._writer(options)
        if self.checkpoint is None:
            return go_on(self.network, prepared, options, self.sessions, writer)
        prepared.evaluator.n_jobs = self.checkpoint.jobs
        if stop is not None:
            _reconsider(self.sessions, options.stop)
            # From now on the new conditions hold, also for whoever resumes this once more.
            writer.write(self.sessions, jobs=self.checkpoint.jobs, seconds=self.checkpoint.seconds)
        return go_on(self.network, prepared, options, self.sessions, writer, seconds=self.checkpoint.seconds)

    def _writer(self, options: TrainingOptions) -> CheckpointWriter:
        assert options.checkpoint is not None
        log = self._home.history_log() if self.checkpoint is None else self.checkpoint.log
        writer = CheckpointWriter(self._home, options.checkpoint, self._header["run"], options.stop, log)
        writer.resumed_with(self.sessions)
        return writer


def _reconsider(sessions: Sequence[Session], stop: Sequence[StopCondition]) -> None:
    """Let new conditions decide which sessions go on; one that diverged or can go no further does not."""
    for session in sessions:
        if session.history and not session.diverged:
            session.stopped_by = reason_to_end(session, stop)

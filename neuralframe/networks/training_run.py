"""What came of a training."""

from __future__ import annotations

import math
import warnings
from typing import TYPE_CHECKING

import attrs

from neuralframe.exceptions import DivergenceWarning

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.networks.neural_network import NeuralNetwork
    from neuralframe.training.history import History
    from neuralframe.training.session import Session


@attrs.frozen(eq=False, repr=False)
class TrainingRun:
    """What a training did.

    The network holds the weights that the best session reached last; or, if a stop condition such as
    `EarlyStopping` restores them, those at which that session's validation error was lowest. `error` and
    `validation_error` are those of the weights that the network holds. `iterations`, `jobs`, `seconds` and
    `history` tell all that was done, also after these weights were reached.

    Attributes
    ----------
    network : NeuralNetwork
        The network that was trained, holding the best session's weights.
    sessions : tuple of Session
        Each session with its weights, history and reason to stop.
    best : Session
        The one whose weights the network holds.

    """

    network: NeuralNetwork
    sessions: tuple[Session, ...]
    best: Session

    @property
    def error(self) -> float:
        """What was minimised, at the weights that are kept; under noise, under that of their iteration."""
        return self.best.kept.error

    @property
    def validation_error(self) -> float | None:
        """Mean error of the validation part at the weights that are kept."""
        return self.best.kept.validation_error

    @property
    def kept_iteration(self) -> int:
        """After how many iterations the best session had the weights that are kept."""
        return self.best.kept.iteration

    @property
    def notes(self) -> tuple[str, ...]:
        """What the rule had to tell in the course of the training, such as a choice that it made."""
        return tuple(dict.fromkeys(note for session in self.sessions for note in session.objective.notes))

    @property
    def iterations(self) -> int:
        """Iterations of the best session."""
        return self.history[-1].iteration

    @property
    def stopped_by(self) -> str:
        """Why the best session ended."""
        assert self.best.stopped_by is not None
        return self.best.stopped_by

    @property
    def history(self) -> History:
        """The best session's records."""
        return self.best.history

    @property
    def seconds(self) -> float:
        """Time from the first to the last iteration of any session."""
        return max(session.history[-1].seconds for session in self.sessions if session.history)

    @property
    def jobs(self) -> int:
        """Jobs run, those of all sessions together."""
        return max(session.history[-1].jobs for session in self.sessions if session.history)

    def __repr__(self) -> str:
        return f"<TrainingRun: {self}>"

    def __str__(self) -> str:
        kept = "" if self.kept_iteration == self.iterations else f"{self.kept_iteration} of "
        return (
            f"error {self.error:.6g} after {kept}{self.iterations} iterations, {self.jobs} jobs and "
            f"{self.seconds:.2f} s; {self.stopped_by}"
        )


def best_of(sessions: Sequence[Session]) -> Session:
    """Return the session with the smallest validation error, or else error."""
    return min(sessions, key=_standing)


def warn_of_divergence(run: TrainingRun, *, stacklevel: int) -> None:
    """Warn of each session whose numbers were no longer finite."""
    for session in run.sessions:
        if session.diverged:
            message = f"training {session.stopped_by}; the weights before it are kept"
            warnings.warn(message, DivergenceWarning, stacklevel=stacklevel)


def _standing(session: Session) -> tuple[bool, float]:
    """Order sessions by validation error or error; those without one, or with NaN, come last."""
    if not session.history:
        return True, math.inf
    kept = session.kept
    error = kept.error if kept.validation_error is None else kept.validation_error
    return math.isnan(error), error

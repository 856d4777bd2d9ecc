"""The driver: the loop that takes a learning rule from iteration to iteration."""

from __future__ import annotations

import math
import time
from concurrent.futures import Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING, Protocol

import attrs
import numpy as np

from neuralframe.exceptions import NonFiniteError
from neuralframe.training.control import TrainingControl
from neuralframe.training.events import Event, IterationFinished, LearningStopped, Listener
from neuralframe.training.history import IterationRecord
from neuralframe.training.rendezvous import Rendezvous
from neuralframe.training.stepping import not_finite, take_step

if TYPE_CHECKING:
    from collections.abc import Sequence

    from neuralframe.core.learning_rule import Iterate, LearningRule
    from neuralframe.learning.stop_conditions import StopCondition
    from neuralframe.mapreduce.evaluator import Evaluator
    from neuralframe.training.session import Session


class Checkpointer(Protocol):
    """What keeps the standing of the sessions against the death of the process."""

    def save(self, sessions: Sequence[Session], *, jobs: int, seconds: float) -> None:
        """Keep what all sessions have reached; called between two rounds, when none computes.

        Parameters
        ----------
        sessions : sequence of Session
            All sessions, also those that have ended.
        jobs : int
            Jobs run so far.
        seconds : float
            Training time used so far.

        """


@attrs.define(eq=False)
class Driver:
    """Trains several sessions side by side; what they ask for at the same time is one job.

    Attributes
    ----------
    rule : LearningRule
        The training method.
    evaluator : Evaluator
        E, by jobs over the data.
    stop : sequence of StopCondition
        A session ends as soon as one of them gives a reason.
    listeners : sequence of callables
        Each is called with every `Event`, in the thread that trains.
    control : TrainingControl
        Lets other threads pause and stop.
    checkpointer : Checkpointer or None
        Is shown the sessions after each round.
    seconds : float
        Training time used before, if the training is resumed.

    """

    rule: LearningRule
    evaluator: Evaluator
    stop: Sequence[StopCondition]
    listeners: Sequence[Listener] = ()
    control: TrainingControl = attrs.field(factory=TrainingControl)
    checkpointer: Checkpointer | None = None
    seconds: float = 0.0
    _started: float = attrs.field(default=0.0, init=False)

    def run(self, sessions: list[Session]) -> None:
        """Train every session until it ends, from its initial weights or from where it stands.

        Raises
        ------
        NonFiniteError
            If E is not finite at any session's initial weights.

        """
        self._started = time.perf_counter() - self.seconds
        self._recall_best(sessions)
        with ThreadPoolExecutor(len(sessions), thread_name_prefix="session") as pool:
            if not any(session.history for session in sessions):
                self._advance(sessions, pool)
                _require_a_start(sessions)
                self._save(sessions)
            while going := [session for session in sessions if session.stopped_by is None]:
                self._pause()
                if self.control.stop_reason is None:
                    self._advance(going, pool)
                else:
                    self._interrupt(going, self.control.stop_reason)
                self._save(sessions)

    def _advance(self, sessions: list[Session], pool: ThreadPoolExecutor) -> None:
        """Take each session one iteration further, then record, tell and look whether it ends."""
        steps = [self._step(sessions[0])] if len(sessions) == 1 else self._steps_together(sessions, pool)
        for session, step in zip(sessions, steps, strict=True):
            self._accept(session, step)

    def _step(self, session: Session) -> Iterate:
        answer = self.evaluator.answer
        session.objective.ask_through(
            lambda question: answer([question])[0], self.evaluator, iteration=len(session.history)
        )
        return take_step(self.rule, session)

    def _steps_together(self, sessions: list[Session], pool: ThreadPoolExecutor) -> list[Iterate]:
        """Step every session in a thread of its own, so that rules need not know of each other.

        The pool has a thread for each session: they wait for each other.
        """
        meeting = Rendezvous(self.evaluator.answer, len(sessions))

        def step(session: Session) -> Iterate:
            session.objective.ask_through(
                lambda question: meeting.ask(session.number, question),
                self.evaluator,
                iteration=len(session.history),
            )
            try:
                return take_step(self.rule, session)
            finally:
                meeting.leave()

        # Not pool.map: after a failure it cancels sessions that have not begun, for which others wait.
        steps: list[Future[Iterate]] = []
        try:
            for session in sessions:
                steps.append(pool.submit(step, session))  # noqa: PERF401 - those begun must be known if one fails
            wait(steps)
        finally:
            # After a failure, or Ctrl-C, nobody waits for sessions that were never begun.
            for _ in sessions[len(steps) :]:
                meeting.leave()
        return [future.result() for future in steps]

    def _accept(self, session: Session, step: Iterate) -> None:
        """Take over a step; one that is not finite ends the session where it stood before."""
        wild = not_finite(step)
        if wild is not None:
            session.diverged = True
            self._end(session, f"diverged: {wild} in iteration {len(session.history)}")
            return
        session.last = step
        session.history.append(self._record(session, step))
        if self._restores_best:
            session.keep_if_best()
        self._tell(IterationFinished(session.history[-1], self.control))
        reason_or_none = reason_to_end(session, self.stop)
        if reason_or_none is not None:
            self._end(session, reason_or_none)
        elif self.control.stop_reason is not None:
            self._interrupt([session], self.control.stop_reason)

    @property
    def _restores_best(self) -> bool:
        return any(condition.restores_best for condition in self.stop)

    def _recall_best(self, sessions: list[Session]) -> None:
        """Let sessions that stand somewhere keep the best from there on, or let go of it if nobody asks."""
        for session in sessions:
            if not self._restores_best:
                session.best = None
            elif session.best is None and session.history:
                session.keep_if_best()

    def _interrupt(self, sessions: list[Session], reason: str) -> None:
        """End sessions that would have gone on."""
        for session in sessions:
            session.interrupted = True
            self._end(session, reason)

    def _save(self, sessions: list[Session]) -> None:
        if self.checkpointer is not None:
            seconds = time.perf_counter() - self._started
            self.checkpointer.save(sessions, jobs=self.evaluator.n_jobs, seconds=seconds)

    def _end(self, session: Session, reason: str) -> None:
        session.stopped_by = reason
        if session.history:
            self._tell(LearningStopped(session.history[-1], reason))

    def _record(self, session: Session, step: Iterate) -> IterationRecord:
        found = session.objective.evaluation(step.weights)
        gradient = step.gradient
        return IterationRecord(
            session=session.number,
            iteration=len(session.history),
            error=float(step.error),
            penalty=0.0 if found is None else found.penalty,
            validation_error=None if found is None else found.validation_error,
            gradient_norm=None if gradient is None else math.sqrt(np.add.reduce(np.square(gradient))),
            jobs=self.evaluator.n_jobs,
            seconds=time.perf_counter() - self._started,
            metrics={} if found is None else dict(found.metrics),
        )

    def _pause(self) -> None:
        """Wait while paused, and keep the pause out of the training time."""
        paused = time.perf_counter()
        self.control.wait_while_paused()
        self._started += time.perf_counter() - paused

    def _tell(self, event: Event) -> None:
        for listener in self.listeners:
            listener(event)


def reason_to_end(session: Session, stop: Sequence[StopCondition]) -> str | None:
    """Return why a session ends where it stands, or None if it goes on."""
    reasons = (condition.reason(session.history) for condition in stop)
    return session.standing.finished or next((reason for reason in reasons if reason is not None), None)


def _require_a_start(sessions: list[Session]) -> None:
    """Raise `NonFiniteError` if no session got anywhere."""
    if not any(session.history for session in sessions):
        raise NonFiniteError(
            "the error or the gradient at the initial weights is not finite; check the scale of the data "
            "(normalize it) and of the weights"
        )

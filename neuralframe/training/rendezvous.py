"""Where sessions meet, so that what they ask for at the same time becomes one job."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import TracebackType

Q = TypeVar("Q")
A = TypeVar("A")


class Rendezvous(Generic[Q, A]):
    """Collects one question from each of several threads and answers them all together.

    Each thread is in turn either asking or computing. When every thread that has not left is asking, the
    last one to arrive answers for all. Which questions meet depends on the threads' own courses alone, not
    on timing, and an answer does not depend on which questions met.

    Parameters
    ----------
    answer : callable
        Takes the questions, ordered by thread number, and returns as many answers.
    n_threads : int
        How many threads take part.

    """

    def __init__(self, answer: Callable[[list[Q]], list[A]], n_threads: int) -> None:
        self._answer = answer
        self._present = n_threads
        self._questions: dict[int, Q] = {}
        self._answers: dict[int, A] = {}
        self._failure: BaseException | None = None
        self._traceback: TracebackType | None = None
        self._changed = threading.Condition()

    def ask(self, number: int, question: Q) -> A:
        """Return the answer to a thread's question; waits for the other threads' questions.

        Raises whatever answering raised, in every thread that was waiting.
        """
        with self._changed:
            self._questions[number] = question
            self._answer_if_complete()
            self._changed.wait_for(lambda: number in self._answers or self._failure is not None)
            if self._failure is not None:
                # Each thread adds to the traceback of what it raises; every one begins with the first.
                raise self._failure.with_traceback(self._traceback)
            return self._answers.pop(number)

    def leave(self) -> None:
        """Take part no longer; the others no longer wait for this thread."""
        with self._changed:
            self._present -= 1
            self._answer_if_complete()

    def _answer_if_complete(self) -> None:
        if self._failure is not None or not self._questions or len(self._questions) < self._present:
            return
        numbers = sorted(self._questions)
        try:
            answers = self._answer([self._questions.pop(number) for number in numbers])
            self._answers.update(zip(numbers, answers, strict=True))
        except BaseException as problem:  # noqa: BLE001 - handed on to every waiting thread
            self._failure, self._traceback = problem, problem.__traceback__
        self._changed.notify_all()

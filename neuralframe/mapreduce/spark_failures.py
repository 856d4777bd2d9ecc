"""How failures of tasks come through Spark: as text in an exception, which it hands to the driver."""

from __future__ import annotations

import base64
import re

from neuralframe.exceptions import EngineError
from neuralframe.mapreduce.failures import Failure

MARK = "neuralframe-failure:"
TOLD = re.compile(MARK + r"([A-Za-z0-9+/=]+)")


class TaskError(Exception):
    """A failure on its way through Spark, which tries again and in the end tells the driver the text."""

    def __init__(self, failure: Failure) -> None:
        super().__init__(MARK + base64.b64encode(failure.to_packet()).decode())


def as_own(problem: Exception) -> Exception:
    """Return an exception of neuralframe's that tells what Spark's does, with the task's traceback."""
    message = str(getattr(problem, "java_exception", None) or problem)
    found = TOLD.search(message)
    if found is not None:
        return Failure.from_packet(base64.b64decode(found[1])).as_exception()
    error = EngineError(f"Spark could not finish the job: {first_line(message)}")
    if "No module named 'neuralframe'" in message:
        error.add_note(
            "neuralframe is not installed for the Python of the tasks (python=, PYSPARK_PYTHON); install it "
            "there, or send it along: nf.SparkEngine(ship_package=True)"
        )
    error.add_note(message)
    return error


def first_line(message: object) -> str:
    """Return the first line of a message that says something."""
    return next((line.strip() for line in str(message).splitlines() if line.strip()), repr(message))

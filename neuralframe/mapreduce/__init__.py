"""Jobs over training sets and the engines that run them."""

from __future__ import annotations

from importlib import import_module
from typing import Any

from neuralframe.exceptions import ChoiceError
from neuralframe.mapreduce.engine import Engine

_MRJOB = "neuralframe.mapreduce.mrjob_engine:MRJobEngine"
ENGINES = {
    "threads": "neuralframe.mapreduce.in_process_engine:InProcessEngine",
    "mrjob": _MRJOB,
    "mrjob:inline": _MRJOB,
    "mrjob:local": _MRJOB,
    "mrjob:hadoop": _MRJOB,
    "mrjob:spark": _MRJOB,
    "mrjob:emr": _MRJOB,
    "spark": "neuralframe.mapreduce.spark_engine:SparkEngine",
}
"""Where each engine lives: ``module:class``; what follows a colon in a name is its first argument."""


def make_engine(engine: Any, **parameters: Any) -> Engine:
    """Return an engine from its name or from a SparkSession; an engine is returned as it is.

    Parameters
    ----------
    engine : str, Engine or SparkSession
    **parameters
        What an engine that is made from its name is made with.

    Raises
    ------
    ChoiceError
        If there is no engine of that name.

    """
    if isinstance(engine, Engine):
        return engine
    if is_spark_session(engine):
        return _made("spark", session=engine)
    if engine not in ENGINES:
        raise ChoiceError("engine", engine, ENGINES)
    return _made(engine, *engine.split(":")[1:], **parameters)


def is_spark_session(given: object) -> bool:
    """Return whether something is a SparkSession; pyspark is not imported for the asking."""
    classes = type(given).__mro__
    return any(cls.__name__ == "SparkSession" and cls.__module__.startswith("pyspark.") for cls in classes)


def _made(name: str, *arguments: str, **keywords: Any) -> Engine:
    module, _, cls = ENGINES[name].partition(":")
    made: Engine = getattr(import_module(module), cls)(*arguments, **keywords)
    return made

"""Jobs over training sets and the engines that run them."""

from __future__ import annotations

from importlib import import_module

from neuralframe.exceptions import ChoiceError
from neuralframe.mapreduce.engine import Engine

ENGINES = {"threads": "neuralframe.mapreduce.in_process_engine:InProcessEngine"}
"""Where each engine lives: ``module:class``."""


def make_engine(engine: str | Engine) -> Engine:
    """Return an engine from its name; an engine is returned as it is.

    Raises
    ------
    ChoiceError
        If there is no engine of that name.

    """
    if isinstance(engine, Engine):
        return engine
    if engine not in ENGINES:
        raise ChoiceError("engine", engine, ENGINES)
    module, _, cls = ENGINES[engine].partition(":")
    made: Engine = getattr(import_module(module), cls)()
    return made

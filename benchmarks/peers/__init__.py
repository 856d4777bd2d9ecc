"""Who takes part: each module makes contestants of a problem; what is not installed is named and left out."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

from peers.contestant import Contestant, NotTakingPartError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from contextlib import ExitStack

    from cases import Problem

MODULES = {
    "ours": "peers.ours",
    "bare products": "peers.bare_products",
    "numpy": "peers.plain_numpy",
    "PyTorch": "peers.pytorch",
    "JAX": "peers.jax_jit",
    "scikit-learn": "peers.scikit_learn",
}
"""Where they live, by how their contestants' names begin.

Each module has ``contestants(problem, stack)``, which returns functions that make one, by name.
"""


def invited(
    problem: Problem, stack: ExitStack, names: Iterable[str] = MODULES
) -> tuple[list[Contestant], dict[str, str]]:
    """Return those who take part, and of the others why not.

    Parameters
    ----------
    problem : Problem
    stack : ExitStack
        Closes what a contestant keeps open.
    names : iterable of str
        Who is to take part: names of contestants, or how they begin.

    """
    taking_part: list[Contestant] = []
    missing: dict[str, str] = {}
    wanted = tuple(names)
    for family, module in MODULES.items():
        if not any(name.startswith(family) for name in wanted):
            continue
        try:
            makers = import_module(module).contestants(problem, stack)
        except ImportError as reason:
            missing[family] = f"not installed ({reason})"
            continue
        for name, make in makers.items():
            if not name.startswith(wanted):
                continue
            try:
                taking_part.append(make())
            except NotTakingPartError as reason:
                missing[name] = str(reason)
    return taking_part, missing

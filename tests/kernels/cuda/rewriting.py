"""A kernel's source rewritten so that a scheduler can run its threads in turns.

Where a thread waits for others (a barrier, a shuffle) the rewritten function yields; a device function that
waits is yielded from. Numbers keep the types that the compiler for the device gives them.
"""

from __future__ import annotations

import ast
import inspect
import math
import textwrap
from types import FunctionType
from typing import Any

import numpy as np

BARRIERS = {"syncthreads", "syncthreads_and", "syncthreads_or", "syncthreads_count"}
EXCHANGES = {
    "syncwarp",
    "shfl_sync",
    "shfl_up_sync",
    "shfl_down_sync",
    "shfl_xor_sync",
    "all_sync",
    "any_sync",
    "ballot_sync",
}


class Integer:
    """An integer type of the device: a Python int of limited range, which is faster than numpy's."""

    def __init__(self, name: str) -> None:
        self.dtype = np.dtype(name)
        self._range = np.iinfo(self.dtype)

    def __call__(self, value: Any) -> int:
        number = int(value)
        if not self._range.min <= number <= self._range.max:
            raise OverflowError(f"{number} does not fit a {self.dtype}")
        return number


class Mathematics:
    """`math` as the device knows it: float32 in, float32 out, and no exceptions."""

    pi, e, inf, nan = (np.float64(number) for number in (math.pi, math.e, math.inf, math.nan))
    _OTHER_NAMES = {"pow": "power", "atan": "arctan", "asin": "arcsin", "acos": "arccos", "atan2": "arctan2"}  # noqa: RUF012

    def __getattr__(self, name: str) -> Any:
        function = getattr(np, self._OTHER_NAMES.get(name, name))
        setattr(self, name, function)
        return function


TYPES: dict[str, Any] = {
    "float32": np.float32,
    "float64": np.float64,
    **{f"{kind}{bits}": Integer(f"{kind}{bits}") for kind in ("int", "uint") for bits in (8, 16, 32, 64)},
}


def rewritten(function: Any, cuda: Any) -> Any:
    """Return a kernel as a generator function, or as a plain function if its threads never wait.

    Parameters
    ----------
    function : function
        The kernel, or the device function, in plain Python; or what numba made of it.
    cuda : object
        Takes the place of ``numba.cuda``.

    """
    return _Rewriting(cuda).of(getattr(function, "py_func", function))


class _Rewriting:
    """Rewrites a function and those that it calls, each once."""

    def __init__(self, cuda: Any) -> None:
        self._cuda = cuda
        self._mathematics = Mathematics()
        self._done: dict[FunctionType, Any] = {}

    def of(self, function: FunctionType) -> Any:
        if function not in self._done:
            self._done[function] = self._rewrite(function)
        return self._done[function]

    def _rewrite(self, function: FunctionType) -> Any:
        names = {name: self._replaced(name, value) for name, value in _names_of(function).items()}
        waiting = {name for name, value in names.items() if inspect.isgeneratorfunction(value)}
        lines, first = inspect.getsourcelines(function)
        tree = ast.parse(textwrap.dedent("".join(lines)))
        rewriter = _Yields(function.__qualname__, waiting, first)
        tree = ast.fix_missing_locations(rewriter.visit(tree))
        ast.increment_lineno(tree, first - 1)  # tracebacks and coverage point to the kernel's own lines
        namespace = names | rewriter.constants
        exec(compile(tree, inspect.getfile(function), "exec"), namespace)  # noqa: S102 - our own kernels
        return namespace[function.__name__]

    def _replaced(self, name: str, value: Any) -> Any:
        value = getattr(value, "py_func", value)
        if name == "cuda":
            return self._cuda
        if value is math:
            return self._mathematics
        type_name = value.__name__ if isinstance(value, type) else str(value)
        if type_name in TYPES and not isinstance(value, str):
            return TYPES[type_name]
        return self.of(value) if isinstance(value, FunctionType) else value


def _names_of(function: FunctionType) -> dict[str, Any]:
    """Return what the function's free names mean: what it closes over, and the globals that it uses."""
    cells = dict(zip(function.__code__.co_freevars, function.__closure__ or (), strict=True))
    used = {
        name: function.__globals__[name]
        for name in function.__code__.co_names
        if name in function.__globals__
    }
    return used | {name: cell.cell_contents for name, cell in cells.items()}


class _Yields(ast.NodeTransformer):
    """Makes every wait a yield, and every float constant a float64, as the compiler does."""

    def __init__(self, function: str, waiting: set[str], first_line: int) -> None:
        self.constants: dict[str, Any] = {}
        self._function = function
        self._waiting = waiting
        self._first_line = first_line

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.decorator_list, node.returns = [], None
        for argument in node.args.args:
            argument.annotation = None
        return self.generic_visit(node)

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        called = ast.unparse(node.func)
        module, _, name = called.rpartition(".")
        if module == "cuda" and name in BARRIERS | EXCHANGES:
            return ast.Yield(ast.Tuple([ast.Constant(name), self._site(node), *node.args], ast.Load()))
        if called == "cuda.shared.array":
            node.keywords.append(ast.keyword("site", self._site(node)))
        return ast.YieldFrom(node) if called in self._waiting else node

    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, float):
            return node
        name = f"_constant_{len(self.constants)}"
        self.constants[name] = np.float64(node.value)
        return ast.Name(name, ast.Load())

    def _site(self, node: ast.Call) -> ast.Constant:
        return ast.Constant(f"{self._function}, line {node.lineno + self._first_line - 1}.{node.col_offset}")

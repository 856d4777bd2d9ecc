"""Fresh processes with a number of threads: what libraries read when they are loaded stays as it is."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

HERE = Path(__file__).parent
THREADS = ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS")
UNWANTED = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Set by some images; the first one halves the speed of numpy's products on processors with AVX-512."""


def call(script: str, **arguments: Any) -> Any:
    """Run a script of this folder in a fresh process and return what its function `main` returned.

    Parameters
    ----------
    script : str
        The name of the file. It ends with ``processes.answer(main)``.
    **arguments
        Handed to `main`; `threads` and `avx2` also tell how the process is set up.

    """
    environment = variables(arguments.get("threads", 1), avx2=arguments.get("avx2", False))
    with processors(arguments.get("threads", 1)):
        process = subprocess.run(  # noqa: S603 - our own scripts
            [sys.executable, HERE / script, json.dumps(arguments)],
            env=environment,
            stdout=subprocess.PIPE,
            check=True,
        )
    return json.loads(process.stdout.splitlines()[-1])


def answer(main: Callable[..., Any]) -> None:
    """Call a function with the arguments that `call` handed on, and print what it returns."""
    result = main(**json.loads(sys.argv[1]))
    print()
    print(json.dumps(result))


@contextmanager
def processors(threads: int) -> Iterator[None]:
    """Let processes that are started meanwhile use as many processors as they may use threads.

    Nothing else holds JAX to one thread for certain. The last processors are taken, as the first one often
    serves the interrupts.
    """
    if not hasattr(os, "sched_setaffinity"):
        yield
        return
    usable = os.sched_getaffinity(0)
    os.sched_setaffinity(0, sorted(usable)[-threads:])
    try:
        yield
    finally:
        os.sched_setaffinity(0, usable)


def variables(threads: int, *, avx2: bool) -> dict[str, str]:
    """Return the environment of a process that is measured."""
    kept = {name: value for name, value in os.environ.items() if name not in UNWANTED}
    eigen = "true" if threads > 1 else "false"
    flags = f"--xla_cpu_multi_thread_eigen={eigen} intra_op_parallelism_threads={threads}"
    made = kept | dict.fromkeys(THREADS, str(threads)) | {"XLA_FLAGS": flags, "TF_CPP_MIN_LOG_LEVEL": "3"}
    return made | avx2_only(flags) if avx2 else made


def avx2_only(flags: str) -> dict[str, str]:
    """Return what keeps each library to AVX2, as on a processor that has no more."""
    return {
        "OPENBLAS_CORETYPE": "Haswell",
        "NPY_DISABLE_CPU_FEATURES": " ".join(beyond_avx2()),
        "ATEN_CPU_CAPABILITY": "avx2",
        "MKL_ENABLE_INSTRUCTIONS": "AVX2",
        "ONEDNN_MAX_CPU_ISA": "AVX2",
        "XLA_FLAGS": f"{flags} --xla_cpu_max_isa=AVX2",
        "NUMBA_CPU_NAME": "haswell",
        "NUMBA_CPU_FEATURES": "",  # those of a Haswell, not of the machine
    }


def beyond_avx2() -> list[str]:
    """Return the groups of instructions beyond AVX2 that this numpy would use here, by numpy's names."""
    found = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return [name for name in found if name.startswith(("AVX512", "X86_V4"))]

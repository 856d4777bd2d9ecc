"""The script that mrjob starts for each task: the job's own, with what was sent along on the path."""

import os
import re
import shlex
import shutil
import sys
from pathlib import Path
from types import ModuleType
from typing import Any

# Before numpy is imported: each task has one processor, and a product that is never split keeps its bits.
for variable in ("OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS", "OMP_NUM_THREADS", "BLIS_NUM_THREADS"):
    os.environ[variable] = "1"
# Archives of the package and of the user's modules lie in the task's working directory.
sys.path[:0] = sorted(str(path.resolve()) for path in Path().glob("neuralframe_*.zip"))

# mrjob 0.7.4 wants a function each of modules that newer Pythons dropped. A task needs no more than these,
# and setuptools, which stands in for distutils, takes longer to import than numpy (0.10 of a task's 0.30 s).
STAND_INS: dict[str, dict[str, Any]] = {
    "distutils": {},
    "distutils.version": {"LooseVersion": lambda text: [int(part) for part in re.findall(r"\d+", text)]},
    "distutils.spawn": {"find_executable": shutil.which},
    "pipes": {"quote": shlex.quote},
}
for name, functions in STAND_INS.items():
    sys.modules[name] = ModuleType(name)
    vars(sys.modules[name]).update(functions)

from neuralframe.mapreduce.mrjob_job import SumJob  # noqa: E402

if __name__ == "__main__":
    SumJob.run()

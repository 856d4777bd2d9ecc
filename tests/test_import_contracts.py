"""Each import contract fails when it is broken on purpose: one that cannot fail holds nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("importlinter", reason="import-linter is part of the extra 'dev'")

ROOT = Path(__file__).parents[1]

BREAKS = {
    "The house": ("neuralframe/core/weight.py", "import neuralframe.kernels.kernel"),
    "Learning rules and engines": (
        "neuralframe/learning/stop_conditions.py",
        "import neuralframe.mapreduce.job",
    ),
    "Core imports numpy and attrs only": ("neuralframe/core/arrays.py", "import scipy"),
    "numba lives in kernels only": ("neuralframe/mapreduce/job.py", "import numba"),
}


def lint(folder):
    code = "from importlinter.cli import lint_imports_command as main; main()"
    return subprocess.run(
        [sys.executable, "-c", code, "--no-cache"], cwd=folder, capture_output=True, text=True, check=False
    )


@pytest.fixture
def copy(tmp_path):
    shutil.copytree(
        ROOT / "neuralframe", tmp_path / "neuralframe", ignore=shutil.ignore_patterns("__pycache__")
    )
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


@pytest.mark.parametrize("contract", BREAKS)
def test_a_broken_contract_is_reported(copy, contract):
    file, statement = BREAKS[contract]
    path = copy / file
    path.write_text(path.read_text(encoding="utf-8") + f"\n{statement}\n", encoding="utf-8")
    done = lint(copy)
    broken = [line for line in done.stdout.splitlines() if "BROKEN" in line or contract in line]
    assert done.returncode != 0, done.stdout + done.stderr
    assert any(contract in line for line in broken), done.stdout


def test_the_contracts_are_all_broken_here_once_and_kept_otherwise(copy):
    import tomllib

    names = [
        contract["name"]
        for contract in tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
            "importlinter"
        ]["contracts"]
    ]
    assert all(any(name.startswith(start) for start in BREAKS) for name in names)
    assert lint(copy).returncode == 0

"""The program as a whole: help, errors, Ctrl-C, missing packages."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

pytest.importorskip("typer", reason="typer and rich come with the extra 'cli'")

import neuralframe as nf
from neuralframe import cli
from neuralframe.cli.interrupts import stopping_on_interrupt
from neuralframe.cli.plan import Plan

COMMANDS = ["train", "evaluate", "predict", "info", "explain"]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_with_an_example(run, command):
    """And says so with status 0."""
    found = run(command, "--help")
    assert found.exit_code == 0
    assert f"neuralframe {command} " in found.stdout
    assert "For example" in found.stdout


def test_the_program_lists_its_commands_and_its_version(run):
    """Help and version need no command."""
    found = run("--help")
    assert all(command in found.stdout for command in COMMANDS)
    assert run("--version").stdout.strip() == f"neuralframe {nf.__version__}"


@pytest.mark.parametrize(
    "arguments", [["dance"], ["train"], ["predict", "model.nf"], ["train", "a", "--colour"]]
)
def test_a_wrong_command_line_has_status_2(run, arguments):
    """Whatever is wrong about it."""
    assert run(*arguments).exit_code == 2


def test_help_does_not_wait_for_numpy():
    """Nothing heavy is imported until a command needs it."""
    code = (
        "import sys; from neuralframe.cli.application import application; "
        "print({'numpy', 'scipy', 'numba', 'sklearn'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


@pytest.mark.parametrize("how", [["--debug"], []])
def test_debug_shows_where_an_error_came_from(run, monkeypatch, how):
    """By option or by variable."""
    if not how:
        monkeypatch.setenv("NEURALFRAME_DEBUG", "1")
    found = run(*how, "info", "none.nf")
    assert found.exit_code == 1
    assert isinstance(found.exception, FileNotFoundError)
    assert isinstance(run("info", "none.nf").exception, SystemExit if how else FileNotFoundError)


@pytest.mark.parametrize("package", ["typer", "rich"])
def test_a_missing_package_is_told_with_advice(monkeypatch, capsys, package):
    """The program is there even where its extra is not installed."""
    monkeypatch.setattr(cli, "find_spec", lambda name: None if name == package else object())
    with pytest.raises(SystemExit) as stopped:
        cli.main()
    assert stopped.value.code == 1
    assert f"'{package}'" in (complaint := capsys.readouterr().err)
    assert "pip install 'neuralframe[cli]'" in complaint


def test_the_program_runs_as_a_module(start, table):
    """A process of its own: answers on standard output, whole lines without colours."""
    process = start("train", table, "--iterations", 20)
    output, lines = process.communicate(timeout=60)
    assert process.returncode == 0, lines
    assert "accuracy" in output
    assert "iteration 20  error" in lines
    assert "\x1b" not in output + lines


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has other pipes")
@pytest.mark.parametrize("deaf", ["stdout", "stderr"])
def test_a_reader_who_goes_does_not_cost_the_model(start, table, folder, deaf):
    """As with ``| head -1``: the training goes on, the other stream is whole, and the model is saved."""
    process = start("train", table, "--iterations", 30)
    getattr(process, deaf).close()
    told = (process.stderr if deaf == "stdout" else process.stdout).read()
    assert process.wait(timeout=60) == 0, told
    assert ("iteration 30  error" if deaf == "stdout" else "accuracy") in told
    assert "Broken" not in told
    assert nf.load(folder / "colours.nf").encoding.class_labels == ("blue", "green", "red")
    setattr(process, deaf, None)


def test_an_error_in_a_process_of_its_own_is_one_line(start):
    """No traceback."""
    process = start("train", "nothing.csv")
    output, complaint = process.communicate(timeout=60)
    assert process.returncode == 1
    assert output == ""
    assert complaint == "error: nothing.csv cannot be read: No such file or directory\n"


@pytest.mark.skipif(sys.platform == "win32", reason="Windows has no SIGINT for one process")
@pytest.mark.parametrize("sessions", [1, 3])
def test_ctrl_c_ends_the_training_and_saves_the_model(start, table, folder, sessions):
    """Status 130, the results so far, and a model that can be used."""
    process = start("train", table, "--iterations", 10**8, "--sessions", sessions)
    assert "iteration 0" in process.stderr.readline()
    process.send_signal(signal.SIGINT)
    output, lines = process.communicate(timeout=60)
    assert process.returncode == 130, lines
    assert "stopping after this iteration" in lines
    assert "interrupted by Ctrl-C" in output
    assert "Held-out samples" in output
    assert nf.load(folder / "colours.nf").encoding.class_labels == ("blue", "green", "red")


def test_the_second_ctrl_c_aborts():
    """The first only asks; afterwards the usual handler is back."""
    before = signal.getsignal(signal.SIGINT)
    control = nf.TrainingControl()
    with pytest.raises(KeyboardInterrupt), stopping_on_interrupt(control):  # noqa: PT012 - two signals
        signal.raise_signal(signal.SIGINT)
        assert control.stop_reason == "interrupted by Ctrl-C"
        signal.raise_signal(signal.SIGINT)
    assert signal.getsignal(signal.SIGINT) is before


def test_an_aborted_training_leaves_the_old_model(run, table, old_model, monkeypatch):
    """Status 130 as well, but nothing is saved."""

    def abort(*_, **__):
        raise KeyboardInterrupt

    monkeypatch.setattr(Plan, "train", abort)
    model = table.with_suffix(".nf")
    before = old_model(model)
    found = run("train", table)
    assert found.exit_code == 130
    assert "nothing was saved" in found.stderr
    assert model.read_bytes() == before

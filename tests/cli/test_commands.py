"""The command line as a whole: quick to start, and the same manners in every command."""

from __future__ import annotations

import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

import dicomsim
from dicomsim.cli import COMMANDS
from tests.cli.conftest import Call

HEAVY = {"pydicom", "scapy", "rich", "pydantic", "prompt_toolkit", "pytest", "ruamel", "asyncio"}
ROOT = Path(__file__).resolve().parents[2]
THERE = [name for name in COMMANDS if find_spec(f"dicomsim.cli.{name}")]


def test_the_version_is_printed(call: Call) -> None:
    called = call("--version")
    assert (0, f"dicomsim, version {dicomsim.__version__}\n") == (called.exit_code, called.out)


def test_the_help_lists_every_command_even_when_they_are_imported(call: Call) -> None:
    for name in COMMANDS:
        assert 0 == call(name, "--help").exit_code
    called = call("--help")
    assert 0 == called.exit_code
    listed = [line.split()[0] for line in called.out.partition("Commands:")[2].splitlines() if line.strip()]
    assert list(COMMANDS) == listed


def test_an_unknown_command_is_a_usage_error(call: Call) -> None:
    called = call("ehco")
    assert (2, "") == (called.exit_code, called.out)
    assert "No such command 'ehco'" in called.err


@pytest.mark.parametrize("name", THERE)
def test_the_help_of_a_command_ends_with_examples_of_it(call: Call, name: str) -> None:
    called = call(name, "--help")
    assert 0 == called.exit_code
    title, *examples = called.out.partition("\n  Example")[2].splitlines()
    assert title in (":", "s:")
    assert examples
    assert all(line.startswith((f"    dicomsim {name}", "      ")) for line in examples)


def _imported(*words: str) -> set[str]:
    """The packages that a call has imported when it ends; what it prints goes nowhere."""
    code = (
        "import sys, atexit; from dicomsim.cli import main; sys.stdout = sys.stderr = open('/dev/null', 'w');"
        "atexit.register(lambda: print(*sys.modules, file=sys.__stdout__)); main(sys.argv[1:])"
    )
    environment = {"PYTHONPATH": ":".join(map(str, (ROOT, *sys.path[1:])))}
    command = [sys.executable, "-c", code, *words]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, cwd="/")
    modules = done.stdout.split()
    assert "dicomsim.cli" in modules, done.stderr
    return {module.partition(".")[0] for module in modules}


@pytest.mark.slow
@pytest.mark.parametrize("words", [("--version",), ("--help",), ("echo", "--help"), ("store", "--help")])
def test_nothing_heavy_is_imported_to_answer_at_once(words: tuple[str, ...]) -> None:
    assert set() == HEAVY & _imported(*words)


@pytest.mark.slow
@pytest.mark.parametrize("options", [[], ["--json"], ["--trace", "-n", "3"]])
def test_an_echo_imports_nothing_heavy(address: str, options: list[str]) -> None:
    assert set() == HEAVY & _imported("echo", address, *options)


@pytest.mark.slow
def test_a_store_into_a_pipe_imports_nothing_heavy(address: str, tmp_path: Path) -> None:
    (tmp_path / "a.txt").touch()
    assert set() == HEAVY & _imported("store", address, str(tmp_path / "a.txt"))

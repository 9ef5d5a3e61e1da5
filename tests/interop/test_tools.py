"""Running a program reports how it ended, and a missing one skips its test or fails it."""

from __future__ import annotations

import subprocess
from typing import NoReturn

import pytest

from tests.interop.tools import missing, peer_python, require, run_tool


def test_exit_code_and_both_outputs_are_reported() -> None:
    done = run_tool(["sh", "-c", "echo out; echo err >&2; exit 3"])
    assert (3, ["err", "out"]) == (done.exit_code, sorted(done.output.split()))


def test_an_unexpected_exit_code_fails_with_the_output() -> None:
    with pytest.raises(pytest.fail.Exception, match=r"exited 3, expected 0:\nwhat went wrong"):
        run_tool(["sh", "-c", "echo what went wrong; exit 3"]).check()


def test_peers_are_run_without_delayed_acknowledgements() -> None:
    assert "1\n" == run_tool(["sh", "-c", "echo $TCP_NODELAY"]).output


def test_a_program_that_does_not_end_fails_with_its_output_so_far(monkeypatch: pytest.MonkeyPatch) -> None:
    def ran_out(command: list[str], timeout: float, **_: object) -> NoReturn:
        raise subprocess.TimeoutExpired(command, timeout, output=b"busy")

    monkeypatch.setattr(subprocess, "run", ran_out)
    with pytest.raises(pytest.fail.Exception, match=r"still ran after 0\.5 s \(timeout of run_tool\):\nbusy"):
        run_tool(["sh"], timeout=0.5)


def test_a_missing_program_skips_and_says_which_package_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match=r"storescp-9 is not installed \(apt-get install dcmtk\)"):
        require("storescp-9")


def test_a_missing_program_fails_under_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CI", "true")
    with pytest.raises(pytest.fail.Exception, match="no peer may be missing"):
        missing("storescp-9", "apt-get install dcmtk")


def test_an_interpreter_without_pynetdicom_is_a_missing_peer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("CI", raising=False)
    monkeypatch.setenv("DICOMSIM_PEER_PYTHON", "/nowhere/python")
    with pytest.raises(pytest.skip.Exception, match="pynetdicom in /nowhere/python is not installed"):
        peer_python()

from __future__ import annotations

import io
import sys

import pytest

from dicomsim.repl.session import run_repl


def test_commands_of_the_command_line_run_without_a_prompt(peer: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == run_repl(peer, ["echo", "release"], "ME")
    shown = capsys.readouterr()
    assert "" == shown.err
    lines = shown.out.splitlines()
    assert "calling is ME" == lines[0]
    assert f" open with {peer} " in lines[1]
    assert lines[2].startswith("C-ECHO: 0x0000 Success, ")
    assert " released by requestor " in lines[3]


def test_commands_of_a_pipe_run_without_a_prompt(
    peer: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(f"# a script\nopen {peer}\necho\nnonsense\necho\n"))
    assert 2 == run_repl(None, [])
    shown = capsys.readouterr()
    assert "dicomsim: line 4: there is no command 'nonsense'; help lists all\n" == shown.err
    assert 1 == shown.out.count("C-ECHO: ")


def test_a_peer_that_cannot_be_called_ends_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert 4 == run_repl("X@127.0.0.1:1", ["echo"])
    assert capsys.readouterr().err.startswith("dicomsim: open: X@127.0.0.1:1: connection refused")


def test_a_peer_that_is_none_is_a_usage_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert 2 == run_repl("it's nowhere", [])
    assert 'dicomsim: "it\'s nowhere" has no port' in capsys.readouterr().err


def test_names_of_files_may_be_any_bytes(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    script = io.TextIOWrapper(io.BytesIO(b"record start /none/\xff.pcap\n"), encoding="utf-8")
    monkeypatch.setattr(sys, "stdin", script)
    assert 3 == run_repl(None, [])
    assert "cannot be written" in capsys.readouterr().err

from __future__ import annotations

import io
import os

import pytest

from dicomsim.repl.output import PlainOutput, TerminalOutput, Tone


def test_plain_lines_go_to_stdout_and_errors_to_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    output = PlainOutput()
    output.line("one", Tone.GOOD)
    output.error("two")
    output.interrupted()
    assert ("one\n", "dicomsim: two\ndicomsim: interrupted\n") == capsys.readouterr()


def test_plain_output_may_go_elsewhere() -> None:
    out, errors = io.StringIO(), io.StringIO()
    PlainOutput(out, errors).error("x")
    assert ("", "dicomsim: x\n") == (out.getvalue(), errors.getvalue())


def test_a_terminal_shows_tones_as_colours() -> None:
    written: list[str] = []
    output = TerminalOutput(written.append, colours=True)
    output.line("plain")
    output.line("good", Tone.GOOD)
    output.error("bad")
    assert ["plain\n", "\x1b[32mgood\x1b[0m\n", "\x1b[31merror: bad\x1b[0m\n"] == written


def test_an_interruption_stands_over_the_echoed_key() -> None:
    written: list[str] = []
    TerminalOutput(written.append, colours=False).interrupted()
    assert ["\r", "interrupted\n"] == written


def test_no_color_is_respected(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_COLOR", "1")
    written: list[str] = []
    TerminalOutput(written.append).line("good", Tone.GOOD)
    assert ["good\n"] == written


def test_a_terminal_writes_where_stdout_is_at_that_moment(capsys: pytest.CaptureFixture[str]) -> None:
    TerminalOutput(colours=False).line("x")
    assert "x\n" == capsys.readouterr().out


def test_a_pipe_that_nobody_reads_is_noticed_and_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with open(writing, "w") as pipe:
        output = PlainOutput(pipe)
        output.line("x")
        assert not output.is_read
        output.line("y")

"""What is shown while files are sent: on a terminal, in a pipe, for programs."""

from __future__ import annotations

import io
import sys
from dataclasses import replace

import pytest

from dicomsim.cli.progress import Bar, Lines, Silent, display, line
from dicomsim.cli.sending import Item, Result

STORED = Item("a.dcm", result=Result.STORED, text="0x0000 Success", size=10)
FAILED = Item("b.dcm", result=Result.FAILED, text="no answer", size=10)
UNREADABLE = Item("c.txt", result=Result.UNREADABLE, text="not a DICOM file")


class Terminal(io.StringIO):
    """Text that takes itself for a terminal."""

    def isatty(self) -> bool:
        return True


def _terminal(monkeypatch: pytest.MonkeyPatch) -> Terminal:
    """Put one where stdout and stderr are; in the test itself, since pytest puts its own there before each phase."""
    screen = Terminal()
    monkeypatch.setattr(sys, "stdout", screen)
    monkeypatch.setattr(sys, "stderr", screen)
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.delenv("NO_COLOR", raising=False)
    return screen


def _show(shown: Silent) -> None:
    with shown.showing():
        for item in (STORED, FAILED, UNREADABLE):
            assert item is shown.found(item)
        shown.begin(20)
        for item in (STORED, FAILED):
            if isinstance(shown, Bar):
                shown.advance(item.size)
            shown.sent(item)


def test_a_line_has_the_result_in_a_column_of_its_own() -> None:
    assert ["stored      a.dcm  0x0000 Success", "failed      b.dcm  no answer"] == [line(STORED), line(FAILED)]
    assert "not sent    d.dcm" == line(Item("d.dcm"))


def test_neither_a_file_name_nor_a_uid_can_steer_the_terminal() -> None:
    item = replace(FAILED, path="\x1b]0;gotcha\a \nä.dcm", text="the peer does not take 1.2\r.3")
    assert r"failed      \x1b]0;gotcha\x07 \x0aä.dcm  the peer does not take 1.2\x0d.3" == line(item)


def test_in_a_pipe_there_are_lines_and_no_bar(capsys: pytest.CaptureFixture[str]) -> None:
    assert Lines is type(display(quiet=False, as_json=False))
    _show(display(quiet=False, as_json=False))
    out, err = capsys.readouterr()
    assert f"{line(STORED)}\n{line(FAILED)}\n" == out
    assert "dicomsim: c.txt: not a DICOM file\n" == err


def test_quiet_lines_are_those_that_are_not_stored(capsys: pytest.CaptureFixture[str]) -> None:
    _show(display(quiet=True, as_json=False))
    out, err = capsys.readouterr()
    assert f"{line(FAILED)}\n" == out
    assert "dicomsim: c.txt: not a DICOM file\n" == err


def test_for_programs_stdout_stays_free(capsys: pytest.CaptureFixture[str]) -> None:
    _show(display(quiet=False, as_json=True))
    assert ("", "dicomsim: c.txt: not a DICOM file\n") == tuple(capsys.readouterr())


@pytest.mark.slow
def test_on_a_terminal_there_is_a_bar_below_the_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch)
    shown = display(quiet=False, as_json=False)
    assert isinstance(shown, Bar)
    _show(shown)
    screen = terminal.getvalue()
    for text in (line(STORED), line(FAILED), "dicomsim: c.txt: not a DICOM file", "sending", "100%"):
        assert text in screen


@pytest.mark.slow
def test_lines_gather_and_none_is_lost_when_it_breaks_off(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch)
    def break_off() -> None:
        with shown.showing():
            for _ in range(100):
                shown.sent(STORED)
            raise KeyboardInterrupt

    shown = Bar()
    with pytest.raises(KeyboardInterrupt):
        break_off()
    assert 100 == terminal.getvalue().count(line(STORED))


@pytest.mark.slow
def test_quiet_on_a_terminal_keeps_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = _terminal(monkeypatch)
    _show(display(quiet=True, as_json=False))
    screen = terminal.getvalue()
    assert (False, True, True) == tuple(text in screen for text in (line(STORED), line(FAILED), "100%"))

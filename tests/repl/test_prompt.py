"""The prompt with a terminal's keys and without a terminal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent
from prompt_toolkit.document import Document
from prompt_toolkit.history import FileHistory, InMemoryHistory
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

from dicomsim.repl.prompt import LineCompleter, Prompt, open_history
from dicomsim.server import Server
from tests.repl.conftest import LIMIT, Desk

ENTER, CTRL_C, CTRL_D, TAB, UP, RIGHT = "\r", "\x03", "\x04", "\t", "\x1b[A", "\x1b[C"

Keys = Callable[[str], None]


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    """Where a test types."""
    with create_pipe_input() as typed, create_app_session(input=typed, output=DummyOutput()):
        yield typed


def run(desk: Desk, keys: PipeInput, text: str, *earlier: str) -> int:
    """Type at a prompt that has a history."""
    keys.send_text(text)
    return Prompt(desk.interpreter, InMemoryHistory(earlier)).run()


def test_lines_are_run_until_ctrl_d(desk: Desk, keys: PipeInput, peer: str) -> None:
    assert 0 == run(desk, keys, f"open {peer}{ENTER}echo{ENTER}nonsense{ENTER}{CTRL_D}")
    shown = desk.lines.texts
    assert "C-ECHO: 0x0000 Success" in shown[1]
    assert "error: there is no command 'nonsense'; help lists all" == shown[2]
    assert "released by requestor" in shown[3]


def test_quit_leaves_as_ctrl_d_does(desk: Desk, keys: PipeInput, peer: str) -> None:
    assert 0 == run(desk, keys, f"open {peer}{ENTER}quit{ENTER}")
    assert "released by requestor" in desk.lines.texts[-1]


def test_ctrl_c_drops_the_line(desk: Desk, keys: PipeInput) -> None:
    assert 0 == run(desk, keys, f"nonsense{CTRL_C}trace{ENTER}{CTRL_D}")
    assert ["tracing nothing: trace on begins it"] == desk.lines.texts


def test_earlier_lines_come_back(desk: Desk, keys: PipeInput) -> None:
    run(desk, keys, f"{UP}{UP}{ENTER}{CTRL_D}", "trace", "state")
    assert ["tracing nothing: trace on begins it"] == desk.lines.texts


def test_what_went_wrong_in_clearing_away_is_the_exit_code(desk: Desk, keys: PipeInput, peer: str) -> None:
    line = f"open {peer}; rule on on A-RELEASE-RQ out: drop"
    assert 5 == run(desk, keys, f"{line}{ENTER}set acse 0.01{ENTER}{CTRL_D}")


def completions(desk: Desk, line: str, *earlier: str) -> list[tuple[str, int, str]]:
    completer = LineCompleter(desk.interpreter, earlier)
    found = completer.get_completions(Document(line), CompleteEvent())
    return [(one.text, one.start_position, one.display_meta_text) for one in found]


def test_words_are_completed_with_their_help(desk: Desk) -> None:
    assert [("echo", -2, "Verify that the peer answers (C-ECHO).")] == completions(desk, "ec")


def test_peers_are_our_acceptor_those_called_and_those_of_earlier_sessions(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}; release; serve start 0")
    found = [text for text, _, _ in completions(desk, "open ", "OLD@h:1", peer)]
    assert [desk.bench.serving, peer, "OLD@h:1"] == found[:3]


def test_values_are_those_of_the_moment(desk: Desk) -> None:
    desk.type("rule on on A-ABORT in name=mine: drop; set dimse 7")
    assert ["mine"] == [text for text, _, _ in completions(desk, "rule off ")]
    assert ["7", "none"] == [text for text, _, _ in completions(desk, "set dimse ")]


def test_the_toolbar_follows_the_association(desk: Desk, keys: PipeInput, peer: str, acceptor: Server) -> None:
    prompt = Prompt(desk.interpreter, InMemoryHistory())
    seen: list[str] = []
    aborted = threading.Event()
    refresh = desk.bench.on_change

    def on_change() -> None:
        refresh()
        seen.append("".join(text for _, text, *_ in prompt._toolbar()))
        if "Sta1" in seen[-1] and any("Sta6" in one for one in seen):
            aborted.set()

    desk.bench.on_change = on_change
    ending = threading.Thread(target=_abort_and_leave, args=(desk, acceptor, aborted, keys))
    keys.send_text(f"open {peer}{ENTER}")
    ending.start()
    assert 0 == prompt.run()
    ending.join()
    assert any(one.startswith(f" Sta6 open │ {peer} │ contexts 2/128") for one in seen)
    assert " Sta1 idle" == seen[-1]


def _abort_and_leave(desk: Desk, acceptor: Server, aborted: threading.Event, keys: PipeInput) -> None:
    desk.lines.await_line("open with")
    acceptor.shutdown()
    aborted.wait(LIMIT)
    keys.send_text(CTRL_D)


def test_a_change_while_there_is_no_prompt_is_no_harm(
    desk: Desk, keys: PipeInput, monkeypatch: pytest.MonkeyPatch
) -> None:
    def ending() -> None:
        raise RuntimeError("no running event loop")

    prompt = Prompt(desk.interpreter, InMemoryHistory())
    desk.bench.on_change()
    with monkeypatch.context() as patched:
        patched.setattr(prompt._session.app, "invalidate", ending)
        desk.bench.on_change()
    keys.send_text(CTRL_D)
    assert 0 == prompt.run()


def test_the_history_is_kept_in_its_file(desk: Desk, tmp_path: Path) -> None:
    history = open_history(desk.lines, tmp_path / "state" / "history")
    assert isinstance(history, FileHistory)
    history.append_string("open A@h:1")
    again = open_history(desk.lines, tmp_path / "state" / "history")
    assert ["open A@h:1"] == list(again.load_history_strings())


def test_a_history_that_cannot_be_kept_is_said_once(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    assert isinstance(open_history(desk.lines, tmp_path / "file" / "history"), InMemoryHistory)
    assert [f"{tmp_path / 'file' / 'history'}: file exists; the history is not kept"] == desk.lines.texts

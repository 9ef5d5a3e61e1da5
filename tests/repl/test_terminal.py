"""The program as somebody at a terminal sees it: a process with a terminal of its own, its keys and its screen."""

from __future__ import annotations

import os
import pty
import re
import select
import subprocess
import sys
import termios
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from dicomsim.behaviour import Behaviour
from dicomsim.engine.clock import SystemClock
from dicomsim.server import Server
from tests.repl.conftest import LIMIT

pytestmark = pytest.mark.slow

ENTER, CTRL_C, CTRL_D, TAB = "\r", "\x03", "\x04", "\t"
_WHERE = b"\x1b[6n"
"""Asks where the cursor is."""
_ESCAPES = re.compile(r"\x1b(?:\[[0-?]*[ -/]*[@-~]|[@-Z\\-_])")
_TAKE_TERMINAL = "import fcntl, termios; fcntl.ioctl(0, termios.TIOCSCTTY, 0)"  # so that Ctrl-C there is its signal
_PROGRAM = [sys.executable, "-c", f"{_TAKE_TERMINAL}; from dicomsim.cli import main; main()", "repl"]


class Terminal:
    """A program in a terminal."""

    def __init__(self, program: list[str], environment: dict[str, str]) -> None:
        self._screen, theirs = pty.openpty()
        termios.tcsetwinsize(theirs, (40, 200))
        self._process = subprocess.Popen(
            program, stdin=theirs, stdout=theirs, stderr=theirs, env=environment, start_new_session=True
        )  # fmt: skip
        os.close(theirs)
        self._poll = select.poll()
        self._poll.register(self._screen, select.POLLIN)
        self._seen = ""
        self._clock = SystemClock().monotonic

    def type(self, text: str) -> None:
        """Press keys."""
        os.write(self._screen, text.encode())

    def expect(self, text: str) -> None:
        """Wait until a text is on the screen, behind what was expected before."""
        deadline = self._clock() + LIMIT
        while text not in self._seen:
            assert self._read(deadline), f"the program has ended without {text!r}: {self._seen!r}"
        self._seen = self._seen.partition(text)[2]

    def _read(self, deadline: float) -> bool:
        """Read what is written; False at the end of the program."""
        assert self._poll.poll(max(deadline - self._clock(), 0) * 1000), f"nothing comes behind {self._seen!r}"
        try:
            data = os.read(self._screen, 1 << 16)
        except OSError:  # how Linux says that the other side is closed
            return False
        for _ in range(data.count(_WHERE)):  # without an answer prompt-toolkit shows no toolbar
            os.write(self._screen, b"\x1b[1;1R")
        self._seen += _ESCAPES.sub("", data.decode("utf-8", "replace"))
        return bool(data)

    def end(self) -> int:
        """The exit code, once it has ended by itself."""
        deadline = self._clock() + LIMIT
        while self._read(deadline):
            pass
        return self._process.wait(LIMIT)

    def close(self) -> None:
        """End it, if it has not ended."""
        if self._process.poll() is None:
            self._process.kill()
            self._process.wait()
        os.close(self._screen)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Terminal]]:
    """Starts the program with arguments."""
    started: list[Terminal] = []
    environment = os.environ | {
        "TERM": "xterm", "XDG_STATE_HOME": str(tmp_path)
    }  # fmt: skip

    def begin(*arguments: str) -> Terminal:
        started.append(Terminal([*_PROGRAM, *arguments], environment))
        return started[-1]

    yield begin
    for terminal in started:
        terminal.close()


def test_an_association_from_beginning_to_end(start: Callable[..., Terminal], peer: str, tmp_path: Path) -> None:
    terminal = start(peer)
    terminal.expect(f"open with {peer}")
    terminal.expect("Sta6 open")
    terminal.type("ec")
    terminal.expect("Verify that the peer answers")
    terminal.type(TAB + ENTER)
    terminal.expect("C-ECHO: 0x0000 Success")
    terminal.expect("Sta6 open")  # the prompt is there again: before, the terminal itself takes Ctrl-D
    terminal.type(CTRL_D)
    terminal.expect("released by requestor in Sta7")
    assert 0 == terminal.end()
    assert "+echo" in (tmp_path / "dicomsim" / "repl-history").read_text()


def test_a_peer_that_goes_while_the_prompt_idles_is_told(
    start: Callable[..., Terminal], peer: str, acceptor: Server
) -> None:
    terminal = start(peer)
    terminal.expect("Sta6 open")
    terminal.type("half a li")
    acceptor.shutdown()
    terminal.expect("aborted by acceptor in Sta6")
    terminal.expect("Sta1 idle")
    terminal.type(CTRL_C + "echo" + ENTER)
    terminal.expect("error: echo: no association is open")
    terminal.expect("Sta1 idle")
    terminal.type(CTRL_D)
    assert 0 == terminal.end()


def test_ctrl_c_cancels_what_waits_and_the_prompt_stays(
    start: Callable[..., Terminal], peer: str, acceptor: Server
) -> None:
    acceptor.ae.behaviour = Behaviour(["on C-ECHO-RQ in: drop"])
    terminal = start(peer)
    terminal.expect("Sta6 open")
    terminal.type("trace on" + ENTER)
    terminal.expect("tracing")
    terminal.type("echo" + ENTER)
    terminal.expect("-> C-ECHO-RQ, message 1")
    terminal.type(CTRL_C)
    terminal.expect("interrupted")
    terminal.expect("aborted by requestor in Sta6")
    terminal.expect("Sta1")
    terminal.type("quit" + ENTER)
    assert 0 == terminal.end()

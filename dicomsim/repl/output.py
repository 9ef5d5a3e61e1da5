"""Where lines go: a terminal, plain text, or (in tests) a list."""

from __future__ import annotations

import os
import sys
import threading
from collections.abc import Callable
from enum import Enum
from typing import Protocol, TextIO


class Tone(Enum):
    """What kind of line it is, as its colour on a terminal tells."""

    PLAIN = ""
    """What was asked for."""
    GOOD = "32"
    """It went as it should."""
    BAD = "31"
    """It did not."""
    NOTICE = "33"
    """It happened unasked."""
    TRACE = "2"
    """One of many."""


class Output(Protocol):
    """Takes lines from any thread."""

    is_read: bool
    """Whether anybody still reads them."""

    def line(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Show a line, or several with line ends between them."""
        ...

    def error(self, text: str) -> None:
        """Show what went wrong, on one line."""
        ...

    def interrupted(self) -> None:
        """Show that Ctrl-C was pressed."""
        ...


class PlainOutput:
    """Lines on stdout, errors on stderr, without colours."""

    def __init__(self, out: TextIO | None = None, errors: TextIO | None = None) -> None:
        self.is_read = True
        self._out = out
        self._errors = errors
        self._lock = threading.Lock()

    def line(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Write a line on stdout; nothing more once nobody reads it."""
        self._write(self._out or sys.stdout, text)

    def error(self, text: str) -> None:
        """Write a line on stderr."""
        self._write(self._errors or sys.stderr, f"dicomsim: {text}")

    def interrupted(self) -> None:
        """Write that on stderr."""
        self.error("interrupted")

    def _write(self, stream: TextIO, text: str) -> None:
        with self._lock:
            try:
                stream.write(f"{text}\n")
                stream.flush()
            except BrokenPipeError:  # as with `| head`: what is still under way ends in order, unheard
                self.is_read = False
                os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())


class TerminalOutput:
    """Lines on a terminal, in colours, above the prompt while there is one."""

    def __init__(self, write: Callable[[str], object] | None = None, *, colours: bool | None = None) -> None:
        """`write` takes a line with its end; by default it goes to `sys.stdout`, which the prompt has replaced."""
        self.is_read = True
        self._write = write or _to_stdout
        self._colours = "NO_COLOR" not in os.environ if colours is None else colours
        self._lock = threading.Lock()

    def line(self, text: str, tone: Tone = Tone.PLAIN) -> None:
        """Write a line in the colour of its tone."""
        if self._colours and tone.value:
            text = f"\x1b[{tone.value}m{text}\x1b[0m"
        with self._lock:
            self._write(f"{text}\n")

    def error(self, text: str) -> None:
        """Write what went wrong."""
        self.line(f"error: {text}", Tone.BAD)

    def interrupted(self) -> None:
        """Write that over the ^C that the terminal has shown."""
        with self._lock:
            self._write("\r")
        self.line("interrupted", Tone.NOTICE)


def _to_stdout(text: str) -> None:
    sys.stdout.write(text)
    sys.stdout.flush()

"""The peer under test as a process of ours: started for a case, watched, and ended by its id."""

from __future__ import annotations

import os
import select
import shlex
import signal
import subprocess
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from tempfile import TemporaryFile
from typing import Final, Self

from dicomsim.errors import ConnectError, DicomsimError, ExitCode

END_LIMIT: Final = 2.0
"""Seconds from asking a process to end to ending it."""
MOST_OUTPUT: Final = 64 * 1024
"""Bytes of output that are kept, from the end."""


class CommandError(DicomsimError):
    """A command for the peer that cannot be understood."""

    exit_code = ExitCode.USAGE


def command_line(command: str, values: Mapping[str, str]) -> list[str]:
    """The words of a command, as a shell would part them, with values in the place of `{host}` and so on.

    Raises:
        CommandError: a quote is not closed, or there is nothing in it.
    """
    try:
        words = shlex.split(command)
    except ValueError as error:
        raise CommandError(f"--exec {command!r}: {error}") from error
    if not words:
        raise CommandError("--exec: the command is empty")
    for name, value in values.items():
        words = [word.replace(f"{{{name}}}", value) for word in words]
    return words


class PeerProcess:
    """A running command, in a process group of its own; a context manager that ends it."""

    def __init__(self, words: list[str], folder: Path | None = None) -> None:
        """Start it.

        Raises:
            ConnectError: there is no such command.
        """
        self.words = words
        self._output = TemporaryFile()  # noqa: SIM115 - closed with the process
        try:
            self._process = subprocess.Popen(
                words,
                stdin=subprocess.DEVNULL,
                stdout=self._output,
                stderr=subprocess.STDOUT,
                cwd=folder,
                start_new_session=True,
            )
        except OSError as error:
            self._output.close()
            raise ConnectError(f"--exec: {words[0]} cannot be started: {error.strerror}") from error

    def wait(self, seconds: float) -> int | None:
        """Its exit code (negative: the signal that ended it), or None if it is still running after that time."""
        if self._process.returncode is None and self._code() is None:
            handle = os.pidfd_open(self._process.pid)
            try:
                ended = select.poll()
                ended.register(handle, select.POLLIN)
                ended.poll(max(seconds, 0) * 1000)
            finally:
                os.close(handle)
        return self._code()

    def _code(self) -> int | None:
        """The exit code, without reaping: as long as nobody does, its id and its group's are nobody else's."""
        if self._process.returncode is not None:
            return self._process.returncode
        info = os.waitid(os.P_PID, self._process.pid, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        if info is None:
            return None
        return info.si_status if info.si_code == os.CLD_EXITED else -info.si_status

    def end(self) -> int:
        """End it and what it has started: they are asked first, then made to. Its exit code."""
        if self._process.returncode is None:
            if self._code() is None:
                self._signal(signal.SIGTERM)
                self.wait(END_LIMIT)
            self._signal(signal.SIGKILL)
        return self._process.wait()

    def _signal(self, number: signal.Signals) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, number)

    def output(self) -> str:
        """What it has printed, the end of it if it is long."""
        if self._output.closed:
            return ""
        self._output.seek(0, os.SEEK_END)
        self._output.seek(max(self._output.tell() - MOST_OUTPUT, 0))
        return self._output.read().decode("utf-8", "replace")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end()
        self._output.close()

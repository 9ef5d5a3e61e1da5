"""The peer under test as a process."""

from __future__ import annotations

import os
import select
import signal
import sys
from pathlib import Path

import pytest

from dicomsim.errors import ConnectError
from dicomsim.scenario.process import MOST_OUTPUT, CommandError, PeerProcess, command_line
from tests.scenario.doubles import LIMIT

VALUES = {"host": "127.0.0.1", "port": "11112", "aet": "ANY", "file": "/a b/sample.dcm"}


def python(code: str) -> list[str]:
    return [sys.executable, "-c", code]


@pytest.mark.parametrize(
    ("command", "words"),
    [
        ("storescu {host} {port} {file}", ["storescu", "127.0.0.1", "11112", "/a b/sample.dcm"]),
        ("tool --call={aet}@{host}:{port}", ["tool", "--call=ANY@127.0.0.1:11112"]),
        ("sh -c 'a; b {port}'", ["sh", "-c", "a; b 11112"]),
        ("tool {other} $HOME *", ["tool", "{other}", "$HOME", "*"]),
    ],
)
def test_a_command_is_parted_as_a_shell_would_and_no_shell_runs_it(command: str, words: list[str]) -> None:
    assert words == command_line(command, VALUES)


@pytest.mark.parametrize(("command", "reason"), [("", "is empty"), ("a 'b", "No closing quotation")])
def test_what_is_no_command_is_refused(command: str, reason: str) -> None:
    with pytest.raises(CommandError, match=reason):
        command_line(command, VALUES)


def test_its_exit_code_and_output_are_kept() -> None:
    with PeerProcess(python("import sys; print('out'); print('err', file=sys.stderr); sys.exit(3)")) as process:
        assert (3, {"out", "err"}) == (process.wait(LIMIT), set(process.output().split()))


def test_the_end_of_a_long_output_is_kept() -> None:
    with PeerProcess(python("print('x' * 200_000); print('end')")) as process:
        process.wait(LIMIT)
        assert (MOST_OUTPUT, "xend") == (len(process.output()), process.output()[-6:].replace("\n", ""))


def test_a_process_that_does_not_end_is_ended() -> None:
    with PeerProcess(python("import threading; print('up', flush=True); threading.Event().wait()")) as process:
        assert (None, -signal.SIGTERM, -signal.SIGTERM) == (process.wait(0), process.end(), process.wait(LIMIT))
        assert -signal.SIGTERM == process.end()


def test_what_it_has_started_ends_with_it(tmp_path: Path) -> None:
    code = (
        "import subprocess, sys, threading\n"
        "child = subprocess.Popen([sys.executable, '-c', 'import threading; threading.Event().wait()'])\n"
        f"open({str(tmp_path / 'pid')!r}, 'w').write(str(child.pid))\n"
        "print('ready', flush=True)\n"
        "threading.Event().wait()\n"
    )
    with PeerProcess(python(code)) as process:
        while "ready" not in process.output():
            process.wait(0.01)
        child = os.pidfd_open(int((tmp_path / "pid").read_text()))
    ended = select.poll()
    ended.register(child, select.POLLIN)
    assert ended.poll(LIMIT * 1000)
    os.close(child)


def test_a_command_that_is_not_there_is_said_so() -> None:
    with pytest.raises(ConnectError, match="--exec: no-such-command cannot be started: No such file or directory"):
        PeerProcess(["no-such-command"])

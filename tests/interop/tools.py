"""Programs that run once and end: `echoscu`, `storescu`, `dcmsend`, `findscu`, `tshark`, …"""

from __future__ import annotations

import os
import shutil
import subprocess
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

REPOSITORY = Path(__file__).resolve().parents[2]
SEARCH_PATH = os.pathsep.join((os.environ.get("PATH", os.defpath), "/usr/sbin", "/usr/local/sbin"))
TOOL_LIMIT = 60.0
"""Seconds a program may run unless its test says otherwise."""

PACKAGES = {
    "Orthanc": "orthanc",
    "openssl": "openssl",
    "simple_storage": "ctn",
    "dicom_echo": "ctn",
    "send_image": "ctn",
    "odil": "odil",
    "tshark": "tshark",
}
"""The Debian package that has a program; what is not listed is DCMTK's."""


def missing(what: str, remedy: str) -> NoReturn:
    """End a test whose peer is not installed: skip it, but fail it under CI, where every peer has to be there."""
    reason = f"{what} is not installed ({remedy})"
    if os.environ.get("CI", "").lower() in ("1", "true", "yes"):
        pytest.fail(f"{reason}, and under CI no peer may be missing", pytrace=False)
    pytest.skip(reason)


def require(program: str) -> str:
    """The path of a program, looked for in `PATH` and where Debian puts daemons."""
    found = shutil.which(program, path=SEARCH_PATH)
    if found is None:
        missing(program, f"apt-get install {PACKAGES.get(program, 'dcmtk')}")
    return found


@cache
def _has_pynetdicom(python: Path) -> bool:
    check = [str(python), "-c", "import pynetdicom, sqlalchemy"]
    return python.exists() and subprocess.run(check, capture_output=True).returncode == 0


def peer_python() -> Path:
    """The interpreter that has pynetdicom: the environment variable DICOMSIM_PEER_PYTHON, or what `make peers` made."""
    python = Path(os.environ.get("DICOMSIM_PEER_PYTHON") or REPOSITORY / "build" / "peers" / "bin" / "python")
    if not _has_pynetdicom(python):
        missing(f"pynetdicom in {python}", "make peers, or DICOMSIM_PEER_PYTHON=/path/to/python that has it")
    return python


def pynetdicom(application: str, *arguments: object) -> list[object]:
    """The command line of one of pynetdicom's applications (`echoscu`, `storescp`, …)."""
    return [peer_python(), "-m", "pynetdicom", application, *arguments]


def peer_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of every peer.

    Without TCP_NODELAY=1 each of DCMTK's exchanges waits 40 to 90 ms for a delayed acknowledgement.
    """
    return {**os.environ, "TCP_NODELAY": "1", "PYTHONUNBUFFERED": "1", "LC_ALL": "C.UTF-8", **(extra or {})}


@dataclass(frozen=True, slots=True)
class ToolResult:
    """How a program ended."""

    command: str
    """The command line, for messages."""
    exit_code: int
    """Its exit code; negative is the signal that ended it."""
    output: str
    """Standard output and standard error, as they came."""

    def check(self, exit_code: int = 0) -> ToolResult:
        """Itself, or a failure with the whole output if the exit code is another."""
        if self.exit_code != exit_code:
            pytest.fail(f"{self.command}\nexited {self.exit_code}, expected {exit_code}:\n{self.output}", pytrace=False)
        return self


def run_tool(
    command: Sequence[object],
    *,
    timeout: float = TOOL_LIMIT,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: bytes = b"",
) -> ToolResult:
    """Run a program to its end; the first word is looked up by `require`, the others are made strings.

    A program that is still running after `timeout` seconds is killed and fails the test with its output so far.
    """
    words = [require(str(command[0])), *(str(word) for word in command[1:])]
    line = " ".join(words)
    try:
        done = subprocess.run(
            words,
            input=stdin,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            timeout=timeout,
            cwd=cwd,
            env=peer_environment(env),
        )
    except subprocess.TimeoutExpired as late:
        output = (late.stdout or b"").decode(errors="replace")
        pytest.fail(f"{line}\nstill ran after {timeout} s (timeout of run_tool):\n{output}", pytrace=False)
    return ToolResult(line, done.returncode, done.stdout.decode(errors="replace"))

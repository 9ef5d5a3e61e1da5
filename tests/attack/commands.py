"""The command line in a process of its own, as a shell starts it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.meeting import LIMIT

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", "TERM": "dumb"}
COMMAND = (sys.executable, "-c", "from dicomsim.cli import main; main()")
SHELL = f"{sys.executable} -c 'from dicomsim.cli import main; main()'"


def shell(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """Run a script of a shell, in which `dicomsim` is a function."""
    script = f'dicomsim() {{ {SHELL} "$@"; }}\n{script}'
    return subprocess.run(
        ["bash", "-c", script], cwd=folder, env=ENVIRONMENT, capture_output=True, text=True, timeout=LIMIT,
        stdin=subprocess.DEVNULL,
    )  # fmt: skip


@contextmanager
def started(*words: str | Path, folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A command that runs during the block, at the end of which it is killed if it still does."""
    process = subprocess.Popen(
        [*COMMAND, *map(str, words)], cwd=folder, env=ENVIRONMENT, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    with process:
        try:
            yield process
        finally:
            process.kill()

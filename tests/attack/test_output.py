"""Output that cannot be written: a line that says so, and no traceback."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomsim.resources import captures
from tests.attack.commands import shell

pytestmark = pytest.mark.slow

CAPTURE = captures() / "live" / "store_dcmsend.pcapng"
COMMANDS = ["--version", f"decode {CAPTURE}", "run ps3.8/d.1/announced-0"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_full_disk_behind_standard_output_is_said_in_one_line(command: str, tmp_path: Path) -> None:
    ended = shell(f"dicomsim {command} >/dev/full", tmp_path)
    assert (1, "dicomsim: no space left on device\n") == (ended.returncode, ended.stderr)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_closed_standard_output_is_nobodys_fault(command: str, tmp_path: Path) -> None:
    ended = shell(f"dicomsim {command} >&-", tmp_path)
    assert (0, "") == (ended.returncode, ended.stderr)


@pytest.mark.parametrize("command", COMMANDS)
def test_a_reader_that_has_seen_enough_is_no_fault(command: str, tmp_path: Path) -> None:
    assert "" == shell(f"dicomsim {command} | true", tmp_path).stderr


def test_a_run_that_nobody_reads_to_its_end_is_no_success(tmp_path: Path) -> None:
    script = "(dicomsim run ps3.8/d.1/announced-0 --json r.json; echo $? >&2) | true"
    assert ("1\n", False) == (shell(script, tmp_path).stderr, (tmp_path / "r.json").exists())

"""`dicomsim demo` runs to its end, shows everything it promises, and leaves nothing behind."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from dicomsim.cli import demo
from dicomsim.scenario.finding import find_scenarios

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 120.0
"""Seconds that it may take before the test fails; it needs a twentieth of that."""


@pytest.mark.slow
def test_everything_is_shown_and_nothing_is_left_behind(tmp_path: Path) -> None:
    temporary, elsewhere = tmp_path / "tmp", tmp_path / "elsewhere"
    temporary.mkdir()
    elsewhere.mkdir()
    environment = {**os.environ, "PYTHONPATH": ":".join(map(str, (ROOT, *sys.path[1:]))), "TMPDIR": str(temporary)}
    command = [sys.executable, "-c", "from dicomsim.cli import main; main()", "demo"]
    done = subprocess.run(command, env=environment, cwd=elsewhere, capture_output=True, text=True, timeout=LIMIT)
    assert (0, "") == (done.returncode, done.stderr), done.stdout
    for text in (
        "$ dicomsim serve", "$ dicomsim echo", "$ dicomsim run", "$ dicomsim decode", "$ dicomsim replay",
        "answers 0x0000 Success", "|-- A-ASSOCIATE-RQ", "A-ABORT service-provider: unrecognized-PDU (2/1)",
    ):  # fmt: skip
        assert text in done.stdout
    for scenario in demo.SCENARIOS:
        assert f"pass          {scenario}" in done.stdout
    assert f"fail          {demo.JUDGE}" in done.stdout
    assert [] == [*temporary.iterdir(), *elsewhere.iterdir()]


@pytest.mark.parametrize("scenario", [*demo.SCENARIOS, demo.JUDGE])
def test_its_scenarios_are_shipped(scenario: str) -> None:
    assert 1 == len(find_scenarios([scenario]))


def test_a_surprise_is_told(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(demo, "_call", lambda words: 1)
    assert 1 == demo.command.main([], standalone_mode=False)
    assert "dicomsim: not as it should be: step 2, 3, 4, 5\n" == capsys.readouterr().err

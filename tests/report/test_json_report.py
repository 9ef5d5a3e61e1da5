"""`run --json`."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from dicomsim.errors import FileError
from dicomsim.report.json_report import as_json, write_json
from dicomsim.scenario.result import CaseResult
from dicomsim.scenario.verdict import Verdict

WORKS = CaseResult("a/d", Verdict.PASS, "PS3.7", "shall", "It works.", note="not today")
RESULTS = [
    CaseResult("a/b", Verdict.PASS, "PS3.8", "shall", "", ("A-ABORT",), "aborted(0,0)", "peer fin, early", 0.12345),
    CaseResult("a/c", Verdict.FAIL, "PS3.8", "should", "Größe", ("A-ABORT", "silence"), "tcp-rst", "peer reset", 1.0),
    WORKS,
]


def test_the_summary_counts_verdicts_and_each_case_has_what_was_promised() -> None:
    assert {
        "summary": {"fail": 1, "pass": 2},
        "cases": [
            {
                "id": "a/b",
                "verdict": "pass",
                "clause": "PS3.8",
                "level": "shall",
                "expected": ["A-ABORT"],
                "actual": "aborted(0,0)",
                "close": "peer fin, early",
                "seconds": 0.123,
                "requirement": "",
                "note": "",
            },
            {
                "id": "a/c",
                "verdict": "fail",
                "clause": "PS3.8",
                "level": "should",
                "expected": ["A-ABORT", "silence"],
                "actual": "tcp-rst",
                "close": "peer reset",
                "seconds": 1.0,
                "requirement": "Größe",
                "note": "",
            },
            {
                "id": "a/d",
                "verdict": "pass",
                "clause": "PS3.7",
                "level": "shall",
                "expected": [],
                "actual": "",
                "close": "none",
                "seconds": 0.0,
                "requirement": "It works.",
                "note": "not today",
            },
        ],
    } == as_json(RESULTS)


def test_the_file_is_there_as_a_whole(tmp_path: Path) -> None:
    write_json(RESULTS, tmp_path / "r.json")
    assert (as_json(RESULTS), ["r.json"]) == (
        json.loads((tmp_path / "r.json").read_text("utf-8")),
        [path.name for path in tmp_path.iterdir()],
    )


def test_a_file_that_cannot_be_written_is_said_so_and_nothing_is_left(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"no/r\.json: cannot be written: No such file or directory"):
        write_json(RESULTS, tmp_path / "no" / "r.json")
    assert [] == list(tmp_path.iterdir())


def test_a_device_or_a_pipe_is_written_to_and_stays_what_it_is(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    try:
        write_json([], tmp_path / "pipe")
        assert as_json([]) == json.loads(os.read(reader, 4096))
    finally:
        os.close(reader)
    assert (tmp_path / "pipe").is_fifo()


def test_a_link_stays_one_and_what_it_stands_for_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("r.json")
    write_json([], tmp_path / "link")
    assert (True, as_json([])) == ((tmp_path / "link").is_symlink(), json.loads((tmp_path / "r.json").read_text()))


@pytest.mark.parametrize("name", ["", "loop", "x" * 3000])
def test_a_name_that_no_file_can_have_is_said_so(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(FileError, match="cannot be written"):
        write_json([], Path(name))
    assert ["loop"] == [path.name for path in tmp_path.iterdir()]

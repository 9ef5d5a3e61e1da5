"""`dicomsim decode`: the ladder, the JSON lines, and what is said of files without DICOM."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from dicomsim.cli import main
from dicomsim.resources import captures

FIND = captures() / "live" / "find_study.pcapng"
NO_DICOM = Path(__file__).parents[1] / "capture" / "pcapng-format" / "le" / "basic" / "test001.pcapng"


def decode(*arguments: str | Path) -> int:
    with pytest.raises(SystemExit) as end:
        main(["decode", *map(str, arguments)])
    assert isinstance(end.value.code, int)
    return end.value.code


def test_the_ladder_shows_every_message_with_its_status(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == decode(FIND, "--width", "100")
    out = capsys.readouterr().out
    assert 2 == out.count("C-FIND-RSP FF00 Pending")
    assert "C-FIND-RSP 0000 Success" in out
    assert max(map(len, out.splitlines())) <= 100


def test_json_gives_one_object_a_pdu_with_its_message(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == decode(FIND, "--json")
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert "A-ASSOCIATE-RQ" == lines[0]["pdu"]
    assert {"frame", "time", "association", "from", "pdu"} <= lines[0].keys()
    answers = [line["message"] for line in lines if line.get("message", {}).get("command") == "C-FIND-RSP"]
    assert ["Pending", "Pending", "Success"] == [answer["status"].partition(":")[0] for answer in answers]


def test_an_association_is_picked_by_its_number(capsys: pytest.CaptureFixture[str]) -> None:
    assert 0 == decode(FIND, "--association", "1")
    assert 6 == decode(FIND, "--association", "2")
    assert "no association 2 in this capture" in capsys.readouterr().err


def test_a_capture_without_dicom_is_said_to_be_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert 6 == decode(NO_DICOM)
    assert "no DICOM association in this capture" in capsys.readouterr().err


def test_a_file_that_is_no_capture_does_not_parse(capsys: pytest.CaptureFixture[str]) -> None:
    assert 3 == decode(Path(__file__))
    captured = capsys.readouterr()
    assert "" == captured.out
    assert "not a capture" in captured.err
    assert 1 == len(captured.err.splitlines())


def test_a_reader_that_has_seen_enough_gets_no_traceback() -> None:
    program = f"from dicomsim.cli import main; main(['decode', {str(FIND)!r}, '--json'])"
    process = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.close()
    _, complaint = process.communicate(timeout=60)
    assert b"" == complaint

"""`dicomsim store`: what it prints and exits with."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from dicomsim import Behaviour
from dicomsim.server import Server
from tests.cli.conftest import Call
from tests.cli.dicom_files import CT, DICOMDIR, EXPLICIT, MR, write_file


@pytest.fixture
def files(tmp_path: Path) -> list[Path]:
    """Three CT images."""
    return [write_file(tmp_path / "send" / f"{number}.dcm", f"1.2.{number}") for number in range(3)]


def test_a_line_a_file_and_a_summary(call: Call, address: str, files: list[Path]) -> None:
    called = call("store", address, *files)
    assert (0, "") == (called.exit_code, called.err)
    *lines, summary = called.out.splitlines()
    assert [f"stored      {path}  0x0000 Success" for path in files] == lines
    assert summary.startswith("3 of 3 files stored, 24 bytes in ")
    assert "files/s)" in summary


def test_folders_are_taken_with_all_that_is_in_them(
    call: Call, acceptor: Server, address: str, files: list[Path]
) -> None:
    assert 0 == call("store", address, files[0].parent).exit_code
    assert ["1.2.0.dcm", "1.2.1.dcm", "1.2.2.dcm"] == sorted(path.name for path in acceptor.ae.store_folder.iterdir())


def test_quiet_leaves_the_summary(call: Call, address: str, files: list[Path]) -> None:
    called = call("store", address, *files, "--quiet")
    assert 1 == len(called.out.splitlines())


def test_quiet_keeps_what_failed(call: Call, acceptor: Server, address: str, files: list[Path]) -> None:
    acceptor.ae.behaviour = Behaviour(["on C-STORE-RQ in nth=2: answer status=A700"])
    called = call("store", address, *files, "--quiet")
    assert 1 == called.exit_code
    failed, summary = called.out.splitlines()
    assert f"failed      {files[1]}  0xA700 Failure: Refused: Out of resources" == failed
    assert summary.endswith("; 1 failed")


def test_a_file_that_is_not_dicom_gets_a_line_and_the_others_are_sent(
    call: Call, address: str, files: list[Path], tmp_path: Path
) -> None:
    odd = tmp_path / "send" / "0.txt"
    odd.write_text("hello")
    called = call("store", address, odd, *files)
    assert 1 == called.exit_code
    assert f"dicomsim: {odd}: not a DICOM file (no DICM at byte 128)\n" == called.err
    assert called.out.splitlines()[-1].startswith("3 of 4 files stored, ")
    assert called.out.endswith("; 1 unreadable\n")


def test_no_dicom_file_at_all_exits_with_3_and_calls_nobody(call: Call, tmp_path: Path) -> None:
    path = tmp_path / "a.txt"
    path.write_text("hello")
    called = call("store", "127.0.0.1:1", path)
    assert 3 == called.exit_code
    assert called.err.endswith("dicomsim: no file is a DICOM file\n")


def test_nothing_to_send_exits_with_6(call: Call, tmp_path: Path) -> None:
    called = call("store", "127.0.0.1:1", tmp_path)
    assert (6, "", "dicomsim: there is no file to send\n") == (called.exit_code, called.out, called.err)


def test_a_dicomdir_in_a_folder_is_no_failure(call: Call, address: str, files: list[Path]) -> None:
    path = write_file(files[0].parent / "DICOMDIR", "1.9", DICOMDIR)
    called = call("store", address, files[0].parent)
    assert (0, f"dicomsim: {path}: a DICOMDIR, which lists objects and is none\n") == (called.exit_code, called.err)


def test_a_rejected_association_exits_with_4_and_its_outcome(
    call: Call, acceptor: Server, address: str, files: list[Path]
) -> None:
    acceptor.ae.require_calling_aet = "FRIEND"
    called = call("store", address, *files)
    assert (4, "0 of 3 files stored; 3 not sent\n") == (called.exit_code, called.out)
    assert called.err.startswith(f"dicomsim: {address}: rejected by acceptor in Sta5 after ")
    assert "calling AE title not recognized" in called.err


def test_a_silent_peer_exits_with_5(call: Call, acceptor: Server, address: str, files: list[Path]) -> None:
    acceptor.ae.behaviour = Behaviour(["on C-STORE-RQ in: drop"])
    called = call("store", address, *files, "--timeout", "dimse=0.05")
    assert 5 == called.exit_code
    assert "dimse timeout of 0.05 s" in called.err
    assert called.out.startswith(f"failed      {files[0]}  no answer\n")


def test_json_is_one_object(call: Call, address: str, files: list[Path]) -> None:
    write_file(files[0].parent / "mr.dcm", "1.2.9", MR)
    (files[0].parent / "notes.txt").write_text("hello")
    called = call("store", address, files[0].parent, "--json")
    assert 1 == called.exit_code
    document = json.loads(called.out)
    assert ["peer", "calling", "files", "associations", "summary", "error"] == list(document)
    assert [(0, "stored")] * 3 + [(None, "failed"), (None, "unreadable")] == [
        (one["status"], one["result"]) for one in document["files"]
    ]
    first = document["files"][0]
    assert (str(files[0]), CT, "1.2.0", EXPLICIT, 8) == (
        first["path"], first["sop_class_uid"], first["sop_instance_uid"], first["transfer_syntax_uid"], first["bytes"],
    )  # fmt: skip
    assert "released" == document["associations"][0]["outcome"]["how"]
    counts = {"stored": 3, "failed": 1, "not_sent": 0, "unreadable": 1, "skipped": 0, "bytes": 24}
    assert counts == {name: document["summary"][name] for name in counts}


def test_a_path_that_is_no_text_is_shown_all_the_same(call: Call, address: str, tmp_path: Path) -> None:
    path = write_file(tmp_path / "send" / "a\udce4.dcm", "1.2.3")
    called = call("store", address, path.parent)
    assert 0 == called.exit_code
    assert "1 of 1 file stored" in called.out
    assert f"{path.parent}/a\\xe4.dcm  0x0000" in called.out

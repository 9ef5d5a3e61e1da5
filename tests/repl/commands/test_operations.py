from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest

from dicomsim.behaviour import Behaviour
from dicomsim.server import Server
from tests.repl.conftest import CT, IMPLICIT, JPEG, Desk, write_file


@pytest.fixture
def open_desk(desk: Desk, peer: str) -> Desk:
    """A prompt with an association."""
    desk.type(f"open {peer}")
    return desk


def test_an_echo_shows_its_status(open_desk: Desk) -> None:
    assert re.fullmatch(r"C-ECHO: 0x0000 Success, [\d.]+ ms", open_desk.type("echo")[0])


def test_several_echoes_end_with_their_times(open_desk: Desk) -> None:
    shown = open_desk.type("echo 3")
    assert 4 == len(shown)
    assert re.fullmatch(r"C-ECHO 2: 0x0000 Success, [\d.]+ ms", shown[1])
    assert shown[3].startswith("3 of 3 echoes answered with success, ")


def test_many_echoes_are_not_listed(open_desk: Desk) -> None:
    assert 1 == len(open_desk.type("echo 25"))


def test_a_refused_echo_is_a_failure(open_desk: Desk, acceptor: Server) -> None:
    acceptor.ae.on_c_echo = lambda context, info: 0x0122
    code, shown = open_desk.run("echo")
    assert 1 == code
    assert shown[0].startswith("C-ECHO: 0x0122 Failure: ")
    assert "error: echo: 1 of 1 echoes were refused" == shown[1]


def test_an_echo_without_its_context_says_so(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer} CTImageStorage")
    code, error = desk.fail("echo")
    assert 1 == code
    assert "no accepted presentation context for Verification SOP Class" in error


@pytest.mark.parametrize("line", ["echo", "store x", "send A-ABORT"])
def test_operations_need_an_association(desk: Desk, line: str) -> None:
    code, error = desk.fail(line)
    assert 4 == code
    assert error.endswith("no association is open: open [AET@]HOST:PORT makes one")


def test_ctrl_c_aborts_an_operation_and_stays(open_desk: Desk, silent: Callable[..., None]) -> None:
    silent()
    code, shown = open_desk.run("echo")
    assert 130 == code
    assert "interrupted" == shown[0]
    assert "aborted by requestor in Sta6" in shown[1]
    assert open_desk.type("open; state")


def test_a_peer_that_does_not_answer_ends_by_a_named_timeout(open_desk: Desk) -> None:
    open_desk.type("set dimse 0.01; rule on on C-ECHO-RQ out: drop")
    code, shown = open_desk.run("echo")
    assert 5 == code
    assert "dimse timeout of 0.01 s" in shown[-1]
    assert 1 == sum("timed out" in line for line in shown)  # the error has said it


def test_a_file_is_stored_as_it_stands(open_desk: Desk, tmp_path: Path, acceptor: Server) -> None:
    sent = write_file(tmp_path / "a.dcm")
    shown = open_desk.type(f"store {sent}")
    assert re.fullmatch(rf"{sent}: 0x0000 Success, CT Image Storage, [\d.]+ ms", shown[0])
    data_set = sent.read_bytes().partition(b"1.2.840.10008.1.2.1\0")[2][-40:]
    assert (acceptor.ae.store_folder / "1.2.3.dcm").read_bytes().endswith(data_set)


def test_a_folder_is_stored_and_what_fails_is_told(open_desk: Desk, tmp_path: Path) -> None:
    write_file(tmp_path / "f" / "1.dcm", instance="1.1")
    (tmp_path / "f" / "2.txt").write_text("no image")
    write_file(tmp_path / "f" / "3.dcm", transfer_syntax=JPEG)
    code, shown = open_desk.run(f"store {tmp_path / 'f'}")
    assert 1 == code
    assert "not a DICOM file" in shown[1]
    assert f"open proposes what is needed if it is given the file: open PEER {tmp_path / 'f' / '3.dcm'}" in shown[2]
    assert shown[3].startswith("1 of 3 files stored, 0.0 MB in ")
    assert "error: store: 2 of 3 files were not stored" == shown[4]


def test_an_uncompressed_file_is_reencoded_where_the_peer_wants_it_otherwise(open_desk: Desk, tmp_path: Path) -> None:
    sent = write_file(tmp_path / "a.dcm", transfer_syntax=IMPLICIT)
    assert ", re-encoded, " in open_desk.type(f"store {sent}")[0]


def test_a_refused_object_is_told_with_its_status(open_desk: Desk, tmp_path: Path, acceptor: Server) -> None:
    acceptor.ae.on_c_store = lambda *_: 0xA700
    sent = write_file(tmp_path / "a.dcm")
    code, shown = open_desk.run(f"store {sent}")
    assert 1 == code
    assert f"error: {sent}: 0xA700 Failure: Refused: Out of resources" == shown[0]


@pytest.mark.parametrize(
    ("name", "code", "expected"),
    [("none", 3, "no such file or folder"), ("empty", 1, "error: store: there are no files")],
)
def test_nothing_to_store_is_a_failure(open_desk: Desk, tmp_path: Path, name: str, code: int, expected: str) -> None:
    (tmp_path / "empty").mkdir()
    failed, error = open_desk.fail(f"store {tmp_path / name}")
    assert code == failed
    assert expected in error


def test_a_peer_that_goes_while_files_are_sent_ends_the_rest(open_desk: Desk, tmp_path: Path, acceptor: Server) -> None:
    acceptor.ae.behaviour = Behaviour(["on C-STORE-RQ in: abort"])
    open_desk.type("release; open")
    for number in range(3):
        write_file(tmp_path / "f" / f"{number}.dcm", sop_class=CT, instance=f"1.{number}")
    code, shown = open_desk.run(f"store {tmp_path / 'f'}")
    assert 4 == code
    assert shown[-1].startswith("error: store: aborted by acceptor in Sta6")
    assert 1 == len(shown)


def test_raw_bytes_are_sent_past_the_state_machine(open_desk: Desk) -> None:
    shown = open_desk.type("send A-ABORT source=2 reason=1; wait end 20")
    assert "sent 10 bytes in Sta6: A-ABORT service-provider: unrecognized-PDU (2/1)" == shown[0]
    assert "connection closed by acceptor in Sta6" in open_desk.lines.await_line("connection closed")


def test_rules_do_not_see_raw_bytes(open_desk: Desk) -> None:
    open_desk.type("rule on on A-ABORT out: drop; send A-ABORT; wait end 20")
    assert open_desk.bench.open_association is None


def test_a_message_may_be_sent_raw(open_desk: Desk) -> None:
    open_desk.type("trace on message")
    shown = open_desk.type("send C-ECHO-RQ 1/77")
    assert "sent 80 bytes in Sta6: P-DATA-TF context 1 command last, 68 bytes" in shown
    assert "to message 77, status 0000H" in open_desk.lines.await_line("C-ECHO-RSP")


@pytest.mark.parametrize(
    ("line", "code", "expected"),
    [
        ("send", 2, "error: send needs bytes: send A-ABORT source=2, send C-ECHO-RQ, send hex 0400"),
        ("send A-ABRT", 2, 'error: "A-ABRT" says no bytes, did you mean A-ABORT?'),
        ("send zeros 0", 2, "error: that makes no bytes to send"),
        ("send A-ABORT nothing=1", 2, 'error: nothing: no field is called "nothing"'),
        ("send A-ABORT lengths=no", 2, "error: lengths: 'no' is none of fix, keep"),
        ("send file /nonexistent", 3, "error: send: /nonexistent: no such file or directory"),
    ],
)
def test_what_cannot_be_sent_is_one_line(open_desk: Desk, line: str, code: int, expected: str) -> None:
    assert (code, expected) == open_desk.fail(line)

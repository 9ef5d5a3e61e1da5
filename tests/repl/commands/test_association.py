from __future__ import annotations

import re
import threading
from pathlib import Path

import pytest

from dicomsim.behaviour import Behaviour
from dicomsim.server import Server
from tests.repl.conftest import JPEG, Desk, press_ctrl_c_until, write_file


def test_open_says_with_whom_and_what_was_accepted(desk: Desk, peer: str) -> None:
    shown = desk.type(f"open {peer}")
    assert re.fullmatch(
        rf"#\d+ open with {peer} \(DICOMSIM_\d+\): 2 of 128 contexts accepted, maximum length 16382, [\d.]+ ms",
        shown[0],
    )


def test_open_takes_classes_and_our_title_this_once(desk: Desk, peer: str, acceptor: Server) -> None:
    acceptor.ae.require_calling_aet = "ELSE"
    desk.type(f"open {peer} Verification CTImageStorage:JPEGBaseline8Bit calling=ELSE max_pdu=5000")
    request = desk.bench.require_association().session.request_pdu
    assert request is not None
    assert [("1.2.840.10008.1.1",), ("1.2.840.10008.5.1.4.1.1.2",)] == [
        (one.abstract_syntax,) for one in request.presentation_contexts
    ]
    assert "ELSE" == request.calling
    assert b"DICOMSIM" == desk.bench.ae.ae_title.strip()


def test_open_proposes_what_files_need(desk: Desk, peer: str, tmp_path: Path) -> None:
    write_file(tmp_path / "files" / "a.dcm")
    write_file(tmp_path / "files" / "b.dcm", transfer_syntax=JPEG)
    shown = desk.type(f"open {peer} {tmp_path / 'files'}")
    assert ": 1 of 3 contexts accepted" in shown[0]


def test_open_without_a_peer_calls_the_last_one(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}; release; open")
    assert desk.bench.open_association is not None


def test_open_says_when_nothing_was_accepted(desk: Desk, peer: str) -> None:
    shown = desk.type(f"open {peer} MRImageStorage")
    assert "0 of 1 contexts accepted" in shown[0]
    assert "no context was accepted, so nothing can be asked of it: contexts says why" == shown[1]


@pytest.mark.parametrize(
    ("line", "code", "expected"),
    [
        ("open", 2, "error: open needs a peer the first time: open [AET@]HOST:PORT"),
        ("open nowhere", 2, "error: 'nowhere' has no port: write [AET@]HOST:PORT, such as ARCHIVE@localhost:11112"),
        ("open h:1 CTImage", 2, "error: 'CTImage' is no SOP class, list or file, did you mean CTImageStorage?"),
        ("release", 4, "error: release: no association is open: open [AET@]HOST:PORT makes one"),
        ("abort", 4, "error: abort: no association is open: open [AET@]HOST:PORT makes one"),
        ("close", 4, "error: close: no association is open: open [AET@]HOST:PORT makes one"),
        ("abort 256", 2, "error: 256 is out of range: 0 to 255"),
    ],
)
def test_what_cannot_be_done_is_one_line(desk: Desk, line: str, code: int, expected: str) -> None:
    assert (code, expected) == desk.fail(line)


def test_files_that_are_none_propose_nothing(desk: Desk, peer: str, tmp_path: Path) -> None:
    (tmp_path / "x").write_text("no")
    expected = "error: none of these files is a DICOM file: there is nothing to propose"
    assert (2, expected) == desk.fail(f"open {peer} {tmp_path / 'x'}")


def test_a_second_association_is_not_opened(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}")
    assert (2, f"error: an association with {peer} is open: release or abort it first") == desk.fail(f"open {peer}")


def test_an_unreachable_peer_is_told_with_its_address(desk: Desk, peer: str, acceptor: Server) -> None:
    acceptor.close()
    code, error = desk.fail(f"open {peer}")
    assert 4 == code
    assert error.startswith(f"error: open: {peer}: connection refused in Sta4 after ")
    assert "is the peer running and listening there?" in error


def test_a_rejection_is_told_with_what_to_do(desk: Desk, peer: str, acceptor: Server) -> None:
    acceptor.ae.require_calling_aet = "ELSE"
    code, error = desk.fail(f"open {peer}")
    assert 4 == code
    assert "rejected by acceptor in Sta5" in error
    assert error.endswith("; set calling AET changes the calling title")


def test_a_silent_peer_ends_by_a_named_timeout(desk: Desk, peer: str) -> None:
    desk.type("set acse 0.01; rule on on A-ASSOCIATE-RQ out side=requestor: drop")
    code, error = desk.fail(f"open {peer}")
    assert 5 == code
    assert "acse timeout of 0.01 s; set acse SECONDS gives it more time" in error


def test_release_says_how_it_ended(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}")
    shown = desk.type("release")
    assert re.fullmatch(r"#\d+ released by requestor in Sta7 after [\d.]+ s \(PS3\.8 7\.2\)", shown[0])
    assert 1 == len(shown)


def test_a_release_that_is_aborted_is_a_failure(desk: Desk, peer: str, acceptor: Server) -> None:
    acceptor.ae.behaviour = Behaviour(["on A-RELEASE-RQ in: abort"])
    desk.type(f"open {peer}")
    code, error = desk.fail("release")
    assert 4 == code
    assert error.startswith("error: release: aborted by acceptor in Sta7")


def test_abort_says_any_codes(desk: Desk, peer: str) -> None:
    desk.type(f"open {peer}")
    shown = desk.type("abort source=2 reason=6")
    assert "aborted by requestor in Sta6" in shown[0]
    assert "(2/6; PS3.8 9.3.8)" in shown[0]


@pytest.mark.parametrize(
    ("how", "expected"), [("", "connection closed by requestor"), ("reset", "connection reset by requestor")]
)
def test_close_says_no_word(desk: Desk, peer: str, how: str, expected: str) -> None:
    desk.type(f"open {peer}")
    assert expected in desk.type(f"close {how}")[0]


def test_ctrl_c_while_opening_aborts_and_stays(desk: Desk, peer: str, acceptor: Server) -> None:
    over = threading.Event()

    def on_association_requested(_: object) -> None:
        press_ctrl_c_until(over)

    acceptor.ae.on_association_requested = on_association_requested
    code, shown = desk.run(f"open {peer}")
    over.set()
    assert 130 == code
    assert "interrupted" == shown[0]
    assert "aborted by requestor in Sta5" in shown[1]
    assert desk.bench.open_association is None

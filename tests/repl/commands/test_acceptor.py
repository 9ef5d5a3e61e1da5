from __future__ import annotations

from pathlib import Path

from tests.repl.conftest import Desk, write_file


def test_an_acceptor_listens_in_the_background(desk: Desk, tmp_path: Path) -> None:
    shown = desk.type(f"serve start 0 MYSELF output={tmp_path / 'new' / 'folder'}")
    assert f"listening as {desk.bench.serving}" == shown[0]
    assert desk.bench.serving.startswith("MYSELF@127.0.0.1:")
    desk.type(f"open {desk.bench.serving}; store {write_file(tmp_path / 'a.dcm', instance='1.7')}")
    assert (tmp_path / "new" / "folder" / "1.7.dcm").exists()


def test_who_opens_and_ends_associations_there_is_told(desk: Desk) -> None:
    desk.type("serve start 0")
    desk.type(f"open {desk.bench.serving} calling=MODALITY; echo 2; release")
    accepted = desk.lines.await_line("accepted, 128 of 128 contexts")
    assert "from MODALITY@127.0.0.1:" in accepted
    who = accepted.removesuffix(": accepted, 128 of 128 contexts")
    assert desk.lines.await_line(f"{who}: released").endswith(", after 2 C-ECHO-RQ")


def test_its_status_lists_who_is_there(desk: Desk) -> None:
    assert ["nothing is listening: serve start [PORT] [AET] begins it"] == desk.type("serve")
    desk.type("serve start 0")
    desk.type(f"open {desk.bench.serving}; echo")
    shown = desk.type("serve")
    assert f"listening as {desk.bench.serving}" == shown[0]
    assert shown[1].endswith(": Sta6, 1 C-ECHO-RQ")


def test_stopping_aborts_what_is_open_there(desk: Desk) -> None:
    desk.type("serve start 0")
    address = desk.bench.serving
    desk.type(f"open {address}")
    shown = desk.type("serve stop; wait end 20")
    assert f"{address} listens no more" in shown
    assert desk.bench.open_association is None
    assert (2, "error: nothing is listening: serve start begins it") == desk.fail("serve stop")


def test_a_second_acceptor_is_not_started(desk: Desk) -> None:
    desk.type("serve start 0")
    code, error = desk.fail("serve start 0")
    assert (2, f"error: {desk.bench.serving} is listening already: serve stop ends it") == (code, error)


def test_an_address_that_cannot_be_had_is_one_line(desk: Desk) -> None:
    code, error = desk.fail("serve start 0 host=192.0.2.1")
    assert 4 == code
    assert error.startswith("error: serve start: cannot listen on 192.0.2.1:0: ")
    assert not desk.bench.serving


def test_a_folder_that_cannot_be_made_is_one_line(desk: Desk, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    code, error = desk.fail(f"serve start 0 output={tmp_path / 'file' / 'x'}")
    assert 3 == code
    assert "cannot be made: not a directory" in error

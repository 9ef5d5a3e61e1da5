"""Files are found, grouped by what they need, and sent; one that fails takes none of the others with it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from dicomsim import AE, Behaviour
from dicomsim.association import Association
from dicomsim.cli.requesting import Requestor
from dicomsim.cli.sending import Item, Result, Sending, Slice, batches, find, inspect
from dicomsim.dimse.data import DataSource, FileSlice, file_identity
from dicomsim.dimse.messages import Message
from dicomsim.operations.requesting import Request
from dicomsim.part10 import FileMeta
from dicomsim.peer_address import PeerAddress
from dicomsim.server import Server
from tests.cli.dicom_files import CT, DICOMDIR, EXPLICIT, IMPLICIT, JPEG_2000, MR, write_file

# -- finding -----------------------------------------------------------------------------------------------------------


def test_a_folder_is_searched_at_any_depth_by_name(tmp_path: Path) -> None:
    for name in ("b/2.dcm", "b/1.dcm", "a.dcm", "c/d/e.dcm"):
        write_file(tmp_path / name, "1.2")
    found = [os.path.relpath(item.path, tmp_path) for item in find([tmp_path])]
    assert ["a.dcm", "b/1.dcm", "b/2.dcm", "c/d/e.dcm"] == found


def test_files_come_in_the_order_in_which_they_are_named(tmp_path: Path) -> None:
    paths = [write_file(tmp_path / name, "1.2") for name in ("b.dcm", "a.dcm")]
    assert [str(path) for path in paths] == [item.path for item in find(paths)]


def test_hidden_files_and_pipes_in_a_folder_are_passed_over(tmp_path: Path) -> None:
    write_file(tmp_path / ".hidden" / "a.dcm", "1.2")
    (tmp_path / ".DS_Store").touch()
    os.mkfifo(tmp_path / "pipe")
    assert [] == list(find([tmp_path]))


def test_a_hidden_file_that_is_named_is_meant(tmp_path: Path) -> None:
    path = write_file(tmp_path / ".a.dcm", "1.2")
    assert [Result.NOT_SENT] == [item.result for item in find([path])]


def test_what_a_file_says_of_itself_is_read(tmp_path: Path) -> None:
    item = inspect(str(write_file(tmp_path / "a.dcm", "1.2.3", MR, IMPLICIT, data=bytes(40))))
    assert item.meta is not None
    assert ((MR, IMPLICIT), "1.2.3", 40) == (item.context, item.meta.sop_instance_uid, item.size)


@pytest.mark.parametrize("uid", [b"1.\xff2", b"1" * 1026])
def test_a_file_whose_uid_fits_in_no_message_cannot_be_sent(tmp_path: Path, uid: bytes) -> None:
    path = write_file(tmp_path / "a.dcm", "1.99")
    element = b"\2\0\3\0UI"
    data = path.read_bytes().replace(element + b"\4\x001.99", element + len(uid).to_bytes(2, "little") + uid)
    path.write_bytes(data)
    item = inspect(str(path))
    assert (Result.UNREADABLE, "a UID that is no ASCII text of at most 1024 characters") == (item.result, item.text)


def test_a_dicomdir_is_passed_over_with_a_word(tmp_path: Path) -> None:
    item = inspect(str(write_file(tmp_path / "DICOMDIR", "1.2", DICOMDIR)))
    assert (Result.SKIPPED, "a DICOMDIR, which lists objects and is none") == (item.result, item.text)


@pytest.mark.parametrize(
    ("instance", "sop_class", "data", "reason"),
    [
        ("", CT, bytes(8), "without SOP class or instance UID"),
        ("1.2", "", bytes(8), "without SOP class or instance UID"),
        ("1.2", CT, b"", "no data set behind the file meta information"),
    ],
)
def test_a_file_that_says_too_little_cannot_be_sent(
    tmp_path: Path, instance: str, sop_class: str, data: bytes, reason: str
) -> None:
    item = inspect(str(write_file(tmp_path / "a.dcm", instance, sop_class, data=data)))
    assert Result.UNREADABLE is item.result
    assert reason in item.text


def test_a_file_that_is_not_dicom_cannot_be_sent(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("hello")
    item = inspect(str(path))
    assert (Result.UNREADABLE, "not a DICOM file (no DICM at byte 128)") == (item.result, item.text)


def test_a_dangling_link_in_a_folder_is_told(tmp_path: Path) -> None:
    (tmp_path / "link.dcm").symlink_to(tmp_path / "gone.dcm")
    assert [(Result.UNREADABLE, "no such file or directory")] == [(one.result, one.text) for one in find([tmp_path])]


def test_a_folder_that_cannot_be_read_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def walk(folder: Path, onerror: object) -> list[object]:
        assert callable(onerror)
        onerror(PermissionError(13, "Permission denied", f"{folder}/secret"))
        return []

    monkeypatch.setattr(os, "walk", walk)
    (item,) = find([tmp_path])
    assert (f"{tmp_path}/secret", Result.UNREADABLE, "permission denied") == (item.path, item.result, item.text)


# -- grouping ----------------------------------------------------------------------------------------------------------


def _item(number: int, sop_class: str, transfer_syntax: str = EXPLICIT) -> Item:
    return Item(f"{number}.dcm", FileMeta(sop_class, f"1.{number}", transfer_syntax, 132), 10)


def test_each_pair_of_class_and_syntax_is_proposed_once() -> None:
    items = [_item(1, CT), _item(2, MR), _item(3, CT, IMPLICIT), _item(4, CT)]
    assert [([(CT, EXPLICIT), (MR, EXPLICIT), (CT, IMPLICIT)], items)] == list(batches(items))


def test_what_cannot_be_sent_is_not_proposed() -> None:
    assert [] == list(batches([Item("a.txt", result=Result.UNREADABLE)]))


def test_more_than_128_contexts_take_several_associations() -> None:
    items = [_item(number, f"1.2.{number % 150}") for number in range(300)]
    first, second = batches(items)
    assert (128, 22) == (len(first[0]), len(second[0]))
    assert [item for item in items if item.context in first[0]] == first[1]
    assert [item for item in items if item.context in second[0]] == second[1]


# -- sending -----------------------------------------------------------------------------------------------------------


@pytest.fixture
def requestor(acceptor: Server) -> Requestor:
    ae = AE("SENDER")
    ae.dimse_timeout = 10
    return Requestor(PeerAddress("ACCEPTOR", *acceptor.address), ae)


def _send(requestor: Requestor, *paths: Path) -> tuple[Sending, list[Item]]:
    reported: list[Item] = []
    sending = Sending(requestor, reported.append)
    items = list(find(paths))
    sending.send(items)
    assert reported == [item for item in items if item.result in (Result.STORED, Result.FAILED)]
    return sending, items


def test_files_arrive_as_they_are(requestor: Requestor, acceptor: Server, tmp_path: Path) -> None:
    sent = write_file(tmp_path / "a.dcm", "1.2.3", data=bytes(range(256)) * 400)
    sending, (item,) = _send(requestor, sent)
    assert (Result.STORED, 0, "0x0000 Success") == (item.result, item.status, item.text)
    assert item.seconds is not None
    received = acceptor.ae.store_folder / "1.2.3.dcm"
    assert sent.read_bytes()[-item.size :] == received.read_bytes()[-item.size :]
    assert (1, None) == (len(sending.associations), sending.failure)


def test_the_next_file_is_read_while_the_peer_is_at_work(
    requestor: Requestor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done: list[str] = []
    ask, data_set = Association.ask, Sending._data_set

    def asked(association: Association, request: Request, **options: Any) -> Message:
        done.append("ask")
        response = ask(association, request, **options)
        done.append("answered")
        return response

    def read(sending: Sending, item: Item) -> DataSource:
        done.append(Path(item.path).stem)
        return data_set(sending, item)

    monkeypatch.setattr(Association, "ask", asked)
    monkeypatch.setattr(Sending, "_data_set", read)
    _send(requestor, *(write_file(tmp_path / f"{number}.dcm", f"1.{number}") for number in range(3)))
    assert ["0", "ask", "1", "answered", "ask", "2", "answered", "ask", "answered"] == done


def test_what_the_peer_does_not_take_fails_and_the_rest_is_sent(requestor: Requestor, tmp_path: Path) -> None:
    paths = [
        write_file(tmp_path / "1.dcm", "1.1", MR),
        write_file(tmp_path / "2.dcm", "1.2", CT, JPEG_2000),
        write_file(tmp_path / "3.dcm", "1.3"),
    ]
    sending, items = _send(requestor, *paths)
    assert [Result.FAILED, Result.FAILED, Result.STORED] == [item.result for item in items]
    of_mr, of_jpeg = (item.text for item in items[:2])
    assert "the peer does not take MR Image Storage in Explicit VR" in of_mr
    assert "abstract-syntax-not-supported" in of_mr
    assert "in JPEG 2000 Image Compression: transfer-syntaxes-not-supported" in of_jpeg
    assert sending.failure is None


def test_a_failure_status_is_told_in_words_with_its_comment(
    requestor: Requestor, acceptor: Server, tmp_path: Path
) -> None:
    acceptor.ae.behaviour = Behaviour(["on C-STORE-RSP out: set Status=A700 ErrorComment='disk full'"])
    _, (item,) = _send(requestor, write_file(tmp_path / "a.dcm", "1.1"))
    assert (Result.FAILED, 0xA700) == (item.result, item.status)
    assert '0xA700 Failure: Refused: Out of resources ("disk full")' == item.text


def test_a_warning_counts_as_stored(requestor: Requestor, acceptor: Server, tmp_path: Path) -> None:
    acceptor.ae.behaviour = Behaviour(["on C-STORE-RQ in: answer status=B007"])
    _, (item,) = _send(requestor, write_file(tmp_path / "a.dcm", "1.1"))
    assert (Result.STORED, 0xB007) == (item.result, item.status)


def test_an_abort_ends_it_and_what_was_not_sent_says_so(requestor: Requestor, acceptor: Server, tmp_path: Path) -> None:
    acceptor.ae.behaviour = Behaviour(["on C-STORE-RQ in nth=2: abort provider"])
    paths = [write_file(tmp_path / f"{number}.dcm", f"1.{number}") for number in range(4)]
    sending, items = _send(requestor, *paths)
    assert [Result.STORED, Result.FAILED, Result.NOT_SENT, Result.NOT_SENT] == [item.result for item in items]
    assert "no answer" == items[1].text
    assert sending.failure is not None
    assert "aborted" == sending.failure.how


def test_a_rejection_leaves_everything_unsent(requestor: Requestor, acceptor: Server, tmp_path: Path) -> None:
    acceptor.ae.require_calling_aet = "FRIEND"
    sending, (item,) = _send(requestor, write_file(tmp_path / "a.dcm", "1.1"))
    assert Result.NOT_SENT is item.result
    assert sending.failure is not None
    assert (1, 1, 3) == sending.failure.codes


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (os.unlink, "no such file or directory"),
        (lambda path: os.truncate(path, 0), "has changed from 8 to 0 bytes of data set meanwhile"),
    ],
)
def test_a_file_that_changes_before_its_turn_fails_alone(
    requestor: Requestor, tmp_path: Path, change: Callable[[Path], None], reason: str
) -> None:
    paths = [write_file(tmp_path / f"{number}.dcm", f"1.{number}") for number in range(3)]
    items = list(find(paths))
    change(paths[1])
    sending = Sending(requestor)
    sending.send(items)
    assert [Result.STORED, Result.FAILED, Result.STORED] == [item.result for item in items]
    assert reason == items[1].text.lower()
    assert (1, None) == (len(sending.associations), sending.failure)


def test_a_file_that_gets_shorter_takes_its_association_but_not_the_next_file(
    requestor: Requestor, tmp_path: Path
) -> None:
    data = (bytes(100), bytes(5_000_000), bytes(100))
    paths = [write_file(tmp_path / f"{number}.dcm", f"1.{number}", data=one) for number, one in enumerate(data)]
    items = list(find(paths))
    sending = Sending(requestor, advance=lambda size: os.truncate(paths[1], 300_000) if size > 100 else None)
    sending.send(items)
    assert [Result.STORED, Result.FAILED, Result.STORED] == [item.result for item in items]
    assert "ends at byte 300000, inside the data set to send" in items[1].text
    assert (2, None) == (len(sending.associations), sending.failure)
    assert sending.associations[0].outcome is not None
    assert "aborted by requestor" in str(sending.associations[0].outcome)


def test_ctrl_c_aborts_the_association(requestor: Requestor, tmp_path: Path) -> None:
    def interrupt(item: Item) -> None:
        raise KeyboardInterrupt

    sending = Sending(requestor, interrupt)
    items = list(find([write_file(tmp_path / f"{number}.dcm", f"1.{number}") for number in range(2)]))
    sending.send(items)
    assert sending.interrupted
    assert [Result.STORED, Result.NOT_SENT] == [item.result for item in items]
    outcome = sending.associations[0].outcome
    assert outcome is not None
    assert "aborted by requestor" in str(outcome)


def test_ctrl_c_before_an_answer_says_so(requestor: Requestor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Association, "ask", interrupted)
    sending = Sending(requestor)
    items = list(find([write_file(tmp_path / "a.dcm", "1.1")]))
    sending.send(items)
    assert [(Result.NOT_SENT, "interrupted before the answer came")] == [(one.result, one.text) for one in items]


def test_ctrl_c_while_the_next_file_is_read_does_not_lose_the_answer_to_the_present_one(
    requestor: Requestor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data_set = Sending._data_set

    def read(sending: Sending, item: Item) -> DataSource:
        if item.path.endswith("1.dcm"):
            raise KeyboardInterrupt
        return data_set(sending, item)

    monkeypatch.setattr(Sending, "_data_set", read)
    sending, items = _send(requestor, *(write_file(tmp_path / f"{number}.dcm", f"1.{number}") for number in range(3)))
    assert sending.interrupted
    assert [Result.STORED, Result.NOT_SENT, Result.NOT_SENT] == [item.result for item in items]
    assert "aborted by requestor" in str(sending.associations[0].outcome)


def test_ctrl_c_while_the_first_file_is_read_aborts_the_association(
    requestor: Requestor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(sending: Sending, item: Item) -> DataSource:
        raise KeyboardInterrupt

    monkeypatch.setattr(Sending, "_data_set", read)
    sending, items = _send(requestor, write_file(tmp_path / "a.dcm", "1.1"))
    assert (True, Result.NOT_SENT) == (sending.interrupted, items[0].result)
    assert "aborted by requestor" in str(sending.associations[0].outcome)


def test_a_peer_that_releases_too_early_is_named_as_the_reason(
    requestor: Requestor, acceptor: Server, tmp_path: Path
) -> None:
    acceptor.ae.behaviour = Behaviour(["on C-STORE-RSP out nth=2: release place=after"])
    paths = [write_file(tmp_path / f"{number}.dcm", f"1.{number}") for number in range(3)]
    sending, items = _send(requestor, *paths)
    assert [Result.STORED, Result.STORED] == [item.result for item in items[:2]]
    assert items[2].result is not Result.STORED
    assert "released by acceptor" in str(sending.failure)
    sending, _ = _send(requestor, *paths[:2])
    assert sending.failure is None


def test_a_slice_tells_how_far_it_is(tmp_path: Path) -> None:
    path = tmp_path / "data"
    path.write_bytes(bytes(range(100)))
    steps: list[int] = []
    piece = Slice(str(path), 10, 80, file_identity(path.stat()), steps.append)
    assert isinstance(piece, FileSlice)
    assert path.read_bytes()[10:90] == b"".join(piece.blocks(32))
    assert [32, 32, 16] == steps


def test_progress_is_told_while_a_file_is_sent(requestor: Requestor, tmp_path: Path) -> None:
    steps: list[int] = []
    items = list(find([write_file(tmp_path / "a.dcm", "1.1", data=bytes(1_000_000))]))
    Sending(requestor, advance=steps.append).send(items)
    assert 1_000_000 == sum(steps)
    assert len(steps) > 1

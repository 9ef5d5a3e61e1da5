"""Conversations compared by what they mean."""

from __future__ import annotations

import struct
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from dicomsim import resources
from dicomsim.capture.captured import CapturedPdu
from dicomsim.capture.compare import Difference, Statuses, Verdict, compare
from dicomsim.capture.conversation import read
from dicomsim.capture.track import keep_in_memory
from dicomsim.events import CloseHow
from tests.capture.associations import (
    ACCEPTOR,
    CT,
    EXPLICIT,
    FIND,
    IMPLICIT,
    MR,
    RELEASE,
    REQUESTOR,
    Said,
    answer,
    ask,
    items,
    message,
    request,
    respond,
)
from tests.capture.live_events import ABORT

LIVE = sorted((resources.captures() / "live").glob("*.pcapng"))
OPENED = (request((1, CT, (IMPLICIT,))), answer((1, 0, IMPLICIT)))
STORE: dict[str, Any] = {"affected_sop_class_uid": CT, "affected_sop_instance_uid": "1.2.3"}
MOVE: dict[str, Any] = {"affected_sop_class_uid": FIND, "move_destination": "X", "priority": 0}


def found(captured: list[Any], live: list[Any], **options: Any) -> list[tuple[str, str, str]]:
    verdict, differences = compare(captured, live, **options)
    assert (verdict is Verdict.SAME) == (not differences)
    return [(d.path, d.captured, d.live) for d in differences]


def whole(*middle: Said, opened: tuple[Said, ...] = OPENED, **end: Any) -> list[Any]:
    return items(*opened, *middle, *RELEASE, **end)


@pytest.mark.parametrize("path", LIVE, ids=lambda path: path.stem)
def test_every_capture_is_the_same_as_itself(path: Path) -> None:
    pair = [[i for i in read(path, choose_sink=keep_in_memory(1 << 20)) if i.association == 1] for _ in "12"]
    assert compare(pair[0], pair[1]) == (Verdict.SAME, [])


def test_a_difference_says_where_it_is() -> None:
    captured = whole(ask("C-STORE-RQ", **STORE, data=b""), respond("C-STORE-RSP"))
    live = whole(ask("C-STORE-RQ", **STORE, data=b""), respond("C-STORE-RSP", 0xA700))
    verdict, (difference,) = compare(captured, live)
    assert verdict is Verdict.CHANGED
    assert difference == Difference(
        4, 5, "C-STORE-RSP/status", "0x0000 Success", "0xA700 Failure: Refused: Out of resources"
    )
    assert str(difference).startswith(
        "step 4, frame 5, C-STORE-RSP/status: captured 0x0000 Success, now 0xA700 Failure"
    )


def test_statuses_may_count_by_their_class() -> None:
    stored = [
        whole(ask("C-STORE-RQ", **STORE, data=b""), respond("C-STORE-RSP", status))
        for status in (0xA700, 0xA701, 0xB000)
    ]
    assert found(stored[0], stored[1]) != []
    assert found(stored[0], stored[1], statuses=Statuses.CLASS) == []
    assert found(stored[0], stored[2], statuses=Statuses.CLASS) != []


def test_message_ids_comments_and_echoed_uids_do_not_count() -> None:
    captured = whole(ask("C-STORE-RQ", 1, **STORE, data=b""), respond("C-STORE-RSP", number=1, **STORE))
    live = whole(ask("C-STORE-RQ", 9, **STORE, data=b""), respond("C-STORE-RSP", number=9, error_comment="fine"))
    assert found(captured, live) == []
    other = whole(ask("C-STORE-RQ", **STORE, data=b""), respond("C-STORE-RSP", affected_sop_instance_uid="9.9"))
    assert found(captured, other) == [("C-STORE-RSP/AffectedSOPInstanceUID", "1.2.3", "9.9")]


def test_contexts_count_and_implementation_and_sizes_do_not() -> None:
    contexts = request((1, CT, (EXPLICIT, IMPLICIT)), (3, MR, (IMPLICIT,)))
    captured = whole(opened=(contexts, answer((1, 0, EXPLICIT), (3, 0, IMPLICIT))))
    live = whole(opened=(contexts, answer((1, 0, IMPLICIT), (3, 3, IMPLICIT), maximum=4096)))
    implicit = "accepted with Implicit VR Little Endian, the acceptor as SCP"
    assert found(captured, live) == [
        ("A-ASSOCIATE-AC/context 1", "accepted with Explicit VR Little Endian, the acceptor as SCP", implicit),
        ("A-ASSOCIATE-AC/context 3", implicit, "abstract-syntax-not-supported (provider rejection)"),
    ]


def test_an_abort_instead_of_an_answer_is_told() -> None:
    captured = whole(ask("C-STORE-RQ", **STORE, data=b""), respond("C-STORE-RSP"))
    live = items(*OPENED, ask("C-STORE-RQ", **STORE, data=b""), (ACCEPTOR, ABORT), by=ACCEPTOR)
    assert found(captured, live, judged=(ACCEPTOR,)) == [
        ("answer", "A-RELEASE-RP", "A-ABORT service-provider: reason-not-specified (2/0)"),
        ("response", "C-STORE-RSP 0000 Success, to message 1", "absent"),
    ]


def test_what_the_judged_side_says_more_is_told() -> None:
    live = whole(ask("C-STORE-RQ", **STORE, data=b""), respond("C-STORE-RSP"), respond("C-STORE-RSP"))
    captured = whole(ask("C-STORE-RQ", **STORE, data=b""), respond("C-STORE-RSP"))
    assert found(captured, live) == [("response", "absent", "C-STORE-RSP 0000 Success, to message 1")]


def identifier(name: bytes, number: bytes = b"1 ") -> bytes:
    return struct.pack("<HHI", 0x10, 0x10, len(name)) + name + struct.pack("<HHI", 0x10, 0x20, len(number)) + number


def query(*matches: bytes) -> list[Any]:
    find: dict[str, Any] = {"affected_sop_class_uid": FIND, "priority": 0}
    keys = struct.pack("<HHI", 0x10, 0x10, 0)
    pending = [respond("C-FIND-RSP", 0xFF00, data=match) for match in matches]
    return whole(ask("C-FIND-RQ", data=keys, **find), *pending, respond("C-FIND-RSP"))


def test_matches_are_a_set_by_the_keys_asked_for() -> None:
    one, two, three = identifier(b"A^1 "), identifier(b"B^2 "), identifier(b"C^3 ")
    assert found(query(one, two), query(two, one)) == []
    assert found(query(one), query(identifier(b"A^1 ", b"99"))) == []
    assert found(query(one, two), query(two, three)) == [
        ("C-FIND-RSP/match", "(0010,0010) A^1", "absent"),
        ("C-FIND-RSP/match", "absent", "(0010,0010) C^3"),
    ]
    assert found(query(one, one), query(one)) == [("C-FIND-RSP/match", "(0010,0010) A^1", "absent")]


def test_of_a_move_the_last_response_counts() -> None:
    done: dict[str, Any] = {"number_of_completed_suboperations": 3}
    pending = [respond("C-MOVE-RSP", 0xFF00, number_of_completed_suboperations=n) for n in (1, 2)]
    captured = whole(ask("C-MOVE-RQ", data=b"", **MOVE), *pending, respond("C-MOVE-RSP", **done))
    live = whole(ask("C-MOVE-RQ", data=b"", **MOVE), respond("C-MOVE-RSP", **done))
    assert found(captured, live) == []
    less = whole(ask("C-MOVE-RQ", data=b"", **MOVE), respond("C-MOVE-RSP", number_of_completed_suboperations=2))
    assert found(captured, less) == [("C-MOVE-RSP/NumberOfCompletedSuboperations", "3", "2")]


def sub_operation(instance: str, number: int) -> Said:
    uids: dict[str, Any] = {"affected_sop_class_uid": CT, "affected_sop_instance_uid": instance}
    return message(ACCEPTOR, "C-STORE-RQ", 1, identifier(b"A^1 "), message_id=number, priority=0, **uids)


def test_requests_of_the_acceptor_are_matched_by_what_they_are_about() -> None:
    captured = whole(sub_operation("1.1", 1), sub_operation("1.2", 2))
    assert found(captured, whole(sub_operation("1.2", 7), sub_operation("1.1", 8))) == []
    assert found(captured, whole(sub_operation("1.2", 7), sub_operation("1.3", 8))) == [
        ("request", "C-STORE-RQ, message 1, CT Image Storage", "absent"),
        ("request", "absent", "C-STORE-RQ, message 8, CT Image Storage"),
    ]


def test_data_sets_are_compared_tag_by_tag() -> None:
    def get(data: bytes) -> list[Any]:
        return whole(message(ACCEPTOR, "C-STORE-RQ", 1, data, message_id=1, priority=0, **STORE))

    assert found(get(identifier(b"A^1 ")), get(identifier(b"A^2 "))) == [("C-STORE-RQ/(0010,0010)", "A^1", "A^2")]


def test_who_closes_first_counts_only_where_nothing_was_said_before() -> None:
    assert found(whole(by=REQUESTOR), whole(by=ACCEPTOR)) == []
    lost = [items(*OPENED, by=by, how=how) for by, how in ((REQUESTOR, CloseHow.FIN), (ACCEPTOR, CloseHow.RESET))]
    assert found(lost[0], lost[1]) == [("end of the connection", "fin by the requestor", "reset by the acceptor")]


def test_a_damaged_pdu_is_compared_by_what_it_was() -> None:
    def captured(data: bytes) -> list[Any]:
        opened, asked, said, end = items(OPENED[0], (ACCEPTOR, data))
        assert isinstance(said, CapturedPdu)
        return [opened, asked, replace(said, damage="2 bytes are missing"), end]

    another = bytes.fromhex("07 00 00000004 00000201")
    assert found(captured(ABORT), items(OPENED[0], (ACCEPTOR, another))) == []
    assert ["answer"] == [path for path, _, _ in found(captured(ABORT), items(*OPENED))]


def test_what_the_capture_lacks_is_no_difference() -> None:
    captured = whole(ask("C-STORE-RQ", **STORE, data=b""), respond("C-STORE-RSP"))
    nothing_kept = list(read(LIVE[-1]))
    assert compare(nothing_kept, nothing_kept)[0] is Verdict.SAME
    assert compare(captured, captured)[0] is Verdict.SAME

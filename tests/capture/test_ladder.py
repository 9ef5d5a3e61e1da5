"""Ladders: what people read."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim import resources
from dicomsim.capture.captured import CapturedEnd, CapturedLoss, CapturedOpen, CapturedPdu, Item
from dicomsim.capture.ladder import ladder, ladder_lines, ladder_of
from dicomsim.dimse.builders import build, c_echo_rq, c_move_rq, c_store_rq
from dicomsim.dimse.fragmenter import fragment
from dicomsim.dimse.messages import Message
from dicomsim.events import CloseHow, Side
from tests.capture.live_events import RELEASE_RQ, TIME, Association, like

CAPTURES = resources.captures()
EVERY = sorted(CAPTURES.glob("*/*.pcap*"))


def said(*steps: tuple[Side, bytes], how: CloseHow = CloseHow.FIN) -> list[str]:
    """The rungs of a live association, without time and number."""
    association = Association()
    stream = [
        association.opened(),
        *(association.said(side, data) for side, data in steps),
        association.closed(how=how),
    ]
    return [line[16:].rstrip() for line in list(ladder_of(stream))[2:]]


def encoded(message: Message, maximum: int = 0) -> bytes:
    return b"".join(fragment(message, maximum))


def test_a_ladder_reads_as_a_conversation() -> None:
    assert (
        list(ladder(CAPTURES / "live" / "store_dcmsend.pcapng"))
        == """\
association 1: 127.0.0.1:42406 -> 127.0.0.1:21104, 2026-11-22T08:44:57.082714382Z
                requestor                                                                   acceptor
   0.000103 #1  |-- A-ASSOCIATE-RQ TESTSCU -> ARCH, 2 contexts, maximum length 16384 ------------->|
   0.000247 #1  |<---------------- A-ASSOCIATE-AC 2 of 2 contexts accepted, maximum length 16384 --|
   0.001279 #1  |-- C-STORE-RQ, message 1, CT Image Storage -------------------------------------->|
   0.043506 #1  |-- 3 P-DATA-TF data, 38,732 bytes, last ----------------------------------------->|
   0.087520 #1  |<--------------------------------------- C-STORE-RSP 0000 Success, to message 1 --|
   0.131522 #1  |-- C-STORE-RQ, message 2, MR Image Storage -------------------------------------->|
   0.131522 #1  |-- P-DATA-TF data, 9,358 bytes, last -------------------------------------------->|
   0.175515 #1  |<--------------------------------------- C-STORE-RSP 0000 Success, to message 2 --|
   0.175721 #1  |-- A-RELEASE-RQ ----------------------------------------------------------------->|
   0.175800 #1  |<----------------------------------------------------------------- A-RELEASE-RP --|
   0.176106 #1  x connection closed by the requestor""".splitlines()
    )


@pytest.mark.parametrize("path", EVERY, ids=lambda path: path.stem)
@pytest.mark.parametrize("width", [100, 72])
def test_no_line_is_too_long(path: Path, width: int) -> None:
    assert max(map(len, ladder(path, width=width))) <= width


def test_live_events_make_the_same_ladder() -> None:
    path = CAPTURES / "live" / "find_study.pcapng"
    without_times = [[line[11:] for line in lines][2:] for lines in (ladder(path), ladder_of(like(path)))]
    assert without_times[0] == without_times[1]


def test_long_texts_go_on_below() -> None:
    rejected = list(ladder(CAPTURES / "live" / "reject_calledae.pcapng"))
    assert rejected[3].endswith("A-ASSOCIATE-RJ rejected-permanent, service-user: --|")
    assert rejected[4].rstrip("| ").endswith("called-AE-title-not-recognized (1/1/7)")


def test_a_failure_is_told_with_its_meaning_and_a_success_without() -> None:
    request = c_move_rq(9, 1, "1.2.840.10008.5.1.4.1.2.2.2", "DEST", None)
    response = build(
        "C-MOVE-RSP",
        1,
        message_id_being_responded_to=9,
        affected_sop_class_uid="1.2.840.10008.5.1.4.1.2.2.2",
        status=0xA801,
        number_of_completed_suboperations=0,
        number_of_failed_suboperations=2,
        error_comment="no such AE",
    )
    rungs = said((Side.REQUESTOR, encoded(request)), (Side.ACCEPTOR, encoded(response)))
    text = re.sub(r"[-|<> ]+", " ", " ".join(rungs))
    assert "C MOVE RQ, message 9, Study Root Query/Retrieve Information Model MOVE, to DEST" in text
    assert "C MOVE RSP A801 Failure: Refused: Move Destination unknown, to message 9, 0 completed 2 failed" in text
    assert '"no such AE"' in text


def test_a_command_in_many_fragments_is_named_when_it_is_complete() -> None:
    rungs = said((Side.REQUESTOR, encoded(c_echo_rq(5, 1), 20)))
    assert all(rung.startswith("|-- P-DATA-TF context 1 command") for rung in rungs[:-2])
    assert rungs[-2].startswith("|-- = C-ECHO-RQ, message 5, Verification SOP Class ---")


def test_data_in_the_pdu_of_its_command_is_told_with_it() -> None:
    store = c_store_rq(1, 1, "1.2.840.10008.5.1.4.1.1.2", "1.2.3", bytes(1500))
    pdus = encoded(store)
    command, data = pdus[:6], pdus[6:]
    size = int.from_bytes(command[2:], "big")
    joined = data[:size] + data[size + 6 :]
    one_pdu = b"\x04\0" + len(joined).to_bytes(4, "big") + joined
    assert said((Side.REQUESTOR, one_pdu))[0].startswith(
        "|-- C-STORE-RQ, message 1, CT Image Storage, 1,500 bytes of data "
    )


def test_faults_and_addresses_are_whole_however_narrow_the_ladder_is() -> None:
    fault = "byte 6, P-DATA-TF/presentation data value 1: item length is 16384, at least 2 are needed and 70 are left"
    opened = CapturedOpen(1, TIME, 1, ("fd00::1234:5678:9abc:def0", 51684), ("fd00::1234:5678:9abc:def1", 11112), False)
    pdu = CapturedPdu(2, TIME, 1, Side.REQUESTOR, b"\x04\0\0\0\0\x01x", 7, fault=fault)
    lines = list(ladder_lines([opened, pdu], 60))
    assert 60 >= max(map(len, lines))
    text = " ".join(" ".join(lines).split())
    assert (True, True) == (f"! {fault}" in text, "[fd00::1234:5678:9abc:def1]:11112," in text)
    assert ", already under way" in text


def test_faults_damage_and_losses_stand_out() -> None:
    items: list[Item] = [
        CapturedOpen(1, TIME, 1, ("fd00::1", 5), ("fd00::2", 104), False),
        CapturedLoss(2, TIME, 1, Side.ACCEPTOR, 77),
        CapturedPdu(3, TIME, 1, Side.ACCEPTOR, RELEASE_RQ, 10, damage="3 of 10 bytes are missing"),
        CapturedPdu(4, TIME, 1, Side.ACCEPTOR, b"\x0f\0\0\0\0\x01x", 7, fault="type 0FH is no PDU"),
        CapturedEnd(5, TIME, 1, None, None),
    ]
    lines = list(ladder_lines(items))
    assert lines[0] == "association 1: [fd00::1]:5 -> [fd00::2]:104, 2026-11-22T08:45:16.000000000Z, already under way"
    assert [line[16:] for line in lines if line[16:18] in ("! ", "x ")] == [
        "! 77 bytes of the acceptor are missing or belong to no PDU",
        "! 3 of 10 bytes are missing",
        "! type 0FH is no PDU",
        "x the capture ends before the connection does",
    ]


def test_an_unfinished_message_stands_out() -> None:
    store = encoded(c_store_rq(1, 1, "1.2.840.10008.5.1.4.1.1.2", "1.2.3", bytes(3000)), 1000)
    rungs = said((Side.REQUESTOR, store[:1500]))
    assert "! C-STORE-RQ: incomplete: the connection ends" in rungs


@pytest.mark.parametrize(
    ("how", "text"),
    [
        (CloseHow.RESET, "x connection reset by the requestor"),
        (CloseHow.HALF, "x only the requestor has closed its half of the connection"),
    ],
)
def test_every_end_is_told(how: CloseHow, text: str) -> None:
    assert said(how=how) == [text]


@given(st.lists(st.tuples(st.sampled_from(list(Side)), st.integers(0, 8), st.binary(max_size=90)), max_size=6))
def test_whatever_is_said_the_lines_are_printable(steps: list[tuple[Side, int, bytes]]) -> None:
    framed = [(side, bytes([kind, 0]) + len(data).to_bytes(4, "big") + data) for side, kind, data in steps]
    for line in said(*framed):
        assert line.isprintable()
        assert len(line) <= 84

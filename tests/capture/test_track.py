"""Messages assembled from captured PDUs: what is whole, what is damaged, what is the sender's fault."""

from __future__ import annotations

import pytest

from dicomsim.capture.captured import CapturedEnd, CapturedLoss, CapturedMessage, CapturedPdu, Item
from dicomsim.capture.track import AssociationTrack, keep_in_memory
from dicomsim.dimse.builders import c_echo_rq, c_store_rq
from dicomsim.dimse.data import source_bytes
from dicomsim.dimse.fragmenter import fragment
from dicomsim.events import CloseHow, Side
from tests.capture.live_events import ABORT, RELEASE_RQ

REQUESTOR = Side.REQUESTOR
DATA = bytes(range(200)) * 5


def echo(message_id: int = 1) -> bytes:
    return b"".join(fragment(c_echo_rq(message_id, 1), 0))


def store(maximum: int = 300) -> bytes:
    return b"".join(fragment(c_store_rq(7, 1, "1.2.840.10008.5.1.4.1.1.2", "1.2.3", DATA), maximum))


def run(*steps: bytes | int, keep: bool = True) -> list[Item]:
    """Bytes and gaps of the requestor, one a frame; then the end."""
    track = AssociationTrack(1, True, keep_in_memory(1 << 20) if keep else None)
    items: list[Item] = []
    for frame, step in enumerate(steps, 1):
        lost = isinstance(step, int)
        items += track.lost(REQUESTOR, step, 0, frame) if lost else track.data(REQUESTOR, step, 0, frame)  # type: ignore[arg-type]
    items += track.end(REQUESTOR, CloseHow.FIN, 0, 99)
    assert isinstance(items[-1], CapturedEnd)
    return items


def messages(items: list[Item]) -> list[CapturedMessage]:
    return [item for item in items if isinstance(item, CapturedMessage)]


def faults(items: list[Item]) -> list[str]:
    return [item.fault for item in items if isinstance(item, CapturedPdu) and item.fault]


def test_a_message_over_several_pdus_is_assembled() -> None:
    (message,) = messages(run(store()))
    assert (message.message.name, message.data_length, message.damage) == ("C-STORE-RQ", len(DATA), "")
    assert message.message.data is not None
    assert source_bytes(message.message.data) == DATA


def test_a_message_follows_the_pdu_that_completes_it_and_knows_where_it_began() -> None:
    whole = store()
    items = run(whole[:50], whole[50:])
    place = next(n for n, item in enumerate(items) if isinstance(item, CapturedMessage))
    assert isinstance(items[place - 1], CapturedPdu)
    (message,) = messages(items)
    assert (message.first_frame, message.frame) == (2, 2)
    (message,) = messages(run(whole[:400], whole[400:]))
    assert (message.first_frame, message.frame) == (1, 2)


def test_data_sets_are_only_counted_unless_they_are_wanted() -> None:
    (message,) = messages(run(store(), keep=False))
    assert (message.data_length, message.message.data) == (len(DATA), None)


def test_a_hole_in_a_data_set_damages_the_message_and_no_other() -> None:
    whole = store()
    first, second = messages(run(whole[:-100], 60, whole[-40:] + echo()))
    assert first.damage == "60 bytes of its data set are missing"
    assert first.data_length == len(DATA)
    assert (second.message.name, second.damage) == ("C-ECHO-RQ", "")


def test_a_hole_over_a_fragments_header_breaks_the_message_off() -> None:
    whole = store()
    pdus = [item.length for item in run(whole) if isinstance(item, CapturedPdu)]
    at = sum(pdus[:-1]) + 8
    first, second = messages(run(whole[:at], 4, whole[at + 4 :] + echo()))
    assert first.damage == "incomplete: the capture lacks bytes of it"
    assert second.damage == ""


def test_a_hole_in_a_command_set_loses_the_message() -> None:
    whole = echo()
    (message,) = messages(run(whole[:30], 4, whole[34:] + echo(2)))
    assert message.message.message_id == 2


def test_whole_pdus_that_lack_break_the_message_off() -> None:
    whole = store()
    pdus = [item.length for item in run(whole) if isinstance(item, CapturedPdu)]
    start = sum(pdus[:2])
    stop = start + pdus[2] + 20
    rest = whole[stop:] + echo() + RELEASE_RQ
    items = run(whole[:start], stop - start, rest)
    first, second = messages(items)
    assert (first.message.name, first.damage) == ("C-STORE-RQ", "incomplete: the capture lacks bytes of it")
    assert second.message.name == "C-ECHO-RQ"
    assert [type(item) for item in items if isinstance(item, CapturedLoss)] == [CapturedLoss]


def test_the_end_amid_a_message_is_said() -> None:
    (message,) = messages(run(store()[:500]))
    assert message.damage == "incomplete: the connection ends"


def test_a_damaged_pdu_says_what_lacks() -> None:
    whole = store()
    damages = [item.damage for item in run(whole[:-100], 60, whole[-40:]) if isinstance(item, CapturedPdu)]
    assert damages[-1].startswith("60 of ")
    assert set(damages[:-1]) == {""}
    (cut,) = [item for item in run(RELEASE_RQ[:7]) if isinstance(item, CapturedPdu)]
    assert cut.damage == "3 of 10 bytes are missing, from byte 7 on"


@pytest.mark.parametrize(
    ("data", "fault"),
    [
        (bytes.fromhex("07 00 00000005 0000020000"), "A-ABORT: 1 bytes too many"),
        (bytes.fromhex("0f 00 00000002 0000"), "type 0FH is no PDU of the standard"),
        (bytes.fromhex("04 00 00000004 00000000"), "item length is 0, at least 2 are needed"),
        (bytes.fromhex("04 00 00000008 00000009 01 03 0000"), "byte 6, P-DATA-TF/presentation data value 1: "),
        (bytes.fromhex("04 00 00000008 00000004 01 02 0000"), "a data set fragment that no command set has announced"),
        (bytes.fromhex("04 00 00000008 00000004 01 03 0000"), "command set"),
    ],
)
def test_what_is_wrong_with_a_pdu_is_said_and_the_next_message_still_comes(data: bytes, fault: str) -> None:
    items = run(data + echo())
    (said,) = faults(items)
    assert fault in said
    assert [message.message.name for message in messages(items)] == ["C-ECHO-RQ"]


def test_contexts_are_not_judged() -> None:
    (message,) = messages(run(echo().replace(b"\x00\x00\x00\x46\x01\x03", b"\x00\x00\x00\x46\x08\x03")))
    assert message.message.context_id in (1, 8)


def test_both_directions_are_apart() -> None:
    track = AssociationTrack(1, True)
    half = len(echo()) // 2
    items: list[Item] = []
    for sender in Side:
        items += track.data(sender, echo()[:half], 0, 1)
    for sender in Side:
        items += track.data(sender, echo()[half:] + ABORT, 0, 2)
    assert [message.sender for message in messages(items)] == list(Side)

"""A connection of a script: what comes is cut into observations, and how it ends is told."""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim.dimse.builders import build, respond
from dicomsim.dimse.fragmenter import fragment
from dicomsim.scenario.dialogue import Dialogue
from dicomsim.scenario.link import Link, Log
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import Abort, PDataTF, Pdv, ReleaseRP
from tests.scenario.doubles import AC, PAUSE, RESET, RQ, VERIFICATION, FakeStream, link_of

ECHO = build("C-ECHO-RQ", 1, message_id=1, affected_sop_class_uid=VERIFICATION)
ABORT = encode_pdu(Abort(2, 1))
RELEASED = encode_pdu(ReleaseRP())


def message_bytes(maximum: int = 0) -> bytes:
    return b"".join(map(bytes, fragment(respond(ECHO), maximum)))


def reactions(link: Link, count: int, **options: Any) -> list[str]:
    return [link.observe(5, "time window", **options).reaction for _ in range(count)]


def test_pdus_come_one_by_one_however_they_are_sent() -> None:
    data = encode_pdu(AC) + ABORT
    at_once, in_pieces = link_of(data), link_of(*(data[index : index + 1] for index in range(len(data))))
    assert [["accepted(1:0)", "aborted(2,1)", "tcp-fin"]] * 2 == [reactions(link, 3) for link in (at_once, in_pieces)]


@pytest.mark.parametrize("maximum", [0, 16, 8])
def test_fragments_come_as_messages(maximum: int) -> None:
    link = link_of(message_bytes(maximum))
    seen: Any = link.observe(5, "time window")
    assert ("answered-ok", maximum or 84, True) == (seen.reaction, seen.longest_pdu, seen.fragments >= 1)


def test_fragments_come_as_they_are_if_asked_for() -> None:
    assert ["sent(P-DATA-TF)", "sent(P-DATA-TF)"] == reactions(link_of(message_bytes(48)), 2, pdus_only=True)


def test_two_messages_in_one_pdu_which_is_forbidden_are_one_and_nonsense() -> None:
    command = message_bytes()[12:]
    both = encode_pdu(PDataTF((Pdv(1, 3, command), Pdv(1, 3, command))))
    assert ["answered-ok", "unreadable", "tcp-fin"] == reactions(link_of(both), 3)


def test_a_request_of_the_peer_can_be_answered() -> None:
    dialogue = Dialogue("SCP", "SCU")
    link = link_of(b"".join(map(bytes, fragment(ECHO, 0))), dialogue=dialogue)
    assert (["asked(C-ECHO-RQ)"], 1) == (reactions(link, 1), dialogue.asked and dialogue.asked.message_id)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 400 Bad Request\r\n",
        bytes.fromhex("07 00 FFFFFFFF 0000"),
        bytes.fromhex("07 00 00000002 0000"),
        encode_pdu(PDataTF((Pdv(1, 2, b"no command"),))),
    ],
)
def test_what_is_no_pdu_is_unreadable(data: bytes) -> None:
    assert ["unreadable", "tcp-fin"] == reactions(link_of(data), 2)


def test_a_message_before_nonsense_is_still_seen() -> None:
    data = message_bytes() + encode_pdu(PDataTF((Pdv(1, 0, b"xx"),)))
    assert ["answered-ok", "unreadable"] == reactions(link_of(data), 2)


@pytest.mark.parametrize(
    ("incoming", "words"),
    [
        ([], "closed TCP with a FIN"),
        ([RESET], "closed TCP with a RST"),
        ([ABORT[:7]], "closed TCP with a FIN after 7 bytes of a PDU"),
        ([ABORT[:3], RESET], "closed TCP with a RST after 3 bytes of a PDU"),
        ([PAUSE], "nothing within the time window of 5 s"),
        ([ABORT[:3], PAUSE], "nothing within the time window of 5 s, after 3 bytes of A-ABORT"),
        (
            [message_bytes(16)[:22], PAUSE],
            "nothing within the time window of 5 s, after 1 P-DATA-TF of a message that is not complete",
        ),
    ],
)
def test_the_end_or_the_absence_of_all_is_an_observation(incoming: list[object], words: str) -> None:
    link = link_of(*incoming)
    assert words == str(link.observe(5, "time window"))


def test_a_close_is_seen_again_and_again() -> None:
    assert ["tcp-fin"] * 3 == reactions(link_of(), 3)


def test_what_came_before_a_failed_send_is_still_read() -> None:
    stream = FakeStream(ABORT, gone=True)
    link = Link(stream, Dialogue("SCP", "SCU"), Log(stream.clock), stream.clock)
    link.send([b"x"], "something", 5)
    assert ["aborted(2,1)", "tcp-rst"] == reactions(link, 2)


def test_pieces_are_sent_apart() -> None:
    stream = FakeStream(PAUSE)
    link = Link(stream, Dialogue("SCP", "SCU"), Log(stream.clock), stream.clock)
    link.send([b"ab", 0.5, b"c"], "something", 5)
    assert ([b"ab", b"c"], 100.5) == (stream.sent, stream.clock.now)


def test_time_goes_by_without_losing_what_comes() -> None:
    link = link_of(ABORT, PAUSE)
    link.linger(2)
    assert ["aborted(2,1)"] == reactions(link, 1)


def test_lingering_ends_when_the_peer_closes() -> None:
    link = link_of()
    link.linger(1000)
    assert link.closed is not None


def opened(*incoming: object) -> Link:
    dialogue = Dialogue("SCP", "SCU")
    dialogue.sent(RQ)
    dialogue.received(AC)
    return link_of(*incoming, dialogue=dialogue)


def test_an_open_association_is_aborted_at_the_end() -> None:
    link = opened(PAUSE)
    assert ("dicomsim fin", True) == (link.finish(5), isinstance(link.dialogue.last_sent, Abort))


@pytest.mark.parametrize(
    ("incoming", "how"),
    [
        ([RELEASED, PAUSE], "dicomsim fin"),
        ([RELEASED], "peer fin, early"),
        ([ABORT, RESET], "peer reset, early"),
        ([encode_pdu(AC)], "peer fin"),
    ],
)
def test_how_the_connection_ended_is_told_and_whose_turn_it_was(incoming: list[object], how: str) -> None:
    link = opened(*incoming)
    link.observe(5, "time window")
    assert how == link.finish(5)


def test_our_own_reset_is_told() -> None:
    link = link_of(PAUSE)
    link.close(reset=True)
    assert "dicomsim reset" == link.finish(5)


def test_everything_is_logged_with_its_time() -> None:
    stream = FakeStream(PAUSE, ABORT)
    log = Log(stream.clock)
    link = Link(stream, Dialogue("SCP", "SCU"), log, stream.clock)
    link.send([b"x"], "something", 5)
    link.observe(5, "time window")
    link.observe(5, "time window")
    link.finish(5)
    assert [
        "    0.000 -> something",
        "    5.000 <- nothing within the time window of 5 s",
        "    5.000 <- A-ABORT service-provider: unrecognized-PDU (2/1)",
    ] == [str(line) for line in log.lines][:3]

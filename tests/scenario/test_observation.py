"""What a peer is seen to do: its short name, its fields, its words."""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim.dimse.builders import build, respond
from dicomsim.errors import WireError
from dicomsim.scenario.dialogue import Dialogue
from dicomsim.scenario.observation import Arrived, Closed, Exited, NotConnected, Received, Silent, Unreadable
from dicomsim.wire.items import PresentationContextAC
from dicomsim.wire.pdu import Abort, AssociateAC, AssociateRJ, PDataTF, Pdv, ReleaseRP, ReleaseRQ, UnknownPdu
from tests.scenario.doubles import AC, RQ, VERIFICATION

ECHO = build("C-ECHO-RQ", 1, message_id=1, affected_sop_class_uid=VERIFICATION)
MANY = AssociateAC(b"", b"", tuple(PresentationContextAC(number, 3) for number in range(1, 40, 2)))


@pytest.mark.parametrize(
    ("seen", "reaction"),
    [
        (Received(AC), "accepted(1:0)"),
        (Received(MANY), "accepted(1:3 3:3 5:3 7:3 9:3 11:3 13:3 15:3 …)"),
        (Received(RQ), "asked(A-ASSOCIATE-RQ)"),
        (Received(AssociateRJ(1, 2, 2)), "rejected(1,2,2)"),
        (Received(Abort(2, 1)), "aborted(2,1)"),
        (Received(ReleaseRP()), "released"),
        (Received(ReleaseRQ()), "asked(A-RELEASE-RQ)"),
        (Received(PDataTF((Pdv(1, 3, b""),))), "sent(P-DATA-TF)"),
        (Received(UnknownPdu(0x5A, b"")), "sent(PDU 5AH)"),
        (Arrived(ECHO, 78, 1), "asked(C-ECHO-RQ)"),
        (Arrived(respond(ECHO), 88, 1), "answered-ok"),
        (Arrived(respond(ECHO, 0xB000), 88, 1), "answered-warning(B000)"),
        (Arrived(respond(ECHO, 0x0122), 88, 1), "answered-failure(0122)"),
        (Arrived(respond(ECHO, 0xFF00), 88, 1), "answered-pending(FF00)"),
        (Arrived(respond(ECHO, 0xFE00), 88, 1), "answered-cancel(FE00)"),
        (Arrived(respond(ECHO, 0x1234), 88, 1), "answered-undefined(1234)"),
        (Arrived(build("C-ECHO-RSP", 1, message_id_being_responded_to=1), 88, 1), "answered-without-status"),
        (Closed("fin"), "tcp-fin"),
        (Closed("reset", 3), "tcp-rst"),
        (Silent(2.5, "time window"), "silent(2.5 s)"),
        (Unreadable(WireError(3, "A-ABORT", "too short")), "unreadable"),
        (NotConnected("refused"), "refused-connection"),
        (Exited(-15), "exited(-15)"),
    ],
)
def test_a_reaction_has_a_short_name(seen: Any, reaction: str) -> None:
    assert reaction == seen.reaction


@pytest.mark.parametrize(
    ("seen", "words"),
    [
        (Closed("fin"), "closed TCP with a FIN"),
        (Closed("reset", 12), "closed TCP with a RST after 12 bytes of a PDU"),
        (Silent(10.0, "time window"), "nothing within the time window of 10 s"),
        (
            Silent(1.0, "time window", "3 bytes of A-ABORT"),
            "nothing within the time window of 1 s, after 3 bytes of A-ABORT",
        ),
        (Unreadable(WireError(3, "A-ABORT", "too short")), "bytes that cannot be read: byte 3, A-ABORT: too short"),
        (NotConnected("host:1: refused"), "host:1: refused"),
        (Exited(1), "exited with 1"),
    ],
)
def test_a_reaction_can_be_said_in_words(seen: Any, words: str) -> None:
    assert words == str(seen)


def test_an_acceptance_shows_what_was_negotiated() -> None:
    dialogue = Dialogue("SCP", "SCU", request=RQ)
    shown = Received(AC).fields(dialogue)
    assert {
        "called": "SCP", "calling": "SCU", "protocol_version": 1, "application_context": "1.2.840.10008.3.1.1.1",
        "maximum_length": 16384, "implementation_class_uid": "2.25.1", "implementation_version_name": "FAKE_PEER_1",
        "contexts": {1: {"result": 0, "transfer_syntax": "1.2.840.10008.1.2"}}, "context_count": 1, "accepted_count": 1,
        "async_invoked": None, "async_performed": None, "user_identity_response": None, "titles_echoed": True,
    } == shown  # fmt: skip


def test_titles_are_compared_byte_for_byte() -> None:
    other = AssociateAC(b" SCP".ljust(16), AC.calling_ae_title, AC.items)
    assert False is Received(other).fields(Dialogue("SCP", "SCU", request=RQ))["titles_echoed"]


def test_a_message_shows_its_elements_and_how_it_came() -> None:
    shown = Arrived(respond(ECHO, 0x0110, b"abcd"), 64, 3).fields(Dialogue("", ""))
    assert (0x0110, 1, True, 4, 64, 3, 1, None) == tuple(
        shown[name]
        for name in (
            "status", "message_id_being_responded_to", "data_set", "data_length", "longest_pdu", "fragments", "context",
            "error_comment",
        )
    )  # fmt: skip


def test_a_fragment_shows_its_first_value() -> None:
    pdu = PDataTF((Pdv(3, 1, b"ab"), Pdv(5, 2, b"")))
    assert {"length": 14, "pdv_count": 2, "context": 3, "control": 1} == Received(pdu).fields(Dialogue("", ""))

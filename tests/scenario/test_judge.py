"""Which alternative a reaction fits, and how alternatives are described."""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim.dimse.builders import build, respond
from dicomsim.errors import WireError
from dicomsim.scenario.dialogue import Dialogue
from dicomsim.scenario.expecting import Expect
from dicomsim.scenario.judge import describe, first_fit, fits
from dicomsim.scenario.observation import Arrived, Closed, Exited, NotConnected, Received, Silent, Unreadable
from dicomsim.wire.pdu import Abort, AssociateRJ, PDataTF, Pdv, ReleaseRP, ReleaseRQ, UnknownPdu
from tests.scenario.doubles import AC, RQ, VERIFICATION

ECHO = build("C-ECHO-RQ", 1, message_id=9, affected_sop_class_uid=VERIFICATION)
ANSWER = Arrived(respond(ECHO), 88, 2)
DIALOGUE = Dialogue("SCP", "SCU", request=RQ)


def alternative(written: object) -> Any:
    return Expect.model_validate({"expect": [written]}).expect[0]


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("A-ABORT", Received(Abort(1, 9))),
        ({"pdu": "A-ABORT", "source": 2, "reason": [1, 0]}, Received(Abort(2, 0))),
        ({"pdu": "A-ASSOCIATE-RJ", "result": 1}, Received(AssociateRJ(1, 3, 2))),
        ({"pdu": "A-ASSOCIATE-AC", "contexts": {1: {"result": 0}, 3: None}}, Received(AC)),
        ({"pdu": "A-ASSOCIATE-AC", "contexts": {1: {"transfer_syntax": "ImplicitVRLittleEndian"}}}, Received(AC)),
        ({"pdu": "A-ASSOCIATE-AC", "async_invoked": None, "titles_echoed": True}, Received(AC)),
        ({"pdu": "A-ASSOCIATE-RQ", "contexts": {1: {"transfer_syntaxes": "1.2.840.10008.1.2"}}}, Received(RQ)),
        ("A-RELEASE-RP", Received(ReleaseRP())),
        ({"pdu": "P-DATA-TF", "length": {"to": 10}, "context": 1}, Received(PDataTF((Pdv(1, 3, b"ab"),)))),
        ("C-ECHO-RSP", ANSWER),
        ({"message": "*-RSP", "status": "success", "message_id_being_responded_to": 9}, ANSWER),
        ({"message": "C-ECHO-RSP", "longest_pdu": {"to": 88}, "fragments": 2, "data_set": False}, ANSWER),
        ({"message": "*", "error_comment": None}, ANSWER),
        ("close", Closed("reset")),
        ("fin", Closed("fin")),
        ("silence", Silent(1, "time window")),
        ({"exit": {"not": 0}}, Exited(1)),
    ],
)
def test_a_reaction_fits_what_is_said_of_it(written: object, seen: Any) -> None:
    assert fits(alternative(written), seen, DIALOGUE)


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        ("A-ABORT", Received(AssociateRJ(1, 1, 1))),
        ("A-ABORT", Closed("fin")),
        ({"pdu": "A-ABORT", "source": 2}, Received(Abort(0, 0))),
        ({"pdu": "A-ASSOCIATE-AC", "contexts": {1: {"result": 3}}}, Received(AC)),
        ({"pdu": "A-ASSOCIATE-AC", "contexts": {1: None}}, Received(AC)),
        ({"pdu": "A-ASSOCIATE-AC", "contexts": {3: {"result": 0}}}, Received(AC)),
        ({"pdu": "A-ASSOCIATE-RQ", "contexts": {1: {"transfer_syntaxes": "1.2.3"}}}, Received(RQ)),
        ("A-RELEASE-RQ", Received(ReleaseRP())),
        ("A-RELEASE-RP", Received(ReleaseRQ())),
        ("A-ABORT", Received(UnknownPdu(0x5A, b""))),
        ("C-ECHO-RQ", ANSWER),
        ({"message": "*-RQ"}, ANSWER),
        ({"message": "C-ECHO-RSP", "status": "A7xx"}, ANSWER),
        ("C-ECHO-RSP", Received(PDataTF((Pdv(1, 3, b"ab"),)))),
        ("fin", Closed("reset")),
        ("silence", Silent(1, "time window", "3 bytes of A-ABORT")),
        ("silence", Closed("fin")),
        ({"exit": 0}, Exited(1)),
        ("close", NotConnected("refused")),
        ("A-ABORT", Unreadable(WireError(0, "A-ABORT", "too short"))),
    ],
)
def test_anything_else_does_not(written: object, seen: Any) -> None:
    assert not fits(alternative(written), seen, DIALOGUE)


def test_the_first_alternative_that_fits_counts() -> None:
    expect = Expect.model_validate(
        {"expect": [{"pdu": "A-ABORT", "source": 2}, {"pdu": "A-ABORT", "verdict": "non-strict"}]}
    )
    found = [first_fit(expect.expect, Received(Abort(source, 0)), DIALOGUE) for source in (2, 0)]
    assert (["pass", "non-strict"], None) == (
        [each.verdict for each in found if each is not None],
        first_fit(expect.expect, Closed("fin"), DIALOGUE),
    )


@pytest.mark.parametrize(
    ("written", "words"),
    [
        ("A-ABORT", "A-ABORT"),
        ({"pdu": "A-ABORT", "source": 2, "reason": [1, 0]}, "A-ABORT with source 2, reason 1 or 0"),
        ({"pdu": "A-ABORT", "verdict": "non-strict"}, "A-ABORT (non-strict)"),
        (
            {"pdu": "A-ASSOCIATE-AC", "contexts": {1: {"result": 0}, 3: None}},
            "A-ASSOCIATE-AC with context 1 result 0, context 3 not there",
        ),
        ({"message": "C-STORE-RSP", "status": ["A7xx", "success"]}, "C-STORE-RSP with status A7xx or success"),
        ("close", "TCP closed"),
        ("reset", "TCP closed with a RST"),
        ("silence", "silence"),
        ({"exit": {"not": 0}}, "exit with not 0"),
    ],
)
def test_an_alternative_says_what_it_waits_for(written: object, words: str) -> None:
    assert words == describe(alternative(written))

"""Every malformed vector, given to a machine in the state it is meant for, against the reactions that are allowed.

In Sta6 an assembler takes the fragments. What only a service could judge passes here: then the reactions must allow for
something other than an abort.
"""

from __future__ import annotations

from typing import Any

import pytest

from dicomsim.dimse.assembler import Assembler
from dicomsim.events import Side
from dicomsim.upper_layer.machine import (
    AssociateConfirmation,
    AssociateIndication,
    AssociateRequest,
    AssociateResponse,
    CloseTransport,
    ReleaseIndication,
    ReleaseResponse,
)
from dicomsim.upper_layer.negotiation import negotiate
from dicomsim.upper_layer.table import State
from dicomsim.wire.codec import decode_pdu, pdu_name
from dicomsim.wire.pdu import Abort, AssociateAC, AssociateRJ, AssociateRQ, Pdu
from tests.oracle import document
from tests.upper_layer.driving import ARTIM, NOW, POLICY, Driven, reach
from tests.wire.vectors import MALFORMED, VALID

NOT_THE_FIRST = {
    "M2-050": "a PDU-length that no request can have is refused at once, rather than waited for until ARTIM expires",
    "M6-015": "nobody here answers the C-ECHO before the data set that it has not announced",
    "M6-020": "an A-ABORT of another length is no A-ABORT; either reaction ends the association",
}
"""Vectors whose best reaction is not the one taken, and why; the standard prescribes none of these."""


def request_of_the_answers() -> AssociateRQ:
    """The request that the vectors for Sta5 answer: one context, Verification."""
    request = decode_pdu(bytes.fromhex(VALID["RQ-001"]["hex"]))
    assert isinstance(request, AssociateRQ)
    return request


def place(state: State) -> Driven:
    """A machine in that state, on the side that the vectors are given to."""
    if state is State.STA6:
        assembler = Assembler(None, frozenset((1, 3)))
        driven = reach(state, Side.ACCEPTOR, on_pdv=assembler.pdv)
        driven.machine.on_p_data_end = assembler.end_of_pdu
        return driven
    if state is not State.STA5:
        return reach(state, Side.ACCEPTOR)
    driven = Driven(Side.REQUESTOR)
    driven.machine.request(AssociateRequest(request_of_the_answers()), NOW)
    driven.machine.connected(NOW)
    return driven.forget()


def give(driven: Driven, data: bytes, size: int) -> None:
    """Give the bytes, answering as a service user does that knows nothing of DIMSE."""
    for start in range(0, len(data), size):
        driven.machine.receive(data[start : start + size], NOW)
        for effect in driven.effects():
            driven.told.append(effect)
            if isinstance(effect, AssociateIndication):
                driven.machine.request(AssociateResponse(negotiate(effect.pdu, POLICY)), NOW)
            elif isinstance(effect, ReleaseIndication):
                driven.machine.request(ReleaseResponse(), NOW)


def reaction(driven: Driven) -> Pdu | None:
    """The one PDU that was sent, or None."""
    sent = driven.sent_pdus()
    assert len(sent) <= 1
    return sent[0] if sent else None


def allows(allowed: dict[str, Any], pdu: Pdu | None, driven: Driven) -> bool:
    """Whether that is one of the reactions; a P-DATA-TF can only come from above, so silence has to stand for it."""
    if pdu is None:
        confirmed = AssociateConfirmation in map(type, driven.told)
        return allowed["pdu"] in (None, "P-DATA-TF") or (allowed["pdu"] == "A-RELEASE-RQ" and confirmed)
    if allowed["pdu"] != pdu_name(getattr(pdu, "TYPE", 0)):
        return False
    if isinstance(pdu, Abort):
        reasons = allowed.get("reasons_allowed", [pdu.reason])
        return pdu.source == allowed.get("source", pdu.source) and pdu.reason in reasons
    if isinstance(pdu, AssociateRJ):
        codes = (allowed.get("result", pdu.result), allowed.get("source", pdu.source))
        return (pdu.result, pdu.source) == codes and pdu.reason in allowed.get("reasons_allowed", [pdu.reason])
    if isinstance(pdu, AssociateAC):
        return answers_as_noted(allowed.get("note", ""), pdu)
    return True


def answers_as_noted(note: str, pdu: AssociateAC) -> bool:
    """Whether an acceptance does what the note beside it says."""
    if "rejected" in note and "or" not in note.split():
        return all(context.result for context in pdu.presentation_contexts)
    if note == "without 59H":
        return not any(getattr(item, "TYPE", 0) == 0x59 for item in pdu.user_information)
    return True


@pytest.mark.parametrize("size", [1, 7, 100_000])
@pytest.mark.parametrize("name", MALFORMED)
def test_the_reaction_is_one_that_is_allowed(name: str, size: int) -> None:
    vector = MALFORMED[name]
    if size == 1 and len(vector["hex"]) > 10_000:
        size = 997
    driven = place(State(vector["state"]))
    give(driven, bytes.fromhex(vector["hex"]), size)
    pdu = reaction(driven)
    taken = [number for number, allowed in enumerate(vector["required"]) if allows(allowed, pdu, driven)]
    assert taken, (pdu, vector["required"])
    assert (taken[0] == 0) is (name not in NOT_THE_FIRST), (pdu, vector["required"])
    first = vector["required"][taken[0]]
    if isinstance(pdu, Abort) and "reason_best" in first:
        assert pdu.reason == first["reason_best"]


@pytest.mark.parametrize("name", MALFORMED)
def test_the_connection_ends_as_it_should(name: str) -> None:
    vector = MALFORMED[name]
    driven = place(State(vector["state"]))
    give(driven, bytes.fromhex(vector["hex"]), 100_000)
    pdu = reaction(driven)
    if isinstance(pdu, Abort | AssociateRJ) or driven.state is State.STA13:
        assert driven.state is State.STA13
        assert CloseTransport() not in driven.told
        driven.machine.handle_timer(NOW + ARTIM)
        driven.told += driven.effects()
    closing = [allowed.get("transport", "") for allowed in vector["required"] if allowed["pdu"] is None]
    ended = isinstance(pdu, Abort | AssociateRJ) or any("closed" in words for words in closing)
    assert (driven.told[-1:] == [CloseTransport()]) is (ended or name == "M6-041")


def test_no_vector_is_left_out() -> None:
    vectors = document("vectors/malformed")
    assert len(MALFORMED) == vectors["count"] == 78
    assert {vector["state"] for vector in MALFORMED.values()} == {"Sta2", "Sta5", "Sta6", "Sta13"}


def test_a_reject_with_a_reserved_result_is_a_reject() -> None:
    driven = place(State.STA5)
    give(driven, bytes.fromhex(MALFORMED["M5-012"]["hex"]), 100)
    assert driven.told == [AssociateConfirmation(AssociateRJ(0, 1, 1)), CloseTransport()]

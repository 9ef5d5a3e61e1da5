"""Every byte vector of the oracle against an AE, over the loopback interface, in the role and state it is meant for."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from dicomsim.ae import AE
from dicomsim.presentation import PresentationContext, build_context
from dicomsim.server import Server
from dicomsim.services.storage import StoreTo
from dicomsim.wire.codec import decode_pdu
from dicomsim.wire.pdu import Abort, AssociateAC, AssociateRJ, AssociateRQ, Pdu
from tests.meeting import CT_IMAGE_STORAGE, VERIFICATION, Calls, acceptor, serving
from tests.raw_peers import RELEASE_RP, RELEASE_RQ, RQ_BASE, RawAcceptor, answering, raw_requestor
from tests.upper_layer.test_machine_malformed import answers_as_noted
from tests.wire.vectors import MALFORMED, VALID


def of_state(*states: str) -> list[str]:
    """The malformed vectors for these states."""
    return [name for name, vector in MALFORMED.items() if vector["state"] in states]


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    """An acceptor of Verification and CT Image Storage."""
    ae = acceptor(VERIFICATION, CT_IMAGE_STORAGE, maximum_associations=100, store_to=StoreTo.NOWHERE)
    with serving(ae) as running:
        yield running


def allows(allowed: dict[str, Any], pdus: list[Pdu]) -> bool:
    """Whether what was received is that reaction; what follows it is the answer to our own release."""
    name = allowed["pdu"]
    if name is None:
        return not any(isinstance(pdu, Abort | AssociateRJ | AssociateAC) for pdu in pdus)
    found = next((pdu for pdu in pdus if pdu_name(pdu) == name), None)
    if isinstance(found, Abort):
        return found.source == allowed.get("source", found.source) and found.reason in allowed.get(
            "reasons_allowed", [found.reason]
        )
    if isinstance(found, AssociateRJ):
        codes = found.result == allowed.get("result", found.result), found.source == allowed.get("source", found.source)
        return all(codes) and found.reason in allowed.get("reasons_allowed", [found.reason])
    if isinstance(found, AssociateAC):
        return answers_as_noted(allowed.get("note", ""), found)
    return found is not None


def pdu_name(pdu: Pdu) -> str:
    """As the oracle calls it."""
    return pdu.TYPE.standard_name if hasattr(pdu, "TYPE") else ""


@pytest.mark.parametrize("name", of_state("Sta2", "Sta6", "Sta13"))
def test_an_acceptor_reacts_to_malformed_bytes_in_a_way_that_is_allowed(name: str, server: Server) -> None:
    vector = MALFORMED[name]
    in_sta2 = vector["state"] == "Sta2"
    with raw_requestor(server.address, b"" if in_sta2 else RQ_BASE) as peer:
        if vector["state"] == "Sta13":
            peer.send(RELEASE_RQ)
            assert RELEASE_RP == peer.next()
        peer.send(bytes.fromhex(vector["hex"]))
        if vector["state"] == "Sta6":
            peer.send(RELEASE_RQ)  # ends what goes on, and is nothing to one that has aborted
        peer.stream.half_close()
        pdus = [decode_pdu(raw) for raw in peer.rest()]
    assert any(allows(allowed, pdus) for allowed in vector["required"]), (pdus, vector["required"])


def asking() -> AE:
    """A requestor of the one context that the answers of the oracle are for."""
    ae = AE("DICOMSIM")
    ae.add_requested_context(VERIFICATION, "1.2.840.10008.1.2")
    return ae


@pytest.mark.parametrize("name", of_state("Sta5"))
def test_a_requestor_reacts_to_malformed_bytes_in_a_way_that_is_allowed(name: str) -> None:
    vector = MALFORMED[name]
    with RawAcceptor(answering(bytes.fromhex(vector["hex"]))) as peer:
        association = asking().associate(*peer.address)
        assert not association.is_established or [] == association.accepted_contexts
        association.abort()
    pdus = [decode_pdu(raw) for raw in peer.received]
    assert any(allows(allowed, pdus) for allowed in vector["required"]), (pdus, vector["required"])


@pytest.mark.parametrize("size", [1, 100_000], ids=["byte by byte", "at once"])
@pytest.mark.parametrize("name", [name for name in VALID if name.startswith("RQ-")])
def test_every_valid_request_is_accepted_with_an_answer_for_each_context(name: str, size: int, server: Server) -> None:
    data = bytes.fromhex(VALID[name]["hex"])
    if size == 1 and len(data) > 2000:
        size = 97
    request = decode_pdu(data)
    assert isinstance(request, AssociateRQ)
    with raw_requestor(server.address) as peer:
        for start in range(0, len(data), size):
            peer.send(data[start : start + size])
        answer = decode_pdu(peer.next())
        assert isinstance(answer, AssociateAC)
        peer.send(RELEASE_RQ)
        assert RELEASE_RP == peer.next()
    proposed = [one.context_id for one in request.presentation_contexts]
    assert proposed == [one.context_id for one in answer.presentation_contexts]
    assert (request.called_ae_title, request.calling_ae_title) == (answer.called_ae_title, answer.calling_ae_title)
    assert request.reserved[2] == answer.reserved[2]


ANSWERS = [name for name in VALID if name.startswith(("AC-", "RJ-", "AB-"))]


def asked_for(pdu: Pdu) -> list[PresentationContext]:
    """Contexts for which that can be the answer; one if it is no acceptance."""
    if not isinstance(pdu, AssociateAC):
        return [build_context(VERIFICATION)]
    return [
        PresentationContext(VERIFICATION, one.transfer_syntax or "1.2.840.10008.1.2", one.context_id)
        for one in pdu.presentation_contexts
    ]


@pytest.mark.parametrize("name", ANSWERS)
def test_every_valid_answer_is_understood(name: str) -> None:
    data = bytes.fromhex(VALID[name]["hex"])
    pdu = decode_pdu(data)
    with RawAcceptor(answering(data)) as peer:
        association = asking().associate(*peer.address, contexts=asked_for(pdu))
        if isinstance(pdu, AssociateAC):
            assert association.is_established
            results = {one.context_id: one.result for one in pdu.presentation_contexts}
            contexts = [*association.accepted_contexts, *association.rejected_contexts]
            assert results == {one.context_id: one.result for one in contexts}
        association.abort()
    outcome = association.outcome
    assert outcome is not None
    if isinstance(pdu, AssociateRJ):
        assert (pdu.result, pdu.source, pdu.reason) == outcome.codes and [] == peer.received
    elif isinstance(pdu, Abort):
        assert (pdu.source, pdu.reason) == outcome.codes and [] == peer.received
        assert outcome.state == "Sta5"


def test_the_end_of_an_association_is_told_to_the_acceptors_user_as_well(server: Server) -> None:
    told = Calls()
    server.ae.on_association_aborted = told
    with raw_requestor(server.address, RQ_BASE) as peer:
        peer.send(bytes.fromhex(MALFORMED["M6-011"]["hex"]))
        assert (2, 6) == (peer.next()[8], told.next().provider_reason)
    server.ae.on_association_aborted = None

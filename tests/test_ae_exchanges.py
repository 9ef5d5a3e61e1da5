"""How an AE takes and gives messages, and ends, where no byte vector says it: single requirements, one test each."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from dicomsim.ae import AE
from dicomsim.errors import AssociationError
from dicomsim.server import Server
from dicomsim.wire import items
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.pdu import AssociateAC, PDataTF
from tests.meeting import (
    CT_IMAGE_STORAGE,
    IMPLICIT,
    LIMIT,
    VERIFICATION,
    Calls,
    SilentPeer,
    acceptor,
    meeting,
    requestor,
    serving,
)
from tests.raw_peers import (
    BASE,
    RELEASE_RP,
    RELEASE_RQ,
    RQ_BASE,
    RawAcceptor,
    RawPeer,
    abort_codes,
    acceptance,
    answer_of,
    answering,
    echo,
    raw_requestor,
    types,
)
from tests.wire.vectors import PDU_BYTES


@pytest.fixture
def server() -> Iterator[Server]:
    """An acceptor of Verification and CT Image Storage."""
    with serving(acceptor(VERIFICATION, CT_IMAGE_STORAGE)) as running:
        yield running


# -- answers and their end -------------------------------------------------------------------------------------------


def test_an_answer_for_another_application_context_is_aborted() -> None:
    plain = decode_pdu(acceptance())
    assert isinstance(plain, AssociateAC)
    other = (items.ApplicationContext("1.2.3"), *plain.items[1:])
    with RawAcceptor(answering(acceptance(items=other))) as peer:
        association = requestor().associate(*peer.address)
        assert association.is_aborted
    assert [(0, 0)] == [abort_codes(pdu) for pdu in peer.received]
    assert association.outcome is not None and "1.2.3" in association.outcome.cause


def test_whoever_has_asked_for_release_sends_nothing_more() -> None:
    def silent(peer: RawPeer) -> None:
        answering(acceptance())(peer)

    with RawAcceptor(silent) as peer:
        association = requestor().associate(*peer.address)
        association.timeouts.acse = 0.02
        association.release()
        with pytest.raises(RuntimeError):
            association.send_c_echo()
    assert [5, 7] == types(peer.received)


def test_a_data_set_comes_after_a_release_request_still(server: Server) -> None:
    gate, entered = threading.Event(), threading.Event()

    def slow(context: Any, info: Any) -> int:
        entered.set()
        gate.wait(LIMIT)
        return 0

    server.ae.on_c_echo = slow
    with raw_requestor(server.address, RQ_BASE) as peer:
        peer.send(echo())
        entered.wait(LIMIT)
        peer.send(RELEASE_RQ)
        gate.set()
        assert (1, 0) == answer_of(peer.next())
        assert RELEASE_RP == peer.next()


def test_p_data_behind_a_release_request_is_unexpected() -> None:
    gate = threading.Event()
    ae = acceptor(on_c_echo=lambda context, info: gate.wait(LIMIT) and 0)
    with serving(ae) as server, raw_requestor(server.address, RQ_BASE) as peer:
        peer.send(echo(1) + RELEASE_RQ + echo(2))
        assert (2, 2) == abort_codes(peer.next())
        gate.set()


def test_both_sides_may_send_at_the_same_time() -> None:
    asking, answering_ae = AE("ONE"), AE("OTHER")
    asking.add_requested_context(VERIFICATION, scu_role=True, scp_role=True)
    answering_ae.add_supported_context(VERIFICATION, scu_role=True, scp_role=True)
    asked = asking.on_c_echo = Calls(0)
    accepted = answering_ae.on_association_accepted = Calls()
    with meeting(asking, answering_ae) as association:
        other = accepted.next().association
        results: list[Any] = []
        thread = threading.Thread(target=lambda: results.extend(other.c_echo().status for _ in range(50)))
        thread.start()
        assert [0] * 50 == [association.c_echo().status for _ in range(50)]
        thread.join(LIMIT)
        assert [0] * 50 == results
        assert 2 == len(asked.next())


# -- messages --------------------------------------------------------------------------------------------------------


def test_a_message_id_in_use_is_a_duplicate_invocation() -> None:
    gate, entered = threading.Event(), threading.Event()

    def slow(context: Any, info: Any) -> int:
        entered.set()
        gate.wait(LIMIT)
        return 0

    window = items.AsynchronousOperationsWindow(5, 5)
    information = items.UserInformation((*BASE.user_information, window))
    request = encode_pdu(replace(BASE, items=(*BASE.items[:-1], information)))
    ae = acceptor(on_c_echo=slow, on_async_ops_window=lambda invoked, performed: (invoked, performed))
    with serving(ae) as server, raw_requestor(server.address, request) as peer:
        peer.send(echo(7))
        entered.wait(LIMIT)
        peer.send(echo(7))
        assert (7, 0x0210) == answer_of(peer.next())
        gate.set()
        assert (7, 0x0000) == answer_of(peer.next())


def test_an_echo_on_a_context_that_was_not_accepted_is_aborted(server: Server) -> None:
    with raw_requestor(server.address, RQ_BASE) as peer:
        peer.send(echo(context_id=5))
        assert (2, 6) == abort_codes(peer.next())


def test_many_echoes_are_answered_one_after_the_other(server: Server) -> None:
    with raw_requestor(server.address, RQ_BASE) as peer:
        for number in range(1, 20):
            peer.send(echo(number))
            assert (number, 0) == answer_of(peer.next())


def test_an_acceptor_answers_in_the_context_of_the_request(server: Server) -> None:
    contexts = [
        items.PresentationContextRQ.of(number, VERIFICATION, syntax)
        for number, syntax in ((11, IMPLICIT), (7, "1.2.840.10008.1.2.1"))
    ]
    request = encode_pdu(replace(BASE, items=(BASE.items[0], *contexts, BASE.items[-1])))
    with raw_requestor(server.address, request) as peer:
        for context_id in (7, 11):
            peer.send(echo(context_id=context_id))
            data = decode_pdu(peer.next())
            assert isinstance(data, PDataTF) and [context_id] == [pdv.context_id for pdv in data.pdvs]


def test_a_peer_that_was_accepted_with_nothing_may_still_release(server: Server) -> None:
    nothing = items.PresentationContextRQ.of(1, "1.2.3", IMPLICIT)
    request = encode_pdu(replace(BASE, items=(BASE.items[0], nothing, BASE.items[-1])))
    with raw_requestor(server.address, request) as peer:
        peer.send(RELEASE_RQ)
        assert RELEASE_RP == peer.next()


def test_outstanding_operations_fail_with_an_abort_of_either_side() -> None:
    def aborts(peer: RawPeer) -> None:
        answering(acceptance())(peer)
        peer.next()
        peer.send(PDU_BYTES["AB-200"])

    with RawAcceptor(aborts) as peer:
        association = requestor().associate(*peer.address)
        with pytest.raises(AssociationError, match="aborted by acceptor"):
            association.c_echo()
    with SilentPeer() as silent:
        association = requestor().associate(*silent.address)
        future = association.submit("c_echo")
        association.abort()
        with pytest.raises(AssociationError, match="aborted by requestor"):
            future.result(LIMIT)


def test_connections_are_closed_without_lingering(server: Server) -> None:
    with requestor().associate(*server.address) as association:
        client = association.ae.client_socket
        assert client is not None
        linger = client.getsockopt(socket.SOL_SOCKET, socket.SO_LINGER, 8)
        assert bytes(4) == linger[:4]  # switched off

"""`Session.send_raw`: bytes that the state machine and the rules know nothing of."""

from __future__ import annotations

import queue
from collections.abc import Iterator

import pytest

from dicomsim.ae import AE
from dicomsim.association import VERIFICATION, Association
from dicomsim.behaviour import Behaviour
from dicomsim.errors import AssociationError
from dicomsim.upper_layer.table import State
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import Abort

LIMIT = 10
"""Seconds after which a test gives up."""


@pytest.fixture(params=[None, Behaviour()], ids=["no rules", "rules"])
def association(request: pytest.FixtureRequest) -> Iterator[tuple[Association, queue.Queue[Association]]]:
    """An open association, and where the acceptor's side of it goes when it is aborted."""
    ended: queue.Queue[Association] = queue.Queue()
    acceptor, requestor = AE("ACCEPTOR"), AE("REQUESTOR")
    acceptor.add_supported_context(VERIFICATION)
    acceptor.on_association_aborted = ended.put
    requestor.add_requested_context(VERIFICATION)
    requestor.behaviour = request.param
    with acceptor.start_server(("127.0.0.1", 0)) as server:
        opened = requestor.associate(*server.address)
        yield opened, ended
        opened.abort()


def test_raw_bytes_reach_the_peer_and_leave_our_state_as_it_is(
    association: tuple[Association, queue.Queue[Association]],
) -> None:
    opened, ended = association
    opened.session.take()  # so that the peer's closing is not seen before we look
    opened.session.send_raw(encode_pdu(Abort(2, 6)))
    assert State.STA6 is opened.session.state
    opened.session.give_back()
    outcome = ended.get(timeout=LIMIT).outcome
    assert outcome is not None
    assert (2, 6) == outcome.codes


def test_messages_may_follow_raw_bytes(association: tuple[Association, queue.Queue[Association]]) -> None:
    opened, _ = association
    opened.session.send_raw(b"")
    assert 0 == opened.c_echo().status


def test_nothing_is_sent_without_a_connection(association: tuple[Association, queue.Queue[Association]]) -> None:
    opened, _ = association
    opened.release()
    with pytest.raises(AssociationError):
        opened.session.send_raw(b"\x05")

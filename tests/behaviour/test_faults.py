"""Every fault that is a rule changes something in a conversation that gives it the occasion."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dicomsim.dimse.builders import (
    build,
    c_cancel_rq,
    c_echo_rq,
    c_echo_rsp,
    c_find_rq,
    c_find_rsp,
    c_store_rq,
    c_store_rsp,
)
from dicomsim.dimse.fragmenter import fragment
from dicomsim.dimse.messages import Message
from dicomsim.events import RuleFired, Side
from dicomsim.upper_layer.table import TRANSITIONS
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.command import encode_command
from dicomsim.wire.framer import Framer
from dicomsim.wire.pdu import Abort, AssociateRJ, AssociateRQ, PDataTF, Pdv
from tests.behaviour.sessions import AC, RELEASE_RP, RELEASE_RQ, FakeSession, Peer
from tests.behaviour.test_negotiation import ANSWER, REQUEST, TITLES
from tests.behaviour.test_triggers import STORE_PDUS
from tests.behaviour.test_vocabulary import RULES

CT = "1.2.840.10008.5.1.4.1.1.2"
ECHO = c_echo_rq(7, 1)
STORE = c_store_rq(8, 3, CT, "1.2.3.5", bytes(2_000_000))
FIND = c_find_rq(9, 5, "1.2.840.10008.5.1.4.1.2.2.1", b"query")
MESSAGES: list[Message] = [
    ECHO,
    c_echo_rsp(ECHO),
    STORE,
    c_store_rsp(STORE),
    FIND,
    c_find_rsp(FIND, 0xFF00, b"match"),
    c_find_rsp(FIND),
    c_cancel_rq(9, 5),
    build("N-SET-RQ", 7, b"set", message_id=10, requested_sop_class_uid="1.2", requested_sop_instance_uid="1.2.3"),
]
PLAIN_REQUEST = AssociateRQ(*TITLES, REQUEST.items[:3])
P_DATA = [
    pdu
    for message in MESSAGES
    if message is not STORE
    for pdu in Framer(whole=True).pdus(b"".join(map(bytes, fragment(message, 16384))))
]
STORE_PDU = encode_pdu(PDataTF((Pdv(3, 3, encode_command(STORE.command)), Pdv(3, 2, bytes(100)))))
PDUS = [
    encode_pdu(REQUEST),
    AC,
    encode_pdu(ANSWER),
    encode_pdu(AssociateRJ(1, 1, 1)),
    *P_DATA,
    *STORE_PDUS,
    STORE_PDU,
    RELEASE_RQ,
    RELEASE_RP,
    encode_pdu(Abort()),
]


def conversation(peer: Peer) -> None:
    """Everything that may come to any hop, several times, as time goes by."""
    peer.connected()
    for _ in range(10):
        peer.fake.clock.now += 10
        peer.answer(REQUEST, ANSWER)
        peer.answer(PLAIN_REQUEST, ANSWER)
        hops: list[Callable[[bytes], object]] = [peer.pdu_in, peer.pdu_out, peer.bytes_in, peer.bytes_out]
        for hop in hops:
            for data in (*PDUS, bytes(5000)):
                hop(data)
        for message in MESSAGES:
            peer.message_in(message)
            peer.message_out(message)
        for event, row in TRANSITIONS.items():
            for state, (action, after) in row.items():
                last = after if not isinstance(after, tuple) else after[0]
                peer.moved(event.value, state.value, action.value, last.value)


@pytest.mark.parametrize("fault", RULES)
def test_a_fault_changes_what_passes(fault: str) -> None:
    fired: list[RuleFired] = []
    for side in Side:
        peer = Peer(RULES[fault], session=FakeSession(side))
        peer.fake.observer = lambda event: fired.append(event) if isinstance(event, RuleFired) else None
        conversation(peer)

    assert [] != [event for event in fired if "nothing to change" not in event.hop]

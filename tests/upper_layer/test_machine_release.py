"""Release between two machines, collisions included. PS3.8 §7.2."""

from __future__ import annotations

import pytest

from dicomsim.errors import StateError
from dicomsim.events import Side
from dicomsim.upper_layer.machine import (
    CloseTransport,
    ReleaseConfirmation,
    ReleaseIndication,
    ReleaseRequest,
    ReleaseResponse,
)
from dicomsim.upper_layer.table import TRANSITIONS, Event, State
from dicomsim.wire.codec import encode_pdu
from tests.upper_layer.driving import DATA, NOW, RELEASE_RP, RELEASE_RQ, Driven, reach, whole_pdus


def both() -> dict[Side, Driven]:
    """Two machines with an association between them."""
    return {side: reach(State.STA6, side) for side in Side}


def pump(sides: dict[Side, Driven]) -> list[tuple[Side, bytes]]:
    """Carry bytes until there are none, answering releases; say who sent which PDU."""
    sent: list[tuple[Side, bytes]] = []
    quiet = False
    while not quiet:
        quiet = True
        for side, driven in sides.items():
            for effect in driven.effects():
                driven.told.append(effect)
            if ReleaseIndication in map(type, driven.told) and driven.state in TRANSITIONS[Event.EVT14]:
                driven.machine.request(ReleaseResponse(), NOW)
            for data in whole_pdus(driven.sent()):
                quiet = False
                sent.append((side, data))
                sides[side.other].machine.receive(data, NOW)
    return sent


def test_a_release_collision_goes_as_the_standard_says() -> None:
    sides = both()
    for driven in sides.values():
        driven.machine.request(ReleaseRequest(), NOW)
    crossing = {side: driven.sent() for side, driven in sides.items()}
    for side, driven in sides.items():
        driven.machine.receive(crossing[side.other], NOW)
    assert [driven.state for driven in sides.values()] == [State.STA9, State.STA10]
    requestor, acceptor = sides.values()
    requestor.machine.request(ReleaseResponse(), NOW)
    acceptor.machine.receive(requestor.sent(), NOW)
    assert [driven.state for driven in sides.values()] == [State.STA11, State.STA12]
    assert acceptor.effects() == [ReleaseIndication(collision=True), ReleaseConfirmation()]
    acceptor.machine.request(ReleaseResponse(), NOW)
    requestor.machine.receive(acceptor.sent(), NOW)
    assert [driven.state for driven in sides.values()] == [State.STA1, State.STA13]
    assert requestor.effects() == [ReleaseIndication(collision=True), ReleaseConfirmation(), CloseTransport()]
    acceptor.machine.closed(NOW)
    assert acceptor.effects() == []
    assert [driven.state for driven in sides.values()] == [State.STA1, State.STA1]


def test_users_that_answer_as_soon_as_they_may_get_through_a_collision() -> None:
    sides = both()
    for driven in sides.values():
        driven.machine.request(ReleaseRequest(), NOW)
    assert pump(sides) == [
        (Side.REQUESTOR, RELEASE_RQ),
        (Side.ACCEPTOR, RELEASE_RQ),
        (Side.REQUESTOR, RELEASE_RP),
        (Side.ACCEPTOR, RELEASE_RP),
    ]
    assert [driven.state for driven in sides.values()] == [State.STA1, State.STA13]


def test_the_acceptor_may_not_answer_a_collision_first() -> None:
    driven = reach(State.STA10)
    with pytest.raises(StateError, match=r"^Evt14 has no place in Sta10"):
        driven.machine.request(ReleaseResponse(), NOW)


def test_data_still_flows_to_the_side_that_has_asked_for_release() -> None:
    sides = both()
    sides[Side.REQUESTOR].machine.request(ReleaseRequest(), NOW)
    sides[Side.ACCEPTOR].machine.receive(sides[Side.REQUESTOR].sent(), NOW)
    sides[Side.ACCEPTOR].machine.send_p_data([encode_pdu(DATA)], NOW)
    assert pump(sides) == [(Side.ACCEPTOR, encode_pdu(DATA)), (Side.ACCEPTOR, RELEASE_RP)]
    assert sides[Side.REQUESTOR].pdvs == [(1, 3, b"command!", True)]
    assert sides[Side.REQUESTOR].state is State.STA1

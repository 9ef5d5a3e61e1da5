from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from dicomsim.errors import StateError, WireError, WireFault
from dicomsim.events import Side
from dicomsim.upper_layer.machine import (
    AbortIndication,
    AbortRequest,
    AssociateConfirmation,
    AssociateIndication,
    AssociateRequest,
    AssociateResponse,
    CloseTransport,
    Effect,
    OpenTransport,
    ProviderAbortIndication,
    ReleaseConfirmation,
    ReleaseIndication,
    ReleaseRequest,
    ReleaseResponse,
    UpperLayer,
)
from dicomsim.upper_layer.negotiation import build_request, propose
from dicomsim.upper_layer.table import TRANSITIONS, Action, Event, State
from dicomsim.wire.codec import encode_pdu, pdu_name
from dicomsim.wire.pdu import Abort
from tests.oracle import table
from tests.upper_layer.driving import (
    ANSWER,
    ARTIM,
    DATA,
    NOW,
    PLACES,
    REJECTION,
    RELEASE_RP,
    RELEASE_RQ,
    REQUEST,
    REQUEST_BYTES,
    VERIFICATION,
    Driven,
    reach,
    whole_pdus,
)

LATER = NOW + 5.0
"""When events happen, so that a timer started by them can be told from one that ran before."""

CELLS = {(Event(row["event"]), State(row["state"])): row for row in table("upper_layer_fsm")}
ACTION_ROWS = {Action(row["action"]): row for row in table("upper_layer_actions")}

UNKNOWN_PDU = bytes.fromhex("08000000000400000000")


def receive(data: bytes) -> Callable[[UpperLayer], None]:
    return lambda machine: machine.receive(data, LATER)


def connect(side: Side) -> Callable[[UpperLayer], None]:
    def trigger(machine: UpperLayer) -> None:
        machine.side, side_before = side, machine.side
        machine.connected(LATER)
        machine.side = side_before

    return trigger


def expire(machine: UpperLayer) -> None:
    machine.handle_timer(LATER + ARTIM)


TRIGGERS: dict[Event, Callable[[UpperLayer], None]] = {
    Event.EVT1: lambda machine: machine.request(AssociateRequest(REQUEST), LATER),
    Event.EVT2: connect(Side.REQUESTOR),
    Event.EVT3: receive(encode_pdu(ANSWER)),
    Event.EVT4: receive(encode_pdu(REJECTION)),
    Event.EVT5: connect(Side.ACCEPTOR),
    Event.EVT6: receive(REQUEST_BYTES),
    Event.EVT7: lambda machine: machine.request(AssociateResponse(ANSWER), LATER),
    Event.EVT8: lambda machine: machine.request(AssociateResponse(REJECTION), LATER),
    Event.EVT9: lambda machine: machine.send_p_data([encode_pdu(DATA)], LATER),
    Event.EVT10: receive(encode_pdu(DATA)),
    Event.EVT11: lambda machine: machine.request(ReleaseRequest(), LATER),
    Event.EVT12: receive(RELEASE_RQ),
    Event.EVT13: receive(RELEASE_RP),
    Event.EVT14: lambda machine: machine.request(ReleaseResponse(), LATER),
    Event.EVT15: lambda machine: machine.request(AbortRequest(), LATER),
    Event.EVT16: receive(encode_pdu(Abort())),
    Event.EVT17: lambda machine: machine.closed(LATER),
    Event.EVT18: expire,
    Event.EVT19: receive(UNKNOWN_PDU),
}
"""How each event comes about."""

REFUSED = {row["event"] for row in table("upper_layer_events") if row["kind"] == "local_primitive"} | {"Evt2", "Evt5"}
"""Events made on this side: without a cell they are a mistake of ours, not of the peer's."""

CASES = [
    pytest.param(event, *place, id=f"{event.value}-{place[0].value}-{place[1].value}")
    for event in Event
    for place in PLACES
]

PRIMITIVES: dict[str, type[Effect]] = {
    "A-ASSOCIATE confirmation": AssociateConfirmation,
    "A-ASSOCIATE indication": AssociateIndication,
    "A-RELEASE confirmation": ReleaseConfirmation,
    "A-RELEASE indication": ReleaseIndication,
    "A-ABORT indication": AbortIndication,
    "A-P-ABORT indication": ProviderAbortIndication,
}
TRANSPORT: dict[str, type[Effect]] = {"connect (active open)": OpenTransport, "close": CloseTransport}


def expected_effects(row: dict[str, str]) -> list[type[Effect]]:
    """From the words of the oracle's row for an action."""
    words = row["primitive_issued_to_local_user"]
    told = [kind for name, kind in PRIMITIVES.items() if words.startswith(name)]
    assert bool(told) == (words not in ("", "P-DATA indication"))
    return told + [kind for name, kind in TRANSPORT.items() if row["transport"] == name]


def expected_deadline(row: dict[str, str], before: float | None) -> float | None:
    """From the words of the oracle's row for an action."""
    if row["artim"].startswith("start"):
        return LATER + ARTIM
    return None if row["artim"].startswith("stop") else before


def next_state(row: dict[str, str], side: Side) -> State:
    """A cell with two states has the first for a good request, and for the requestor's side of a collision."""
    states = [State(name) for name in row["next_state"].split("|")]
    return states[-1] if row["action"] == "AR-8" and side is Side.ACCEPTOR else states[0]


@pytest.mark.parametrize(("event", "state", "side"), CASES)
def test_every_cell_does_what_the_standard_says(event: Event, state: State, side: Side) -> None:
    row = CELLS[event, state]
    driven = reach(state, side)
    before = driven.machine.deadline()
    if row["defined"] == "no":
        if event.value in REFUSED:
            with pytest.raises(StateError, match=rf"^{event.value} has no place in {state.value}: PS3.8 Table 9-10$"):
                TRIGGERS[event](driven.machine)
        else:
            TRIGGERS[event](driven.machine)
        assert (driven.steps, driven.state, driven.effects(), driven.sent()) == ([], state, [], b"")
        assert driven.machine.deadline() == before
        return
    TRIGGERS[event](driven.machine)
    action, after = Action(row["action"]), next_state(row, side)
    what = ACTION_ROWS[action]
    assert driven.steps == [(event, state, action, after)]
    assert driven.state is after
    assert driven.machine.deadline() == expected_deadline(what, before)
    assert [type(effect) for effect in driven.effects()] == expected_effects(what)
    sent = [pdu_name(data[0]) for data in whole_pdus(driven.sent())]
    assert sent == ([] if action is Action.AE_6 or not what["pdu_sent"] else [what["pdu_sent"]])


def test_all_247_cells_are_met() -> None:
    assert {(event, state) for event in Event for state, _ in PLACES} == set(CELLS)


@pytest.mark.parametrize(("state", "side"), PLACES)
def test_artim_runs_in_sta2_and_sta13_and_nowhere_else(state: State, side: Side) -> None:
    deadline = reach(state, side).machine.deadline()
    assert deadline == (NOW + ARTIM if state in (State.STA2, State.STA13) else None)


def test_artim_does_nothing_before_its_time() -> None:
    driven = reach(State.STA2)
    driven.machine.handle_timer(NOW + ARTIM - 0.001)
    assert driven.steps == []
    driven.machine.handle_timer(NOW + ARTIM)
    assert [step[:1] for step in driven.steps] == [(Event.EVT18,)]
    assert driven.effects() == [CloseTransport()]


def test_artim_may_be_set_while_an_association_is_under_way() -> None:
    driven = reach(State.STA6)
    driven.machine.artim = 2.5
    driven.machine.request(AbortRequest(), LATER)
    assert driven.machine.deadline() == LATER + 2.5


def test_a_request_of_another_protocol_version_is_rejected_by_the_provider() -> None:
    driven = reach(State.STA2)
    driven.machine.receive(REQUEST_BYTES[:6] + b"\x00\x02" + REQUEST_BYTES[8:], LATER)
    assert [encode_pdu(pdu).hex() for pdu in driven.sent_pdus()] == ["03000000000400010202"]
    assert driven.steps == [(Event.EVT6, State.STA2, Action.AE_6, State.STA13)]
    assert driven.machine.deadline() == LATER + ARTIM
    assert driven.effects() == []


def test_an_abort_says_what_the_primitive_says() -> None:
    driven = reach(State.STA6)
    driven.machine.request(AbortRequest(source=1, reason=255), LATER)
    assert driven.sent_pdus() == [Abort(1, 255)]


@pytest.mark.parametrize(
    ("source", "reason", "effect"),
    [
        (0, 0, AbortIndication(0, 0)),
        (0, 5, AbortIndication(0, 5)),
        (2, 6, ProviderAbortIndication(6, "A-ABORT received from the service provider", None, local=False)),
        (1, 0, ProviderAbortIndication(0, "A-ABORT received from the service provider", None, local=False)),
    ],
)
def test_who_has_aborted_is_told_by_the_source(source: int, reason: int, effect: Effect) -> None:
    driven = reach(State.STA6)
    driven.machine.receive(encode_pdu(Abort(source, reason)), LATER)
    assert driven.effects() == [effect, CloseTransport()]


@pytest.mark.parametrize(
    ("state", "cause"),
    [(State.STA4, "the transport connection was not opened"), (State.STA6, "the transport connection ended")],
)
def test_a_lost_connection_is_a_provider_abort_that_nobody_sent(state: State, cause: str) -> None:
    driven = reach(state)
    driven.machine.connect_failed(LATER)
    assert driven.effects() == [ProviderAbortIndication(0, cause, None, local=False)]


def test_an_unexpected_pdu_is_told_with_its_name_and_state() -> None:
    driven = reach(State.STA6)
    driven.machine.receive(REQUEST_BYTES, LATER)
    assert driven.effects() == [ProviderAbortIndication(2, "A-ASSOCIATE-RQ received in Sta6", None, local=True)]
    assert driven.sent_pdus() == [Abort(2, 2)]
    assert driven.machine.error is None


def test_an_invalid_pdu_is_told_with_its_error() -> None:
    driven = reach(State.STA6)
    driven.machine.receive(UNKNOWN_PDU, LATER)
    error = driven.machine.error
    assert error is not None
    assert error.kind is WireFault.UNRECOGNIZED_PDU
    assert driven.effects() == [ProviderAbortIndication(1, str(error), error, local=True)]
    assert driven.sent_pdus() == [Abort(2, 1)]


def test_bytes_behind_the_end_of_the_framing_are_dropped() -> None:
    driven = reach(State.STA6)
    driven.machine.receive(UNKNOWN_PDU + encode_pdu(Abort()), LATER)
    driven.machine.receive(encode_pdu(Abort()), LATER)
    assert [step[0] for step in driven.steps] == [Event.EVT19]
    assert driven.state is State.STA13


def test_a_whole_pdu_that_is_invalid_does_not_end_the_framing() -> None:
    driven = reach(State.STA6)
    driven.machine.receive(REQUEST_BYTES[:74] + b"\xff" * (len(REQUEST_BYTES) - 74) + encode_pdu(Abort()), LATER)
    assert [step[0] for step in driven.steps] == [Event.EVT19, Event.EVT16]
    assert driven.state is State.STA1


def test_bytes_behind_the_last_pdu_of_a_connection_are_dropped() -> None:
    driven = reach(State.STA7)
    driven.machine.receive(RELEASE_RP + REQUEST_BYTES + UNKNOWN_PDU, LATER)
    driven.machine.receive(UNKNOWN_PDU, LATER)
    assert driven.effects() == [ReleaseConfirmation(), CloseTransport()]
    assert (driven.state, driven.sent()) == (State.STA1, b"")


def test_a_fault_in_sta13_aborts_and_stays() -> None:
    driven = reach(State.STA13)
    driven.machine.receive(UNKNOWN_PDU, LATER)
    assert driven.steps == [(Event.EVT19, State.STA13, Action.AA_7, State.STA13)]
    assert driven.sent_pdus() == [Abort(2, 1)]
    assert driven.machine.deadline() == NOW + ARTIM


def test_a_machine_serves_one_association_after_another() -> None:
    driven = Driven(Side.ACCEPTOR)
    for _ in range(2):
        driven.machine.connected(NOW)
        driven.machine.receive(REQUEST_BYTES, NOW)
        driven.machine.request(AssociateResponse(ANSWER), NOW)
        driven.machine.receive(RELEASE_RQ + RELEASE_RQ[:3], NOW)
        driven.machine.closed(NOW)
    once = [State.STA2, State.STA3, State.STA6, State.STA8, State.STA1]
    assert [step[3] for step in driven.steps] == once * 2


def test_what_a_lost_connection_leaves_unsent_does_not_reach_the_next_one() -> None:
    driven = reach(State.STA6, Side.REQUESTOR)
    driven.machine.request(ReleaseRequest(), NOW)
    driven.machine.closed(NOW)
    driven.machine.request(AssociateRequest(REQUEST), NOW)
    driven.machine.connected(NOW)
    assert driven.sent() == REQUEST_BYTES


def test_a_request_that_has_no_bytes_is_refused_before_the_connection_is_opened() -> None:
    driven = Driven(Side.REQUESTOR)
    contexts = propose([(VERIFICATION, ("1.2.840.10008.1.2",))] * 129)
    with pytest.raises(WireError):
        driven.machine.request(AssociateRequest(build_request("A", "B", contexts)), NOW)
    assert (driven.state, driven.effects()) == (State.STA1, [])


def test_a_table_of_ones_own_is_followed() -> None:
    cells: dict[Event, Any] = {event: dict(row) for event, row in TRANSITIONS.items()}
    cells[Event.EVT12][State.STA2] = (Action.AA_6, State.STA2)
    machine = UpperLayer(Side.ACCEPTOR, table=cells, on_pdv=lambda *_: None)
    machine.connected(NOW)
    machine.receive(RELEASE_RQ, NOW)
    assert machine.state is State.STA2
    assert not machine.wants_to_send


def test_a_transition_may_lead_to_a_primitive() -> None:
    driven = Driven(Side.ACCEPTOR)

    def abort_at_once(event: Event, before: State, action: Action, after: State) -> None:
        driven.steps.append((event, before, action, after))
        if after is State.STA6:
            driven.machine.request(AbortRequest(), NOW)

    driven.machine = UpperLayer(Side.ACCEPTOR, on_pdv=lambda *_: None, on_transition=abort_at_once)
    driven.machine.connected(NOW)
    driven.machine.receive(REQUEST_BYTES, NOW)
    driven.machine.request(AssociateResponse(ANSWER), NOW)
    assert [step[3] for step in driven.steps] == [State.STA2, State.STA3, State.STA6, State.STA13]
    assert driven.sent_pdus() == [ANSWER, Abort(0, 0)]


def test_a_machine_shows_its_side_and_state() -> None:
    assert repr(reach(State.STA10).machine) == "<UpperLayer acceptor Sta10>"

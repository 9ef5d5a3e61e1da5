"""How the peer ends a connection, in every state."""

from __future__ import annotations

from pathlib import Path

import pytest

from dicomsim.dimse.data import FileSink
from dicomsim.events import Side
from dicomsim.upper_layer.table import State
from dicomsim.wire.pdu import Abort
from tests.engine.doubles import (
    ABORT,
    PLACES,
    RELEASE_RQ,
    RQ,
    Reached,
    echo_rq,
    kinds,
    said,
    sent,
    store_rq,
)

HALF_A_PDU = sent(store_rq(bytes(1000)))[:500]


def places(*without: State) -> pytest.MarkDecorator:
    """All places but those in some states."""
    chosen = [place for place in PLACES if place[0] not in without]
    return pytest.mark.parametrize(("state", "side"), chosen, ids=[f"{s.value} {w.value}" for s, w in chosen])


# -- how the peer ends it ----------------------------------------------------------------------------------------------


@places(State.STA13)
@pytest.mark.parametrize("how", ["fin", "reset", "fin amid a PDU", "reset amid a PDU"])
def test_an_end_in_any_state_is_the_end(state: State, side: Side, how: str) -> None:
    there = Reached(state, side)
    if "amid" in how and state in (State.STA6, State.STA7):
        there.hear(HALF_A_PDU)
    elif "amid" in how:
        there.hear(RQ[:7])
    assert state is there.session.state
    there.end.close(reset="reset" in how)
    there.run()
    assert State.STA1 is there.session.state
    assert not there.session.is_open
    assert f"connection {'reset' if 'reset' in how else 'closed'}" == there.user.outcome
    (outcome,) = there.user.outcomes
    assert (state.value, side.other) == (outcome.state, outcome.by)


@pytest.mark.parametrize("side", Side)
@pytest.mark.parametrize("reset", [False, True])
def test_after_the_last_pdu_an_end_is_what_was_waited_for(side: Side, reset: bool) -> None:
    there = Reached(State.STA13, side)
    there.end.close(reset=reset)
    there.run()
    assert not there.session.is_open
    assert "released" == there.user.outcome


@places(State.STA13)
def test_an_abort_in_any_state_is_the_end_and_its_codes_are_told(state: State, side: Side) -> None:
    there = Reached(state, side)
    there.hear(bytes.fromhex("07000000000400000205"))
    assert not there.session.is_open
    assert there.end.is_over and b"" == there.end.read()
    (outcome,) = there.user.outcomes
    assert ("aborted", side.other, (2, 5)) == (str(outcome.how), outcome.by, outcome.codes)
    assert state.value == outcome.state


@places(State.STA2, State.STA13)
def test_garbage_in_any_state_is_answered_with_an_abort(state: State, side: Side) -> None:
    there = Reached(state, side)
    there.hear(b"\xff")
    assert [Abort(2, 1)] == said(there.end)
    assert State.STA13 is there.session.state
    (outcome,) = there.user.outcomes
    assert ("aborted", side, (2, 1)) == (str(outcome.how), outcome.by, outcome.codes)
    assert "type FFH is no PDU" in outcome.cause


def test_a_peer_of_another_protocol_is_aborted_in_sta2_and_that_is_told() -> None:
    there = Reached(State.STA2, Side.ACCEPTOR)
    there.hear(b"GET / HTTP/1.1\r\n\r\n")
    assert [Abort(0, 0)] == said(there.end)
    (outcome,) = there.user.outcomes
    assert ("aborted", Side.ACCEPTOR, "Sta2") == (str(outcome.how), outcome.by, outcome.state)
    assert "type 47H is no PDU" in outcome.cause


@pytest.mark.parametrize(("pdu", "name"), [(RELEASE_RQ, "A-RELEASE-RQ"), (sent(echo_rq()), "P-DATA-TF")])
def test_a_peer_that_begins_with_something_else_is_aborted_and_that_is_told(pdu: bytes, name: str) -> None:
    there = Reached(State.STA2, Side.ACCEPTOR)
    there.hear(pdu)
    assert [Abort(0, 0)] == said(there.end)
    (outcome,) = there.user.outcomes
    assert f"{name} received in Sta2" == outcome.cause


def test_a_peer_of_another_version_is_rejected_and_that_is_told() -> None:
    there = Reached(State.STA2, Side.ACCEPTOR)
    there.hear(RQ[:6] + b"\0\2" + RQ[8:])
    (outcome,) = there.user.outcomes
    assert ("rejected", (1, 2, 2)) == (str(outcome.how), outcome.codes)
    assert ["AssociateRJ"] == kinds(there.end)


def test_a_half_close_of_the_peer_is_an_end() -> None:
    there = Reached(State.STA6, Side.ACCEPTOR)
    there.end.half_close()
    there.run()
    assert there.end.is_over
    assert "connection closed" == there.user.outcome


def test_nothing_is_stored_of_a_data_set_that_breaks_off(tmp_path: Path) -> None:
    there = Reached(State.STA6, Side.ACCEPTOR)
    there.user.on["sink"] = lambda *_: FileSink(tmp_path / "received.dcm")
    there.hear(HALF_A_PDU)
    assert 1 == len(list(tmp_path.iterdir()))
    there.end.close()
    there.run()
    assert [] == list(tmp_path.iterdir())
    assert "request" not in there.user.log


def test_what_was_said_before_an_end_is_heard() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    there.end.write(ABORT)
    there.end.close()
    there.run()
    assert "aborted" == there.user.outcome


def test_what_was_said_before_a_reset_is_heard_by_one_who_only_writes() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    there.end.write(ABORT)
    there.end.close(reset=True)
    session = there.session
    session.take()
    session.post(echo_rq())
    session.flush()
    session.give_back()
    assert "aborted" == there.user.outcome

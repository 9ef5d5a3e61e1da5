"""Whole associations between two sessions: what they say of themselves, and that they end, whatever is done to them."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dicomsim.dimse.builders import respond
from dicomsim.engine.session import Session
from dicomsim.errors import DicomsimError
from dicomsim.events import Side
from dicomsim.outcome import Ending
from dicomsim.upper_layer.primitives import ReleaseRequest
from dicomsim.upper_layer.table import State
from tests.engine.doubles import (
    ABORT,
    MAXIMUM_LENGTH,
    PLACES,
    RELEASE_RP,
    RELEASE_RQ,
    RQ,
    Reached,
    Rules,
    Stage,
    ask,
    at_work,
    echo_rq,
    release,
    request_pdu,
    sent,
    store_rq,
)


def test_its_repr_is_a_status_line() -> None:
    there = Reached(State.STA6, Side.ACCEPTOR)
    number = there.session.association_number
    assert f"<Session {number} acceptor Sta6 127.0.0.1:40000>" == repr(there.session)
    unconnected = Stage().setup().session(Side.REQUESTOR, there.user)
    assert repr(unconnected).endswith(" requestor Sta1 :0>")
    unconnected.target = ("::1", 104)
    assert repr(unconnected).endswith(" requestor Sta1 [::1]:104>")


def test_it_knows_who_is_at_its_ends() -> None:
    stage = Stage()
    here, there = stage.join()
    assert (here.local, here.remote) == (there.remote, there.local)
    assert ("REQUESTOR", "ACCEPTOR") == (there.calling, there.called)
    unconnected = stage.setup().session(Side.REQUESTOR, stage.requestor)
    assert (("", 0), ("", 0), "", "") == (
        unconnected.local, unconnected.remote, unconnected.calling, unconnected.called,
    )  # fmt: skip


def test_every_session_has_a_number_of_its_own() -> None:
    stage = Stage()
    numbers = [session.association_number for _ in range(3) for session in stage.join()]
    assert 6 == len(set(numbers))


def test_what_rules_remember_stays_with_the_association() -> None:
    here, there = Stage().join()
    here.behaviour_state["seen"] = 1
    assert {} == there.behaviour_state
    assert 1 == here.behaviour_state["seen"]


def test_the_first_outcome_counts_and_is_told_once() -> None:
    there = Reached(State.STA6, Side.ACCEPTOR)
    there.hear(b"\xff")
    there.hear(ABORT)
    there.session.take()
    there.session.hang_up(reset=True)
    there.session.abort("again")
    there.session.give_back()
    assert 1 == len(there.user.outcomes)
    assert 1 == there.user.log.count("ended")


def test_what_was_agreed_on_is_kept_to_by_both() -> None:
    stage = Stage()
    here, there = stage.join()
    assert here.agreement is not None and there.agreement is not None
    assert MAXIMUM_LENGTH == here.agreement.peer_maximum_length == there.agreement.peer_maximum_length
    assert (1, 1) == (here.exchange.invoked_window, there.exchange.performed_window)


def test_a_p_data_tf_above_what_was_announced_is_an_abort() -> None:
    there = Reached(State.STA6, Side.ACCEPTOR)
    there.hear(b"\4\0" + (MAXIMUM_LENGTH + 1).to_bytes(4))
    (outcome,) = there.user.outcomes
    assert "above the maximum length announced" in outcome.cause


@pytest.mark.parametrize("aborting", [True, False])
@pytest.mark.parametrize(("state", "side"), PLACES, ids=[f"{s.value} {w.value}" for s, w in PLACES])
def test_it_can_be_ended_in_every_state(state: State, side: Side, aborting: bool) -> None:
    there = Reached(state, side)
    there.session.take()
    if aborting:
        there.session.abort("enough")
    else:
        there.session.hang_up(reset=False)
    there.session.give_back()
    assert 1 == len(there.user.outcomes)
    there.stage.reactor.advance(31)
    assert not there.session.is_open
    assert there.end.is_over


def _own(session: Session, action: Callable[[], None]) -> None:
    session.take()
    try:
        action()
    except DicomsimError:
        pass
    finally:
        session.give_back()


def _release(session: Session) -> None:
    session.request(ReleaseRequest())


DEEDS: dict[str, Callable[[Stage, Session], None]] = {
    "echo": lambda stage, session: _own(session, lambda: session.send(echo_rq(1))),
    "store": lambda stage, session: _own(session, lambda: session.send(store_rq(bytes(3_000), 2))),
    "post": lambda stage, session: _own(session, lambda: session.send(store_rq(bytes(40_000), 3))),
    "answer out of the blue": lambda stage, session: _own(session, lambda: session.send(respond(echo_rq(9)))),
    "release": lambda stage, session: _own(session, lambda: _release(session)),
    "abort": lambda stage, session: _own(session, session.abort),
    "close": lambda stage, session: _own(session, lambda: session.hang_up(reset=False)),
    "reset": lambda stage, session: _own(session, lambda: session.hang_up(reset=True)),
    "half close": lambda stage, session: _own(session, session.half_close),
    "garbage": lambda stage, session: _own(session, lambda: session.send_raw(b"\xff\xff")),
    "second request": lambda stage, session: _own(session, lambda: session.send_raw(RQ)),
    "raw release": lambda stage, session: _own(session, lambda: session.send_raw(RELEASE_RQ)),
    "raw response": lambda stage, session: _own(session, lambda: session.send_raw(RELEASE_RP)),
    "raw message": lambda stage, session: _own(session, lambda: session.send_raw(sent(echo_rq(4)))),
    "half a message": lambda stage, session: _own(session, lambda: session.send_raw(sent(echo_rq(5))[:40])),
    "run": lambda stage, session: stage.reactor.advance(0.0),
    "work": lambda stage, session: setattr(stage.reactor.manual_workers, "busy", False),
    "busy": lambda stage, session: setattr(stage.reactor.manual_workers, "busy", True),
    "time": lambda stage, session: stage.reactor.advance(7.0),
}


@pytest.mark.slow
@given(
    st.lists(st.tuples(st.sampled_from(sorted(DEEDS)), st.booleans()), max_size=10),
    st.booleans(),
    st.booleans(),
    st.sampled_from([None, 9, 1000]),
    st.sampled_from([None, 500]),
)
def test_whatever_two_sessions_do_both_come_to_an_end_that_is_told_once(
    deeds: list[tuple[str, bool]], late: bool, rules: bool, most: int | None, window: int | None
) -> None:
    stage = Stage()
    if late:
        stage.requestor.on["request"] = stage.acceptor.on["request"] = at_work
    setup = stage.setup(Rules() if rules else None, network=100.0)
    sessions = stage.join(setup, setup)
    for session in sessions:
        transport = session.transport
        transport.most_read, transport.most_written, transport.window = most, most, window  # type: ignore[union-attr]
    for deed, which in deeds:
        DEEDS[deed](stage, sessions[which])
    stage.reactor.manual_workers.busy = False
    stage.reactor.advance(1000.0)
    for session, user in zip(sessions, (stage.requestor, stage.acceptor), strict=True):
        assert not session.is_open
        assert 1 == len(user.outcomes) == user.log.count("ended")
        assert session.outcome in user.outcomes
        assert State.STA1 is session.state
        assert 0 == session.serving
    assert not stage.reactor.manual_workers.waiting


@pytest.mark.slow
@given(st.integers(1, 50), st.integers(0, 3), st.booleans())
def test_everything_is_answered_once_and_then_released(count: int, window: int, late: bool) -> None:
    stage = Stage()
    if late:
        stage.acceptor.on["request"] = at_work
    here, _ = stage.join(request=request_pdu((window, window)))
    for number in range(1, count + 1):
        operation = ask(here, store_rq(bytes(number * 2), number))
        assert [0] == [reply.status for reply in operation.replies]
    assert count == len(stage.acceptor.operations)
    assert "released" == release(here)
    stage.reactor.run()
    assert [Ending.RELEASED] == [outcome.how for outcome in stage.acceptor.outcomes]

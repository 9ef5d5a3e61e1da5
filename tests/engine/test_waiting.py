"""Timeouts, each in the state in which it counts, and waiting that others interrupt."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dicomsim.dimse.builders import c_find_rsp
from dicomsim.engine.reactor import Appointment
from dicomsim.errors import TimeLimitError
from dicomsim.events import Event, Side, TimerExpired
from dicomsim.testing import NothingWillHappenError
from dicomsim.upper_layer.table import State
from dicomsim.wire.pdu import Abort, ReleaseRQ
from tests.engine.doubles import (
    AC,
    RELEASE_RQ,
    RQ,
    Reached,
    Stage,
    ask,
    echo_rq,
    find_rq,
    kinds,
    release,
    said,
    sent,
    store_rq,
)

# -- ARTIM, PS3.8 §9.1.5 -----------------------------------------------------------------------------------------------


def test_a_client_that_says_nothing_is_closed_without_an_abort() -> None:
    there = Reached(State.STA2, Side.ACCEPTOR)
    there.stage.reactor.advance(29.9)
    assert there.session.is_open
    there.stage.reactor.advance(0.2)
    assert there.end.is_over and not there.end.was_reset
    assert b"" == there.end.read()
    (outcome,) = there.user.outcomes
    assert ("timed out", "artim", 30.0, "Sta2") == (
        str(outcome.how), outcome.timeout, outcome.timeout_seconds, outcome.state,
    )  # fmt: skip
    assert "artim timeout of 30 s" in str(outcome.error())
    assert 5 == outcome.error().exit_code


def test_a_request_that_comes_byte_by_byte_does_not_put_it_off() -> None:
    there = Reached(State.STA2, Side.ACCEPTOR)
    for byte in RQ[:31]:
        there.end.write(bytes((byte,)))
        there.stage.reactor.advance(1.0)
    assert not there.session.is_open
    assert "timed out" == there.user.outcome


def test_half_a_request_does_not_stop_it() -> None:
    there = Reached(State.STA2, Side.ACCEPTOR)
    there.hear(RQ[:-1])
    there.stage.reactor.advance(30.1)
    assert not there.session.is_open


def test_a_whole_request_stops_it() -> None:
    there = Reached(State.STA2, Side.ACCEPTOR)
    there.hear(RQ)
    there.stage.reactor.advance(1000.0)
    assert State.STA6 is there.session.state


@pytest.mark.parametrize("side", Side)
def test_a_peer_that_does_not_close_after_the_last_pdu_is_closed(side: Side) -> None:
    there = Reached(State.STA13, side)
    for _ in range(29):
        there.stage.reactor.advance(1.0)
        there.hear(sent(echo_rq()))  # ignored, and no reason to wait any longer
    assert there.session.is_open
    there.stage.reactor.advance(1.1)
    assert not there.session.is_open
    assert "released" == there.user.outcome


def test_a_peer_that_reads_nothing_is_closed_although_the_abort_is_not_out() -> None:
    there = Reached(State.STA6, Side.ACCEPTOR)
    there.end.window = 3
    there.hear(b"\xff")
    there.stage.reactor.advance(30.1)
    assert not there.session.is_open
    assert b"\x07\0\0" == there.end.read()


# -- acse --------------------------------------------------------------------------------------------------------------


def test_an_acceptor_that_is_mute_is_aborted() -> None:
    stage = Stage()
    session, end = stage.open(answer=b"")
    assert [Abort(0, 0)] == said(end)
    assert session.outcome is not None
    assert ("acse", 60.0, "Sta5") == (session.outcome.timeout, session.outcome.timeout_seconds, session.outcome.state)
    assert "acse timeout of 60 s" in str(session.outcome.error())
    assert State.STA13 is session.state
    stage.reactor.advance(30.1)
    assert not session.is_open


def test_an_answer_that_comes_byte_by_byte_does_not_put_it_off() -> None:
    there = Reached(State.STA5, Side.REQUESTOR)
    for byte in AC[:61]:
        there.end.write(bytes((byte,)))
        there.stage.reactor.advance(1.0)
    assert "timed out" == there.user.outcome
    assert [Abort(0, 0)] == said(there.end)


@pytest.mark.parametrize(
    ("state", "side"),
    [(State.STA5, Side.REQUESTOR), (State.STA7, Side.REQUESTOR), (State.STA7, Side.ACCEPTOR),
     (State.STA10, Side.ACCEPTOR), (State.STA11, Side.REQUESTOR)],
)  # fmt: skip
def test_an_answer_that_never_comes_is_not_waited_for_although_nobody_waits(state: State, side: Side) -> None:
    there = Reached(state, side)
    there.stage.reactor.advance(59.0)
    assert state is there.session.state
    there.stage.reactor.advance(2.0)
    assert ["Abort"] == kinds(there.end)
    (outcome,) = there.user.outcomes
    assert ("acse", state.value) == (outcome.timeout, outcome.state)


def test_a_release_that_is_ignored_ends_in_an_abort() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    assert "timed out" == release(there.session)
    assert [ReleaseRQ(), Abort(0, 0)] == said(there.end)


def test_data_after_the_release_request_does_not_put_its_answer_off() -> None:
    there = Reached(State.STA7, Side.REQUESTOR)
    for number in range(1, 7):
        there.hear(sent(echo_rq(number)))
        there.stage.reactor.advance(10.0)
    assert "timed out" == there.user.outcome


def test_without_a_limit_the_answer_is_waited_for() -> None:
    stage = Stage()
    with pytest.raises(NothingWillHappenError):
        stage.open(stage.setup(acse=None), answer=b"")


# -- dimse -------------------------------------------------------------------------------------------------------------


def test_an_answer_that_does_not_come_ends_in_an_abort_and_the_caller_is_not_kept_longer() -> None:
    stage = Stage()
    events: list[Event] = []
    there = Reached(State.STA6, Side.REQUESTOR, stage, stage.setup(dimse=5.0, observer=events.append))
    before = stage.reactor.clock.monotonic()
    operation = ask(there.session, echo_rq())
    assert 5.0 == pytest.approx(stage.reactor.clock.monotonic() - before, abs=0.01)
    assert not operation.final
    assert ["PDataTF", "Abort"] == kinds(there.end)
    error = there.session.outcome.error()  # type: ignore[union-attr]
    assert isinstance(error, TimeLimitError)
    assert "dimse timeout of 5 s" in str(error)
    assert [("dimse", 5.0)] == [(event.name, event.seconds) for event in events if isinstance(event, TimerExpired)]


def test_each_pending_answer_gives_the_next_one_its_time() -> None:
    stage = Stage()
    there = Reached(State.STA6, Side.REQUESTOR, stage, stage.setup(dimse=5.0))
    request = find_rq()
    session = there.session
    session.take()
    operation = session.exchange.invoke(request, 0)
    for _ in range(4):
        there.end.write(sent(c_find_rsp(request, 0xFF00, b"12345678")))
        stage.reactor.fake_clock.advance(4.0)
    there.end.write(sent(c_find_rsp(request, 0x0000)))
    session.call(request, lambda: operation.final)
    session.give_back()
    assert 5 == len(operation.replies)


def test_a_large_request_has_all_the_time_that_the_peer_takes_to_take_it() -> None:
    stage = Stage()
    there = Reached(State.STA6, Side.REQUESTOR, stage, stage.setup(dimse=5.0))
    there.end.window = 1000

    taken = bytearray()

    def read_slowly(now: float) -> None:
        taken.extend(there.end.read())
        stage.reactor.schedule(reader, now + 4.0)

    reader = Ticking(read_slowly)
    stage.reactor.schedule(reader, stage.reactor.clock.monotonic() + 4.0)
    ask(there.session, store_rq(bytes(20_000)))
    assert len(taken) > 20_000
    assert there.session.outcome is not None and "dimse" == there.session.outcome.timeout


class Ticking:
    """Something that wants to be called now and then."""

    def __init__(self, call: Callable[[float], None]) -> None:
        self.appointment: Appointment | None = None
        self._call = call

    def fileno(self) -> int:
        return -1

    def ready(self) -> None:
        raise AssertionError

    def due(self, now: float) -> None:
        self._call(now)


# -- send --------------------------------------------------------------------------------------------------------------


def test_a_peer_that_takes_nothing_is_reset() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    there.end.window = 10
    with pytest.raises(TimeLimitError, match="send timeout of 60 s"):
        there.session.send(echo_rq())
    assert there.end.was_reset
    assert "timed out" == there.user.outcome


def test_bytes_from_a_peer_that_takes_nothing_do_not_put_it_off() -> None:
    there = Reached(State.STA6, Side.ACCEPTOR)
    there.end.window = 10
    there.hear(sent(echo_rq(1)))
    for number in range(2, 32):
        there.stage.reactor.advance(2.1)
        there.end.write(sent(store_rq(b"12", number))[:20] if number == 2 else b"")
    assert there.end.was_reset
    (outcome,) = there.user.outcomes
    assert "send" == outcome.timeout


def test_a_byte_taken_begins_it_anew() -> None:
    there = Reached(State.STA6, Side.ACCEPTOR)
    there.end.window = 10
    there.hear(sent(echo_rq(1)))
    for _ in range(3):
        there.stage.reactor.advance(50.0)
        there.end.read(1)
        there.run()
    assert there.session.is_open
    there.stage.reactor.advance(60.1)
    assert there.end.was_reset


def test_without_anything_to_send_it_does_not_run() -> None:
    there = Reached(State.STA6, Side.ACCEPTOR)
    there.end.window = 0
    there.stage.reactor.advance(1000.0)
    assert there.session.is_open


# -- network -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("side", Side)
def test_an_association_that_nobody_uses_is_aborted(side: Side) -> None:
    stage = Stage()
    there = Reached(State.STA6, side, stage, stage.setup(network=10.0))
    stage.reactor.advance(9.9)
    assert there.session.outcome is None
    stage.reactor.advance(0.2)
    assert ["Abort"] == kinds(there.end)
    (outcome,) = there.user.outcomes
    assert ("network", 10.0) == (outcome.timeout, outcome.timeout_seconds)


def test_every_byte_begins_it_anew() -> None:
    stage = Stage()
    there = Reached(State.STA6, Side.ACCEPTOR, stage, stage.setup(network=10.0))
    for byte in sent(echo_rq()):
        there.hear(bytes((byte,)))
        stage.reactor.advance(9.0)
    assert there.session.outcome is None
    assert ["PDataTF"] == kinds(there.end)


def test_a_message_that_is_never_completed_ends_in_it() -> None:
    stage = Stage()
    there = Reached(State.STA6, Side.ACCEPTOR, stage, stage.setup(network=10.0))
    there.hear(sent(echo_rq())[:20])
    stage.reactor.advance(10.1)
    assert "timed out" == there.user.outcome


def test_a_handler_at_work_is_no_silence_of_the_peer() -> None:
    stage = Stage()
    there = Reached(State.STA6, Side.ACCEPTOR, stage, stage.setup(network=10.0))
    there.later("request")
    there.hear(sent(echo_rq()))
    stage.reactor.advance(100.0)
    assert there.session.outcome is None
    stage.reactor.manual_workers.busy = False
    there.run()
    assert ["PDataTF"] == kinds(there.end)
    stage.reactor.advance(10.1)
    assert "timed out" == there.user.outcome


@pytest.mark.parametrize("state", [State.STA2, State.STA3])
def test_it_does_not_run_before_there_is_an_association(state: State) -> None:
    stage = Stage()
    there = Reached(state, Side.ACCEPTOR, stage, stage.setup(network=1.0))
    stage.reactor.advance(29.0)
    assert there.session.outcome is None


# -- changes -----------------------------------------------------------------------------------------------------------


def test_a_timeout_that_is_set_counts_for_associations_that_are_open() -> None:
    stage = Stage()
    setup = stage.setup()
    there = Reached(State.STA6, Side.ACCEPTOR, stage, setup)
    stage.reactor.advance(100.0)
    setup.timeouts.network = 10.0
    there.session.timeout_changed("network", 10.0)
    there.run()
    assert "timed out" == there.user.outcome


def test_artim_is_taken_as_it_is_set_when_it_begins() -> None:
    there = Reached(State.STA6, Side.ACCEPTOR)
    there.session.timeout_changed("artim", 5.0)
    there.hear(RELEASE_RQ)
    there.stage.reactor.advance(5.1)
    assert not there.session.is_open

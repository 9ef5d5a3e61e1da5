"""Waiting in sessions that rules stall, and waiting for what ends meanwhile."""

from __future__ import annotations

import pytest

from dicomsim.dimse.builders import respond
from dicomsim.engine.hops import Pass, PassMessage, Stall, StopReading, Wait
from dicomsim.errors import AssociationError
from dicomsim.events import Side
from dicomsim.upper_layer.primitives import ReleaseRequest
from dicomsim.upper_layer.table import State
from tests.engine.doubles import (
    ABORT,
    RELEASE_RP,
    RELEASE_RQ,
    Reached,
    Rules,
    Stage,
    ask,
    echo,
    echo_rq,
    kinds,
    sent,
)

# -- rules that stall --------------------------------------------------------------------------------------------------


def test_a_stalled_session_keeps_no_sender_and_a_caller_only_for_its_timeout() -> None:
    stage = Stage()
    rules = Rules(message_out=lambda session, message: (Stall(),))
    there = Reached(State.STA6, Side.REQUESTOR, stage, stage.setup(rules, dimse=5.0))
    there.session.send(echo_rq(1))
    assert b"" == there.end.read()
    operation = ask(there.session, echo_rq(2))
    assert not operation.final
    assert there.session.outcome is not None and "dimse" == there.session.outcome.timeout
    stage.reactor.advance(30.1)
    assert not there.session.is_open


def test_a_session_that_reads_nothing_keeps_a_caller_only_for_its_timeout() -> None:
    stage = Stage()
    rules = Rules(message_out=lambda session, message: (StopReading(), PassMessage(message)))
    there = Reached(State.STA6, Side.REQUESTOR, stage, stage.setup(rules, dimse=5.0))
    there.end.write(ABORT)
    operation = ask(there.session, echo_rq(2))
    assert not operation.final
    assert there.session.outcome is not None and "dimse" == there.session.outcome.timeout


def test_a_session_that_reads_nothing_notices_a_reset_and_nothing_else() -> None:
    stage = Stage()
    rules = Rules(transition=lambda session, moved: (StopReading(),) if moved[3] == "Sta6" else ())
    there = Reached(State.STA6, Side.ACCEPTOR, stage, stage.setup(rules))
    there.hear(RELEASE_RQ)
    assert State.STA6 is there.session.state
    there.end.close(reset=True)
    there.run()
    assert "connection reset" == there.user.outcome


def test_a_delay_of_ours_is_no_delay_of_the_peer() -> None:
    stage = Stage()
    rules = Rules(pdu_out=lambda session, data: (Wait(20.0), Pass(data)))
    here, _ = stage.join(stage.setup(rules, dimse=5.0))
    assert 0 == echo(here)


# -- ends while somebody waits -----------------------------------------------------------------------------------------


def test_whoever_waits_for_an_answer_comes_back_when_the_association_ends() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    there.end.write(ABORT)
    operation = ask(there.session, echo_rq())
    assert not operation.final
    with pytest.raises(AssociationError, match="aborted by acceptor in Sta6"):
        there.session.send(echo_rq(2))


def test_the_answer_that_comes_with_the_end_is_an_answer() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    there.end.write(sent(respond(echo_rq(1))) + ABORT)
    there.end.close()
    assert 0 == echo(there.session)


def test_an_association_that_is_over_can_be_waited_for_until_it_is_closed() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    session = there.session
    session.take()
    session.abort()
    session.pump_until(lambda: False, "closing", 10.0)
    assert session.is_open
    session.pump_until(lambda: False)
    session.give_back()
    assert not session.is_open


def test_a_release_in_a_collision_is_over_with_the_second_answer() -> None:
    there = Reached(State.STA7, Side.REQUESTOR)
    there.hear(RELEASE_RQ)
    assert ["ReleaseRP"] == kinds(there.end)
    assert [] == there.user.outcomes
    there.hear(RELEASE_RP)
    (outcome,) = there.user.outcomes
    assert ("released", Side.REQUESTOR, "Sta11") == (str(outcome.how), outcome.by, outcome.state)
    assert there.end.is_over


def test_an_acceptor_in_a_collision_answers_second() -> None:
    there = Reached(State.STA7, Side.ACCEPTOR)
    there.hear(RELEASE_RQ)
    assert [] == kinds(there.end)
    assert State.STA10 is there.session.state
    there.hear(RELEASE_RP)
    assert ["ReleaseRP"] == kinds(there.end)
    (outcome,) = there.user.outcomes
    assert ("released", Side.REQUESTOR, "Sta12") == (str(outcome.how), outcome.by, outcome.state)


def test_two_sessions_that_release_at_once_are_both_released() -> None:
    stage = Stage()
    here, there = stage.join()
    for session in (here, there):
        session.take()
        session.request(ReleaseRequest())
    for session in (here, there):
        session.give_back()
    stage.reactor.run()
    assert ("released", "released") == (stage.requestor.outcome, stage.acceptor.outcome)
    assert not here.is_open and not there.is_open

"""Service users that fail, abort, or use their own association, in every call that they get."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from dicomsim.dimse.builders import respond
from dicomsim.dimse.exchange import Operation
from dicomsim.engine.handler import Handler, Job
from dicomsim.engine.session import Session
from dicomsim.errors import AssociationError, StateError
from dicomsim.events import Event, Transition
from dicomsim.upper_layer.table import State
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import Abort, AssociateRJ, ReleaseRP, ReleaseRQ
from tests.engine.doubles import (
    RQ,
    Live,
    Stage,
    User,
    ask,
    at_work,
    echo,
    echo_rq,
    find_rq,
    kinds,
    release,
    request_pdu,
    said,
    sent,
    store_rq,
)


def fail(*_: Any) -> None:
    raise ZeroDivisionError


def abort(session: Session, *_: Any) -> None:
    session.abort("the user has had enough")


@pytest.fixture
def stage(caplog: pytest.LogCaptureFixture) -> Stage:
    caplog.set_level(logging.CRITICAL, "dicomsim")
    return Stage()


def test_the_double_is_a_handler() -> None:
    handler: Handler = User()
    assert handler is not None


# -- handlers that raise -----------------------------------------------------------------------------------------------


def test_one_who_fails_at_the_connection_gets_it_closed(stage: Stage) -> None:
    stage.acceptor.on["connected"] = fail
    end, session = stage.accept(established=False)
    assert end.is_over and not end.was_reset
    assert not session.is_open
    assert "aborted" == stage.acceptor.outcome


def test_one_who_fails_to_decide_rejects(stage: Stage) -> None:
    stage.acceptor.on["associate"] = fail
    end, _ = stage.accept(established=False)
    end.write(RQ)
    stage.reactor.run()
    assert [AssociateRJ(2, 3, 1)] == said(end)
    assert "rejected" == stage.acceptor.outcome


def test_one_who_fails_to_decide_in_a_job_rejects(stage: Stage) -> None:
    stage.acceptor.on["associate"] = lambda *_: fail
    end, _ = stage.accept(established=False)
    end.write(RQ)
    stage.reactor.run()
    assert [AssociateRJ(2, 3, 1)] == said(end)


def test_one_who_fails_at_the_beginning_aborts(stage: Stage) -> None:
    stage.acceptor.on["established"] = fail
    end, _ = stage.accept(established=False)
    end.write(RQ)
    stage.reactor.run()
    assert ["AssociateAC", "Abort"] == kinds(end)
    assert "aborted" == stage.acceptor.outcome


def test_a_requestor_who_fails_at_the_beginning_aborts(stage: Stage) -> None:
    stage.requestor.on["established"] = fail
    _, end = stage.open()
    assert [Abort(0, 0)] == said(end)
    assert "aborted" == stage.requestor.outcome


@pytest.mark.parametrize("late", [False, True], ids=["inline", "in a job"])
def test_one_who_fails_at_a_request_answers_with_a_failure_and_goes_on(stage: Stage, late: bool) -> None:
    session, _ = stage.join()
    stage.acceptor.on["request"] = (lambda *_: fail) if late else fail
    assert 0x0110 == echo(session)
    del stage.acceptor.on["request"]
    assert 0x0000 == echo(session)


@pytest.mark.parametrize("late", [False, True], ids=["inline", "in a job"])
def test_one_who_fails_after_having_answered_has_answered(stage: Stage, late: bool) -> None:
    def answer_and_fail(session: Session, operation: Operation) -> Job | None:
        def job() -> None:
            session.send_reply(operation, respond(operation.request, 0xB000))
            raise ZeroDivisionError

        if late:
            return job
        job()
        return None

    session, _ = stage.join()
    stage.acceptor.on["request"] = answer_and_fail
    assert 0xB000 == echo(session)
    del stage.acceptor.on["request"]
    assert 0x0000 == echo(session)
    assert "released" == release(session)


def test_one_who_cannot_take_a_data_set_is_asked_all_the_same(stage: Stage) -> None:
    session, _ = stage.join()
    stage.acceptor.on["sink"] = fail
    ask(session, store_rq(b"12345678"))
    (operation,) = stage.acceptor.operations
    assert isinstance(operation.request.sink_error, ZeroDivisionError)
    assert 0x0000 == echo(session)


def test_one_who_fails_at_a_cancel_is_still_asked_for_the_answer(stage: Stage) -> None:
    session, _ = stage.join()
    stage.acceptor.on["cancelled"] = fail
    stage.acceptor.on["request"] = at_work
    stage.reactor.manual_workers.busy = True
    session.take()
    request = find_rq()
    operation = session.exchange.invoke(request, 0)
    session.send(request)
    session.send(session.exchange.cancel(operation))
    session.give_back()
    stage.reactor.run()
    assert "cancelled" in stage.acceptor.log
    stage.reactor.manual_workers.busy = False
    session.await_more(lambda: operation.final)
    assert [0x0000] == [reply.status for reply in operation.replies]


def test_one_who_fails_at_the_end_changes_nothing(stage: Stage) -> None:
    session, _ = stage.join()
    stage.acceptor.on["ended"] = stage.requestor.on["ended"] = fail
    assert "released" == release(session)
    stage.reactor.run()
    assert not session.is_open


# -- handlers that abort -----------------------------------------------------------------------------------------------


def test_one_who_aborts_at_the_connection_closes_it(stage: Stage) -> None:
    stage.acceptor.on["connected"] = abort
    end, session = stage.accept(established=False)
    assert end.is_over
    assert [] == said(end)
    assert "aborted" == stage.acceptor.outcome
    assert not session.is_open


def test_a_requestor_who_aborts_at_the_connection_says_nothing(stage: Stage) -> None:
    stage.requestor.on["connected"] = abort
    here, _ = stage.join()
    assert "aborted" == stage.requestor.outcome
    assert State.STA1 is here.state


def test_one_who_aborts_instead_of_deciding_does_not_answer(stage: Stage) -> None:
    stage.acceptor.on["associate"] = abort
    end, _ = stage.accept(established=False)
    end.write(RQ)
    stage.reactor.run()
    assert [Abort(0, 0)] == said(end)


@pytest.mark.parametrize("name", ["established", "request"])
def test_one_who_aborts_is_not_asked_for_anything_more(stage: Stage, name: str) -> None:
    stage.acceptor.on[name] = abort
    end, _ = stage.accept(established=False)
    end.write(RQ + sent(echo_rq(1)) + sent(echo_rq(2)))
    stage.reactor.run()
    # With the requests behind the A-ASSOCIATE-RQ the peer has gone too far: nothing may be sent before the answer.
    assert "Abort" == kinds(end)[-1]


def test_one_who_aborts_amid_requests_gets_no_more_of_them(stage: Stage) -> None:
    end, _ = stage.accept()
    stage.acceptor.on["request"] = abort
    end.write(sent(echo_rq(1)) + sent(echo_rq(2)) + sent(echo_rq(3)))
    stage.reactor.run()
    assert ["Abort"] == kinds(end)
    assert 1 == stage.acceptor.log.count("request")


def test_one_who_aborts_at_a_cancel_or_at_the_end_does_no_harm(stage: Stage) -> None:
    stage.acceptor.on["ended"] = abort
    end, _ = stage.accept()
    end.write(encode_pdu(ReleaseRQ()))
    stage.reactor.run()
    assert [ReleaseRP()] == said(end)
    assert "released" == stage.acceptor.outcome


def test_a_job_that_aborts_sends_no_answer(stage: Stage) -> None:
    def job_for(session: Session, operation: Operation) -> Job:
        def job() -> None:
            session.take()
            session.abort()
            session.give_back()
            with pytest.raises(AssociationError, match="aborted by acceptor"):
                session.send_reply(operation, respond(operation.request))

        return job

    session, _ = stage.join()
    stage.acceptor.on["request"] = job_for
    assert echo(session) is None
    assert "aborted" == stage.requestor.outcome


# -- handlers that use their association -------------------------------------------------------------------------------


def asking_back(times: int) -> Callable[[Session, Operation], Job]:
    """Makes jobs that ask the peer for as many echoes before they answer."""

    def job_for(session: Session, operation: Operation) -> Job:
        def job() -> None:
            statuses = {echo(session) for _ in range(times)}
            session.send_reply(operation, respond(operation.request, 0xB000 if statuses == {0} else 0x0110))

        return job

    return job_for


@pytest.mark.parametrize("late", [False, True], ids=["inline", "by jobs of whoever waits"])
def test_a_job_may_ask_the_peer_something_before_it_answers(late: bool) -> None:
    with Live() as live:
        live.acceptor.on["request"] = asking_back(20)
        if late:
            live.requestor.on["request"] = at_work
        session = live.open()
        assert 0xB000 == echo(session)
        assert 20 == len(live.requestor.operations)


def test_asking_back_and_forth_ends_well() -> None:
    with Live() as live:
        depth = 5

        def deeper(session: Session, operation: Operation) -> Job:
            message_id = operation.message_id

            def job() -> None:
                status = 0 if message_id >= depth else echo_of(session, message_id + 1)
                session.send_reply(operation, respond(operation.request, 0xB000 if status in (0, 0xB000) else 0x0110))

            return job

        live.acceptor.on["request"] = live.requestor.on["request"] = deeper
        session = live.open(request_pdu((0, 0)))
        assert 0xB000 == echo_of(session, 1)


def echo_of(session: Session, message_id: int) -> int | None:
    return ask(session, echo_rq(message_id)).replies[0].status


def test_asking_from_the_beginning_of_an_association_is_possible(stage: Stage) -> None:
    stage.requestor.on["established"] = lambda session: statuses.append(echo(session))
    statuses: list[int | None] = []
    session, _ = stage.join()
    assert [0x0000] == statuses
    assert "released" == release(session)


def test_waiting_in_the_midst_of_the_state_machine_is_refused(stage: Stage) -> None:
    refused: list[StateError] = []

    def wait(event: Event) -> None:
        if isinstance(event, Transition) and event.action == "AE-3":
            with pytest.raises(StateError) as caught:
                echo(session_of[0])
            refused.append(caught.value)

    session_of: list[Session] = []
    stage.requestor.on["connected"] = session_of.append
    session, _ = stage.join(stage.setup(observer=wait))
    (error,) = refused
    assert "cannot wait" in str(error)
    assert State.STA6 is session.state

"""What follows from what was received: associations, requests in windows, cancels, releases, wrong answers."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import pytest

from dicomsim.dimse.builders import build, c_cancel_rq, c_find_rsp, respond
from dicomsim.dimse.exchange import Operation
from dicomsim.dimse.messages import Message
from dicomsim.engine.handler import Job
from dicomsim.engine.session import BACKLOG_LIMIT, Session
from dicomsim.errors import AssociationError, WireError
from dicomsim.events import Side
from dicomsim.status import Status
from dicomsim.upper_layer.negotiation import negotiate
from dicomsim.upper_layer.primitives import ReleaseRequest
from dicomsim.upper_layer.table import State
from dicomsim.wire.codec import decode_pdu, encode_pdu
from dicomsim.wire.pdu import Abort, AssociateRJ
from tests.engine.doubles import (
    ABORT,
    AC,
    ECHO,
    FIND,
    POLICY,
    RELEASE_RP,
    RELEASE_RQ,
    RQ,
    VERIFICATION,
    Reached,
    Rules,
    Stage,
    ask,
    at_work,
    echo_rq,
    find_rq,
    kinds,
    messages,
    pdus,
    request_pdu,
    said,
    sent,
    store_rq,
)


def acceptor(window: tuple[int, int] | None = None) -> Reached:
    """An acceptor's session in Sta6 whose peer may have that many requests outstanding."""
    stage = Stage()
    there = Reached(State.STA2, Side.ACCEPTOR, stage)
    there.hear(encode_pdu(request_pdu(window)))
    there.end.read()
    return there


def answered(there: Reached) -> list[tuple[int | None, int | None]]:
    """Message ID and status of each answer that the peer has got."""
    return [(one.message_id_being_responded_to, one.status) for one in messages(there.end.read())]


# -- handlers that would leave the program -----------------------------------------------------------------------------


LEAVING = [SystemExit(3), pytest.fail.Exception("not what was expected")]
"""Raised by `sys.exit` and `pytest.fail`, and no `Exception`."""


def leaves(leaving: BaseException) -> Callable[..., Any]:
    def leave(*_: object) -> Any:
        raise leaving

    return leave


@pytest.mark.parametrize("leaving", LEAVING, ids=repr)
@pytest.mark.parametrize("later", [False, True])
def test_a_decision_that_would_leave_the_program_is_a_rejection(leaving: BaseException, later: bool) -> None:
    there = Reached(State.STA2, Side.ACCEPTOR)
    there.user.on["associate"] = (lambda *_: leaves(leaving)) if later else leaves(leaving)
    there.hear(RQ)
    assert ["AssociateRJ"] == kinds(there.end)


@pytest.mark.parametrize("leaving", LEAVING, ids=repr)
@pytest.mark.parametrize("later", [False, True])
def test_an_answer_that_would_leave_the_program_is_a_failure(leaving: BaseException, later: bool) -> None:
    there = acceptor()
    there.user.on["request"] = (lambda *_: leaves(leaving)) if later else leaves(leaving)
    there.hear(sent(echo_rq(5)))
    assert [(5, Status.PROCESSING_FAILURE)] == answered(there)
    del there.user.on["request"]
    there.hear(sent(echo_rq(6)))
    assert [(6, Status.SUCCESS)] == answered(there)


@pytest.mark.parametrize("leaving", LEAVING, ids=repr)
def test_a_beginning_that_would_leave_the_program_is_an_abort(leaving: BaseException) -> None:
    there = Reached(State.STA2, Side.ACCEPTOR)
    there.user.on["established"] = leaves(leaving)
    there.hear(RQ)
    assert ["AssociateAC", "Abort"] == kinds(there.end)


@pytest.mark.parametrize("leaving", [RuntimeError("a mistake"), *LEAVING], ids=repr)
@pytest.mark.parametrize("hop", ["pdu_in", "message_in", "message_out", "pdu_out", "bytes_out"])
def test_a_rule_that_raises_leaves_nobody_waiting(leaving: BaseException, hop: str) -> None:
    stage, rules = Stage(), Rules()
    end, session = stage.accept(stage.setup(rules))
    rules.on[hop] = leaves(leaving)
    end.write(sent(echo_rq()))
    stage.reactor.run()
    assert end.is_over or ABORT == end.read()
    assert session.outcome is not None
    other, _ = stage.accept()
    other.write(sent(echo_rq()))
    stage.reactor.run()
    assert [Status.SUCCESS] == [one.status for one in messages(other.read())]


# -- association requests ----------------------------------------------------------------------------------------------


def test_an_answer_that_comes_later_is_an_answer() -> None:
    there = Reached(State.STA3, Side.ACCEPTOR)
    there.session.answer(AssociateRJ(1, 1, 3))
    assert [AssociateRJ(1, 1, 3)] == said(there.end)
    assert "rejected" == there.user.outcome
    there.session.answer(AssociateRJ(1, 1, 7))
    assert [] == said(there.end)


def test_an_answer_to_one_who_has_aborted_meanwhile_is_not_sent() -> None:
    there = Reached(State.STA3, Side.ACCEPTOR)
    there.hear(ABORT)
    there.session.answer(decode_pdu(AC))  # type: ignore[arg-type]
    assert [] == said(there.end)
    assert "aborted" == there.user.outcome


def test_a_request_with_something_behind_it_is_not_decided_on() -> None:
    there = Reached(State.STA2, Side.ACCEPTOR)
    there.hear(RQ + RELEASE_RQ)
    assert [Abort(2, 2)] == said(there.end)
    assert "associate" not in there.user.log
    assert "aborted" == there.user.outcome


def test_an_answer_that_has_no_bytes_is_an_abort() -> None:
    there = Reached(State.STA3, Side.ACCEPTOR)
    with pytest.raises(WireError, match="does not fit"):
        there.session.answer(AssociateRJ(999, 1, 1))
    assert ["Abort"] == kinds(there.end)


# -- requests ----------------------------------------------------------------------------------------------------------


def test_what_needs_no_user_code_is_answered_at_once() -> None:
    there = acceptor()
    there.hear(sent(echo_rq(1)) + sent(store_rq(b"1234", 2)) + sent(echo_rq(3)))
    assert [(1, 0), (2, 0), (3, 0)] == answered(there)
    assert 0 == len(there.stage.reactor.manual_workers.waiting)


def test_within_the_window_requests_are_served_at_once_and_answered_in_any_order() -> None:
    there = acceptor((2, 2))
    there.later("request")
    there.hear(sent(echo_rq(1)) + sent(echo_rq(2)) + sent(echo_rq(3)))
    jobs = there.stage.reactor.manual_workers.waiting
    assert 2 == len(jobs)
    jobs.pop()()
    assert [(2, 0)] == answered(there)
    assert [1, 3] == [operation.message_id for operation in there.session.exchange.performed.values()]
    assert 2 == len(jobs)
    while jobs:
        jobs.popleft()()
    assert [(1, 0), (3, 0)] == answered(there)


def test_beyond_the_window_requests_wait_and_a_peer_that_goes_on_is_not_read() -> None:
    there = acceptor()
    there.later("request")
    flood = b"".join(sent(echo_rq(number)) for number in range(1, 200))
    transport: Any = there.session.transport
    transport.most_read = 300
    there.hear(flood)
    assert 1 == len(there.stage.reactor.manual_workers.waiting)
    assert BACKLOG_LIMIT <= len(there.session.backlog) < BACKLOG_LIMIT + 5
    assert transport.is_ready(1)
    there.stage.reactor.manual_workers.busy = False
    there.run()
    assert list(range(1, 200)) == [number for number, _ in answered(there)]
    assert [] == there.session.backlog


def test_thousands_of_requests_in_one_read_are_answered_one_by_one() -> None:
    there = acceptor()
    there.later("request")
    count = 2000
    there.hear(b"".join(sent(echo_rq(number)) for number in range(1, count + 1)))

    def inline_from_now_on(session: Session, operation: Operation) -> None:
        session.reply(operation, respond(operation.request))

    there.user.on["request"] = inline_from_now_on
    there.stage.reactor.manual_workers.busy = False
    there.run()
    assert list(range(1, count + 1)) == [number for number, _ in answered(there)]


def test_a_request_with_an_id_in_use_is_refused_and_the_first_is_served() -> None:
    there = acceptor((0, 0))
    there.later("request")
    there.hear(sent(echo_rq(5)) + sent(find_rq(5)))
    assert [(5, 0x0210)] == answered(there)
    there.stage.reactor.manual_workers.busy = False
    there.run()
    assert [(5, 0)] == answered(there)


def test_a_message_id_may_be_used_again_after_the_answer() -> None:
    there = acceptor()
    there.hear(sent(echo_rq(5)) + sent(echo_rq(5)))
    assert [(5, 0), (5, 0)] == answered(there)


@pytest.mark.parametrize("at_once", [True, False], ids=["in one read", "in two"])
def test_a_request_behind_which_the_peer_aborts_is_served_although_nobody_hears_the_answer(at_once: bool) -> None:
    there = acceptor()
    there.user.on["request"] = at_work
    there.stage.reactor.manual_workers.busy = True
    there.hear(sent(echo_rq(1)) + ABORT if at_once else sent(echo_rq(1)))
    there.hear(b"" if at_once else ABORT)
    there.stage.reactor.manual_workers.busy = False
    there.run()
    assert 1 == there.user.log.count("request")
    assert "aborted" == there.user.outcome
    assert there.end.is_over and [] == answered(there)


def test_a_request_that_comes_while_the_answer_to_a_release_is_awaited_cannot_be_answered(
    caplog: pytest.LogCaptureFixture,
) -> None:
    there = Reached(State.STA7, Side.ACCEPTOR)
    with caplog.at_level(logging.INFO, "dicomsim"):
        there.hear(sent(echo_rq(1)))
    assert "C-ECHO-RQ was not answered: nothing can be sent in Sta7" in caplog.text
    there.hear(RELEASE_RP)
    assert "released" == there.user.outcome


def test_a_duplicate_that_comes_then_is_ignored() -> None:
    there = Reached(State.STA6, Side.ACCEPTOR)
    there.later("request")
    there.hear(sent(echo_rq(1)))
    there.ask(ReleaseRequest())
    there.hear(sent(echo_rq(1)))
    assert State.STA7 is there.session.state


# -- an abort while a handler works ------------------------------------------------------------------------------------


@pytest.mark.parametrize("end", ["abort", "fin", "reset", "garbage"])
def test_a_handler_whose_association_is_over_is_told_so_with_the_outcome(end: str) -> None:
    there = acceptor((0, 0))
    caught: list[AssociationError] = []

    def job_for(session: Session, operation: Operation) -> Job:
        def job() -> None:
            with pytest.raises(AssociationError) as error:
                session.send_reply(operation, respond(operation.request))
            caught.append(error.value)

        return job

    there.user.on["request"] = job_for
    there.stage.reactor.manual_workers.busy = True
    there.hear(sent(echo_rq(1)) + sent(echo_rq(2)))
    if end == "abort":
        there.end.write(ABORT)
    elif end == "garbage":
        there.end.write(b"\xff")
    else:
        there.end.close(reset=end == "reset")
    there.run()
    (outcome,) = there.user.outcomes
    there.stage.reactor.manual_workers.busy = False
    there.run()
    assert [str(outcome)] * 2 == list(map(str, caught))
    assert [4, 4] == [error.exit_code for error in caught]
    assert 0 == there.session.serving


@pytest.mark.parametrize("at_once", [True, False], ids=["in one read", "in two"])
def test_nobody_is_asked_for_requests_that_waited_for_an_association_that_is_over(at_once: bool) -> None:
    there = acceptor()
    there.later("request")
    there.hear(sent(echo_rq(1)) + sent(echo_rq(2)) + (ABORT if at_once else b""))
    there.hear(b"" if at_once else ABORT)
    there.stage.reactor.manual_workers.busy = False
    there.run()
    assert 1 == there.user.log.count("request")
    assert 0 == there.session.serving


# -- releases ----------------------------------------------------------------------------------------------------------


def test_a_release_waits_for_what_is_served_and_for_what_waits() -> None:
    there = acceptor()
    there.later("request")
    there.hear(sent(echo_rq(1)) + sent(echo_rq(2)) + RELEASE_RQ)
    assert [] == kinds(there.end)
    assert [] == there.user.outcomes
    there.stage.reactor.manual_workers.busy = False
    there.run()
    data = there.end.read()
    assert ["PDataTF", "PDataTF", "ReleaseRP"] == [type(decode_pdu(pdu)).__name__ for pdu in pdus(data)]
    (outcome,) = there.user.outcomes
    assert ("released", Side.REQUESTOR, "Sta8") == (str(outcome.how), outcome.by, outcome.state)


def test_a_release_with_nothing_to_wait_for_is_answered_at_once() -> None:
    there = acceptor()
    there.hear(sent(echo_rq(1)) + RELEASE_RQ)
    assert ["PDataTF", "ReleaseRP"] == kinds(there.end)


def test_a_requestor_answers_the_release_of_the_acceptor() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    there.hear(RELEASE_RQ)
    assert ["ReleaseRP"] == kinds(there.end)
    (outcome,) = there.user.outcomes
    assert ("released", Side.ACCEPTOR) == (str(outcome.how), outcome.by)


def test_a_second_release_request_is_an_abort() -> None:
    there = Reached(State.STA8, Side.ACCEPTOR)
    there.hear(RELEASE_RQ)
    assert [Abort(2, 2)] == said(there.end)


# -- cancels -----------------------------------------------------------------------------------------------------------


def test_a_cancel_is_told_while_the_handler_works() -> None:
    there = acceptor()
    seen: list[bool] = []

    def job_for(session: Session, operation: Operation) -> Job:
        def job() -> None:
            session.send_reply(operation, c_find_rsp(operation.request, 0xFF00, b"1234"))
            seen.append(operation.cancelled)
            there.end.write(sent(c_cancel_rq(9, FIND)))
            while not operation.cancelled:  # seen at one of the answers, however busy this thread is
                session.send_reply(operation, c_find_rsp(operation.request, 0xFF00, b"1234"))
                there.stage.reactor.turn(0)
            session.send_reply(operation, c_find_rsp(operation.request, 0xFE00))

        return job

    there.user.on["request"] = job_for
    there.hear(sent(find_rq(9)))
    assert [False] == seen
    assert ["request", "cancelled"] == there.user.log[-2:]
    assert (9, 0xFE00) == answered(there)[-1]


def test_a_cancel_for_nothing_is_ignored() -> None:
    there = acceptor()
    there.hear(sent(c_cancel_rq(9, FIND)) + sent(echo_rq(1)))
    assert "cancelled" not in there.user.log
    assert [(1, 0)] == answered(there)


def test_a_cancel_for_what_waits_is_seen_when_its_turn_comes() -> None:
    there = acceptor()
    there.later("request")
    there.hear(sent(find_rq(1)) + sent(find_rq(2)) + sent(c_cancel_rq(2, FIND)))
    there.stage.reactor.manual_workers.busy = False
    there.run()
    assert [False, True] == [operation.cancelled for operation in there.user.operations]


# -- answers -----------------------------------------------------------------------------------------------------------


def test_an_answer_to_nothing_is_ignored() -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    there.hear(sent(respond(echo_rq(77))))
    assert State.STA6 is there.session.state


@pytest.mark.parametrize(
    "answer",
    [
        build("C-STORE-RSP", ECHO, message_id_being_responded_to=1, status=0, affected_sop_class_uid=VERIFICATION,
              affected_sop_instance_uid="1.2"),
        build("C-ECHO-RSP", FIND, message_id_being_responded_to=1, status=0, affected_sop_class_uid=VERIFICATION),
    ],
    ids=["of another service", "on another context"],
)  # fmt: skip
def test_an_answer_of_another_kind_is_an_abort_that_says_why(answer: Message) -> None:
    there = Reached(State.STA6, Side.REQUESTOR)
    there.end.write(sent(answer))
    operation = ask(there.session, echo_rq(1))
    assert not operation.replies
    assert ["PDataTF", "Abort"] == kinds(there.end)
    (outcome,) = there.user.outcomes
    assert "is no answer to C-ECHO-RQ, id 1" in outcome.cause
    assert outcome.by is Side.REQUESTOR


def test_answers_are_given_to_whoever_asked_in_any_order() -> None:
    stage = Stage()
    there = Reached(State.STA5, Side.REQUESTOR, stage)
    there.session.request_pdu = request_pdu((0, 0))
    there.hear(encode_pdu(negotiate(request_pdu((0, 0)), POLICY)))
    session = there.session
    session.take()
    requests = [echo_rq(1), echo_rq(2)]
    operations = [session.exchange.invoke(request, 0) for request in requests]
    for request in requests:
        session.send(request)
    there.end.write(sent(respond(requests[1], 0x0122)) + sent(respond(requests[0])))
    session.await_more(lambda: all(operation.final for operation in operations))
    session.give_back()
    assert [0, 0x0122] == [operation.replies[0].status for operation in operations]

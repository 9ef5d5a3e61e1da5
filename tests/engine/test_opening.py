"""How sessions begin, and all the ways in which they do not."""

from __future__ import annotations

import gc
import os
import queue
import socket
import threading
import weakref
from dataclasses import replace
from functools import partial

import pytest

from dicomsim.dimse.builders import c_find_rsp, respond
from dicomsim.dimse.exchange import Operation
from dicomsim.engine.handler import Job
from dicomsim.engine.opening import accepted_session, open_association
from dicomsim.engine.session import Session
from dicomsim.engine.transport import connect
from dicomsim.errors import ConnectError, DicomsimError, TimeLimitError, WireError
from dicomsim.events import ConnectionOpened, ConnectionRefused, Ended, Event, Side, TimerExpired
from dicomsim.outcome import Outcome
from dicomsim.testing import memory_pair
from dicomsim.upper_layer.table import State
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import Abort, AssociateRJ
from tests.engine.doubles import (
    ABORT,
    AC,
    LONG,
    RELEASE_RQ,
    REQUEST,
    Live,
    Stage,
    ask,
    at_work,
    echo,
    echo_rq,
    find_rq,
    release,
    request_pdu,
    said,
)

TARGET = ("192.0.2.1", 104)


def opened_with(stage: Stage, error: Exception, events: list[Event] | None = None) -> Session:
    """The session of an attempt to connect that fails."""

    def fail() -> None:
        raise error

    setup = stage.setup(observer=None if events is None else events.append)
    return open_association(setup, stage.requestor, REQUEST, TARGET, fail)  # type: ignore[arg-type]


# -- no connection -----------------------------------------------------------------------------------------------------


def test_a_refused_connection_is_an_outcome_and_no_exception() -> None:
    stage, events = Stage(), list[Event]()
    error = ConnectError("192.0.2.1:104: connection refused")
    error.__cause__ = ConnectionRefusedError()
    session = opened_with(stage, error, events)
    assert "connection refused" == stage.requestor.outcome
    assert session.outcome is not None
    assert ("Sta4", "192.0.2.1:104") == (session.outcome.state, session.outcome.meaning)
    assert [ConnectionRefused, Ended] == [type(event) for event in events if not hasattr(event, "action")]
    assert 4 == session.outcome.error().exit_code
    assert TARGET == session.remote


def test_a_cause_does_not_say_again_where_it_was() -> None:
    stage = Stage()
    with socket.create_server(("::1", 0), family=socket.AF_INET6) as taken:
        target = taken.getsockname()[:2]
    connecting = partial(connect, target[0], target[1], LONG)
    session = open_association(stage.setup(), stage.requestor, REQUEST, target, connecting)
    assert session.outcome is not None
    assert session.outcome.cause.startswith("connection refused; ")


def test_any_other_failure_to_connect_is_told_from_a_refusal() -> None:
    stage = Stage()
    opened_with(stage, ConnectError("192.0.2.1:104: unknown host"))
    assert "connection failed" == stage.requestor.outcome


def test_no_connection_in_time_is_the_connect_timeout() -> None:
    stage, events = Stage(), list[Event]()
    session = opened_with(stage, TimeLimitError("192.0.2.1:104: no connection within connect timeout of 30 s"), events)
    assert session.outcome is not None
    assert ("connect", 30.0) == (session.outcome.timeout, session.outcome.timeout_seconds)
    assert [("connect", 30.0)] == [(event.name, event.seconds) for event in events if isinstance(event, TimerExpired)]


def test_a_request_that_has_no_bytes_is_refused_before_anything_is_connected() -> None:
    stage = Stage()
    here, there = memory_pair(stage.reactor)
    broken = replace(REQUEST, protocol_version=1 << 20)
    with pytest.raises(WireError):
        open_association(stage.setup(), stage.requestor, broken, TARGET, lambda: here)
    assert b"" == there.read() and not there.is_over


# -- no association ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("answer", "how", "codes"),
    [
        (encode_pdu(AssociateRJ(1, 1, 7)), "rejected", (1, 1, 7)),
        (encode_pdu(AssociateRJ(0, 9, 200)), "rejected", (0, 9, 200)),
        (ABORT, "aborted", (0, 0)),
        (encode_pdu(Abort(2, 6)), "aborted", (2, 6)),
        (RELEASE_RQ, "aborted", (2, 2)),
        (b"220 mail.example ESMTP\r\n", "aborted", (2, 1)),
    ],
    ids=["reject", "reserved reject", "abort", "provider abort", "release", "banner"],
)  # fmt: skip
def test_every_answer_but_an_acceptance_is_an_outcome(answer: bytes, how: str, codes: tuple[int, ...]) -> None:
    stage = Stage()
    session, _ = stage.open(answer=answer)
    (outcome,) = stage.requestor.outcomes
    assert (how, codes, "Sta5") == (str(outcome.how), outcome.codes, outcome.state)
    assert session.outcome is outcome
    stage.reactor.advance(31)
    assert not session.is_open


@pytest.mark.parametrize("amid", [False, True])
@pytest.mark.parametrize("reset", [False, True])
def test_an_end_instead_of_an_answer_is_an_outcome(amid: bool, reset: bool) -> None:
    stage = Stage()
    here, there = memory_pair(stage.reactor)
    there.write(AC[:50] if amid else b"")
    there.close(reset=reset)
    session = open_association(stage.setup(), stage.requestor, REQUEST, there.local, lambda: here)
    assert f"connection {'reset' if reset else 'closed'}" == stage.requestor.outcome
    assert not session.is_open


def test_an_acceptance_makes_it_open() -> None:
    stage = Stage()
    session, _ = stage.open()
    assert session.outcome is None and session.agreement is not None
    assert State.STA6 is session.state
    assert ("REQUESTOR", "ACCEPTOR") == (session.calling, session.called)
    assert [1, 3, 5] == list(session.agreement.accepted)


def test_what_interrupts_the_opening_leaves_nothing_behind() -> None:
    stage = Stage()
    here, there = memory_pair(stage.reactor)
    sessions: list[Session] = []

    def interrupt(session: Session) -> None:
        sessions.append(session)
        raise KeyboardInterrupt

    stage.requestor.on["established"] = interrupt
    there.write(AC)
    with pytest.raises(KeyboardInterrupt):
        open_association(stage.setup(), stage.requestor, REQUEST, there.local, lambda: here)
    there.read(len(encode_pdu(REQUEST)))
    assert [Abort(0, 0)] == said(there)
    stage.reactor.advance(31)
    assert not sessions[0].is_open


# -- acceptors ---------------------------------------------------------------------------------------------------------


def test_a_peer_that_has_gone_already_is_no_session() -> None:
    stage = Stage()
    here, there = socket.socketpair()
    here.close()
    assert accepted_session(stage.setup(), stage.acceptor, here, ("127.0.0.1", 1)) is None
    there.close()


def test_an_acceptor_is_told_of_the_connection_before_anything_else() -> None:
    stage, events = Stage(), list[Event]()
    _, session = stage.accept(stage.setup(observer=events.append))
    opened = events[0]
    assert isinstance(opened, ConnectionOpened)
    assert (Side.ACCEPTOR, session.remote) == (opened.side, opened.remote)
    assert ["connected", "associate", "established"] == stage.acceptor.log


# -- over loopback -----------------------------------------------------------------------------------------------------


def test_associations_over_loopback_come_and_go() -> None:
    with Live() as live:
        for _ in range(3):
            session = live.open()
            assert 0 == echo(session)
            assert "released" == release(session)


def test_answers_of_workers_and_of_the_reactor_arrive_alike() -> None:
    with Live() as live:
        session = live.open()
        for work in (False, True):
            if work:
                live.acceptor.on["request"] = at_work
            assert {0} == {echo(session) for _ in range(20)}


def test_several_threads_may_ask_over_one_association_at_once() -> None:
    with Live() as live:
        live.acceptor.on["request"] = at_work
        session = live.open(request_pdu((0, 0)))
        results: queue.Queue[int | None] = queue.Queue()
        barrier = threading.Barrier(4)

        def work(number: int) -> None:
            barrier.wait(LONG)
            for turn in range(25):
                results.put(ask(session, echo_rq(1 + number * 100 + turn)).replies[0].status)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
        assert [0] * 100 == [results.get(timeout=LONG) for _ in range(100)]


def test_the_peer_may_ask_while_several_threads_do() -> None:
    with Live() as live:
        live.acceptor.on["request"] = live.requestor.on["request"] = at_work
        session = live.open(request_pdu((0, 0)))
        accepted = live.accepted[0]
        results: queue.Queue[int | None] = queue.Queue()

        def work(which: Session, number: int) -> None:
            for turn in range(25):
                results.put(ask(which, echo_rq(1 + number * 100 + turn)).replies[0].status)

        threads = [
            threading.Thread(target=work, args=(which, number))
            for number, which in enumerate((session, accepted, session, accepted))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
        assert [0] * 100 == [results.get(timeout=LONG) for _ in range(100)]


def test_a_cancel_reaches_a_handler_that_never_pauses() -> None:
    with Live() as live:

        def endless(session: Session, operation: Operation) -> Job:
            def job() -> None:
                while not operation.cancelled:
                    session.send_reply(operation, c_find_rsp(operation.request, 0xFF00, b"12345678"))
                session.send_reply(operation, c_find_rsp(operation.request, 0xFE00))

            return job

        live.acceptor.on["request"] = endless
        session = live.open()
        request = find_rq()
        session.take()
        operation = session.exchange.invoke(request, 0)
        session.call(request, lambda: len(operation.replies) > 3)
        session.send(session.exchange.cancel(operation))
        session.await_more(lambda: operation.final)
        session.give_back()
        assert 0xFE00 == operation.replies[-1].status


def test_associations_that_are_killed_from_both_sides_at_any_time_leave_nothing_behind() -> None:
    with Live() as live:
        live.acceptor.on["request"] = at_work
        barrier = threading.Barrier(4)

        def work(number: int) -> None:
            barrier.wait(LONG)
            for turn in range(30):
                session = live.open()
                try:
                    for message_id in range(1, 1 + (turn + number) % 4):
                        ask(session, echo_rq(message_id))
                    own = (session, live.accepted[-1])[turn % 2]
                    own.take()
                    try:
                        (own.abort, partial(own.hang_up, reset=True), partial(own.hang_up, reset=False))[turn % 3]()
                    finally:
                        own.give_back()
                except DicomsimError:
                    pass  # another thread has ended it

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(LONG)
            assert not thread.is_alive()
        assert 0 == echo(live.open(request_pdu((0, 0))))
        for session in live.accepted[:-1]:
            session.take()
            session.abort()
            session.pump_until(lambda: False, "closing", LONG)
            session.give_back()
        assert len(live.accepted) == len(live.acceptor.outcomes) + 1


def test_an_abort_from_another_thread_ends_a_callers_wait() -> None:
    with Live() as live:
        entered = threading.Event()
        live.acceptor.on["request"] = lambda *_: entered.set  # an answer never comes
        session = live.open()
        outcomes: queue.Queue[Outcome | None] = queue.Queue()

        def call() -> None:
            ask(session, echo_rq())
            outcomes.put(session.outcome)

        thread = threading.Thread(target=call)
        thread.start()
        assert entered.wait(LONG)
        session.take()
        session.abort()
        session.give_back()
        outcome = outcomes.get(timeout=LONG)
        thread.join(LONG)
        assert outcome is not None and "aborted" == str(outcome.how)


def test_a_handler_that_was_at_work_can_answer_while_a_caller_waits() -> None:
    # The acceptor is asked something, and asks something itself which the peer answers only after its own answer.
    with Live() as live:
        asked, answered = threading.Event(), threading.Event()

        def slowly(session: Session, operation: object) -> object:
            def job() -> None:
                asked.set()
                assert may_answer.wait(LONG)
                session.send_reply(operation, respond(operation.request))  # type: ignore[arg-type, attr-defined]
                answered.set()

            return job

        def after_that(session: Session, operation: object) -> object:
            def job() -> None:
                may_answer.set()
                assert answered.wait(LONG)
                session.send_reply(operation, respond(operation.request))  # type: ignore[arg-type, attr-defined]

            return job

        may_answer = threading.Event()
        live.acceptor.on["request"] = slowly
        live.requestor.on["request"] = after_that
        session = live.open()
        caller = threading.Thread(target=lambda: ask(session, echo_rq()))
        caller.start()
        assert asked.wait(LONG)
        assert 0 == echo(live.accepted[0])
        caller.join(LONG)
        assert not caller.is_alive()


# -- nothing is left ---------------------------------------------------------------------------------------------------


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


def others() -> list[str]:
    """All threads but those that wait for work."""
    return sorted(thread.name for thread in threading.enumerate() if thread.name != "dicomsim worker")


def test_no_descriptor_and_no_thread_is_left_behind() -> None:
    with Live() as live:
        assert 0 == echo(live.open())  # what this thread waits with stays
    before = descriptors(), others()
    with Live() as live:
        live.acceptor.on["request"] = at_work
        for end in range(12):
            session = live.open()
            assert 0 == echo(session)
            if end % 3 == 0:
                release(session)
            else:
                session.take()
                session.hang_up(reset=end % 3 == 1)
                session.give_back()
    assert before == (descriptors(), others())


def test_no_descriptor_is_left_behind_where_nobody_listens() -> None:
    with Live() as live:
        address = live.address
    before = descriptors()
    stage = Stage()
    for _ in range(5):
        open_association(stage.setup(), stage.requestor, REQUEST, address, lambda: connect(*address, LONG))
    assert before == descriptors()
    assert ["connection refused"] * 5 == [str(outcome.how) for outcome in stage.requestor.outcomes]


def test_nothing_refers_to_a_session_that_is_over() -> None:
    with Live() as live:
        live.acceptor.on["connected"] = lambda session: None
        session = live.open()
        live._opened.clear()
        echo(session)
        release(session)
        live.requestor.operations.clear()
        gone = weakref.ref(session.upper)  # which refers to it, and to which it refers
        session.take()
        session.pump_until(lambda: False)
        session.give_back()
        del session
        gc.collect()
        assert gone() is None

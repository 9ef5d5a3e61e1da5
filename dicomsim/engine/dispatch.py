"""What follows from what was received: effects of the state machine and DIMSE messages, each in one table.

All functions are called by the session's owner, right after bytes, a timer or a primitive went into the upper layer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING, Any

from dicomsim import events, outcome
from dicomsim.dimse.builders import respond
from dicomsim.dimse.exchange import Arrival, Operation
from dicomsim.dimse.messages import Message
from dicomsim.engine.waiting import Task
from dicomsim.errors import AssociationError
from dicomsim.events import Side
from dicomsim.status import Status
from dicomsim.upper_layer import rejections
from dicomsim.upper_layer.agreement import conclude
from dicomsim.upper_layer.primitives import (
    AbortIndication,
    AssociateConfirmation,
    AssociateIndication,
    AssociateResponse,
    CloseTransport,
    Effect,
    OpenTransport,
    ProviderAbortIndication,
    ReleaseConfirmation,
    ReleaseIndication,
    ReleaseResponse,
)
from dicomsim.upper_layer.table import TRANSITIONS, Event, State
from dicomsim.wire.codec import pdu_name
from dicomsim.wire.pdu import AssociateAC, AssociateRJ, PduType

if TYPE_CHECKING:
    from dicomsim.engine.handler import Job
    from dicomsim.engine.session import Session

LOGGER = logging.getLogger("dicomsim")

SENDING = frozenset(TRANSITIONS[Event.EVT9])
"""States in which messages may be sent. PS3.8 Table 9-10."""

_RELEASE_ANSWERABLE = frozenset((State.STA8, State.STA9, State.STA12))


def tell(session: Session, callback: Callable[..., object], *values: object) -> bool:
    """Call what the handler has for an occasion; what it raises is logged. Whether it went well."""
    try:
        callback(session, *values)
    except KeyboardInterrupt:  # Ctrl-C is the caller's
        raise
    except BaseException:  # user code
        LOGGER.exception("%r: the handler failed", session)
        return False
    return True


def effects(session: Session) -> None:
    """Carry out what the state machine asks for, until it asks for nothing more."""
    while pending := session.upper.effects():
        carry_out(session, pending)
    if session.outcome is None and session.state is State.STA13:
        session.finish(_turned_away(session))


def carry_out(session: Session, pending: list[Effect]) -> None:
    """Carry out what the state machine has asked for."""
    for effect in pending:
        _EFFECTS[type(effect)](session, effect)


def _turned_away(session: Session) -> outcome.Outcome:
    """How it ended with the first PDU: of that the state machine tells nobody. PS3.8 Table 9-10, Sta2."""
    circumstances = session.circumstances(State.STA2)
    first, error = session.first_bytes, session.upper.error
    if error is None and first[:1] == bytes((PduType.A_ASSOCIATE_RQ,)):
        return outcome.rejected(rejections.PROTOCOL_VERSION, **circumstances)
    if error is None and first[:1] == bytes((PduType.A_ABORT,)):
        return outcome.aborted(session.side.other, *first[8:10], **circumstances)
    cause = error or (f"{pdu_name(first[0])} received in Sta2" if first else "")
    return outcome.aborted(session.side, 0, 0, cause=cause, **circumstances)


def _associate_indication(session: Session, effect: AssociateIndication) -> None:
    session.request_pdu = effect.pdu
    if session.state is not State.STA3:
        return  # what came right behind it has ended the association
    try:
        reaction = session.handler.associate(session, effect.pdu)
    except KeyboardInterrupt:  # Ctrl-C is the caller's
        raise
    except BaseException:  # user code
        LOGGER.exception("%r: the handler failed", session)
        reaction = rejections.CONGESTION
    if isinstance(reaction, AssociateAC | AssociateRJ):
        answer(session, reaction)
    else:
        session.reactor.workers.submit(partial(_decide, session, reaction))


def _decide(session: Session, job: Job) -> None:
    try:
        job()
    except KeyboardInterrupt:  # Ctrl-C is the caller's
        raise
    except BaseException:  # user code
        LOGGER.exception("%r: the handler failed", session)
        session.answer(rejections.CONGESTION)


def answer(session: Session, pdu: AssociateAC | AssociateRJ) -> None:
    """Send the acceptor's answer, by way of the rules, and open the association if it says so."""
    assert session.request_pdu is not None
    if session.state is not State.STA3:
        return  # whoever was asked has aborted
    pdu = session.answer_pdu = session.diverted_answer(session.request_pdu, pdu)
    session.upper.request(AssociateResponse(pdu), session.clock.monotonic())
    if isinstance(pdu, AssociateAC):
        _establish(session, pdu)
    else:
        session.emit(events.Negotiated, session.request_pdu, pdu)
        session.finish(outcome.rejected(pdu, **session.circumstances(State.STA3)))


def _associate_confirmation(session: Session, effect: AssociateConfirmation) -> None:
    session.answer_pdu = effect.pdu
    if isinstance(effect.pdu, AssociateAC):
        _establish(session, effect.pdu)
    else:
        session.emit(events.Negotiated, session.request_pdu, effect.pdu)
        session.finish(outcome.rejected(effect.pdu, **session.circumstances(State.STA5)))


def _establish(session: Session, pdu: AssociateAC) -> None:
    assert session.request_pdu is not None
    agreement = session.agreement = conclude(session.request_pdu, pdu, session.side)
    session.emit(events.Negotiated, session.request_pdu, pdu, agreement)
    if session.side is Side.REQUESTOR and agreement.application_context != session.request_pdu.application_context:
        session.abort(f"the answer is for application context {agreement.application_context}")  # PS3.8 §7.1.1.2
        return
    session.assembler.accepted = agreement.accepted
    session.exchange.invoked_window = agreement.may_invoke
    session.exchange.performed_window = agreement.may_perform
    if not tell(session, session.handler.established):
        session.abort("what was to be done at the beginning has failed")


def _release_indication(session: Session, effect: ReleaseIndication) -> None:
    session.release_wanted = True
    session.collided = effect.collision
    _answer_release(session)


def _answer_release(session: Session) -> None:
    """Answer the peer's release request as soon as nothing is being served; the answers come before it.

    A requestor whose own request has collided with it awaits the answer to that one (Sta11).
    """
    state = session.state
    if session.serving or session.backlog or state not in _RELEASE_ANSWERABLE:
        return
    session.release_wanted = False
    session.upper.request(ReleaseResponse(), session.clock.monotonic())
    if session.state is not State.STA11:
        session.finish(outcome.released(session.side.other, **session.circumstances(state)))


def _release_confirmation(session: Session, _: ReleaseConfirmation) -> None:
    if session.release_wanted:  # a collision: the peer's own request is still to be answered
        _answer_release(session)
    else:
        state = State.STA11 if session.collided else State.STA7
        session.finish(outcome.released(session.side, **session.circumstances(state)))


def _abort_indication(session: Session, effect: AbortIndication) -> None:
    circumstances = session.circumstances(effect.state)
    session.finish(outcome.aborted(session.side.other, effect.source, effect.reason, **circumstances))


def _provider_abort_indication(session: Session, effect: ProviderAbortIndication) -> None:
    by = session.side if effect.local else session.side.other
    cause = effect.error or effect.cause
    circumstances = session.circumstances(effect.state)
    session.finish(outcome.aborted(by, effect.source, effect.reason, cause=cause, **circumstances))


def _close_transport(session: Session, _: CloseTransport) -> None:
    session.upper.closed(session.clock.monotonic())  # drops what nobody will take
    if session.detour is not None:
        session.flush()  # what rules have to say at the end
    if session.outcome is None:
        session.finish(_turned_away(session))
    session.close()


_EFFECTS: dict[type, Callable[[Session, Any], None]] = {
    OpenTransport: lambda session, effect: None,  # whoever made the A-ASSOCIATE request is connecting
    CloseTransport: _close_transport,
    AssociateIndication: _associate_indication,
    AssociateConfirmation: _associate_confirmation,
    ReleaseIndication: _release_indication,
    ReleaseConfirmation: _release_confirmation,
    AbortIndication: _abort_indication,
    ProviderAbortIndication: _provider_abort_indication,
}


def messages(session: Session) -> None:
    """See to the messages that are complete."""
    queue = session.assembler.messages
    while queue:
        message = queue.popleft()
        if session.outcome is not None:
            continue  # nobody is there to answer it, or to whom the answer would matter
        session.progressed()
        if events.MessageIn in session.observed:
            session.emit(events.MessageIn, message)
        if session.detour is None:
            arrived(session, message)
        else:
            session.detour.message_in(message)


def arrived(session: Session, message: Message) -> None:
    """See to one message that the rules have let through."""
    arrival, operation = session.exchange.received(message, session.clock.monotonic())
    _ARRIVALS[arrival](session, message, operation)


def _response(session: Session, message: Message, operation: Operation) -> None:
    if operation.notify is None:
        operation.replies.append(message)
    else:
        operation.notify(message)


def _request(session: Session, message: Message, operation: Operation) -> None:
    job = _begin(session, operation)
    if job is None:
        return
    task = session.tasks[operation] = Task(operation, partial(_serve, session, operation, job))
    session.renew(operation)
    if len(session.jobs) < session.calls:
        session.jobs.append(task)
    else:
        hand_to_worker(session, task)


def _begin(session: Session, operation: Operation) -> Job | None:
    """Ask the handler; None if that has answered the request."""
    session.serving += 1
    job: Job | None = None
    try:
        job = session.handler.request(session, operation)
    except AssociationError as error:
        LOGGER.info("%r: %s was not answered: %s", session, operation.request.name, error)
    except KeyboardInterrupt:  # Ctrl-C is the caller's
        raise
    except BaseException:  # user code
        LOGGER.exception("%r: the handler failed", session)
        _apologize(operation, partial(session.reply, operation))
    if job is None:
        session.serving -= 1
    return job


def _serve(session: Session, operation: Operation, job: Job) -> None:
    try:
        job()
    except AssociationError as error:
        LOGGER.info("%r: %s was not answered: %s", session, operation.request.name, error)
    except KeyboardInterrupt:  # Ctrl-C is the caller's
        raise
    except BaseException:  # user code
        LOGGER.exception("%r: the handler failed", session)
        _apologize(operation, partial(session.send_reply, operation))


def _apologize(operation: Operation, send: Callable[[Message], None]) -> None:
    if not operation.final:
        try:
            send(respond(operation.request, Status.PROCESSING_FAILURE))
        except AssociationError:
            pass  # then nobody is waiting for it


def hand_to_worker(session: Session, task: Task) -> None:
    """Have a request served in a thread of its own."""
    session.reactor.workers.submit(partial(run, session, task))


def run(session: Session, task: Task) -> None:
    """Serve a request, and see to what had to wait for it; without owning the session."""
    try:
        task.job()
    finally:
        session.take(quiet=False)
        try:
            if session.tasks.get(task.operation) is task:  # else another one has answered in its place
                del session.tasks[task.operation]
                served(session)
                session.flush()
        finally:
            session.give_back()


def overdue(session: Session, now: float) -> None:
    """See to user code that does not end."""
    seconds = session.timeouts.handler
    for operation, task in list(session.tasks.items()):
        if task.deadline is None or now < task.deadline:
            continue
        job = None if seconds is None else session.handler.overdue(session, operation, seconds)
        if job is None:
            session.renew(operation)
        else:
            instead = session.tasks[operation] = Task(operation, job)
            hand_to_worker(session, instead)


def served(session: Session) -> None:
    """A request has been answered: see to those that waited, and to the release that did."""
    session.serving -= 1
    if not session.is_open or session.outcome is not None:
        session.backlog.clear()
    while session.backlog and session.serving < session.exchange.performed_window:
        operation = session.backlog.pop(0)
        _request(session, operation.request, operation)
    if session.release_wanted:
        _answer_release(session)


def _excess_request(session: Session, message: Message, operation: Operation) -> None:
    session.backlog.append(operation)


def _duplicate_request(session: Session, message: Message, operation: Operation) -> None:
    if session.state in SENDING:
        session.post(respond(message, Status.DUPLICATE_INVOCATION))


def _ignored(session: Session, message: Message, operation: Operation | None) -> None:
    LOGGER.info("%r: ignored %s", session, message.describe())


def _cancelled(session: Session, message: Message, operation: Operation) -> None:
    tell(session, session.handler.cancelled, operation)


def _wrong_response(session: Session, message: Message, operation: Operation) -> None:
    session.abort(f"{message.describe()} is no answer to {operation.request.describe()}")


_ARRIVALS: dict[Arrival, Callable[[Session, Message, Any], None]] = {
    Arrival.REQUEST: _request,
    Arrival.PENDING: _response,
    Arrival.FINAL: _response,
    Arrival.CANCEL: _cancelled,
    Arrival.EXCESS_REQUEST: _excess_request,
    Arrival.DUPLICATE_REQUEST: _duplicate_request,
    Arrival.STRAY_CANCEL: _ignored,
    Arrival.STRAY_RESPONSE: _ignored,
    Arrival.OTHER_SERVICE: _wrong_response,
    Arrival.OTHER_CONTEXT: _wrong_response,
}

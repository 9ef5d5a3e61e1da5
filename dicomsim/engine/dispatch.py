"""What follows from what was received: effects of the state machine and DIMSE messages, each in one table.

All functions are called by the session's owner, right after bytes, a timer or a primitive went into the upper layer.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from dicomsim import events, outcome
from dicomsim.dimse.builders import respond
from dicomsim.dimse.exchange import Arrival, Operation
from dicomsim.dimse.messages import Message
from dicomsim.events import Side
from dicomsim.upper_layer.negotiation import conclude
from dicomsim.upper_layer.primitives import (
    AbortIndication,
    AssociateConfirmation,
    AssociateIndication,
    AssociateResponse,
    CloseTransport,
    OpenTransport,
    ProviderAbortIndication,
    ReleaseConfirmation,
    ReleaseIndication,
    ReleaseResponse,
)
from dicomsim.upper_layer.table import State
from dicomsim.wire.pdu import AssociateAC, AssociateRJ

if TYPE_CHECKING:
    from dicomsim.engine.handler import Job
    from dicomsim.engine.session import Session

LOGGER = logging.getLogger("dicomsim")

DUPLICATE_INVOCATION = 0x0210
"""PS3.7 §C.5.4."""

_RELEASE_ANSWERABLE = frozenset((State.STA8, State.STA9, State.STA12))


def effects(session: Session) -> None:
    """Carry out what the state machine asks for, until it asks for nothing more."""
    while pending := session.upper.effects():
        for effect in pending:
            _EFFECTS[type(effect)](session, effect)


def _associate_indication(session: Session, effect: AssociateIndication) -> None:
    session.request_pdu = effect.pdu
    reaction = session.handler.associate(session, effect.pdu)
    if isinstance(reaction, AssociateAC | AssociateRJ):
        answer(session, reaction)
    else:
        session.reactor.workers.submit(reaction)


def answer(session: Session, pdu: AssociateAC | AssociateRJ) -> None:
    """Send the acceptor's answer, by way of the rules, and open the association if it says so."""
    assert session.request_pdu is not None
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
    session.handler.established(session)


def _release_indication(session: Session, _: ReleaseIndication) -> None:
    session.release_wanted = True
    _answer_release(session)


def _answer_release(session: Session) -> None:
    """Answer the peer's release request as soon as nothing is being served; the answers come before it."""
    if session.serving or session.backlog or session.state not in _RELEASE_ANSWERABLE:
        return
    session.release_wanted = False
    state = session.state
    session.upper.request(ReleaseResponse(), session.clock.monotonic())
    session.finish(outcome.released(session.side.other, **session.circumstances(state)))


def _release_confirmation(session: Session, _: ReleaseConfirmation) -> None:
    if session.release_wanted:  # a collision: the peer's own request is still to be answered
        _answer_release(session)
    else:
        session.finish(outcome.released(session.side, **session.circumstances(State.STA7)))


def _abort_indication(session: Session, effect: AbortIndication) -> None:
    circumstances = session.circumstances(effect.state)
    session.finish(outcome.aborted(session.side.other, effect.source, effect.reason, **circumstances))


def _provider_abort_indication(session: Session, effect: ProviderAbortIndication) -> None:
    by = session.side if effect.local else session.side.other
    cause = effect.error or effect.cause
    circumstances = session.circumstances(effect.state)
    session.finish(outcome.aborted(by, effect.source, effect.reason, cause=cause, **circumstances))


def _close_transport(session: Session, _: CloseTransport) -> None:
    session.flush()
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
        session.progressed()
        if session.observer is not None:
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
    session.serving += 1
    job = session.handler.request(session, operation)
    if job is None:
        served(session)
    elif session.calls:  # whoever waits for an answer does the work meanwhile: a C-GET's sub-operations, for one
        depth = session.lend()
        try:
            job()
        finally:
            session.reclaim(depth)
        served(session)
    else:
        session.reactor.workers.submit(lambda: _run(session, job))


def _run(session: Session, job: Job) -> None:
    try:
        job()
    finally:
        session.take(quiet=False)
        try:
            served(session)
            session.flush()
        finally:
            session.give_back()


def served(session: Session) -> None:
    """A request has been answered: the next one that waited, or the release that did."""
    session.serving -= 1
    if not session.is_open:
        session.backlog.clear()
    elif session.backlog:
        operation = session.backlog.popleft()
        _request(session, operation.request, operation)
    elif session.release_wanted:
        _answer_release(session)


def _excess_request(session: Session, message: Message, operation: Operation) -> None:
    session.backlog.append(operation)


def _duplicate_request(session: Session, message: Message, operation: Operation) -> None:
    session.post(respond(message, DUPLICATE_INVOCATION))


def _ignored(session: Session, message: Message, operation: Operation | None) -> None:
    LOGGER.info("%r: ignored %s", session, message.describe())


def _cancelled(session: Session, message: Message, operation: Operation) -> None:
    session.handler.cancelled(session, operation)


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

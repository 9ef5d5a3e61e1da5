"""What an AE's sessions ask of it: `Provider` answers association requests and hands DIMSE requests to the services.

It is the `Handler` of the engine for both roles. What needs no user code is answered at once by whoever owns the
session; user code becomes a job.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import lru_cache, partial
from typing import TYPE_CHECKING, Any

from dicomsim import negotiator
from dicomsim.association import Association
from dicomsim.dimse.data import DiscardSink, MemorySink, Sink
from dicomsim.dimse.exchange import Operation
from dicomsim.dimse.messages import Message
from dicomsim.engine.handler import Job
from dicomsim.engine.session import Session
from dicomsim.errors import WireError
from dicomsim.events import Side
from dicomsim.lifecycle import AbortPrimitive, AssociatePrimitive, Notices, ReleasePrimitive
from dicomsim.outcome import Ending, Outcome
from dicomsim.presentation import PresentationContextTuple
from dicomsim.services import HANDLERS, SERVICES
from dicomsim.services.call import DATA_SET_LIMIT, Call, RefusedError, serve
from dicomsim.services.judge import refusal_of
from dicomsim.services.storage import StoreTo, make_sink
from dicomsim.sop_class import SOPClass
from dicomsim.status import Status
from dicomsim.transfer_syntax import TransferSyntaxUID
from dicomsim.upper_layer import rejections
from dicomsim.wire.codec import encode_pdu
from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ

if TYPE_CHECKING:
    from dicomsim.ae import ApplicationEntity

LOGGER = logging.getLogger("dicomsim")

_ENDINGS: dict[Ending, tuple[str, Callable[[Association], Any]]] = {
    Ending.RELEASED: ("on_association_released", ReleasePrimitive),
    Ending.REJECTED: ("on_association_rejected", AssociatePrimitive),
}
"""Which handler is told of which end, and with what; all others are aborts to the user."""


class Provider:
    """The decisions of one AE."""

    def __init__(self, ae: ApplicationEntity) -> None:
        self._ae = ae
        self._notices = Notices()

    def connected(self, session: Session) -> None:
        """From here on there is an association, or an attempt at one."""
        association = session.user = Association(session, self._ae)
        self._ae.opened(session)
        name = "on_make_connection" if session.side is Side.REQUESTOR else "on_receive_connection"
        self._notices.tell(session, self._ae.handler(name), association)

    def associate(self, session: Session, request: AssociateRQ) -> AssociateAC | AssociateRJ | Job:
        """Negotiate, as a job if the user has a say in it."""
        if not self._ae.admit(session):
            return rejections.LOCAL_LIMIT
        if negotiator.has_a_say(self._ae):
            return self._notices.in_turn(session, partial(self._answer, session, request))
        return negotiator.answer(self._ae, session.user, request)

    def _answer(self, session: Session, request: AssociateRQ) -> None:
        answer = negotiator.answer(self._ae, session.user, request)
        try:
            encode_pdu(answer)
        except WireError:  # a handler gave something that fits in no item
            LOGGER.exception("%r: the answer cannot be sent", session)
            answer = negotiator.FAILED
        session.answer(answer)

    def established(self, session: Session) -> None:
        """Tell the user, if it wants to know."""
        self._notices.tell(session, self._ae.handler("on_association_accepted"), AssociatePrimitive(session.user))

    def request(self, session: Session, operation: Operation) -> Job | None:
        """Find the service; inline where no user code is needed."""
        message = operation.request
        provider = SERVICES.get(message.command_field, _unrecognized)
        if provider is _unrecognized or self._needs_no_user_code(message):
            _serve_and_forget(provider, self._call(session, operation, partial(session.reply, operation)))
            return None
        call = self._call(session, operation, partial(session.send_reply, operation))
        call.renew = partial(session.renew, operation)
        return partial(_serve_and_forget, provider, call)

    def _needs_no_user_code(self, message: Message) -> bool:
        name = HANDLERS[message.command_field]
        if self._ae.handler(name) is not None:
            return False
        return name != "on_c_store" or self._ae.store_to in (StoreTo.FILE, StoreTo.NOWHERE)

    def _call(self, session: Session, operation: Operation, answer: Callable[[Message], None]) -> Call:
        may_perform = _may_perform(session, operation.request)
        context = context_of(session, operation.request.context_id)
        association: Association = session.user
        call = Call(operation, context, may_perform, self._ae, association.info, answer, association)
        operation.user = call
        return call

    def cancelled(self, session: Session, operation: Operation) -> None:
        """The operation says so itself; the user may want to be told as well."""
        call = operation.user  # which is None once a worker is through with it
        if isinstance(call, Call):
            session.reactor.workers.submit(call.heed_cancel)

    def overdue(self, session: Session, operation: Operation, seconds: float) -> Job | None:
        """Answer in place of a handler that does not end."""
        call = operation.user
        return partial(call.time_out, seconds) if isinstance(call, Call) and call.in_user_code else None

    def sink(self, session: Session, message: Message) -> Sink | None:
        """Objects go where the AE wants them, all else to memory, within a limit; what is refused goes nowhere."""
        if message.is_request:
            context = context_of(session, message.context_id)
            known = message.command_field in SERVICES
            if not known or refusal_of(message, context, _may_perform(session, message)) is not None:
                return DiscardSink()
            if message.name == "C-STORE-RQ":
                ae = self._ae
                return make_sink(ae.store_to, ae.store_folder, message, context, session.calling)
        return MemorySink(DATA_SET_LIMIT)

    def ended(self, session: Session, outcome: Outcome) -> None:
        """Forget the association, and tell the user if there was one, or an attempt at it."""
        self._ae.dismiss(session)
        if session.user is not None:
            session.user.fail_submitted(outcome.error())
        if session.user is not None and session.request_pdu is not None:
            name, primitive = _ENDINGS.get(outcome.how, ("on_association_aborted", AbortPrimitive))
            self._notices.tell(session, self._ae.handler(name), primitive(session.user))


def _serve_and_forget(provider: Callable[[Call], None], call: Call) -> None:
    try:
        serve(provider, call)
    finally:  # each knows the other, and the data set would stay until the collector comes
        call.operation.user = None


def _may_perform(session: Session, message: Message) -> bool:
    """Whether the roles make a request the peer's to ask: an SCU asks for everything but events."""
    agreement = session.agreement
    assert agreement is not None  # messages come only on accepted contexts
    accepted = agreement.accepted[message.context_id]
    return accepted.as_scu if message.name == "N-EVENT-REPORT-RQ" else accepted.as_scp


def _unrecognized(call: Call) -> None:
    raise RefusedError(Status.UNRECOGNIZED_OPERATION, "unknown Command Field")


def context_of(session: Session, context_id: int) -> PresentationContextTuple:
    """An accepted context as handlers get it."""
    agreement = session.agreement
    assert agreement is not None  # messages come only on accepted contexts
    accepted = agreement.accepted[context_id]
    return _context_tuple(context_id, accepted.abstract_syntax, accepted.transfer_syntax)


@lru_cache(maxsize=1024)  # the same few for every request
def _context_tuple(context_id: int, abstract_syntax: str, transfer_syntax: str) -> PresentationContextTuple:
    return PresentationContextTuple(context_id, SOPClass(abstract_syntax), TransferSyntaxUID(transfer_syntax))

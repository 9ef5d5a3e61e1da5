"""`Association`: what programs hold of an association, in either role.

What it is, what handlers are told of it and how it ends is here; what it can be asked to do comes from `operations`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

from dicomsim.dimse.messages import Message
from dicomsim.engine.session import Session
from dicomsim.engine.timeouts import Timeouts
from dicomsim.errors import StateError
from dicomsim.events import Side
from dicomsim.operations.normalized import Normalizing
from dicomsim.operations.querying import Querying
from dicomsim.operations.requesting import LOW_PRIORITY
from dicomsim.operations.storing import VERIFICATION, Storing
from dicomsim.operations.submitting import Answer, Submitting
from dicomsim.outcome import Ending, Outcome
from dicomsim.presentation import PresentationContext
from dicomsim.service_user import ServiceUser
from dicomsim.services.call import Call
from dicomsim.upper_layer.primitives import ReleaseRequest
from dicomsim.upper_layer.table import State
from dicomsim.wire.pdu import pad_ae_title

if TYPE_CHECKING:
    from dicomsim.ae import ApplicationEntity

__all__ = ["LOW_PRIORITY", "VERIFICATION", "Association"]

_PARAMETERS = {
    "priority": "priority",
    "affected_sop_class": "affected_sop_class_uid",
    "affected_sop_instance": "affected_sop_instance_uid",
    "requested_sop_class": "requested_sop_class_uid",
    "requested_sop_instance": "requested_sop_instance_uid",
    "event_type_id": "event_type_id",
    "action_type_id": "action_type_id",
}
"""Keys of `info["parameters"]` to the command elements whose values they have, where those are present."""


class Association(Storing, Querying, Normalizing, Submitting):
    """One association; a context manager that releases it, or aborts it when the block raises."""

    __slots__ = ("ae", "found", "session", "submitted")

    def __init__(self, session: Session, ae: ApplicationEntity) -> None:
        self.session = session
        self.ae = ae
        self.found = {}
        self.submitted: dict[Answer, None] = {}
        """The futures of `submit` that have no answer yet, oldest first."""

    # -- what it is --------------------------------------------------------------------------------------------------

    @property
    def is_rejected(self) -> bool:
        """Whether it ended by A-ASSOCIATE-RJ."""
        return self._ended(Ending.REJECTED)

    @property
    def is_released(self) -> bool:
        """Whether it ended in order."""
        return self._ended(Ending.RELEASED)

    @property
    def is_aborted(self) -> bool:
        """Whether it ended in any other way than release or rejection."""
        return self.session.outcome is not None and not (self.is_rejected or self.is_released)

    def _ended(self, how: Ending) -> bool:
        return self.session.outcome is not None and self.session.outcome.how is how

    @property
    def is_requestor(self) -> bool:
        """Whether we asked for it."""
        return self.session.side is Side.REQUESTOR

    @property
    def is_acceptor(self) -> bool:
        """Whether the peer asked for it."""
        return self.session.side is Side.ACCEPTOR

    @property
    def outcome(self) -> Outcome | None:
        """How it ended: by whom, with which code, in which state, after how long; None while it is open."""
        return self.session.outcome

    @property
    def accepted_contexts(self) -> list[PresentationContext]:
        """The contexts that can be used."""
        agreement = self.session.agreement
        accepted = () if agreement is None else agreement.accepted.values()
        return [PresentationContext.from_accepted(one) for one in accepted]

    @property
    def rejected_contexts(self) -> list[PresentationContext]:
        """The contexts that were proposed and cannot be used."""
        agreement, request = self.session.agreement, self.session.request_pdu
        if agreement is None or request is None:
            return []
        proposed = {one.context_id: one.transfer_syntaxes for one in request.presentation_contexts}
        return [
            PresentationContext.from_rejected(one, proposed.get(one.context_id, ()))
            for one in agreement.rejected.values()
        ]

    @property
    def requestor(self) -> ServiceUser:
        """Who asked, and how it presented itself."""
        return ServiceUser(self.session, Side.REQUESTOR)

    @property
    def acceptor(self) -> ServiceUser:
        """Who was asked, and how it presented itself."""
        return ServiceUser(self.session, Side.ACCEPTOR)

    @property
    def timeouts(self) -> Timeouts:
        """The timeouts of this association alone; setting one counts from the next wait."""
        timeouts = self.session.timeouts
        if timeouts.on_change is None:
            timeouts.on_change = self.session.timeout_changed
        return timeouts

    def info(self, call: Call) -> dict[str, Any]:
        """What handlers get as `info` with a request.

        Beside the keys of the 1.x API, `cancelled` is a function that says whether a C-CANCEL came for the request, and
        `association` is this.
        """
        requestor = self.requestor.info
        requestor["called_aet"] = pad_ae_title(self.session.called)
        agreement = self.session.agreement
        return {
            "requestor": requestor,
            "acceptor": self.acceptor.info,
            "parameters": _parameters(call.message) | call.parameters,
            "sop_class_extended": dict(agreement.extended_negotiation) if agreement else {},
            "cancelled": call.is_cancelled,
            "association": self,
        }

    # -- how it ends -------------------------------------------------------------------------------------------------

    def release(self) -> None:
        """Release it and wait for the answer, at most the ACSE timeout; does nothing when it is over."""
        session = self.session
        session.take()
        try:
            if session.state is State.STA6:
                session.request(ReleaseRequest())
                session.pump_until(lambda: session.outcome is not None, "acse", session.timeouts.acse)
        except StateError:
            pass  # it ended this instant
        finally:
            session.give_back()

    def abort(self) -> None:
        """Abort it; does nothing when it is over."""
        session = self.session
        session.take()
        try:
            if session.outcome is None:
                session.abort()
        finally:
            session.give_back()

    def kill(self) -> None:
        """Close the connection without a word."""
        self.session.take()
        try:
            self.session.hang_up(reset=False)
        finally:
            self.session.give_back()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.release()
        else:
            self.abort()

    def __repr__(self) -> str:
        state = str(self.outcome) if self.outcome else self.session.state.value
        return f"<Association {self.session.association_number} {self.requestor} -> {self.acceptor}: {state}>"


def _parameters(message: Message) -> dict[str, Any]:
    parameters: dict[str, Any] = {"message_id": message.message_id}
    for name, element in _PARAMETERS.items():
        value = getattr(message, element)
        if value is not None:
            parameters[name] = value
    if message.name in ("C-STORE-RQ", "C-ECHO-RQ"):
        parameters.setdefault("priority", None)  # the 1.x API has all of these for both
        originator = message.move_originator_application_entity_title
        parameters["originator_aet"] = None if originator is None else pad_ae_title(originator)
        parameters["originator_message_id"] = message.move_originator_message_id
    return parameters

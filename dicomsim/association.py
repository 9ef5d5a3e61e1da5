"""`Association`: what programs hold of an association, in either role.

Each operation comes in two forms. `c_echo`, `c_store` … answer with the response `Message` and raise when there is none;
`send_c_echo`, `send_c_store` … answer with a status `Dataset`, empty when there was no valid answer, as programs
written for pynetdicom 1.x expect.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from dicomsim.dimse.builders import build
from dicomsim.dimse.data import DataSource
from dicomsim.dimse.exchange import Operation
from dicomsim.dimse.messages import Message
from dicomsim.engine.session import Session
from dicomsim.engine.timeouts import Timeouts
from dicomsim.errors import AssociationError, ConnectError, StateError, TimeLimitError
from dicomsim.events import Side
from dicomsim.outcome import Ending, Outcome
from dicomsim.part10 import open_object
from dicomsim.presentation import PresentationContext
from dicomsim.service_user import ServiceUser
from dicomsim.sop_class import uid_name
from dicomsim.transfer_syntax import TransferSyntaxUID
from dicomsim.upper_layer.agreement import AcceptedContext
from dicomsim.upper_layer.primitives import ReleaseRequest
from dicomsim.upper_layer.table import State
from dicomsim.wire.pdu import pad_ae_title

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

    from dicomsim.ae import ApplicationEntity

VERIFICATION = "1.2.840.10008.1.1"
LOW_PRIORITY = 2


class Association:
    """One association; a context manager that releases it, or aborts it when the block raises."""

    __slots__ = ("ae", "session")

    def __init__(self, session: Session, ae: ApplicationEntity) -> None:
        self.session = session
        self.ae = ae

    # -- what it is --------------------------------------------------------------------------------------------------

    @property
    def is_established(self) -> bool:
        """Whether it is open for data."""
        return self.session.agreement is not None and self.session.outcome is None

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
        return [] if agreement is None else [PresentationContext.from_accepted(one) for one in agreement.accepted.values()]

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

    def info(self, message: Message) -> dict[str, Any]:
        """What handlers get as `info` with a request."""
        requestor = self.requestor.info
        requestor["called_aet"] = pad_ae_title(self.session.called)
        parameters: dict[str, Any] = {"message_id": message.message_id}
        if message.priority is not None:
            parameters["priority"] = message.priority
        if message.name in ("C-STORE-RQ", "C-ECHO-RQ"):
            originator = message.move_originator_application_entity_title
            parameters["originator_aet"] = None if originator is None else pad_ae_title(originator)
            parameters["originator_message_id"] = message.move_originator_message_id
        agreement = self.session.agreement
        return {
            "requestor": requestor,
            "acceptor": self.acceptor.info,
            "parameters": parameters,
            "sop_class_extended": dict(agreement.extended_negotiation) if agreement else {},
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

    def __enter__(self) -> Association:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            self.release()
        else:
            self.abort()

    def __repr__(self) -> str:
        state = str(self.outcome) if self.outcome else self.session.state.value
        return f"<Association {self.session.association_number} {self.requestor} -> {self.acceptor}: {state}>"

    # -- operations --------------------------------------------------------------------------------------------------

    def c_echo(self, message_id: int | None = None) -> Message:
        """Ask whether the peer is there; raises what ended the association instead of an answer."""
        context = self.context_for(VERIFICATION)
        return self.perform(
            "C-ECHO-RQ", context.context_id, message_id=message_id, affected_sop_class_uid=VERIFICATION
        )

    def send_c_echo(self, msg_id: int = 1) -> Dataset:
        """As `c_echo`, in the form of the 1.x API.

        Raises `RuntimeError` when the association is not open, `ValueError` when no context for it was accepted.
        """
        self._require_established("C-ECHO")
        return self._status(lambda: self.c_echo(msg_id))

    def c_store(
        self,
        dataset: Dataset | str | os.PathLike[str],
        message_id: int | None = None,
        priority: int = LOW_PRIORITY,
        originator_aet: str | bytes | None = None,
        originator_id: int | None = None,
    ) -> Message:
        """Send a data set, or the data set of a file as it stands, without decoding it.

        Raises `FileError` for a file that cannot be sent, `ValueError` when no accepted context fits, and what ended
        the association instead of an answer.
        """
        sop_class, instance, context, data = self._storable(dataset)
        if isinstance(originator_aet, bytes):
            originator_aet = originator_aet.decode("ascii", "replace").strip()
        return self.perform(
            "C-STORE-RQ",
            context.context_id,
            data,
            message_id=message_id,
            affected_sop_class_uid=sop_class,
            priority=priority,
            affected_sop_instance_uid=instance,
            move_originator_application_entity_title=originator_aet,
            move_originator_message_id=originator_id,
        )

    def send_c_store(
        self,
        dataset: Dataset | str | os.PathLike[str],
        msg_id: int = 1,
        priority: int = LOW_PRIORITY,
        originator_aet: str | bytes | None = None,
        originator_id: int | None = None,
    ) -> Dataset:
        """As `c_store`, in the form of the 1.x API; raises `RuntimeError` when the association is not open."""
        self._require_established("C-STORE")
        return self._status(lambda: self.c_store(dataset, msg_id, priority, originator_aet, originator_id))

    def _storable(
        self, dataset: Dataset | str | os.PathLike[str]
    ) -> tuple[str, str, AcceptedContext, DataSource]:
        if isinstance(dataset, str | os.PathLike):
            meta, data = open_object(dataset)
            context = self.context_for(meta.sop_class_uid, meta.transfer_syntax_uid)
            return meta.sop_class_uid, meta.sop_instance_uid, context, data
        from dicomsim.datasets import encode

        sop_class, instance = str(dataset.SOPClassUID), str(dataset.SOPInstanceUID)
        encoded_as = getattr(getattr(dataset, "file_meta", None), "TransferSyntaxUID", None)
        context = self.context_for(sop_class, None if encoded_as is None else str(encoded_as), reencodes=True)
        return sop_class, instance, context, encode(dataset, context.transfer_syntax)

    # -- the ground of all operations --------------------------------------------------------------------------------

    def perform(self, name: str, context_id: int, data: DataSource | None = None, **elements: Any) -> Message:
        """Send a request and wait for its one response; raises what ended the association instead."""
        operation = self.begin(name, context_id, data, **elements)
        if not operation.replies:
            raise self.ended_early()
        return operation.replies.popleft()

    def begin(
        self, name: str, context_id: int, data: DataSource | None = None, *, message_id: int | None = None,
        **elements: Any,
    ) -> Operation:
        """Send a request and wait for its first response; further ones are awaited with `session.await_more`."""
        session = self.session
        session.take()
        try:
            session.require_life()
            if message_id is None:
                message_id = session.exchange.next_message_id()
            message = build(name, context_id, data, message_id=message_id, **elements)
            operation = session.exchange.invoke(message, session.clock.monotonic())
            try:
                session.call(message, lambda: bool(operation.replies))
            except BaseException:
                session.exchange.abandon(operation)
                raise
            return operation
        finally:
            session.give_back()

    def ended_early(self) -> Exception:
        """The exception that says why there is no answer."""
        outcome = self.session.outcome
        return outcome.error() if outcome is not None else AssociationError("no answer came")

    def context_for(
        self, sop_class: str, transfer_syntax: str | None = None, *, reencodes: bool = False
    ) -> AcceptedContext:
        """The accepted context to use for a SOP class as SCU.

        With `reencodes`, a data set in one uncompressed transfer syntax may go in another. Raises `ValueError`, saying
        what was accepted.
        """
        agreement = self.session.agreement
        of_class = [
            one for one in (agreement.accepted.values() if agreement else ())
            if one.abstract_syntax == sop_class and one.as_scu
        ]  # fmt: skip
        for context in of_class:
            if transfer_syntax is None or context.transfer_syntax == transfer_syntax:
                return context
        if reencodes and transfer_syntax is not None and not TransferSyntaxUID(transfer_syntax).is_encapsulated:
            for context in of_class:
                if not TransferSyntaxUID(context.transfer_syntax).is_encapsulated:
                    return context
        wanted = f" in {uid_name(transfer_syntax)}" if transfer_syntax is not None and of_class else ""
        accepted = ", ".join(uid_name(one.transfer_syntax) for one in of_class) or "none for it"
        raise ValueError(f"no accepted presentation context for {uid_name(sop_class)}{wanted}; accepted: {accepted}")

    def _require_established(self, service: str) -> None:
        if not self.is_established:
            ended = f": it is over ({self.outcome})" if self.outcome else ""
            raise RuntimeError(f"an established association is needed to send a {service} request{ended}")

    def _status(self, operation: Any) -> Dataset:
        from dicomsim.datasets import status_dataset

        try:
            return status_dataset(operation())
        except (AssociationError, ConnectError, TimeLimitError):
            return status_dataset(None)

"""`Requesting`: how requests get out and answers back, whatever they are about."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from dicomsim.dimse.builders import build
from dicomsim.dimse.data import DataSource
from dicomsim.dimse.exchange import Operation
from dicomsim.dimse.messages import Message
from dicomsim.engine.session import Session
from dicomsim.errors import AssociationError, ConnectError, StateError, TimeLimitError
from dicomsim.operations.contexts import find_context
from dicomsim.services.call import knows_status
from dicomsim.sop_class import service_of
from dicomsim.status import describe_status
from dicomsim.upper_layer.agreement import AcceptedContext

if TYPE_CHECKING:
    from pydicom.dataset import Dataset

LOGGER = logging.getLogger("dicomsim")

LOW_PRIORITY = 2

MOST = 0xFFFF
"""The highest number of two bytes: of a Message ID, a Priority … PS3.7 §6.3.1."""


@dataclass(frozen=True, slots=True)
class Request:
    """A request that can be sent."""

    name: str
    """`C-STORE-RQ` …"""
    context_id: int
    """The presentation context to send it on."""
    data: DataSource | None = None
    """The encoded data set."""
    elements: dict[str, Any] = field(default_factory=dict)
    """Its command elements, by keyword in lower case."""

    @property
    def sop_class(self) -> str:
        """The SOP class it is about, empty if it does not say."""
        return self.elements.get("affected_sop_class_uid") or self.elements.get("requested_sop_class_uid") or ""


class Requesting:
    """The ground of all operations of an `Association`."""

    __slots__ = ()

    session: Session
    found: dict[tuple[str, str | None, bool, str], AcceptedContext]
    """What `context_for` has found: the negotiation is over, so that it stays true."""

    @property
    def is_established(self) -> bool:
        """Whether it is open for data."""
        return self.session.agreement is not None and self.session.outcome is None

    # -- one answer --------------------------------------------------------------------------------------------------

    def perform(self, name: str, context_id: int, data: DataSource | None = None, **elements: Any) -> Message:
        """Send a request and wait for its one response; raises what ended the association instead."""
        message_id = elements.pop("message_id", None)
        return self.ask(Request(name, context_id, data, elements), message_id)

    def ask(
        self, request: Request, message_id: int | None = None, meanwhile: Callable[[], None] | None = None
    ) -> Message:
        """`perform` for a request that has been prepared; `meanwhile` is done while the peer is at work on it."""
        session = self.session
        session.take()
        try:
            operation, message = self._invoke(request, message_id)
            replies = operation.replies
            try:
                session.call(message, lambda: bool(replies), meanwhile)
            except BaseException:
                session.exchange.abandon(operation)
                raise
        finally:
            session.give_back()
        if not replies:
            raise self.ended_early()
        response = replies.popleft()
        note_status(request.name, request.sop_class, response)
        return response

    def start(
        self, request: Request, message_id: int | None = None, *, hold: bool = False,
        notify: Callable[[Message], None] | None = None,
    ) -> Operation:
        """Send a request without waiting for an answer.

        Answers are kept in the operation, or go to `notify`; with `hold` nothing more is read until `unhold`.
        """
        session = self.session
        session.take()
        try:
            timeout = None if notify is None else session.timeouts.dimse  # whoever reads the answers has his own
            operation, message = self._invoke(request, message_id, timeout)
            operation.notify = notify
            try:
                session.send(message)
            except BaseException:
                session.exchange.abandon(operation)
                raise
            if hold:
                operation.user = threading.get_ident()
                session.hold()
            return operation
        finally:
            session.give_back()

    def _invoke(
        self, request: Request, message_id: int | None, timeout: float | None = None
    ) -> tuple[Operation, Message]:
        if message_id is not None and not (type(message_id) is int and 0 <= message_id <= MOST):
            check_number("a message id", message_id)
        session = self.session
        session.require_life()
        exchange = session.exchange
        if exchange.invoked:
            self._await_room(message_id)
        if message_id is None:
            message_id = exchange.next_message_id()
        message = build(request.name, request.context_id, request.data, message_id=message_id, **request.elements)
        return exchange.invoke(message, session.clock.monotonic(), timeout), message

    def _await_room(self, message_id: int | None) -> None:
        """Wait until one more operation may be outstanding; raises `StateError` if the caller itself is in the way."""
        exchange = self.session.exchange

        def has_room() -> bool:
            return exchange.may_invoke and message_id not in exchange.invoked

        if has_room():
            return
        for operation in exchange.invoked.values():
            in_the_way = operation.message_id == message_id or not exchange.may_invoke
            if in_the_way and operation.user == threading.get_ident():
                raise StateError(
                    f"the answers to {operation.request.name} {operation.message_id} are still being read, and no more "
                    "operations may be outstanding with it: read them to the end, or close them"
                )
        self.session.await_more(has_room)
        self.session.require_life()

    def ended_early(self) -> Exception:
        """The exception that says why there is no answer."""
        outcome = self.session.outcome
        return outcome.error() if outcome is not None else AssociationError("no answer came")

    def context_for(
        self, sop_class: str, transfer_syntax: str | None = None, *, reencodes: bool = False, service: str = ""
    ) -> AcceptedContext:
        """The accepted context to use for a SOP class, on its own or by its meta SOP class.

        With `reencodes`, a data set in one transfer syntax with native pixel data may go in another; with `service`,
        contexts that are meant for that DIMSE service go first. Raises `ValueError`, saying what was offered and what
        was accepted.
        """
        wanted = sop_class, transfer_syntax, reencodes, service
        context = self.found.get(wanted)
        if context is None:
            context = self.found[wanted] = find_context(self.session, *wanted)
        return context

    # -- the form of the 1.x API ---------------------------------------------------------------------------------------

    def require_established(self, service: str) -> None:
        """Raise `RuntimeError` when the association is not open."""
        if not self.is_established:
            ended = f": it is over ({self.session.outcome})" if self.session.outcome else ""
            raise RuntimeError(f"an established association is needed to send a {service} request{ended}")

    def answered(self, operation: Callable[[], Message]) -> Message | None:
        """The response; None when there was no valid answer."""
        try:
            return operation()
        except (AssociationError, ConnectError, TimeLimitError) as error:
            LOGGER.error("%r: %s", self, error)
            return None

    def status_of(self, operation: Callable[[], Message]) -> Dataset:
        """The status data set of a response, empty when there was no valid answer."""
        from dicomsim.datasets import status_dataset

        return status_dataset(self.answered(operation))


def check_number(what: str, value: int) -> None:
    """Raise `TypeError` or `ValueError` for what is no number of two bytes; any of them can be sent, legal or not."""
    if not isinstance(value, int):
        raise TypeError(f"{what} must be an int, not {value!r}")
    if not 0 <= value <= MOST:
        raise ValueError(f"{what} must be from 0 to {MOST}, not {value}")


def note_status(name: str, sop_class: str, response: Message) -> None:
    """Log a status that the service does not know; the caller gets it all the same."""
    status, service = response.status, name.removesuffix("-RQ")
    if status is None:
        LOGGER.warning("%s: a response without a status", name)
    elif not knows_status(status, sop_class, service):
        known = sop_class if service_of(sop_class) else None
        LOGGER.warning("%s: the peer answered with %s", name, describe_status(status, known, service))

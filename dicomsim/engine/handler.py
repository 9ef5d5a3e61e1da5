"""What a session asks of whoever it works for."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from dicomsim.dimse.data import Sink
from dicomsim.dimse.exchange import Operation
from dicomsim.dimse.messages import Message
from dicomsim.outcome import Outcome
from dicomsim.wire.pdu import AssociateAC, AssociateRJ, AssociateRQ

if TYPE_CHECKING:
    from dicomsim.engine.session import Session

Job = Callable[[], None]
"""User code to be run without owning the session; it must not raise."""


class Handler(Protocol):
    """The decisions of a service user; called by the session's owner, so none of them may block or run user code."""

    def connected(self, session: Session) -> None:
        """The connection is there, and nothing has been sent or read."""
        ...

    def associate(self, session: Session, request: AssociateRQ) -> AssociateAC | AssociateRJ | Job:
        """Answer an association request now, or return a job that calls `session.answer`."""
        ...

    def established(self, session: Session) -> None:
        """The association is open; `session.agreement` says on what."""
        ...

    def request(self, session: Session, operation: Operation) -> Job | None:
        """A DIMSE request came.

        Answer with `session.reply` and return None, or return a job that uses `session.send_reply`.
        """
        ...

    def cancelled(self, session: Session, operation: Operation) -> None:
        """A C-CANCEL came for an operation under way, which says so itself (`operation.cancelled`)."""
        ...

    def overdue(self, session: Session, operation: Operation, seconds: float) -> Job | None:
        """User code for a request has not ended in time: a job that answers in its place; None to give it more."""
        ...

    def sink(self, session: Session, message: Message) -> Sink | None:
        """Where the data set goes that follows this command; None is memory."""
        ...

    def ended(self, session: Session, outcome: Outcome) -> None:
        """It is over."""
        ...
